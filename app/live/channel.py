"""One run as one kind of page shows it, followed once for all viewers in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

import structlog

from app.contract.codec import Entry, decode_event
from app.contract.cursors import START, parse_cursor
from app.contract.run import Run
from app.contract.status import RunStatus
from app.live.frame_cache import Frame, FrameCache
from app.live.notifications import Notifications
from app.live.sse import encode_patch
from app.live.viewer import Viewer
from app.stores.log import Log

logger = structlog.get_logger()

FLUSH_SECONDS = 0.1
"""The shortest time between two patches of a run."""
RETRY_SECONDS = 1.0
"""The pause after a failure of Redis or SQL."""
_EVENTS_AT_ONCE = 256
"""How many events are applied before other tasks get their turn."""
_VIEWERS_AT_ONCE = 100
"""How many viewers are served before other tasks get their turn."""


class View(Protocol):
    """A run as a page shows it."""

    def patches(self, run: Run, after: str) -> str:
        """Return the HTML that brings a page from the cursor `after` to the run's; empty if nothing on it changed."""
        ...

    def whole(self, run: Run) -> str:
        """Return the HTML that brings any page to the run's cursor, also one of a log that was lost."""
        ...


class Channel:
    """The fold of one run, kept up to date while anybody watches, and the patches for its viewers.

    After each change every viewer sends what its page lacks: all that came after the viewer's cursor. `resets` counts
    how often the log was lost and restored with other entries.
    """

    def __init__(self, run_id: str, view: View, log: Log, notifications: Notifications) -> None:
        self._run = Run(id=run_id)
        self._view, self._log, self._notifications = view, log, notifications
        self._reading = asyncio.Lock()
        # The entry before the cursor's, where it is known: reading after a real entry saves a second call to Redis.
        self._previous = ""
        self._frames = FrameCache()
        self._following: asyncio.Task[None] | None = None
        self._viewers: set[Viewer] = set()
        self._refreshes = 0
        self.idle_since = monotonic()
        self.closing = False
        self.resets = 0

    @property
    def viewers(self) -> int:
        """How many viewers there are."""
        return len(self._viewers)

    @property
    def idle(self) -> bool:
        """Whether there is no viewer, and none about to come."""
        return not self._viewers and not self._refreshes

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
        """Add a viewer. The first one starts the following of the log."""
        self._viewers.add(viewer)
        if self._following is None:
            self._following = asyncio.create_task(self._follow(), name=f"follow {self._run.id}")

    def leave(self, viewer: Viewer) -> None:
        """Remove a viewer. Awaits nothing, because a stream that is cut off gets no more turns."""
        self._viewers.discard(viewer)
        if self._viewers:
            return
        self._frames.clear()
        self.idle_since = monotonic()
        if self._following is not None:
            self._following.cancel()
            self._following = None

    def ping(self) -> None:
        """Ping each viewer's page."""
        self._call_each(Viewer.ping)

    def close(self) -> None:
        """End each viewer's stream, and those that are opened later."""
        self.closing = True
        self._call_each(Viewer.catch_up)

    def _call_each(self, method: Callable[[Viewer], None], viewers: Sequence[Viewer] | None = None) -> None:
        """Call a method of each viewer, of so many in one turn of the event loop that other runs do not wait."""
        viewers = tuple(self._viewers) if viewers is None else viewers
        for viewer in viewers[:_VIEWERS_AT_ONCE]:
            method(viewer)
        if len(viewers) > _VIEWERS_AT_ONCE:
            asyncio.get_running_loop().call_soon(self._call_each, method, viewers[_VIEWERS_AT_ONCE:])

    def patch(self, after: str) -> Frame | None:
        """Return the frame from the cursor `after` to now, rendered once for all viewers; None if rendering failed."""
        return self._render(after, lambda: self._view.patches(self._run, after))

    def whole(self) -> Frame | None:
        """Return the frame that brings any page to now; None if rendering failed."""
        return self._render("reset", lambda: self._view.whole(self._run), reset=True)

    def _render(self, key: str, render: Callable[[], str], *, reset: bool = False) -> Frame | None:
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
        """Bring the fold up to its log. Raises the errors of Redis and SQL."""
        self._refreshes += 1
        try:
            async with self._reading:
                await self._read()
        finally:
            self._refreshes -= 1
            self.idle_since = monotonic()

    async def _follow(self) -> None:
        with self._notifications.watch(self._run.id) as notified:
            while True:
                notified.clear()
                try:
                    before = self.cursor
                    await self.refresh()
                    pause = FLUSH_SECONDS if self.cursor != before else 0.0
                except Exception:
                    # The viewers stay, and so does what their pages show.
                    logger.exception("Could not read a run's log; trying again", run=self._run.id)
                    pause = RETRY_SECONDS
                    notified.set()
                await asyncio.sleep(pause)
                await notified.wait()

    async def _read(self) -> None:
        """Apply new entries. The entry at the cursor is read again: if it is gone, the log was lost and restored."""
        if self.cursor == START:
            self._run = await self._log.load_snapshot(self._run.id)
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
        for start in range(0, len(entries), _EVENTS_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            for cursor, body in entries[start : start + _EVENTS_AT_ONCE]:
                self._previous = run.cursor
                run.apply(decode_event(cursor, body))
            if run is self._run:
                self._show()

    def _show(self) -> None:
        self._frames.clear()
        self._call_each(Viewer.catch_up)


def _just_before(cursor: str) -> str:
    """Return the greatest cursor below this one."""
    ms, seq = parse_cursor(cursor)
    if seq:
        return f"{ms}-{seq - 1}"
    return f"{ms - 1}-{2**63 - 1}" if ms else START
