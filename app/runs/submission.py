"""Submitting: an input becomes a committed run before anybody gets an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import IntegrityError

from app.contract.codec import Entry, encode_entry
from app.contract.events import RunSubmitted, now
from app.contract.ids import new_id
from app.contract.manifest import WorkflowManifest
from app.contract.payloads import Submitted
from app.contract.settings import Settings
from app.runs.digests import digest_request
from app.runs.errors import KeyReused, WorkflowUnknown
from app.runs.subjects import SUBJECTS, SubjectIds, find_subjects
from app.runs.validation import check_key, check_readable, check_schema
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.repositories.runs import add_run, find_run_by_key
from app.stores.tables import RunRow

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that is committed. `repeated`: it was there before, under the same idempotency key."""

    run_id: str
    repeated: bool
    subject: SubjectIds

    @property
    def site_id(self) -> str | None:
        return self.subject.site_id

    @property
    def post_id(self) -> str | None:
        return self.subject.post_id


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

        Raises `WorkflowUnknown`, `InputInvalid`, or `KeyReused` for a known key with another request.
        """
        check_key(idempotency_key)
        check_readable(RunSubmitted(data=Submitted(workflow=workflow, title="", input=value)), "")
        digest = digest_request(workflow, value)
        if repeat := await self._find_repeat(workspace_id, idempotency_key, digest):
            return repeat
        row = await self._draft(workflow, value, workspace_id)
        row.idempotency_key, row.input_digest = idempotency_key, digest
        try:
            submitted, accepted = await self._commit(row)
        except IntegrityError:
            # The same key came at the same moment, and the other request was quicker.
            if repeat := await self._find_repeat(workspace_id, idempotency_key, digest):
                return repeat
            raise
        await self._announce(row, submitted)
        return accepted

    async def _find_repeat(self, workspace_id: str, key: str | None, digest: str) -> Accepted | None:
        if key is None:
            return None
        async with self._database.reading() as session:
            row = await find_run_by_key(session, workspace_id, key)
            if row is None:
                return None
            if row.input_digest != digest:
                raise KeyReused
            return Accepted(row.id, True, await find_subjects(session, row))

    async def _draft(self, workflow: str, value: Any, workspace_id: str) -> RunRow:
        manifest = await self._manifest(workflow)
        subject = SUBJECTS.get(workflow)
        prepared = subject.prepare(value, self._settings.crawl_allow) if subject else value
        if manifest is not None:
            check_schema(prepared, manifest.input_schema)
        return RunRow(
            id=new_id("run"),
            workspace_id=workspace_id,
            workflow=workflow,
            title=_title(workflow, manifest, prepared),
            input=prepared,
            created_at=now(),
        )

    async def _manifest(self, workflow: str) -> WorkflowManifest | None:
        """What the workers announced; None for a workflow that the pages know without them."""
        try:
            manifest = (await self._fleet.workflows()).get(workflow)
        except RedisError:
            if workflow not in SUBJECTS:
                raise
            return None
        if manifest is None and workflow not in SUBJECTS:
            raise WorkflowUnknown(workflow)
        return manifest

    async def _commit(self, row: RunRow) -> tuple[Entry, Accepted]:
        cursor = f"{int(row.created_at.timestamp() * 1000)}-0"
        data = Submitted(workflow=row.workflow, title=row.title, input=row.input)
        submitted = encode_entry(RunSubmitted(id=cursor, at=row.created_at, data=data))
        async with self._database.writing() as session:
            if subject := SUBJECTS.get(row.workflow):
                await subject.create(session, row)
            await add_run(session, row, submitted)
            subjects = await find_subjects(session, row)
        return submitted, Accepted(row.id, False, subjects)

    async def _announce(self, row: RunRow, submitted: Entry) -> None:
        try:
            await self._log.submit(row.id, row.workflow, submitted)
        except RedisError as error:
            # It is accepted all the same: a supervisor's sweep over SQL finds it.
            _logger.warning("run not announced", run_id=row.id, error=str(error))


def _title(workflow: str, manifest: WorkflowManifest | None, value: Any) -> str:
    if manifest is None:
        manifest = WorkflowManifest(
            name=workflow, version="", title=SUBJECTS[workflow].title, input_schema={}, output_schema={}
        )
    title = manifest.title_for(value if isinstance(value, dict) else {})
    return " ".join("".join(char if char.isprintable() else " " for char in title).split()) or workflow
