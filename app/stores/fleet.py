"""The fleet: the workers that are alive, and the workflows that they can run."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from app.contract import keys
from app.contract.manifest import DEAD_AFTER_SECONDS, Heartbeat, WorkflowManifest

_HEARTBEATS_KEPT = 2_000


class Fleet:
    """Announces and finds workers."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis

    async def announce(self, manifests: list[WorkflowManifest]) -> None:
        """Announce the workflows that this worker can run."""
        await self._redis.hset(keys.MANIFEST, mapping={m.name: m.model_dump_json() for m in manifests})

    async def send_heartbeat(self, heartbeat: Heartbeat) -> None:
        """Send one heartbeat. Its `at` is left to Redis."""
        body = heartbeat.model_dump_json(exclude={"at"})
        await self._redis.xadd(keys.HEARTBEATS, {"b": body}, maxlen=_HEARTBEATS_KEPT, approximate=True)

    async def workflows(self) -> dict[str, WorkflowManifest]:
        """Return all announced workflows by name, except those that this version cannot read."""
        found = {}
        for name, body in (await self._redis.hgetall(keys.MANIFEST)).items():
            try:
                found[name] = WorkflowManifest.model_validate_json(body)
            except ValidationError:
                continue
        return dict(sorted(found.items()))

    async def workers(self) -> list[Heartbeat]:
        """Return the newest heartbeat of each worker that is alive and not leaving."""
        seconds, micros = await self._redis.time()
        since = seconds * 1000 + micros // 1000 - int(DEAD_AFTER_SECONDS * 1000)
        newest: dict[str, Heartbeat] = {}
        for cursor, fields in await self._redis.xrange(keys.HEARTBEATS, min=since):
            try:
                heartbeat = Heartbeat.model_validate_json(fields["b"])
            except (KeyError, ValidationError):
                continue
            newest[heartbeat.worker] = heartbeat.model_copy(update={"at": int(cursor.partition("-")[0])})
        return [heartbeat for heartbeat in newest.values() if not heartbeat.leaving]
