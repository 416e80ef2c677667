"""The text of an attempt: whole and in order at its end, whatever ends it, and without a timer afterwards."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from app.contract.errors import StaleEpoch
from app.contract.payloads import Output
from tests.worker.runtime.harness import Driver, Probe
from tests.worker.runtime.rich import SOON
from worker.runtime import StepFailed, component, gather, publish, resource, stream, workflow
from worker.runtime.errors import OutsideRun
from worker.runtime.text_stream import LARGEST_PIECE, TextStream
from worker.testing.invariants import check_log


class Pieces:
    """Collects what a stream emits. `refusal` is raised instead, once it is set."""

    def __init__(self) -> None:
        self.received: list[Output] = []
        self.refusal: Exception | None = None
        self._changed = asyncio.Event()

    def emit(self, piece: Output) -> None:
        self._changed.set()
        if self.refusal:
            raise self.refusal
        self.received.append(piece)

    @property
    def texts(self) -> list[str]:
        return [piece.text for piece in self.received]

    async def next(self) -> None:
        """Return when something is emitted, or refused."""
        self._changed.clear()
        await self._changed.wait()


@contextmanager
def unhandled_errors() -> Iterator[list[dict[str, Any]]]:
    """Collect what the event loop would log."""
    loop, errors = asyncio.get_running_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda _loop, context: errors.append(context))
    try:
        yield errors
    finally:
        loop.set_exception_handler(None)


async def test_the_first_piece_is_emitted_at_once_and_the_rest_together() -> None:
    pieces = Pieces()
    text = TextStream(pieces.emit)
    for piece in ("a", "b", "c"):
        text.write(piece)
    assert pieces.texts == ["a"]
    await pieces.next()
    assert pieces.texts == ["a", "bc"]
    text.write("d")
    assert pieces.texts == ["a", "bc"], "the pause counts from the piece before"
    text.flush()
    assert pieces.texts == ["a", "bc", "d"]
    assert [piece.offset for piece in pieces.received] == [0, 1, 3]


async def test_long_text_is_cut_into_pieces_whose_offsets_follow_one_another() -> None:
    pieces = Pieces()
    text = TextStream(pieces.emit)
    text.write("x")
    text.write("é" * (2 * LARGEST_PIECE + 1))
    text.flush()
    assert [len(piece) for piece in pieces.texts] == [1, LARGEST_PIECE, LARGEST_PIECE, 1]
    assert [piece.offset for piece in pieces.received] == [0, 1, LARGEST_PIECE + 1, 2 * LARGEST_PIECE + 1]


@pytest.mark.parametrize("written", [0, 1, 2])
async def test_after_a_flush_no_timer_holds_the_stream(written: int) -> None:
    """A timer of the event loop would keep the stream alive."""
    pieces = Pieces()
    text = TextStream(pieces.emit)
    for _ in range(written):
        text.write("a")
    text.flush()
    text.flush()
    gone = weakref.ref(text)
    del text
    gc.collect()
    assert gone() is None
    assert "".join(pieces.texts) == "a" * written


@pytest.mark.parametrize("refusal", [StaleEpoch("another epoch"), OutsideRun("over")])
async def test_a_refusal_in_the_timer_is_no_unhandled_error_and_starts_no_other_timer(refusal: Exception) -> None:
    pieces = Pieces()
    with unhandled_errors() as errors:
        text = TextStream(pieces.emit)
        text.write("a")
        text.write("b")
        pieces.refusal = refusal
        await pieces.next()
        await asyncio.sleep(0)
        gone = weakref.ref(text)
        del text
        refusal.__traceback__ = None
        gc.collect()
        assert gone() is None
    assert errors == [] and pieces.texts == ["a"]


async def test_a_refused_write_starts_no_timer() -> None:
    pieces = Pieces()
    pieces.refusal = OutsideRun("over")
    text = TextStream(pieces.emit)
    with pytest.raises(OutsideRun):
        text.write("a")
    pieces.refusal.__traceback__ = None
    gone = weakref.ref(text)
    del text
    gc.collect()
    assert gone() is None


@component(retry=SOON)
async def writes_and_ends(how: str) -> str:
    probe = resource(Probe)
    stream("first ")
    stream("held back")
    match how:
        case "fails":
            raise ValueError("the text stays")
        case "is tried again":
            probe.hit("tried")
        case "is cancelled":
            await probe.hold("never")
    return how


@component
async def fails_beside() -> None:
    await resource(Probe).reached["never"].wait()
    raise ValueError("beside")


@workflow("ending")
async def ending(how: str) -> str:
    match how:
        case "runs too long":
            await writes_and_ends.timeout(0.05).settled()("is cancelled")
        case "a sibling fails":
            with suppress(StepFailed):
                await gather(writes_and_ends("is cancelled"), fails_beside())
        case "workflow itself":
            stream("first ")
            stream("held back")
        case _:
            await writes_and_ends.settled()(how)
    return how


@pytest.mark.parametrize(
    "how", ["succeeds", "fails", "is tried again", "runs too long", "a sibling fails", "workflow itself"]
)
async def test_no_text_is_lost_at_the_end_of_an_attempt(harness: Driver, how: str) -> None:
    harness.probe.fail["tried"] = [ConnectionError("cut")]
    await harness.start(ending, how)
    run = await harness.execute()
    path = "ending" if how == "workflow itself" else "ending/writes-and-ends"
    attempts = run.steps[path].attempts
    assert [attempt.text for attempt in attempts] == ["first held back"] * (2 if how == "is tried again" else 1)
    assert check_log(await harness.events()) == []


@pytest.mark.parametrize("how", ["abort", "cancel"])
async def test_no_text_is_lost_when_the_run_is_interrupted(harness: Driver, how: str) -> None:
    await harness.start(interrupted, "")
    executor, task = await harness.begin()
    await harness.probe.reached["never"].wait()
    if how == "abort":
        executor.abort()
    else:
        await harness.cancel()
    await task
    run = await harness.run()
    assert [run.steps[path].attempts[0].text for path in run.steps] == ["root held back", "first held back"]
    assert check_log(await harness.events()) == []


@workflow("interrupted")
async def interrupted(_: str) -> str:
    stream("root ")
    stream("held back")
    return await writes_and_ends("is cancelled")


@workflow("publishing")
async def publishing(_: str) -> str:
    stream("one ")
    stream("two ")
    publish("mark", 1)
    stream("three ")
    stream("four")
    return ""


async def test_what_is_published_stands_behind_the_text_that_was_streamed_before_it(harness: Driver) -> None:
    await harness.start(publishing, "")
    await harness.execute()
    events = await harness.events("step.output", "object.published")
    texts = [event.data.text if event.type == "step.output" else "|" for event in events]
    assert "".join(texts) == "one two |three four"
