"""Long blocks come in pieces: what is finished is sent once, and the page is as if it had been read whole."""

from __future__ import annotations

import re
from collections import Counter
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contract.run import Run
from app.oldmarkdown.blocks import split_blocks
from app.oldmarkdown.grammar import PARSER
from app.oldmarkdown.markdown import render_block
from app.oldmarkdown.pieces import cut_block
from app.web.views import PageView
from tests.app.oldmarkdown.test_unfinished import INLINE, NESTED, TEXT
from tests.app.web.browser_dom import apply_patches, canonical, page
from tests.app.web.logs import Writer, begin_post

STEP = "write-section:price"
SENTENCE = "A sentence with **bold**, `code`, and [a link](https://e.com/a_(b)) [s1]. "
LONG = {
    "paragraphs": (SENTENCE * 5 + "\n\n") * 12,
    "paragraph": SENTENCE * 24,
    "list": "- an item of a *list* with some words in it\n" * 100,
    "loose list": "7. an item of a list with some words\n\n" * 100,
    "steps": f"1. {SENTENCE}\n\n   {SENTENCE * 3}\n\n   - one\n   - two\n\n" * 12,
    "one item": "- It begins\n" + f"\n  {SENTENCE * 2}\n\n  > {SENTENCE}\n" * 20,
    "quotation": f"> {SENTENCE}{SENTENCE}\n>\n> - one\n> - two\n>\n" * 24,
    "code": "```py\n" + "x = some_call(with_arguments)\n\n" * 100 + "```\n",
    "code of an item": "- ```py\n" + "  x = some_call(with_arguments)\n\n" * 100 + "  ```\n",
    "table": "| a | b [s1] |\n|---|:-:|\n" + "| cell **one** | cell two |\n" * 120,
    "table of a quotation": "> | a | b [s1] |\n> |---|:-:|\n" + "> | cell **one** | cell two |\n" * 120,
}


def begin_section() -> Writer:
    log = begin_post()
    log.begin(STEP, "What the survey finds first")
    return log


def stream(text: str) -> list[str]:
    """The patches of a page that follows the text, which comes 60 characters at a time."""
    log = begin_section()
    run, view, patches = Run(id="run_1"), PageView("post"), []
    for event in log.events:
        run.apply(event)
    for start in range(0, len(text), 60):
        before = run.cursor
        log.write(STEP, text[start : start + 60])
        run.apply(log.events[-1])
        patches.append(view.patches(run, before))
    return patches


@pytest.mark.parametrize("kind", LONG)
def test_what_is_finished_is_not_sent_again(kind: str) -> None:
    """Every word has a number of its own: it is sent while its piece is open, and never after that.

    A patch has some 150 bytes around what it brings.
    """
    numbers = count()
    text = re.sub(r"(?:words|one|sentence|some_call)\b", lambda found: f"{found[0]}{next(numbers):04}x", LONG[kind])
    patches = stream(text)
    sent = Counter(word for patch in patches for word in set(re.findall(r"\d{4}x", patch)))
    assert len(sent) == next(numbers)
    assert max(sent.values()) <= 10
    finished = "".join(render_block(block.text, {}) for block in split_blocks(text, True))
    assert sum(map(len, patches)) < 6.5 * len(finished)


PIECES = st.one_of(
    st.lists(INLINE, min_size=20, max_size=80).map(" ".join),
    st.lists(INLINE, min_size=2, max_size=9).map(lambda some: "\n".join(f"- {one}" for one in some)),
    st.lists(INLINE, min_size=2, max_size=9).map(
        lambda some: "\n\n".join(f"{n}. {one}" for n, one in enumerate(some, 8))
    ),
    st.lists(INLINE, min_size=2, max_size=9).map(
        lambda some: "- a\n\n  b\n" + "\n".join(f"  - {one}" for one in some) + "\n- c"
    ),
    st.lists(INLINE, min_size=2, max_size=9).map(
        lambda some: "| a [s1] | b |\n|-|:-|\n" + "\n".join(f"| {one}" for one in some)
    ),
    st.integers(1, 40).map(lambda count: "```\n" + "a <b>\n \n" * count + "```"),
    TEXT,
)


@pytest.mark.parametrize(
    "text",
    [
        "> # Head\nIf a > b, and on",
        "> A rule:\nif a > b then stop.\n> - so\nand `a>b` -> on",
        "Install it so:\n```npm install``` and go on.\n\nNext paragraph here.",
        "- Install it so:\n  ```npm install``` and go on.\n\n  Next paragraph here.",
    ],
)
def test_following_character_by_character_is_reading(text: str) -> None:
    log = begin_section()
    followed, before = page("post", log.fold()), log.events[-1].id
    for character in text:
        log.write(STEP, character)
        run = log.fold()
        apply_patches(followed, PageView("post").patches(run, before))
        before = run.cursor
        assert canonical(followed) == canonical(page("post", run)), log.fold().steps[log.path(STEP)].latest


def test_a_quotation_loses_no_sign_of_its_lazy_lines() -> None:
    (block,) = split_blocks("> A rule:\nif a > b, see `a>b` -> on", True)
    assert "if a &gt; b, see <code>a&gt;b</code> -&gt; on" in render_block(block.text, {})


@settings(max_examples=30, deadline=None)
@given(st.lists(PIECES | NESTED, min_size=1, max_size=3).map("\n\n".join), st.data())
def test_a_page_that_follows_is_the_page_that_is_read(text: str, data: st.DataObject) -> None:
    log = begin_section()
    pages = {len(log.events): page("post", log.fold())}
    seen, followed, at = len(log.events), page("post", log.fold()), 0
    while at < len(text):
        size = data.draw(st.integers(20, 120))
        log.write(STEP, text[at : at + size])
        at += size
        run = log.fold()
        apply_patches(followed, PageView("post").patches(run, log.events[seen - 1].id))
        seen = len(log.events)
        pages[seen] = page("post", run)
        assert canonical(followed) == canonical(pages[seen]), text[:at]
    for before in data.draw(st.lists(st.sampled_from(sorted(pages)[:-1]), max_size=3, unique=True)):
        apply_patches(pages[before], PageView("post").patches(run, log.events[before - 1].id))
        assert canonical(pages[before]) == canonical(followed), (before, text)


@settings(max_examples=60, deadline=None)
@given(PIECES)
def test_pieces_are_what_the_whole_block_is(text: str) -> None:
    numbers = {"s1": 1}
    for block in split_blocks(text, True):
        whole = PARSER.render(block.text, {"numbers": numbers})
        cut = render_block(block.text, numbers)
        if cut_block(block.text) is not None:
            assert plain(cut) == plain(whole), block.text
            marked = re.sub(r'<(li|tr|span|p) id="x\w*_tail" hidden></\1>', "", render_block(block.text, numbers, "x"))
            assert re.sub(r' id="x\w*"', "", re.sub(r"</?span[^>]*>", "", marked)).replace("\n", "") == cut.replace(
                "\n", ""
            )


def plain(html: str) -> str:
    """Without what only the parser and the sanitiser write differently, and without space between blocks."""
    html = re.sub(r' style="[^"]*"| class="language-\w+"| tabindex="0"', "", html)
    html = re.sub(r"\s+", " ", html.replace("&quot;", '"').replace(" />", ">"))
    return re.sub(r" ?(</?(?:ul|ol|li|p|h\d|pre|blockquote|table|tbody|tr)\b[^>]*>) ?", r"\1", html).strip()
