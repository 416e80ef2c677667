"""How a run stands: its bar with the status, and the notice that says what happens next."""

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
    """How much is done, in words and figures; `changed` is the cursor since which it is so.

    `rest` is how long the rest will take, by the pace so far; None where nobody can say.
    """

    text: str = ""
    done: int = 0
    total: int = 0
    changed: str = START
    rest: TimeLeft | None = None


def build_status_bar(run: Run, words: Labels, tally: StepCounts, name: str = "", named: str = START) -> Fragment:
    """The run's own element, with its status, and what the tab is called in each. `name` is what the run is about, its
    title if that is empty, and `named` the cursor since which it is called so."""
    titles = {status.value: f"{words.status[status]}: {name or run.title}" for status in RunStatus}
    return build_fragment(
        "fragments/_status_bar",
        "run",
        latest([run.changed, tally.changed, named]),
        titles=json.dumps(titles, ensure_ascii=False),
        run=run,
        words=words,
        tally=tally,
        ended=run.status in ENDED,
        version=finished_version(run),
    )


def build_notice(run: Run, words: Labels, context: PageContext) -> Fragment:
    """What a person should know of the run beyond its status; nothing while all goes well."""
    return build_fragment(
        "fragments/_notice",
        "condition",
        run.changed,
        run=run,
        words=words,
        version=finished_version(run),
        no_worker=context.workers == 0,
        site_id=_site_written_from(run),
    )


def _site_written_from(run: Run) -> str:
    """The site whose topics a post could be about instead; empty for anything but a post."""
    asked = run.input if run.workflow == WRITE_POST and isinstance(run.input, dict) else {}
    return str(asked.get("site_id") or "")
