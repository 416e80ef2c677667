"""Snapshots: a loaded state takes later events exactly as the state that was dumped."""

from __future__ import annotations

import random
import subprocess
import sys
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.contract import events as e
from app.contract import payloads as p
from app.contract.codec import decode_event, encode_event
from app.contract.run import Run, fold
from app.contract.snapshot import FOLD_MODULES, dump_run, load_run, snapshot_format
from tests.app.contract.test_run import CURSORS, PATHS, any_events
from tests.app.web.logs import Writer, begin_post, finish_post, read_site

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def _with_values() -> st.SearchStrategy[e.Event]:
    """Events that carry values of any shape, which the fold stores unchanged."""
    place = {"id": st.sampled_from(CURSORS), "step": st.sampled_from(PATHS), "attempt": st.integers(0, 2)}
    moment = st.datetimes(timezones=st.timezones())
    ask = st.builds(p.Ask, ask=st.text(max_size=2), name=st.text(max_size=2), step=st.just("w"), proposal=VALUES)
    return st.one_of(
        st.builds(e.RunSubmitted, **place, at=moment, data=st.builds(p.Submitted, input=VALUES)),
        st.builds(e.RunWaiting, **place, data=st.builds(p.WaitingData, asks=st.lists(ask, max_size=2))),
        st.builds(e.RunSucceeded, **place, data=st.builds(p.Result, output=VALUES)),
        st.builds(e.StepSucceeded, **place, data=st.builds(p.StepDone, result=VALUES)),
        st.builds(e.ObjectPublished, **place, data=st.builds(p.Published, name=st.text(max_size=2), value=VALUES)),
        st.builds(e.CommandAnswer, **place, data=st.builds(p.AnswerData, ask=st.text(max_size=2), value=VALUES)),
    )


def settle(run: Run) -> Run:
    """Join the pieces of each text, and return the state."""
    assert all(attempt.text is not None for step in run.steps.values() for attempt in step.attempts)
    return run


def assert_resumes(events: list[e.Event], cut: int) -> None:
    loaded = load_run(dump_run(fold("run", events[:cut])))
    assert loaded is not None and settle(loaded) == settle(fold("run", events[:cut]))
    for event in events[cut:]:
        loaded.apply(event)
    assert settle(loaded) == settle(fold("run", events))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(any_events() | _with_values(), max_size=25), st.integers(0, 25))
def test_folding_from_a_snapshot_equals_folding_the_whole_log(events: list[e.Event], cut: int) -> None:
    # Encoded and decoded: the fold gets events from logs only.
    assert_resumes([decode_event(event.id, encode_event(event)) for event in events], cut)


@pytest.mark.parametrize("log", [begin_post(approve=True), finish_post(("wait",)), read_site()], ids=lambda log: "")
def test_real_logs_resume_from_every_place(log: Writer) -> None:
    events = log.events
    for cut in range(len(events) + 1):
        assert_resumes(events, cut)


def test_a_refused_answer_is_taken_back_after_a_snapshot_too() -> None:
    """The answer that counts and the command that waits are one object, by which a refusal finds the answer."""
    ask = p.Ask(ask="a", name="outline", step="w")
    events: list[e.Event] = [
        e.RunWaiting(id="1-0", data=p.WaitingData(asks=[ask])),
        e.CommandAnswer(id="2-0", data=p.AnswerData(ask="a", name="outline", value=1)),
        e.CommandRefused(id="3-0", data=p.Refused(command="2-0", reason="no")),
    ]
    loaded = load_run(dump_run(fold("run", events[:2])))
    assert loaded is not None and loaded.answers
    loaded.apply(events[2])
    assert not loaded.answers and loaded == fold("run", events)


def test_numbers_keep_their_type() -> None:
    value = [1, 1.0, -0.0, 10**30, 1e300, float("inf"), "\ud800", True, None]
    loaded = load_run(dump_run(Run(id="run", output=value)))
    assert loaded is not None and repr(loaded.output) == repr(value)


def test_a_damaged_snapshot_is_none() -> None:
    body = dump_run(finish_post().fold())
    chance = random.Random(1)
    for _ in range(300):
        place = chance.randrange(len(body))
        assert load_run(body[:place] + bytes([body[place] ^ (1 << chance.randrange(8))]) + body[place + 1 :]) is None
        assert load_run(body[:place]) is None
    for text in (b"", b"{}", b"[]", b'{"run":{"id":5},"steps":[],"waiting":[]}', b"[" * 100_000):
        assert load_run(text) is None and load_run(zlib.compress(text)) is None


def test_the_format_depends_on_every_module_that_the_fold_needs() -> None:
    program = "import sys, app.contract.codec, app.contract.snapshot; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    needed = {name.rpartition(".")[2] for name in loaded if name.startswith("app.contract.")}
    assert set(FOLD_MODULES) == needed and len(snapshot_format()) == 16
