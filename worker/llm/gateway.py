"""The gateway to models: limits, circuit breaker, fallback and budget, and a report of every attempt."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

from pydantic import BaseModel

from app.contract.settings import Settings
from worker.llm.answers import describe_answer, read_answer
from worker.llm.budget import Budget
from worker.llm.chat_model import ChatModel, Prompt
from worker.llm.circuit import CircuitBreaker
from worker.llm.endpoint import Endpoint
from worker.llm.errors import ModelError
from worker.llm.prices import price_call
from worker.llm.rate_limiter import RateLimiter
from worker.llm.usage import ModelCall, OnCall, TokenUsage

__all__ = ["Gateway", "ModelCall", "OnCall", "open_gateway"]

log = logging.getLogger(__name__)
T = TypeVar("T", bound=BaseModel)


class Gateway:
    """Calls a model, or its fallback when the model is not available.

    Each call makes one attempt, and at most one more on the fallback. The caller retries, where the `ModelError` is
    `transient`. `kind` names what is asked for, as in the trace.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        rate_limiter: RateLimiter,
        on_call: OnCall,
        fallback: ChatModel | None = None,
        circuits: dict[str, CircuitBreaker] | None = None,
    ) -> None:
        self._model = model
        self._fallback = fallback
        self._rate_limiter = rate_limiter
        self._on_call = on_call
        self._circuits = circuits if circuits is not None else {}

    @property
    def model(self) -> str:
        """The model's name, `provider:name`."""
        return self._model.name

    async def structured(
        self,
        kind: str,
        system: str,
        prompt: str,
        output_type: type[T],
        *,
        max_output_tokens: int = 4096,
        budget: Budget | None = None,
    ) -> T:
        """Return one value of `output_type`. Raise `ModelError`; `BadOutput` when the answer does not fit the type."""
        asked = Prompt(f"{system}\n\n{describe_answer(output_type)}", prompt, max_output_tokens)
        try:
            return await self._complete(self._model, kind, asked, output_type, budget)
        except ModelError as error:
            first = error
        fallback = self._fallback_for(first)
        if fallback is None:
            raise first
        try:
            return await self._complete(fallback, kind, asked, output_type, budget)
        except ModelError as second:
            raise _join(first, second, fallback) from None

    async def stream(
        self,
        kind: str,
        system: str,
        prompt: str,
        *,
        max_output_tokens: int = 4096,
        budget: Budget | None = None,
    ) -> AsyncGenerator[str]:
        """Yield the text piece by piece, as it comes. Raise `ModelError`, also after some pieces.

        The fallback is only called when no piece was yielded. A caller that stops reading early must close the iterator
        (`contextlib.aclosing`), which aborts the request.
        """
        asked = Prompt(system, prompt, max_output_tokens)
        begun = False
        try:
            async with aclosing(self._pieces(self._model, kind, asked, budget)) as pieces:
                async for piece in pieces:
                    begun = True
                    yield piece
            return
        except ModelError as error:
            first = error
        fallback = None if begun else self._fallback_for(first)
        if fallback is None:
            raise first
        try:
            async with aclosing(self._pieces(fallback, kind, asked, budget)) as pieces:
                async for piece in pieces:
                    begun = True
                    yield piece
        except ModelError as second:
            if begun:
                raise
            raise _join(first, second, fallback) from None

    async def close(self) -> None:
        """Close the connections to the models."""
        await self._model.close()
        if self._fallback is not None:
            await self._fallback.close()

    async def _complete(
        self, model: ChatModel, kind: str, prompt: Prompt, output_type: type[T], budget: Budget | None
    ) -> T:
        async with self._attempt(model, kind, prompt, budget) as usage:
            return read_answer(await model.complete(prompt, usage), output_type)

    async def _pieces(self, model: ChatModel, kind: str, prompt: Prompt, budget: Budget | None) -> AsyncGenerator[str]:
        async with (
            self._attempt(model, kind, prompt, budget) as usage,
            aclosing(model.stream(prompt, usage)) as pieces,
        ):
            async for piece in pieces:
                yield piece

    @asynccontextmanager
    async def _attempt(
        self, model: ChatModel, kind: str, prompt: Prompt, budget: Budget | None
    ) -> AsyncIterator[TokenUsage]:
        """Make one attempt in the block, if budget, circuit and rate limiter let it in; report it, however it ends."""
        circuit = self._circuits.setdefault(model.name, CircuitBreaker(model.name))
        circuit.check()
        async with self._rate_limiter.admit(model.name, prompt.estimated_tokens) as admission:
            if budget is not None:
                budget.check()
            circuit.enter()
            usage, began = TokenUsage(), time.monotonic()
            failure: BaseException | None = None
            try:
                yield usage
            except BaseException as error:
                failure = error
                raise
            finally:
                circuit.leave(failure)
                admission.used = usage.total if usage.reported else None
                call = _describe_call(model, kind, usage, time.monotonic() - began, failure)
                if budget is not None:
                    budget.spend(call)
                await self._on_call(call)

    def _fallback_for(self, error: ModelError) -> ChatModel | None:
        if self._fallback is None or not error.unavailable:
            return None
        log.warning("%s: asking %s instead", error, self._fallback.name)
        return self._fallback


def open_gateway(settings: Settings, rate_limiter: RateLimiter, on_call: OnCall) -> Gateway:
    """Return the gateway that the settings ask for. Connect to nothing yet.

    A fallback of the same provider shares the address and the key. One of another provider is never sent them: its
    key comes from the environment, as that provider's clients read it.

    Raise `ModelNotFound` when a model's name can't be read.
    """
    endpoint = Endpoint(settings.model_base_url, settings.model_api_key)
    model, fallback = ChatModel(settings.model, endpoint), None
    if settings.fallback_model:
        shared = settings.fallback_model.partition(":")[0] == settings.model.partition(":")[0]
        fallback = ChatModel(settings.fallback_model, endpoint if shared else Endpoint())
    return Gateway(model, rate_limiter=rate_limiter, on_call=on_call, fallback=fallback)


def _describe_call(
    model: ChatModel, kind: str, usage: TokenUsage, duration: float, failure: BaseException | None
) -> ModelCall:
    return ModelCall(
        model=model.name,
        kind=kind,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost=price_call(model.name, model.base_url, usage) if usage.reported else None,
        duration=duration,
        error=_describe_failure(failure),
    )


def _describe_failure(failure: BaseException | None) -> str | None:
    if failure is None:
        return None
    if isinstance(failure, asyncio.CancelledError | GeneratorExit):
        return "cancelled"
    return f"{type(failure).__name__}: {failure}" if isinstance(failure, ModelError) else type(failure).__name__


def _join(first: ModelError, second: ModelError, fallback: ChatModel) -> ModelError:
    """Return the first error, which decides what the caller does, with the fallback's error in its message."""
    waits = [error.retry_after for error in (first, second) if error.retry_after is not None]
    return type(first)(
        f"{first} The fallback {fallback.name} failed too: {second}", retry_after=min(waits, default=None)
    )
