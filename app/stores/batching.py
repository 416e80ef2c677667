"""Group commit: what many ask for at the same time is done at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

Answer = Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]]
"""Answers all of these, in their order. An exception among the answers is one asker's; one raised is everybody's."""


TURNS = 8
"""Turns of the event loop before a round: nothing (some microseconds) where nobody else has anything to do; where many
tasks are on their way to the next question, they get there."""


class Batcher(Generic[Q, A]):
    """Asks one by one, answers together: whoever asks while an answer is on its way is in the next round.

    Somebody who asks alone is answered at once, or after `pause` seconds. What an asker that is cancelled asked for is
    not done if its round has not begun; if it has, it may be, as with any request that is cancelled on its way.
    """

    def __init__(self, answer: Answer[Q, A], *, largest: int, pause: float = 0.0) -> None:
        self._answer = answer
        self._largest = largest
        self._pause = pause
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._rounds: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """The answer to this question. Raises what answering it raised."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                await self._let_others_ask()
                asked = self._waiting[: self._largest]
                del self._waiting[: self._largest]
                await self._answer_some([(question, future) for question, future in asked if not future.done()])
        finally:
            self._rounds = None

    async def _let_others_ask(self) -> None:
        if self._pause:
            await asyncio.sleep(self._pause)
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def _answer_some(self, asked: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        if not asked:
            return
        answers: Sequence[A | Exception]
        try:
            answers = await self._answer([question for question, _ in asked])
        except Exception as error:
            answers = [error] * len(asked)
        for (_, future), answer in zip(asked, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
