"""Forms of pages: what is typed is kept, what is wrong is said in words, and who comes too late is told so."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html as lxml_html
from sqlalchemy import update

from app.content.values import Outline
from app.contract import events as e
from app.contract import payloads as p
from app.contract.payloads import Ask
from app.stores.database import Database
from app.stores.tables import PostRow
from tests.app.conftest import Take
from tests.app.web.browser_dom import page as fragment
from tests.app.web.conftest import Play, Ship
from tests.app.web.fragments.test_patches import check
from tests.app.web.logs import BRIEF, OUTLINE, TOPICS, Writer, begin_post, finish_post, read_site
from tests.app.web.test_pages import Client, add_post, add_site, run_of
from tests.support.worker_player import WorkerPlayer

SECTIONS: list[dict[str, Any]] = OUTLINE["sections"]  # type: ignore[assignment]


async def ask_for_outline(client: Client, take: Take) -> tuple[str, str, WorkerPlayer]:
    """A post that waits for its outline: its address, its run, and who plays the worker."""
    post = await add_post(client, await add_site(client), approve_outline="true")
    run = run_of(await client.get(post))
    player = await take(run)
    await player.say(*[event.model_copy(update={"id": ""}) for event in begin_post(approve=True).events[1:-1]])
    schema = Outline.model_json_schema()
    await player.ask(Ask(ask="a1", name="outline", step="write-post", proposal=OUTLINE, answer_schema=schema))
    return post, run, player


def fill(**changed: str) -> dict[str, str]:
    """The outline's form as it comes, with these fields changed."""
    fields = {"ask": "a1", "title": "A title", "summary": ""}
    for number, section in enumerate(SECTIONS, start=1):
        fields |= {
            f"id-{number}": section["id"],
            f"heading-{number}": section["heading"],
            f"points-{number}": "One\r\nTwo",
            f"passages-{number}": "s1 s3",
        }
    return fields | changed


async def test_a_section_that_was_left_out_can_be_brought_back(ann: Client, take: Take) -> None:
    _, run, _ = await ask_for_outline(ann, take)
    none_left = fill(**{f"leave-out-{number}": "true" for number in range(1, 5)})
    refused = await ann.post(f"/runs/{run}/answers/outline", data=none_left)
    assert refused.status_code == 400
    page = lxml_html.fromstring(refused.text)
    assert page.xpath("string(//form[@class='outline']//*[@role='alert'])").strip() == "Keep at least one section."
    headings = [field.text.strip() for field in page.xpath("//textarea[starts-with(@name, 'heading-')]")]
    assert headings == [s["heading"] for s in SECTIONS]
    assert len(page.xpath("//input[@type='checkbox'][@checked]")) == 4


async def test_topics_stand_below_what_somebody_fills_in_and_the_chosen_one_is_marked(ann: Client, play: Play) -> None:
    site = await add_site(ann)
    await play(run_of(await ann.get(site)), read_site())
    chosen = TOPICS[1]["title"]
    answer = await ann.get(site, params={"choose": chosen, "audience": "bikers"})
    page = lxml_html.fromstring(answer.text)
    named = page.xpath("//form[@class='write spaced']//*[@name]/@name")
    assert named.index("choose") > named.index("approve_outline")
    assert page.xpath("//*[@aria-current='true']/@data-topic") == [chosen]
    assert page.xpath("//input[@id='topic']/@value") == [chosen]
    # Where the form then leads: a field that an address names has the focus.
    assert set(page.xpath("//button[@name='choose']/@formaction")) == {"?#topic"}
    ids = page.xpath("//button[@name='choose']/@id")
    assert len(set(ids)) == len(TOPICS)
    assert not lxml_html.fromstring((await ann.get(site)).text).xpath("//*[@aria-current='true']")


async def test_a_heading_of_an_outline_is_one_line_however_it_was_typed(ann: Client, take: Take) -> None:
    _, run, _ = await ask_for_outline(ann, take)
    typed = fill(**{"heading-1": "In two\r\n lines", "title": " And\r\nthe title", "heading-2": ""})
    refused = lxml_html.fromstring((await ann.post(f"/runs/{run}/answers/outline", data=typed)).text)
    assert refused.xpath("//*[@aria-invalid]/@name") == ["heading-2"]
    fields = refused.xpath("//textarea[@name='title' or @name='heading-1']")
    assert [field.text.strip() for field in fields] == ["And the title", "In two lines"]


