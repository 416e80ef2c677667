"""The provider's limits, shared by all workers: requests and tokens a minute, and calls at once.

The limits are windows that slide: whatever minute one looks at, no more than the limit was let in. Redis' clock is the
only one used. A place is a lease that its holder renews, so that the place of a killed worker comes free by itself.
"""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.contract.keys import rate_limit_keys

log = logging.getLogger(__name__)

Waiting = Callable[[float], AbstractContextManager[None]]
"""Entered when a call has to wait for room, with the seconds it will take at least; left when it has room."""

_ADMIT, _SETTLE, _RENEW = (
    (Path(__file__).parent / "lua" / f"{name}.lua").read_text() for name in ("admit", "settle", "renew")
)
_LONGEST_PAUSE = 1.0


@dataclass(frozen=True)
class Limits:
    """Over all workers. 0 is no limit."""

    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrency: int = 0


@dataclass
class Admission:
    """A place in the limits. `used`, the tokens the call really took, replaces what was reserved for it."""

    id: str
    used: int | None = None


class RateLimiter:
    """Lets calls in as the limits allow. `minute` and `lease` are seconds, other values are for tests."""

    def __init__(
        self,
        redis: Redis,
        limits: Limits,
        *,
        waiting: Waiting = lambda _: nullcontext(),
        minute: float = 60,
        lease: float = 30,
    ) -> None:
        self._limits = limits
        self._waiting = waiting
        self._minute = minute
        self._lease = lease
        self._admit_script = redis.register_script(_ADMIT)
        self._settle_script = redis.register_script(_SETTLE)
        self._renew_script = redis.register_script(_RENEW)

    @asynccontextmanager
    async def admit(self, model: str, estimated_tokens: int) -> AsyncIterator[Admission]:
        """Wait for room for one call to `model`, and hold it while inside.

        A call that is estimated above the whole limit waits for an empty minute rather than for ever.
        """
        if self._limits == Limits():
            yield Admission("unlimited")
            return
        admission = Admission(uuid.uuid4().hex)
        try:
            await self._wait_for_room(model, admission, estimated_tokens)
            renewing = asyncio.create_task(self._keep_renewing(model, admission))
            try:
                yield admission
            finally:
                renewing.cancel()
                await asyncio.wait([renewing])
        finally:
            # Also when the wait was cancelled: the answer may have been on its way.
            await self._settle(model, admission)

    async def _wait_for_room(self, model: str, admission: Admission, tokens: int) -> None:
        seconds = await self._try(model, admission, tokens)
        if seconds <= 0:
            return
        with self._waiting(seconds):
            while seconds > 0:
                # At different moments, so that those who wait don't all ask at once.
                await asyncio.sleep(min(seconds, _LONGEST_PAUSE) * random.uniform(0.8, 1.2))
                seconds = await self._try(model, admission, tokens)

    async def _try(self, model: str, admission: Admission, tokens: int) -> float:
        limits = self._limits
        milliseconds = await cast(
            "Awaitable[int]",
            self._admit_script(
                keys=rate_limit_keys(model),
                args=[
                    admission.id,
                    limits.requests_per_minute,
                    limits.tokens_per_minute,
                    limits.concurrency,
                    tokens,
                    int(self._minute * 1000),
                    int(self._lease * 1000),
                ],
            ),
        )
        return milliseconds / 1000

    async def _keep_renewing(self, model: str, admission: Admission) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                await cast(
                    "Awaitable[int]",
                    self._renew_script(keys=rate_limit_keys(model), args=[admission.id, int(self._lease * 1000)]),
                )
            except RedisError as error:
                # The call goes on: at worst another one is let in beside it.
                log.warning("could not renew a model call's place: %s", error)

    async def _settle(self, model: str, admission: Admission) -> None:
        used = "" if admission.used is None else admission.used
        try:
            await cast("Awaitable[int]", self._settle_script(keys=rate_limit_keys(model), args=[admission.id, used]))
        except RedisError as error:
            # The call is over and its result counts; its place expires by itself.
            log.warning("could not settle a model call: %s", error)
