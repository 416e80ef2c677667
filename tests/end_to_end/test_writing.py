"""A post is written with a model: its text as it comes, its sources, its files; first its outline, if one likes."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from docx import Document
from playwright.async_api import expect

from tests.end_to_end.visiting import (
    Visitors,
    Workplace,
    expect_step,
    order_post,
    read_output,
    read_text,
    run_id,
    sections,
    squeeze,
    step,
    wait_for_status,
)
from tests.model_replies import write_reply
from tests.model_server import ModelServer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]

SECTIONS = "write-post/write-section:"
OF_THE_SITE = re.compile(r"http://127\.0\.0\.1:\d+/")


async def test_a_post_grows_on_the_page_while_it_is_written(
    model_workplace: Workplace, model: ModelServer, visitors: Visitors
) -> None:
    context = await visitors.come(model_workplace.state)
    page = await context.new_page()
    gate = model.script.hold("write-section", "> Part 2", after=12)
    await order_post(page, model_workplace.site_url)

    # Two sections are finished; of the second the beginning stands there, while its author is held up.
    await gate.reached()
    await expect(step(page, SECTIONS, "succeeded")).to_have_count(2)
    await expect_step(page, "write-post/research", "succeeded")
    await expect_step(page, "write-post/outline-post", "succeeded")
    await expect(step(page, SECTIONS, "running")).to_have_count(1)
    second = next(asked.prompt for asked in model.requests if "> Part 2" in asked.prompt)
    whole = " ".join(write_reply(second).split())
    beginning = whole[: whole.index(" ", 100)].split(" [")[0]
    prose = sections(page).nth(1).locator(".prose")
    await expect(prose).to_contain_text(beginning)
    assert len(await prose.inner_text()) < len(whole) / 2
    await expect(page.locator("[data-run-status]")).to_have_attribute("data-run-status", "running")
    await expect(page.locator("[data-summary]")).to_contain_text("2 of 3")
    early = await context.request.get(f"{page.url}.md")
    assert early.status == 409

    gate.release()
    await wait_for_status(page, "succeeded")
    await expect(sections(page)).to_have_count(3)
    for number in range(3):
        links = sections(page).nth(number).locator('.prose a[href^="#source-"]')
        assert await links.count() > 0
        target = await links.first.get_attribute("href")
        await expect(page.locator(f"{target} a")).to_have_attribute("href", OF_THE_SITE)
    text = await read_text(page)
    assert squeeze(whole) in text
    assert text == await read_output(context, model_workplace.product.url, await run_id(page))
    await page.reload()
    assert await read_text(page) == text


async def test_the_files_of_a_post_have_its_text(
    model_workplace: Workplace, model: ModelServer, visitors: Visitors
) -> None:
    context = await visitors.come(model_workplace.state)
    page = await context.new_page()
    await order_post(page, model_workplace.site_url, "Brakes of a cargo bike")
    await wait_for_status(page, "succeeded")
    paragraphs = await page.locator("[data-section] .prose p").evaluate_all(
        "all => all.map(p => document.createTreeWalker(p, NodeFilter.SHOW_TEXT).nextNode().textContent.trim())"
    )
    heading = await sections(page).first.locator("h2").inner_text()

    files = {}
    for name, suffix in (("Markdown", "md"), ("HTML", "html"), ("Word", "docx")):
        async with page.expect_download() as waiting:
            await page.get_by_role("link", name=name, exact=True).click()
        download = await waiting.value
        assert download.suggested_filename.endswith(f".{suffix}")
        files[suffix] = (await download.path()).read_bytes()

    word = "\n".join(paragraph.text for paragraph in Document(BytesIO(files["docx"])).paragraphs)
    reading = await context.new_page()
    await reading.set_content(files["html"].decode())
    html = await reading.locator("body").inner_text()
    for text in (files["md"].decode(), html, word):
        for wanted in ("Brakes of a cargo bike", heading, "Sources", *paragraphs):
            assert wanted in text


async def test_the_outline_is_approved_as_it_was_edited(
    model_workplace: Workplace, model: ModelServer, visitors: Visitors
) -> None:
    context = await visitors.come(model_workplace.state)
    page = await context.new_page()
    await order_post(page, model_workplace.site_url, "Tubeless tyres for commuters", approve=True)
    await wait_for_status(page, "waiting")
    await expect(page.get_by_text("Waiting for you", exact=True)).to_be_visible()

    # It waits there for another device as well. What does not fit comes back, with what was typed.
    elsewhere = await (await visitors.come(model_workplace.state)).new_page()
    await elsewhere.goto(page.url)
    await expect(elsewhere.get_by_role("button", name="Approve and write")).to_be_visible()
    await page.locator("[name=heading-1]").fill("  ")
    await page.locator("[name=heading-2]").fill("A heading of my own")
    await page.get_by_role("button", name="Approve and write").click()
    await expect(page.get_by_role("alert")).to_contain_text("Not approved yet")
    await expect(page.locator("[name=heading-1]")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("[name=heading-2]")).to_have_value("A heading of my own")
    assert model.counts["write-section"] == 0

    await page.locator("[name=heading-1]").fill("First of all")
    await page.locator("[name=leave-out-3]").check()
    await page.get_by_role("button", name="Approve and write").click()
    for watching in (page, elsewhere):
        await wait_for_status(watching, "succeeded")
        headings = await sections(watching).locator("h2").all_inner_texts()
        assert headings == ["First of all", "A heading of my own"]
    assert model.counts["outline"] == 1
    assert any("> First of all" in asked.prompt for asked in model.requests)
