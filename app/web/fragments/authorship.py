"""Who made a post: a model, or the author that assembles it from the site's own sentences."""

from __future__ import annotations

from app.content.workflows import OUTLINE_POST
from app.contract.run import Run
from app.contract.step import Step
from app.live.fragments import Fragment, latest
from app.web.fragments.changes import changed_at
from app.web.fragments.partials import build_fragment

EXTRACTIVE = "extractive"


def names_extractive(author: str) -> bool:
    """Whether an author of that name has no model."""
    return author.lower().startswith(EXTRACTIVE)


def build_authorship(run: Run) -> Fragment:
    """The line that says so of a post that no model wrote."""
    outline = run.steps.get(f"{run.workflow}/{OUTLINE_POST}")
    changed = latest([run.changed, changed_at(outline)])
    return build_fragment("posts/_authorship", "authorship", changed, assembled=_is_assembled(run, outline))


def _is_assembled(run: Run, outline: Step | None) -> bool:
    """By the author that the post names; until it is finished, by whether its outline took a model."""
    author = run.output.get("author") if isinstance(run.output, dict) else None
    if isinstance(author, str) and author:
        return names_extractive(author)
    return outline is not None and outline.success is not None and not any(one.calls for one in outline.attempts)