async def test_what_is_wrong_with_an_outline_is_said_at_its_field(ann: Client, take: Take) -> None:
    """Also where a section before it was left out, so that the answer counts them otherwise than the form."""
    _, run, _ = await ask_for_outline(ann, take)
    typed = fill(**{"leave-out-1": "true", "heading-3": " ", "title": "t" * 201, "points-4": "p" * 501})
    page = lxml_html.fromstring((await ann.post(f"/runs/{run}/answers/outline", data=typed)).text)
    said = {field.get("name"): page.xpath(f"string(//*[@id='{field.get('aria-describedby')}'])")
            for field in page.xpath("//*[@aria-invalid]")}  # fmt: skip
    assert said == {
        "title": "Title can have at most 200 characters.",
        "heading-3": "Heading is missing.",
        "points-4": "A point can have at most 500 characters.",
    }
    assert page.xpath("//*[@autofocus]/@name") == list(said)
    assert "see the fields below" in page.xpath("string(//form[@class='outline']//*[@role='alert'])")


async def test_two_sections_of_one_id_are_refused_when_they_are_answered(ann: Client, take: Take) -> None:
    _, run, _ = await ask_for_outline(ann, take)
    value = {"title": "A title", "sections": [SECTIONS[0], SECTIONS[0]]}
    refused = await ann.post(f"/api/runs/{run}/answers/outline", json={"ask": "a1", "value": value})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == "value.sections"
    assert "more than one" in refused.text
    page = await ann.post(f"/runs/{run}/answers/outline", data=fill(**{"id-2": SECTIONS[0]["id"]}))
    assert page.status_code == 400
    Outline.model_validate(value)  # what a log holds is read


async def test_who_had_the_outline_open_is_told_that_it_was_approved(ann: Client, take: Take) -> None:
    post, run, _ = await ask_for_outline(ann, take)
    assert (await ann.post(f"/runs/{run}/answers/outline", data=fill())).status_code == 303
    head = lxml_html.fromstring((await ann.get(post)).text).xpath("//*[@id='document-head']")[0]
    assert not head.xpath(".//form")
    assert "This outline was approved at" in head.text_content()


@pytest.mark.parametrize("ending", [None, e.RunSucceeded(data=p.Result(output={})), e.RunCancelled()])
def test_who_left_the_outline_open_is_told_so_also_after_the_end(ending: e.Event | None) -> None:
    """The form is gone from that tab either way, and with it what was typed there."""
    log = begin_post(approve=True)
    log.add(e.CommandAnswer, p.AnswerData(ask="ask-7f31", name="outline", value=OUTLINE))
    log.start_run()
    log.publish("", "outline", OUTLINE)
    if ending is not None:
        log.add(type(ending), ending.data)
    head = fragment("post", log.fold()).xpath("//*[@id='document-head']")[0]
    assert "outline was approved" in head.text_content()
    assert ("What was changed in another tab since is no part of it." in head.text_content()) is (ending is None)
    assert bool(head.xpath(".//*[contains(@class, 'notice')]")) is (ending is None)


async def test_an_answer_that_came_second_leads_back_to_the_post(ann: Client, take: Take) -> None:
    post, run, _ = await ask_for_outline(ann, take)
    await ann.post(f"/runs/{run}/answers/outline", data=fill())
    late = await ann.post(f"/runs/{run}/answers/outline", data=fill(title="Another"))
    assert late.status_code == 409
    page = lxml_html.fromstring(late.text)
    assert page.xpath("//*[@id='document']")
    assert "already answered" in page.xpath("string(//*[@id='refused'])")
    assert "already answered" not in (await ann.get(post)).text


