"""The pages behind the real application: forms, redirects, what is whose, and what a hostile text can do."""

from __future__ import annotations

import io
import json
import re

import httpx2
import pytest
from docx import Document
from lxml import html as lxml_html
from redis.asyncio import Redis

from app.content.values import Outline
from app.contract.payloads import Ask
from tests.app.conftest import Take
from tests.app.web.conftest import Play
from tests.app.web.logs import BRIEF, OUTLINE, PROFILE, TOPICS, begin_post, finish_post, read_site

Client = httpx2.AsyncClient
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


def run_of(page: httpx2.Response) -> str:
    found = re.search(r'data-run="(\w+)"', page.text)
    assert found is not None
    return found[1]


async def add_site(client: Client, url: str = "marloweheat.example") -> str:
    answer = await client.post("/sites", data={"url": url})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def add_post(client: Client, site: str, **values: str) -> str:
    form = {"topic": BRIEF["topic"], "length": "short", **values}
    answer = await client.post(f"{site}/posts", data=form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


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


async def test_a_post_that_does_not_fit_names_the_field_and_loses_nothing(ann: Client) -> None:
    site = await add_site(ann)
    typed = {
        "topic": "A good topic",
        "tone": "x" * 150,
        "audience": "bikers",
        "length": "long",
        "approve_outline": "true",
    }
    answer = await ann.post(f"{site}/posts", data=typed)
    assert answer.status_code == 400
    page = lxml_html.fromstring(answer.text)
    assert page.xpath("//input[@name='topic']/@value") == ["A good topic"]
    assert page.xpath("//input[@name='audience']/@value") == ["bikers"]
    assert page.xpath("//input[@name='tone']/@value") == ["x" * 150]
    assert page.xpath("//input[@name='length'][@checked]/@value") == ["long"]
    assert page.xpath("//input[@name='approve_outline'][@checked]")
    assert "at most 100 characters" in page.xpath("string(//*[@id='tone-error'])")


async def test_a_control_character_is_refused_at_its_field(ann: Client) -> None:
    site = await add_site(ann)
    answer = await ann.post(f"{site}/posts", data={"topic": "A \x07 bell", "length": "short"})
    assert answer.status_code == 400
    assert "control characters" in lxml_html.fromstring(answer.text).xpath("string(//*[@id='topic-error'])")


async def test_what_one_workspace_owns_is_404_to_another(ann: Client, bob: Client) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    run = run_of(await ann.get(post))
    for address in (site, post, f"{post}.md", f"/runs/{run}", f"/runs/{run}/trace", f"/runs/{run}/status"):
        assert (await ann.get(address)).status_code in (200, 409), address
        theirs = await bob.get(address)
        assert theirs.status_code == 404, address
        assert run not in theirs.text
    for address in (
        f"{site}/posts",
        f"/runs/{run}/cancellation",
        f"/runs/{run}/retries",
        f"/runs/{run}/answers/outline",
    ):
        assert (await bob.post(address, data={"topic": "mine now"})).status_code == 404, address


@pytest.mark.parametrize("path", ["/sites/none", "/posts/none", "/posts/none.md", "/posts/none.exe", "/runs/none"])
async def test_unknown_ids_are_404_pages(ann: Client, path: str) -> None:
    answer = await ann.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


async def test_errors_are_said_in_plain_words(ann: Client) -> None:
    site = await add_site(ann)
    answers = [
        (400, await ann.get("/runs?after=nonsense")),
        (403, await ann.post("/sites", headers={"origin": "https://evil.example"})),
        (404, await ann.get("/posts/none")),
        (405, await ann.put("/runs")),
        (413, await ann.post(f"{site}/posts", data={"topic": "x" * 1_100_000})),
    ]
    for status, answer in answers:
        assert answer.status_code == status
        page = lxml_html.fromstring(answer.text)
        heading = page.xpath("string(//h1)")
        assert page.xpath("string(//title)") == f"{heading} · Longhand"
        said = page.xpath("string(//main)")
        assert len(" ".join(said.split()).partition(heading)[2]) > 60, said
        assert not re.search("Bad Request|Forbidden|Not Found|Not Allowed|Too Large", answer.text)


async def test_a_long_error_is_short_among_the_steps_and_opens(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    log, message = begin_post(), "A long story. " * 30
    log.begin("write-section:price")
    log.fail("write-section:price", message)
    log.begin("write-section:parts")
    log.fail("write-section:parts", "Short.")
    await play(run_of(await ann.get(post)), log)
    page = lxml_html.fromstring((await ann.get(post)).text)
    shown, whole = page.xpath("//*[@class='step__error']/summary | //*[@class='step__error'][summary]/p")
    assert shown.text_content().endswith("…")
    assert len(shown.text_content()) < 180
    assert whole.text_content() == message
    assert page.xpath("//p[@class='step__error']/text()") == ["Short."]


async def test_a_queued_run_says_that_it_is_safe(ann: Client) -> None:
    page = await ann.get(await add_site(ann))
    assert 'data-run-status="queued"' in page.text
    assert "queued and safe" in page.text.lower()
    assert "data-live=" in page.text
    assert "etag" not in page.headers


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


async def test_a_finished_page_has_an_etag_and_does_not_reload_itself(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    await play(run_of(await ann.get(post)), finish_post())
    page = await ann.get(post)
    assert 'data-run-status="succeeded"' in page.text
    assert 'http-equiv="refresh"' not in page.text
    assert page.headers["etag"].startswith('"')
    again = await ann.get(post, headers={"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    assert again.text == ""
    assert (await ann.get(post, headers={"if-none-match": '"else"'})).status_code == 200


async def test_a_failed_section_has_its_error_and_a_retry(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    await play(run, finish_post(("wait",)))
    page = lxml_html.fromstring((await ann.get(post)).text)
    section = page.xpath("//*[@data-section='wait']")[0]
    assert section.get("data-status") == "failed"
    assert "answered 503, four times" in section.text_content()
    assert "This text was" not in page.text_content()
    step = section.xpath(".//input[@name='step']/@value")[0]
    answer = await ann.post(f"/runs/{run}/retries", data={"step": step, "guidance": "shorter"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{post}#section-wait")
    after = lxml_html.fromstring((await ann.get(post)).text)
    assert after.xpath("//*[@id='run']/@data-run-status") == ["queued"]
    assert "Queued to be written again" in after.xpath("string(//*[@data-section='wait'])")


async def test_stopping_goes_back_to_the_page(ann: Client) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    answer = await ann.post(f"/runs/{run}/cancellation")
    assert (answer.status_code, answer.headers["location"]) == (303, post)
    assert "Stopping" in (await ann.get(post)).text


async def test_a_form_of_a_runs_own_page_leads_back_to_it(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    await play(run, finish_post(("wait",)))
    own, step = f"/runs/{run}", "write-post/write-section:wait"
    refused = await ann.post(f"{own}/cancellation", headers={"referer": f"{ann.base_url}{own}"})
    assert refused.status_code == 409
    assert lxml_html.fromstring(refused.text).xpath("//h2[@id='input-title']")

    async def retry(referer: str) -> str:
        answer = await ann.post(f"{own}/retries", data={"step": step}, headers={"referer": referer})
        assert answer.status_code == 303
        return str(answer.headers["location"])

    there = await retry(f"{ann.base_url}{own}")
    row = lxml_html.fromstring((await ann.get(own)).text).get_element_by_id(there.removeprefix(f"{own}#"))
    assert row.get("data-step") == step
    for elsewhere in ("https://evil.example/", f"{ann.base_url}/runs/other", f"{ann.base_url}{post}", "http://[", ""):
        assert await retry(elsewhere) == f"{post}#section-wait"


async def test_the_tab_of_a_site_names_the_site(ann: Client, play: Play) -> None:
    site = await add_site(ann)

    async def titles(page: str) -> set[str]:
        (written,) = lxml_html.fromstring((await ann.get(page)).text).xpath("//*[@data-run-status]/@data-titles")
        return {title.partition(": ")[2] for title in json.loads(written).values()}

    run = run_of(await ann.get(site))
    assert await titles(site) == await titles(f"/runs/{run}") == {"marloweheat.example"}
    await play(run, read_site())
    assert await titles(site) == {PROFILE["name"]}


async def test_what_was_stopped_is_the_reading(ann: Client, take: Take) -> None:
    site = await add_site(ann)
    run = run_of(await ann.get(site))
    player = await take(run)
    await player.start()
    await player.end_cancelled()
    assert "You stopped the reading" in (await ann.get(site)).text


async def test_an_outline_that_does_not_fit_comes_back_as_it_was_typed(ann: Client, take: Take) -> None:
    post = await add_post(ann, await add_site(ann), approve_outline="true")
    run = run_of(await ann.get(post))
    log = begin_post(approve=True)
    player = await take(run)
    facts = [event.model_copy(update={"id": ""}) for event in log.events[1:-1]]
    await player.say(*facts)
    schema = Outline.model_json_schema()
    await player.ask(Ask(ask="a1", name="outline", step="write-post", proposal=OUTLINE, answer_schema=schema))
    fields = {
        "ask": "a1",
        "title": "",
        "summary": "Kept",
        "id-1": "price",
        "heading-1": "Kept too",
        "points-1": "One\r\nTwo",
    }
    refused = await ann.post(f"/runs/{run}/answers/outline", data=fields)
    assert refused.status_code == 400
    page = lxml_html.fromstring(refused.text)
    assert page.xpath("string(//textarea[@name='heading-1'])").strip() == "Kept too"
    assert page.xpath("string(//textarea[@name='points-1'])").split() == ["One", "Two"]
    assert page.xpath("string(//*[@id='title-error'])") == "Title is missing."
    taken = await ann.post(f"/runs/{run}/answers/outline", data={**fields, "title": "Mine"})
    assert (taken.status_code, taken.headers["location"]) == (303, post)


async def test_exports_are_there_when_the_post_is_finished(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    early = await ann.get(f"{post}.md")
    assert early.status_code == 409
    assert "not finished yet" in early.text
    await play(run_of(await ann.get(post)), finish_post(("wait",)))
    markdown = (await ann.get(f"{post}.md")).text
    assert markdown.startswith(f"# {OUTLINE['title']}\n")
    assert "outside wall [1]. In the houses" in markdown
    assert "7.8 kW [1, 2]." in markdown
    assert "2. [Prices, all of them](https://marloweheat.example/prices)" in markdown
    assert "This section could not be written" in markdown
    page = (await ann.get(f"{post}.html")).text
    assert '<sup class="cite"><a href="#source-1"' in page
    document = Document(io.BytesIO((await ann.get(f"{post}.docx")).content))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert OUTLINE["title"] in texts
    assert any(text.startswith("Every quote begins") for text in texts)


async def test_hostile_texts_stay_texts(ann: Client, play: Play) -> None:
    site = await add_site(ann)
    reading = read_site(1, finish=False)
    reading.publish(
        "profile-site",
        "profile",
        {**PROFILE, "name": HOSTILE, "key_pages": [{"url": "javascript:alert(3)", "title": HOSTILE}]},
    )
    reading.say("read-pages", HOSTILE)
    reading.fail("read-pages/read-page:p0", HOSTILE)
    await play(run_of(await ann.get(site)), reading)
    post = await add_post(ann, site, topic=HOSTILE, audience=HOSTILE)
    writing = begin_post()
    writing.publish("", "outline", {**OUTLINE, "title": HOSTILE})
    writing.publish("", "sources", [{"number": 1, "url": "javascript:alert(4)", "title": HOSTILE, "passages": ["s1"]}])
    writing.begin("write-section:price")
    writing.write(
        "write-section:price",
        f"{HOSTILE} [x](javascript:alert(5)) [s1]\n\n<b onclick=alert(6)>b</b>\n\n<hx-partial hx-target='body'>",
    )
    await play(run_of(await ann.get(post)), writing)
    run = run_of(await ann.get(post))
    for address in (site, post, f"/runs/{run}", f"/runs/{run}/trace", "/runs", "/"):
        page = lxml_html.fromstring((await ann.get(address)).text)
        assert all(script.get("src", "").startswith("/static/") for script in page.iter("script")), address
        assert not list(page.iter("img")), address
        for element in page.iter():
            names = [name for name in element.attrib if name.startswith("on")]
            assert not names, (address, names)
            assert not element.get("href", "").lower().startswith("javascript:"), address


async def test_an_entry_that_cannot_be_read_is_a_row(ann: Client, take: Take, redis: Redis) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    player = await take(run)
    await player.start()
    await redis.xadd(f"run:{run}:log", {"e": '{"type": "step.annotated"}'})
    page = await ann.get(post)
    assert page.status_code == 200
    assert "An event that this version can’t show" in page.text


async def test_what_cannot_be_built_leaves_the_page_and_its_stream_as_they_are(ann: Client, play: Play) -> None:
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


async def test_a_page_of_another_build_gets_everything(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    await play(run_of(await ann.get(post)), finish_post())
    live = lxml_html.fromstring((await ann.get(post)).text).get_element_by_id("live")
    address = f"{live.get('data-live')}&after={live.get('data-cursor')}"
    assert "hx-partial" not in (await ann.get(address)).text
    other = (await ann.get(address.replace("&build=", "&build=x"))).text
    assert "event: reset" in other
    assert 'hx-target="#sections"' in other


async def test_tokens_are_made_shown_once_and_revoked(ann: Client, anonymous: Client) -> None:
    refused = await ann.post("/tokens", data={"name": "x" * 81})
    assert refused.status_code == 400
    assert f'value="{"x" * 81}"' in refused.text
    made = await ann.post("/tokens", data={"name": "notebook"})
    secret = lxml_html.fromstring(made.text).xpath("string(//*[@id='secret'])")
    assert (await anonymous.get("/api/runs", headers={"authorization": f"Bearer {secret}"})).status_code == 200
    page = await ann.get("/tokens")
    assert secret not in page.text
    action = lxml_html.fromstring(page.text).xpath("//form[contains(@action, 'revocation')]/@action")[0]
    assert "Keep it" in lxml_html.fromstring(page.text).xpath("string(//details[@class='confirm']/summary)")
    assert (await ann.post(action)).status_code == 303
    assert (await anonymous.get("/api/runs", headers={"authorization": f"Bearer {secret}"})).status_code == 401


async def test_activity_lists_runs_with_the_page_that_shows_them(ann: Client) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    listed = lxml_html.fromstring((await ann.get("/runs")).text).xpath("//*[@class='list__title']/a/@href")
    assert listed == [post, site]


async def test_a_trace_has_a_row_for_each_step(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    await play(run, finish_post(("wait",)))
    page = lxml_html.fromstring((await ann.get(f"/runs/{run}/trace")).text)
    steps = {row.get("data-step"): row.get("data-step-status") for row in page.xpath("//tr[@data-step]")}
    assert steps["write-post/write-section:wait"] == "failed"
    assert steps["write-post/assemble-post"] == "succeeded"


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
