"""One run as one kind of page shows it, followed for everybody in this process who watches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from time import monotonic
from typing import Protocol

import structlog

from app.contract.cursors import START, parse_cursor
from app.contract.events import decode_event
from app.contract.run import Run
from app.contract.status import RunStatus
from app.live.frame_cache import Frame, FrameCache
from app.live.sse import encode_patch
from app.live.viewer import Viewer
from app.stores.archive import Entry

logger = structlog.get_logger()

FLUSH_SECONDS = 0.1
"""The shortest time between two patches of a run."""
REST_SECONDS = 1.0
"""The pause after Redis or SQL failed."""
_BATCH = 256
"""Events applied before others get their turn."""
_CROWD = 100
"""Viewers told before others get their turn."""


class View(Protocol):
    """A run as a page shows it."""

    def patches(self, run: Run, after: str) -> str:
        """The HTML that brings a page at the cursor `after` to the run's; empty when nothing on it has changed."""
        ...

    def whole(self, run: Run) -> str:
        """The HTML that brings any page to the run's cursor, also one of a log that is no more."""
        ...


class Reads(Protocol):
    """The part of `app.stores.log.Log` that following needs."""

    async def begin(self, run_id: str) -> Run: ...

    async def entries(self, run_id: str, after: str = ...) -> list[Entry]: ...


class Rings(Protocol):
    """Bells: an event that is set whenever the run's log may have grown, and once a second in case a bell was lost."""

    def watch(self, run_id: str) -> AbstractContextManager[asyncio.Event]: ...


class Channel:
    """The fold of one run, kept in step with its log while somebody watches, and its patches for each position.

    Whenever something changed, each viewer is told to look; what it gets next is everything after its position.
    """

    def __init__(self, run_id: str, view: View, log: Reads, bells: Rings) -> None:
        self._run = Run(id=run_id)
        self._view, self._log, self._bells = view, log, bells
        self._pulling = asyncio.Lock()
        # The entry before the cursor's, where it is known: reading on from a real entry spares Redis a question.
        self._previous = ""
        self._frames = FrameCache()
        self._follower: asyncio.Task[None] | None = None
        self._viewers: set[Viewer] = set()
        self._refreshing = 0
        self.idle_since = monotonic()
        self.closing = False
        self.resets = 0

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    @property
    def idle(self) -> bool:
        """Whether nobody watches, or is about to."""
        return not self._viewers and not self._refreshing

    @property
    def cursor(self) -> str:
        return self._run.cursor

    @property
    def status(self) -> RunStatus:
        return self._run.status

    @property
    def ended(self) -> bool:
        return self._run.ended

    def join(self, viewer: Viewer) -> None:
        """One viewer more: the first one starts the following."""
        self._viewers.add(viewer)
        if self._follower is None:
            self._follower = asyncio.create_task(self._follow(), name=f"follow {self._run.id}")

    def leave(self, viewer: Viewer) -> None:
        """One viewer less. Awaits nothing: a stream that is cut off has no time for it."""
        self._viewers.discard(viewer)
        if self._viewers:
            return
        self._frames.clear()
        self.idle_since = monotonic()
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None

    def ping(self) -> None:
        """Say to each viewer that its connection lives."""
        self._tell(Viewer.ping)

    def close(self) -> None:
        """End each viewer's stream, and those that are opened later."""
        self.closing = True
        self._tell(Viewer.look)

    def _tell(self, what: Callable[[Viewer], None], viewers: Sequence[Viewer] | None = None) -> None:
        """Each of the viewers in turn; a crowd does not keep other runs waiting."""
        viewers = tuple(self._viewers) if viewers is None else viewers
        for viewer in viewers[:_CROWD]:
            what(viewer)
        if len(viewers) > _CROWD:
            asyncio.get_running_loop().call_soon(self._tell, what, viewers[_CROWD:])

    def patch(self, after: str) -> Frame | None:
        """The frame from one position to now, made once for all who are there; None when it could not be made."""
        return self._frame(after, lambda: self._view.patches(self._run, after))

    def whole(self) -> Frame | None:
        """The frame that makes any page right; None when it could not be made."""
        return self._frame("reset", lambda: self._view.whole(self._run), reset=True)

    def _frame(self, key: str, render: Callable[[], str], *, reset: bool = False) -> Frame | None:
        if key not in self._frames:
            try:
                html = render()
            except Exception:
                # The stream goes on, and so does the page: the next frame begins where this one would have.
                logger.exception("Could not render a run", run=self._run.id, after=key, cursor=self.cursor)
                self._frames.add(key, None)
            else:
                body = encode_patch(html, self.cursor, reset=reset) if html else None
                self._frames.add(key, Frame(self.cursor, body))
        return self._frames.get(key)

    async def refresh(self) -> None:
        """Bring the fold up to its log. Raises what Redis and SQL raise."""
        self._refreshing += 1
        try:
            async with self._pulling:
                await self._pull()
        finally:
            self._refreshing -= 1
            self.idle_since = monotonic()

    async def _follow(self) -> None:
        with self._bells.watch(self._run.id) as rung:
            while True:
                rung.clear()
                try:
                    before = self.cursor
                    await self.refresh()
                    pause = FLUSH_SECONDS if self.cursor != before else 0.0
                except Exception:
                    # Redis or SQL is away; the viewers stay, and so does what they have.
                    logger.exception("Could not read a run's log; trying again", run=self._run.id)
                    pause = REST_SECONDS
                    rung.set()
                await asyncio.sleep(pause)
                await rung.wait()

    async def _pull(self) -> None:
        """Apply what is new. The entry at our cursor is read again: where it is gone, the log was lost and restored."""
        if self.cursor == START:
            self._run = await self._log.begin(self._run.id)
        entries = await self._log.entries(self._run.id, self._previous or _just_before(self.cursor))
        if self.cursor == START:
            await self._apply(self._run, entries)
        elif entries and entries[0][0] == self.cursor:
            await self._apply(self._run, entries[1:])
        else:
            self._previous, rebuilt = "", Run(id=self._run.id)
            await self._apply(rebuilt, await self._log.entries(self._run.id))
            self._run = rebuilt
            self.resets += 1
            self._show()

    async def _apply(self, run: Run, entries: list[Entry]) -> None:
        for start in range(0, len(entries), _BATCH):
            if start:
                await asyncio.sleep(0)
            for cursor, body in entries[start : start + _BATCH]:
                self._previous = run.cursor
                run.apply(decode_event(cursor, body))
            if run is self._run:
                self._show()

    def _show(self) -> None:
        self._frames.clear()
        self._tell(Viewer.look)


def _just_before(cursor: str) -> str:
    """The greatest cursor below this one."""
    ms, seq = parse_cursor(cursor)
    if seq:
        return f"{ms}-{seq - 1}"
    return f"{ms - 1}-{2**63 - 1}" if ms else START
