"""The outline's form: what a person made of the proposal."""

from __future__ import annotations

from typing import Any

from app.web.forms import Form

_MOST = 50
"""Sections that are read at all; the outline's own limit is lower."""


def read_outline(form: Form) -> dict[str, Any]:
    """The outline as the answer's JSON, as it was typed: whether it fits is for who takes the answer."""
    sections = []
    for number in range(1, _MOST + 1):
        if f"heading-{number}" not in form.values or form[f"leave-out-{number}"]:
            continue
        points = [line.strip() for line in form[f"points-{number}"].split("\n") if line.strip()]
        sections.append(
            {
                "id": form[f"id-{number}"],
                "heading": form[f"heading-{number}"].strip(),
                "points": points,
                "passages": form[f"passages-{number}"].split(),
            }
        )
    return {"title": form["title"].strip(), "summary": form["summary"].strip(), "sections": sections}
