"""The text of a live page, and the text that its log has."""

from __future__ import annotations

from typing import Any

from playwright.async_api import BrowserContext, Page

from app.contract.run import Run
from app.contract.status import StepStatus
from tests.end_to_end.live.posts import ROOT_STEP, PostWriter

_READ = """() => {
    const all = (selector, read) => [...document.querySelectorAll(selector)].map(read);
    return {
        cursor: document.querySelector('#live').dataset.cursor,
        status: document.querySelector('[data-run]').dataset.runStatus,
        steps: all('[data-step]', (step) => [step.dataset.step, step.dataset.stepStatus]),
        sections: all('[data-section]', (section) => [
            section.dataset.section,
            section.querySelector('.section__heading').textContent,
            [...section.querySelectorAll('.prose > *')].map((block) => block.textContent)]) }; }"""

_READ_ALL = """async () => {
    const read = (root) => {
        const copy = root.querySelector('#live').cloneNode(true);
        copy.querySelectorAll('time, .runbar__note:has(time), .told, [hidden]').forEach((element) => element.remove());
        return copy.textContent.replace(/\\s+/g, ' '); };
    const answer = await fetch(location.href, { cache: 'no-store' });
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const cursors = [document, fresh].map((root) => root.querySelector('#live').dataset.cursor);
    return { cursors, shown: read(document), reloaded: read(fresh) }; }"""


async def open_post(context: BrowserContext, url: str, writer: PostWriter) -> Page:
    page = await context.new_page()
    await page.goto(url + writer.address)
    return page


async def check(page: Page, writer: PostWriter) -> None:
    """Wait until the page stands at the log's end. Then it shows what the log says, and what a reload would show."""
    run = await writer.fold()
    await wait_for_cursor(page, run.cursor)
    assert await page.evaluate(_READ) == expected(run)
    both = await page.evaluate(_READ_ALL)
    assert both["cursors"] == [run.cursor, run.cursor]
    assert both["shown"] == both["reloaded"]


async def check_moment(page: Page, writer: PostWriter) -> str:
    """The page shows what the log says up to the page's cursor, wherever that is; gives the cursor."""
    shown = await page.evaluate(_READ)
    assert shown == expected(await writer.fold_at(shown["cursor"]))
    return str(shown["cursor"])


async def wait_for_cursor(page: Page, cursor: str) -> None:
    await page.wait_for_function("(cursor) => document.querySelector('#live').dataset.cursor === cursor", arg=cursor)


def expected(run: Run) -> dict[str, Any]:
    """Return the text that the page of a post must show, character for character, as `_READ` gives it."""
    root = run.steps[ROOT_STEP]
    outlines = [attempt.objects["outline"] for attempt in root.attempts if "outline" in attempt.objects]
    steps = [step for step in run.steps.values() if step.path != ROOT_STEP]
    return {
        "cursor": run.cursor,
        "status": run.status.value,
        "steps": [[step.path, step.status.value] for step in steps],
        "sections": [
            [planned["id"], planned["heading"], _paragraphs(run, planned["id"])]
            for planned in (outlines[-1]["sections"] if outlines else [])
        ],
    }


def _paragraphs(run: Run, section: str) -> list[str]:
    """The paragraphs of the attempt that counts. What `PostWriter` writes is text to Markdown, but for `&lt;`."""
    step = run.steps.get(f"{ROOT_STEP}/write-section:{section}")
    attempt = step.counting if step else None
    if attempt is None or attempt.status is StepStatus.FAILED:
        return []
    paragraphs = attempt.text.replace("&lt;", "<").split("\n\n")
    return [paragraph.strip() for paragraph in paragraphs if paragraph.strip()]
