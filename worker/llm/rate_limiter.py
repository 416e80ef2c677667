"""The rate limiter of model calls, shared by all workers: requests and tokens a minute, and calls at once.

The windows slide: in any minute, no more than the limit is let in. Only Redis' clock is used. A place among the calls
at once is a lease that its holder renews, so that the place of a killed worker becomes free by itself.
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
"""Entered when a call has to wait for room, with the least seconds that takes; left when there is room."""

_ADMIT, _SETTLE, _RENEW = (
    (Path(__file__).parent / "lua" / f"{name}.lua").read_text() for name in ("admit", "settle", "renew")
)
_LONGEST_PAUSE = 1.0


@dataclass(frozen=True)
class Limits:
    """The limits of one model over all workers. 0 is no limit."""

    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrency: int = 0


@dataclass
class Admission:
    """A place in the limits. `used`, the tokens that the call took, replaces what was reserved for it."""

    id: str
    used: int | None = None


class RateLimiter:
    """Lets calls in as the limits allow. `minute` and `lease` are in seconds; tests set other values."""

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

        A call that is estimated above the whole limit of tokens waits for an empty minute, not for ever.
        """
        if self._limits == Limits():
            yield Admission("unlimited")
            return
        admission = Admission(uuid.uuid4().hex)
        try:
            await self._wait_for_room(model, admission, estimated_tokens)
            renewing = asyncio.create_task(self._renew(model, admission))
            try:
                yield admission
            finally:
                renewing.cancel()
                await asyncio.wait([renewing])
        finally:
            # Also when the wait was cancelled: Redis may have let the call in already.
            await self._settle(model, admission)

    async def _wait_for_room(self, model: str, admission: Admission, tokens: int) -> None:
        seconds = await self._try_admit(model, admission, tokens)
        if seconds <= 0:
            return
        with self._waiting(seconds):
            while seconds > 0:
                # With jitter, so that the calls that wait don't all ask at once.
                await asyncio.sleep(min(seconds, _LONGEST_PAUSE) * random.uniform(0.8, 1.2))
                seconds = await self._try_admit(model, admission, tokens)

    async def _try_admit(self, model: str, admission: Admission, tokens: int) -> float:
        """Ask for the place; return 0 when the call is let in, else in how many seconds to ask again."""
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

    async def _renew(self, model: str, admission: Admission) -> None:
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
