"""Batching: simultaneous requests are answered together, and an error of one does not reach another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from app.stores.batching import Batcher


class Desk:
    """Answers numbers with their squares, and records the batches. It is closed until a test opens it."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.asked = asyncio.Event()
        self.open = asyncio.Event()

    async def answer(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.rounds.append(list(numbers))
        self.asked.set()
        await self.open.wait()
        if 13 in numbers:
            raise ConnectionError("unlucky")
        return [ValueError(str(number)) if number < 0 else number * number for number in numbers]


async def test_a_request_during_a_batch_is_in_the_next_one() -> None:
    desk = Desk()
    group = Batcher(desk.answer, largest=10)
    first = asyncio.create_task(group.call(1))
    await desk.asked.wait()
    others = [asyncio.create_task(group.call(number)) for number in (2, 3, 4)]
    desk.open.set()
    assert await asyncio.gather(first, *others) == [1, 4, 9, 16]
    assert desk.rounds == [[1], [2, 3, 4]]


async def test_a_batch_has_a_largest_size() -> None:
    desk = Desk()
    desk.open.set()
    group = Batcher(desk.answer, largest=4)
    assert await asyncio.gather(*map(group.call, range(10))) == [number * number for number in range(10)]
    assert [len(numbers) for numbers in desk.rounds] == [4, 4, 2]


async def test_an_error_of_one_request_is_raised_to_its_caller_only() -> None:
    desk = Desk()
    desk.open.set()
    group = Batcher(desk.answer, largest=10)
    good, bad, other = await asyncio.gather(*map(group.call, (2, -5, 3)), return_exceptions=True)
    assert (good, str(bad), other) == (4, "-5", 9)
    assert isinstance(bad, ValueError)


async def test_a_batch_that_fails_fails_all_of_its_requests_and_no_later_one() -> None:
    desk = Desk()
    desk.open.set()
    group = Batcher(desk.answer, largest=2)
    answers = await asyncio.gather(*map(group.call, (13, 2, 3)), return_exceptions=True)
    assert [type(answer) for answer in answers[:2]] == [ConnectionError, ConnectionError]
    assert answers[2] == 9


async def test_a_cancelled_request_does_not_delay_the_others() -> None:
    desk = Desk()
    group = Batcher(desk.answer, largest=10)
    patient, hasty = asyncio.create_task(group.call(2)), asyncio.create_task(group.call(3))
    await desk.asked.wait()
    hasty.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hasty
    late = asyncio.create_task(group.call(4))
    await asyncio.sleep(0)
    late.cancel()
    desk.open.set()
    assert await patient == 4
    assert await group.call(5) == 25
    assert desk.rounds == [[2, 3], [5]]
