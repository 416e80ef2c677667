"""Fragments of a site's page: profile, topics, the pages read, and the timeline."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

from app.content.urls import schemes_of
from app.content.values import PageDigest, Profile, Topic
from app.content.workflows import PAGE, PROFILE, PROFILE_SITE, READ_HOME, READ_PAGES, SUGGEST_TOPICS, TOPICS
from app.contract.cursors import START
from app.contract.run import Run
from app.contract.status import is_below
from app.contract.step import Step
from app.http.templates import short_address
from app.live.fragments import Fragment, latest, order
from app.runs.published import find_object, read_value, read_values
from app.web.fragments.changes import changed_at
from app.web.fragments.context import PageContext
from app.web.fragments.estimate import estimate_pages
from app.web.fragments.fallback import build_or_fall_back
from app.web.fragments.labels import SITE_LABELS
from app.web.fragments.memo import Memo
from app.web.fragments.partials import build_fragment, dom_id
from app.web.fragments.status_bar import StepCounts, build_notice, build_status_bar
from app.web.fragments.timeline import build_timeline, build_unreadable_rows, is_unvisited


def build_site_fragments(run: Run, context: PageContext) -> tuple[Fragment, ...]:
    """Build the roots: head, status bar, notice, profile, topics, the pages read, and steps."""
    log, memo = _SiteLog(run), context.memo
    build = partial(build_or_fall_back, run, memo)
    return (
        build("site-head", lambda: _head(log)),
        build(
            "run",
            lambda: build_status_bar(run, SITE_LABELS, log.counts, *log.name),
            lambda: build_status_bar(run, SITE_LABELS, StepCounts()),
        ),
        build("condition", lambda: build_notice(run, SITE_LABELS, context)),
        build("profile", lambda: _profile(log)),
        build("unread", lambda: _nothing_read(log)),
        build("topics", lambda: _topics(log, context.chosen)),
        build("reading", lambda: _pages(run, memo, log.pages)),
        build("steps", lambda: build_timeline(run, memo, show=lambda step: not is_below(step.path, log.pages_path))),
        build("unreadable", lambda: build_unreadable_rows(run)),
    )


def site_name(run: Run) -> tuple[str, str]:
    """Return `_SiteLog.name`."""
    return _SiteLog(run).name


class _SiteLog:
    """A site's profile, name and pages from the log of the run that reads it.

    Each is read when it is first needed, so that one that cannot be read makes only the parts fail that show it.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.pages_path = run, f"{run.workflow}/{READ_PAGES}"
        self.home_step = run.steps.get(f"{run.workflow}/{READ_HOME}")
        self.profile_step = run.steps.get(f"{run.workflow}/{PROFILE_SITE}")
        self.topics_step = run.steps.get(f"{run.workflow}/{SUGGEST_TOPICS}")

    @cached_property
    def profile(self) -> Profile | None:
        return read_value(Profile, find_object(self.profile_step, PROFILE))

    @property
    def typed_url(self) -> Any:
        return self.run.input.get("url") if isinstance(self.run.input, dict) else None

    @property
    def address(self) -> str:
        """The address at which the site was found, until then the first one that is tried; empty without either."""
        found = find_object(self.home_step, "address")
        if isinstance(found, str):
            return found
        return schemes_of(self.typed_url)[0] if isinstance(self.typed_url, str) and self.typed_url else ""

    @property
    def name(self) -> tuple[str, str]:
        """The site's name (its address until that is known), and the cursor since which it has that name."""
        name = self.profile.name if self.profile else ""
        return name or short_address(self.address), changed_at(self.home_step, self.profile_step)

    @cached_property
    def pages(self) -> list[Step]:
        """The steps that read a page each."""
        return [step for step in self.run.steps.values() if step.parent == self.pages_path]

    @cached_property
    def counts(self) -> StepCounts:
        return _count_pages(self.run.steps.get(self.pages_path), self.pages)


def _head(log: _SiteLog) -> Fragment:
    changed = latest([changed_at(log.home_step, log.profile_step), log.run.changed])
    return build_fragment("sites/_head", "site-head", changed, profile=log.profile, address=log.address)


def _profile(log: _SiteLog) -> Fragment:
    # A missing profile says whether it is still to come, which depends on the run's own state.
    changed = latest([changed_at(log.profile_step), log.run.changed])
    return build_fragment("sites/_profile", "profile", changed, profile=log.profile, ended=log.run.ended)


def _nothing_read(log: _SiteLog) -> Fragment:
    """Build the form for another address, shown where nothing was read that a post could be written from."""
    changed = latest([changed_at(log.profile_step), log.run.changed])
    unread = log.run.ended and log.profile is None
    return build_fragment("sites/_nothing_read", "unread", changed, unread=unread, typed=str(log.typed_url or ""))


def _topics(log: _SiteLog, chosen: str) -> Fragment:
    # The stream does not know which topic was chosen: its button has `hx-morph-skip` on the page.
    changed = latest([changed_at(log.topics_step), log.run.changed])
    topics = read_values(Topic, find_object(log.topics_step, TOPICS))
    listed = {dom_id("topic", topic.title): topic for topic in topics}
    return build_fragment("sites/_topics", "topics", changed, topics=listed, chosen=chosen, ended=log.run.ended)


def _count_pages(reading: Step | None, pages: list[Step]) -> StepCounts:
    progress = reading.latest.progress if reading and reading.latest else None
    if progress is None:
        return StepCounts(changed=changed_at(reading))
    read = sum(page.success is not None for page in pages)
    text = f"{read} of {progress.total} pages read"
    time_left = estimate_pages(reading, pages, progress.done, progress.total)
    return StepCounts(text, progress.done, progress.total, changed_at(reading, *pages), time_left)


def _pages(run: Run, memo: Memo, pages: list[Step]) -> Fragment:
    rows = [_build_page(run, memo, step) for step in sorted(pages, key=lambda step: order(step.born), reverse=True)]
    first = rows[-1].born if rows else START
    return build_fragment("sites/_pages", "reading", first, children=rows, head="reading-head")


def _build_page(run: Run, memo: Memo, step: Step) -> Fragment:
    element_id = dom_id("step", step.path)
    fallback = partial(build_fragment, "fragments/_fallback", element_id, step.changed, born=step.born, tag="li")
    return build_or_fall_back(run, memo, element_id, partial(_page, run, step, element_id), fallback, tag="li")


def _page(run: Run, step: Step, element_id: str) -> Fragment:
    return build_fragment(
        "sites/_page_row",
        element_id,
        step.changed,
        born=step.born,
        tag="li",
        run_id=run.id,
        step=step,
        hidden=is_unvisited(step),
        page=read_value(PageDigest, find_object(step, PAGE)),
    )
