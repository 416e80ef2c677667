"""Who writes posts: a model, or the extractive author, which assembles them from the site's own sentences."""

from __future__ import annotations

from app.content.workflows import OUTLINE_POST
from app.contract.run import Run
from app.contract.settings import Settings
from app.contract.step import Step
from app.live.fragments import Fragment, latest
from app.stores.fleet import Fleet
from app.web.fragments.changes import changed_at
from app.web.fragments.partials import build_fragment

EXTRACTIVE = "extractive"
"""Prefix of the names of authors that have no model."""


async def is_extractive(settings: Settings, fleet: Fleet) -> bool:
    """Return whether new posts are written without a model, as the living workers announce, else the settings."""
    authors = {beat.author for beat in await fleet.workers() if beat.author}
    return all(map(_has_no_model, authors)) if authors else not settings.model


def build_authorship(run: Run) -> Fragment:
    """Build the line on a post's page that says that no model wrote it; hidden where one did."""
    outline = run.steps.get(f"{run.workflow}/{OUTLINE_POST}")
    changed = latest([run.changed, changed_at(outline)])
    return build_fragment("posts/_authorship", "authorship", changed, assembled=_is_assembled(run, outline))


def _is_assembled(run: Run, outline: Step | None) -> bool:
    """Return whether the author that the post names, or until then that of its outline, has no model."""
    author = run.output.get("author") if isinstance(run.output, dict) else None
    if isinstance(author, str) and author:
        return _has_no_model(author)
    return outline is not None and outline.success is not None and not any(one.calls for one in outline.attempts)


def _has_no_model(author: str) -> bool:
    return author.lower().startswith(EXTRACTIVE)
