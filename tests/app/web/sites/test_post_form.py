"""The form for a post on a site's page: typed values stay in it, and each error is at its field."""

from __future__ import annotations

import pytest
from lxml import html as lxml_html

from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import TOPICS, read_site


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


@pytest.mark.parametrize("topic", ["   ", " \u200b \u200b ", " a "])
async def test_a_topic_without_visible_characters_is_refused(ann: Client, topic: str) -> None:
    site = await add_site(ann)
    answer = await ann.post(f"{site}/posts", data={"topic": topic, "length": "short"})
    assert answer.status_code == 400
    assert "at least 3 characters" in lxml_html.fromstring(answer.text).xpath("string(//*[@id='topic-error'])")
    brief = {"site_id": site.rpartition("/")[2], "topic": topic}
    refused = await ann.post("/api/workflows/write-post/runs", json=brief)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "topic")


async def test_space_around_typed_values_is_cut(ann: Client) -> None:
    post = await add_post(ann, await add_site(ann), topic="  Winter tyres ", audience="   ", tone=" dry ")
    given = (await ann.get(f"/api/runs/{run_of(await ann.get(post))}")).json()["input"]
    assert (given["topic"], given["audience"], given["tone"]) == ("Winter tyres", "", "dry")


async def test_topics_stand_below_the_fields_and_the_chosen_one_is_marked(ann: Client, play: Play) -> None:
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
