"""A part that cannot be built is replaced by a fallback; the rest of the page, and its stream, work as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.contract.run import Run
from app.contract.step import Step
from app.live.fragments import cursor_of
from app.web.fragments import text, timeline
from app.web.fragments.context import PageContext
from app.web.posts import view as post_view
from app.web.sites import view as site_view
from app.web.views import PageView, build_page_fragments
from tests.app.web.browser_dom import apply_patches, canonical, page
from tests.app.web.logs import HEADINGS, TEXT, Writer, begin_post, read_site, write_section

pytestmark = pytest.mark.usefixtures("said")
SAID = "can’t be shown by this version"


def test_a_time_beyond_the_calendar_hides_only_the_counts() -> None:
    log = read_site(6, finish=False)
    log.progress("read-pages", 5, 10**18)
    html = canonical(page("site", log.fold()))
    assert 'data-run-status="running"' in html
    assert "/page-3" in html
    assert "pages read" not in html


@pytest.mark.parametrize("kind", ["post", "run", "site"])
def test_a_time_that_cannot_be_written_is_one_fallback_row(kind: str) -> None:
    log = begin_post()
    log.begin("write-section:price", HEADINGS["price"])
    log.retry("write-section:price", seconds=float("nan"))
    write_section(log, "wait")
    html = canonical(page(kind, log.fold()))
    assert SAID in html
    assert html.count('data-step-status="succeeded"') == page_steps(log.fold())


def page_steps(run: Run) -> int:
    return sum(step.status == "succeeded" for step in run.steps.values())


@pytest.fixture
def said() -> Iterator[Any]:
    with capture_logs() as entries:
        yield entries


def write_post() -> Writer:
    log = begin_post()
    for key in HEADINGS:
        write_section(log, key, pieces=3)
    return log


def is_amid(run: Run) -> bool:
    return 5 <= len(run.steps) <= 6


def has_one_done(sections: list[Step]) -> bool:
    return sum(step.success is not None for step in sections) == 1


FAULTS: dict[str, tuple[str, Any, str, Callable[..., bool]]] = {
    "the bar's figures": ("post", post_view, "_count_sections", lambda steps, *_: has_one_done(steps)),
    "the sources": ("post", post_view, "cited_sources", lambda _, steps, __: has_one_done(steps)),
    "the document": ("post", post_view, "_head", lambda told, _: is_amid(told.run)),
    "all sections": ("post", post_view, "_sections", lambda told: is_amid(told.run)),
    "one section": ("post", post_view, "section_status", lambda step: step is not None and is_writing(step, "wait")),
    "a text": ("post", text, "split_blocks", lambda text, _: "cylinder" in text and "prices" not in text),
    "a text of any workflow": ("run", text, "split_blocks", lambda text, _: "We" in text and "prices" not in text),
    "one row": ("post", timeline, "is_unvisited", lambda step: is_writing(step, "price")),
    "a row with rows inside it": ("site", timeline, "is_unvisited", lambda step: is_writing(step, "read-pages")),
    "a row of pages": ("site", site_view, "is_unvisited", lambda step: is_writing(step, "p2")),
    "all rows": ("run", timeline, "_build_tree", lambda run, _: is_amid(run)),
}
"""The kind of page, the function that fails, and for which states of a run, by what is at fault."""


def is_writing(step: Step, name: str) -> bool:
    return step.path.endswith(name) and step.status == "running"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_patched_through_a_fault_equals_a_new_page(
    fault: str, monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    kind, module, name, concerns = FAULTS[fault]
    log = read_site() if kind == "site" else write_post()
    whole = canonical(page(kind, log.fold()))
    fail_where(monkeypatch, module, name, concerns)
    following, view, run = page(kind, log.fold(1)), PageView(kind), log.fold(1)
    arrivals: list[tuple[Any, str]] = []
    for number, event in enumerate(log.events[1:], start=2):
        before = run.cursor
        run.apply(event)
        apply_patches(following, view.patches(run, before))
        fresh = page(kind, log.fold(number))
        assert canonical(following) == canonical(fresh), (number, event.type)
        if (cursor := cursor_of(run, build_page_fragments(kind, run, PageContext()))) != run.cursor:
            arrivals.append((fresh, cursor))
    assert canonical(following) == whole
    assert arrivals
    assert {entry["event"] for entry in said} == {"Could not build a part of a page"}, "fallbacks can be rendered"
    # Pages that were opened amid the fault, and are followed by a process that never met it.
    for arrived, cursor in arrivals:
        apply_patches(arrived, PageView(kind).patches(log.fold(), cursor))
        assert canonical(arrived) == whole


def fail_where(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, concerns: Callable[..., bool]) -> None:
    work = getattr(module, name)

    def perhaps(*args: Any) -> Any:
        if concerns(*args):
            raise ArithmeticError("a fault of this version")
        return work(*args)

    monkeypatch.setattr(module, name, perhaps)


def test_a_text_that_cannot_be_read_is_shown_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    log = begin_post()
    log.begin("write-section:price", HEADINGS["price"])
    log.write("write-section:price", TEXT + "<b>")
    fail_where(monkeypatch, text, "split_blocks", lambda *_: True)
    html = canonical(page("post", log.fold()))
    assert "We measure **each room**" in html
    assert "&lt;b&gt;" in html
