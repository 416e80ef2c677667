"""Events as JSON: as the log stores them, and as the API shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.contract.cursors import parse_cursor
from app.contract.errors import CursorUnreadable
from app.contract.events import Event, ReadableEvent, Unreadable

Entry = tuple[str, str]
"""An entry of a log: its cursor, and the event's JSON."""

_ADAPTER: TypeAdapter[ReadableEvent] = TypeAdapter(ReadableEvent)


def encode_event(event: Event) -> str:
    """Return the event as the log stores it: JSON without the id, which the log assigns."""
    return event.model_dump_json(exclude={"id"})


def encode_entry(event: Event) -> Entry:
    """Return an event that has its cursor already as an entry of the log."""
    return event.id, encode_event(event)


def decode_event(cursor: str, body: str | bytes) -> Event:
    """Return the event that stands at `cursor`. Never raises: an entry that cannot be read becomes `Unreadable`."""
    try:
        event = _ADAPTER.validate_json(body)
    except ValidationError as error:
        return _unreadable(cursor, body, error)
    # The event is frozen, but nobody else has it yet; copying it to set this one field would cost as much as reading
    # all of it.
    event.__dict__["id"] = cursor
    event.__pydantic_fields_set__.add("id")
    return event


def _unreadable(cursor: str, body: str | bytes, error: ValidationError) -> Unreadable:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    first = error.errors(include_url=False, include_input=False)[0]
    return Unreadable(
        id=cursor,
        at=_moment_of(cursor),
        data={"raw": text[:2000]},
        reason=f"{'.'.join(map(str, first['loc']))} {first['msg']}".strip()[:300],
    )


def _moment_of(cursor: str) -> datetime:
    try:
        return datetime.fromtimestamp(parse_cursor(cursor)[0] / 1000, UTC)
    except (CursorUnreadable, OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def event_to_dict(event: Event) -> dict[str, Any]:
    """Return the event as the API shows it: `{id, type, at, step, attempt, epoch, data}`."""
    return event.model_dump(mode="json", exclude={"reason"})
