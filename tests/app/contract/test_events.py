"""Events: what is written is read back, and what cannot be read is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.contract import events as e
from app.contract import payloads as p


def test_an_event_comes_back_with_the_cursor_of_its_entry() -> None:
    event = e.StepOutput(id="ignored", step="w/a", attempt=2, epoch=3, data=p.Output(offset=4, text="ä\n“x”"))
    assert '"id"' not in e.encode_event(event)
    assert e.decode_event("5-1", e.encode_event(event)) == event.model_copy(update={"id": "5-1"})


def test_what_a_newer_version_added_is_ignored() -> None:
    body = '{"type":"step.message","at":"2026-01-01T00:00:00Z","step":"w","new":1,"data":{"text":"x","more":[]}}'
    event = e.decode_event("1-0", body)
    assert isinstance(event, e.StepMessage) and event.data.text == "x"


def test_a_moment_without_a_zone_is_meant_in_utc() -> None:
    event = e.decode_event("1-0", '{"type":"run.cancelled","at":"2026-01-01T00:00:00"}')
    assert event.at == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "{}", '{"type":"run.paused"}', '{"type":"step.output","data":{}}', b"\xff\xfe", "[" * 10_000],
)
def test_what_cannot_be_read_is_kept_with_its_reason(body: str | bytes) -> None:
    event = e.decode_event("1700000000000-0", body)
    assert isinstance(event, e.Unreadable) and event.reason and event.id == "1700000000000-0"
    assert event.at.year == 2023 and set(e.envelope(event)) == {"id", "type", "at", "step", "attempt", "epoch", "data"}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(), st.binary()), st.sampled_from(["0-0", "9223372036854775807-1", "1-1"]))
def test_no_entry_breaks_the_reader(body: str | bytes, cursor: str) -> None:
    assert e.decode_event(cursor, body).id == cursor


def test_now_has_whole_milliseconds_in_utc() -> None:
    assert e.now().microsecond % 1000 == 0 and e.now().tzinfo is UTC
