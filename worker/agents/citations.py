"""Citations in Markdown: `[s1]`, or `[s1, s2]` for several sources at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

# A citation is no link text, no escaped bracket, and stands in no code.
_CITATION = re.compile(r"(?<!\\)\[(s\d+(?:\s*[,;]\s*s\d+)*)\](?![(\[:])")
_CODE = re.compile(r"^(?:```|~~~).*?(?:^(?:```|~~~)\s*$|\Z)|`[^`\n]+`", re.MULTILINE | re.DOTALL)


class UnknownSource(ValueError):
    """A text cites a source that its author was not given; `id` is what it cites."""

    def __init__(self, id: str) -> None:
        super().__init__(f"the text cites {id}, which is none of the sources it was given; write it again")
        self.id = id


def find_citations(markdown: str) -> list[tuple[int, int, list[str]]]:
    """Every citation in order: where it starts, where it ends, and the ids it names."""
    code = [match.span() for match in _CODE.finditer(markdown)]
    return [
        (match.start(), match.end(), _split_ids(match.group(1)))
        for match in _CITATION.finditer(markdown)
        if not any(start <= match.start() < end for start, end in code)
    ]


def cited_ids(markdown: str) -> list[str]:
    """The cited ids, each once, in the order of their first citation."""
    return list(dict.fromkeys(id for _, _, ids in find_citations(markdown) for id in ids))


def refuse_unknown(markdown: str, known: Collection[str]) -> None:
    """Raise `UnknownSource` for the first cited id that is not in `known`."""
    for id in cited_ids(markdown):
        if id not in known:
            raise UnknownSource(id)


def replace_citations(markdown: str, render: Callable[[list[str]], str]) -> str:
    """The Markdown with each citation replaced by what `render` gives for its ids."""
    pieces: list[str] = []
    position = 0
    for start, end, ids in find_citations(markdown):
        pieces += [markdown[position:start], render(ids)]
        position = end
    return "".join([*pieces, markdown[position:]])


def strip_citations(markdown: str) -> str:
    """The Markdown without its citations and the spaces before them."""
    without = replace_citations(markdown, lambda _: "\0")
    return re.sub(r"[ \t]*\0", "", without)


def _split_ids(inside: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"s\d+", inside)))
