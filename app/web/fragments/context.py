"""What a page knows besides the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.web.fragments.memo import Memo


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed for an ask: JSON for an outline's form, else text. `kept_at` is when it was kept, None where it
    was not. `problems` are why it was not taken as the answer, by field."""

    typed: Any
    kept_at: datetime | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageContext:
    """`post_id` is the post that the run writes, for its exports. `workers` is how many workers are alive, None where
    nobody has asked: only a page that is rendered whole says that none is. `drafts` are by the ask that they were
    typed for (empty: by whichever is open), None where nobody has looked: a form then looks for its own. `refused` is
    why what was asked of the run could not be done. `chosen` is the topic that the form of a site's page holds.
    `kept`: what was made before."""

    post_id: str = ""
    workers: int | None = None
    drafts: Mapping[str, Draft] | None = None
    refused: str = ""
    chosen: str = ""
    kept: Memo = field(default_factory=Memo, compare=False)

    def draft_of(self, ask: str) -> Draft | None:
        """What was typed for this ask: a page can hold several."""
        drafts = self.drafts or {}
        return drafts.get("") or drafts.get(ask)
