"""A post whose log a test writes, served by the product's own web process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from app.accounts.sessions import digest_of
from app.content.values import Outline, OutlineSection
from app.contract.events import ObjectPublished, RunIncomplete, RunWaiting, StepFailed, StepStarted
from app.contract.payloads import Ask, ErrorData, Incomplete, Published, StepBegun, StepError, WaitingData
from app.contract.run import Run, fold
from app.contract.status import RunStatus
from app.stores.repositories.workspaces import add_session
from app.stores.tables import PostRow, RunRow, SiteRow, utc_now
from tests.app.live.processes import WebProcess, wait_for_port
from tests.app.live.writing import WORKSPACE, Stores, Writer
from tests.support.product import ROOT

SITE = "site_1"
ROOT_STEP = "write-post"
FIRST, SECOND, THIRD = (f"{ROOT_STEP}/write-section:{name}" for name in ("alpha", "beta", "gamma"))


class PostWriter(Writer):
    """Writes the log of one post, as a worker would."""

    @property
    def address(self) -> str:
        """The path of its page."""
        return f"/posts/post_{self.run_id}"

    @classmethod
    async def order(cls, stores: Stores, *names: str) -> PostWriter:
        """A post that is being written: planned with these sections, the first of them begun."""
        writer = await cls.submit(stores)
        assert isinstance(writer, cls)
        async with stores.database.writing() as session:
            post_id = writer.address.rpartition("/")[2]
            session.add(PostRow(id=post_id, workspace_id=WORKSPACE, site_id=SITE, run_id=writer.run_id, topic="A post"))
        await writer.plan(*(names or ("alpha", "beta", "gamma")))
        return writer

    async def begin(self, step: str, attempt: int = 1, earlier: float = 0) -> str:
        """Begin a step, by a worker whose clock said so many seconds `earlier`."""
        data = StepBegun(component=step.rpartition("/")[2])
        at = utc_now() - timedelta(seconds=earlier)
        return (await self.append(StepStarted(step=step, attempt=attempt, at=at, data=data)))[0]

    async def plan(self, *names: str) -> None:
        sections = [OutlineSection(id=name, heading=f"On {name}") for name in names]
        outline = Outline(title="A post", summary="What it is about.", sections=sections)
        await self.begin(ROOT_STEP)
        await self.publish(ROOT_STEP, "outline", outline.model_dump(mode="json"))
        await self.begin(f"{ROOT_STEP}/write-section:{names[0]}")

    async def publish(self, step: str, name: str, value: object) -> None:
        await self.append(ObjectPublished(step=step, attempt=1, data=Published(name=name, value=value)))

    async def write_on(self, pieces: int = 20, *, step: str = FIRST, attempt: int = 1) -> None:
        """Append pieces of text, in paragraphs of five, with all that a page must not take for markup."""
        for number in range(pieces):
            end = "\n\n" if number % 5 == 4 else " "
            await self.write(step, f"<b>{number}</b> & &lt; plain{end}", attempt)
            await asyncio.sleep(0.01)

    async def fail(self, step: str, attempt: int = 1) -> None:
        error = ErrorData(kind="Boom", message="It broke for good.", step=step)
        await self.append(StepFailed(step=step, attempt=attempt, data=StepError(error=error)))

    async def end_incomplete(self, *failed: str) -> None:
        await self.append(RunIncomplete(data=Incomplete(output="ok", failed=list(failed))), release="ended")

    async def ask_for_outline(self) -> None:
        """Park the run until somebody approves an outline."""
        proposal = Outline(title="A post", sections=[OutlineSection(id="alpha", heading="On alpha")])
        ask = Ask(ask="ask-1", name="outline", step=ROOT_STEP, proposal=proposal.model_dump(mode="json"))
        await self.append(RunWaiting(data=WaitingData(asks=[ask])), release="parked")

    async def fold_at(self, cursor: str) -> Run:
        """The run as its log told it up to this cursor, which is an entry of it."""
        events = await self._stores.log.read(self.run_id)
        count = [event.id for event in events].index(cursor) + 1
        return fold(self.run_id, events[:count])


async def add_site(stores: Stores, session_value: str) -> None:
    """The site that all posts are from, and the browser's session that owns it."""
    onboarding = RunRow(
        id="run_site", workspace_id=WORKSPACE, workflow="onboard-site", title="Read", input={"url": "x"},
        status=RunStatus.SUCCEEDED, sealed=True,
    )  # fmt: skip
    async with stores.database.writing() as session:
        await add_session(session, digest_of(session_value), WORKSPACE)
        session.add(onboarding)
        await session.flush()
        session.add(SiteRow(id=SITE, workspace_id=WORKSPACE, run_id="run_site", url="https://example.com/"))


class ProductWeb(WebProcess):
    """`longhand web` at one address, to be stopped, killed and started again."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        super().__init__(redis_url, "")
        self._folder = folder
        self._redis_url = redis_url

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        others = {name: value for name, value in os.environ.items() if not name.startswith("LONGHAND_")}
        own = {"DATA_DIR": self._folder, "REDIS_URL": self._redis_url, "PORT": self.port, "HOST": "127.0.0.1"}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app.cli", "web",
            cwd=self._folder,
            env={**others, "PYTHONPATH": str(ROOT), **{f"LONGHAND_{name}": str(value) for name, value in own.items()}},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        await wait_for_port(self.port)


@asynccontextmanager
async def running_product_web(redis_url: str, folder: Path) -> AsyncIterator[ProductWeb]:
    web = ProductWeb(redis_url, folder)
    await web.start()
    try:
        yield web
    finally:
        await web.kill()
