"""Plays the workers of posts that are being written: `python -m bench.viewers_writer ORDER_JSON` appends their facts.

Says `ready` when every run has begun, starts on a line from standard input, and then prints what it wrote as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from app.content.values import Outline, OutlineSection, Source
from app.content.workflows import OUTLINE, SOURCES, WRITE_POST, WRITE_SECTION
from app.contract.events import Event, ObjectPublished, RunStarted, StepOutput, StepStarted, StepSucceeded
from app.contract.payloads import Output, Published, Started, StepBegun, StepDone
from app.contract.settings import Settings
from app.stores.epochs import Epochs
from app.stores.leases import Leases
from bench.stores import Stores, open_stores

SECTIONS = 6
PIECES_A_PARAGRAPH = 8
LEASE_MS = 600_000


@dataclass
class Post:
    """One run, as its worker writes it. `pieces`: the cursor of each piece of text, in order."""

    stores: Stores
    run_id: str
    total: int
    pieces: list[str] = field(default_factory=list)
    epoch: int = 0
    number: int = 0
    offset: int = 0
    step: str = ""

    async def begin(self) -> None:
        minted = await Epochs(self.stores.database).mint(self.run_id)
        assert minted is not None
        self.epoch = minted.epoch
        taken = await Leases(self.stores.redis, LEASE_MS).take(self.run_id, self.epoch, "bench", WRITE_POST, "1")
        assert taken is not None
        outline = Outline(title="How a firm keeps its word", sections=[_section(index) for index in range(SECTIONS)])
        source = Source(number=1, url="https://example.com/about", title="About", passages=["s1"])
        objects = {OUTLINE: outline.model_dump(mode="json"), SOURCES: [source.model_dump(mode="json")]}
        await self._append(
            RunStarted(data=Started(workflow=WRITE_POST, version="1")),
            StepStarted(step=WRITE_POST, attempt=1, data=StepBegun(component=WRITE_POST)),
            *(
                ObjectPublished(step=WRITE_POST, attempt=1, data=Published(name=name, value=value))
                for name, value in objects.items()
            ),
        )

    async def write(self, index: int) -> None:
        """Write the next piece of text. With a section's first piece, end the section before it."""
        section = index * SECTIONS // self.total
        step = f"{WRITE_POST}/{WRITE_SECTION}:part-{section}"
        events: list[Event] = []
        if step != self.step:
            if self.step:
                events.append(StepSucceeded(step=self.step, attempt=1, data=StepDone(result={"id": "part"})))
            begun = StepBegun(component=WRITE_SECTION, label=f"Part {section}", key=f"part-{section}")
            events.append(StepStarted(step=step, attempt=1, data=begun))
            self.step, self.offset = step, 0
        text = piece_text(index)
        events.append(StepOutput(step=step, attempt=1, data=Output(offset=self.offset, text=text)))
        self.offset += len(text)
        self.pieces.append((await self._append(*events))[-1])

    async def _append(self, *events: Event) -> list[str]:
        self.number += 1
        stamped = [event.model_copy(update={"epoch": self.epoch}) for event in events]
        return await self.stores.log.append(self.run_id, self.epoch, self.number, stamped, lease_ms=LEASE_MS)


def marker(index: int) -> str:
    """Return the word that only this piece of a post's text holds."""
    return f"w{index:06d}"


def piece_text(index: int) -> str:
    ends = (index + 1) % PIECES_A_PARAGRAPH == 0
    return f"The firm keeps its **word** {marker(index)} to people." + ("\n\n" if ends else " ")


def _section(index: int) -> OutlineSection:
    return OutlineSection(id=f"part-{index}", heading=f"Part {index}", points=["What it promises"], passages=["s1"])


async def _pace(post: Post, begun: float, interval: float) -> None:
    """Write a piece each `interval` seconds, by the clock: a late one does not delay the next."""
    for index in range(post.total):
        pause = begun + index * interval - time.perf_counter()
        await asyncio.sleep(max(0.0, pause))
        await post.write(index)


async def write_posts(
    settings: Settings, run_ids: list[str], per_second: float, seconds: float
) -> dict[str, list[str]]:
    """Write all the posts at once, `per_second` pieces a second each."""
    async with open_stores(settings) as stores:
        posts = [Post(stores, run_id, max(SECTIONS, int(per_second * seconds))) for run_id in run_ids]
        for post in posts:
            await post.begin()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        begun, interval = time.perf_counter(), 1 / per_second
        await asyncio.gather(
            *(_pace(post, begun + interval * at / len(posts), interval) for at, post in enumerate(posts))
        )
        return {post.run_id: post.pieces for post in posts}


if __name__ == "__main__":
    import uvloop

    order = json.loads(sys.argv[1])
    written = uvloop.run(write_posts(Settings(), order["runs"], order["per_second"], order["seconds"]))
    Path(order["file"]).write_text(json.dumps(written))
    print("done", flush=True)
