"""A tab is closed while a post is written. Who comes back, here or on another device, finds the whole history."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

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
from tests.model_server import ModelServer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]

SECTIONS = "write-post/write-section:"


async def test_closing_the_tab_stops_and_loses_nothing(
    model_workplace: Workplace, model: ModelServer, visitors: Visitors
) -> None:
    context = await visitors.come(model_workplace.state)
    page = await context.new_page()
    gate = model.script.hold("write-section", "> Part 2", after=12)
    await order_post(page, model_workplace.site_url, "Winter tyres and a closed tab")
    await gate.reached()
    await expect(step(page, SECTIONS, "succeeded")).to_have_count(2)
    await expect(sections(page).nth(1).locator(".prose")).not_to_be_empty()
    address, seen = page.url, await read_text(page)
    await page.close()

    again = await context.new_page()
    device = await (await visitors.come(model_workplace.state)).new_page()
    for opened in (again, device):
        await opened.goto(address)
        assert await read_text(opened) == seen
        assert await step(opened, SECTIONS, "succeeded").count() == 2
        await expect(step(opened, "write-post/outline-post", "succeeded")).to_have_count(1)

    gate.release()
    written = await read_output(context, model_workplace.product.url, await run_id(again))
    for opened in (again, device):
        await wait_for_status(opened, "succeeded")
        assert await read_text(opened) == written
    assert model.counts["write-section"] == 3
    assert model.counts["outline"] == 1


async def test_a_post_finishes_with_nobody_watching(
    model_workplace: Workplace, model: ModelServer, visitors: Visitors
) -> None:
    context = await visitors.come(model_workplace.state)
    page = await context.new_page()
    gate = model.script.hold("outline", after=0)
    await order_post(page, model_workplace.site_url, "Cargo bikes with nobody watching")
    run, address = await run_id(page), page.url
    await page.close()
    gate.release()
    written = await read_output(context, model_workplace.product.url, run)

    again = await context.new_page()
    await again.goto(model_workplace.site_url)
    await again.get_by_role("link", name="Cargo bikes with nobody watching").click()
    await again.wait_for_url(address)
    await expect(again.locator("[data-run]")).to_have_attribute("data-run-status", "succeeded")
    assert await read_text(again) == written
