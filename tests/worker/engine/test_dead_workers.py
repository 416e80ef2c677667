"""Workers that die or freeze in the middle of a post."""

from __future__ import annotations

import asyncio

from app.contract.events import Event
from app.contract.run import Run
from app.stores.epochs import Epochs
from tests.model_server import ModelServer
from tests.sites.server import FixtureSite
from tests.support.site_rows import SITE, WORKSPACE
from tests.support.worker_process import Deployment
from tests.worker.engine.log_checks import check_run, find, has


def _streams(events: list[Event]) -> bool:
    """Return whether a section that has not succeeded has written text."""
    done = {event.step for event in find(events, "step.succeeded")}
    return any(event.step not in done for event in find(events, "step.output", "write-section"))


def texts(run: Run) -> str:
    return "\n".join(section["markdown"] for section in run.output["sections"])


async def test_when_a_worker_is_killed_the_other_goes_on_with_its_run(
    deployment: Deployment, model: ModelServer
) -> None:
    await asyncio.gather(deployment.start_worker(), deployment.start_worker())
    # One section stops after it has streamed some of its text; the others get through.
    gate = model.script.hold("write-section", after=2)
    run_id = await deployment.write_post()
    await gate.reached()
    before = await deployment.wait_for_events(
        run_id, lambda events: has("step.succeeded", "write-section", 2)(events) and _streams(events)
    )

    await (await deployment.holder_of(run_id)).kill()
    run = await deployment.wait_for_end(run_id)

    events = await check_run(deployment, run_id)
    assert run.status == "succeeded"
    assert len(find(events, "run.recovered")) == 1
    assert model.counts["outline"] == 1
    assert model.counts["write-section"] == 4
    done = {event.step for event in find(before, "step.succeeded")}
    assert all(len(find(events, "step.started", step)) == 1 for step in done)
    again = [step for step in run.steps.values() if len(step.attempts) == 2 and step.path != "write-post"]
    assert len(again) == 1
    assert again[0].counting is not None
    assert again[0].counting.number == 2
    assert again[0].counting.text in texts(run)


async def test_a_frozen_worker_writes_nothing_when_it_wakes_up(deployment: Deployment, model: ModelServer) -> None:
    await asyncio.gather(deployment.start_worker(), deployment.start_worker())
    gate = model.script.hold("outline", after=0)
    run_id = await deployment.write_post()
    await gate.reached()
    frozen = await deployment.holder_of(run_id)
    frozen.freeze()
    stale = Epochs(deployment.database)
    epoch = (await deployment.row(run_id)).epoch

    run = await deployment.wait_for_end(run_id)
    written = await check_run(deployment, run_id)
    row = await deployment.row(run_id)
    model.script.clear()
    frozen.thaw()
    # It beats again, so its event loop runs, and it ends in order: whatever it would do, it has done.
    await deployment.wait_for_beat(frozen)
    assert await frozen.stop() == 0

    assert run.status == "succeeded"
    assert await check_run(deployment, run_id) == written
    assert await deployment.row(run_id) == row
    assert (await stale.mint(run_id)).epoch == epoch + 2  # type: ignore[union-attr]  # the run is there


async def test_without_a_worker_a_run_waits_until_one_comes(deployment: Deployment) -> None:
    run_id = await deployment.write_post()
    assert (await deployment.log.fold(run_id)).status == "queued"

    await deployment.start_worker()

    assert (await deployment.wait_for_end(run_id)).status == "succeeded"
    await check_run(deployment, run_id)


async def test_a_run_that_redis_never_got_is_found_in_sql(deployment: Deployment) -> None:
    run_id = await deployment.write_post()
    await deployment.redis.flushall()

    await deployment.start_worker()

    assert (await deployment.wait_for_end(run_id)).status == "succeeded"
    events = await check_run(deployment, run_id)
    assert len(find(events, "run.submitted")) == 1
    assert (SITE, WORKSPACE) == ((await deployment.row(run_id)).site_id, (await deployment.row(run_id)).workspace_id)


async def test_an_epoch_minted_in_sql_alone_hands_the_run_over(deployment: Deployment, model: ModelServer) -> None:
    """Mint without taking the lease, so that SQL refuses what Redis still takes."""
    async with FixtureSite() as site:
        await deployment.start_worker(LONGHAND_CRAWL_ALLOW=site.host_port, LONGHAND_CRAWL_MAX_PAGES="2")
        gate = model.script.hold("profile-site", after=0)
        deployment.submission = deployment.submission_for(site.host_port)
        run_id = await deployment.submit("onboard-site", {"url": site.url})
        await gate.reached()
        await Epochs(deployment.database).mint(run_id)
        gate.release()

        run = await deployment.wait_for_end(run_id)

    events = await check_run(deployment, run_id)
    assert run.status == "succeeded"
    assert len(find(events, "run.handed_over")) == 1
    assert find(events, "run.recovered") == find(events, "step.failed") == find(events, "step.retrying") == []
