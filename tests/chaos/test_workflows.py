"""The shipped workflows, their workers killed at every event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from app.contract.settings import Settings
from tests.chaos.worlds import Worlds
from tests.sites.server import FixtureSite
from worker.testing import Chaos
from worker.workflows.onboard_site import onboard_site
from worker.workflows.write_post import write_post


@pytest.fixture
async def worlds(settings: Settings, migrated_file: Path, tmp_path: Path) -> AsyncIterator[Worlds]:
    async with FixtureSite() as site:
        yield Worlds(settings, migrated_file, tmp_path, site)


async def test_a_post_survives_a_death_at_every_event(chaos: Chaos, worlds: Worlds) -> None:
    assert await chaos.at_every_event(write_post, worlds.writing) > 20


async def test_a_post_whose_outline_is_approved_survives_a_death_at_every_event(chaos: Chaos, worlds: Worlds) -> None:
    assert await chaos.at_every_event(write_post, partial(worlds.writing, approve_outline=True)) > 20


async def test_a_post_survives_many_deaths(chaos: Chaos, worlds: Worlds) -> None:
    await chaos.at_random(write_post, worlds.writing, runs=20, deaths=5)


async def test_onboarding_survives_a_death_at_every_event(chaos: Chaos, worlds: Worlds) -> None:
    assert await chaos.at_every_event(onboard_site, worlds.onboarding) > 20


async def test_onboarding_survives_many_deaths(chaos: Chaos, worlds: Worlds) -> None:
    await chaos.at_random(onboard_site, worlds.onboarding, runs=10, deaths=5)
