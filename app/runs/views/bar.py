"""How a run stands: its bar with the status, and the notice that says what happens next."""

from __future__ import annotations

import json
from dataclasses import dataclass

from app.contract.cursors import START
from app.contract.fold import Run
from app.contract.runs import ENDED, RunStatus
from app.runs.patching import Fragment, latest
from app.runs.views.context import Context
from app.runs.views.parts import part
from app.runs.views.remaining import Rest
from app.runs.views.version import finished_version
from app.runs.views.words import Words


@dataclass(frozen=True, slots=True)
class Tally:
    """How much is done, in words and figures; `changed` is the cursor since which it is so.

    `rest` is how long the rest will take, by the pace so far; None where nobody can say.
    """

    text: str = ""
    done: int = 0
    total: int = 0
    changed: str = START
    rest: Rest | None = None


def run_bar(run: Run, words: Words, tally: Tally, name: str = "", named: str = START) -> Fragment:
    """The run's own element, with its status, and what the tab is called in each. `name` is what the run is about, its
    title if that is empty, and `named` the cursor since which it is called so."""
    titles = {status.value: f"{words.status[status]}: {name or run.title}" for status in RunStatus}
    return part(
        "run_bar",
        "run",
        latest([run.changed, tally.changed, named]),
        titles=json.dumps(titles, ensure_ascii=False),
        run=run,
        words=words,
        tally=tally,
        ended=run.status in ENDED,
        version=finished_version(run),
    )


def condition(run: Run, words: Words, context: Context) -> Fragment:
    """What a person should know of the run beyond its status; nothing while all goes well."""
    return part(
        "condition",
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
    asked = run.input if run.workflow == "write-post" and isinstance(run.input, dict) else {}
    return str(asked.get("site_id") or "")
