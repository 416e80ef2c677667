"""The pages of runs, and their streams."""

from __future__ import annotations

from lxml import html as lxml_html
from redis.asyncio import Redis

from tests.app.conftest import Take
from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import finish_post, read_site


async def test_any_workflow_has_a_page(ann: Client, take: Take) -> None:
    answer = await ann.post("/api/workflows/echo/runs", json={"text": "hello"})
    run = answer.json()["id"]
    player = await take(run)
    await player.start()
    await player.begin("echo")
    await player.write("echo", "Hello **you**")
    await player.succeed("echo", "hello")
    await player.end("hello")
    page = lxml_html.fromstring((await ann.get(f"/runs/{run}")).text)
    assert page.xpath("string(//*[@id='output']//pre)") == '"hello"'
    assert page.xpath("//*[@data-step='echo']/@data-step-status") == ["succeeded"]
    assert page.xpath("string(//*[@id='texts']//strong)") == "you"


async def test_a_queued_run_says_that_it_is_safe(ann: Client) -> None:
    page = await ann.get(await add_site(ann))
    assert 'data-run-status="queued"' in page.text
    assert "queued and safe" in page.text.lower()
    assert "data-live=" in page.text
    assert "etag" not in page.headers


async def test_an_unreadable_entry_of_the_log_is_a_row(ann: Client, take: Take, redis: Redis) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    player = await take(run)
    await player.start()
    await redis.xadd(f"run:{run}:log", {"e": '{"type": "step.annotated"}'})
    page = await ann.get(post)
    assert page.status_code == 200
    assert "An event that this version can’t show" in page.text


async def test_a_page_with_a_fallback_is_streamed_from_the_start(ann: Client, play: Play) -> None:
    site = await add_site(ann)
    log = read_site(6, finish=False)
    log.progress("read-pages", 5, 10**18)
    run = run_of(await ann.get(site))
    await play(run, log)
    page = await ann.get(site)
    assert page.status_code == 200
    assert "Marlowe Heat Pumps" in page.text
    assert 'data-cursor="0-0"' in page.text
    async with ann.stream("GET", f"/runs/{run}/live?view=site&after=0-0") as stream:
        bar = await anext(line async for line in stream.aiter_lines() if 'hx-target="#run"' in line)
    assert 'data-run-status="running"' in bar


async def test_a_page_of_another_build_gets_a_reset(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    await play(run_of(await ann.get(post)), finish_post())
    live = lxml_html.fromstring((await ann.get(post)).text).get_element_by_id("live")
    address = f"{live.get('data-live')}&after={live.get('data-cursor')}"
    assert "hx-partial" not in (await ann.get(address)).text
    other = (await ann.get(address.replace("&build=", "&build=x"))).text
    assert "event: reset" in other
    assert 'hx-target="#sections"' in other
