"""A run's status bar, and the notice below it that says what happens next."""

from __future__ import annotations

import json
from dataclasses import dataclass

from app.content.workflows import WRITE_POST
from app.contract.cursors import START
from app.contract.run import Run
from app.contract.status import ENDED, RunStatus
from app.live.fragments import Fragment, latest
from app.web.fragments.context import PageContext
from app.web.fragments.estimate import TimeLeft
from app.web.fragments.finished_version import finished_version
from app.web.fragments.labels import Labels
from app.web.fragments.partials import build_fragment


@dataclass(frozen=True, slots=True)
class StepCounts:
    """How many of a run's sections or pages are done, in words and figures; `changed` is the cursor of the last change.

    `time_left` estimates the rest of the work, None where it cannot be estimated.
    """

    text: str = ""
    done: int = 0
    total: int = 0
    changed: str = START
    time_left: TimeLeft | None = None


def build_status_bar(run: Run, labels: Labels, counts: StepCounts, name: str = "", named: str = START) -> Fragment:
    """Build the run's own element, with its status and the tab's title for each status.

    `name` is the run's subject (by default its title), and `named` the cursor since which it has that name.
    """
    titles = {status.value: f"{labels.status[status]}: {name or run.title}" for status in RunStatus}
    return build_fragment(
        "fragments/_status_bar",
        "run",
        latest([run.changed, counts.changed, named]),
        titles=json.dumps(titles, ensure_ascii=False),
        run=run,
        labels=labels,
        counts=counts,
        ended=run.status in ENDED,
        version=finished_version(run),
    )


def build_notice(run: Run, labels: Labels, context: PageContext) -> Fragment:
    """Build the notice for a run that waits for a worker, failed or was stopped; hidden in any other state."""
    return build_fragment(
        "fragments/_notice",
        "condition",
        run.changed,
        run=run,
        labels=labels,
        version=finished_version(run),
        no_worker=context.workers == 0,
        site_id=_site_of_post(run),
    )


def _site_of_post(run: Run) -> str:
    """Return the id of the site that a post is written from; empty for a run that writes none."""
    brief = run.input if run.workflow == WRITE_POST and isinstance(run.input, dict) else {}
    return str(brief.get("site_id") or "")
