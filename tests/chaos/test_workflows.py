"""The shipped workflows, killed, cancelled and retried at every event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from app.contract.settings import Settings
from app.stores.tables import SiteRow
from tests.chaos.scenarios import WorkflowScenarios
from tests.sites.server import FixtureSite
from tests.sites.town import Town, resolve_in_town
from tests.support.site_rows import SITE
from worker.crawl.fetch import Fetcher
from worker.crawl.politeness import HostThrottle
from worker.crawl.site import SiteReader
from worker.testing import Chaos, Scenario
from worker.workflows.onboard_site import onboard_site
from worker.workflows.write_post import write_post


@pytest.fixture
async def scenarios(settings: Settings, migrated_file: Path, tmp_path: Path) -> AsyncIterator[WorkflowScenarios]:
    async with FixtureSite() as site:
        yield WorkflowScenarios(settings, migrated_file, tmp_path, site)


async def test_a_post_survives_a_kill_at_every_event(chaos: Chaos, scenarios: WorkflowScenarios) -> None:
    assert await chaos.at_every_event(write_post, scenarios.writing) > 20


async def test_a_post_with_all_that_can_happen_to_it_survives_a_kill_at_every_event(
    chaos: Chaos, scenarios: WorkflowScenarios
) -> None:
    """Its outline is approved, its author is busy now and then, and one section fails for good."""
    eventful = partial(scenarios.writing, approve_outline=True, author_fails=True)
    assert await chaos.at_every_event(write_post, eventful) > 40
    assert {"run.waiting", "command.applied", "step.output"} <= {*chaos.killed_after}
    assert {"step.retrying", "step.failed", "run.incomplete"} <= {*chaos.events}


async def test_a_post_survives_many_kills(chaos: Chaos, scenarios: WorkflowScenarios) -> None:
    await chaos.at_random(write_post, scenarios.writing, runs=20, kills=5)


async def test_a_post_that_was_cancelled_is_finished_by_a_retry(chaos: Chaos, scenarios: WorkflowScenarios) -> None:
    eventful = partial(scenarios.writing, approve_outline=True, author_fails=True)
    assert await chaos.cancel_at_every_event(write_post, eventful, most=12) == 12
    assert chaos.events["run.cancelled"] >= 10


async def test_each_step_of_a_post_can_be_retried(chaos: Chaos, scenarios: WorkflowScenarios) -> None:
    assert await chaos.retry_every_step(write_post, scenarios.writing) > 5


async def test_onboarding_survives_a_kill_at_every_event(chaos: Chaos, scenarios: WorkflowScenarios) -> None:
    """Its author is busy now and then, and one page fails for good."""
    assert await chaos.at_every_event(onboard_site, partial(scenarios.onboarding, author_fails=True)) > 20
    assert {"step.retrying", "step.failed", "run.incomplete"} <= {*chaos.events}


async def test_onboarding_survives_many_kills(chaos: Chaos, scenarios: WorkflowScenarios) -> None:
    await chaos.at_random(onboard_site, scenarios.onboarding, runs=10, kills=5)


@pytest.mark.parametrize("typed", ["shop.test/", "http://shop.test/"])
async def test_a_site_of_plain_http_is_kept_under_its_address(
    chaos: Chaos, scenarios: WorkflowScenarios, typed: str
) -> None:
    found: list[str] = []

    @asynccontextmanager
    async def plain_http() -> AsyncIterator[Scenario]:
        async with FixtureSite() as site:
            reader = SiteReader(
                fetcher=Fetcher(pace=HostThrottle(gap=0), resolve=resolve_in_town, dial=Town(http=site.port))
            )
            async with scenarios.reading(typed, reader) as (scenario, database):
                yield scenario
                async with database.reading() as session:
                    row = await session.get(SiteRow, SITE)
                assert row is not None
                found.append(row.url)

    await chaos.at_random(onboard_site, plain_http, runs=2)
    assert found == ["http://shop.test/"] * 3
    assert chaos.events["run.succeeded"] == 3


async def test_onboarding_that_was_cancelled_is_finished_by_a_retry(chaos: Chaos, scenarios: WorkflowScenarios) -> None:
    onboarding = partial(scenarios.onboarding, author_fails=True)
    assert await chaos.cancel_at_every_event(onboard_site, onboarding, most=12) == 12
    assert chaos.events["run.cancelled"] >= 10


async def test_each_step_of_onboarding_can_be_retried(chaos: Chaos, scenarios: WorkflowScenarios) -> None:
    assert await chaos.retry_every_step(onboard_site, scenarios.onboarding) > 5
