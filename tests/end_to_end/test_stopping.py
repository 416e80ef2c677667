"""A person stops a post: what was written stays and is marked, and can be gone on with."""

from __future__ import annotations

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
    squeeze,
    step,
    wait_for_status,
)
from tests.model_server import ModelServer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]

SECTIONS = "write-post/write-section:"


async def test_a_stopped_post_keeps_its_text_and_goes_on_later(
    model_workplace: Workplace, model: ModelServer, visitors: Visitors
) -> None:
    context = await visitors.come(model_workplace.state)
    page = await context.new_page()
    gate = model.script.hold("write-section", "> Part 2", after=12)
    await order_post(page, model_workplace.site_url, "Wheel building, stopped")
    await gate.reached()
    await expect(step(page, SECTIONS, "succeeded")).to_have_count(2)
    half = sections(page).nth(1)
    await expect(half.locator(".prose")).not_to_be_empty()
    seen = await _read_sections(page)

    await page.get_by_role("button", name="Stop", exact=True).click()
    await wait_for_status(page, "cancelled")
    for _ in range(2):
        first, second, third = await _read_sections(page)
        assert [first, third] == [seen[0], seen[2]]
        # The last characters may have been held back, for as long as they could become markup.
        assert second.startswith(seen[1])
        await expect(half).to_contain_text("Stopped in the middle. This text is kept here, and is part of no export.")
        await expect(page.get_by_text("You stopped the writing")).to_be_visible()
        await page.reload()
    await model.wait_for_aborts(1)  # the model is not left writing for nobody

    address = page.url
    for suffix in ("md", "html", "docx"):
        refusal = await page.goto(f"{address}.{suffix}")
        assert refusal is not None
        assert refusal.status == 409
        await expect(page.locator("main")).to_contain_text("This post is not finished yet")

    await page.goto(address)
    await page.get_by_role("button", name="Go on writing").click()
    await wait_for_status(page, "succeeded")
    assert model.counts["outline"] == 1
    assert model.counts["write-section"] == 4
    assert await read_text(page) == await read_output(context, model_workplace.product.url, await run_id(page))


async def _read_sections(page: Page) -> list[str]:
    return [squeeze(await text.inner_text()) for text in await sections(page).locator(".prose").all()]
