"""The page of a run's trace, and its time axis."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from lxml import html

from app.contract import events as e
from app.contract import payloads as p
from app.http.templates import render
from app.web.runs.trace import trace_values
from app.web.runs.trace_axis import TraceAxis
from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import EPOCH, HEADINGS, Writer, begin_post, finish_post

HOUR = 3600
WAIT = "write-section:wait"


def trace(log: Writer) -> html.HtmlElement:
    return html.fromstring(render("runs/trace.html", **trace_values(log.fold())))


def row_of(page: html.HtmlElement, name: str) -> html.HtmlElement:
    return page.xpath(f"//tr[@data-step='write-post/{name}']")[0]


def bars_of(row: html.HtmlElement) -> list[tuple[str, float, float]]:
    """Return the status, the start and the width of each bar, in percent."""
    rects = row.xpath(".//rect")
    return [(r.get("data-status"), float(r.get("x").rstrip("%")), float(r.get("width").rstrip("%"))) for r in rects]


def fail_and_go_on_later() -> Writer:
    """Return a section that fails at once, and is written an hour later."""
    log = begin_post()
    log.begin(WAIT, HEADINGS["wait"])
    log.fail(WAIT)
    log.add(e.RunFailed, p.ErrorData(kind="X", message="It broke"))
    log.pause(HOUR)
    generation = log.add(e.CommandRetry, p.RetryData(steps=[log.path(WAIT)]))
    log.start_run()
    log.begin("", generation=generation)
    log.begin(WAIT, HEADINGS["wait"], generation)
    log.succeed(WAIT)
    log.add(e.RunSucceeded, p.Result(output=None))
    return log


def test_a_step_that_is_retried_later_shows_the_sum_of_its_attempts() -> None:
    page = trace(fail_and_go_on_later())
    assert row_of(page, WAIT).xpath("string(td[4])") == "2 s"
    assert "h " not in page.xpath("string(//dl)"), "nor is the pause part of the whole"


def test_time_between_passes_is_cut_out_of_the_axis_and_marked() -> None:
    log = fail_and_go_on_later()
    page = trace(log)
    (failed, begun, width), (_, again, _) = bars_of(row_of(page, WAIT))
    seconds = log.fold().work.seconds
    assert width == pytest.approx(100 / seconds, abs=0.1)
    assert again - begun == pytest.approx(100 * 4 / seconds, abs=0.1), "its end, that of the run, and two beginnings"
    (cut,) = row_of(page, WAIT).xpath(".//*[@class='cut']/@x1")
    assert begun + width < float(cut.rstrip("%")) < again
    assert "A dashed line stands for the 1 h 0 min in which nothing ran" in page.text_content()
    assert failed == "failed"


def test_each_bar_has_the_tone_of_its_own_attempt() -> None:
    log = fail_and_go_on_later()
    assert [status for status, _, _ in bars_of(row_of(trace(log), WAIT))] == ["failed", "succeeded"]
    generation = log.add(e.CommandRetry, p.RetryData(steps=[log.path(WAIT)]))
    log.start_run()
    log.begin(WAIT, generation=generation)
    assert bars_of(row_of(trace(log), WAIT))[-1][0] == "running"
    log.fail(WAIT, stands=True)
    assert [status for status, _, _ in bars_of(row_of(trace(log), WAIT))] == ["failed", "succeeded", "failed"]


def test_a_pause_between_two_attempts_is_drawn() -> None:
    log = begin_post()
    log.begin(WAIT, HEADINGS["wait"])
    log.retry(WAIT, seconds=6)
    log.say("", "meanwhile")
    waiting = row_of(trace(log), WAIT).xpath(".//*[@class='wait']")
    assert [line.get("x2") for line in waiting] == ["100.0%"]
    log.pause(5)
    log.begin(WAIT, HEADINGS["wait"])
    log.succeed(WAIT)
    row = row_of(trace(log), WAIT)
    (line,) = row.xpath(".//*[@class='wait']")
    (_, first, width), (_, second, _) = bars_of(row)
    assert float(line.get("x1").rstrip("%")) == pytest.approx(first + width, abs=0.1)
    assert float(line.get("x2").rstrip("%")) == second
    assert row.xpath("string(td[4])") == "2 s", "the pause is no work of the step's"


def test_the_trace_of_an_active_run_says_its_time_to_the_second() -> None:
    log = begin_post()
    assert f"As of {log.events[-1].at:%H:%M:%S} UTC" in trace(log).text_content()


def test_a_run_that_nobody_began_has_a_trace() -> None:
    assert "0 s" in trace(Writer("write-post", {})).xpath("string(//dl)")


@pytest.mark.parametrize("seconds", [0.0, 0.0004, 0.004, 0.05, 0.3, 1, 2.5, 9, 31, 64, 620, 826, 5000, 90_000, 1e9])
def test_labels_of_the_axis_are_round_times_with_room_between_them(seconds: float) -> None:
    ticks = TraceAxis(((EPOCH, EPOCH + timedelta(seconds=seconds)),)).ticks
    words, places = [tick.label for tick in ticks], [tick.at for tick in ticks]
    assert len(set(words)) == len(words), words
    assert places[0] == 0 and all(second - first > 25 for first, second in pairwise(places)), places
    assert all(len(word) <= 10 for word in words[1:]), words
    assert seconds < 0.001 or len(ticks) > 1


def test_clocks_that_disagree_draw_nothing_outside_of_the_axis() -> None:
    axis = TraceAxis(((EPOCH, EPOCH + timedelta(seconds=9)), (EPOCH - timedelta(hours=1), EPOCH)))
    places = [axis.place(EPOCH + timedelta(minutes=minute)) for minute in range(-90, 90)]
    assert places == sorted(places) and places[0] == 0 and places[-1] == 100 and axis.cuts == []


async def test_a_trace_has_a_row_for_each_step(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    await play(run, finish_post(("wait",)))
    page = html.fromstring((await ann.get(f"/runs/{run}/trace")).text)
    steps = {row.get("data-step"): row.get("data-step-status") for row in page.xpath("//tr[@data-step]")}
    assert steps["write-post/write-section:wait"] == "failed"
    assert steps["write-post/assemble-post"] == "succeeded"
