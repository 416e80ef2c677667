"""A finished post of which a section is written again: the finished version stands until a newer one is finished."""

from __future__ import annotations

import pytest
from lxml import html as lxml_html

from app.contract import events as e
from app.contract import payloads as p
from app.contract.status import RunStatus
from app.http.templates import write_sentence
from tests.app.conftest import Take
from tests.app.web.browser_dom import page
from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play, Ship
from tests.app.web.logs import HEADINGS, Writer, finish_post, post_json

PRICE = "write-section:price"
KEYS = list(HEADINGS)
SUFFIXES = ("md", "html", "docx")


def ask_again(log: Writer, guidance: str = "Shorter, please") -> Writer:
    log.add(e.CommandRetry, p.RetryData(steps=[log.path(PRICE)], guidance=guidance))
    return log


def rewrite(log: Writer) -> Writer:
    """Continue the log to the middle of the section's new text."""
    log.start_run()
    log.begin("")
    log.begin(PRICE, "What the survey finds first")
    log.write(PRICE, "This text is **new")
    return log


def end(log: Writer, status: RunStatus) -> Writer:
    """End the rewrite."""
    if status is RunStatus.CANCELLED:
        log.add(e.RunCancelled, p.Nothing())
    elif status is RunStatus.FAILED:
        log.fail("", "The site is gone", stands=True)
        log.add(e.RunFailed, p.ErrorData(kind="X", message="The site is gone"))
    elif status is RunStatus.INCOMPLETE:
        log.fail(PRICE, "Bad guidance", stands=True)
        log.add(e.RunIncomplete, p.Incomplete(output=post_json(KEYS, []), failed=[log.path(PRICE)]))
    else:
        log.succeed(PRICE)
        log.add(e.RunSucceeded, p.Result(output=post_json(KEYS[1:], [])))
    return log


async def ask_for_rewrite(client: Client, run: str, log: Writer) -> Writer:
    """Send the form; return the log that a worker then writes up to the middle of the new text."""
    step = log.path(PRICE)
    asked = await client.post(f"/runs/{run}/retries", data={"step": step, "guidance": "Shorter, please"})
    assert asked.status_code == 303
    command = (await client.get(f"/api/runs/{run}")).json()["cursor"]
    length = len(log.events)
    log.add(e.CommandApplied, p.Applied(command=command))
    rewrite(log)
    log.events = [log.events[0], *log.events[length:]]
    return log


async def finish(client: Client, play: Play) -> tuple[str, str, Writer]:
    """Finish a post; return its address, its run's id, and its log."""
    post = await add_post(client, await add_site(client))
    run = run_of(await client.get(post))
    log = finish_post()
    await play(run, log)
    return post, run, log


async def check_earlier_version(client: Client, post: str, state: str) -> None:
    shown = await client.get(post)
    assert f'data-run-status="{state}"' in shown.text
    exports = lxml_html.fromstring(shown.text).xpath("//*[@id='exports']")[0]
    assert exports.xpath(".//a/@href") == [f"{post}.{suffix}" for suffix in SUFFIXES], state
    assert "The version before the rewrite" in exports.text_content(), state
    for suffix in SUFFIXES:
        assert (await client.get(f"{post}.{suffix}")).status_code == 200, (state, suffix)
    markdown = (await client.get(f"{post}.md")).text
    assert "Every quote begins" in markdown and "This text is" not in markdown


async def test_the_last_finished_version_can_be_downloaded_until_there_is_a_newer_one(
    ann: Client, play: Play, take: Take
) -> None:
    post, run, log = await finish(ann, play)
    await ask_for_rewrite(ann, run, log)
    await check_earlier_version(ann, post, "queued")
    player = await take(run)
    await player.say(*[event.model_copy(update={"id": ""}) for event in log.events[1:]])
    await check_earlier_version(ann, post, "running")
    await player.end_cancelled()
    await check_earlier_version(ann, post, "cancelled")
    for address in (f"/runs/{run}", f"/runs/{run}/trace"):
        assert "Rewrite stopped" in (await ann.get(address)).text, address
    await play(run, end(await ask_for_rewrite(ann, run, log), RunStatus.SUCCEEDED))
    newer = lxml_html.fromstring((await ann.get(post)).text).xpath("string(//*[@id='exports'])")
    assert "before the rewrite" not in newer and "Markdown" in newer


async def test_the_etag_of_a_download_is_that_of_its_version(ann: Client, play: Play, ship: Ship) -> None:
    post, run, log = await finish(ann, play)
    first = await ann.get(f"{post}.md")
    await ask_for_rewrite(ann, run, log)
    during = await ann.get(f"{post}.md", headers={"if-none-match": first.headers["etag"]})
    assert (during.status_code, during.text) == (200, first.text)
    assert "etag" not in during.headers and during.headers["cache-control"] == "private, no-cache"
    await play(run, end(log, RunStatus.CANCELLED))
    await ship()
    stopped = await ann.get(f"{post}.md")
    assert stopped.text == first.text
    known = {"if-none-match": stopped.headers["etag"]}
    assert (await ann.get(f"{post}.md", headers=known)).status_code == 304
    await play(run, end(await ask_for_rewrite(ann, run, log), RunStatus.SUCCEEDED))
    await ship()
    newer = await ann.get(f"{post}.md", headers=known)
    assert newer.status_code == 200 and newer.text != stopped.text


