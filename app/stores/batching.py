"""Batching: requests that are made at the same time are answered together, as in group commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Request = TypeVar("Request")
Result = TypeVar("Result")

AnswerBatch = Callable[[Sequence[Request]], Awaitable[Sequence[Result | Exception]]]
"""Return the results of all of these requests, in their order. A returned exception fails one request, a raised one
fails all of them."""

LOOP_ITERATIONS = 8
"""Iterations of the event loop before a batch: nothing (some microseconds) where no other task has work to do; where
many tasks are about to make a request, they make it in time."""


class Batcher(Generic[Request, Result]):
    """Takes requests one by one and answers them together: those that come during a batch are in the next one.

    A request that comes alone is answered at once, or after `pause` seconds. One that is cancelled before its batch
    begins is not done; later it may be done, as with any request that is cancelled on its way.
    """

    def __init__(self, answer: AnswerBatch[Request, Result], *, largest: int, pause: float = 0.0) -> None:
        self._answer = answer
        self._largest = largest
        self._pause = pause
        self._waiting: list[tuple[Request, asyncio.Future[Result]]] = []
        self._task: asyncio.Task[None] | None = None

    async def call(self, request: Request) -> Result:
        """Return the result of this request. Raise its error, or that of its whole batch."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._task is None:
            self._task = asyncio.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                await self._let_others_call()
                batch = self._waiting[: self._largest]
                del self._waiting[: self._largest]
                await self._answer_batch([(request, future) for request, future in batch if not future.done()])
        finally:
            self._task = None

    async def _let_others_call(self) -> None:
        if self._pause:
            await asyncio.sleep(self._pause)
        for _ in range(LOOP_ITERATIONS):
            await asyncio.sleep(0)

    async def _answer_batch(self, batch: Sequence[tuple[Request, asyncio.Future[Result]]]) -> None:
        if not batch:
            return
        results: Sequence[Result | Exception]
        try:
            results = await self._answer([request for request, _ in batch])
        except Exception as error:
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
