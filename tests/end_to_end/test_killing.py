"""The product's processes are killed while somebody watches. They come back, and the page goes on."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.end_to_end.visiting import (
    Visitors,
    Workplace,
    order_post,
    read_output,
    read_text,
    run_id,
    sections,
    step,
    wait_for_status,
)
from tests.model_script import Gate
from tests.model_server import ModelServer

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("products"),
    pytest.mark.timeout(240),
]

SECTIONS = "write-post/write-section:"
RESTART = 100_000
"""Milliseconds: a page that was refused often comes again after half a minute, and processes start slowly here."""


async def test_the_web_process_is_killed(model_workplace: Workplace, model: ModelServer, visitors: Visitors) -> None:
    context = await visitors.come(model_workplace.state)
    context.set_default_timeout(RESTART)
    page = await context.new_page()
    gate = await _order_held_post(page, model_workplace, model, "Services watched through a crash")
    await _kill(model_workplace, "web")
    gate.release()
    await wait_for_status(page, "succeeded")
    assert await read_text(page) == await read_output(context, model_workplace.product.url, await run_id(page))
    assert model.counts["write-section"] == 3


async def test_the_worker_is_killed(model_workplace: Workplace, model: ModelServer, visitors: Visitors) -> None:
    context = await visitors.come(model_workplace.state)
    context.set_default_timeout(RESTART)
    page = await context.new_page()
    await _order_held_post(page, model_workplace, model, "Services written through a crash")
    await _kill(model_workplace, "worker")
    await wait_for_status(page, "succeeded")
    assert await read_text(page) == await read_output(context, model_workplace.product.url, await run_id(page))
    await expect(step(page, SECTIONS, "succeeded").filter(has_text="continued on another worker")).to_have_count(1)
    # What was finished is not written again.
    assert model.counts["outline"] == 1
    assert model.counts["write-section"] == 4


async def _order_held_post(page: Page, workplace: Workplace, model: ModelServer, topic: str) -> Gate:
    """A post of which all but the rest of one section is written."""
    gate = model.script.hold("write-section", "> Part 2", after=12)
    await order_post(page, workplace.site_url, topic)
    await gate.reached()
    await expect(step(page, SECTIONS, "succeeded")).to_have_count(2)
    await expect(sections(page).nth(1).locator(".prose")).not_to_be_empty()
    return gate


async def _kill(workplace: Workplace, name: str) -> None:
    product = workplace.product
    heard = product.kill(name)
    await asyncio.to_thread(product.wait_for_line, f"{name} was ended by SIGKILL; starting it again", heard)
