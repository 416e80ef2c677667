"""The workers that are alive, and what they can run."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from app.contract import keys
from app.contract.manifest import DEAD_AFTER_SECONDS, Beat, WorkflowManifest

_BEATS_KEPT = 2_000


class Fleet:
    """Announces and finds workers."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis

    async def announce(self, manifests: list[WorkflowManifest]) -> None:
        """Say which workflows this worker can run."""
        await self._redis.hset(keys.MANIFEST, mapping={m.name: m.model_dump_json() for m in manifests})

    async def beat(self, beat: Beat) -> None:
        """One pulse."""
        body = beat.model_dump_json(exclude={"at"})
        await self._redis.xadd(keys.HEARTBEATS, {"b": body}, maxlen=_BEATS_KEPT, approximate=True)

    async def workflows(self) -> dict[str, WorkflowManifest]:
        """All announced workflows by name. One that this version can't read is left out."""
        found = {}
        for name, body in (await self._redis.hgetall(keys.MANIFEST)).items():
            try:
                found[name] = WorkflowManifest.model_validate_json(body)
            except ValidationError:
                continue
        return dict(sorted(found.items()))

    async def workers(self) -> list[Beat]:
        """The newest beat of each worker that is alive and not leaving."""
        seconds, micros = await self._redis.time()
        since = seconds * 1000 + micros // 1000 - int(DEAD_AFTER_SECONDS * 1000)
        newest: dict[str, Beat] = {}
        for cursor, fields in await self._redis.xrange(keys.HEARTBEATS, min=since):
            try:
                beat = Beat.model_validate_json(fields["b"])
            except (KeyError, ValidationError):
                continue
            newest[beat.worker] = beat.model_copy(update={"at": int(cursor.partition("-")[0])})
        return [beat for beat in newest.values() if not beat.leaving]
