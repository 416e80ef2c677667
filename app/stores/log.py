"""The log of a run: one cursor space over the hot stream in Redis and the archive in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.contract import keys
from app.contract.codec import Entry, decode_event, encode_event
from app.contract.cursors import START, is_after, parse_cursor
from app.contract.errors import AppendRefused, CommandPending, CursorGone, RunEnded, StaleEpoch
from app.contract.events import Command, Event
from app.contract.run import Run, fold
from app.stores.archive import Archive
from app.stores.client_ids import is_signed, read_digest, sign, signature
from app.stores.scripts import Scripts

_FIRST = '{"type":"run.submitted"'
"""The beginning of a log's first entry: nothing in SQL precedes a stream that holds it."""

SHORT = 500
"""A log with fewer entries is folded from its beginning, which costs less than looking for a snapshot."""

Release = Literal["", "ended", "parked", "queued"]
"""The reason for which an append of facts drops the lease: none, the run's end, an open ask, or a hand-over."""


@dataclass(frozen=True, slots=True)
class ArchivedState:
    """The state of a run in SQL, which counts where Redis has lost the run.

    `state` is "queued", "parked" or "ended"; `floor` is the last archived cursor.
    """

    state: str
    floor: str
    workflow: str
    version: str


class Log:
    """Appends to and reads from runs' logs."""

    def __init__(self, redis: Any, archive: Archive) -> None:
        self._redis = redis
        self._archive = archive
        self._scripts = Scripts(redis)

    async def submit(self, run_id: str, workflow: str, submitted: Entry) -> None:
        """Start the hot log of a run whose row, with this first entry, is committed. Repeating it changes nothing."""
        cursor, body = submitted
        archived = ArchivedState("queued", cursor, workflow, "")
        await self._append(run_id, "submission", 0, run_id, [body], archived=archived)

    async def append(
        self,
        run_id: str,
        epoch: int,
        number: int,
        events: Sequence[Event | str],
        *,
        lease_ms: int,
        floor: str = "",
        release: Release = "",
        handled: str = START,
    ) -> list[str]:
        """Append facts, encoded or not, and return their cursors.

        `number` counts the appends of this epoch from 1 without a gap (an append that was refused keeps its number);
        the same number again returns the same cursors and appends nothing. `floor` is the last archived cursor. With
        `release`, the lease is dropped in the same call.
        Raise `StaleEpoch`, `RunEnded` or, for a release, `CommandPending`.
        """
        bodies = [event if isinstance(event, str) else encode_event(event) for event in events]
        archived = ArchivedState("", floor, "", "")
        return await self._append(
            run_id,
            "facts",
            epoch,
            str(number),
            bodies,
            archived=archived,
            lease_ms=lease_ms,
            release=release,
            handled=handled,
        )

    async def command(
        self, run_id: str, command: Command, client_id: str, archived: ArchivedState, digest: str = ""
    ) -> str:
        """Append a command and return its cursor. The same `client_id` again returns the same cursor.

        `digest` is of the client's request, and is stored beside its id.
        Raise `RunEnded` when the run has ended and the command is no retry.
        """
        body = sign(encode_event(command), client_id, digest)
        return (await self._append(run_id, command.type, 0, client_id, [body], archived=archived))[0]

    async def find_command(self, run_id: str, client_id: str) -> str | None:
        """Return the cursor of the command with this client id, also if Redis was lost since; None without one."""
        cursor: str | None = await self._redis.hget(keys.lease_key(run_id), f"client:{client_id}")
        if cursor:
            return cursor
        found = await self._archive.search(run_id, signature(client_id))
        return next((cursor for cursor, body in found if is_signed(body, client_id)), None)

    async def digest_of(self, run_id: str, cursor: str, client_id: str) -> str:
        """Return the digest that this client's command at `cursor` was appended with; empty if it had none."""
        hot = await self._redis.xrange(keys.log_key(run_id), min=cursor, max=cursor)
        found = _read_stream(hot) or await self._archive.search(run_id, signature(client_id))
        return next((read_digest(body) for at, body in found if at == cursor), "")

    async def _append(
        self,
        run_id: str,
        kind: str,
        epoch: int,
        token: str,
        bodies: Sequence[str],
        *,
        archived: ArchivedState,
        lease_ms: int = 0,
        release: Release = "",
        handled: str = START,
    ) -> list[str]:
        reply = await self._scripts.append(
            keys=[keys.log_key(run_id), keys.lease_key(run_id), keys.DUE, keys.UNSHIPPED],
            args=[
                run_id, kind, epoch, token, archived.floor, lease_ms, release, handled, archived.state,
                keys.notification_channel(run_id), archived.workflow, archived.version, *bodies,
            ],
        )  # fmt: skip
        if reply[0] == "ok":
            return list(reply[1:])
        raise _refusal(reply[1], reply[2])

    async def entries(self, run_id: str, after: str = START) -> list[Entry]:
        """Return the entries after a cursor: those of the stream, and from SQL those before the stream's first entry.

        Raise `CursorUnreadable` for a cursor that is none.
        """
        parse_cursor(after)
        hot = await self._redis.xrange(keys.log_key(run_id), min=_range_start(after))
        entries = _entries_in_stream(hot, after)
        return await self._join(run_id, after) if entries is None else entries

    async def entries_of(self, positions: Mapping[str, str]) -> dict[str, list[Entry] | Exception]:
        """Return for each of these runs the entries after its cursor, or the error that Redis answered with. Redis is
        asked for all of them in one message."""
        pipe = self._redis.pipeline(transaction=False)
        for run_id, after in positions.items():
            pipe.xrange(keys.log_key(run_id), min=_range_start(after))
        found: dict[str, list[Entry] | Exception] = {}
        for (run_id, after), hot in zip(positions.items(), await pipe.execute(raise_on_error=False), strict=True):
            if isinstance(hot, Exception):
                found[run_id] = hot
                continue
            entries = _entries_in_stream(hot, after)
            found[run_id] = await self._join(run_id, after) if entries is None else entries
        return found

    async def _join(self, run_id: str, after: str) -> list[Entry]:
        """Return the entries after a cursor where SQL may have some of them."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.xrange(keys.log_key(run_id), count=1)
        pipe.xrange(keys.log_key(run_id), min=f"({after}" if after != START else "-")
        first, hot = await pipe.execute()
        entries = _read_stream(hot)
        if first and not is_after(first[0][0], after):
            return entries
        before = first[0][0] if first else None
        return await self._archive.read(run_id, after, before) + entries

    async def read(self, run_id: str, after: str = START) -> list[Event]:
        """Return the events after a cursor, in order."""
        return [decode_event(cursor, body) for cursor, body in await self.entries(run_id, after)]

    async def fold(self, run_id: str) -> Run:
        """Return the run's state now. A long log is folded from its newest snapshot."""
        hot = await self._redis.xrange(keys.log_key(run_id), count=SHORT)
        if len(hot) < SHORT and (entries := _entries_in_stream(hot, START)) is not None:
            return fold(run_id, [decode_event(cursor, body) for cursor, body in entries])
        run = await self.load_snapshot(run_id)
        for event in await self.read(run_id, run.cursor):
            run.apply(event)
        return run

    async def load_snapshot(self, run_id: str) -> Run:
        """Return the run's state as of its newest snapshot; the state of an empty log without one."""
        found = (await self._archive.snapshots([run_id])).get(run_id)
        return found.run if found else Run(id=run_id)

    async def ends_at(self, run_id: str, shipped: str) -> bool:
        """Return whether the log has nothing after `shipped`, its last archived entry, without reading the log."""
        last = await self._redis.xrevrange(keys.log_key(run_id), count=1)
        return not last or not is_after(last[0][0], shipped)

    async def last_archived(self, run_id: str) -> str:
        """Return the cursor of the last archived entry."""
        return await self._archive.shipped(run_id)

    async def check_cursor(self, run_id: str, cursor: str) -> None:
        """Raise `CursorUnreadable` for text that is no cursor, `CursorGone` for one that is no entry of this log."""
        if not is_after(cursor, START):
            return
        if await self._redis.xrange(keys.log_key(run_id), min=cursor, max=cursor, count=1):
            return
        if not await self._archive.holds(run_id, cursor):
            raise CursorGone(cursor, START)


def _range_start(after: str) -> str:
    return after if after != START else "-"


def _read_stream(hot: Sequence[tuple[str, dict[str, str]]]) -> list[Entry]:
    return [(cursor, fields.get("e", "")) for cursor, fields in hot]


def _entries_in_stream(hot: Sequence[tuple[str, dict[str, str]]], after: str) -> list[Entry] | None:
    """Return the entries after `after` if the stream has all of them; None when SQL may have some."""
    entries = _read_stream(hot)
    if entries and entries[0][0] == after:
        return entries[1:]
    return entries if entries and entries[0][1].startswith(_FIRST) else None


def _refusal(reason: str, detail: str) -> AppendRefused:
    if reason == "command":
        return CommandPending(detail)
    if reason == "ended":
        return RunEnded("The run has ended. Only a retry makes it go on.")
    return StaleEpoch(f"The run is held by epoch {detail or 'none'}.")
