"""Commands on runs: cancel, retry, answer. Each is one event in the run's log."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import OperationalError

from app.contract.acceptance import UNDER_WAY, find_objection
from app.contract.errors import RunEnded
from app.contract.events import Command, CommandAnswer, CommandCancel, CommandRetry
from app.contract.payloads import AnswerData, Ask, RetryData
from app.contract.run import Run
from app.contract.status import RunStatus, lease_state
from app.runs.digests import digest_request
from app.runs.drafts import Drafts
from app.runs.errors import InputInvalid, KeyReused, NotPossible, Problem, StepUnknown, UnderWay
from app.runs.queries import LoadedRun, catch_up
from app.runs.retry_targets import steps_to_retry
from app.runs.validation import check_key, check_readable, check_schema, check_text
from app.stores.log import ArchivedState, Log

GUIDANCE_LENGTH = 2000


class Commands:
    """Appends commands to runs' logs.

    Each method takes a run as it was just loaded, and returns the run with the command in its log. Each raises
    `NotPossible` when the run cannot take the command. A `client_key` makes a command repeatable: a repeat appends
    nothing, and another request under the same key raises `KeyReused`.
    """

    def __init__(self, log: Log, drafts: Drafts) -> None:
        self._log = log
        self._drafts = drafts

    async def cancel(self, loaded: LoadedRun, client_key: str | None = None) -> LoadedRun:
        """Stop the run. A run that a cancel already waits for gets no second one."""
        key = _make_key("cancel", client_key)
        cursor = (
            await self._find(loaded, key)
            or _find_pending_cancel(loaded.run)
            or await self._append(loaded, key, CommandCancel())
        )
        return await self._read_back(loaded, key, cursor)

    async def retry(
        self, loaded: LoadedRun, steps: Sequence[str] = (), guidance: str = "", client_key: str | None = None
    ) -> LoadedRun:
        """Run these steps again (paths; without any, those of `steps_to_retry`), and then all that depends on them.

        Raises `StepUnknown`, `UnderWay`, and `InputInvalid` for guidance that is too long.
        """
        key = _make_key("retry", client_key, list(steps), guidance)
        check_text(guidance, "guidance", GUIDANCE_LENGTH)
        check_readable(CommandRetry(data=RetryData(guidance=guidance)), "guidance")
        cursor = await self._find(loaded, key) or await self._append(
            loaded, key, _resolve_retry(loaded.run, steps, guidance)
        )
        return _check_taken(await self._read_back(loaded, key, cursor), cursor)

    async def answer(
        self, loaded: LoadedRun, name: str, ask: str, value: Any, client_key: str | None = None
    ) -> LoadedRun:
        """Answer the open ask `name`, and delete its draft. The first answer counts.

        `ask` is the id of the proposal that is answered, because several asks may have one name. Raises `InputInvalid`
        for a value that does not fit the ask's schema, and without `ask`.
        """
        command = _parse_answer(name, ask, value)
        key = _make_key("answer", client_key, name, ask, value)
        cursor = await self._find(loaded, key) or await self._append(loaded, key, _check_answer(loaded.run, command))
        taken = _check_taken(await self._read_back(loaded, key, cursor), cursor)
        with suppress(OperationalError):  # the answer counts in any case, and its draft is shown nowhere any more
            await self._drafts.delete(loaded.run.id, ask)
        return taken

    async def _find(self, loaded: LoadedRun, key: _Key) -> str | None:
        """Return the cursor of the same client's command if it is in the log: it may not be possible a second time.

        The run was loaded before, so a command that the loaded run contains is always found.
        """
        return await self._log.find_command(loaded.run.id, key.token) if key.repeatable else None

    async def _append(self, loaded: LoadedRun, key: _Key, command: Command) -> str:
        row = loaded.row
        archived = ArchivedState(lease_state(row.status), row.shipped, row.workflow, row.version)
        try:
            return await self._log.command(row.id, command, key.token, archived, key.digest)
        except RunEnded:
            raise NotPossible("The run has ended meanwhile.") from None

    async def _read_back(self, loaded: LoadedRun, key: _Key, cursor: str) -> LoadedRun:
        """Return the run with the command at `cursor`. Raise `KeyReused` if that is another request's command."""
        # A command that an earlier version appended has no digest, and counts as the same.
        if key.repeatable and await self._log.digest_of(loaded.run.id, cursor, key.token) not in ("", key.digest):
            raise KeyReused
        return LoadedRun(loaded.row, await catch_up(self._log, loaded.run))


