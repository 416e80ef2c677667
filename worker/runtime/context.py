"""Functions for the code inside a step: say, show progress, stream, publish, pause."""

from __future__ import annotations

from typing import Any

from app.contract import events as e
from app.contract.payloads import Called, Progress
from worker.runtime.errors import clean_text
from worker.runtime.scope import current_scope
from worker.runtime.serialization import as_json_value
from worker.runtime.timeout import uncharged


def say(text: str) -> None:
    """Show a line to the people who watch."""
    current_scope().say(text)


def progress(done: int, total: int) -> None:
    """Show how far this step is."""
    current_scope().emit(e.StepProgress, Progress(done=done, total=total))


def stream(text: str) -> None:
    """Add a piece to this step's text. It is shown as it comes, and retracted if the attempt fails."""
    current_scope().text.write(text)


def publish(name: str, value: Any) -> None:
    """Show a JSON value on pages under a name; the latest of the attempt that counts is shown."""
    scope, name = current_scope(), clean_text(name)
    scope.publish(name, as_json_value(value, f"The object {name!r} of {scope.path}"))


def spend(call: Called) -> None:
    """Record a request to a model, with what it cost."""
    current_scope().emit(e.ModelCalled, call)


def guidance() -> str:
    """Return what a person wished for when they retried this step; empty when nobody did."""
    step = current_scope().step
    return step.guidance if step else ""


async def pause(seconds: float) -> None:
    """Wait for something outside; the wait is charged to no timeout.

    When the worker is replaced meanwhile, the step begins again elsewhere, and this wait with it.
    """
    with uncharged():
        await current_scope().execution.sleep(seconds)


def run_id() -> str:
    """Return the id of the run that this step is part of."""
    return current_scope().execution.run.id
