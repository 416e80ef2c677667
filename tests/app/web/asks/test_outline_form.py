"""The form of an outline: what was typed stays in it, each problem is at its field, and an approval is shown."""

from __future__ import annotations

import pytest
from lxml import html as lxml_html

from app.content.values import Outline
from app.contract import events as e
from app.contract import payloads as p
from app.contract.payloads import Ask
from tests.app.conftest import Take
from tests.app.web.browser_dom import page as fragment
from tests.app.web.clients import SECTIONS, Client, add_post, add_site, ask_for_outline, fill, run_of
from tests.app.web.logs import OUTLINE, begin_post


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


async def test_line_breaks_in_headings_of_an_outline_become_spaces(ann: Client, take: Take) -> None:
    _, run, _ = await ask_for_outline(ann, take)
    typed = fill(**{"heading-1": "In two\r\n lines", "title": " And\r\nthe title", "heading-2": ""})
    refused = lxml_html.fromstring((await ann.post(f"/runs/{run}/answers/outline", data=typed)).text)
    assert refused.xpath("//*[@aria-invalid]/@name") == ["heading-2"]
    fields = refused.xpath("//textarea[@name='title' or @name='heading-1']")
    assert [field.text.strip() for field in fields] == ["And the title", "In two lines"]


async def test_each_problem_of_an_outline_is_shown_at_its_field(ann: Client, take: Take) -> None:
    """Also after a section that was left out, so that the answer numbers the sections differently from the form."""
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


async def test_a_page_says_that_its_outline_was_approved(ann: Client, take: Take) -> None:
    post, run, _ = await ask_for_outline(ann, take)
    assert (await ann.post(f"/runs/{run}/answers/outline", data=fill())).status_code == 303
    head = lxml_html.fromstring((await ann.get(post)).text).xpath("//*[@id='document-head']")[0]
    assert not head.xpath(".//form")
    assert "This outline was approved at" in head.text_content()


@pytest.mark.parametrize("ending", [None, e.RunSucceeded(data=p.Result(output={})), e.RunCancelled()])
def test_a_page_says_that_its_outline_was_approved_also_after_the_end(ending: e.Event | None) -> None:
    """A tab that had the form open loses it in each case, and the text typed there with it."""
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
