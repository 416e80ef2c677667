"""What a page knows besides the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.runs.views.kept import Kept


@dataclass(frozen=True, slots=True)
class Context:
    """`post_id` is the post that the run writes, for its exports. `workers` is how many workers are alive, None where
    nobody has asked: only a page that is rendered whole says that none is. `draft` is an answer that was typed and
    could not be taken for what `problems` say, by field: JSON for an outline, else text; `ask` is the ask that it was
    typed for. `refused` is why what was asked of the run could not be done. `kept`: what was made before."""

    post_id: str = ""
    workers: int | None = None
    draft: Any = None
    ask: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    kept: Kept = field(default_factory=Kept, compare=False)

    def typed_for(self, ask: str) -> tuple[Any, Mapping[str, str]]:
        """The draft and its problems, where they belong to this ask: a page can hold several."""
        return (self.draft, self.problems) if self.ask in ("", ask) else (None, {})
