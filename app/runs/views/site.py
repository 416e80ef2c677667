"""The page of a site: its profile, what is being read, topics, and the timeline."""

from __future__ import annotations

from app.contract.addresses import schemes_of
from app.contract.content import PageDigest, Profile, Topic
from app.contract.cursors import START
from app.contract.fold import Run
from app.contract.runs import is_below
from app.contract.steps import Step
from app.runs.patching import Fragment, latest, order
from app.runs.views.bar import Tally, condition, run_bar
from app.runs.views.context import Context
from app.runs.views.parts import dom_id, part
from app.runs.views.published import changed_at, find_object, read_value, read_values
from app.runs.views.remaining import rest_of_pages
from app.runs.views.steps import is_unvisited, timeline, unreadable_rows
from app.runs.views.words import SITE


def site_fragments(run: Run, context: Context) -> tuple[Fragment, ...]:
    """The roots: head, bar, condition, profile, topics, the pages read, and the steps."""
    reading = f"{run.workflow}/read-pages"
    profiling = run.steps.get(f"{run.workflow}/profile-site")
    profile = read_value(Profile, find_object(profiling, "profile"))
    suggesting = run.steps.get(f"{run.workflow}/suggest-topics")
    topics = read_values(Topic, find_object(suggesting, "topics"))
    pages = [step for step in run.steps.values() if step.parent == reading]
    opening = run.steps.get(f"{run.workflow}/read-home")
    address = _address(run, opening)
    # What is not there yet says whether it still comes: that is the run's own state.
    return (
        part(
            "site_head",
            "site-head",
            latest([changed_at(opening, profiling), run.changed]),
            profile=profile,
            address=address,
        ),
        run_bar(run, SITE, _tally(run.steps.get(reading), pages)),
        condition(run, SITE, context),
        part("profile", "profile", latest([changed_at(profiling), run.changed]), profile=profile, ended=run.ended),
        part("topics", "topics", latest([changed_at(suggesting), run.changed]), topics=topics, ended=run.ended),
        _pages(run, pages),
        timeline(run, context.kept, show=lambda step: not is_below(step.path, reading)),
        unreadable_rows(run),
    )


def _address(run: Run, opening: Step | None) -> str:
    """Where the site was found; until then, where one would look first."""
    found = find_object(opening, "address")
    typed = run.input.get("url") if isinstance(run.input, dict) else None
    if isinstance(found, str):
        return found
    return schemes_of(typed)[0] if isinstance(typed, str) and typed else ""


def _tally(reading: Step | None, pages: list[Step]) -> Tally:
    progress = reading.latest.progress if reading and reading.latest else None
    if progress is None:
        return Tally(changed=changed_at(reading))
    read = sum(page.success is not None for page in pages)
    text = f"{read} of {progress.total} pages read"
    rest = rest_of_pages(reading, pages, progress.done, progress.total)
    return Tally(text, progress.done, progress.total, changed_at(reading, *pages), rest)


def _pages(run: Run, pages: list[Step]) -> Fragment:
    rows = [_page(run, step) for step in sorted(pages, key=lambda step: order(step.born), reverse=True)]
    first = rows[-1].born if rows else START
    return part("reading", "reading", first, children=rows, head="reading-head")


def _page(run: Run, step: Step) -> Fragment:
    return part(
        "reading_row",
        dom_id("step", step.path),
        step.changed,
        born=step.born,
        tag="li",
        run_id=run.id,
        step=step,
        hidden=is_unvisited(step),
        page=read_value(PageDigest, find_object(step, "page")),
    )
