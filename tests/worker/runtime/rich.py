"""A workflow that has everything: branches, nesting, retries, settled failures, asks, streaming, a fallback."""

from __future__ import annotations

from pydantic import BaseModel

from tests.worker.runtime.harness import Probe
from worker.runtime import (
    Failed,
    Retry,
    ask,
    component,
    exponential,
    gather,
    progress,
    publish,
    resource,
    say,
    stream,
    workflow,
)

SOON = Retry(attempts=3, wait=exponential(0.0, jitter=False), on=ConnectionError)


class Plan(BaseModel):
    keys: list[str]


class Part(BaseModel):
    key: str
    text: str


@component(retry=SOON, timeout=60)
async def plan_parts(count: int) -> Plan:
    resource(Probe).hit("plan")
    say("planning")
    return Plan(keys=[f"p{number}" for number in range(count)])


@component(retry=SOON)
async def draft(key: str) -> str:
    resource(Probe).hit(f"draft:{key}")
    for piece in ("text ", "of ", key):
        stream(piece)
    resource(Probe).hit(f"drafted:{key}")
    return f"text of {key}"


@component
async def check(text: str) -> bool:
    resource(Probe).hit("check")
    return bool(text)


@component(retry=Retry(attempts=2, wait=exponential(0.0, jitter=False), on=ConnectionError))
async def write_part(key: str) -> Part:
    text = await draft(key)
    await check(text)
    progress(1, 1)
    resource(Probe).hit(f"part:{key}")
    return Part(key=key, text=text)


@component
async def broken() -> str:
    resource(Probe).hit("broken")
    stream("never to be seen")
    raise ValueError("this one is broken")


@component
async def plain(key: str) -> str:
    stream("second way")
    return "second way"


@component
async def first_way(key: str) -> str:
    resource(Probe).hit("first way")
    stream("first way")
    raise ConnectionError("the first way is closed")


@workflow("rich")
async def rich(count: int) -> str:
    plan = await ask("plan", await plan_parts(count), Plan)
    publish("plan", plan)
    parts = await gather(*(write_part.key(key)(key) for key in plan.keys), limit=2)
    failure = await broken.settled()()
    assert isinstance(failure, Failed)
    other = await first_way.fallback(plain)("x")
    return " | ".join([*(part.text for part in parts), failure.error.message, other])


OUTPUT = "text of p0 | text of p1 | text of p2 | this one is broken | second way"
