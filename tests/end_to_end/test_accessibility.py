"""Accessibility: axe-core finds nothing serious on any page, in light and dark, wide and narrow."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from app.http.templates import render
from tests.end_to_end.visiting import (
    Visitors,
    Workplace,
    expect_step,
    give_address,
    order_post,
    run_id,
    sections,
    step,
    wait_for_status,
)
from tests.model_script import Rule
from tests.model_server import ModelServer
from tests.sites.server import FixtureSite
from tests.support.product import ROOT, Product

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]

AXE = ROOT / "node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")
LOOKS = (("light", {"width": 1280, "height": 900}), ("dark", {"width": 390, "height": 844}))
"""Colours do not depend on the width, nor the layout on colours."""

SLOW = "/guides/winter-commuting.html"
SECTIONS = "write-post/write-section:"
COLUMNS = [f"Column {number}" for number in range(1, 13)]
RICH = f"""Everything that a text can hold.

```
the_longest_line_of_code({", ".join(f"argument_{number}=value_{number}" for number in range(1, 30))})
```

| {" | ".join(COLUMNS)} |
|{"---|" * len(COLUMNS)}
| {" | ".join("One cell" for _ in COLUMNS)} |

- A list
  - with a list inside

    and a paragraph

> A quotation
>
> 1. with a list
>
> ```
> {"and_code_in_it " * 20}
> ```

### A heading, and `code` in *text*
"""

RUN_AXE = """async (impacts) => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.filter(({ impact }) => impacts.includes(impact)).flatMap(({ id, help, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${help}\\n${html}\\n${failureSummary}`)); }"""


async def expect_accessible(page: Page) -> None:
    """Nothing serious or critical in any look of the page as it stands now."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE.read_text())
    found: dict[str, list[str]] = {}
    for scheme, size in LOOKS:
        await page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict is as good
        # Without motion, colours are those that stay.
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found[scheme] = await page.evaluate(RUN_AXE, list(SERIOUS))
        too_wide = await page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
        assert not too_wide, f"the page scrolls sideways at {size['width']}"
    assert {look: problems for look, problems in found.items() if problems} == {}


@pytest_asyncio.fixture(loop_scope="session")
async def person(model_workplace: Workplace, visitors: Visitors) -> BrowserContext:
    """Somebody whose site was read."""
    return await visitors.come(model_workplace.state)


async def test_a_finding_is_found(model_product: Product, visitors: Visitors) -> None:
    page = await (await visitors.come()).new_page()
    await page.goto(model_product.url)
    await page.evaluate("document.querySelector('label').remove()")
    with pytest.raises(AssertionError, match="label"):
        await expect_accessible(page)


async def test_the_first_page_and_one_with_an_error(model_product: Product, visitors: Visitors) -> None:
    page = await (await visitors.come()).new_page()
    await page.goto(model_product.url)
    await expect_accessible(page)
    await page.get_by_label("Company web address").fill("http://127.0.0.1/")
    await page.get_by_role("button", name="Read this site").click()
    await page.locator("#url-error").wait_for()
    await expect_accessible(page)


async def test_sites_and_a_site_that_was_read(person: BrowserContext, model_workplace: Workplace) -> None:
    page = await person.new_page()
    await page.goto(model_workplace.product.url)
    await expect_accessible(page)
    await page.goto(model_workplace.site_url)
    await expect_accessible(page)


async def test_a_site_that_is_being_read(model_product: Product, site: FixtureSite, visitors: Visitors) -> None:
    page = await (await visitors.come()).new_page()
    site.hold(SLOW)
    await give_address(page, model_product.url, site.url)
    reading = step(page, "onboard-site/read-pages/read-page:").filter(has_text=SLOW)
    await expect(reading).to_contain_text("Reading now")
    await expect_accessible(page)
    site.heal(SLOW)


async def test_a_post_from_its_order_to_its_end(
    person: BrowserContext, model_workplace: Workplace, model: ModelServer
) -> None:
    """And its run, trace, and the list of what goes on meanwhile."""
    page, other = await person.new_page(), await person.new_page()
    gate = model.script.hold("write-section", "> Part 2", after=12)
    model.script.add(Rule(kind="write-section", match="> Part 3", text=RICH))
    await order_post(page, model_workplace.site_url, "Winter tyres for everybody to read")
    await gate.reached()
    await expect(step(page, SECTIONS, "succeeded")).to_have_count(2)
    await expect(page.locator(".prose :is(pre, table, li li, blockquote li, h3)")).not_to_have_count(0)
    await expect(sections(page).nth(1).locator(".prose")).not_to_be_empty()
    await expect_accessible(page)
    run = f"{model_workplace.product.url}/runs/{await run_id(page)}"
    places = [run, f"{run}/trace", f"{model_workplace.product.url}/runs"]
    for place in places:
        await other.goto(place)
        await expect_accessible(other)
    gate.release()
    await wait_for_status(page, "succeeded")
    await expect(page.locator(".prose table, .prose blockquote pre")).to_have_count(2)
    await expect_accessible(page)
    for place in places:
        await other.goto(place)
        await expect_accessible(other)


async def test_a_post_that_waits_for_its_outline(person: BrowserContext, model_workplace: Workplace) -> None:
    page = await person.new_page()
    await order_post(page, model_workplace.site_url, "An outline for everybody to read", approve=True)
    await wait_for_status(page, "waiting")
    await expect_accessible(page)
    await page.get_by_label("Leave this section out").first.check()
    await expect_accessible(page)
    await page.goto(f"{model_workplace.product.url}/runs/{await run_id(page)}")
    await expect_accessible(page)


async def test_a_post_with_a_section_that_failed(
    person: BrowserContext, model_workplace: Workplace, model: ModelServer
) -> None:
    page = await person.new_page()
    model.script.fail("write-section", "> Part 2", status=400, says="This prompt is not liked here.")
    await order_post(page, model_workplace.site_url, "A gap for everybody to read")
    await wait_for_status(page, "incomplete")
    await expect_step(page, f"{SECTIONS}{await sections(page).nth(1).get_attribute('data-section')}", "failed")
    await expect_accessible(page)


async def test_tokens(person: BrowserContext, model_workplace: Workplace) -> None:
    page = await person.new_page()
    await page.goto(f"{model_workplace.product.url}/tokens")
    await expect_accessible(page)
    await page.get_by_label("Name").fill("A program")
    await page.get_by_role("button", name="Create token").click()
    await page.locator("#secret").wait_for()
    await expect_accessible(page)


async def test_error_pages(person: BrowserContext, model_product: Product) -> None:
    page = await person.new_page()
    await page.goto(f"{model_product.url}/posts/none")
    await expect_accessible(page)
    broken = render("errors/show.html", status=500, title="This page broke", detail="Something failed.")
    await page.route("**/broken", lambda route: route.fulfill(body=broken, content_type="text/html", status=500))
    await page.goto(f"{model_product.url}/broken")
    await expect_accessible(page)
