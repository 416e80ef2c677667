"""The pages of posts: errors, names, links, and exports."""

from __future__ import annotations

import io

from docx import Document
from lxml import html as lxml_html
from sqlalchemy import update

from app.contract import events as e
from app.contract import payloads as p
from app.stores.database import Database
from app.stores.tables import PostRow
from tests.app.web.browser_dom import page as fragment
from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import BRIEF, OUTLINE, Writer, begin_post, finish_post


async def test_a_long_error_is_cut_among_the_steps_and_opens(ann: Client, play: Play) -> None:
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


async def test_a_failed_post_leads_to_the_topics_of_its_site(ann: Client, play: Play) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    log = begin_post()
    said = "Too little was read about this. Choose a suggested topic."
    log.fail("", said)
    log.add(e.RunFailed, p.ErrorData(kind="NotEnoughMaterial", message=said))
    await play(run_of(await ann.get(post)), log)
    condition = lxml_html.fromstring((await ann.get(post)).text).xpath("//*[@id='condition']")[0]
    assert condition.xpath(".//a/@href") == [f"{site}#write"]


async def test_a_post_without_a_visible_topic_has_a_name(ann: Client, database: Database) -> None:
    """Earlier versions accepted such topics."""
    site = await add_site(ann)
    post = await add_post(ann, site)
    async with database.writing() as session:
        await session.execute(update(PostRow).values(topic="   "))
    links = lxml_html.fromstring((await ann.get(site)).text).xpath(f"//a[@href='{post}']")
    assert [link.text for link in links] == ["Post without a name"]
    assert "Post without a name" in lxml_html.fromstring((await ann.get(post)).text).xpath("string(//title)")
    blank = Writer("write-post", {**BRIEF, "topic": "   "}, "write-post")
    blank.start_run()
    assert fragment("post", blank.fold()).xpath("string(//h1)").strip() == "Post without a name"


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
