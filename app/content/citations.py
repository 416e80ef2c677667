"""Citations in Markdown: `[s1]` and `[s1, s2]` name passages; people read the numbers of their sources.

The only grammar of them. A citation is one wherever the page shows one: not in code and not after a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from app.content.values import Source

CITATION = re.compile(r"\[(s\d{1,6}(?:\s{0,9}[,;]\s{0,9}s\d{1,6}){0,99})\]")
"""A citation of passages: `[s1]`, `[s1, s2]`, `[s1; s2]`."""

Numbers = Mapping[str, int]
"""The source number that each passage id is cited as."""

_FENCE = r"^[-*+>\d.) \t]*(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})(?:.*?^[> \t]*(?P=fence)[`~]*[ \t]*$|.*)"
_CODE = r"(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).){1,1000}?(?<!`)(?P=ticks)(?!`)"
_IN_MARKDOWN = re.compile(rf"{_FENCE}|{_CODE}|\\.|{CITATION.pattern}", re.MULTILINE | re.DOTALL)
_INSIDE = 3
"""The group of what is between a citation's brackets."""


class Citation(NamedTuple):
    """Where a citation begins and ends in a text, and the passages that it names, each once."""

    start: int
    end: int
    passages: list[str]


def find_citations(markdown: str) -> list[Citation]:
    """Return the citations in a Markdown text, in order."""
    found = (match for match in _IN_MARKDOWN.finditer(markdown) if match[_INSIDE])
    return [Citation(match.start(), match.end(), cited_passages(match[_INSIDE])) for match in found]


def cited_passages(inside: str) -> list[str]:
    """Return the passage ids between a citation's brackets, each once."""
    return list(dict.fromkeys(re.findall(r"s\d+", inside)))


def cited_numbers(inside: str, numbers: Numbers) -> list[int]:
    """Return the source numbers for what is between a citation's brackets, each once; none for unknown passages."""
    return list(dict.fromkeys(numbers[one] for one in cited_passages(inside) if one in numbers))


def cited_in(text: str, numbers: Numbers) -> tuple[tuple[str, int], ...]:
    """Return the passages that a text may cite with their numbers: the numbers of others do not matter to it."""
    passages = {one for match in CITATION.finditer(text) for one in cited_passages(match[1])}
    return tuple((one, numbers[one]) for one in sorted(passages) if one in numbers)


def cited_ids(markdown: str) -> list[str]:
    """Return the passage ids that a Markdown text cites, each once, in the order of their first citation."""
    return list(dict.fromkeys(one for citation in find_citations(markdown) for one in citation.passages))


def replace_citations(markdown: str, write: Callable[[list[str]], str]) -> str:
    """Return the Markdown with `write(passage ids)` for each citation. Where that is empty, the space before the
    citation goes too."""
    pieces: list[str] = []
    position = 0
    for start, end, passages in find_citations(markdown):
        written = write(passages)
        before = markdown[position:start]
        pieces += [before if written else before.rstrip(" \t"), written]
        position = end
    return "".join([*pieces, markdown[position:]])


def strip_citations(markdown: str) -> str:
    """Return the Markdown without its citations and the spaces before them."""
    return replace_citations(markdown, lambda _: "")


def source_numbers(sources: Iterable[Source]) -> dict[str, int]:
    """Return the number under which each passage is cited."""
    return {passage: source.number for source in sources for passage in source.passages}
