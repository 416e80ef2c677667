"""What a page knows besides the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Context:
    """`post_id` is the post that the run writes, for its exports. `workers` is how many workers are alive, None where
    nobody has asked: only a page that is rendered whole says that none is. `draft` is an answer that was typed and
    could not be taken for what `problems` say: JSON for an outline, else text."""

    post_id: str = ""
    workers: int | None = None
    draft: Any = None
    problems: tuple[str, ...] = ()
