"""The form in which a person changes and approves an outline."""

from __future__ import annotations

import re
from typing import Any

from app.runs.errors import InputInvalid, Problem
from app.web.forms import Form

_MOST_SECTIONS = 50
"""Sections that are read from the form; the outline's own limit is lower."""
_SECTION = re.compile(r"value\.sections\.(\d+)\.(\w+).*")
_LONGEST = {"title": 200, "summary": 1000, "heading": 200, "points": 500}
"""Characters of each field; of `points` the characters of one point."""


def read_outline(form: Form) -> dict[str, Any]:
    """Read the outline as it was typed. A section that was left out stays in it, marked with `left_out`."""
    numbers = range(1, _MOST_SECTIONS + 1)
    sections = [_read_section(form, number) for number in numbers if f"heading-{number}" in form.values]
    return {"title": _join_lines(form["title"]), "summary": form["summary"].strip(), "sections": sections}


def outline_answer(draft: dict[str, Any]) -> dict[str, Any]:
    """Return the draft as the answer's JSON: without the sections that were left out, unchecked against its schema."""
    sections = [section for section in draft["sections"] if not section["left_out"]]
    return {**draft, "sections": [{k: value for k, value in one.items() if k != "left_out"} for one in sections]}


def describe_outline_problems(draft: dict[str, Any], invalid: InputInvalid) -> dict[str, str]:
    """Describe in words, by field of the form, why the answer to that draft was refused."""
    numbers = [number for number, section in enumerate(draft["sections"], start=1) if not section["left_out"]]
    messages: dict[str, str] = {}
    for problem in invalid.problems:
        name, message = _describe(problem, numbers)
        messages.setdefault(name, message)
    return messages


def _read_section(form: Form, number: int) -> dict[str, Any]:
    points = [line.strip() for line in form[f"points-{number}"].split("\n") if line.strip()]
    return {
        "id": form[f"id-{number}"],
        "heading": _join_lines(form[f"heading-{number}"]),
        "points": points,
        "passages": form[f"passages-{number}"].split(),
        "left_out": bool(form[f"leave-out-{number}"]),
    }


def _join_lines(typed: str) -> str:
    """Return a heading as one line: its field grows with the text, and so can hold several lines."""
    return " ".join(typed.split())


def _describe(problem: Problem, numbers: list[int]) -> tuple[str, str]:
    """Return the name of the problem's field and the message for it; `sections` for a problem that has no field.

    `numbers` are the numbers in the form of the answer's sections.
    """
    if problem.path == "value.sections":
        message = f"The sections do not fit: {problem.message}." if numbers else "Keep at least one section."
        return "sections", message
    if problem.path in ("value.title", "value.summary"):
        name = problem.path.removeprefix("value.")
        return name, _describe_text(name.capitalize(), name, problem)
    match = _SECTION.fullmatch(problem.path)
    if match is None or match[2] not in _LONGEST or int(match[1]) >= len(numbers):
        return "sections", f"The outline does not fit: {problem.path.removeprefix('value.')} {problem.message}."
    label = "Heading" if match[2] == "heading" else "A point"
    return f"{match[2]}-{numbers[int(match[1])]}", _describe_text(label, match[2], problem)


def _describe_text(label: str, name: str, problem: Problem) -> str:
    if "too long" in problem.message:
        return f"{label} can have at most {_LONGEST[name]} characters."
    if "non-empty" in problem.message or "too short" in problem.message:
        return f"{label} is missing."
    return f"{label} {problem.message}."
