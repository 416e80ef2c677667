"""Fixtures that write synthetic logs behind the real application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from app.stores.stores import Stores
from app.stores.tables import utc_now
from tests.app.conftest import Take
from tests.app.web.logs import Writer
from worker.engine.archiver import Archiver

Play = Callable[[str, Writer], Awaitable[None]]
Ship = Callable[[], Awaitable[None]]
_ENDS = ("run.succeeded", "run.incomplete", "run.failed", "run.cancelled")
_RELEASES = {"run.waiting": "parked", **dict.fromkeys(_ENDS, "ended")}


@pytest.fixture
def play(take: Take) -> Play:
    """Take a run and write the facts of a synthetic log into it."""

    async def play_one(run_id: str, log: Writer) -> None:
        player = await take(run_id)
        facts = [event for event in log.events[1:] if event.type != "unreadable"]
        *most, last = [event.model_copy(update={"id": "", "at": utc_now()}) for event in facts]
        if most:
            await player.say(*most)
        await player.say(last, release=_RELEASES.get(last.type, ""))  # type: ignore[arg-type]  # its values are releases

    return play_one


@pytest.fixture
def ship(stores: Stores) -> Ship:
    """Ship all there is, as a worker does."""
    archiver = Archiver(stores)

    async def ship_all() -> None:
        while await archiver.archive_batch():
            pass

    return ship_all
