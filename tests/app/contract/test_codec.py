"""Events as JSON: written events are read back, and unreadable entries are preserved."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.contract import events as e
from app.contract import payloads as p
from app.contract.codec import decode_event, encode_event, event_to_dict


def test_a_decoded_event_has_the_cursor_of_its_entry() -> None:
    event = e.StepOutput(id="ignored", step="w/a", attempt=2, epoch=3, data=p.Output(offset=4, text="ä\n“x”"))
    assert '"id"' not in encode_event(event)
    assert decode_event("5-1", encode_event(event)) == event.model_copy(update={"id": "5-1"})


def test_fields_of_newer_versions_are_ignored() -> None:
    body = '{"type":"step.message","at":"2026-01-01T00:00:00Z","step":"w","new":1,"data":{"text":"x","more":[]}}'
    event = decode_event("1-0", body)
    assert isinstance(event, e.StepMessage) and event.data.text == "x"


def test_a_time_without_a_zone_is_in_utc() -> None:
    event = decode_event("1-0", '{"type":"run.cancelled","at":"2026-01-01T00:00:00"}')
    assert event.at == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "{}", '{"type":"run.paused"}', '{"type":"step.output","data":{}}', b"\xff\xfe", "[" * 10_000],
)
def test_an_unreadable_entry_is_preserved_with_its_reason(body: str | bytes) -> None:
    event = decode_event("1700000000000-0", body)
    assert isinstance(event, e.Unreadable) and event.reason and event.id == "1700000000000-0"
    assert event.at.year == 2023
    assert set(event_to_dict(event)) == {"id", "type", "at", "step", "attempt", "epoch", "data"}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(), st.binary()), st.sampled_from(["0-0", "9223372036854775807-1", "1-1"]))
def test_decoding_never_raises(body: str | bytes, cursor: str) -> None:
    assert decode_event(cursor, body).id == cursor
