"""Asks: questions to a person, for whose answers a run waits without holding a worker."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from app.contract.payloads import Ask
from worker.runtime.execution import Scope, current_scope
from worker.runtime.timeout import uncharged
from worker.runtime.values import digest

T = TypeVar("T")


async def ask(name: str, proposal: T, answer_type: type[T]) -> T:
    """Ask a person, and give the answer. The run waits without holding a worker, for days if need be.

    `name` is where the answer is posted to. An answer must echo the id of this very proposal: one to an older proposal
    is refused. Whoever asks the same once more is asking anew.
    """
    scope = current_scope()
    execution = scope.execution
    adapter: TypeAdapter[T] = TypeAdapter(answer_type)
    shown = to_jsonable_python(proposal)
    ask_id = _identify(scope, name, shown)
    # A loop of asks that are answered already would keep the leases of the whole process from being renewed.
    await asyncio.sleep(0)
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


def _identify(scope: Scope, name: str, shown: Any) -> str:
    """The ask's id: the same in every pass, and another one for each time that an attempt asks the same."""
    question = [scope.path, name, shown]
    same = digest(question)
    scope.asked[same] += 1
    times = scope.asked[same]
    return same if times == 1 else digest([*question, times])
