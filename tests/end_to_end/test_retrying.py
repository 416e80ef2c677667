"""A section fails; it alone is written again, with or without JavaScript, and the post becomes whole."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, expect

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
REASON = "This prompt is not liked here."
WISH = "Write it for children"


async def test_a_failed_section_is_written_again_and_nothing_else(
    model_workplace: Workplace, model: ModelServer, visitors: Visitors
) -> None:
    context = await visitors.come(model_workplace.state)
    page = await context.new_page()
    model.script.fail("write-section", "> Part 2", status=400, says=REASON)
    await order_post(page, model_workplace.site_url, "Bikes in winter, retried")
    await wait_for_status(page, "incomplete")
    others = await _expect_gap(page)
    assert model.counts["write-section"] == 3

    gate = model.script.hold("write-section", "> Part 2", after=12)
    await _retry(page)
    await gate.reached()
    await expect(sections(page).nth(1).locator(".prose")).not_to_be_empty()
    await expect(page.locator("[data-run]")).to_have_attribute("data-run-status", "running")
    assert [await sections(page).nth(number).locator(".prose").inner_text() for number in (0, 2)] == others
    gate.release()
    await wait_for_status(page, "succeeded")
    await _expect_whole(page, context, model_workplace, model, others)


async def test_everything_works_without_javascript(
    model_workplace: Workplace, model: ModelServer, visitors: Visitors
) -> None:
    context = await visitors.come(model_workplace.state, java_script_enabled=False)
    page = await context.new_page()
    model.script.fail("write-section", "> Part 2", status=400, says=REASON)
    await order_post(page, model_workplace.site_url, "Bikes in winter, without JavaScript")
    await expect(page.locator("noscript p")).to_be_visible()
    await read_output(context, model_workplace.product.url, await run_id(page))
    await page.reload()
    await wait_for_status(page, "incomplete")
    others = await _expect_gap(page)

    await _retry(page)
    assert await sections(page).nth(1).get_attribute("id") == page.url.partition("#")[2]
    await read_output(context, model_workplace.product.url, await run_id(page))
    await page.reload()
    await wait_for_status(page, "succeeded")
    await _expect_whole(page, context, model_workplace, model, others)


async def _expect_gap(page: Page) -> list[str]:
    """The second section says why it is missing, the others stand: gives their texts."""
    gap = sections(page).nth(1)
    await expect(gap).to_contain_text("This section could not be written")
    await expect(gap).to_contain_text(REASON)
    await expect(step(page, SECTIONS, "failed")).to_have_count(1)
    await expect(step(page, SECTIONS, "succeeded")).to_have_count(2)
    return [await sections(page).nth(number).locator(".prose").inner_text() for number in (0, 2)]


async def _retry(page: Page) -> None:
    await page.get_by_label("Guidance").fill(WISH)
    await page.get_by_role("button", name="Retry this section").click()
    await page.wait_for_url("**#section-*")


async def _expect_whole(
    page: Page, context: BrowserContext, workplace: Workplace, model: ModelServer, others: list[str]
) -> None:
    assert model.counts["outline"] == 1
    assert model.counts["write-section"] == 4
    assert WISH in model.requests[-1].prompt
    await expect(step(page, SECTIONS, "succeeded")).to_have_count(3)
    await expect(page.get_by_text(REASON)).to_have_count(0)
    await expect(page.get_by_text("could not be written")).to_have_count(0)
    assert [await sections(page).nth(number).locator(".prose").inner_text() for number in (0, 2)] == others
    assert await read_text(page) == await read_output(context, workplace.product.url, await run_id(page))
    exported = await context.request.get(f"{page.url.partition('#')[0]}.md")
    assert exported.status == 200
    assert "could not be written" not in await exported.text()
