"""The line on a post that no model wrote."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html as lxml_html

from app.contract import events as e
from app.contract import payloads as p
from app.contract.manifest import Beat
from app.stores.fleet import Fleet
from tests.app.web.browser_dom import page
from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import OUTLINE, Writer, finish_post, post_json
from tests.app.web.test_views import check

SAID = "Assembled from the site’s own sentences; no model wrote it."


def end_with(author: str) -> Writer:
    log = finish_post()
    log.events[-1] = e.RunSucceeded(
        id=log.events[-1].id, at=log.events[-1].at, data=p.Result(output={**post_json([], []), "author": author})
    )
    return log


def said(log: Writer) -> str:
    return str(page("post", log.fold()).xpath("string(//*[@id='authorship'])")).strip()


@pytest.mark.parametrize(("author", "line"), [("extractive", SAID), ("openai:gpt-9", ""), ("", "")])
def test_a_finished_post_names_its_kind_of_author(author: str, line: str) -> None:
    # The outline of this log took a model.
    assert said(end_with(author)) == line


def assemble(*, call: bool = False) -> Writer:
    log = Writer("write-post", {"topic": "Tyres"}, "Tyres")
    log.start_run()
    log.begin("")
    log.begin("outline-post")
    if call:
        log.call("outline-post")
    log.publish("outline-post", "outline", OUTLINE)
    log.succeed("outline-post", OUTLINE)
    return log


def test_a_post_names_its_kind_of_author_once_its_outline_is_written() -> None:
    assert said(assemble()) == SAID
    assert said(assemble(call=True)) == ""
    early = assemble()
    early.events.pop()
    assert said(early) == ""
    check("post", assemble(), [len(assemble().events)])


@pytest.mark.parametrize(("author", "now", "line"), [("extractive", "openai:gpt-9", SAID), ("gpt-9", "extractive", "")])
async def test_the_line_does_not_depend_on_the_living_workers(
    ann: Client, play: Play, fleet: Fleet, author: str, now: str, line: str
) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    await play(run, end_with(author))
    await fleet.beat(Beat(worker="w1", build="test", workflows={"echo": "1"}, author=now))
    shown: Any = lxml_html.fromstring((await ann.get(post)).text)
    assert shown.xpath("string(//*[@id='authorship'])").strip() == line
    for address in (post, f"/runs/{run}"):
        foot = lxml_html.fromstring((await ann.get(address)).text).xpath("string(//footer)")
        assert "Every post says where each thing was said." in foot and "assembled" not in foot, address
