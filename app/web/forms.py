"""Forms that people send: the typed values, and an error message for each field that is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from litestar import Request

from app.runs.errors import InputInvalid

PageRequest = Request[Any, Any, Any]
"""A browser's request for a page, or with a form."""

_LONGEST = 20_000
"""Characters that are read of one field."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it was sent: typed `values` and `errors`, both by field name.

    The error under `_` belongs to no field. `truncated`: a value was longer than what is read of it.
    """

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    truncated: bool = False

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        return self.errors.get(name, "")

    def with_errors(self, invalid: InputInvalid, labels: dict[str, str]) -> Form:
        """Return the form with an error for each problem; that of a field without a label here is under `_`."""
        errors: dict[str, str] = {}
        for problem in invalid.problems:
            label = labels.get(problem.path)
            name = problem.path if label else "_"
            errors.setdefault(name, _sentence(label or problem.path or "Form", problem.message))
        return Form(self.values, errors)


async def read_form(request: PageRequest) -> Form:
    """Read the text fields of the request's form; a browser's line ends become `\\n`."""
    data = await request.form()
    typed = {name: value for name, value in data.multi_items() if isinstance(value, str)}
    values = {name: value[:_LONGEST].replace("\r\n", "\n") for name, value in typed.items()}
    return Form(values, truncated=any(len(value) > _LONGEST for value in typed.values()))


_LENGTH = re.compile(r"(?:String|Value) should have at (most|least) (\d+) (?:characters?|items?)\b.*")


def _sentence(label: str, message: str) -> str:
    """Return the schema's message in words for the person who typed."""
    if length := _LENGTH.fullmatch(message):
        verb = "can have" if length[1] == "most" else "needs"
        return f"{label} {verb} at {length[1]} {length[2]} characters."
    text = message.removeprefix("Value error, ").strip()
    return f"{label}: {text}" if text.endswith((".", "!", "?")) else f"{label}: {text}."
