"""The Lua functions of the contract, called through one Redis client."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from hashlib import sha1
from pathlib import Path
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError

import app.contract
from app.stores.batching import Batcher

_FOLDER = Path(app.contract.__file__).parent / "lua"

CALLS_AT_ONCE = 64
"""The most calls in one message to Redis."""


@cache
def script_text(name: str) -> str:
    """Return the text of `app/contract/lua/NAME.lua`, after that of `cursors.lua`, which all functions may use."""
    return "".join((_FOLDER / f"{part}.lua").read_text() for part in ("cursors", name))


@cache
def _digest(name: str) -> str:
    # Redis names scripts by their SHA-1; nothing is kept secret with it.
    return sha1(script_text(name).encode(), usedforsecurity=False).hexdigest()


class _Call(NamedTuple):
    script: str
    keys: Sequence[str]
    args: Sequence[Any]


class Scripts:
    """The contract's functions, callable by name with `keys` and `args`.

    Calls that are made at the same time go to Redis in one message; each is atomic by itself, and fails by itself.
    """

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._batcher: Batcher[_Call, Any] = Batcher(self._call_all, largest=CALLS_AT_ONCE)
        self.append = partial(self._call, "append")
        self.reserve = partial(self._call, "reserve")
        self.take = partial(self._call, "take")
        self.renew = partial(self._call, "renew")
        self.claim = partial(self._call, "claim")
        self.restore = partial(self._call, "restore")
        self.unshipped = partial(self._call, "unshipped")
        self.shipped = partial(self._call, "shipped")

    async def _call(self, script: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        return await self._batcher.call(_Call(script, keys, args))

    async def _call_all(self, calls: Sequence[_Call]) -> list[Any]:
        replies = await self._send(calls)
        # A restarted Redis has no scripts. A call of one that it lacks has done nothing.
        unknown = [place for place, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            for script in {calls[place].script for place in unknown}:
                await self._redis.script_load(script_text(script))
            for place, reply in zip(unknown, await self._send([calls[place] for place in unknown]), strict=True):
                replies[place] = reply
        return replies

    async def _send(self, calls: Sequence[_Call]) -> list[Any]:
        pipe = self._redis.pipeline(transaction=False)
        for call in calls:
            pipe.evalsha(_digest(call.script), len(call.keys), *call.keys, *call.args)
        replies: list[Any] = await pipe.execute(raise_on_error=False)
        return replies
