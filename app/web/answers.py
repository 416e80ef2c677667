"""What people type as answers: an outline on a post's page, JSON on the page of any other run."""

from __future__ import annotations

import json
from typing import Any

from app.runs.errors import InputInvalid, Problem
from app.web.forms import Form
from app.web.outlines import answer_of, read_outline, say_problems

Typed = str | dict[str, Any]
"""An answer as it stands in its form: text, or an outline with the sections that were left out."""

_SAID = 8
"""Problems of a text that are said at once."""


def read_typed(form: Form) -> Typed:
    return form["value"] if "value" in form.values else read_outline(form)


def value_of(typed: Typed) -> Any:
    """The answer's JSON. Raises `InputInvalid` for text that is none; whether it fits is for who takes the answer."""
    if isinstance(typed, dict):
        return answer_of(typed)
    try:
        return json.loads(typed)
    except (ValueError, RecursionError):
        raise InputInvalid([Problem("value", "This is not JSON that can be read.")]) from None


def say_wrong(typed: Typed, invalid: InputInvalid) -> dict[str, str]:
    """What is wrong with it, in words: by the fields of an outline, or by places in the JSON."""
    if isinstance(typed, dict):
        return say_problems(typed, invalid)
    said: dict[str, str] = {}
    for problem in invalid.problems[:_SAID]:
        place = problem.path.removeprefix("value").removeprefix(".") or "Answer"
        said.setdefault(place, f"{place}: {problem.message}")
    return said
