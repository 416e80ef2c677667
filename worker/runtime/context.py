"""What a step can do from anywhere inside it: say, show progress, stream, publish, ask."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.contract.payloads import Ask, Called
from worker.runtime.execution import current_scope
from worker.runtime.showing import showable
from worker.runtime.timeout import uncharged
from worker.runtime.values import digest

T = TypeVar("T")


def say(text: str) -> None:
    """A line for the people who watch."""
    current_scope().call.say(text)


def progress(done: int, total: int) -> None:
    """How far this step is."""
    current_scope().call.progress(done, total)


def stream(text: str) -> None:
    """A piece of this step's text. It is shown as it comes, and retracted if the attempt fails."""
    current_scope().call.write(text)


def publish(name: str, value: Any) -> None:
    """A named JSON value that pages show; the latest of the attempt that counts."""
    scope = current_scope()
    scope.call.publish(name, showable(value, f"The object {name!r} of {scope.path}"))


def spend(call: Called) -> None:
    """A request to a model was made, with what it cost."""
    current_scope().call.spend(call)


def guidance() -> str:
    """What a person wished when they retried this step; empty when nobody did."""
    known = current_scope().call.known
    return known.guidance if known else ""


async def pause(seconds: float) -> None:
    """Wait for something outside. It is charged to no timeout, and goes on elsewhere when the worker is replaced."""
    with uncharged():
        await current_scope().execution.sleep(seconds)


def run_id() -> str:
    """The id of the run that this step is part of."""
    return current_scope().execution.run.id


async def ask(name: str, proposal: T, answer_type: type[T]) -> T:
    """Ask a person, and give the answer. The run waits without holding a worker, for days if need be.

    `name` is where the answer is posted to. An answer must echo the id of this very proposal: one to an older proposal
    is refused.
    """
    scope = current_scope()
    execution = scope.execution
    adapter: TypeAdapter[T] = TypeAdapter(answer_type)
    shown = showable(proposal, f"The proposal {name!r} of {scope.path}")
    ask_id = digest([scope.path, name, shown])
    while (answer := execution.run.answers.get(ask_id)) is not None:
        with suppress(ValidationError):
            return adapter.validate_json(json.dumps(answer.data.value))
        ask_id = digest([ask_id, answer.id])
        if ask_id not in execution.run.asked and ask_id not in execution.run.answers:
            scope.call.say(f"The answer to “{name}” did not fit and was set aside.")
    execution.asks[ask_id] = Ask(
        ask=ask_id, name=name, step=scope.path, proposal=shown, answer_schema=adapter.json_schema()
    )
    with uncharged():
        await execution.block()
