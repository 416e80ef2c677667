"""The script of the tests' model server: which requests fail or are held, and how."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

Cut = Literal["silent", "reset"]


class Rule(BaseModel):
    """How to answer requests of a `kind` whose text holds `match` (empty: any). `times` 0: for ever.

    `status` answers with that error, `retry_after` seconds and the message it `says`. `cut` ends a stream after
    `after` pieces, either without its last events (`silent`) or by dropping the connection (`reset`). `hang` sends
    nothing at all. `text` replaces the reply. `hold` stops after `after` pieces until it is released.
    `usage` and `finish` change the last events; `delay`: seconds between pieces.
    """

    model_config = ConfigDict(extra="forbid")

    kind: str = ""
    match: str = ""
    times: int = 1
    status: int = 0
    retry_after: float | None = None
    says: str = "The test says no."
    cut: Cut | None = None
    hang: bool = False
    hold: bool = False
    after: int = 2
    text: str | None = None
    usage: bool = True
    finish: str | None = "stop"
    delay: float = 0


class Gate:
    """A gate that stops requests. A test waits until one has reached it, and releases it."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._released = asyncio.Event()

    async def reached(self) -> None:
        """Return when a request has reached the gate."""
        await self._reached.wait()

    def release(self) -> None:
        """Open the gate, for good."""
        self._released.set()

    async def pass_through(self) -> None:
        self._reached.set()
        await self._released.wait()


@dataclass
class ActiveRule:
    id: int
    rule: Rule
    gate: Gate = field(default_factory=Gate)
    used: int = 0


class Script:
    """The current rules, oldest first: the first that fits a request and is not used up applies."""

    def __init__(self) -> None:
        self._active: list[ActiveRule] = []
        self._last_id = 0

    def add(self, rule: Rule) -> ActiveRule:
        self._last_id += 1
        active = ActiveRule(self._last_id, rule)
        self._active.append(active)
        return active

    def fail(self, kind: str = "", match: str = "", **how: Any) -> Self:
        """Add a `Rule`: `script.fail("outline", status=500, times=2)`."""
        self.add(Rule(kind=kind, match=match, **how))
        return self

    def hold(self, kind: str = "", match: str = "", *, after: int = 2, times: int = 1) -> Gate:
        """Stop the next requests that fit after `after` pieces; 0: before the first byte."""
        return self.add(Rule(kind=kind, match=match, hold=True, after=after, times=times)).gate

    def release(self, id: int) -> bool:
        """Open the gate of the rule with that id; return False if there is none."""
        found = [active for active in self._active if active.id == id]
        for active in found:
            active.gate.release()
        return bool(found)

    def clear(self) -> None:
        """Remove all rules, and release all held requests."""
        for active in self._active:
            active.gate.release()
        self._active.clear()

    def take(self, kind: str, text: str) -> ActiveRule | None:
        """Return the rule for a request, and count one use of it."""
        for active in self._active:
            rule = active.rule
            left = rule.times == 0 or active.used < rule.times
            if left and rule.kind in ("", kind) and rule.match in text:
                active.used += 1
                return active
        return None
