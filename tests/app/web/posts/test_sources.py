"""Every citation that a page shows leads to its source: while the text is written, and in one that stopped there."""

from __future__ import annotations

from lxml.html import HtmlElement

from app.contract import events as e
from app.contract import payloads as p
from app.contract.run import Run
from app.web.views import PageView
from tests.app.web.browser_dom import page
from tests.app.web.logs import TEXT, Writer, begin_post, finish_post, write_section
from tests.app.web.test_views import check

PRICE, PARTS = "write-section:price", "write-section:parts"


def write_slowly(log: Writer, name: str, text: str = TEXT, size: int = 7) -> None:
    for start in range(0, len(text), size):
        log.write(name, text[start : start + size])


def write_two() -> Writer:
    """Two sections side by side; one of them fails and begins anew, the other one is stopped."""
    log = begin_post()
    log.begin(PRICE)
    log.begin(PARTS)
    log.write(PARTS, "Radiators first [s4]. Then the price [s3")
    write_slowly(log, PRICE)
    log.retry(PRICE)
    log.write(PARTS, "], and more [s4].")
    log.begin(PRICE)
    log.write(PRICE, "Anew [s2")
    log.write(PRICE, "].")
    log.add(e.RunCancelled, p.Nothing())
    return log


def cited(shown: HtmlElement) -> set[str]:
    return {
        str(href).removeprefix("#") for href in shown.xpath("//*[@class='prose']//a[starts-with(@href, '#')]/@href")
    }


def listed(shown: HtmlElement) -> set[str]:
    return set(shown.xpath("//*[@id='sources']//li/@id"))


def test_the_sources_are_those_that_the_shown_text_cites_at_every_moment() -> None:
    log = write_two()
    seen = []
    for length in range(1, len(log.events) + 1):
        shown = page("post", log.fold(length))
        assert cited(shown) <= listed(shown), length
        seen.append(listed(shown))
    assert {"source-1", "source-2", "source-3"} in seen
    assert cited(page("post", log.fold())) == listed(page("post", log.fold())) == {"source-1", "source-2", "source-3"}


def test_what_only_a_text_cited_that_failed_is_no_source_any_more() -> None:
    log = begin_post()
    log.begin(PRICE)
    log.write(PRICE, "Cited [s3].")
    assert listed(page("post", log.fold())) == {"source-2"}
    log.retry(PRICE)
    assert listed(page("post", log.fold())) == set()


def test_a_page_that_is_followed_gets_each_source_with_its_citation() -> None:
    check("post", write_two(), [len(write_two().events) - back for back in (0, 1, 2, 4, 9, 20)])


def test_sources_are_sent_only_when_another_one_is_cited() -> None:
    log = begin_post()
    log.begin(PRICE)
    start = len(log.events)
    log.write(PRICE, "A first citation [s1]. ")
    for number in range(20):
        log.write(PRICE, f"Sentence {number} cites it again [s2]. ")
    view, run = PageView("post"), Run(id="run_1")
    sent = 0
    for number, event in enumerate(log.events):
        before = run.cursor
        run.apply(event)
        if number >= start:
            sent += 'id="sources"' in view.patches(run, before)
    assert sent == 1


def test_a_finished_post_lists_what_its_text_cites() -> None:
    log = begin_post()
    write_section(log, "price", "Only this [s3].")
    assert listed(page("post", log.fold())) == {"source-2"}
    whole = page("post", finish_post().fold())
    assert cited(whole) == listed(whole) == {"source-1", "source-2", "source-3"}
