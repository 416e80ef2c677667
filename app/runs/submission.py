"""Submission of runs: an input becomes a committed run before the requester gets an answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.contract.codec import Entry, encode_entry
from app.contract.events import RunSubmitted, now
from app.contract.ids import new_id
from app.contract.manifest import WorkflowManifest
from app.contract.payloads import Submitted
from app.contract.settings import Settings
from app.runs.digests import digest_request
from app.runs.errors import KeyReused, WorkflowUnknown
from app.runs.subjects import SUBJECTS
from app.runs.validation import check_key, check_readable, check_schema
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.repositories.listings import find_posts_of_runs
from app.stores.repositories.runs import add_run, find_run_by_key
from app.stores.tables import RunRow

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A committed run, with the site it is about and the post it writes. `repeated`: an earlier request with the same
    idempotency key committed it."""

    run_id: str
    repeated: bool
    site_id: str | None
    post_id: str | None


@dataclass(frozen=True, slots=True)
class _Request:
    """A request for a run. `digest` tells apart two requests under one idempotency key."""

    workflow: str
    value: Any
    workspace_id: str
    key: str | None
    digest: str


class Submission:
    """Accepts runs."""

    def __init__(self, settings: Settings, database: Database, log: Log, fleet: Fleet) -> None:
        self._settings = settings
        self._database = database
        self._log = log
        self._fleet = fleet

    async def submit(
        self, workflow: str, value: Any, workspace_id: str, idempotency_key: str | None = None
    ) -> Accepted:
        """Accept a run of `workflow` with this input. It is committed in SQL when this returns, whatever Redis does.

        Raises `WorkflowUnknown`, `InputInvalid`, or `KeyReused` for another request under a known key.
        """
        request = _parse(workflow, value, workspace_id, idempotency_key)
        if accepted := await self._find_accepted(request):
            return accepted
        manifest = await self._find_manifest(workflow)
        row = _build_row(request, _prepare_input(request, manifest, self._settings.crawl_allow), manifest)
        submitted = _build_first_entry(row)
        accepted = await self._commit(request, row, submitted)
        if not accepted.repeated:
            await self._announce(row, submitted)
        return accepted

    async def _find_accepted(self, request: _Request) -> Accepted | None:
        """Return the run that an earlier, equal request committed. Raise `KeyReused` if the request was another."""
        if request.key is None:
            return None
        async with self._database.reading() as session:
            row = await find_run_by_key(session, request.workspace_id, request.key)
            if row is None:
                return None
            if row.input_digest != request.digest:
                raise KeyReused
            return await _accepted(session, row, repeated=True)

    async def _find_manifest(self, workflow: str) -> WorkflowManifest | None:
        """Return what the workers announced; None for a workflow that the pages know without them."""
        try:
            manifest = (await self._fleet.workflows()).get(workflow)
        except RedisError:
            if workflow not in SUBJECTS:
                raise
            return None
        if manifest is None and workflow not in SUBJECTS:
            raise WorkflowUnknown(workflow)
        return manifest

    async def _commit(self, request: _Request, row: RunRow, submitted: Entry) -> Accepted:
        try:
            async with self._database.writing() as session:
                if subject := SUBJECTS.get(row.workflow):
                    await subject.create(session, row)
                await add_run(session, row, submitted)
                return await _accepted(session, row, repeated=False)
        except IntegrityError:
            # Another request with the same key committed its run in the meantime.
            if accepted := await self._find_accepted(request):
                return accepted
            raise

    async def _announce(self, row: RunRow, submitted: Entry) -> None:
        try:
            await self._log.submit(row.id, row.workflow, submitted)
        except RedisError as error:
            # The run is accepted all the same: a scheduler's sweep over SQL finds it.
            _logger.warning("run not announced", run_id=row.id, error=str(error))


def _parse(workflow: str, value: Any, workspace_id: str, key: str | None) -> _Request:
    """Check what needs no store: the key, and whether the input can be read back from a log."""
    check_key(key)
    check_readable(RunSubmitted(data=Submitted(workflow=workflow, title="", input=value)), "")
    return _Request(workflow, value, workspace_id, key, digest_request(workflow, value))


def _prepare_input(request: _Request, manifest: WorkflowManifest | None, allow: Collection[str]) -> Any:
    """Check the input and fill in its defaults. `allow` are the private hosts that addresses may name."""
    subject = SUBJECTS.get(request.workflow)
    prepared = subject.prepare(request.value, allow) if subject else request.value
    if manifest is not None:
        check_schema(prepared, manifest.input_schema)
    return prepared


def _build_row(request: _Request, prepared: Any, manifest: WorkflowManifest | None) -> RunRow:
    return RunRow(
        id=new_id("run"),
        workspace_id=request.workspace_id,
        workflow=request.workflow,
        title=_build_title(request.workflow, manifest, prepared),
        input=prepared,
        created_at=now(),
        idempotency_key=request.key,
        input_digest=request.digest,
    )


def _build_first_entry(row: RunRow) -> Entry:
    cursor = f"{int(row.created_at.timestamp() * 1000)}-0"
    data = Submitted(workflow=row.workflow, title=row.title, input=row.input)
    return encode_entry(RunSubmitted(id=cursor, at=row.created_at, data=data))


def _build_title(workflow: str, manifest: WorkflowManifest | None, value: Any) -> str:
    if manifest is None:
        manifest = WorkflowManifest(
            name=workflow, version="", title=SUBJECTS[workflow].title, input_schema={}, output_schema={}
        )
    title = manifest.title_for(value if isinstance(value, dict) else {})
    return " ".join("".join(char if char.isprintable() else " " for char in title).split()) or workflow


async def _accepted(session: AsyncSession, row: RunRow, *, repeated: bool) -> Accepted:
    posts = await find_posts_of_runs(session, [row.id], row.workspace_id)
    return Accepted(row.id, repeated, row.site_id, posts.get(row.id))
