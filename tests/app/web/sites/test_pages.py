"""The home page and the pages of sites: what they list, and where their forms lead."""

from __future__ import annotations

import json

import pytest
from lxml import html as lxml_html

from app.contract import events as e
from app.contract import payloads as p
from tests.app.conftest import Take
from tests.app.web.browser_dom import page as fragment
from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play, Ship
from tests.app.web.logs import PROFILE, TOPICS, Writer, finish_post, read_site
from tests.app.web.test_views import check


async def test_home_starts_empty_and_lists_the_sites_of_its_workspace(ann: Client, bob: Client) -> None:
    assert "No sites yet" in (await ann.get("/")).text
    site = await add_site(ann)
    assert f'href="{site}"' in (await ann.get("/")).text
    assert "No sites yet" in (await bob.get("/")).text


async def test_a_refused_address_comes_back_with_what_was_typed(ann: Client) -> None:
    answer = await ann.post("/sites", data={"url": 'http://192.168.0.12/"intranet"'})
    assert answer.status_code == 400
    field = lxml_html.fromstring(answer.text).xpath("//input[@name='url']")[0]
    assert field.get("value") == 'http://192.168.0.12/"intranet"'
    assert field.get("aria-invalid") == "true"
    assert "private network" in answer.text


async def test_a_site_shows_what_was_read_and_fills_a_topic_in(ann: Client, play: Play) -> None:
    site = await add_site(ann)
    await play(run_of(await ann.get(site)), read_site())
    page = lxml_html.fromstring((await ann.get(f"{site}?topic=Why+we+measure")).text)
    assert page.xpath("string(//h1)") == PROFILE["name"]
    assert page.xpath("//button[@class='topic']/@data-topic") == [topic["title"] for topic in TOPICS]
    assert page.xpath("//input[@name='topic']/@value") == ["Why we measure"]
    rows = page.xpath("//*[@id='reading']//li[@data-step]")
    assert [row.get("data-step-status") for row in rows] == ["succeeded", "succeeded", "failed", "succeeded"]
    assert "not a web page (application/pdf)" in rows[2].text_content()


async def test_a_site_is_linked_by_https_until_it_was_found_elsewhere(ann: Client, play: Play) -> None:
    site = await add_site(ann)

    async def link() -> list[str]:
        page = lxml_html.fromstring((await ann.get(site)).text)
        return [str(href) for href in page.xpath("//*[@id='site-head']//a/@href")]

    assert await link() == ["https://marloweheat.example/"]
    await play(run_of(await ann.get(site)), read_site())
    assert await link() == ["http://marloweheat.example/"]


async def test_the_tab_of_a_site_names_the_site(ann: Client, play: Play) -> None:
    site = await add_site(ann)

    async def titles(page: str) -> set[str]:
        (written,) = lxml_html.fromstring((await ann.get(page)).text).xpath("//*[@data-run-status]/@data-titles")
        return {title.partition(": ")[2] for title in json.loads(written).values()}

    run = run_of(await ann.get(site))
    assert await titles(site) == await titles(f"/runs/{run}") == {"marloweheat.example"}
    await play(run, read_site())
    assert await titles(site) == {PROFILE["name"]}


async def test_the_notice_of_a_stopped_site_names_the_reading(ann: Client, take: Take) -> None:
    site = await add_site(ann)
    run = run_of(await ann.get(site))
    player = await take(run)
    await player.start()
    await player.end_cancelled()
    assert "You stopped the reading" in (await ann.get(site)).text


@pytest.mark.parametrize("where", ["home", "site"])
async def test_lists_of_sites_and_posts_are_requested_again(ann: Client, play: Play, ship: Ship, where: str) -> None:
    """Also without an active run: one may be started in another tab, or on another device."""
    site = await add_site(ann)
    post = await add_post(ann, site)
    page, fragment = (site, f"{site}/posts") if where == "site" else ("/", "/sites")
    going = lxml_html.fromstring((await ann.get(page)).text)
    assert going.xpath("//@data-again") == [fragment]
    part = (await ann.get(fragment, headers={"hx-request": "true"})).text
    assert "<html" not in part
    assert "Queued" in part
    shown = lxml_html.fromstring(part)
    assert shown.get("id") == going.xpath("//*[@data-again]/@id")[0]
    await play(run_of(await ann.get(site)), read_site())
    await play(run_of(await ann.get(post)), finish_post())
    await ship()
    assert lxml_html.fromstring((await ann.get(page)).text).xpath("//@data-again") == [fragment]


async def test_a_site_of_which_nothing_was_read_offers_another_address(ann: Client, play: Play) -> None:
    site = await add_site(ann, "marlowheat.example")

    async def offered() -> list[str]:
        return list(lxml_html.fromstring((await ann.get(site)).text).xpath("//*[@id='unread']//input/@value"))

    assert await offered() == []
    log = Writer("onboard-site", {"url": "marlowheat.example"}, "marlowheat.example")
    log.start_run()
    log.begin("")
    log.begin("read-home")
    log.fail("read-home", "There is no site at marlowheat.example")
    log.fail("", "There is no site at marlowheat.example")
    log.add(e.RunFailed, p.ErrorData(kind="NoSite", message="There is no site at marlowheat.example"))
    await play(run_of(await ann.get(site)), log)
    assert await offered() == ["marlowheat.example/"]
    check("site", log, [len(log.events)])


def test_a_site_of_which_something_was_read_offers_a_post() -> None:
    assert not fragment("site", read_site().fold()).xpath("//*[@id='unread']//form")
