"""Typed answers to asks: an outline on a post's page, JSON on a run's own page."""

from __future__ import annotations

import json
from typing import Any

from app.content.values import Outline
from app.contract.run import Run
from app.contract.status import RunStatus
from app.runs.errors import InputInvalid, Problem
from app.runs.published import read_value
from app.stores.database import Database
from app.stores.repositories.drafts import list_drafts
from app.web.asks.outline_form import describe_outline_problems, outline_answer, read_outline
from app.web.forms import Form
from app.web.fragments.context import Draft
from app.web.fragments.json_text import format_json

Typed = str | dict[str, Any]
"""An answer as it stands in its form: text, or an outline with the sections that were left out."""

_MOST_PROBLEMS = 8
"""Problems of a JSON text that are listed at once."""


def read_typed(form: Form) -> Typed:
    return form["value"] if "value" in form.values else read_outline(form)


def parse_answer(typed: Typed) -> Any:
    """Return the answer's JSON, unchecked against its schema. Raise `InputInvalid` for text that is no JSON."""
    if isinstance(typed, dict):
        return outline_answer(typed)
    try:
        return json.loads(typed)
    except (ValueError, RecursionError):
        raise InputInvalid([Problem("value", "This is not JSON that can be read.")]) from None


def describe_problems(typed: Typed, invalid: InputInvalid) -> dict[str, str]:
    """Describe in words why the answer was refused: by fields of the outline's form, or by places in the JSON."""
    if isinstance(typed, dict):
        return describe_outline_problems(typed, invalid)
    messages: dict[str, str] = {}
    for problem in invalid.problems[:_MOST_PROBLEMS]:
        place = problem.path.removeprefix("value").removeprefix(".") or "Answer"
        messages.setdefault(place, f"{place}: {problem.message}")
    return messages


async def find_drafts(kind: str, run: Run, database: Database) -> dict[str, Draft]:
    """Find the drafts for the asks of a waiting run, by ask, as a page of this kind shows them."""
    if run.status is not RunStatus.WAITING:
        return {}
    async with database.reading() as session:
        rows = await list_drafts(session, run.id)
    shown = [(row, _as_outline(row.typed) if kind == "post" else _as_text(row.typed)) for row in rows]
    return {row.ask: Draft(typed, row.kept_at) for row, typed in shown if typed is not None}


def _as_text(typed: Typed) -> str:
    return format_json(outline_answer(typed)) if isinstance(typed, dict) else typed


def _as_outline(typed: Typed) -> dict[str, Any] | None:
    """Return the typed outline; None for text that is no outline (yet), which stays on the run's own page."""
    if isinstance(typed, dict):
        return typed
    try:
        outline = read_value(Outline, parse_answer(typed))
    except InputInvalid:
        return None
    return outline.model_dump() if outline else None
