"""DOM ids are unique on a page, whatever people and models call things: a patch finds its element by id."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.contract import events as e
from app.contract import payloads as p
from tests.app.web.browser_dom import page
from tests.app.web.logs import SOURCES, TEXT, Writer

SECTION_IDS = st.lists(
    st.sampled_from(["a", "tail", "list"])
    | st.from_regex(r"[a-c](-(a|b|b1|1|2|tail|b0-1|check|title))?(-[012])?", fullmatch=True)
    | st.from_regex(r"[a-z0-9][a-z0-9-]{0,59}", fullmatch=True),
    min_size=1,
    max_size=8,
)
KEYS = st.lists(st.text(min_size=1, max_size=12).filter(lambda key: "/" not in key), max_size=4)


def write_sections(sections: list[str], keys: list[str]) -> Writer:
    """Return an active post with these sections, and steps with these keys inside the first one."""
    log = Writer("write-post", {"topic": "Vitamins"})
    log.start_run()
    log.begin("")
    planned = [{"id": one, "heading": one, "points": [], "passages": []} for one in sections]
    log.publish("", "outline", {"title": "Vitamins", "summary": "", "sections": planned})
    log.publish("", "sources", SOURCES)
    for one in dict.fromkeys(sections):
        log.begin(f"write-section:{one}", one)
        log.write(f"write-section:{one}", TEXT * 2)
        checks = [{"sentence": "Most.", "reason": "No."}] * 3
        log.publish(f"write-section:{one}", "section", {"id": one, "heading": one, "markdown": "", "checks": checks})
        log.succeed(f"write-section:{one}")
    for key in dict.fromkeys(keys):
        log.begin(f"write-section:{sections[0]}/look-up:{key}", key)
        log.write(f"write-section:{sections[0]}/look-up:{key}", TEXT)
    return log


def ids_of(kind: str, log: Writer) -> list[str]:
    return [element.get("id") for element in page(kind, log.fold()).iter() if element.get("id") is not None]


@pytest.mark.parametrize("ended", [False, True])
@settings(max_examples=60, deadline=None)
@example(["vitamin-b1", "vitamin"], [])
@example(["twice", "twice"], [])
@given(SECTION_IDS, KEYS)
def test_no_id_stands_on_a_page_twice(ended: bool, sections: list[str], keys: list[str]) -> None:
    log = write_sections(sections, keys)
    if ended:
        log.succeed("")
        log.add(e.RunSucceeded, p.Result(output={}))
    for kind in ("post", "run"):
        found = Counter(ids_of(kind, log))
        assert [one for one, times in found.items() if times > 1] == []
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", one) for one in found)
