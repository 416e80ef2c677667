"""The outline's form: what a person made of the proposal."""

from __future__ import annotations

import re
from typing import Any

from app.runs.errors import InputInvalid, Problem
from app.web.forms import Form

_MOST = 50
"""Sections that are read at all; the outline's own limit is lower."""
_SECTION = re.compile(r"value\.sections\.(\d+)\.(\w+).*")
_LONGEST = {"title": 200, "summary": 1000, "heading": 200, "points": 500}


def read_outline(form: Form) -> dict[str, Any]:
    """The outline as it was typed, for its form. A section that was left out stays in it, with `left_out`."""
    sections = [_read_section(form, number) for number in range(1, _MOST + 1) if f"heading-{number}" in form.values]
    return {"title": _one_line(form["title"]), "summary": form["summary"].strip(), "sections": sections}


def outline_answer(draft: dict[str, Any]) -> dict[str, Any]:
    """The draft as the answer's JSON. Whether it fits is for who takes the answer."""
    kept = [{name: section[name] for name in section if name != "left_out"} for section in _kept(draft)]
    return {**draft, "sections": kept}


def describe_outline_problems(draft: dict[str, Any], invalid: InputInvalid) -> dict[str, str]:
    """What is wrong with the answer to that draft, in words, by the name of the field that it belongs to."""
    numbers = [number for number, section in enumerate(draft["sections"], start=1) if not section["left_out"]]
    said: dict[str, str] = {}
    for problem in invalid.problems:
        name, words = _say(problem, numbers)
        said.setdefault(name, words)
    return said


def _read_section(form: Form, number: int) -> dict[str, Any]:
    points = [line.strip() for line in form[f"points-{number}"].split("\n") if line.strip()]
    return {
        "id": form[f"id-{number}"],
        "heading": _one_line(form[f"heading-{number}"]),
        "points": points,
        "passages": form[f"passages-{number}"].split(),
        "left_out": bool(form[f"leave-out-{number}"]),
    }


def _one_line(typed: str) -> str:
    """A heading: its field grows with it, and so takes more lines than one."""
    return " ".join(typed.split())


def _kept(draft: dict[str, Any]) -> list[dict[str, Any]]:
    return [section for section in draft["sections"] if not section["left_out"]]


def _say(problem: Problem, numbers: list[int]) -> tuple[str, str]:
    """The field's name, and what to do about it. What no field shows is `sections`, with the schema's own words."""
    if problem.path == "value.sections":
        return (
            "sections",
            "Keep at least one section." if not numbers else f"The sections do not fit: {problem.message}.",
        )
    if problem.path in ("value.title", "value.summary"):
        name = problem.path.removeprefix("value.")
        return name, _say_text(name.capitalize(), _LONGEST[name], problem)
    match = _SECTION.fullmatch(problem.path)
    if match is None or match[2] not in _LONGEST or int(match[1]) >= len(numbers):
        return "sections", f"The outline does not fit: {problem.path.removeprefix('value.')} {problem.message}."
    name = match[2]
    return f"{name}-{numbers[int(match[1])]}", _say_text(
        "Heading" if name == "heading" else "A point", _LONGEST[name], problem
    )


def _say_text(label: str, longest: int, problem: Problem) -> str:
    if "too long" in problem.message:
        return f"{label} can have at most {longest} characters."
    if "non-empty" in problem.message or "too short" in problem.message:
        return f"{label} is missing."
    return f"{label} {problem.message}."
