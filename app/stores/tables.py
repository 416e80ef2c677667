"""The SQL tables. Everything belongs to a workspace, directly or through its run or site."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    LargeBinary,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from app.contract.status import RunStatus


class UtcDateTime(TypeDecorator[datetime]):
    """A column of UTC times. SQLite stores no zone, so it is added when a time is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def utc_now() -> datetime:
    return datetime.now(UTC)


class Workspace(SQLModel, table=True):
    __tablename__ = "workspaces"

    id: str = Field(primary_key=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class SessionRow(SQLModel, table=True):
    """A browser's session. `id` is the digest of the cookie's value: the table alone opens no session."""

    __tablename__ = "sessions"

    id: str = Field(primary_key=True)
    workspace_id: str = Field(foreign_key="workspaces.id", index=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class TokenRow(SQLModel, table=True):
    """An API token. `digest` is the digest of the token's text, which is shown once."""

    __tablename__ = "tokens"

    id: str = Field(primary_key=True)
    workspace_id: str = Field(foreign_key="workspaces.id", index=True)
    name: str
    digest: str = Field(unique=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class RunRow(SQLModel, table=True):
    """An accepted run. `epoch` is minted here; status and sums are projected from the log as it is shipped.

    `worked` is the seconds that workers spent on it, in passes that are over; 0 also where an earlier version shipped
    the run's end. `working_since` is when the work would have begun without gaps, while a worker holds the run.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("workspace_id", "idempotency_key"),
        Index("runs_by_workspace", "workspace_id", "created_at", "id"),
        Index("runs_by_end", "workspace_id", "ended_at", "id"),
        Index("runs_open", "status"),
    )

    id: str = Field(primary_key=True)
    workspace_id: str = Field(foreign_key="workspaces.id")
    workflow: str
    version: str = ""
    title: str
    input: Any = Field(sa_column=Column(JSON))
    site_id: str | None = Field(default=None, index=True)
    idempotency_key: str | None = None
    input_digest: str = ""
    status: RunStatus = Field(default=RunStatus.QUEUED, sa_type=Text)
    epoch: int = 0
    shipped: str = "0-0"
    sealed: bool = False
    tokens: int = 0
    cost: float = 0.0
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    worked: float = 0.0
    working_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class EventRow(SQLModel, table=True):
    """One archived log entry. `body` is the JSON as it stood in the stream, also where this version cannot read it."""

    __tablename__ = "events"

    run_id: str = Field(primary_key=True, foreign_key="runs.id")
    ms: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    body: str = Field(sa_column=Column(Text, nullable=False))


class SnapshotRow(SQLModel, table=True):
    """A run's newest stored fold, as of its archived entry `ms-seq`. `events` is the number of entries that it holds,
    `format` the version of the fold that made it: other versions ignore it."""

    __tablename__ = "snapshots"

    run_id: str = Field(primary_key=True, foreign_key="runs.id")
    ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    events: int
    format: str
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class DraftRow(SQLModel, table=True):
    """The last draft of an answer to one of a run's asks, until the ask is answered or the run ends."""

    __tablename__ = "drafts"

    run_id: str = Field(primary_key=True, foreign_key="runs.id")
    ask: str = Field(primary_key=True)
    typed: Any = Field(sa_column=Column(JSON))
    kept_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class SiteRow(SQLModel, table=True):
    __tablename__ = "sites"

    id: str = Field(primary_key=True)
    workspace_id: str = Field(foreign_key="workspaces.id", index=True)
    run_id: str = Field(index=True)
    url: str
    profile: Any = Field(default=None, sa_column=Column(JSON))
    topics: Any = Field(default=None, sa_column=Column(JSON))
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class PageRow(SQLModel, table=True):
    """A page of a site that was read, or that could not be read (`reason` says why)."""

    __tablename__ = "pages"
    __table_args__ = (UniqueConstraint("site_id", "url"),)

    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="sites.id", index=True)
    url: str
    title: str = ""
    summary: str = ""
    key_phrases: Any = Field(default=None, sa_column=Column(JSON))
    reason: str = ""
    read_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class PassageRow(SQLModel, table=True):
    """A piece of a page that posts draw on, found by full-text search."""

    __tablename__ = "passages"

    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="sites.id", index=True)
    page_id: str = Field(foreign_key="pages.id", index=True)
    position: int
    heading: str = ""
    text: str


class PostRow(SQLModel, table=True):
    """A post, for lists and addresses. Its content is in its run's log."""

    __tablename__ = "posts"

    id: str = Field(primary_key=True)
    workspace_id: str = Field(foreign_key="workspaces.id", index=True)
    site_id: str = Field(foreign_key="sites.id", index=True)
    run_id: str = Field(index=True)
    topic: str
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class CacheRow(SQLModel, table=True):
    """A component's result that other runs may use until it expires."""

    __tablename__ = "cache"

    key: str = Field(primary_key=True)
    scope: str = Field(index=True)
    value: Any = Field(sa_column=Column(JSON))
    expires_at: datetime = Field(sa_type=UtcDateTime)
