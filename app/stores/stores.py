"""The stores of one process, opened and closed together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from app.contract.settings import Settings
from app.stores.archive import Archive
from app.stores.database import Database
from app.stores.epochs import Epochs
from app.stores.fleet import Fleet
from app.stores.leases import Leases
from app.stores.log import Log
from app.stores.unshipped import Unshipped


@dataclass(frozen=True, slots=True)
class Stores:
    """All stores in Redis and SQL. Nothing is opened before it is used."""

    redis: Any
    database: Database
    archive: Archive
    log: Log
    fleet: Fleet
    leases: Leases
    epochs: Epochs
    unshipped: Unshipped

    @classmethod
    def connect(cls, settings: Settings, redis: Any) -> Self:
        """Return the stores of these settings, over this connection to Redis."""
        return cls.over(
            redis,
            Database(settings.resolved_database_url),
            lease_ms=int(settings.lease_seconds * 1000),
            keep_ms=settings.log_keep_seconds * 1000,
        )

    @classmethod
    def over(cls, redis: Any, database: Database, *, lease_ms: int, keep_ms: int) -> Self:
        """Return the stores over these connections. `keep_ms`: how long Redis keeps a log that SQL has whole."""
        archive = Archive(database)
        return cls(
            redis=redis,
            database=database,
            archive=archive,
            log=Log(redis, archive),
            fleet=Fleet(redis),
            leases=Leases(redis, lease_ms),
            epochs=Epochs(database),
            unshipped=Unshipped(redis, keep_ms),
        )

    async def close(self) -> None:
        """Close the connections to Redis and SQL."""
        await self.redis.aclose()
        await self.database.close()
