"""The page of a site: its profile, what is being read, topics, and the timeline."""

from __future__ import annotations

from functools import cached_property, partial

from app.content.urls import candidate_addresses
from app.content.values import PageDigest, Profile, Topic
from app.content.workflows import PAGE, PROFILE, PROFILE_SITE, READ_HOME, READ_PAGES, SUGGEST_TOPICS, TOPICS
from app.contract.cursors import START
from app.contract.run import Run
from app.contract.step import Step
from app.contract.step_paths import is_below
from app.http.templates import short_address
from app.live.fragments import Fragment, latest, order
from app.runs.published import find_object, read_value, read_values
from app.web.fragments.changes import changed_at
from app.web.fragments.context import Context
from app.web.fragments.estimate import rest_of_pages
from app.web.fragments.fallback import build_or_fall_back
from app.web.fragments.labels import SITE
from app.web.fragments.memo import Memo
from app.web.fragments.partials import dom_id, render_partial
from app.web.fragments.status_bar import Tally, notice, status_bar
from app.web.fragments.timeline import is_unvisited, timeline, unreadable_rows


def site_fragments(run: Run, context: Context) -> tuple[Fragment, ...]:
    """The roots: head, bar, condition, profile, topics, the pages read, and the steps."""
    read, kept = _Read(run), context.kept
    make = partial(build_or_fall_back, run, kept)
    return (
        make("site-head", lambda: _head(read)),
        make("run", lambda: status_bar(run, SITE, read.tally, *read.name), lambda: status_bar(run, SITE, Tally())),
        make("condition", lambda: notice(run, SITE, context)),
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
        self.run, self.path = run, f"{run.workflow}/{READ_PAGES}"
        self.opening = run.steps.get(f"{run.workflow}/{READ_HOME}")
        self.profiling = run.steps.get(f"{run.workflow}/{PROFILE_SITE}")
        self.suggesting = run.steps.get(f"{run.workflow}/{SUGGEST_TOPICS}")

    @cached_property
    def profile(self) -> Profile | None:
        return read_value(Profile, find_object(self.profiling, PROFILE))

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
    return render_partial(
        "sites/_head", "site-head", changed, profile=read.profile, address=_address(read.run, read.opening)
    )


def _profile(read: _Read) -> Fragment:
    # What is not there yet says whether it still comes: that is the run's own state.
    changed = latest([changed_at(read.profiling), read.run.changed])
    return render_partial("sites/_profile", "profile", changed, profile=read.profile, ended=read.run.ended)


def _unread(read: _Read) -> Fragment:
    """What takes the place of the form for a post where no post could be written: another address."""
    changed = latest([changed_at(read.profiling), read.run.changed])
    unread = read.run.ended and read.profile is None
    typed = read.run.input.get("url") if isinstance(read.run.input, dict) else None
    return render_partial("sites/_unread", "unread", changed, unread=unread, typed=str(typed or ""))


def _topics(read: _Read, chosen: str) -> Fragment:
    # The stream does not know which one was chosen: the page keeps that one as it is.
    changed = latest([changed_at(read.suggesting), read.run.changed])
    topics = read_values(Topic, find_object(read.suggesting, TOPICS))
    listed = {dom_id("topic", topic.title): topic for topic in topics}
    return render_partial("sites/_topics", "topics", changed, topics=listed, chosen=chosen, ended=read.run.ended)


def _address(run: Run, opening: Step | None) -> str:
    """Where the site was found; until then, where one would look first."""
    found = find_object(opening, "address")
    typed = run.input.get("url") if isinstance(run.input, dict) else None
    if isinstance(found, str):
        return found
    return candidate_addresses(typed)[0] if isinstance(typed, str) and typed else ""


def _tally(reading: Step | None, pages: list[Step]) -> Tally:
    progress = reading.latest.progress if reading and reading.latest else None
    if progress is None:
        return Tally(changed=changed_at(reading))
    read = sum(page.success is not None for page in pages)
    text = f"{read} of {progress.total} pages read"
    rest = rest_of_pages(reading, pages, progress.done, progress.total)
    return Tally(text, progress.done, progress.total, changed_at(reading, *pages), rest)


def _pages(run: Run, kept: Memo, pages: list[Step]) -> Fragment:
    rows = [_build_page(run, kept, step) for step in sorted(pages, key=lambda step: order(step.born), reverse=True)]
    first = rows[-1].born if rows else START
    return render_partial("sites/_reading", "reading", first, children=rows, head="reading-head")


def _build_page(run: Run, kept: Memo, step: Step) -> Fragment:
    element_id = dom_id("step", step.path)
    bare = partial(render_partial, "makeshift", element_id, step.changed, born=step.born, tag="li")
    return build_or_fall_back(run, kept, element_id, partial(_page, run, step, element_id), bare, tag="li")


def _page(run: Run, step: Step, element_id: str) -> Fragment:
    return render_partial(
        "sites/_reading_row",
        element_id,
        step.changed,
        born=step.born,
        tag="li",
        run_id=run.id,
        step=step,
        hidden=is_unvisited(step),
        page=read_value(PageDigest, find_object(step, PAGE)),
    )
