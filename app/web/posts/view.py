"""Fragments of a post's page: the document as it grows, and the timeline beside it."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property, partial

from app.content.citations import source_numbers
from app.content.values import (
    Outline,
    OutlineSection,
    Section,
    Source,
    visible,
)
from app.content.workflows import OUTLINE, SOURCES, WRITE_SECTION
from app.contract.run import Run
from app.contract.status import OPEN_STEPS, RunStatus, StepStatus
from app.contract.step import Step
from app.http.templates import name_post
from app.live.fragments import Fragment, latest
from app.runs.published import find_object, read_value, read_values, root_of
from app.web.fragments.authorship import build_authorship
from app.web.fragments.changes import changed_at, shown_attempt, state_changed_at
from app.web.fragments.context import PageContext
from app.web.fragments.estimate import estimate_sections
from app.web.fragments.fallback import build_or_fall_back
from app.web.fragments.finished_version import finished_version
from app.web.fragments.labels import labels_for
from app.web.fragments.memo import Memo
from app.web.fragments.partials import build_fragment, dom_id
from app.web.fragments.status_bar import StepCounts, build_notice, build_status_bar
from app.web.fragments.text import BlocksOf, plain_blocks, text_blocks
from app.web.fragments.timeline import build_timeline, build_unreadable_rows, is_retry_pending
from app.web.posts.sections import can_be_rewritten, pending_guidance, section_status
from app.web.posts.sources import CitedSources, cited_sources


class _PostLog:
    """A post's outline, sources and sections from its run's log.

    Each is read when it is first needed, so that one that cannot be read makes only the parts fail that show it.
    """

    def __init__(self, run: Run, memo: Memo) -> None:
        self.run, self.memo = run, memo

    @cached_property
    def root(self) -> Step | None:
        return root_of(self.run)

    @cached_property
    def root_changed(self) -> str:
        """Cursor of the last change of the workflow's own step, which publishes the outline and the sources."""
        return changed_at(self.root)

    @cached_property
    def outline(self) -> Outline | None:
        return self.memo.get("outline", self.root_changed, lambda: read_value(Outline, find_object(self.root, OUTLINE)))

    @cached_property
    def planned(self) -> list[OutlineSection]:
        """The outline's sections. An id has one step and one element, so the first section with it counts."""
        found: dict[str, OutlineSection] = {}
        for section in self.outline.sections if self.outline else []:
            found.setdefault(section.id, section)
        return list(found.values())

    @cached_property
    def sources(self) -> list[Source]:
        return self.memo.get("sources", self.root_changed, lambda: read_values(Source, find_object(self.root, SOURCES)))

    @cached_property
    def steps(self) -> list[Step]:
        """The steps of the sections that have begun."""
        return [step for section in self.planned if (step := section_step(self.run, section.id))]

    @cached_property
    def changed(self) -> str:
        """Cursor of the last change of anything but text that grew."""
        return latest([self.root_changed, *map(state_changed_at, self.steps)])

    @cached_property
    def counts(self) -> StepCounts:
        return self.memo.get("counts", self.changed, lambda: _count_sections(self.steps, self.planned, self.changed))

    @cached_property
    def cited(self) -> CitedSources:
        return cited_sources(self.sources, self.steps, self.memo)


def build_post_fragments(run: Run, context: PageContext) -> tuple[Fragment, ...]:
    """Build the roots: status bar, notice, authorship, the document's head, sections, sources, exports, and steps."""
    log, labels = _PostLog(run, context.memo), labels_for(run)
    build = partial(build_or_fall_back, run, context.memo)
    return (
        build(
            "run",
            lambda: build_status_bar(run, labels, log.counts),
            lambda: build_status_bar(run, labels, StepCounts()),
        ),
        build("condition", lambda: build_notice(run, labels, context)),
        build("authorship", lambda: build_authorship(run)),
        build("document-head", lambda: _head(log, context)),
        build("sections", lambda: _sections(log)),
        build("sources", lambda: _sources(log)),
        build("exports", lambda: _exports(run, context)),
        build("steps", lambda: build_timeline(run, context.memo, retry=False)),
        build("unreadable", lambda: build_unreadable_rows(run)),
    )


