"""Texts: what a page that follows one text is sent, and the processor time that its patches take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from rich.console import Console
from rich.table import Table

from app.content.values import Outline, OutlineSection, Source
from app.content.workflows import OUTLINE, SOURCES, WRITE_POST
from app.contract import events as e
from app.contract import payloads as p
from app.contract.run import Run
from app.web.views import PageView
from bench.figures import Figures, spread
from bench.posts import section_facts

PIECE = 60
"""Characters that come at once."""
TURNS = 3
_SENTENCE = "Sentence {n} has **bold**, `code`, and [a link](https://example.com/a_({n})) [s1]. "


@dataclass(frozen=True)
class Recipe:
    """A text of as many units as make it long. In each, `{n}` is another number, so that no two are the same."""

    unit: str
    begin: str = ""
    end: str = ""

    def text(self, length: int, first: int) -> str:
        count = length // len(self.unit)
        return self.begin + "".join(self.unit.replace("{n}", f"{first + at:05}") for at in range(count)) + self.end


TEXTS = {
    "paragraphs": Recipe(_SENTENCE * 5 + "\n\n"),
    "one paragraph": Recipe(_SENTENCE),
    "list": Recipe("- an item of a *list* with number {n}\n"),
    "steps": Recipe(f"1. {_SENTENCE}\n\n   {_SENTENCE * 3}\n\n   - one\n   - two\n\n"),
    "one item": Recipe(f"\n  {_SENTENCE * 2}\n\n  > {_SENTENCE}\n", begin="- It begins\n"),
    "quotation": Recipe(f"> {_SENTENCE * 2}\n>\n> - one\n> - two\n>\n"),
    "code": Recipe("x = some_call(with_arguments, {n})\n\n", begin="```py\n", end="```\n"),
    "table": Recipe("| cell **{n}** | cell two |\n", begin="| a | b [s1] |\n|---|:-:|\n"),
}


@dataclass(frozen=True)
class Followed:
    """The patches that a page received while it followed one text."""

    characters: int
    patches: int
    sent_bytes: int
    cpu_ms: float


async def bench_texts(console: Console, *, quick: bool) -> None:
    """Follow each text several times over, and print the table."""
    table = Table(title=f"A page that follows one text, {PIECE} characters at a time")
    table.add_column("text")
    for column in ("characters", "patches", "KiB sent", "CPU ms", "CPU ms a patch"):
        table.add_column(column, justify="right")
    turns = [_follow_all(quick=quick, turn=turn) for turn in range(1 if quick else TURNS)]
    for name in TEXTS:
        found = [turn[name] for turn in turns]
        cpu = [one.cpu_ms for one in found]
        table.add_row(
            name,
            f"{found[0].characters:,}",
            f"{found[0].patches:,}",
            f"{found[0].sent_bytes / 1024:,.1f}",
            spread(cpu, ",.0f"),
            f"{median(cpu) / found[0].patches:.2f}",
        )
    console.print(table)


async def texts_figures(*, quick: bool) -> Figures:
    """Follow each text once."""
    return {
        f"text, {name}: {figure}": value
        for name, one in _follow_all(quick=quick).items()
        for figure, value in (("KiB sent", one.sent_bytes / 1024), ("CPU ms", one.cpu_ms))
    }


def _follow_all(*, quick: bool, turn: int = 0) -> dict[str, Followed]:
    length = 2_000 if quick else 19_000
    _follow(TEXTS["steps"].text(2_000, 90_000))  # loads what all of them need
    return {name: _follow(recipe.text(length, turn * 1_000)) for name, recipe in TEXTS.items()}


def _follow(text: str) -> Followed:
    """Apply each event of a post with this text, and render what it changes on a page."""
    run, view = Run(id="run_bench"), PageView("post")
    log = list(_write_log(text))
    patches = sent = 0
    begun = time.process_time()
    for event in log:
        before = run.cursor
        run.apply(event)
        patch = view.patches(run, before)
        patches += bool(patch)
        sent += len(patch.encode())
    return Followed(len(text), patches, sent, (time.process_time() - begun) * 1000)


def _write_log(text: str) -> Iterator[e.Event]:
    """Yield the events of a post with one section, each 100 ms after the last."""
    begun = e.now()
    for number, fact in enumerate(_facts(text), start=1):
        at = begun + timedelta(milliseconds=100 * number)
        yield fact.model_copy(update={"id": f"{int(at.timestamp() * 1000)}-0", "at": at})


def _facts(text: str) -> Iterator[e.Event]:
    section = OutlineSection(id="s", heading="The text")
    outline = Outline(title="A text", summary="What it costs.", sections=[section])
    source = Source(number=1, url="https://example.com/about", title="About", passages=["s1"])
    yield e.RunSubmitted(
        data=p.Submitted(workflow=WRITE_POST, title="A text", input={"site_id": "", "topic": "A text"})
    )
    yield e.RunStarted(data=p.Started(workflow=WRITE_POST, version="1"))
    yield e.StepStarted(step=WRITE_POST, attempt=1, data=p.StepBegun(component=WRITE_POST))
    for name, value in ((OUTLINE, outline.model_dump(mode="json")), (SOURCES, [source.model_dump(mode="json")])):
        yield e.ObjectPublished(step=WRITE_POST, attempt=1, data=p.Published(name=name, value=value))
    yield from section_facts(section, text, len(text) // PIECE)
