"""Drafts of answers: saved while people type, until the answer is taken or the run ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lxml import html as lxml_html
from sqlalchemy import func, select

from app.contract import events as e
from app.contract.payloads import Ask
from app.contract.status import new_id
from app.stores.database import Database
from app.stores.tables import DraftRow
from app.web.fragments.context import PageContext
from app.web.views import build_page_fragments
from tests.app.conftest import Take, start_echo
from tests.app.web.clients import SECTIONS, Client, ask_for_outline, fill
from tests.app.web.conftest import Ship
from tests.app.web.logs import OUTLINE, begin_post
from tests.support.worker_player import WorkerPlayer

ANSWER_SCHEMA = {"type": "object", "required": ["go"], "properties": {"go": {"type": "boolean"}}}


async def ask_echo(client: Client, take: Take, *asks: str) -> tuple[str, WorkerPlayer]:
    """Start a run that asks for JSON, once for each of these ids."""
    run = await start_echo(client)
    player = await take(run)
    await player.ask(*[Ask(ask=ask, name="go", step="echo", proposal={"go": 1}, answer_schema={}) for ask in asks])
    return run, player


async def keep(client: Client, run: str, **fields: str) -> Any:
    return await client.post(f"/runs/{run}/drafts", data=fields, headers={"hx-request": "true"})


async def form_on(client: Client, page: str) -> Any:
    """Return the form of the outline, or of the first ask, from a page."""
    tree = lxml_html.fromstring((await client.get(page)).text)
    return tree.xpath("//form[@class='outline'] | //*[@id='asks']//form")[0]


async def title_on(client: Client, page: str) -> str:
    return str((await form_on(client, page)).xpath("string(.//textarea[@name='title'])"))


async def json_on(client: Client, run: str, ask: str = "") -> str:
    tree = lxml_html.fromstring((await client.get(f"/runs/{run}")).text)
    found = f"//form[input[@name='ask'][@value='{ask}']]" if ask else "//*[@id='asks']//form"
    return str(tree.xpath(f"{found}//textarea")[0].text).removeprefix("\n")


async def count_drafts(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(DraftRow)) or 0


async def test_an_outline_is_kept_while_it_is_typed_and_shown_again(ann: Client, take: Take) -> None:
    post, run, _ = await ask_for_outline(ann, take)
    assert not (await form_on(ann, post)).xpath(".//time"), "nothing was typed yet"
    typed = fill(title="", **{"leave-out-2": "true", "heading-3": "Of my own", "points-3": "Three\r\nFour"})
    kept = await keep(ann, run, **typed)
    assert (kept.status_code, kept.text.startswith("Draft kept <time")) == (200, True)
    assert "<html" not in kept.text
    form = await form_on(ann, post)
    assert form.xpath("string(.//textarea[@name='title'])") == ""
    assert form.xpath("string(.//textarea[@name='heading-3'])") == "Of my own"
    assert form.xpath(".//textarea[@name='points-3']")[0].text.strip() == "Three\nFour"
    assert form.xpath(".//input[@type='checkbox'][@checked]/@name") == ["leave-out-2"]
    assert "with your changes" in form.text_content()
    assert form.xpath(".//*[@role='status']//time")


async def test_the_last_of_two_tabs_counts(ann: Client, take: Take) -> None:
    post, run, _ = await ask_for_outline(ann, take)
    for title in ("From one tab", "From the other"):
        assert (await keep(ann, run, **fill(title=title))).status_code == 200
    assert await title_on(ann, post) == "From the other"


async def test_json_is_kept_as_it_was_typed(ann: Client, take: Take, database: Database) -> None:
    """Check that there is one draft for each ask, also of those that have one name."""
    run, _ = await ask_echo(ann, take, "a1", "a2")
    for ask, text in (("a1", '{"go": tr'), ("a2", "")):
        assert (await keep(ann, run, ask=ask, value=text)).status_code == 200
    assert await json_on(ann, run, "a1") == '{"go": tr'
    assert (await ann.get(f"/runs/{run}")).text.count("Draft kept") == 2
    refused = await ann.post(f"/runs/{run}/answers/go", data={"ask": "a1", "value": '{"go": tru'})
    assert refused.status_code == 400
    assert await json_on(ann, run, "a1") == '{"go": tru', "what was refused is the newest that was typed"
    assert (await ann.post(f"/runs/{run}/answers/go", data={"ask": "a1", "value": '{"go": true}'})).status_code == 303
    assert await count_drafts(database) == 1, "the other's is still there"


async def test_a_refused_outline_is_kept(ann: Client, take: Take) -> None:
    post, run, _ = await ask_for_outline(ann, take)
    await keep(ann, run, **fill(title="An early one"))
    refused = await ann.post(f"/runs/{run}/answers/outline", data=fill(title="The newest", **{"heading-1": " "}))
    assert refused.status_code == 400
    assert "Heading is missing" in refused.text
    assert await title_on(ann, post) == "The newest"


@pytest.mark.parametrize("way", ["page", "api"])
async def test_an_answer_that_is_taken_ends_the_draft(ann: Client, take: Take, database: Database, way: str) -> None:
    post, run, _ = await ask_for_outline(ann, take)
    await keep(ann, run, **fill(title="Not the last word"))
    if way == "page":
        answer = await ann.post(f"/runs/{run}/answers/outline", data=fill(title="The last word"))
    else:
        answer = await ann.post(f"/api/runs/{run}/answers/outline", json={"ask": "a1", "value": OUTLINE})
    assert answer.status_code in (202, 303)
    assert await count_drafts(database) == 0
    assert "Not the last word" not in (await ann.get(post)).text
    late = await keep(ann, run, **fill(title="From a tab that knows nothing of it"))
    assert late.status_code == 409
    assert "<html" not in late.text
    assert "does not ask this any more" in late.text
    assert await count_drafts(database) == 0


async def test_the_end_of_a_run_ends_its_drafts(ann: Client, take: Take, ship: Ship, database: Database) -> None:
    post, run, _ = await ask_for_outline(ann, take)
    other, _ = await ask_echo(ann, take, "a1")
    await keep(ann, run, **fill(title="Of a run that is cancelled"))
    await keep(ann, other, ask="a1", value="of one that goes on")
    assert (await ann.post(f"/runs/{run}/cancellation")).status_code == 303
    player = await take(run)
    await player.say(e.RunCancelled(), release="ended")
    await ship()
    assert "Of a run that is cancelled" not in (await ann.get(post)).text
    assert await json_on(ann, other) == "of one that goes on"
    assert await count_drafts(database) == 1
    assert (await keep(ann, run, **fill())).status_code == 409


async def test_a_new_question_of_the_same_name_begins_with_its_proposal(ann: Client, take: Take) -> None:
    run, _ = await ask_echo(ann, take, "a1")
    await keep(ann, run, ask="a1", value="for the first")
    await ann.post(f"/runs/{run}/answers/go", data={"ask": "a1", "value": "1"})
    player = await take(run)
    await player.ask(Ask(ask="a2", name="go", step="echo", proposal={"go": 2}, answer_schema={}))
    assert json.loads(await json_on(ann, run)) == {"go": 2}


async def test_starting_over_leads_back_to_the_proposal(ann: Client, take: Take, database: Database) -> None:
    """Delete the draft by a plain form, in two steps, and never by Enter."""
    post, run, _ = await ask_for_outline(ann, take)
    await keep(ann, run, **fill(title="My own"))
    form = await form_on(ann, post)
    assert not form.xpath(".//button")[0].get("formaction"), "Enter in a field would start over"
    button = form.xpath(".//details[summary]//button[@formnovalidate]")[0]
    assert form.get("method") == "post"
    back = await ann.post(button.get("formaction"), data=fill(title="My own"))
    assert (back.status_code, back.headers["location"]) == (303, post)
    assert await title_on(ann, post) == OUTLINE["title"]
    assert await count_drafts(database) == 0
    assert (await ann.post(button.get("formaction"), data=fill())).status_code == 303, "also where there is none"


async def test_an_outline_and_its_json_are_one_draft(ann: Client, take: Take) -> None:
    """Check that the run's own page shows as JSON what was typed on the post's page, and the other way round."""
    post, run, _ = await ask_for_outline(ann, take)
    await keep(ann, run, **fill(title="From the post", **{"leave-out-1": "true"}))
    shown = json.loads(await json_on(ann, run))
    assert (shown["title"], len(shown["sections"])) == ("From the post", len(SECTIONS) - 1)
    await keep(ann, run, ask="a1", value=json.dumps({**shown, "title": "From the run"}))
    assert await title_on(ann, post) == "From the run"
    await keep(ann, run, ask="a1", value='{"title": "half a')
    assert await title_on(ann, post) == OUTLINE["title"], "what is no outline can't be shown as one"
    assert await json_on(ann, run) == '{"title": "half a'


async def test_what_is_kept_is_nobody_else_s(ann: Client, bob: Client, take: Take, database: Database) -> None:
    post, run, _ = await ask_for_outline(ann, take)
    await keep(ann, run, **fill(title="Mine"))
    for address in (f"/runs/{run}/drafts", f"/runs/{run}/drafts/removal"):
        assert (await bob.post(address, data=fill(title="Bob's"))).status_code == 404
        assert (await bob.get(address, params={"ask": "a1"})).status_code == 404
        foreign = {"origin": "https://elsewhere.example"}
        assert (await ann.post(address, data=fill(title="Forged"), headers=foreign)).status_code == 403
    assert await title_on(ann, post) == "Mine"
    assert await count_drafts(database) == 1


async def test_what_cannot_be_kept_is_said_and_changes_nothing(ann: Client, take: Take, database: Database) -> None:
    run, _ = await ask_echo(ann, take, "a1")
    await keep(ann, run, ask="a1", value="as it was")
    long = await keep(ann, run, ask="a1", value="x" * 20_001)
    assert (long.status_code, "too long" in long.text, "<html" in long.text) == (422, True, False)
    assert (await keep(ann, run, ask="a1", value="x" * 1_100_000)).status_code == 413
    for ask in ("", "a7", "x" * 5000, "\0"):
        unknown = await keep(ann, run, ask=ask, value="for nothing")
        assert (unknown.status_code, "<html" in unknown.text) == (409, False), ask
    assert await json_on(ann, run) == "as it was"
    assert await count_drafts(database) == 1


async def test_hostile_text_comes_back_as_text(ann: Client, take: Take) -> None:
    run, _ = await ask_echo(ann, take, "a1")
    for text in ("</textarea><script>alert(1)</script>", "\0", "[" * 9000, '"\\ud800"', "\n\nline"):
        assert (await keep(ann, run, ask="a1", value=text)).status_code == 200
        assert "<script>alert" not in (await ann.get(f"/runs/{run}")).text
    assert await json_on(ann, run) == "\n\nline"


async def test_a_form_that_a_stream_brings_asks_for_what_was_kept(ann: Client, take: Take) -> None:
    """Check that a form from a stream, which has the proposal, asks once for the draft: drafts are not in the log."""
    post, run, _ = await ask_for_outline(ann, take)
    streamed = "".join(
        part.render() for part in build_page_fragments("post", begin_post(approve=True).fold(), PageContext())
    )
    asking = lxml_html.fromstring(f"<div>{streamed}</div>").xpath("//form//*[@hx-trigger='load']")[0]
    assert not (await form_on(ann, post)).xpath(".//*[@hx-trigger='load']")
    assert asking.get("hx-get").startswith("/runs/run_1/drafts?ask=ask-7f31")
    address, script = f"/runs/{run}/drafts?ask=a1", {"hx-request": "true"}
    assert (await ann.get(address, headers=script)).status_code == 204
    assert (await ann.get(address)).headers["location"] == post, "opened as a page, it leads to the post"
    await keep(ann, run, **fill(title="From another device"))
    for view, page in (("post", post), ("run", f"/runs/{run}")):
        answer = await ann.get(f"{address}&view={view}", headers=script)
        assert (answer.status_code, answer.headers["location"]) == (303, page)


async def test_looking_at_a_draft_writes_nothing(ann: Client, take: Take, database: Database) -> None:
    """Show a page beside a draft whose ask is not open any more: it stays, and is not shown."""
    post, run, _ = await ask_for_outline(ann, take)
    async with database.writing() as session:
        session.add(DraftRow(run_id=run, ask=new_id("ask"), typed="of an ask that is long gone"))
    assert await title_on(ann, post) == OUTLINE["title"]
    assert "long gone" not in (await ann.get(f"/runs/{run}")).text
    assert await count_drafts(database) == 1
