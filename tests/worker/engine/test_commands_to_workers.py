"""Commands on a run that a worker process holds."""

from __future__ import annotations

from tests.model_server import ModelServer
from tests.support.site_rows import WORKSPACE
from tests.support.worker_process import Deployment
from tests.worker.engine.log_checks import check_run, find, has


async def test_a_cancel_reaches_the_running_call(deployment: Deployment, model: ModelServer) -> None:
    await deployment.start_worker()
    gate = model.script.hold("write-section", after=2, times=3)
    run_id = await deployment.write_post()
    await gate.reached()
    await deployment.wait_for_events(run_id, has("step.output", "write-section", 3))

    await deployment.commands.cancel(await deployment.queries.load(run_id, WORKSPACE))
    await model.wait_for_aborts(3)
    run = await deployment.wait_for_end(run_id)

    events = await check_run(deployment, run_id)
    assert run.status == "cancelled"
    assert len(find(events, "command.applied")) == 1
    sections = [step for step in run.steps.values() if step.component == "write-section"]
    assert all(step.latest and step.latest.text for step in sections)
    assert run.output is None


async def test_a_retry_runs_that_section_and_what_depends_on_it(deployment: Deployment, model: ModelServer) -> None:
    await deployment.start_worker()
    model.script.fail("write-section", status=400)
    run_id = await deployment.write_post()
    run = await deployment.wait_for_end(run_id)
    assert run.status == "incomplete"
    (failed,) = run.failed_steps
    counts = dict(model.counts)

    await deployment.commands.retry(
        await deployment.queries.load(run_id, WORKSPACE), [failed.path], "Mention the spring sale."
    )
    await deployment.wait_for_events(run_id, has("run.succeeded"))

    await check_run(deployment, run_id)
    run = await deployment.log.fold(run_id)
    assert run.output["missing"] == []
    assert dict(model.counts) == {**counts, "write-section": counts["write-section"] + 1}
    assert "Mention the spring sale." in model.requests[-1].prompt
    again = {step.path for step in run.steps.values() if len(step.attempts) > 1}
    assert again == {"write-post", failed.path, "write-post/assemble-post"}