async def test_a_stop_that_came_too_late_leads_back_to_its_page(ann: Client, play: Play) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    reading, writing = run_of(await ann.get(site)), run_of(await ann.get(post))
    await play(reading, read_site())
    await play(writing, finish_post())
    for run, shown in ((reading, "write"), (writing, "document")):
        late = await ann.post(f"/runs/{run}/cancellation")
        assert late.status_code == 409
        page = lxml_html.fromstring(late.text)
        assert page.xpath(f"//*[@id='{shown}']"), run
        assert "The run has ended" in page.xpath("string(//*[@id='refused'])")
        assert page.xpath("//*[@id='live']")


async def test_addresses_of_forms_lead_to_their_pages(ann: Client, bob: Client) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    run = run_of(await ann.get(post))
    wanted = {
        "/sites": "/",
        f"{site}/posts": site,
        f"{site}/posts?choose=Tyres": f"{site}?choose=Tyres",
        f"/runs/{run}/cancellation": post,
        f"/runs/{run}/retries": post,
        f"/runs/{run}/answers/outline": post,
        f"/runs/{run}/drafts": post,
        f"/runs/{run}/drafts/removal": post,
        "/tokens/token_1/revocation": "/tokens",
    }
    for address, page in wanted.items():
        answer = await ann.get(address)
        assert (answer.status_code, answer.headers.get("location")) == (303, page), address
    for address in (f"{site}/posts", f"/runs/{run}/retries"):
        assert (await bob.get(address)).status_code == 404


async def test_a_chosen_topic_keeps_the_rest_of_the_form(ann: Client, play: Play) -> None:
    site = await add_site(ann)
    await play(run_of(await ann.get(site)), read_site())
    page = lxml_html.fromstring((await ann.get(site)).text)
    button = page.xpath("//button[@name='choose']")[0]
    assert (button.get("formmethod"), button.get("value")) == ("get", TOPICS[0]["title"])
    first = page.xpath("//form[@class='write spaced']//button[@type='submit']")[0]
    assert first.get("name") is None, "Enter in a field would choose a topic"
    typed = {"topic": "half", "audience": "bikers", "tone": "dry", "length": "long", "approve_outline": "true"}
    chosen = lxml_html.fromstring((await ann.get(site, params={**typed, "choose": button.get("value")})).text)
    fields = {field.get("name"): field.get("value") for field in chosen.xpath("//form//input[@class][@name]")}
    assert fields == {"topic": TOPICS[0]["title"], "audience": "bikers", "tone": "dry"}
    assert chosen.xpath("//input[@name='length'][@checked]/@value") == ["long"]
    assert chosen.xpath("//input[@name='approve_outline'][@checked]")


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


@pytest.mark.parametrize("where", ["home", "site"])
async def test_lists_are_asked_for_again(ann: Client, play: Play, ship: Ship, where: str) -> None:
    """Also where nothing goes on: something may be started in another tab, or on another device."""
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


async def test_a_token_is_revoked_in_two_steps(ann: Client) -> None:
    await ann.post("/tokens", data={"name": "notebook"})
    page = lxml_html.fromstring((await ann.get("/tokens")).text)
    assert page.xpath("//details[not(@open)][summary[contains(., 'Revoke')]]//form[contains(@action, 'revocation')]")


@pytest.mark.parametrize("topic", ["   ", " \u200b \u200b ", " a "])
async def test_a_topic_that_nobody_would_see_is_refused(ann: Client, topic: str) -> None:
    site = await add_site(ann)
    answer = await ann.post(f"{site}/posts", data={"topic": topic, "length": "short"})
    assert answer.status_code == 400
    assert "at least 3 characters" in lxml_html.fromstring(answer.text).xpath("string(//*[@id='topic-error'])")
    brief = {"site_id": site.rpartition("/")[2], "topic": topic}
    refused = await ann.post("/api/workflows/write-post/runs", json=brief)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "topic")


async def test_space_around_what_was_typed_is_no_part_of_it(ann: Client) -> None:
    post = await add_post(ann, await add_site(ann), topic="  Winter tyres ", audience="   ", tone=" dry ")
    given = (await ann.get(f"/api/runs/{run_of(await ann.get(post))}")).json()["input"]
    assert (given["topic"], given["audience"], given["tone"]) == ("Winter tyres", "", "dry")


async def test_a_post_whose_topic_nobody_sees_has_a_name_all_the_same(ann: Client, database: Database) -> None:
    """Earlier versions took such topics."""
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
