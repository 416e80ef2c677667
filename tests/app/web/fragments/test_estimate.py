"""Estimates of the time left, where there is a pace to judge by, and none elsewhere."""

from __future__ import annotations

from datetime import timedelta

from app.contract.run import Run
from app.web.fragments.estimate import TimeLeft, estimate_pages, estimate_sections
from tests.app.web.logs import EPOCH, Writer

A, B = "write-section:a", "write-section:b"
HALF, WHOLE = "x" * 50, "x" * 100


def estimate_post(log: Writer, planned: int = 2) -> TimeLeft | None:
    run = log.fold(len(log.events))
    return estimate_sections([run.steps[log.path(name)] for name in (A, B) if log.path(name) in run.steps], planned)


def two_sections() -> Writer:
    """Two sections begun; each event is a second after the one before."""
    log = Writer("write-post", {})
    log.begin(A)
    log.begin(B)
    log.write(A, WHOLE)
    return log


def test_there_is_no_estimate_before_a_section_is_written() -> None:
    assert estimate_post(two_sections()) is None


def test_a_section_is_estimated_at_its_own_pace_and_the_length_of_the_others() -> None:
    log = two_sections()
    for _ in range(3):
        log.say(B, "still at it")
    log.write(B, HALF)
    log.succeed(A)
    # Half of B took 6 seconds, from second 2 to second 8.
    assert estimate_post(log) == TimeLeft(6.0, EPOCH + timedelta(seconds=8 + 6))


def test_a_section_without_text_takes_as_long_as_the_others() -> None:
    log = two_sections()
    log.succeed(A)
    assert estimate_post(log) == TimeLeft(3.0, EPOCH + timedelta(seconds=4 + 3))


def test_a_retried_section_takes_its_pause_and_as_long_as_the_others() -> None:
    log = two_sections()
    log.succeed(A)
    log.retry(B, seconds=20)
    assert estimate_post(log) == TimeLeft(23.0, EPOCH + timedelta(seconds=5 + 23))


def test_later_text_does_not_change_an_estimate() -> None:
    log = two_sections()
    log.succeed(A)
    before = estimate_post(log)
    log.write(B, HALF)
    log.call(B)
    assert estimate_post(log) == before


def test_there_is_no_estimate_without_a_pace() -> None:
    """A section longer than the others, one that nobody has begun, and the end."""
    longer, waiting, ended = two_sections(), two_sections(), two_sections()
    longer.write(B, WHOLE + HALF)
    for log in (longer, waiting, ended):
        log.succeed(A)
    assert estimate_post(longer) is None
    assert estimate_post(waiting, planned=3) is None
    ended.succeed(B)
    assert estimate_post(ended) is None


def estimate_site(run: Run, done: int, total: int) -> TimeLeft | None:
    pages = [step for step in run.steps.values() if step.parent == "onboard-site/read-pages"]
    return estimate_pages(run.steps["onboard-site/read-pages"], pages, done, total)


def test_pages_are_read_at_the_pace_so_far() -> None:
    log = Writer("onboard-site", {})
    log.begin("read-pages")
    for number in range(3):
        assert estimate_site(log.fold(len(log.events)), number, 5) is None
        log.begin(f"read-pages/read-page:{number}")
        log.succeed(f"read-pages/read-page:{number}")
    run = log.fold(len(log.events))
    assert estimate_site(run, 3, 5) == TimeLeft(4.0, EPOCH + timedelta(seconds=7 + 4))
    assert estimate_site(run, 5, 5) is None
