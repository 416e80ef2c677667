"""Values that a page shows beside its run's log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.web.fragments.memo import Memo


@dataclass(frozen=True, slots=True)
class Draft:
    """A typed answer to an ask.

    `typed` is a dict for an outline's form, else text. `kept_at` is when the draft was saved, None where it was not.
    `problems` say by field why the answer was refused.
    """

    typed: Any
    kept_at: datetime | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageContext:
    """Values that a page shows beside the log, and the memo of what was built for it.

    `post_id` is the post that the run writes, for its downloads. `workers` is how many workers are alive, None where
    nobody counted: only a page that is rendered whole says that there is none. `drafts` are by the ask that they were
    typed for (an empty key stands for any ask), None where nobody read them: each form then fetches its own.
    `refused` is the reason why the run did not take a command. `chosen` is the topic in the form of a site's page.
    """

    post_id: str = ""
    workers: int | None = None
    drafts: Mapping[str, Draft] | None = None
    refused: str = ""
    chosen: str = ""
    memo: Memo = field(default_factory=Memo, compare=False)

    def draft_of(self, ask: str) -> Draft | None:
        """Return the draft for this ask of a page that may hold several."""
        drafts = self.drafts or {}
        return drafts.get("") or drafts.get(ask)
