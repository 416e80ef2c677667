"""One configured model behind pydantic-ai: text in, text out, tokens counted, errors mapped to `ModelError`.

pydantic-ai takes about two seconds to import, so all of it is imported where it is used, and in a thread the first
time: a worker renews its leases meanwhile.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.llm.endpoint import Endpoint
from worker.llm.errors import BadOutput, ModelError, ModelNotFound, StreamCut
from worker.llm.usage import TokenUsage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponseStreamEvent
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.usage import RequestUsage

    from worker.llm.providers import BuiltModel


@dataclass(frozen=True)
class Prompt:
    """A request to a model: instructions, and the text they are about."""

    system: str
    user: str
    max_output_tokens: int

    @property
    def estimated_tokens(self) -> int:
        """The most tokens that the call may use: one for four characters of the request, and the whole answer."""
        return (len(self.system) + len(self.user)) // 4 + self.max_output_tokens


class ChatModel:
    """A model by its name, `provider:name`. `openai:` is any OpenAI-compatible server at the endpoint's address.

    Raise `ModelNotFound` when the name can't be read.
    """

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        if not all(part.strip() for part in name.partition(":")):
            raise ModelNotFound(f"{name!r} is not a model: set it as provider:name, like openai:gpt-5-mini.")
        self.name = name
        self._endpoint = endpoint
        self._built: BuiltModel | None = None
        self._loading = asyncio.Lock()

    @property
    def base_url(self) -> str:
        """The address in the settings; empty for the provider's own."""
        return self._endpoint.base_url if self.name.startswith("openai:") else ""

    async def complete(self, prompt: Prompt, usage: TokenUsage) -> str:
        """Return the whole answer at once. Fill in `usage`; raise `ModelError`."""
        model = await self._load()
        from pydantic_ai.direct import model_request

        from worker.llm.error_mapping import PROVIDER_ERRORS

        try:
            response = await model_request(model, _as_messages(prompt), model_settings=self._settings_for(prompt))
        except PROVIDER_ERRORS as error:
            failure = self._map_error(error)
        else:
            _count_tokens(response.usage, usage)
            self._check_finish(response.finish_reason, prompt)
            return _text_of(response)
        # Raised outside of the handler, so that no traceback shows the provider's own error: it may quote the key.
        raise failure

    async def stream(self, prompt: Prompt, usage: TokenUsage) -> AsyncGenerator[str]:
        """Yield the answer piece by piece. Fill in `usage`; raise `ModelError`, `StreamCut` for half an answer.

        Closing the iterator, or cancelling the task that reads it, closes the connection.
        """
        model = await self._load()
        from worker.llm.error_mapping import PROVIDER_ERRORS

        async with aclosing(self._read(model, prompt, usage)) as pieces:
            while True:
                try:
                    piece = await anext(pieces)
                except StopAsyncIteration:
                    return
                except PROVIDER_ERRORS as error:
                    failure = self._map_error(error)
                    break
                yield piece
        raise failure

    async def close(self) -> None:
        """Close its connections."""
        built, self._built = self._built, None
        if built is not None:
            await built.close()

    async def _read(self, model: Model, prompt: Prompt, usage: TokenUsage) -> AsyncGenerator[str]:
        import httpx2
        from pydantic_ai.direct import model_request_stream
        from pydantic_ai.exceptions import ModelConnectionError, ModelTimeoutError

        broken = False
        async with model_request_stream(
            model, _as_messages(prompt), model_settings=self._settings_for(prompt)
        ) as stream:
            events = aiter(stream)
            while not broken:
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    break
                except (ModelTimeoutError, httpx2.TimeoutException):
                    raise
                except (ModelConnectionError, httpx2.TransportError):
                    broken = True
                else:
                    if piece := _piece_of(event):
                        yield piece
            _count_tokens(stream.usage, usage)
            finish = stream.finish_reason
        if broken or not finish or not usage.reported:
            raise StreamCut(f"The answer of {self.name} broke off before its end.")
        self._check_finish(finish, prompt)

    def _check_finish(self, reason: str | None, prompt: Prompt) -> None:
        if reason == "length":
            limit = prompt.max_output_tokens
            raise BadOutput(f"{self.name} ran into its limit of {limit} tokens before it was done.")
        if reason == "content_filter":
            raise BadOutput(f"{self.name} declined to answer.")

    def _map_error(self, error: Exception) -> ModelError:
        from worker.llm.error_mapping import map_error

        return map_error(error, self.name, self._endpoint.api_key.get_secret_value())

    def _settings_for(self, prompt: Prompt) -> ModelSettings:
        # No retries below the runtime, which retries by itself and shows every attempt.
        return {"max_tokens": prompt.max_output_tokens, "max_retries": 0, "timeout": self._endpoint.timeout}

    async def _load(self) -> Model:
        async with self._loading:
            if self._built is None:
                await asyncio.to_thread(_import_library)
                self._built = self._build()
            return self._built.model

    def _build(self) -> BuiltModel:
        from worker.llm.error_mapping import PROVIDER_ERRORS
        from worker.llm.providers import build_model

        try:
            return build_model(self.name, self._endpoint)
        except PROVIDER_ERRORS as error:
            failure = self._map_error(error)
        raise failure


def _import_library() -> None:
    # The price list too: else it would be loaded by the event loop, with the first price.
    for module in ("pydantic_ai.direct", "genai_prices.data", "worker.llm.error_mapping", "worker.llm.providers"):
        importlib.import_module(module)


def _as_messages(prompt: Prompt) -> list[ModelMessage]:
    from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart

    return [ModelRequest(parts=[SystemPromptPart(prompt.system), UserPromptPart(prompt.user)])]


def _piece_of(event: ModelResponseStreamEvent) -> str:
    from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""


def _text_of(response: ModelResponse) -> str:
    from pydantic_ai.messages import TextPart

    return "".join(part.content for part in response.parts if isinstance(part, TextPart))


def _count_tokens(reported: RequestUsage, usage: TokenUsage) -> None:
    usage.input_tokens = reported.input_tokens
    usage.output_tokens = reported.output_tokens
    usage.cached_tokens = reported.cache_read_tokens
    usage.reported = reported.unmeasured_requests == 0 and reported.input_tokens + reported.output_tokens > 0
