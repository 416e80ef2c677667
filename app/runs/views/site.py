"""The page of a site: its profile, what is being read, topics, and the timeline."""

from __future__ import annotations

from functools import cached_property, partial

from app.contract.addresses import schemes_of
from app.contract.content import PageDigest, Profile, Topic
from app.contract.cursors import START
from app.contract.fold import Run
from app.contract.runs import is_below
from app.contract.steps import Step
from app.runs.patching import Fragment, latest, order
from app.runs.views.bar import Tally, condition, run_bar
from app.runs.views.context import Context
from app.runs.views.kept import Kept
from app.runs.views.makeshift import build
from app.runs.views.parts import dom_id, part
from app.runs.views.published import changed_at, find_object, read_value, read_values
from app.runs.views.remaining import rest_of_pages
from app.runs.views.steps import is_unvisited, timeline, unreadable_rows
from app.runs.views.words import SITE
from app.web.rendering import short_address


def site_fragments(run: Run, context: Context) -> tuple[Fragment, ...]:
    """The roots: head, bar, condition, profile, topics, the pages read, and the steps."""
    read, kept = _Read(run), context.kept
    make = partial(build, run, kept)
    return (
        make("site-head", lambda: _head(read)),
        make("run", lambda: run_bar(run, SITE, read.tally, *read.name), lambda: run_bar(run, SITE, Tally())),
        make("condition", lambda: condition(run, SITE, context)),
        make("profile", lambda: _profile(read)),
        make("unread", lambda: _unread(read)),
        make("topics", lambda: _topics(read, context.chosen)),
        make("reading", lambda: _pages(run, kept, read.pages)),
        make("steps", lambda: timeline(run, kept, show=lambda step: not is_below(step.path, read.path))),
        make("unreadable", lambda: unreadable_rows(run)),
    )


def name_of(run: Run) -> tuple[str, str]:
    """What the site calls itself, until that is known its address, and the cursor since which it is so."""
    return _Read(run).name


class _Read:
    """What a reading's log tells of it, each as far as somebody asks: what cannot be read fails where it is needed."""

    def __init__(self, run: Run) -> None:
        self.run, self.path = run, f"{run.workflow}/read-pages"
        self.opening = run.steps.get(f"{run.workflow}/read-home")
        self.profiling = run.steps.get(f"{run.workflow}/profile-site")
        self.suggesting = run.steps.get(f"{run.workflow}/suggest-topics")

    @cached_property
    def profile(self) -> Profile | None:
        return read_value(Profile, find_object(self.profiling, "profile"))

    @property
    def name(self) -> tuple[str, str]:
        known = self.profile.name if self.profile else ""
        return known or short_address(_address(self.run, self.opening)), changed_at(self.opening, self.profiling)

    @cached_property
    def pages(self) -> list[Step]:
        """The steps that read a page each."""
        return [step for step in self.run.steps.values() if step.parent == self.path]

    @cached_property
    def tally(self) -> Tally:
        return _tally(self.run.steps.get(self.path), self.pages)


def _head(read: _Read) -> Fragment:
    changed = latest([changed_at(read.opening, read.profiling), read.run.changed])
    return part("site_head", "site-head", changed, profile=read.profile, address=_address(read.run, read.opening))


def _profile(read: _Read) -> Fragment:
    # What is not there yet says whether it still comes: that is the run's own state.
    changed = latest([changed_at(read.profiling), read.run.changed])
    return part("profile", "profile", changed, profile=read.profile, ended=read.run.ended)


def _unread(read: _Read) -> Fragment:
    """What takes the place of the form for a post where no post could be written: another address."""
    changed = latest([changed_at(read.profiling), read.run.changed])
    unread = read.run.ended and read.profile is None
    typed = read.run.input.get("url") if isinstance(read.run.input, dict) else None
    return part("unread", "unread", changed, unread=unread, typed=str(typed or ""))


def _topics(read: _Read, chosen: str) -> Fragment:
    # The stream does not know which one was chosen: the page keeps that one as it is.
    changed = latest([changed_at(read.suggesting), read.run.changed])
    topics = read_values(Topic, find_object(read.suggesting, "topics"))
    listed = {dom_id("topic", topic.title): topic for topic in topics}
    return part("topics", "topics", changed, topics=listed, chosen=chosen, ended=read.run.ended)


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


def _pages(run: Run, kept: Kept, pages: list[Step]) -> Fragment:
    rows = [_build_page(run, kept, step) for step in sorted(pages, key=lambda step: order(step.born), reverse=True)]
    first = rows[-1].born if rows else START
    return part("reading", "reading", first, children=rows, head="reading-head")


def _build_page(run: Run, kept: Kept, step: Step) -> Fragment:
    element_id = dom_id("step", step.path)
    bare = partial(part, "makeshift", element_id, step.changed, born=step.born, tag="li")
    return build(run, kept, element_id, partial(_page, run, step, element_id), bare, tag="li")


def _page(run: Run, step: Step, element_id: str) -> Fragment:
    return part(
        "reading_row",
        element_id,
        step.changed,
        born=step.born,
        tag="li",
        run_id=run.id,
        step=step,
        hidden=is_unvisited(step),
        page=read_value(PageDigest, find_object(step, "page")),
    )