async def test_there_is_no_download_before_the_first_version_is_finished(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    log = finish_post()
    log.events = log.events[:-3]
    await play(run, end(log, RunStatus.CANCELLED))
    assert (await ann.get(f"{post}.md")).status_code == 409
    shown = lxml_html.fromstring((await ann.get(post)).text)
    assert not shown.xpath("//*[@id='exports']//a")
    assert "You stopped the writing" in shown.xpath("string(//*[@id='condition'])")


def test_a_stopped_rewrite_says_that_the_earlier_text_stands() -> None:
    shown = page("post", end(rewrite(ask_again(finish_post())), RunStatus.CANCELLED).fold())
    assert "Rewrite stopped; the earlier text stands" in shown.xpath("string(//*[@id='condition'])")
    assert shown.xpath("string(//*[@id='run']//*[@class='status'])") == "Rewrite stopped"
    (button,) = shown.xpath("//*[@id='run']//button")
    assert button.text == "Go on with the rewrite" and "button--quiet" in button.get("class")
    price = shown.xpath("//*[@data-section='price']")[0].text_content()
    assert "Every quote begins" in price and "This text is" not in price


def test_a_failed_rewrite_leaves_no_gap() -> None:
    shown = page("post", end(rewrite(ask_again(finish_post())), RunStatus.INCOMPLETE).fold())
    bar = shown.xpath("//*[@id='run']")[0]
    assert bar.get("data-run-status") == "incomplete"
    assert bar.xpath("string(.//*[@class='status'])") == "Finished, but a rewrite failed"
    assert "gaps" not in bar.text_content()
    assert "before the rewrite" not in shown.xpath("string(//*[@id='exports'])")
    gaps = page("post", finish_post(("wait",)).fold())
    assert gaps.xpath("string(//*[@id='run']//*[@class='status'])") == "Finished with gaps"


def test_a_rewrite_whose_run_failed_says_that_the_earlier_text_stands() -> None:
    shown = page("post", end(rewrite(ask_again(finish_post())), RunStatus.FAILED).fold())
    condition = shown.xpath("string(//*[@id='condition'])")
    assert "Rewrite failed; the earlier text stands" in condition and "The site is gone" in condition


def test_a_retried_gap_is_no_rewrite() -> None:
    log = finish_post(("wait",))
    log.add(e.CommandRetry, p.RetryData(steps=[log.path("write-section:wait")]))
    log.add(e.RunCancelled, p.Nothing())
    shown = page("post", log.fold())
    assert "rewrite" not in shown.xpath("string(//*[@id='run']) ").lower()
    assert "Stopped; the earlier version stands" in shown.xpath("string(//*[@id='condition'])")


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.INCOMPLETE, RunStatus.FAILED])
def test_guidance_of_a_failed_rewrite_is_in_its_field_again(status: RunStatus) -> None:
    log = rewrite(ask_again(finish_post()))
    assert typed(log) == "Shorter, please"
    assert typed(end(log, status)) == "Shorter, please"


def test_guidance_of_a_finished_rewrite_is_not_in_its_field() -> None:
    assert typed(end(rewrite(ask_again(finish_post())), RunStatus.SUCCEEDED)) == ""


def test_guidance_for_a_section_that_failed_again_is_in_its_field_again() -> None:
    log = finish_post(("wait",))
    wait = "write-section:wait"
    log.add(e.CommandRetry, p.RetryData(steps=[log.path(wait)], guidance="Only the roof"))
    log.start_run()
    log.begin("")
    log.begin(wait)
    log.fail(wait)
    assert typed(log, "wait") == "Only the roof"


def typed(log: Writer, section: str = "price") -> str:
    (field,) = page("post", log.fold()).xpath(f"//*[@data-section='{section}']//textarea[@name='guidance']")
    return field.text or ""


def test_error_messages_end_as_a_sentence() -> None:
    failed = page("post", end(rewrite(ask_again(finish_post())), RunStatus.INCOMPLETE).fold())
    said = failed.xpath("string(//*[@data-section='price']//*[@class='notice'])")
    assert said == "It could not be written again: Bad guidance. The earlier text stands."
    again = rewrite(finish_post())
    again.retry(PRICE, "No answer came")
    said = page("post", again.fold()).xpath("string(//*[@data-section='price']//*[@class='notice'])")
    assert said.startswith("No answer came. Attempt ")


def test_the_reason_of_a_check_is_a_sentence() -> None:
    log = finish_post()
    doubt = {"sentence": "Most owners are surprised.", "reason": "its source does not have the number 12"}
    section = {"id": "price", "heading": "x", "markdown": "x", "sources": [], "checks": [doubt]}
    log.begin(PRICE)
    log.write(PRICE, "Most owners are surprised.")
    log.publish(PRICE, "section", section)
    log.succeed(PRICE)
    said = " ".join(page("post", log.fold()).xpath("string(//*[@id='check-price-1'])").split())
    assert said == "Check: Most owners are surprised. Its source does not have the number 12."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("it broke", "It broke."),
        ("It broke!", "It broke!"),
        ("It said “no.”", "It said “no.”"),
        ("one of (a, b)", "One of (a, b)."),
        ("https://x.example/ is gone …", "https://x.example/ is gone …"),
        ("", ""),
    ],
)
def test_any_text_becomes_a_sentence(text: str, sentence: str) -> None:
    assert write_sentence(text) == sentence
