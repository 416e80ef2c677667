"""Workers of two versions of a workflow side by side, as they are in the middle of a deploy."""

from __future__ import annotations

from app.contract.run import Run
from tests.support.site_rows import WORKSPACE
from tests.support.worker_process import Deployment, WorkerHandle
from tests.worker.engine.log_checks import check_run, find, has


async def start(deployment: Deployment, version: str) -> WorkerHandle:
    return await deployment.start_worker("tests.worker.engine.relay_worker", version, LONGHAND_MODEL="")


async def answer(deployment: Deployment, run: Run) -> None:
    (ask,) = run.asks
    await deployment.commands.answer(await deployment.queries.load(run.id, WORKSPACE), ask.name, ask.ask, "go")


async def test_an_older_worker_never_takes_what_a_newer_one_has_run(deployment: Deployment) -> None:
    newer = await start(deployment, "10")
    run_id = await deployment.submit("relay", "ready")
    await deployment.wait_for_events(run_id, has("run.waiting"))
    older = await start(deployment, "9")
    assert await newer.stop() == 0
    await answer(deployment, await deployment.log.fold(run_id))
    # The older worker is alive and takes what it may: a run of its own goes through, this one stays where it is.
    other = await deployment.submit("relay", "ready")
    await deployment.wait_for_events(other, has("run.waiting"))
    assert (await deployment.log.fold(run_id)).status == "queued"

    await start(deployment, "10")
    run = await deployment.wait_for_end(run_id)

    events = await check_run(deployment, run_id)
    assert run.status == "succeeded"
    assert [event.data.version for event in find(events, "run.started")] == ["10", "10"]  # type: ignore[union-attr]  # the type names the class
    assert (await deployment.row(run_id)).version == "10"
    assert await older.stop() == 0


async def test_a_newer_worker_goes_on_with_what_an_older_one_began(deployment: Deployment) -> None:
    older = await start(deployment, "1")
    run_id = await deployment.submit("relay", "ready")
    await deployment.wait_for_events(run_id, has("run.waiting"))
    assert await older.stop() == 0
    await start(deployment, "2")

    await answer(deployment, await deployment.log.fold(run_id))
    run = await deployment.wait_for_end(run_id)

    events = await check_run(deployment, run_id)
    assert run.output == "go"
    assert [event.data.version for event in find(events, "run.started")] == ["1", "2"]  # type: ignore[union-attr]  # the type names the class
    assert len(find(events, "step.started", "note:first")) == 1
    assert (await deployment.row(run_id)).version == "2"
