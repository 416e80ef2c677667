"""The models of pydantic-ai's providers, built from our settings. Slow to import: see `chat_model`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2
from openai import AsyncOpenAI
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider, infer_provider, infer_provider_class
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from worker.llm.endpoint import Endpoint


@dataclass
class BuiltModel:
    """A model, and the client to close with it."""

    model: Model
    client: AsyncOpenAI | None = None

    async def close(self) -> None:
        if self.client is not None:
            await self.client.close()


def build_model(name: str, endpoint: Endpoint) -> BuiltModel:
    """Return the model of that name, `provider:name`. Connect to nothing; raise what the library raises."""
    provider, _, own_name = name.partition(":")
    if provider == "openai":
        return _build_openai(own_name, endpoint)
    return BuiltModel(_build_other(name, endpoint.api_key.get_secret_value()))


def _build_openai(name: str, endpoint: Endpoint) -> BuiltModel:
    own = bool(endpoint.base_url)
    client = AsyncOpenAI(
        # Self-hosted servers often need no key, but the client does.
        api_key=endpoint.api_key.get_secret_value() or ("none" if own else None),
        base_url=endpoint.base_url or None,
        http_client=httpx2.AsyncClient(timeout=httpx2.Timeout(endpoint.timeout, connect=10)),
        max_retries=0,
    )
    # Without the first flag, a stream that breaks off gets the finish reason of a complete one.
    # Compatible servers know `max_tokens`; OpenAI's own server wants the newer name.
    profile = OpenAIModelProfile(
        openai_chat_streaming_requires_finish_reason=True, openai_chat_supports_max_completion_tokens=not own
    )
    if own:
        compatible = OpenAICompatibleProvider("openai-compatible", openai_client=client)
        return BuiltModel(OpenAIChatModel(name, provider=compatible, profile=profile), client)
    return BuiltModel(OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client), profile=profile), client)


def _build_other(name: str, key: str) -> Model:
    def build_provider(provider: str) -> Provider[Any]:
        # Without a key in our settings, the provider's own environment variables count.
        if not key:
            return infer_provider(provider)
        build: Any = infer_provider_class(provider)
        return build(api_key=key)  # type: ignore[no-any-return]

    return infer_model(name, build_provider)
