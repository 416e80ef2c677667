"""A page rendered at C and patched to F equals the page rendered at F, for all C and F of a log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contract import events as e
from app.contract import payloads as p
from app.contract.run import Run
from app.web.views import PageView
from tests.app.web.browser_dom import canonical, page, patched
from tests.app.web.logs import (
    HEADINGS,
    OUTLINE,
    SOURCES,
    TEXT,
    Writer,
    begin_post,
    finish_post,
    post_json,
    read_site,
    section_json,
)

KINDS = ("post", "site", "run")


def check(kind: str, log: Writer, lengths: list[int]) -> None:
    pages = [page(kind, log.fold(seen)) for seen in range(1, max(lengths) + 1)]
    for length in lengths:
        run: Run = log.fold(length)
        wanted = canonical(pages[length - 1])
        for seen in range(1, length):
            got = canonical(patched(kind, pages[seen - 1], run, log.events[seen - 1].id))
            assert got == wanted, (kind, seen, length, [event.type for event in log.events])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "log", [finish_post(), finish_post(("wait",)), begin_post(approve=True), read_site(), read_site(finish=False)]
)
def test_patches_of_whole_logs_are_exact(kind: str, log: Writer) -> None:
    check(kind, log, [len(log.events), len(log.events) // 2])


class Improviser:
    """Continues a post's log as a run may, drawing each event at random."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.log = begin_post(approve=draw(st.booleans()))
        self.open: dict[str, bool] = {"": True}
        self.generations: dict[str, str] = {}
        self.waiting = len(self.log.events) and self.log.events[-1].type == "run.waiting"
        self.ended = False
        self.queued = False

    def go(self, count: int) -> Writer:
        for _ in range(count):
            self._step()
        return self.log

    def _step(self) -> None:
        log, draw = self.log, self.draw
        if self.waiting:
            answer = p.AnswerData(ask="ask-7f31", name="outline", value=OUTLINE)
            log.add(e.CommandAnswer, answer)
            self.waiting, self.queued = False, True
            return
        if self.ended:
            name = draw(st.sampled_from(["", *[f"write-section:{key}" for key in HEADINGS]]))
            cursor = log.add(e.CommandRetry, p.RetryData(steps=[log.path(name)], guidance="shorter"))
            self.generations = {name: cursor, "": cursor}
            self.ended, self.queued, self.open = False, True, {}
            return
        if self.queued:
            log.start_run()
            log.begin("", generation=self.generations.get("", ""))
            self.open = {"": True}
            self.queued = False
            return
        self._work(draw(st.integers(0, 19)))

    def _work(self, choice: int) -> None:
        log, draw = self.log, self.draw
        name = f"write-section:{draw(st.sampled_from(list(HEADINGS)))}"
        key = name.partition(":")[2]
        if choice == 0:
            kept = draw(st.lists(st.sampled_from(OUTLINE["sections"]), unique_by=lambda s: s["id"], min_size=1))
            log.publish("", "outline", {**OUTLINE, "sections": kept})
        elif choice == 1:
            log.publish("", "sources", draw(st.sampled_from([SOURCES, SOURCES[1:], SOURCES[:1]])))
        elif choice == 2:
            log.damage()
        elif choice == 3:
            log.say("", "On it")
        elif choice == 4:
            self._end()
        elif choice == 5:
            handed_over = e.RunHandedOver, p.HandedOver(reason="its worker is being replaced")
            log.add(*draw(st.sampled_from([handed_over, (e.RunRecovered, p.Recovered(holder="w1"))])))
            self.queued = True
        elif choice == 6 and not self.open.get(name):
            log.begin(f"{name}/look-up:{len(log.events)}") if log.attempts.get(log.path(name)) else log.begin(name)
            self.open[name] = self.open.get(name, False) or log.events[-1].step == log.path(name)
        elif not self.open.get(name):
            log.begin(name, HEADINGS[key], self.generations.get(name, ""))
            self.open[name] = True
        else:
            self._go_on(name, key, choice)

    def _go_on(self, name: str, key: str, choice: int) -> None:
        log = self.log
        if choice <= 13:
            at = log.lengths[log.path(name)]
            size = self.draw(st.integers(1, 60))
            log.write(name, (TEXT * 4)[at : at + size])
        elif choice == 14:
            log.say(name, f"note {len(log.events)}")
        elif choice == 15:
            log.call(name)
        elif choice == 16:
            log.retry(name)
            self.open[name] = False
        elif choice == 17:
            log.fail(name, stands=self.draw(st.booleans()))
            self.open[name] = False
        else:
            log.publish(name, "section", section_json(key))
            log.succeed(name, section_json(key))
            self.open[name] = False

    def _end(self) -> None:
        log, draw = self.log, self.draw
        kind = draw(st.integers(0, 3))
        output = post_json(["price", "parts"], [])
        if kind == 0:
            log.add(e.CommandCancel, p.Nothing())
            log.add(e.RunCancelled, p.Nothing())
        elif kind == 1:
            log.fail("")
            log.add(e.RunFailed, p.ErrorData(kind="X", message="It broke"))
        else:
            if log.attempts.get(log.path("write-section:ask")) and not self.open.get("write-section:ask"):
                log.skip("write-section:ask")
            log.succeed("", {**output, "sources": draw(st.sampled_from([SOURCES, SOURCES[:1]]))})
            log.add(e.RunSucceeded, p.Result(output=output))
        self.ended = True


def check_memo(kind: str, log: Writer) -> None:
    """Check that a view which followed the run from its beginning sends what a new view sends."""
    view, run = PageView(kind), Run(id="run_1")
    seen = ""
    for length, event in enumerate(log.events, start=1):
        run.apply(event)
        anew = log.fold(length)
        assert view.whole(run) == PageView(kind).whole(anew), (length, event.type)
        if seen:
            assert view.patches(run, seen) == PageView(kind).patches(anew, seen), (length, event.type)
        seen = event.id


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("log", [finish_post(), begin_post(approve=True), read_site()])
def test_a_view_with_a_memo_sends_what_a_new_view_sends(kind: str, log: Writer) -> None:
    check_memo(kind, log)


def test_a_view_clears_its_memo_for_another_fold() -> None:
    view, lost, kept = PageView("post"), finish_post(), begin_post()
    run = lost.fold(len(lost.events))
    assert "Finished" in view.whole(run)
    again = kept.fold(len(kept.events))
    again.cursor = run.cursor
    assert view.whole(again) == PageView("post").whole(again)


@settings(max_examples=30, deadline=None)
@given(st.data(), st.integers(1, 40), st.sampled_from(["post", "run"]))
def test_a_view_with_a_memo_sends_what_a_new_view_sends_for_any_log(data: st.DataObject, count: int, kind: str) -> None:
    check_memo(kind, Improviser(data.draw).go(count))


@settings(max_examples=30, deadline=None)
@given(st.data(), st.integers(1, 40), st.sampled_from(["post", "run"]))
def test_patches_of_any_log_are_exact(data: st.DataObject, count: int, kind: str) -> None:
    log = Improviser(data.draw).go(count)
    check(kind, log, [len(log.events)])


def test_the_address_of_a_site_is_patched_when_it_is_found() -> None:
    check("site", read_site(), [5, 6])
