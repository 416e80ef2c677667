"""The page of a post: its document as it grows, and the timeline beside it."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property, partial

from app.content.citations import source_numbers
from app.content.values import (
    Outline,
    OutlineSection,
    Section,
    Source,
    visible_text,
)
from app.content.workflows import OUTLINE, SOURCES, WRITE_SECTION
from app.contract.run import Run
from app.contract.status import OPEN_STEPS, RunStatus, StepStatus
from app.contract.step import Step
from app.http.templates import name_post
from app.live.fragments import Fragment, latest
from app.runs.published import find_object, read_value, read_values, root_of
from app.web.fragments.authorship import authorship
from app.web.fragments.changes import changed_at, settled_at, shown_text
from app.web.fragments.context import Context
from app.web.fragments.estimate import rest_of_sections
from app.web.fragments.fallback import build_or_fall_back
from app.web.fragments.finished_version import finished_version
from app.web.fragments.labels import labels_for
from app.web.fragments.memo import Memo
from app.web.fragments.partials import dom_id, render_partial
from app.web.fragments.status_bar import Tally, notice, status_bar
from app.web.fragments.text import BlocksOf, plain_blocks, text_blocks
from app.web.fragments.timeline import is_asked_again, timeline, unreadable_rows
from app.web.posts.sections import can_be_rewritten, open_guidance, section_status
from app.web.posts.sources import Cited, cited_sources


class _Told:
    """What a post's log tells of it, each as far as somebody asks: what cannot be read fails where it is needed."""

    def __init__(self, run: Run, kept: Memo) -> None:
        self.run, self.kept = run, kept

    @cached_property
    def root(self) -> Step | None:
        return root_of(self.run)

    @cached_property
    def base(self) -> str:
        """The last change of the workflow's own step, which publishes the outline and the sources."""
        return changed_at(self.root)

    @cached_property
    def outline(self) -> Outline | None:
        return self.kept.get("outline", self.base, lambda: read_value(Outline, find_object(self.root, OUTLINE)))

    @cached_property
    def planned(self) -> list[OutlineSection]:
        """The sections of the outline. One id has one step and one element: where it comes twice, the first counts."""
        found: dict[str, OutlineSection] = {}
        for section in self.outline.sections if self.outline else []:
            found.setdefault(section.id, section)
        return list(found.values())

    @cached_property
    def sources(self) -> list[Source]:
        return self.kept.get("sources", self.base, lambda: read_values(Source, find_object(self.root, SOURCES)))

    @cached_property
    def steps(self) -> list[Step]:
        """The steps of the sections that have begun."""
        return [step for section in self.planned if (step := section_step(self.run, section.id))]

    @cached_property
    def changed(self) -> str:
        """The last change of anything but text that grew."""
        return latest([self.base, *map(settled_at, self.steps)])

    @cached_property
    def tally(self) -> Tally:
        return self.kept.get("tally", self.changed, lambda: _tally(self.steps, self.planned, self.changed))

    @cached_property
    def cited(self) -> Cited:
        return cited_sources(self.sources, self.steps, self.kept)


def post_fragments(run: Run, context: Context) -> tuple[Fragment, ...]:
    """The roots: bar, condition, who made it, the document's head, sections, sources, exports, and the steps."""
    told, words = _Told(run, context.kept), labels_for(run)
    make = partial(build_or_fall_back, run, context.kept)
    return (
        make("run", lambda: status_bar(run, words, told.tally), lambda: status_bar(run, words, Tally())),
        make("condition", lambda: notice(run, words, context)),
        make("authorship", lambda: authorship(run)),
        make("document-head", lambda: _head(told, context)),
        make("sections", lambda: _sections(told)),
        make("sources", lambda: _sources(told)),
        make("exports", lambda: _exports(run, context)),
        make("steps", lambda: timeline(run, context.kept, retry=False)),
        make("unreadable", lambda: unreadable_rows(run)),
    )


def section_step(run: Run, section_id: str) -> Step | None:
    return run.steps.get(f"{run.workflow}/{WRITE_SECTION}:{section_id}")


def _tally(steps: list[Step], planned: list[OutlineSection], changed: str) -> Tally:
    written = sum(step.success is not None for step in steps)
    text = f"{written} of {len(planned)} sections written" if planned else ""
    return Tally(text, written, len(planned), changed, rest_of_sections(steps, len(planned)))


def _head(told: _Told, context: Context) -> Fragment:
    run = told.run
    ask = next((ask for ask in run.asks if run.status is RunStatus.WAITING), None)
    proposal = read_value(Outline, ask.proposal) if ask is not None and ask.name == OUTLINE else None
    draft = context.draft_of(ask.ask) if ask else None
    asked = run.input if isinstance(run.input, dict) else {}
    brief = {name: visible_text(str(asked.get(name) or "")) for name in ("topic", "audience", "tone", "length")}
    return render_partial(
        "posts/_head",
        "document-head",
        latest([run.changed, told.base]),
        run=run,
        brief=brief,
        title=name_post(told.outline.title if told.outline else "", brief["topic"]),
        outline=told.outline,
        ask=ask,
        ask_id=dom_id("ask", ask.ask) if ask else "",
        proposal=draft.typed if proposal is not None and draft else proposal,
        draft=draft,
        looks=context.drafts is None,
        approved=_approved_at(run),
    )


def _approved_at(run: Run) -> datetime | None:
    """When a person last approved an outline. Whoever had its form open in another tab is told so in its place."""
    return max((answer.at for answer in run.answers.values() if answer.data.name == OUTLINE), default=None)


def _sources(told: _Told) -> Fragment:
    return render_partial(
        "posts/_sources", "sources", latest([told.changed, told.cited.changed]), sources=told.cited.sources
    )


def _exports(run: Run, context: Context) -> Fragment:
    return render_partial(
        "posts/_exports", "exports", run.changed, post_id=context.post_id, version=finished_version(run)
    )


def _sections(told: _Told) -> Fragment:
    numbers = source_numbers(told.sources)
    children = [_keep_section(told, section, numbers) for section in told.planned]
    return render_partial("posts/_sections", "sections", told.base, children=children)


def _keep_section(told: _Told, section: OutlineSection, numbers: dict[str, int]) -> Fragment:
    run, kept = told.run, told.kept
    key = (told.base, changed_at(section_step(run, section.id)))
    ways = [partial(_section, told, section, numbers, blocks) for blocks in (text_blocks, plain_blocks)]
    make = partial(build_or_fall_back, run, kept, f"section-{section.id}", *ways, tag="section")
    return kept.get(f"section {section.id}", key, make)


def _section(told: _Told, section: OutlineSection, numbers: dict[str, int], blocks: BlocksOf) -> Fragment:
    step, root = section_step(told.run, section.id), told.root
    element_id = f"section-{section.id}"
    attempt = shown_text(step) if step else None
    written = read_value(Section, step.success.objects.get("section")) if step and step.success else None
    return render_partial(
        "posts/_section",
        element_id,
        latest([told.base, *([settled_at(step)] if step else [])]),
        children=blocks(element_id, attempt, numbers),
        tag="section",
        run_id=told.run.id,
        section=section,
        step=step,
        latest=step.latest if step else None,
        status=section_status(step),
        again=step is not None and (is_asked_again(step) or step.left),
        rewriting=step is not None and step.success is not None and step.status is not StepStatus.SUCCEEDED,
        checks=written.checks if written else [],
        tools=can_be_rewritten(step, root),
        guidance=open_guidance(step),
        at_work=root is not None and root.status in OPEN_STEPS,
    )
