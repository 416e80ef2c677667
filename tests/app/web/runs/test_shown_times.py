"""Times on pages: only work counts, and nothing counts up while nothing works."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from lxml import html

from app.contract import events as e
from app.contract import payloads as p
from app.http.templates import write_duration
from tests.app.web.browser_dom import page
from tests.app.web.logs import HEADINGS, OUTLINE, Writer, begin_post, finish_post, write_section

DAY = 24 * 3600


def show(kind: str, log: Writer) -> html.HtmlElement:
    return page(kind, log.fold())


def say(root: html.HtmlElement, element_id: str) -> str:
    """Return the text of the element, in one line."""
    return " ".join(root.get_element_by_id(element_id).text_content().split())


def count_up(root: html.HtmlElement) -> list[str]:
    """Return the times since which elements of the page count up."""
    return [time.get("data-since") for time in root.xpath("//time[@data-since]")]


def write_again(log: Writer, key: str) -> None:
    """Have the section written again, a day later."""
    log.pause(DAY)
    generation = log.add(e.CommandRetry, p.RetryData(steps=[log.path(f"write-section:{key}")]))
    log.start_run()
    log.begin("", generation=generation)
    log.begin(f"write-section:{key}", HEADINGS[key], generation)


def worked(log: Writer) -> float:
    return log.fold().work.seconds


def test_a_section_that_is_rewritten_the_next_day_adds_only_its_work() -> None:
    log = finish_post()
    before = worked(log)
    assert f"{before:.0f} s of work" in say(show("post", log), "run")
    begun = log.now + timedelta(seconds=DAY + 1)
    write_again(log, "wait")
    assert (begun - timedelta(seconds=before)).isoformat() in count_up(show("post", log))
    log.succeed("write-section:wait")
    log.add(e.RunSucceeded, p.Result(output=None))
    assert worked(log) == before + 4
    assert f"{before + 4:.0f} s of work" in say(show("post", log), "run")


def test_nothing_counts_up_while_a_run_waits_for_a_person() -> None:
    log = begin_post(approve=True)
    for kind in ("post", "run"):
        waiting = show(kind, log)
        assert count_up(waiting) == []
        assert f"{worked(log):.0f} s so far" in say(waiting, "run").replace(".0", "")
    log.pause(DAY)
    log.add(e.CommandAnswer, p.AnswerData(ask="ask-7f31", name="outline", value=OUTLINE))
    assert count_up(show("post", log)) == []


def test_nothing_counts_up_before_a_run_begins() -> None:
    log = Writer("write-post", {}, "A post")
    queued = show("post", log)
    assert count_up(queued) == [] and "so far" not in say(queued, "run")


def test_steps_of_a_lost_worker_are_shown_as_waiting() -> None:
    log = begin_post()
    log.begin("write-section:wait", HEADINGS["wait"])
    log.write("write-section:wait", "Half a sentence")
    assert show("post", log).xpath("//section[@data-section='wait'][@data-status='running']")
    log.add(e.RunRecovered, p.Recovered(holder="w1"))
    for kind in ("post", "run"):
        left = show(kind, log)
        assert count_up(left) == []
        assert "goes on as soon as a worker is there" in say(left, "run")
        row = left.xpath("//li[@data-step='write-post/write-section:wait']")[0]
        assert row.get("data-step-status") == "running" and "Running" not in row.text_content()
        assert "Goes on as soon as a worker is there" in row.text_content()
        assert not left.xpath("//section[@data-status='running']"), "no caret"


def test_a_new_run_says_that_it_begins_when_a_worker_is_there() -> None:
    assert "the writing begins as soon as a worker is there" in say(show("post", Writer("write-post", {})), "run")


def note_of(log: Writer) -> str:
    rows = show("run", log).xpath("//li[@data-step='write-post/write-section:wait']")
    return " ".join(rows[0].xpath("string(.//p[@class='step__note'])").split())


def test_only_attempts_that_a_worker_lost_count_as_interrupted() -> None:
    lost, stopped = begin_post(), begin_post()
    for log in (lost, stopped):
        log.begin("write-section:wait", HEADINGS["wait"])
    lost.add(e.RunHandedOver, p.HandedOver(reason="its worker is being replaced"))
    stopped.add(e.RunCancelled, p.Nothing())
    stopped.add(e.CommandRetry, p.RetryData(steps=[]))
    for log in (lost, stopped):
        log.start_run()
        log.begin("")
        write_section(log, "wait")
    assert note_of(lost) == "Interrupted, then continued on another worker"
    assert note_of(stopped) == "2 attempts"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0 s"),
        (0.4, "0.4 s"),
        (14, "14 s"),
        (62, "1 min 2 s"),
        (3600, "1 h 0 min"),
        (77 * 3600 + 59, "77 h 0 min"),
    ],
)
def test_long_times_are_written_as_the_browser_counts_them(seconds: float, words: str) -> None:
    """From an hour on `static/live.js` writes hours and minutes, without days."""
    assert write_duration(seconds) == words


def pause_in(log: Writer, kind: str) -> html.HtmlElement:
    name = "li[@data-step='write-post/write-section:wait']//p[@class='step__state']"
    places = {"post": "section[@data-section='wait']/p[@class='notice']", "run": name}
    return show(kind, log).xpath(f"//{places[kind]}")[0]


def say_without_script(element: html.HtmlElement) -> str:
    """Return the text that a browser without JavaScript shows."""
    for hidden in element.xpath(".//*[@hidden]"):
        hidden.drop_tree()
    return " ".join(element.text_content().split())


@pytest.mark.parametrize("kind", ["post", "run"])
def test_a_pause_before_the_next_attempt_counts_down(kind: str) -> None:
    log = begin_post()
    log.begin("write-section:wait", HEADINGS["wait"])
    log.retry("write-section:wait", seconds=20)
    due = log.now + timedelta(seconds=20 - 1)
    pause = pause_in(log, kind)
    assert pause.xpath(".//time/@data-until") == [due.isoformat()]
    counting = pause.xpath(".//time")[0].getparent()
    assert counting.tag == "span", (
        "live.js hides this when the moment has come, and what stands around it is still true"
    )
    assert f"Attempt 2 follows at {due:%H:%M:%S} UTC" in say_without_script(pause)


@pytest.mark.parametrize("seconds", [0.2, 1e12, float("inf")])
def test_a_pause_too_short_or_too_long_for_a_clock_has_no_countdown(seconds: float) -> None:
    log = begin_post()
    log.begin("write-section:wait", HEADINGS["wait"])
    log.retry("write-section:wait", seconds=seconds)
    assert not pause_in(log, "post").xpath(".//time")


def test_the_estimate_counts_a_pause() -> None:
    log = begin_post()
    for key in HEADINGS:
        write_section(log, key) if key != "wait" else log.begin("write-section:wait", HEADINGS["wait"])
    log.retry("write-section:wait", seconds=20)
    due = log.fold().steps[log.path("write-section:wait")].attempts[0].again_at
    assert due is not None
    (until,) = show("post", log).xpath("//*[@id='run']//time/@data-until")
    assert due < datetime.fromisoformat(until) < due + timedelta(seconds=20)