@dataclass(frozen=True, slots=True)
class _Key:
    """The identity of a command in the log. `digest` tells apart two requests that a client sends under one key."""

    token: str
    digest: str
    repeatable: bool


def _make_key(kind: str, client_key: str | None, *request: Any) -> _Key:
    """Make the key of a request, at random if the client gives none. Raise `InputInvalid` for an invalid one."""
    check_key(client_key)
    name = secrets.token_hex(16) if client_key is None else client_key
    return _Key(f"{kind}:{name}", digest_request(*request), client_key is not None)


def _find_pending_cancel(run: Run) -> str | None:
    """Return the cursor of the cancel that waits, if one does. Raise `NotPossible` if the run has ended."""
    _check_not_ended(run)
    return next((command.id for command in run.pending if isinstance(command, CommandCancel)), None)


def _resolve_retry(run: Run, steps: Sequence[str], guidance: str) -> CommandRetry:
    """Return the command to retry these steps, or those of `steps_to_retry` without any."""
    for path in steps:
        if path not in run.steps:
            raise StepUnknown(path)
    paths = list(dict.fromkeys(steps)) or steps_to_retry(run)
    command = CommandRetry(data=RetryData(steps=paths, guidance=guidance))
    _check_objection(find_objection(run, command))
    return command


def _parse_answer(name: str, ask: str, value: Any) -> CommandAnswer:
    if not ask:
        raise InputInvalid([Problem("ask", "must be the id of the proposal that is answered")])
    command = CommandAnswer(data=AnswerData(ask=ask, name=name, value=value))
    check_readable(command, "value")
    return command


def _check_answer(run: Run, command: CommandAnswer) -> CommandAnswer:
    """Return the answer if its ask is open and its value fits the ask's schema."""
    ask = _find_open_ask(run, command.data.name, command.data.ask)
    check_schema(command.data.value, ask.answer_schema, below="value")
    return command


def _find_open_ask(run: Run, name: str, ask_id: str) -> Ask:
    _check_not_ended(run)
    if ask_id in run.answers:
        raise NotPossible(f"The {name} was already answered.")
    ask = run.asked.get(ask_id)
    if ask is not None and ask.name == name:
        return ask
    # Two branches may ask under one name: an answer that is for neither of them is no answer to either.
    if ask is None and any(other.name == name for other in run.asked.values()):
        raise NotPossible("This answers an older proposal. Reload to see the one that is open now.")
    raise NotPossible(f"The run does not wait for an answer to {name[:80]!r}.")


def _check_not_ended(run: Run) -> None:
    if run.ended:
        raise NotPossible(f"The run has ended: it {_ENDINGS[run.status]}.")


_ENDINGS = {
    RunStatus.SUCCEEDED: "succeeded",
    RunStatus.INCOMPLETE: "finished, with some steps failed",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "was cancelled",
}


def _check_taken(loaded: LoadedRun, cursor: str) -> LoadedRun:
    """Return the run if its command at `cursor` has an effect. Raise `NotPossible` if another command came first."""
    _check_objection(loaded.run.objections.get(cursor) or loaded.run.refused.get(cursor) or "")
    return loaded


def _check_objection(objection: str) -> None:
    if objection:
        raise UnderWay(objection) if objection == UNDER_WAY else NotPossible(objection)
