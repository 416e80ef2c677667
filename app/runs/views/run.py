"""The page of any workflow's run: output, texts, objects, and the timeline."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from app.contract.cursors import START
from app.contract.fold import Run
from app.contract.payloads import Ask
from app.contract.runs import RunStatus
from app.contract.steps import Step
from app.runs.patching import Fragment, latest
from app.runs.views.bar import Tally, condition, run_bar
from app.runs.views.context import Context
from app.runs.views.kept import Kept
from app.runs.views.makeshift import build
from app.runs.views.parts import dom_id, part
from app.runs.views.published import settled_at, shown_text
from app.runs.views.site import name_of
from app.runs.views.steps import is_unvisited, timeline, unreadable_rows
from app.runs.views.text import BlocksOf, plain_blocks, text_blocks
from app.runs.views.words import words_for

_SHOWN = 200_000
"""Characters of one value that a page shows."""


def run_fragments(run: Run, context: Context) -> tuple[Fragment, ...]:
    """The roots: bar, condition, what the run asks, output, texts, objects, input, and the steps."""
    words, kept = words_for(run), context.kept
    make = partial(build, run, kept)
    return (
        make("run", lambda: run_bar(run, words, Tally(), *_name(run)), lambda: run_bar(run, words, Tally())),
        make("condition", lambda: condition(run, words, context)),
        make("asks", lambda: _asks(run, context)),
        make("output", lambda: _output(run)),
        make("texts", lambda: _texts(run, kept)),
        make("objects", lambda: _objects(run)),
        make("steps", lambda: timeline(run, kept)),
        make("unreadable", lambda: unreadable_rows(run)),
    )


def as_json(value: Any) -> str:
    """A value as people read it."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\n… {len(text) - _SHOWN} characters more"


def _name(run: Run) -> tuple[str, str]:
    return name_of(run) if run.workflow == "onboard-site" else (run.title, START)


def _output(run: Run) -> Fragment:
    output = as_json(run.output) if run.output is not None else ""
    return part("output", "output", run.changed, output=output, ended=run.ended)


def _asks(run: Run, context: Context) -> Fragment:
    asks = run.asks if run.status is RunStatus.WAITING else []
    # A form is as old as its container, which is sent whole whenever the run's own state changes.
    return part("asks", "asks", run.changed, children=[_ask(run, ask, context) for ask in asks])


def _ask(run: Run, ask: Ask, context: Context) -> Fragment:
    draft = context.draft_of(ask.ask)
    return part(
        "ask",
        dom_id("ask", ask.ask),
        START,
        run_id=run.id,
        ask=ask,
        value=draft.typed if draft else as_json(ask.proposal),
        draft=draft,
        looks=context.drafts is None,
    )


def _texts(run: Run, kept: Kept) -> Fragment:
    written = [step for step in run.steps.values() if any(attempt.marks for attempt in step.attempts)]
    children = [_build_text(run, kept, step) for step in written if shown_text(step) is not None]
    begun = [step.attempts[-1].marks[0][1] for step in written if step.attempts[-1].marks]
    # A text that comes or goes is a change of the whole: attempts begin, fail, and are taken over.
    return part("texts", "texts", latest([*begun, *map(settled_at, written)]), children=children)


def _build_text(run: Run, kept: Kept, step: Step) -> Fragment:
    element_id = dom_id("text", step.path)
    ways = [partial(_text, step, element_id, blocks) for blocks in (text_blocks, plain_blocks)]
    return build(run, kept, element_id, *ways, tag="section")


def _text(step: Step, element_id: str, blocks: BlocksOf) -> Fragment:
    children = blocks(element_id, shown_text(step), {})
    return part("text", element_id, settled_at(step), children=children, tag="section", step=step)


def _objects(run: Run) -> Fragment:
    holders = [step for step in run.steps.values() if any(attempt.objects for attempt in step.attempts)]
    objects = [
        (step.label, name, as_json(value))
        for step in holders
        if step.counting is not None and not is_unvisited(step)
        for name, value in step.counting.objects.items()
    ]
    return part("objects", "objects", latest(step.changed for step in holders), objects=objects)
