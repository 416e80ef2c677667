"""The text of a section that is being written again: the earlier one, marked as such."""

from __future__ import annotations

import pytest

from app.contract import events as e
from app.contract import payloads as p
from tests.app.web.browser_dom import canonical, page, patched
from tests.app.web.logs import HEADINGS, TEXT, Writer, finish_post, section_json

SECTION = "write-section:price"


def rewrite() -> Writer:
    """Return a finished post, one section of which is being written again."""
    log = finish_post()
    cursor = log.add(e.CommandRetry, p.RetryData(steps=[log.path(SECTION)], guidance="shorter"))
    log.start_run()
    log.begin("", generation=cursor)
    log.begin(SECTION, HEADINGS["price"], cursor)
    log.write(SECTION, TEXT[:40])
    return log


@pytest.mark.parametrize("kind", ["post", "run"])
def test_a_rewritten_text_is_marked_as_such(kind: str) -> None:
    log = rewrite()
    sections = page(kind, log.fold(len(log.events))).xpath(
        "//section[contains(@class, 'section')][.//div[@class='prose']]"
    )
    assert [section.get("data-status") for section in sections] == ["rewriting", *["succeeded"] * 3]


@pytest.mark.parametrize("kind", ["post", "run"])
def test_a_patched_page_marks_it_too(kind: str) -> None:
    log = rewrite()
    log.publish(SECTION, "section", section_json("price"))
    log.succeed(SECTION, section_json("price"))
    ended = len(finish_post().events)
    for length in range(ended + 1, len(log.events) + 1):
        before, run = page(kind, log.fold(ended)), log.fold(length)
        assert canonical(patched(kind, before, run, log.events[ended - 1].id)) == canonical(page(kind, run))
