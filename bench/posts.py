"""Posts with logs of any length, and pages that are all the same: written through the real log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from app.content.values import Outline, OutlineSection, Section
from app.content.workflows import ONBOARD_SITE, OUTLINE, SECTION, WRITE_POST, WRITE_SECTION
from app.contract import events as e
from app.contract import payloads as p
from app.stores.leases import Leases
from app.stores.tables import PostRow, RunRow, SiteRow
from bench.stores import WORKSPACE, Stores, accept
from worker.engine.archiver import Archiver

SITE = "site_bench"
SECTIONS = 4
PARAGRAPH = "A sentence on **what it costs**, and one more that says why, with `figures` for both of them.\n\n"
TEXT = PARAGRAPH * 140
"""Of each section."""
_LEASE_MS = 600_000
_BATCH, _SHIPPED_EVERY = 100, 5


@dataclass(frozen=True)
class WrittenPost:
    run_id: str
    address: str


async def add_site(stores: Stores) -> None:
    async with stores.database.writing() as session:
        reading = RunRow(id="run_site", workspace_id=WORKSPACE, workflow=ONBOARD_SITE, title="Read", input={"url": "x"})
        session.add(reading)
        await session.flush()
        session.add(SiteRow(id=SITE, workspace_id=WORKSPACE, run_id="run_site", url="https://example.com/"))


async def write_post(stores: Stores, count: int, *, end: bool = True) -> WrittenPost:
    """Write a post whose log has about so many events, and archive it meanwhile."""
    run_id, submitted = (await accept(stores, WRITE_POST, {"site_id": SITE, "topic": "Keeping one's word"})).popitem()
    await stores.log.submit(run_id, WRITE_POST, submitted)
    async with stores.database.writing() as session:
        session.add(PostRow(id=f"post_{run_id}", workspace_id=WORKSPACE, site_id=SITE, run_id=run_id, topic="A bench"))
    minted = await stores.epochs.mint(run_id)
    assert minted is not None
    assert await Leases(stores.redis, _LEASE_MS).take(run_id, minted.epoch, "bench", WRITE_POST, "1") is not None
    archiver = Archiver(stores)
    facts = [event.model_copy(update={"epoch": minted.epoch}) for event in _facts(count, end)]
    for number, start in enumerate(range(0, len(facts), _BATCH), start=1):
        last = end and start + _BATCH >= len(facts)
        await stores.log.append(
            run_id, minted.epoch, number, facts[start : start + _BATCH],
            lease_ms=_LEASE_MS, floor=minted.shipped, release="ended" if last else "",
        )  # fmt: skip
        if last or number % _SHIPPED_EVERY == 0:
            await archiver.archive_batch()
    return WrittenPost(run_id, f"/posts/post_{run_id}")


def _facts(count: int, end: bool) -> Iterator[e.Event]:
    """Yield the facts of a post: the sections' texts in as many pieces as make up the number."""
    planned = [OutlineSection(id=f"s{index}", heading=f"Point {index}") for index in range(SECTIONS)]
    outline = Outline(title="Keeping one's word", summary="What it costs.", sections=planned)
    yield e.RunStarted(data=p.Started(workflow=WRITE_POST, version="1"))
    yield e.StepStarted(step=WRITE_POST, attempt=1, data=p.StepBegun(component=WRITE_POST))
    yield e.ObjectPublished(step=WRITE_POST, attempt=1, data=p.Published(name=OUTLINE, value=outline.model_dump()))
    for section in planned:
        yield from section_facts(section, TEXT, max(1, count // SECTIONS - 5))
    if end:
        yield e.StepSucceeded(step=WRITE_POST, attempt=1, data=p.StepDone(result="done"))
        yield e.RunSucceeded(data=p.Result(output="done"))


def section_facts(section: OutlineSection, text: str, pieces: int) -> Iterator[e.Event]:
    """Yield the facts of one section, with its text in so many pieces."""
    path = f"{WRITE_POST}/{WRITE_SECTION}:{section.id}"
    written = Section(id=section.id, heading=section.heading, markdown=text).model_dump(mode="json")
    yield e.StepStarted(step=path, attempt=1, data=p.StepBegun(component=WRITE_SECTION, label=section.heading))
    ends = [round(number * len(text) / pieces) for number in range(pieces + 1)]
    for start, stop in pairwise(ends):
        yield e.StepOutput(step=path, attempt=1, data=p.Output(offset=start, text=text[start:stop]))
    yield e.ModelCalled(step=path, attempt=1, data=p.Called(model="m", input_tokens=900, output_tokens=700, cost=0.01))
    yield e.ObjectPublished(step=path, attempt=1, data=p.Published(name=SECTION, value=written))
    yield e.StepSucceeded(step=path, attempt=1, data=p.StepDone(result=written))
