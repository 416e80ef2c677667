"""What people and clients ask of a run: cancel, retry, answer. Each becomes one command in its log."""

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
from app.runs.queries import Queries
from app.runs.retry_targets import steps_to_retry
from app.runs.validation import check_key, check_readable, check_schema, check_text
from app.stores.log import ArchivedState, Log
from app.stores.tables import RunRow

GUIDANCE_LENGTH = 2000


class Commands:
    """Each gives the command's cursor and raises `RunUnknown` or `NotPossible`.

    `client_id` makes a command repeatable: the same one again appends nothing and gives the cursor of the first time.
    Another one under the same id raises `KeyReused`.
    """

    def __init__(self, queries: Queries, log: Log, drafts: Drafts) -> None:
        self._queries = queries
        self._log = log
        self._drafts = drafts

    async def cancel(self, run_id: str, workspace_id: str | None, client_id: str | None = None) -> str:
        """Stop the run. Asking twice is one command."""
        key = _key("cancel", client_id)
        row, run = await self._queries.load(run_id, workspace_id)
        if earlier := await self._earlier(run_id, key):
            return earlier
        _check_goes_on(run)
        if waiting := next((c.id for c in run.pending if isinstance(c, CommandCancel)), None):
            return waiting
        return await self._append(row, CommandCancel(), key)

    async def retry(
        self,
        run_id: str,
        workspace_id: str | None,
        steps: Sequence[str] = (),
        guidance: str = "",
        client_id: str | None = None,
    ) -> str:
        """Run these steps again (paths; none: see `steps_to_retry`), and then what depends on them.

        Raises `StepUnknown`, `UnderWay`, and `InputInvalid` for guidance that is too long.
        """
        key = _key("retry", client_id, list(steps), guidance)
        row, run = await self._queries.load(run_id, workspace_id)
        check_text(guidance, "guidance", GUIDANCE_LENGTH)
        check_readable(CommandRetry(data=RetryData(guidance=guidance)), "guidance")
        if earlier := await self._earlier(run_id, key):
            return await self._check_taken(run_id, earlier)
        command = CommandRetry(data=RetryData(steps=_find_steps(run, steps), guidance=guidance))
        _check_objection(find_objection(run, command))
        return await self._check_taken(run_id, await self._append(row, command, key))

    async def answer(
        self, run_id: str, workspace_id: str | None, name: str, ask: str, value: Any, client_id: str | None = None
    ) -> str:
        """Answer the open ask `name`; `ask` echoes the very proposal that is answered: several asks may have one name.
        The first answer wins, and ends the draft of it.

        Raises `InputInvalid` for a value that does not fit what was asked, or without `ask`.
        """
        row, run = await self._queries.load(run_id, workspace_id)
        if not ask:
            raise InputInvalid([Problem("ask", "must be the id of the proposal that is answered")])
        command = CommandAnswer(data=AnswerData(ask=ask, name=name, value=value))
        check_readable(command, "value")
        key = _key("answer", client_id, name, ask, value)
        if earlier := await self._earlier(run_id, key):
            return await self._check_taken(run_id, earlier)
        asked = _open_ask(run, name, ask)
        check_schema(value, asked.answer_schema, below="value")
        cursor = await self._check_taken(run_id, await self._append(row, command, key))
        with suppress(OperationalError):  # the answer is taken, whatever becomes of its draft: nobody is shown that
            await self._drafts.drop(run_id, ask)
        return cursor

    async def _earlier(self, run_id: str, key: _Key) -> str | None:
        """The cursor under which the same client's command stands already: by now it might not be possible again.

        To be asked after the run was read: what is in the run that was read is then found here.
        """
        if not key.repeatable:
            return None
        cursor = await self._log.find_command(run_id, key.token)
        return cursor and await self._check_key(run_id, cursor, key)

    async def _check_key(self, run_id: str, cursor: str, key: _Key) -> str:
        """The cursor, if the command that stands there was asked for by the same request."""
        # A command that an earlier version appended has no digest, and is taken for the same.
        if await self._log.digest_of(run_id, cursor, key.token) not in ("", key.digest):
            raise KeyReused
        return cursor

    async def _check_taken(self, run_id: str, cursor: str) -> str:
        """The cursor of a command that stands in the log; raises when another one came first, and it has no effect."""
        run = await self._log.fold(run_id)
        _check_objection(run.objections.get(cursor) or run.refused.get(cursor) or "")
        return cursor

    async def _append(self, row: RunRow, command: Command, key: _Key) -> str:
        archived = ArchivedState(lease_state(row.status), row.shipped, row.workflow, row.version)
        try:
            cursor = await self._log.command(row.id, command, key.token, archived, key.digest)
        except RunEnded:
            raise NotPossible("The run has ended meanwhile.") from None
        return await self._check_key(row.id, cursor, key) if key.repeatable else cursor


@dataclass(frozen=True, slots=True)
class _Key:
    """What a command is known by in the log. `digest` tells the client's requests under one name of its own apart."""

    token: str
    digest: str
    repeatable: bool


def _key(kind: str, client_id: str | None, *request: Any) -> _Key:
    """The key of a request; one that the client gives no name has a random one. Raises `InputInvalid`."""
    check_key(client_id)
    name = secrets.token_hex(16) if client_id is None else client_id
    return _Key(f"{kind}:{name}", digest_request(*request), client_id is not None)


def _check_goes_on(run: Run) -> None:
    if run.ended:
        raise NotPossible(f"The run has ended: it {_ENDINGS[run.status]}.")


_ENDINGS = {
    RunStatus.SUCCEEDED: "succeeded",
    RunStatus.INCOMPLETE: "finished, with some steps failed",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "was cancelled",
}


def _check_objection(objection: str) -> None:
    if objection:
        raise UnderWay(objection) if objection == UNDER_WAY else NotPossible(objection)


def _find_steps(run: Run, paths: Sequence[str]) -> list[str]:
    """These steps; of none, those from which the run goes on."""
    for path in paths:
        if path not in run.steps:
            raise StepUnknown(path)
    return list(dict.fromkeys(paths)) or steps_to_retry(run)


def _open_ask(run: Run, name: str, ask: str) -> Ask:
    _check_goes_on(run)
    if ask in run.answers:
        raise NotPossible(f"The {name} was already answered.")
    asked = run.asked.get(ask)
    if asked is not None and asked.name == name:
        return asked
    # Two branches may ask under one name: an answer that is for neither of them is no answer to either.
    if asked is None and any(one.name == name for one in run.asked.values()):
        raise NotPossible("This answers an older proposal. Reload to see the one that is open now.")
    raise NotPossible(f"The run does not wait for an answer to {name[:80]!r}.")
