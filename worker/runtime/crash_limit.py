"""The crash limit: a run whose workers stop again and again ends, instead of stopping the next one."""

from __future__ import annotations

from app.contract.payloads import ErrorData
from app.contract.run import Run

CRASH_LIMIT = 10
"""The number of crashes in a row (its worker stopped, or could not execute it) with which a run ends; a step that
succeeds ends the row. Workers that die for other reasons hardly ever hit one run so often; see
docs/decisions/0014-setbacks.md."""

MOST_NAMED_STEPS = 3
"""How many steps the error names."""

ADVICE = (
    "A step that keeps the event loop busy for longer than a lease belongs in a thread (`asyncio.to_thread`); one that "
    "takes too much memory, or crashes the process, needs mending. Then retry the run. If it only shared its workers "
    "with such a run, retry it now."
)


def find_crash_error(run: Run) -> ErrorData | None:
    """Return the error with which a run ends after too many crashes in a row, or None while there were fewer."""
    if run.setbacks < CRASH_LIMIT:
        return None
    paths = [step.path for step in run.open_steps]
    more = f" and {len(paths) - MOST_NAMED_STEPS} more" if len(paths) > MOST_NAMED_STEPS else ""
    where = f" while in {', '.join(paths[:MOST_NAMED_STEPS])}{more}" if paths else ""
    last = f" Last time, {run.reason}." if run.reason else ""
    return ErrorData(
        kind="TooManySetbacks",
        message=f"Its worker stopped {run.setbacks} times in a row{where}.{last} {ADVICE}",
        step=paths[0] if len(paths) == 1 else run.workflow,
        transient=False,
    )
