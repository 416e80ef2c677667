"""The timeline: a row for each step, as a tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from app.contract.cursors import START
from app.contract.events import Unreadable
from app.contract.run import Run
from app.contract.status import StepStatus
from app.contract.step import Step
from app.contract.step_paths import parent_path
from app.live.fragments import Fragment, latest, order
from app.web.fragments.changes import settled_at
from app.web.fragments.fallback import build_or_fall_back
from app.web.fragments.memo import Memo
from app.web.fragments.partials import dom_id, render_partial

Tree = dict[str, list[Step]]
"""The steps inside each path, in the order in which they began; the topmost under the empty path."""


def timeline(run: Run, kept: Memo, *, show: Callable[[Step], bool] = lambda _: True, retry: bool = True) -> Fragment:
    """All steps for which `show` says so. `retry`: failed ones carry a form to retry them."""
    # A step's place depends on what was there before it, and `show` on its path: the tree only grows.
    tree = dict(kept.get("tree", len(run.steps), lambda: _grow(run, show)))
    # The workflow itself is no row above the others, but one of its own that shows only when it has something to say.
    top = sorted([*tree.get("", []), *tree.get(run.workflow, [])], key=lambda step: order(step.born))
    tree[run.workflow] = []
    alone = len(top) == 1
    rows = [_row(run, kept, step, tree, retry, alone) for step in top]
    changed = top[1].born if len(top) > 1 else START
    return render_partial("fragments/_steps", "steps", changed, children=rows, tail="steps-tail")


def unreadable_rows(run: Run) -> Fragment:
    """The log's entries that this version cannot read."""
    rows = [_unreadable_row(entry) for entry in run.unreadable]
    first = rows[0].born if rows else START
    return render_partial("fragments/_unreadables", "unreadable", first, children=rows, tail="unreadable-tail")


def _unreadable_row(entry: Unreadable) -> Fragment:
    kind = str(entry.data.get("type", ""))
    element_id = dom_id("entry", entry.id)
    return render_partial(
        "fragments/_unreadable", element_id, entry.id, born=entry.id, tag="li", entry=entry, kind=kind
    )


def is_unvisited(step: Step) -> bool:
    """Whether the run's last pass did not come to this finished step; such a one is in the trace only."""
    attempt = step.latest
    return step.status is StepStatus.SKIPPED and attempt is not None and attempt.status is StepStatus.SUCCEEDED


def _grow(run: Run, show: Callable[[Step], bool]) -> Tree:
    tree: Tree = {}
    for step in run.steps.values():
        if show(step):
            tree.setdefault(_place(run, step), []).append(step)
    return tree


def _place(run: Run, step: Step) -> str:
    """The nearest step above that was there before: so that a step never moves."""
    path = parent_path(step.path)
    while path:
        above = run.steps.get(path)
        if above is not None and order(above.born) < order(step.born):
            return path
        path = parent_path(path)
    return ""


def _row(run: Run, kept: Memo, step: Step, tree: Tree, retry: bool, alone: bool = False) -> Fragment:
    inner = tuple(_row(run, kept, child, tree, retry) for child in tree.get(step.path, []))
    element_id = dom_id("step", step.path)
    ways = partial(_make_row, run, step, element_id, inner, retry, alone), partial(_bare_row, step, element_id, inner)
    make = partial(build_or_fall_back, run, kept, element_id, *ways, tag="li")
    return kept.get(f"row {step.path}", (settled_at(step), inner, alone), make)


def _make_row(run: Run, step: Step, element_id: str, inner: Sequence[Fragment], retry: bool, alone: bool) -> Fragment:
    is_root = step.path == run.workflow
    return render_partial(
        "fragments/_step",
        element_id,
        latest([settled_at(step), *(child.born for child in inner[:1])]),
        born=step.born,
        children=inner,
        tail=f"{element_id}-tail",
        tag="li",
        run_id=run.id,
        step=step,
        attempt=step.latest,
        interrupted=sum(attempt.lost for attempt in step.attempts[:-1]),
        tries=sum(attempt.left_at is None for attempt in step.attempts),
        again=is_asked_again(step),
        hidden=is_unvisited(step) or (is_root and not alone and not _has_news(step)),
        retry=retry and not is_root,
    )


def _bare_row(step: Step, element_id: str, inner: Sequence[Fragment]) -> Fragment:
    """A row that only has the rows inside it."""
    return render_partial(
        "fragments/_fallback",
        element_id,
        latest(child.born for child in inner[:1]),
        born=step.born,
        children=inner,
        tail=f"{element_id}-tail",
        tag="li",
    )


def _has_news(root: Step) -> bool:
    return root.latest is not None and bool(root.latest.notes or root.latest.progress)


def is_asked_again(step: Step) -> bool:
    """Whether a retry was asked for and has not begun."""
    attempt = step.latest
    return step.status is StepStatus.RETRYING and attempt is not None and step.generation != attempt.begun.generation
