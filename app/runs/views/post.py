"""The page of a post: its document as it grows, and the timeline beside it."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from app.contract.content import Outline, OutlineSection, Section, Source
from app.contract.fold import Run
from app.contract.runs import OPEN_STEPS, RunStatus, StepStatus
from app.contract.steps import Step
from app.runs.patching import Fragment, latest
from app.runs.views.bar import Tally, condition, run_bar
from app.runs.views.context import Context
from app.runs.views.kept import Kept
from app.runs.views.parts import dom_id, part
from app.runs.views.published import changed_at, find_object, read_value, read_values, root_of, settled_at, shown_text
from app.runs.views.remaining import rest_of_sections
from app.runs.views.steps import is_asked_again, timeline, unreadable_rows
from app.runs.views.text import text_blocks
from app.runs.views.words import POST
from app.web.citations import source_numbers


def post_fragments(run: Run, context: Context) -> tuple[Fragment, ...]:
    """The roots: bar, condition, the document's head, sections, sources, exports, and the steps."""
    root, kept = root_of(run), context.kept
    base = changed_at(root)
    outline = kept.get("outline", base, lambda: read_value(Outline, find_object(root, "outline")))
    planned = _planned(outline)
    sources = kept.get("sources", base, lambda: read_values(Source, find_object(root, "sources")))
    steps = [step for section in planned if (step := section_step(run, section.id))]
    changed = latest([base, *map(settled_at, steps)])
    cited = kept.get("cited", changed, lambda: cited_sources(sources, steps))
    return (
        run_bar(run, POST, kept.get("tally", changed, lambda: _tally(steps, planned, changed))),
        condition(run, POST, context),
        _head(run, outline, root, context),
        _sections(run, planned, sources, root, kept),
        part("sources", "sources", changed, sources=cited),
        part("exports", "exports", run.changed, post_id=context.post_id, ready=is_finished(run)),
        timeline(run, context.kept, retry=False),
        unreadable_rows(run),
    )


def is_finished(run: Run) -> bool:
    """Whether there is a post to export."""
    return run.status in (RunStatus.SUCCEEDED, RunStatus.INCOMPLETE)


def cited_sources(sources: list[Source], steps: list[Step]) -> list[Source]:
    """The sources that the finished sections cite, with the numbers they have had from the start."""
    sections = [read_value(Section, step.success.objects.get("section")) for step in steps if step.success]
    cited = {passage for section in sections if section for passage in section.sources}
    return [source for source in sources if cited.intersection(source.passages)]


def section_step(run: Run, section_id: str) -> Step | None:
    return run.steps.get(f"{run.workflow}/write-section:{section_id}")


def _planned(outline: Outline | None) -> list[OutlineSection]:
    """The sections of an outline. One id has one step and one element: where it comes twice, the first counts."""
    found: dict[str, OutlineSection] = {}
    for section in outline.sections if outline else []:
        found.setdefault(section.id, section)
    return list(found.values())


def _tally(steps: list[Step], planned: list[OutlineSection], changed: str) -> Tally:
    written = sum(step.success is not None for step in steps)
    text = f"{written} of {len(planned)} sections written" if planned else ""
    return Tally(text, written, len(planned), changed, rest_of_sections(steps, len(planned)))


def _head(run: Run, outline: Outline | None, root: Step | None, context: Context) -> Fragment:
    ask = next((ask for ask in run.asks if run.status is RunStatus.WAITING), None)
    proposal = read_value(Outline, ask.proposal) if ask is not None and ask.name == "outline" else None
    draft, problems = context.typed_for(ask.ask) if ask else (None, {})
    asked = run.input if isinstance(run.input, dict) else {}
    brief = {name: str(asked.get(name) or "") for name in ("topic", "audience", "tone", "length")}
    return part(
        "document_head",
        "document-head",
        latest([run.changed, changed_at(root)]),
        run=run,
        brief=brief,
        outline=outline,
        ask=ask,
        ask_id=dom_id("ask", ask.ask) if ask else "",
        proposal=draft if proposal is not None and draft else proposal,
        problems=problems,
        approved=None if run.ended else _approved_at(run),
    )


def _approved_at(run: Run) -> datetime | None:
    """When a person last approved an outline. Whoever had its form open in another tab is told so in its place."""
    return max((answer.at for answer in run.answers.values() if answer.data.name == "outline"), default=None)


def _sections(
    run: Run, planned: list[OutlineSection], sources: list[Source], root: Step | None, kept: Kept
) -> Fragment:
    numbers = source_numbers(sources)
    base = changed_at(root)
    children = [
        kept.get(f"section {section.id}", (base, changed_at(section_step(run, section.id))), make)
        for section in planned
        for make in [partial(_section, run, section, numbers, base, root)]
    ]
    return part("sections", "sections", base, children=children)


def _section(run: Run, section: OutlineSection, numbers: dict[str, int], base: str, root: Step | None) -> Fragment:
    step = section_step(run, section.id)
    element_id = f"section-{section.id}"
    attempt = shown_text(step) if step else None
    written = read_value(Section, step.success.objects.get("section")) if step and step.success else None
    return part(
        "section",
        element_id,
        latest([base, *([settled_at(step)] if step else [])]),
        children=text_blocks(element_id, attempt, numbers),
        tag="section",
        run_id=run.id,
        section=section,
        step=step,
        latest=step.latest if step else None,
        status=_section_status(step),
        again=step is not None and is_asked_again(step),
        rewriting=step is not None and step.success is not None and step.status is not StepStatus.SUCCEEDED,
        checks=written.checks if written else [],
        tools=_can_be_rewritten(step, root),
        at_work=root is not None and root.status in OPEN_STEPS,
    )


def _can_be_rewritten(step: Step | None, root: Step | None) -> bool:
    """Whether the section has the form for that: from the run's first end on, and for good, since somebody may be
    typing into it while others have the run go on."""
    if step is None or root is None:
        return False
    was_finished = step.success is not None or bool(step.generation)
    return was_finished and (root.status not in OPEN_STEPS or bool(root.generation))


def _section_status(step: Step | None) -> str:
    if step is None:
        return "queued"
    if step.success is not None and step.status is StepStatus.SKIPPED:
        return "succeeded"
    return "cancelled" if step.status is StepStatus.SKIPPED else step.status.value
