"""Reading: SQL and stream are one log in one cursor space, wherever the boundary is."""

from __future__ import annotations

import pytest

from app.contract import keys
from app.contract.cursors import START
from app.contract.errors import CursorGone, CursorUnreadable
from app.contract.events import CommandRetry, RunSucceeded, Unreadable
from app.contract.payloads import Result, RetryData
from tests.app.stores.stores import Stores

BROKEN = (
    "not json",
    "",
    '{"type":"step.dreamt","data":{},"step":"w","at":"2030-01-01T00:00:00Z"}',
    '{"type":"step.message"}',
    '{"type":"step.message","step":"w","data":{"text":"a\x00b"}}',
    '{"type": "step.message",  "spaces": "kept", "data": 5}',
    "[1, 2]",
    "\U0001f9ed ünreadable \x1b[0m",
)


@pytest.mark.parametrize("shipped", range(7))
async def test_log_reads_the_same_at_any_cut_between_archive_and_stream(stores: Stores, shipped: int) -> None:
    """Some events are archived and the stream begins after them: reading from every cursor returns what follows it."""
    run = await stores.start()
    for text in "abcdef"[:shipped]:
        await run.say(text)
    await stores.ship()
    await stores.redis.delete(keys.log_key(run.run_id))
    for text in "abcdef"[shipped:]:
        await run.say(text)
    assert await stores.texts(run.run_id) == list("abcdef")
    entries = await stores.log.entries(run.run_id)
    assert len(entries) == 7
    for place, (cursor, _) in enumerate(entries):
        assert await stores.log.entries(run.run_id, cursor) == entries[place + 1 :]
        await stores.log.check_cursor(run.run_id, cursor)


async def test_an_entry_that_is_archived_and_in_the_stream_is_read_once(stores: Stores) -> None:
    run = await stores.start()
    for text in "abc":
        await run.say(text)
        await stores.ship()
    assert len(await stores.archived(run.run_id)) == len(await stores.hot(run.run_id)) == 4
    assert await stores.texts(run.run_id) == ["a", "b", "c"]


async def test_a_run_continued_after_its_sealed_stream_expired_is_read_whole(stores: Stores) -> None:
    run = await stores.start()
    await run.say("a")
    await run.append(RunSucceeded(data=Result(output=1)), release="ended")
    await stores.ship()
    await stores.redis.delete(keys.log_key(run.run_id))
    assert (await stores.log.fold(run.run_id)).output == 1
    await stores.command(run.run_id, CommandRetry(data=RetryData(steps=["w"])), "c")
    again = await stores.take(run.run_id)
    await again.say("b")
    assert await stores.texts(run.run_id) == ["a", "b"]
    types = [event.type for event in await stores.log.read(run.run_id)]
    assert types == ["run.submitted", "step.message", "run.succeeded", "command.retry", "step.message"]


async def test_a_cursor_that_is_no_entry_raises_cursor_gone(stores: Stores) -> None:
    run = await stores.start()
    cursor = (await run.say("a"))[0]
    ms, seq = cursor.split("-")
    await stores.log.check_cursor(run.run_id, START)
    await stores.log.check_cursor(run.run_id, cursor)
    for gone in (f"{ms}-{int(seq) + 1}", "5-5", "9223372036854775807-9223372036854775807"):
        with pytest.raises(CursorGone) as refused:
            await stores.log.check_cursor(run.run_id, gone)
        assert refused.value.restart == START
    with pytest.raises(CursorGone):
        await stores.log.check_cursor("run_other", cursor)


@pytest.mark.parametrize("cursor", ["", "$", "1", "-", "+", "1-1-1", "(1-1", "1-99999999999999999999", "١-١", "0-0\n"])
async def test_text_that_is_no_cursor_raises_cursor_unreadable(stores: Stores, cursor: str) -> None:
    run = await stores.start()
    with pytest.raises(CursorUnreadable):
        await stores.log.check_cursor(run.run_id, cursor)
    with pytest.raises(CursorUnreadable):
        await stores.log.entries(run.run_id, cursor)


async def test_unknown_run_has_an_empty_log(stores: Stores) -> None:
    assert await stores.log.entries("run_unknown") == []
    assert await stores.log.entries("run_\x00", "5-5") == []


async def test_unreadable_entries_are_preserved_and_stop_nothing(stores: Stores) -> None:
    run = await stores.start()
    await run.say("before")
    for body in BROKEN:
        await stores.redis.xadd(keys.log_key(run.run_id), {"e": body})
    await stores.redis.xadd(keys.log_key(run.run_id), {"other": "fields"})
    await run.say("after")
    hot = await stores.log.entries(run.run_id)
    folded = await stores.log.fold(run.run_id)
    assert len(folded.unreadable) == len(BROKEN) + 1
    assert await stores.texts(run.run_id) == ["before", "after"]
    await stores.ship()
    await stores.redis.delete(keys.log_key(run.run_id))
    cold = await stores.log.entries(run.run_id)
    # PostgreSQL keeps no NUL.
    assert [body.replace("\x00", "\x1a") for _, body in hot] == [body.replace("\x00", "\x1a") for _, body in cold]
    assert [cursor for cursor, _ in hot] == [cursor for cursor, _ in cold]
    unread = [event.id for event in await stores.log.read(run.run_id) if isinstance(event, Unreadable)]
    assert unread == [event.id for event in folded.unreadable]
    assert await stores.texts(run.run_id) == ["before", "after"]