def section_step(run: Run, section_id: str) -> Step | None:
    """Return the step that writes the section, None before it begins."""
    return run.steps.get(f"{run.workflow}/{WRITE_SECTION}:{section_id}")


def _count_sections(steps: list[Step], planned: list[OutlineSection], changed: str) -> StepCounts:
    written = sum(step.success is not None for step in steps)
    text = f"{written} of {len(planned)} sections written" if planned else ""
    return StepCounts(text, written, len(planned), changed, estimate_sections(steps, len(planned)))


def _head(log: _PostLog, context: PageContext) -> Fragment:
    run = log.run
    ask = next((ask for ask in run.asks if run.status is RunStatus.WAITING), None)
    proposal = read_value(Outline, ask.proposal) if ask is not None and ask.name == OUTLINE else None
    draft = context.draft_of(ask.ask) if ask else None
    typed = run.input if isinstance(run.input, dict) else {}
    brief = {name: visible(str(typed.get(name) or "")) for name in ("topic", "audience", "tone", "length")}
    return build_fragment(
        "posts/_document_head",
        "document-head",
        latest([run.changed, log.root_changed]),
        run=run,
        brief=brief,
        title=name_post(log.outline.title if log.outline else "", brief["topic"]),
        outline=log.outline,
        ask=ask,
        ask_id=dom_id("ask", ask.ask) if ask else "",
        proposal=draft.typed if proposal is not None and draft else proposal,
        draft=draft,
        fetches_draft=context.drafts is None,
        approved=_approved_at(run),
    )


def _approved_at(run: Run) -> datetime | None:
    """Return when a person last approved an outline, to say so where other tabs still have its form open."""
    return max((answer.at for answer in run.answers.values() if answer.data.name == OUTLINE), default=None)


def _sources(log: _PostLog) -> Fragment:
    return build_fragment(
        "posts/_sources", "sources", latest([log.changed, log.cited.changed]), sources=log.cited.sources
    )


def _exports(run: Run, context: PageContext) -> Fragment:
    return build_fragment(
        "posts/_exports", "exports", run.changed, post_id=context.post_id, version=finished_version(run)
    )


def _sections(log: _PostLog) -> Fragment:
    numbers = source_numbers(log.sources)
    children = [_cached_section(log, section, numbers) for section in log.planned]
    return build_fragment("posts/_sections", "sections", log.root_changed, children=children)


def _cached_section(log: _PostLog, section: OutlineSection, numbers: dict[str, int]) -> Fragment:
    element_id = f"section-{section.id}"
    key = (log.root_changed, changed_at(section_step(log.run, section.id)))
    builders = [partial(_section, log, section, numbers, blocks) for blocks in (text_blocks, plain_blocks)]
    build = partial(build_or_fall_back, log.run, log.memo, element_id, *builders, tag="section")
    return log.memo.get(f"section {section.id}", key, build)


def _section(log: _PostLog, section: OutlineSection, numbers: dict[str, int], blocks: BlocksOf) -> Fragment:
    step, root = section_step(log.run, section.id), log.root
    element_id = f"section-{section.id}"
    attempt = shown_attempt(step) if step else None
    written = read_value(Section, step.success.objects.get("section")) if step and step.success else None
    return build_fragment(
        "posts/_section",
        element_id,
        latest([log.root_changed, *([state_changed_at(step)] if step else [])]),
        children=blocks(element_id, attempt, numbers),
        tag="section",
        run_id=log.run.id,
        section=section,
        step=step,
        latest=step.latest if step else None,
        status=section_status(step),
        retry_pending=step is not None and (is_retry_pending(step) or step.left),
        rewriting=step is not None and step.success is not None and step.status is not StepStatus.SUCCEEDED,
        checks=written.checks if written else [],
        tools=can_be_rewritten(step, root),
        guidance=pending_guidance(step),
        at_work=root is not None and root.status in OPEN_STEPS,
    )
