"""Drafts of an outline: there after a reload, and on another device, until it is approved."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.end_to_end.visiting import Visitors, Workplace, order_post, sections, wait_for_status
from tests.model_server import ModelServer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]


async def test_an_outline_that_is_edited_survives_a_reload(
    model_workplace: Workplace, model: ModelServer, visitors: Visitors
) -> None:
    page = await (await visitors.come(model_workplace.state)).new_page()
    await order_post(page, model_workplace.site_url, "Panniers that are edited twice", approve=True)
    await wait_for_status(page, "waiting")
    proposed = await page.locator("[name=heading-1]").input_value()
    start_over = page.get_by_text("Start over from the proposal")
    await expect(start_over).to_be_hidden()
    await page.locator("[name=heading-1]").fill("Of no use")
    await expect(page.get_by_text("Draft kept")).to_be_visible()
    await start_over.click()
    await page.get_by_role("button", name="Start over").click()
    await expect(page.locator("[name=heading-1]")).to_have_value(proposed)
    await expect(page.get_by_text("Draft kept")).to_have_count(0)

    await page.locator("[name=heading-1]").press_sequentially("!")
    await page.locator("[name=heading-1]").fill("First of all")
    await page.locator("[name=leave-out-3]").check()
    async with page.expect_response(lambda answer: "Then+on+the+train" in (answer.request.post_data or "")):
        await page.locator("[name=heading-2]").fill("Then on the train")
    await expect(page.get_by_text("Draft kept")).to_be_visible()
    await page.reload()
    device = await (await visitors.come(model_workplace.state)).new_page()
    await device.goto(page.url)
    for opened in (page, device):
        await expect(opened.get_by_role("heading", name="with your changes")).to_be_visible()
        await expect(opened.locator("[name=heading-1]")).to_have_value("First of all")
        await expect(opened.locator("[name=heading-2]")).to_have_value("Then on the train")
        await expect(opened.locator("[name=leave-out-3]")).to_be_checked()
    await device.get_by_role("button", name="Approve and write").click()
    for opened in (page, device):
        await wait_for_status(opened, "succeeded")
        assert await sections(opened).locator("h2").all_inner_texts() == ["First of all", "Then on the train"]
    assert any("> First of all" in asked.prompt for asked in model.requests)
