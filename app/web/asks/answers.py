"""What people type as answers: an outline on a post's page, JSON on a run's own."""

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

_SAID = 8
"""Problems of a text that are said at once."""


def read_typed(form: Form) -> Typed:
    return form["value"] if "value" in form.values else read_outline(form)


def parse_answer(typed: Typed) -> Any:
    """The answer's JSON. Raises `InputInvalid` for text that is none; whether it fits is for who takes the answer."""
    if isinstance(typed, dict):
        return outline_answer(typed)
    try:
        return json.loads(typed)
    except (ValueError, RecursionError):
        raise InputInvalid([Problem("value", "This is not JSON that can be read.")]) from None


def describe_problems(typed: Typed, invalid: InputInvalid) -> dict[str, str]:
    """What is wrong with it, in words: by the fields of an outline, or by places in the JSON."""
    if isinstance(typed, dict):
        return describe_outline_problems(typed, invalid)
    said: dict[str, str] = {}
    for problem in invalid.problems[:_SAID]:
        place = problem.path.removeprefix("value").removeprefix(".") or "Answer"
        said.setdefault(place, f"{place}: {problem.message}")
    return said


async def find_drafts(kind: str, run: Run, database: Database) -> dict[str, Draft]:
    """What was kept for the questions of a run that waits, by ask, as a page of this kind shows it."""
    if run.status is not RunStatus.WAITING:
        return {}
    async with database.reading() as session:
        rows = await list_drafts(session, run.id)
    shown = [(row, _as_outline(row.typed) if kind == "post" else _as_text(row.typed)) for row in rows]
    return {row.ask: Draft(typed, row.kept_at) for row, typed in shown if typed is not None}


def _as_text(typed: Typed) -> str:
    return format_json(outline_answer(typed)) if isinstance(typed, dict) else typed


def _as_outline(typed: Typed) -> dict[str, Any] | None:
    """None for text that is no outline, or not yet: it stays where it was typed."""
    if isinstance(typed, dict):
        return typed
    try:
        outline = read_value(Outline, parse_answer(typed))
    except InputInvalid:
        return None
    return outline.model_dump() if outline else None
