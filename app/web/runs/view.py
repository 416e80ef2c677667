"""Fragments of the page of any workflow's run: asks, output, texts, objects, and the timeline."""

from __future__ import annotations

from functools import partial

from app.content.workflows import ONBOARD_SITE
from app.contract.cursors import START
from app.contract.payloads import Ask
from app.contract.run import Run
from app.contract.status import RunStatus
from app.contract.step import Step
from app.live.fragments import Fragment, latest
from app.web.fragments.changes import shown_attempt, state_changed_at
from app.web.fragments.context import PageContext
from app.web.fragments.fallback import build_or_fall_back
from app.web.fragments.json_text import format_json
from app.web.fragments.labels import labels_for
from app.web.fragments.memo import Memo
from app.web.fragments.partials import build_fragment, dom_id
from app.web.fragments.status_bar import StepCounts, build_notice, build_status_bar
from app.web.fragments.text import BlocksOf, plain_blocks, text_blocks
from app.web.fragments.timeline import build_timeline, build_unreadable_rows, is_unvisited
from app.web.sites.view import site_name


def build_run_fragments(run: Run, context: PageContext) -> tuple[Fragment, ...]:
    """Build the roots: status bar, notice, asks, output, texts, objects, and steps."""
    labels, memo = labels_for(run), context.memo
    build = partial(build_or_fall_back, run, memo)
    return (
        build(
            "run",
            lambda: build_status_bar(run, labels, StepCounts(), *_name(run)),
            lambda: build_status_bar(run, labels, StepCounts()),
        ),
        build("condition", lambda: build_notice(run, labels, context)),
        build("asks", lambda: _asks(run, context)),
        build("output", lambda: _output(run)),
        build("texts", lambda: _texts(run, memo)),
        build("objects", lambda: _objects(run)),
        build("steps", lambda: build_timeline(run, memo)),
        build("unreadable", lambda: build_unreadable_rows(run)),
    )


def _name(run: Run) -> tuple[str, str]:
    """Return the run's name and the cursor since which it has that name."""
    return site_name(run) if run.workflow == ONBOARD_SITE else (run.title, START)


def _output(run: Run) -> Fragment:
    output = format_json(run.output) if run.output is not None else ""
    return build_fragment("runs/_output", "output", run.changed, output=output, ended=run.ended)


def _asks(run: Run, context: PageContext) -> Fragment:
    asks = run.asks if run.status is RunStatus.WAITING else []
    # The container is sent whole whenever the run's own state changes, and its forms with it.
    return build_fragment("asks/_asks", "asks", run.changed, children=[_ask(run, ask, context) for ask in asks])


def _ask(run: Run, ask: Ask, context: PageContext) -> Fragment:
    draft = context.draft_of(ask.ask)
    return build_fragment(
        "asks/_ask",
        dom_id("ask", ask.ask),
        START,
        run_id=run.id,
        ask=ask,
        value=draft.typed if draft else format_json(ask.proposal),
        draft=draft,
        fetches_draft=context.drafts is None,
    )


def _texts(run: Run, memo: Memo) -> Fragment:
    written = [step for step in run.steps.values() if any(attempt.marks for attempt in step.attempts)]
    children = [_build_text(run, memo, step) for step in written if shown_attempt(step) is not None]
    begun = [step.attempts[-1].marks[0][1] for step in written if step.attempts[-1].marks]
    # A text that comes or goes is a change of the whole: attempts begin, fail, and are taken over.
    return build_fragment("runs/_texts", "texts", latest([*begun, *map(state_changed_at, written)]), children=children)


def _build_text(run: Run, memo: Memo, step: Step) -> Fragment:
    element_id = dom_id("text", step.path)
    builders = [partial(_text, step, element_id, blocks) for blocks in (text_blocks, plain_blocks)]
    return build_or_fall_back(run, memo, element_id, *builders, tag="section")


def _text(step: Step, element_id: str, blocks: BlocksOf) -> Fragment:
    children = blocks(element_id, shown_attempt(step), {})
    return build_fragment("runs/_text", element_id, state_changed_at(step), children=children, tag="section", step=step)


def _objects(run: Run) -> Fragment:
    holders = [step for step in run.steps.values() if any(attempt.objects for attempt in step.attempts)]
    objects = [
        (step.label, name, format_json(value))
        for step in holders
        if step.counting is not None and not is_unvisited(step)
        for name, value in step.counting.objects.items()
    ]
    return build_fragment("runs/_objects", "objects", latest(step.changed for step in holders), objects=objects)
