"""Random Markdown: all that its grammar has, as models write it, and as nobody does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

ROUNDS = int(os.environ.get("MARKDOWN_ROUNDS", "1"))
"""How many times as many texts as usual."""

INLINE = r"""a word
x
Hm.
(in brackets)
AT&amp;T
2 * 3
snake_case
It’s 5 < 6!
1984.
a | b
a \| b
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
MARGINS = [
    ("- ", "  "),
    ("1. ", "   "),
    ("12) ", "    "),
    ("> ", "> "),
    (">", ">"),
    ("* ", "    "),
    ("-\t", "\t"),
    ("+ ", " "),
]
LAZY = [("> ", ""), ("- ", "")]
FENCE = "```py\nx = a[0](`b` ** c\n\n- d\n```"
SIGNS = [
    *"\n*_`~[]()<>!&\\|#-+=:. \t",
    "a",
    "12",
    "\n\n",
    "```",
    "**",
    "- ",
    "1. ",
    "> ",
    "](",
    "](https://e.com)",
    "s1",
    "|-|",
]


def line(random: Random) -> str:
    return " ".join(random.choice(INLINE) for _ in range(random.randint(1, 5)))


def table(random: Random) -> str:
    cells = ["x", "**1**", "`2`", "[s1]", "a \\| b", "[x](https://e.com)", ""]
    rows = [
        f"| {random.choice(cells)} | {random.choice(cells)} {random.choice(['|', ''])}"
        for _ in range(random.randint(0, 4))
    ]
    return "\n".join(["| a | *b* |", random.choice(["|---|:-:|", "-|-", ":--|--:"]), *rows])


def block(random: Random, margins: list[tuple[str, str]], depth: int = 0) -> str:
    """Return a block of any kind, with others inside; those that hold others begin their lines with these margins."""
    kind = random.randrange(9 if depth < 3 else 6)
    if kind < 2:
        return "\n".join(line(random) for _ in range(random.randint(1, 3)))
    if kind == 2:
        return f"{'#' * random.randint(1, 4)} {line(random)}{random.choice(['', ' #'])}"
    if kind == 3:
        return random.choice([FENCE, "~~~\n" + "line <b> of\n" * random.randint(1, 20) + "~~~", "    code\n\n    more"])
    if kind == 4:
        return table(random)
    if kind == 5:
        return random.choice(["---", "***", "Title\n===", "Two\nlines\n---\nmore", "- a\n- b\n\n\n- c", "2. x\n3. y"])
    first, others = random.choice(margins)
    gap = random.choice(["\n", "\n\n"])
    inner = gap.join(block(random, margins, depth + 1) for _ in range(random.randint(1, 2)))
    return first + inner.replace("\n", f"\n{others}")


def texts(count: int, seed: int, lazy: bool = False) -> Iterator[str]:
    """Yield random texts. `lazy` lines have no margin: then code that is cut off may become text."""
    for number in range(count * ROUNDS):
        random = Random(f"{seed} {number}")
        margins = [*MARGINS, *LAZY] if lazy else MARGINS
        gap = random.choice(["\n", "\n\n", "\n\n"])
        yield gap.join(block(random, margins) for _ in range(random.randint(1, 3)))


def like_a_models(count: int, seed: int) -> Iterator[str]:
    """Yield sections as models write them."""
    for number in range(count * ROUNDS):
        random = Random(f"{seed} {number}")
        yield "\n\n".join(_part(random) for _ in range(random.randint(2, 6)))


def noise(count: int, seed: int) -> Iterator[str]:
    """Yield texts of signs that mean something, in any order."""
    for number in range(count * ROUNDS):
        random = Random(f"{seed} {number}")
        yield "".join(random.choice(SIGNS) for _ in range(random.randint(5, 60)))


def _part(random: Random) -> str:
    step = random.choice(["  ", "    "])
    items = [f"{random.choice(['- ', '* '])}**{_words(random, 2)}:** {_sentences(random, 1)}" for _ in range(3)]
    return random.choice([
        f"{'#' * random.randint(2, 3)} {_words(random, 4)}",
        _sentences(random, random.randint(2, 9)),
        "\n".join(items),
        "\n".join(f"{items[0]}\n{step}- {_words(random, 6)}\n{step}- {_sentences(random, 1)}" for _ in range(2)),
        "\n".join(f"{n}. {_sentences(random, 2)}\n\n   {_sentences(random, 2)}" for n in range(1, 4)),
        "| Part | kW |\n|------|---:|\n" + "".join(f"| {_words(random, 2)} | {n} [s1] |\n" for n in range(4)),
        "```python\n" + "for each in range(3):\n    print(each * 2)\n\n" * random.randint(1, 5) + "```",
        f"> {_sentences(random, 2)}\n>\n> {_sentences(random, 1)}",
    ])  # fmt: skip


def _words(random: Random, count: int) -> str:
    return " ".join(
        random.choice(("the", "wall", "heat", "what", "it costs", "snake_case", "Müller’s", "4.1 kW"))
        for _ in range(count)
    )


def _sentences(random: Random, count: int) -> str:
    marked = [
        "{}.",
        "{} [s1].",
        "**{}**, *at least*.",
        "{} (see `code`)!",
        "{}: [here](https://e.com/a_(b)).",
        "{} [s1, s2].",
    ]
    return " ".join(
        random.choice(marked).format(_words(random, random.randint(3, 12)).capitalize()) for _ in range(count)
    )


def cuts(text: str, random: Random, most: int = 17) -> Iterator[int]:
    """Yield the lengths of a text that comes in pieces of random size."""
    at = 0
    while at < len(text):
        at = min(len(text), at + random.randint(1, most))
        yield at
