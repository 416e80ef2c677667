"""Setbacks: when a run's workers stop again and again, the run ends instead of stopping the next one."""

from __future__ import annotations

from app.contract.payloads import ErrorData
from app.contract.run import Run

MOST_SETBACKS = 10
"""So many times in a row a run's worker may stop, or be unable to go on, before any step of the run succeeds. Workers
that die for other reasons hardly ever hit one run so often; see docs/decisions/0014-setbacks.md."""

NAMED = 3
"""So many steps are named in the error."""

ADVICE = (
    "A step that keeps the event loop busy for longer than a lease belongs in a thread (`asyncio.to_thread`); one that "
    "takes too much memory, or crashes the process, needs mending. Then retry the run. If it only shared its workers "
    "with such a run, retry it now."
)


def find_crash_error(run: Run) -> ErrorData | None:
    """The error with which a run ends that has had too many setbacks; None while it has not."""
    if run.setbacks < MOST_SETBACKS:
        return None
    paths = [step.path for step in run.open_steps]
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    where = f" while in {', '.join(paths[:NAMED])}{more}" if paths else ""
    last = f" Last time, {run.reason}." if run.reason else ""
    return ErrorData(
        kind="TooManySetbacks",
        message=f"Its worker stopped {run.setbacks} times in a row{where}.{last} {ADVICE}",
        step=paths[0] if len(paths) == 1 else run.workflow,
        transient=False,
    )
