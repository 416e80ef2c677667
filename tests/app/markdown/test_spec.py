"""A finished text is what CommonMark says, and what the reader alone makes of it; CommonMark's own examples judge."""

from __future__ import annotations

import re
from collections import Counter

import nh3
import pytest
from markdown_it import MarkdownIt

from app.content.urls import is_web_address
from app.markdown.reader import READER
from tests.app.markdown import samples
from tests.app.markdown.subject import NUMBERS, show
from tests.support.product import ROOT

_SPEC = (ROOT / "node_modules/commonmark-spec/spec.txt").read_text()
_EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$|^#{1,6} *([^\n]*)$", re.MULTILINE | re.DOTALL)


def _commonmark(*left_out: str, web_only: bool = False) -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).disable(list(left_out))
    if web_only:
        reader.validateLink = is_web_address  # type: ignore[method-assign]  # replaced on this one reader
    return reader


OTHERWISE = {
    "no raw HTML": _commonmark(),
    "no references": _commonmark("reference"),
    "no links but to the web": _commonmark("reference", web_only=True),
}
"""The parts of CommonMark that are left out here, one after the other, and CommonMark without each."""


def _examples() -> list[tuple[str, str, str]]:
    section, found = "", []
    for match in _EXAMPLE.finditer(_SPEC.partition("\n<!-- END TESTS -->")[0]):
        section = match[3] or section
        if match[3] is None:
            found.append((section, match[1].replace("→", "\t"), match[2].replace("→", "\t")))
    return found


EXAMPLES = _examples()


def normal(html: str) -> str:
    """Without what is different on purpose, in each of the two: how headings are demoted, which attributes there are,
    links to other places than the web, pictures, whether a list is tight; and without spaces between blocks."""
    html = re.sub(r"<(/?)h([1-6])>", lambda found: f"<{found[1]}h{3 if found[2] in '123' else 4}>", html)
    html = re.sub(r'<img src="[^"]*" alt="([^"]*)"[^>]*>', r"\1", html)
    html = re.sub(r'<a href="(?!https?:)[^"]*"[^>]*>(.*?)</a>', r"\1", html, flags=re.DOTALL)
    html = nh3.clean(html, attributes={"a": {"href"}, "ol": {"start"}}, link_rel=None)
    html = re.sub(r"(<li>)\s*<p>(.*?)</p>", r"\1\2", html, flags=re.DOTALL)
    html = re.sub(r"(</h\d>)\s*([^<\s][^<]*)(?=</li>)", r"\1<p>\2</p>", html)
    html = re.sub(r"<(p|h\d)></\1>", "", html)
    html = re.sub(r"\s*(</?(?:p|h\d|ul|ol|li|blockquote|pre|hr|br|table|thead|tbody|tr|t[hd])\b[^>]*>)\s*", r"\1", html)
    return re.sub(r"[ \t]*\n[ \t]*", "\n", html).strip()


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 652


@pytest.mark.parametrize("number", range(1, len(EXAMPLES) + 1))
def test_an_example_of_commonmark(number: int) -> None:
    assert _as_what(number)


def test_most_examples_are_read_as_they_stand() -> None:
    """Each of the differences has examples, and few do."""
    found = Counter(map(_as_what, range(1, len(EXAMPLES) + 1)))
    assert found == {
        "CommonMark": 450,
        "no raw HTML": 70,
        "no references": 74,
        "no links but to the web": 55,
        "no links to nowhere": 3,
    }


def _as_what(number: int) -> str:
    """Return by which of the readers, the first being CommonMark itself, an example is read as it is here."""
    _, text, html = EXAMPLES[number - 1]
    ours = normal(show(text, True))
    assert ours == normal(_alone(READER, text))
    if "[]()" in text.replace("link", "").replace("foo", ""):
        return "no links to nowhere"
    readers = {name: _alone(reader, text) for name, reader in OTHERWISE.items()}
    return next((name for name, theirs in {"CommonMark": html, **readers}.items() if ours == normal(theirs)), "")


def _alone(reader: MarkdownIt, text: str) -> str:
    """Return what markdown-it makes of a text, with all lists loose."""
    tokens = reader.parse(text, {"numbers": NUMBERS})
    for token in tokens:
        token.hidden = False
    return str(reader.renderer.render(tokens, reader.options, {}))


def test_a_finished_text_is_what_the_reader_makes_of_it() -> None:
    for text in [*samples.texts(20, 11, lazy=True), *samples.like_a_models(10, 12), *samples.noise(100, 13)]:
        assert normal(show(text, True)) == normal(_alone(READER, text)), text


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 |\n| 4 | 5 | 6 |\nx | y\n\n| no",
        "| a \\| b | c\n| -- | --\n| \\\\| | `d\\|e` |",
        "| a |\n|---|",
        "| a | b |\n|---|\n\n| a |\n| - | - |\n\n| a |\n- -\n\n| a |\n---\n\n|\n|-|\n\n||\n|-|",
        "text\n| a |\n|:-:|\n| b |\n> c\n\n| a | |\n|---|---|\n    code\n| d |",
        "- | a |\n  |---|\n  | b |\n| c |\n\n> | a |\n> |--:|\n> | b |\n| c |",
        "|a|\n|-|\n|b|\n***\n|c|\n|-|\n1. d\n\n|e|\n-|\n\n|f|\n|-|-|",
    ],
)
def test_a_table_is_what_markdown_it_makes_of_it(text: str) -> None:
    """Where its head begins with a pipe."""
    theirs = MarkdownIt("commonmark", {"html": False}).enable("table").disable("reference")
    assert _alone(READER, text) == _alone(theirs, text)


def test_a_long_paragraph_is_what_markdown_it_makes_of_it() -> None:
    """Wherever its markup stands: no run ends inside."""
    plain = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").disable("reference")
    label = f"a link, {'or another, ' * 20}or two"
    sentence = f"One, [{label}](https://e.com/a_(b)), **bold, and** `code, or` *em, [here](https://e.com)*. "
    for space in range(0, 100, 9):
        text = "word " * space + sentence * 22
        assert normal(show(text, True)) == normal(_alone(plain, text))
