"""The last finished version of a post, which stands while a section of it is written again."""

from __future__ import annotations

from typing import NamedTuple

from app.content.workflows import WRITE_POST
from app.contract.run import Run
from app.contract.status import RunStatus

FINISHED = (RunStatus.SUCCEEDED, RunStatus.INCOMPLETE)


class FinishedVersion(NamedTuple):
    """`whole`: no section is missing in it. `newest`: no command was given since that could replace it."""

    whole: bool
    newest: bool


def finished_version(run: Run) -> FinishedVersion | None:
    """Return the state of the post as it was last finished, None where none was, or where the run writes no post."""
    if run.workflow != WRITE_POST or run.output is None:
        return None
    whole = isinstance(run.output, dict) and not run.output.get("missing")
    return FinishedVersion(whole=whole, newest=run.status in FINISHED)
