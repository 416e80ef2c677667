"""What a page knows besides the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.runs.views.kept import Kept


@dataclass(frozen=True, slots=True)
class Context:
    """`post_id` is the post that the run writes, for its exports. `workers` is how many workers are alive, None where
    nobody has asked: only a page that is rendered whole says that none is. `draft` is an answer that was typed and
    could not be taken for what `problems` say: JSON for an outline, else text; `ask` is the ask that it was typed for.
    `kept`: what was made before."""

    post_id: str = ""
    workers: int | None = None
    draft: Any = None
    problems: tuple[str, ...] = ()
    ask: str = ""
    kept: Kept = field(default_factory=Kept, compare=False)

    def typed_for(self, ask: str) -> tuple[Any, tuple[str, ...]]:
        """The draft and its problems, where they belong to this ask: a page can hold several."""
        return (self.draft, self.problems) if self.ask in ("", ask) else (None, ())
