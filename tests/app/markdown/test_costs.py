"""Finished text is not sent again, and no text costs more than it is long."""

from __future__ import annotations

import gc
import re
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from statistics import median

import pytest

from app.markdown import render
from app.markdown.growing import Growing
from tests.app.markdown.subject import NUMBERS, follow, page, show
from tests.app.markdown.texts import texts

TEXTS = texts(19_000)
HARMFUL = [
    "[a](",
    "[",
    "![",
    "*a ",
    "**a",
    "*",
    "_a ",
    "\\",
    "` ",
    "`a ``b ```c ",
    "<",
    "<a",
    "&",
    "]",
    "](",
    "[a](u '",
]
HARMFUL += ["[](<", "~~a ", "[x](b) ", "[s1", "<https://e.com/", "x"]
AROUND = ["a {}x", "- {}x", "# {}x", "> {}x", "| a |\n|---|\n| {}x"]
SHAPES: dict[str, Callable[[int], str]] = {
    "quotations in each other": lambda n: ">" * n + "a",
    "items in each other": lambda n: "- " * (n // 2) + "a",
    "deep quotations": lambda n: (">" * 20 + "a\n") * (n // 22),
    "deep items": lambda n: "".join("  " * (line % 20) + "- a\n" for line in range(n // 24)),
    "columns": lambda n: "|" + "a|" * (n // 4) + "\n|" + "-|" * (n // 4),
    "short rows": lambda n: "| a | b |\n|---|---|\n" + "|\n" * (n // 2),
    "rows": lambda n: "| a |\n|---|\n" + "| a cell of it |\n" * (n // 17),
    "heads": lambda n: "| a | b |\n" * (n // 10),
    "fences": lambda n: "```\n" * (n // 4),
    "headings": lambda n: "# a\n" * (n // 4),
    "lazy lines": lambda n: "> a\n" + "a\n" * (n // 2),
    "indented code": lambda n: "    a\n\n" * (n // 7),
    "digits": lambda n: "1" * n + "a",
    "empty lines": lambda n: "a\n" + "\n" * n,
    "empty quotations": lambda n: ">\n" * (n // 2),
    "empty items": lambda n: "-\n" * (n // 2),
    "underlines": lambda n: "a\n-\n" * (n // 4),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_what_is_finished_is_not_sent_again(kind: str) -> None:
    """Words have numbers of their own: each is sent while its piece is open, and never after that."""
    numbers = count()
    text = re.sub(r"\b(?:wall|finds|some_call|heat)\b", lambda found: f"{found[0]}{next(numbers):04}x", TEXTS[kind])
    messages = list(follow(text[:end] for end in range(60, len(text) + 60, 60)))
    sent = Counter(word for message in messages for word in set(re.findall(r"\d{4}x", message)))
    assert len(sent) > 0.9 * next(numbers) > 45, "some come in two halves"
    assert max(sent.values()) <= 4
    assert sum(map(len, messages)) < 3.5 * len(show(text, True))


def stream(text: str) -> None:
    for _ in follow(text[:end] for end in range(400, len(text) + 400, 400)):
        pass


def cost(work: Callable[[str], object], text: str) -> float:
    gc.disable()  # its time depends on all that other tests left behind
    begun = time.process_time()
    work(text)
    gc.enable()
    return time.process_time() - begun


def assert_linear(work: Callable[[str], object], make: Callable[[int], str], length: int) -> None:
    """Twice the length may cost twice as much, and some for the noise of the clock: mostly once is enough to see."""
    ratios: list[float] = []
    while len(ratios) < 7:
        ratios.append((cost(work, make(2 * length)) - 0.02) / cost(work, make(length)))
        if median(ratios) < 2.8:
            return
    raise AssertionError(ratios)


@pytest.mark.parametrize("piece", HARMFUL)
def test_no_signs_cost_more_than_they_are_long(piece: str) -> None:
    def make(length: int) -> str:
        around = AROUND[HARMFUL.index(piece) % len(AROUND)]
        return around.format((piece * length)[:length])

    assert_linear(stream, make, 2_500)
    assert_linear(lambda text: Growing({}).read(text, True), make, 6_000)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_blocks_cost_more_than_they_are_long(shape: str) -> None:
    assert_linear(stream, SHAPES[shape], 2_500)
    assert_linear(page, SHAPES[shape], 5_000)


@pytest.mark.parametrize("sign", [">", "> ", "- ", "1. ", "[", "*a", "*", "![", "`", "> - "])
def test_a_text_is_read_however_deep_it_is(sign: str) -> None:
    for complete in (True, False):
        assert len(render(Growing({}).read(sign * 20_000 + "a", complete))) < 200_000


def test_short_rows_do_not_become_many_cells() -> None:
    html = show("|" + "a|" * 39 + "\n|" + "-|" * 39 + "\n" + "|\n" * 1_500, True)
    assert html.count("<td>") <= 20_000
    assert show("|" + "a|" * 4_000 + "\n|" + "-|" * 4_000, True).count("<th>") == 0


def test_a_table_ends_at_the_same_row_however_it_comes() -> None:
    text = "|" + "a|" * 39 + "\n|" + "-|" * 39 + "\n" + "|\n" * 600
    growing = Growing(NUMBERS)
    for end in range(0, len(text), 450):
        growing.read(text[:end], False)
    assert growing.read(text, True) == Growing(NUMBERS).read(text, True)
