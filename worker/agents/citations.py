"""The refusal of citations of passages that an author was not given."""

from __future__ import annotations

from collections.abc import Container

from app.content.citations import cited_ids


class UnknownSource(ValueError):
    """A text cites a passage that its author was not given; `id` is the cited id."""

    def __init__(self, id: str) -> None:
        super().__init__(f"the text cites {id}, which is none of the sources it was given; write it again")
        self.id = id


def refuse_unknown_citations(markdown: str, given: Container[str]) -> None:
    """Raise `UnknownSource` for the first cited id that is not in `given`."""
    for id in cited_ids(markdown):
        if id not in given:
            raise UnknownSource(id)
