"""Viewers without a browser: they follow a run through cuts and restarts, and compare what they have at its end."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import httpx2
from lxml import html

from app.contract.codec import event_to_dict
from app.contract.cursors import is_after
from app.contract.run import Run
from app.stores.log import Log
from tests.app.web.browser_dom import apply_patches, canonical
from tests.end_to_end.visiting import squeeze
from tests.support.worker_process import END_TYPES

MOST_SECONDS_AWAY = 0.4


@dataclass
class Tally:
    """Counts of what viewers received, and the differences from the log."""

    connections: int = 0
    deliveries: int = 0
    resets: int = 0
    followed: int = 0
    repeats: int = 0
    differences: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Post:
    """A post that is being written."""

    id: str
    run_id: str


@dataclass(frozen=True)
class Message:
    """One Server-Sent Event."""

    event: str
    id: str
    data: str


class Viewer:
    """Follows the stream at an address with `Last-Event-ID`, connecting again until `take` finds the end."""

    def __init__(self, client: httpx2.AsyncClient, tally: Tally, seed: int) -> None:
        self._client = client
        self._tally = tally
        self._rng = random.Random(seed)

    async def follow(self, address: str, cursor: str, take: Callable[[Message], str | None]) -> None:
        """Connect again and again. `take` returns the new cursor, or None at the end."""
        position: str | None = cursor
        while position is not None:
            with suppress(httpx2.HTTPError):
                position = await self._connect(address, position, take)
            await asyncio.sleep(self._rng.uniform(0, MOST_SECONDS_AWAY))

    async def _connect(self, address: str, cursor: str, take: Callable[[Message], str | None]) -> str | None:
        position: str | None = cursor
        headers = {"Accept": "text/event-stream", "Last-Event-ID": cursor}
        with suppress(httpx2.HTTPError):  # what came before the cut counts
            async with self._client.stream("GET", address, headers=headers) as response:
                if response.status_code != 200:
                    return cursor
                self._tally.connections += 1
                async for message in _messages(response):
                    self._tally.deliveries += 1
                    position = take(message)
                    if position is None:
                        break
        return position

    async def get(self, address: str) -> str:
        """Return the page at this address, as soon as the server answers with it."""
        while True:
            with suppress(httpx2.HTTPError):
                response = await self._client.get(address)
                if response.status_code == 200:
                    return response.text
            await asyncio.sleep(self._rng.uniform(0, MOST_SECONDS_AWAY))


class PageViewer(Viewer):
    """Loads a post's page, and changes it as htmx would."""

    async def watch(self, post: Post, log: Log) -> None:
        root = _live(await self.get(f"/posts/{post.id}"))
        cursor = str(root.get("data-cursor"))

        def take(message: Message) -> str | None:
            nonlocal cursor
            if message.event == "end":
                return None
            if message.event in ("", "reset"):
                if not message.event and not is_after(message.id, cursor):
                    self._tally.repeats += 1
                    return cursor
                self._tally.resets += message.event == "reset"
                apply_patches(root, message.data)
                cursor = message.id
                root.set("data-cursor", cursor)
            return cursor

        await self.follow(f"/runs/{post.run_id}/live?view=post", cursor, take)
        run = await log.fold(post.run_id)
        self._tally.followed += 1
        if cursor != run.cursor:
            self._tally.differences.append(f"{post.run_id}: a page stopped at {cursor} of {run.cursor}")
        if text_of(root) != written(run):
            self._tally.differences.append(f"{post.run_id}: a page has {text_of(root)!r}, the log {written(run)!r}")
        patched, rendered = canonical(root), canonical(_live(await self.get(f"/posts/{post.id}")))
        if patched != rendered:
            pairs = enumerate(zip(patched, rendered, strict=False))
            at = next((place for place, (one, other) in pairs if one != other), 0)
            pieces = [text[max(0, at - 80) : at + 120] for text in (patched, rendered)]
            self._tally.differences.append(f"{post.run_id}: a page has {pieces[0]!r}, rendered it is {pieces[1]!r}")


class LogReader(Viewer):
    """Reads the log itself, as programs do."""

    async def watch(self, post: Post, log: Log) -> None:
        read: list[dict[str, Any]] = []

        def take(message: Message) -> str | None:
            if not message.id:
                return read[-1]["id"] if read else "0-0"
            if read and not is_after(message.id, read[-1]["id"]):
                self._tally.repeats += 1
                return str(read[-1]["id"])
            read.append(json.loads(message.data))
            return None if read[-1]["type"] in END_TYPES else message.id

        await self.follow(f"/api/runs/{post.run_id}/events", "0-0", take)
        self._tally.followed += 1
        events = [json.loads(json.dumps(event_to_dict(event))) for event in await log.read(post.run_id)]
        if read != events:
            ids, own = [event["id"] for event in events], [event["id"] for event in read]
            self._tally.differences.append(f"{post.run_id}: the log is {ids}, a reader has {own}")


def text_of(root: html.HtmlElement) -> str:
    """Return the text of all sections on a page, without citations and white space."""
    found = []
    for prose in deepcopy(root).xpath(".//*[@data-section]//*[contains(concat(' ', @class, ' '), ' prose ')]"):
        for citation in prose.xpath(".//sup"):
            citation.drop_tree()
        found.append(prose.text_content())
    return squeeze("".join(found))


def written(run: Run) -> str:
    """Return the text of all sections in the post's order, as its log has it, of the attempts that count."""
    outline = run.steps[run.workflow].attempts[-1].objects["outline"]["sections"]
    steps = [run.steps[f"{run.workflow}/write-section:{section['id']}"] for section in outline]
    return squeeze("".join(step.counting.text for step in steps if step.counting))


def _live(page: str) -> html.HtmlElement:
    return html.document_fromstring(page).get_element_by_id("live")


async def _messages(response: httpx2.Response) -> AsyncIterator[Message]:
    """Yield the events that came whole; one that was cut is no event."""
    buffer = b""
    async for chunk in response.aiter_bytes():
        *whole, buffer = (buffer + chunk).split(b"\n\n")
        for frame in whole:
            lines = [line.partition(": ") for line in frame.decode().split("\n")]
            fields = {name: value for name, _, value in lines if name in ("event", "id")}
            data = "\n".join(value for name, _, value in lines if name == "data")
            yield Message(fields.get("event", ""), fields.get("id", ""), data)
