"""The timeline beside a page: a row for each step, as a tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from app.contract.cursors import START
from app.contract.events import Unreadable
from app.contract.run import Run
from app.contract.status import StepStatus, parent_path
from app.contract.step import Step
from app.live.fragments import Fragment, latest, order
from app.web.fragments.changes import state_changed_at
from app.web.fragments.fallback import build_or_fall_back
from app.web.fragments.memo import Memo
from app.web.fragments.partials import build_fragment, dom_id

StepTree = dict[str, list[Step]]
"""The steps inside each path, in the order in which they began; the topmost are under the empty path."""


def build_timeline(
    run: Run, memo: Memo, *, show: Callable[[Step], bool] = lambda _: True, retry: bool = True
) -> Fragment:
    """Build a row for each step that passes `show`. With `retry`, failed ones have a form that retries them."""
    # A step's place depends on what was there before it, and `show` on its path: the tree only grows.
    tree = dict(memo.get("tree", len(run.steps), lambda: _build_tree(run, show)))
    # The workflow's own step is no row around the others, but one beside them, shown only when it has messages.
    top = sorted([*tree.get("", []), *tree.get(run.workflow, [])], key=lambda step: order(step.born))
    tree[run.workflow] = []
    alone = len(top) == 1
    rows = [_row(run, memo, step, tree, retry, alone) for step in top]
    changed = top[1].born if len(top) > 1 else START
    return build_fragment("fragments/_steps", "steps", changed, children=rows, tail="steps-tail")


def build_unreadable_rows(run: Run) -> Fragment:
    """Build a row for each entry of the log that this version cannot read."""
    rows = [_unreadable_row(entry) for entry in run.unreadable]
    first = rows[0].born if rows else START
    return build_fragment("fragments/_unreadable_entries", "unreadable", first, children=rows, tail="unreadable-tail")


def _unreadable_row(entry: Unreadable) -> Fragment:
    kind = str(entry.data.get("type", ""))
    element_id = dom_id("entry", entry.id)
    return build_fragment(
        "fragments/_unreadable_entry", element_id, entry.id, born=entry.id, tag="li", entry=entry, kind=kind
    )


def is_unvisited(step: Step) -> bool:
    """Return whether the run's last pass did not come to this finished step, which only the trace then shows."""
    attempt = step.latest
    return step.status is StepStatus.SKIPPED and attempt is not None and attempt.status is StepStatus.SUCCEEDED


def is_retry_pending(step: Step) -> bool:
    """Return whether a retry was commanded and its attempt has not begun."""
    attempt = step.latest
    return step.status is StepStatus.RETRYING and attempt is not None and step.generation != attempt.begun.generation


def _build_tree(run: Run, show: Callable[[Step], bool]) -> StepTree:
    tree: StepTree = {}
    for step in run.steps.values():
        if show(step):
            tree.setdefault(_find_parent(run, step), []).append(step)
    return tree


def _find_parent(run: Run, step: Step) -> str:
    """Return the path of the nearest step above that began earlier, so that a step never moves; empty without one."""
    path = parent_path(step.path)
    while path:
        above = run.steps.get(path)
        if above is not None and order(above.born) < order(step.born):
            return path
        path = parent_path(path)
    return ""


def _row(run: Run, memo: Memo, step: Step, tree: StepTree, retry: bool, alone: bool = False) -> Fragment:
    """Return the step's row with those inside it, from the memo where none of them changed."""
    inner = tuple(_row(run, memo, child, tree, retry) for child in tree.get(step.path, []))
    element_id = dom_id("step", step.path)
    builders = (
        partial(_build_row, run, step, element_id, inner, retry, alone),
        partial(_build_fallback_row, step, element_id, inner),
    )
    build = partial(build_or_fall_back, run, memo, element_id, *builders, tag="li")
    return memo.get(f"row {step.path}", (state_changed_at(step), inner, alone), build)


def _build_row(run: Run, step: Step, element_id: str, inner: Sequence[Fragment], retry: bool, alone: bool) -> Fragment:
    is_root = step.path == run.workflow
    return build_fragment(
        "fragments/_step",
        element_id,
        latest([state_changed_at(step), *(child.born for child in inner[:1])]),
        born=step.born,
        children=inner,
        tail=f"{element_id}-tail",
        tag="li",
        run_id=run.id,
        step=step,
        attempt=step.latest,
        interrupted=sum(attempt.lost for attempt in step.attempts[:-1]),
        tries=sum(attempt.left_at is None for attempt in step.attempts),
        retry_pending=is_retry_pending(step),
        hidden=is_unvisited(step) or (is_root and not alone and not _has_messages(step)),
        retry=retry and not is_root,
    )


def _build_fallback_row(step: Step, element_id: str, inner: Sequence[Fragment]) -> Fragment:
    """Build a row that shows nothing but the rows inside it."""
    return build_fragment(
        "fragments/_fallback",
        element_id,
        latest(child.born for child in inner[:1]),
        born=step.born,
        children=inner,
        tail=f"{element_id}-tail",
        tag="li",
    )


def _has_messages(root: Step) -> bool:
    return root.latest is not None and bool(root.latest.notes or root.latest.progress)
