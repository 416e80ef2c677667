"""Who made a post: a model, or the author that assembles it from the site's own sentences."""

from __future__ import annotations

from app.contract.fold import Run
from app.contract.steps import Step
from app.runs.patching import Fragment, latest
from app.runs.views.parts import part
from app.runs.views.published import changed_at

EXTRACTIVE = "extractive"


def names_extractive(author: str) -> bool:
    """Whether an author of that name has no model."""
    return author.lower().startswith(EXTRACTIVE)


def authorship(run: Run) -> Fragment:
    """The line that says so of a post that no model wrote."""
    outline = run.steps.get(f"{run.workflow}/outline-post")
    changed = latest([run.changed, changed_at(outline)])
    return part("authorship", "authorship", changed, assembled=_is_assembled(run, outline))


def _is_assembled(run: Run, outline: Step | None) -> bool:
    """By the author that the post names; until it is finished, by whether its outline took a model."""
    author = run.output.get("author") if isinstance(run.output, dict) else None
    if isinstance(author, str) and author:
        return names_extractive(author)
    return outline is not None and outline.success is not None and not any(one.calls for one in outline.attempts)
