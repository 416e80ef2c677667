"""Citations of passages in a section's Markdown (`[s1]`, `[s1, s2]`), and the refusal of unknown ones."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import NamedTuple

# A citation is no link text, no escaped bracket, and stands in no code.
_CITATION = re.compile(r"(?<!\\)\[(s\d+(?:\s*[,;]\s*s\d+)*)\](?![(:]|\[(?!s\d))")
_CODE = re.compile(r"^(?:```|~~~).*?(?:^(?:```|~~~)\s*$|\Z)|`[^`\n]+`", re.MULTILINE | re.DOTALL)


class Citation(NamedTuple):
    """Where a citation begins and ends in a text, and the ids of the passages that it names, each once."""

    start: int
    end: int
    passages: list[str]


class UnknownSource(ValueError):
    """A text cites a passage that its author was not given; `id` is the cited id."""

    def __init__(self, id: str) -> None:
        super().__init__(f"the text cites {id}, which is none of the sources it was given; write it again")
        self.id = id


def find_citations(markdown: str) -> list[Citation]:
    """Return the citations in a Markdown text, in order."""
    code = [match.span() for match in _CODE.finditer(markdown)]
    return [
        Citation(match.start(), match.end(), list(dict.fromkeys(re.findall(r"s\d+", match[1]))))
        for match in _CITATION.finditer(markdown)
        if not any(start <= match.start() < end for start, end in code)
    ]


def cited_ids(markdown: str) -> list[str]:
    """Return the passage ids that a Markdown text cites, each once, in the order of their first citation."""
    return list(dict.fromkeys(id for citation in find_citations(markdown) for id in citation.passages))


def refuse_unknown_citations(markdown: str, given: Container[str]) -> None:
    """Raise `UnknownSource` for the first cited id that is not in `given`."""
    for id in cited_ids(markdown):
        if id not in given:
            raise UnknownSource(id)
