"""Forms as people send them: what was typed, and what is wrong with it, field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from litestar import Request

from app.runs.errors import InputInvalid

_LONGEST = 20_000
"""Characters of one field that are read at all."""


@dataclass(frozen=True, slots=True)
class Form:
    """`values` are what was typed, `errors` the messages by field name; `_` is for what belongs to no field. `cut` says
    that something was longer than what is read of it."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        return self.errors.get(name, "")

    def refused(self, invalid: InputInvalid, labels: dict[str, str]) -> Form:
        """The same form with messages. A field that the form does not show is named in the message."""
        errors: dict[str, str] = {}
        for problem in invalid.problems:
            label = labels.get(problem.path)
            name = problem.path if label else "_"
            errors.setdefault(name, _sentence(label or problem.path or "Form", problem.message))
        return Form(self.values, errors)


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """The text fields of the request's form; a browser's line ends become `\\n`."""
    data = await request.form()
    typed = {name: value for name, value in data.multi_items() if isinstance(value, str)}
    values = {name: value[:_LONGEST].replace("\r\n", "\n") for name, value in typed.items()}
    return Form(values, cut=any(len(value) > _LONGEST for value in typed.values()))


_LENGTH = re.compile(r"(?:String|Value) should have at (most|least) (\d+) (?:characters?|items?)\b.*")


def _sentence(label: str, message: str) -> str:
    """A finding of the model's in words for the person who typed."""
    if length := _LENGTH.fullmatch(message):
        verb = "can have" if length[1] == "most" else "needs"
        return f"{label} {verb} at {length[1]} {length[2]} characters."
    text = message.removeprefix("Value error, ").strip()
    return f"{label}: {text}" if text.endswith((".", "!", "?")) else f"{label}: {text}."
