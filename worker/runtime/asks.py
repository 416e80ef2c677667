"""Asks: questions to a person, for whose answers a run waits without holding a worker."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.contract.payloads import Ask
from worker.runtime.errors import AskRefused
from worker.runtime.scope import Scope, current_scope
from worker.runtime.serialization import as_json_value
from worker.runtime.timeout import uncharged
from worker.runtime.values import digest

T = TypeVar("T")

_NAME = re.compile(r"[^/\\\x00-\x1f\x7f\ud800-\udfff]{1,200}")
"""Names that can stand as one part of an address's path."""


async def ask(name: str, proposal: T, answer_type: type[T]) -> T:
    """Ask a person, and return the answer. The run waits without holding a worker, for days if need be.

    The answer is posted to an address that ends in `name`. It must echo the id of this very proposal: an answer to an
    older proposal is refused. To ask the same once more is to ask anew.

    The workflow function, or the branch of `gather` that asks, is suspended. Raise `AskRefused` in any other task,
    whose siblings would be interrupted, and for a name that cannot stand in an address.
    """
    scope = current_scope()
    execution = scope.execution
    _check_name(scope, name)
    adapter: TypeAdapter[T] = TypeAdapter(answer_type)
    shown = as_json_value(proposal, f"The proposal {name!r} of {scope.path}")
    ask_id = _compute_ask_id(scope, name, shown)
    # A loop of asks that are answered already would keep the leases of the whole process from being renewed.
    await asyncio.sleep(0)
    scope.check_open()
    while (answer := execution.run.answers.get(ask_id)) is not None:
        with suppress(ValidationError):
            return adapter.validate_json(json.dumps(answer.data.value))
        ask_id = digest([ask_id, answer.id])
        if ask_id not in execution.run.asked and ask_id not in execution.run.answers:
            scope.say(f"The answer to “{name}” did not fit and was set aside.")
    _check_place(scope, name)
    execution.asks[ask_id] = Ask(
        ask=ask_id, name=name, step=scope.path, proposal=shown, answer_schema=adapter.json_schema()
    )
    with uncharged():
        await execution.block()


def _check_name(scope: Scope, name: str) -> None:
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise AskRefused(
            f"{scope.path} asks under the name {name[:80]!r}, which cannot stand in the address that answers are "
            "posted to. Take a name of at most 200 characters, without slashes and control characters."
        )


def _check_place(scope: Scope, name: str) -> None:
    if not scope.execution.in_branch:
        raise AskRefused(
            f"{scope.path} asks for “{name}” in a task of its own: waiting for the answer would interrupt what runs "
            "beside it. Run branches with `gather` of worker.runtime, and limit time with `asyncio.timeout`."
        )


def _compute_ask_id(scope: Scope, name: str, shown: Any) -> str:
    """Return an id that is the same in every pass, and another one for each time that an attempt asks the same."""
    question = [scope.path, name, shown]
    first_id = digest(question)
    scope.ask_counts[first_id] += 1
    times = scope.ask_counts[first_id]
    return first_id if times == 1 else digest([*question, times])
