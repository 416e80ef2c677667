"""Strangers: one visitor's things are not there for another, wherever they are asked for."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.end_to_end.visiting import Visitors, Workplace, order_post, run_id, wait_for_status

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]


async def test_a_stranger_finds_nothing(extractive_workplace: Workplace, visitors: Visitors) -> None:
    base = extractive_workplace.product.url
    page = await (await visitors.come(extractive_workplace.state)).new_page()
    await order_post(page, extractive_workplace.site_url, "Bikes that are nobody else's business")
    await wait_for_status(page, "succeeded")
    run, post, site = f"/runs/{await run_id(page)}", page.url, extractive_workplace.site_url
    reads = [site, post, *(f"{post}.{suffix}" for suffix in ("md", "html", "docx"))]
    reads += [base + run, *(f"{base}{run}/{part}" for part in ("trace", "status", "live?view=post&after=0-0"))]
    api = [f"{base}/api{run}", *(f"{base}/api{run}/{part}" for part in ("events", "output", "trace"))]
    commands: dict[str, dict[str, str | float | bool]] = {
        f"{site}/posts": {"topic": "Written by a stranger"},
        f"{base}{run}/cancellation": {},
        f"{base}{run}/retries": {"step": "write-post/research"},
        f"{base}{run}/answers/outline": {"ask": "1", "value": "{}"},
        f"{base}{run}/drafts": {"ask": "1", "value": "{}"},
        f"{base}{run}/drafts/removal": {"ask": "1"},
    }

    stranger = await visitors.come()
    looking = await stranger.new_page()
    await looking.goto(base)  # gives the stranger a session
    await expect(looking.get_by_text("No sites yet")).to_be_visible()
    for address in [*reads, *api]:
        assert (await stranger.request.get(address)).status == 404, address
        # The same is there for its owner, or this would show nothing.
        if "/live" not in address:
            assert (await page.context.request.get(address)).status == 200, address
    for address, form in commands.items():
        assert (await stranger.request.post(address, form=form)).status == 404, address
    for part, body in (("cancellation", {}), ("retries", {}), ("answers/outline", {"ask": "1", "value": 1})):
        assert (await stranger.request.post(f"{base}/api{run}/{part}", data=body)).status == 404, part
    assert (await (await stranger.request.get(f"{base}/api/runs")).json())["runs"] == []
    await looking.goto(f"{base}/runs")
    await expect(looking.get_by_text("Bikes that are nobody else's business")).to_have_count(0)

    # Without any session the API does not know who asks.
    nobody = await visitors.come()
    for address in api:
        assert (await nobody.request.get(address)).status == 401, address
