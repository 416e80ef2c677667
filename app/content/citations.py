"""Citations in a post's Markdown: `[s1]` and `[s1, s2]` name passages; people read the numbers of their sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from app.content.values import Source

CITATION = re.compile(r"\[(s\d{1,6}(?:\s*[,;]\s*s\d{1,6})*)\]")
"""A citation of passages: `[s1]`, `[s1, s2]`."""

Numbers = Mapping[str, int]
"""The source number that each passage id is cited as."""

_CITED_AFTER = re.compile(rf"([ \t]*){CITATION.pattern}")


def source_numbers(sources: Iterable[Source]) -> dict[str, int]:
    """The number under which each passage is cited."""
    return {passage: source.number for source in sources for passage in source.passages}


def cited_passages(inside: str) -> list[str]:
    """The passage ids between a citation's brackets."""
    return re.findall(r"s\d+", inside)


def cited_numbers(inside: str, numbers: Numbers) -> list[int]:
    """The numbers that stand for what is between a citation's brackets, each once; none for unknown passages."""
    return list(dict.fromkeys(numbers[one] for one in cited_passages(inside) if one in numbers))


def number_citations(markdown: str, numbers: Numbers) -> str:
    """The Markdown with `[1]` for `[s1]`. A citation of nothing known is left out, with the space before it."""

    def number(match: re.Match[str]) -> str:
        # One pair of brackets: two side by side would be a link's text and reference.
        found = ", ".join(map(str, cited_numbers(match[2], numbers)))
        return f"{match[1]}[{found}]" if found else ""

    return _CITED_AFTER.sub(number, markdown)
