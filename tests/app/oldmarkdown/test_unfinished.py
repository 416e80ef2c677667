"""A text that is being written: what is shown of it is the beginning of what it will be, and costs what it is long."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from html import unescape
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.oldmarkdown import markdown
from app.oldmarkdown.blocks import split_blocks
from app.oldmarkdown.markdown import render_block
from app.oldmarkdown.pieces import cut_block, cut_item
from app.oldmarkdown.unfinished import read_runs, settle

NUMBERS = {"s1": 1, "s2": 2}
INLINE = st.sampled_from(
    r"""a word
x
Hm.
(in brackets)
AT&amp;T
2 * 3
snake_case
It’s 5 < 6!
1984.
a | b
!
[s1]
[s1, s9]
*em*
a*mid*dle
**bold *and* more**
***both***
__under__
~~gone~~
`co*de`
``a ` tick``
\*no\*
\`b
\[no](x)
[link](https://e.com/x)
[wiki](https://e.com/a_(b))
[t](https://x.y "ti(tle")
[t](<https://x.y/a b> 'it (is)')
[a](no)
[x](javascript:y)
[no link]
a[0][1]
[ ]
![alt *x*](https://e.com/i.png)
[![alt](https://e.com/i.png)](https://e.com)
[a [b](https://x.y) c](https://z.y)
**[bold](https://e.com) link**
[`code`](https://e.com)
<https://e.com/a?b=c>
<b>raw</b>""".splitlines()
)
LINE = st.lists(INLINE, min_size=1, max_size=5).map(" ".join)
BLOCK = (
    st.lists(LINE, min_size=1, max_size=3).map("\n".join)
    | LINE.map("# {}".format)
    | st.lists(LINE, min_size=1, max_size=4).map(lambda lines: "\n".join(f"- {line}" for line in lines))
    | st.lists(LINE, min_size=1, max_size=3).map(
        lambda lines: "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1))
    )
    | st.lists(LINE, min_size=1, max_size=3).map(lambda lines: "- a\n" + "\n".join(f"  - {line}" for line in lines))
    | LINE.map("- a\n\n  {}\n- b".format)
    | st.lists(LINE, min_size=1, max_size=3).map(lambda lines: "\n".join(f"> {line}" for line in lines))
    | st.sampled_from(
        ["---", "```py\nx = a[0](`b` **c\n\n- d\n```", "- a\n\n  ```\n  **x\n  ```", "a | b\n--- | ---\n1 | 2"]
    )
    | st.sampled_from(
        ["| a | b |\n|---|:-:|\n| **1** | `2` |\n| [x](https://e.com) |", "- | a |\n  |---|\n  | b |", "> 1. x"]
    )
)
TEXT = st.lists(BLOCK, min_size=1, max_size=4).map("\n\n".join)


def with_margin(text: str, first: str, others: str) -> str:
    """The text inside something whose lines begin so."""
    return first + text.replace("\n", f"\n{others}")


def inside(blocks: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Blocks in items and quotations, with margins as people and models write them."""
    margins = [
        ("- ", "  "),
        ("* ", "    "),
        ("1. ", "   "),
        ("12. ", "   "),
        ("-\t", "\t"),
        ("> ", "> "),
        (">", ">"),
        ("2) ", " "),
    ]
    parts = st.lists(
        st.tuples(blocks, st.sampled_from(margins), st.sampled_from(["\n", "\n\n"])), min_size=1, max_size=3
    )
    return parts.map(lambda found: "".join(with_margin(text, *margin) + end for text, margin, end in found))


NESTED = st.recursive(BLOCK, inside, max_leaves=6)


def shown(html: str) -> str:
    """What a person reads, without white space and numbers of sources."""
    html = re.sub(r'<sup class="cite">.*?</sup>', "", html)
    return re.sub(r"\s", "", unescape(re.sub(r"<[^>]*>", "", html)))


def render(text: str, complete: bool) -> list[str]:
    blocks = split_blocks(text, complete)
    return [render_block(b.text, NUMBERS, "x", complete or n + 1 < len(blocks)) for n, b in enumerate(blocks)]


@given(TEXT | NESTED)
@settings(max_examples=60, deadline=None)
@example("See [wiki](https://e.com/a_(b)) ok")
@example('[t](https://x.y "ti(tle") z')
@example("[![alt](https://i.com/a.png)](https://l.com) x")
@example("a \\`b c d")
@example("a | b\n--- | ---\n1 | 2\n")
@example("- 1. nested\n- > 2. x\n")
def test_what_shows_is_the_beginning_of_what_will_show(text: str) -> None:
    whole = render(text, True)
    for length in range(len(text)):
        part = render(text[:length], False)
        assert part[:-1] == whole[: len(part) - 1 if part else 0], text[:length]
        if part:
            assert shown(whole[len(part) - 1]).startswith(shown(part[-1])), (text[:length], part[-1])


@given(st.lists(INLINE | st.sampled_from(["*a", "`", "[x", "](", "**", "<", "&", "!["]), max_size=400).map(" ".join))
@settings(max_examples=50, deadline=None)
def test_runs_stay_as_they_began(text: str) -> None:
    """Each run is there from one length of the text on, and the same ever after."""
    whole = list(read_runs(text))
    assert "".join(run.text for run in whole) == text
    for length in range(0, len(text) + 1, 37):
        part = list(read_runs(text[:length]))
        assert [run.start for run in part] == [run.start for run in whole if run.start == 0 or run.known <= length]
        assert [run.text for run in part[:-1]] == [run.text for run in whole[: len(part) - 1]]


def test_runs_change_nothing_of_a_long_text() -> None:
    one = "A sentence with **bold**, `code` and [a link](https://e.com/a_(b)) [s1]. "
    assert len(list(read_runs(one * 40))) > 5
    shown_alone = render(one.strip(), True)[0].removeprefix('<p id="x"><span id="x_0">').removesuffix("</span></p>")
    assert render((one * 40).strip(), True)[0].count(shown_alone) == 40


def count_lines(work: Callable[[], Any]) -> int:
    """How many lines of Python run."""
    counted = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal counted
        counted += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted


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
    "<",
    "<a",
    "&",
    "]",
    "](",
    "[a](u '",
    "[](<",
    "~~a ",
    "[x](b) ",
]


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize(
    ("piece", "around"),
    [(piece, "a {}x") for piece in HARMFUL]
    + [("[a](", around) for around in ("- {}x", "# {}x", "> {}x", "| a |\n|---|\n| b | {}x")],
)
def test_no_text_costs_more_than_it_is_long(piece: str, around: str, complete: bool) -> None:
    def work(length: int) -> int:
        for known in (split_blocks, cut_block, cut_item, markdown._render_once, markdown._render_inline_once):
            known.cache_clear()
        text = around.format((piece * length)[:length])
        return count_lines(lambda: render(text, complete))

    assert work(12_000) < 2.5 * work(6_000) + 10_000


@pytest.mark.parametrize("piece", HARMFUL)
def test_what_is_held_back_is_looked_at_a_few_times(piece: str) -> None:
    assert count_lines(lambda: settle("a " + (piece * 12_000)[:12_000])) < 120 * 12_000


@pytest.mark.parametrize("rows", ["|\n", "| a |\n"])
def test_short_rows_do_not_become_many_cells(rows: str) -> None:
    html = "".join(render("|" + "a|" * 100 + "\n|" + "-|" * 100 + "\n" + rows * 4_000, True))
    assert html.count("<td>") <= 4_000


@pytest.mark.parametrize("piece", HARMFUL)
def test_a_hostile_text_of_any_length_is_read(piece: str) -> None:
    """With patterns that search from every place this would take hours."""
    assert len(settle(piece * 100_000)) <= 100_000 * len(piece)
