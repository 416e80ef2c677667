"""Requests of a browser that tests of pages begin with."""

from __future__ import annotations

import re
from typing import Any

import httpx2

from app.content.values import Outline
from app.contract.payloads import Ask
from tests.app.conftest import Take
from tests.app.web.logs import BRIEF, OUTLINE, begin_post
from tests.support.worker_player import WorkerPlayer

Client = httpx2.AsyncClient
SECTIONS: list[dict[str, Any]] = OUTLINE["sections"]  # type: ignore[assignment]


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


async def ask_for_outline(client: Client, take: Take) -> tuple[str, str, WorkerPlayer]:
    """Add a post that waits for its outline; return its address, its run's id, and the player of its worker."""
    post = await add_post(client, await add_site(client), approve_outline="true")
    run = run_of(await client.get(post))
    player = await take(run)
    await player.say(*[event.model_copy(update={"id": ""}) for event in begin_post(approve=True).events[1:-1]])
    schema = Outline.model_json_schema()
    await player.ask(Ask(ask="a1", name="outline", step="write-post", proposal=OUTLINE, answer_schema=schema))
    return post, run, player


def fill(**changed: str) -> dict[str, str]:
    """Return the fields of the outline's form as it comes, with these changed."""
    fields = {"ask": "a1", "title": "A title", "summary": ""}
    for number, section in enumerate(SECTIONS, start=1):
        fields |= {
            f"id-{number}": section["id"],
            f"heading-{number}": section["heading"],
            f"points-{number}": "One\r\nTwo",
            f"passages-{number}": "s1 s3",
        }
    return fields | changed
