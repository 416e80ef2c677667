"""What a text costs that streams: the bytes of its patches beside its HTML, and the processor time of all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice

from rich.console import Console
from rich.table import Table

from app.markdown import Growing, Tree, patches, render

PIECE = 60
"""Characters that come at a time."""
LENGTH, QUICK = 40_000, 10_000
_ID = "section-price"
_NUMBERS = {"s1": 1, "s2": 2}

Follow = Callable[[Iterator[str]], Iterator[bytes]]
"""Yields the message that brings a page from each of the lengths of a text to the next one."""

_WORDS = (
    "a survey",
    "of the outside wall",
    "finds",
    "where",
    "most of",
    "the heat",
    "is lost",
    "and",
    "what",
    "it costs",
)


def _prose(sentences: int, start: int = 0) -> str:
    words = islice(cycle(_WORDS), start, None)
    found = []
    for number in range(start, start + sentences):
        told = " ".join(islice(words, 5 + number % 6)).capitalize()
        marked = ("{}, with **bold words** in it.", "{} [s1].", "{}, or `code` and [a link](https://e.com/a).", "{}.")
        found.append(marked[number % 4].format(told))
    return " ".join(found)


def _fill(parts: Iterable[str], length: int) -> str:
    text = ""
    for part in parts:
        text += part
        if len(text) >= length:
            break
    return text[:length]


def texts(length: int = LENGTH) -> dict[str, str]:
    """Return eight texts of about so many characters, each of one kind."""
    numbers = range(length)
    some = [_prose(1 + number % 2, number) for number in range(60)]
    items = [f"- {some[n % 60]}\n" for n in range(60)]
    nested = "- It begins so:\n" + "".join(f"  - {some[n % 60]}\n" for n in numbers[: length // 40])
    code = "```py\n" + "".join(f"value_{n} = some_call({n}, 'with <arguments>')\n" for n in numbers[: length // 40])
    table = "| Part | Value | Source |\n|---|--:|---|\n" + "".join(
        f"| wall {n} | **{n}** kW | as measured [s1] |\n" for n in numbers[: length // 40]
    )
    quotation = (f"> {some[n % 60]}\n{'>' + chr(10) if n % 3 == 2 else ''}" for n in numbers)
    prose = (f"## Part {n}\n\n{_prose(5, n)}\n\n{_prose(4, n + 3)}\n\n" for n in numbers)
    mixed = (
        f"### Step {n}\n\n{_prose(2, n)}\n\n1. **First.** {_prose(1, n)}\n\n   - {_prose(1, n + 1)}\n   - two\n\n"
        f"     > {_prose(2, n)}\n\n2. Then:\n\n   ```sh\n   run --{n}\n   ```\n\n"
        f"| a | b |\n|---|---|\n| {n} | [s2] |\n| x | `y` |\n\n> {_prose(2, n)}\n\n"
        for n in numbers
    )
    return {
        "one paragraph": _prose(length // 50)[:length],
        "a list": _fill(cycle(items), length),
        "an item with a list": nested[:length],
        "a table": table[:length],
        "code": code[:length],
        "a quotation": _fill(quotation, length),
        "prose with headings": _fill(prose, length),
        "nested mix": _fill(mixed, length),
    }


@dataclass(frozen=True)
class TextCost:
    """`sent` is the bytes of all messages, `html` those of the finished text without ids."""

    sent: int
    html: int
    seconds: float
    slowest_ms: float

    @property
    def ratio(self) -> float:
        return self.sent / self.html


def measure(text: str, follow: Follow | None = None) -> TextCost:
    """Return what it costs to follow a text that comes in pieces."""
    messages = (follow or follow_text)(text[:end] for end in range(PIECE, len(text) + PIECE, PIECE))
    sent, slowest = 0, 0.0
    begun = before = time.process_time()
    for message in messages:
        now = time.process_time()
        sent, slowest, before = sent + len(message), max(slowest, now - before), now
    html = render(Growing(_NUMBERS).read(text, True))
    return TextCost(sent, len(html.encode()), before - begun, 1000 * slowest)


def follow_text(lengths: Iterator[str]) -> Iterator[bytes]:
    """Read, compare and encode, as a page does that follows."""
    growing, shown = Growing(_NUMBERS), Tree()
    for text in lengths:
        now = growing.read(text, False)
        yield "".join(patch.encode() for patch in patches(shown, now, _ID)).encode()
        shown = now


async def bench_texts(console: Console, quick: bool = False) -> None:
    length = QUICK if quick else LENGTH
    table = Table(title=f"Texts of {length:,} characters, in pieces of {PIECE}")
    for heading in ("text", "HTML KiB", "sent KiB", "sent / HTML", "CPU s", "slowest ms"):
        table.add_column(heading, justify="left" if heading == "text" else "right")
    for name, text in texts(length).items():
        cost = measure(text)
        table.add_row(
            name,
            f"{cost.html / 1024:.0f}",
            f"{cost.sent / 1024:.0f}",
            f"{cost.ratio:.1f}",
            f"{cost.seconds:.2f}",
            f"{cost.slowest_ms:.1f}",
        )
    console.print(table)
