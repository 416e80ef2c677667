"""Validation of values against JSON schemas (Draft 2020-12) and models, and of clients' texts and keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError as SchemaMismatch
from pydantic import BaseModel, ValidationError
from referencing import Registry

from app.content.values import UNIQUE_BY
from app.contract.codec import decode_event, encode_event
from app.contract.events import Event, Unreadable
from app.runs.errors import InputInvalid, Problem

KEY_LENGTH = 200

_MOST_PROBLEMS = 50
"""How many problems are reported."""
_TOO_DEEP = "is nested too deeply: lists and objects inside each other can be read back up to about 190 levels"


def _check_unique(_: Any, name: str, items: Any, __: Any) -> Iterator[SchemaMismatch]:
    listed = items if isinstance(items, list) else []
    values = [item[name] for item in listed if isinstance(item, dict) and isinstance(item.get(name), str)]
    if twice := [value for value, count in Counter(values).items() if count > 1]:
        yield SchemaMismatch(f"{twice[0]!r} is the {name} of more than one item; each needs its own")


_Validator = validators.extend(Draft202012Validator, {UNIQUE_BY: _check_unique})


def check_schema(value: Any, schema: dict[str, Any], below: str = "") -> None:
    """Raise `InputInvalid` if `value` does not fit; the problems' paths begin with `below`."""
    # With a registry of its own, a `$ref` to somewhere else is never fetched.
    errors = _Validator(schema, registry=Registry()).iter_errors(value)
    problems = [
        Problem(_join(below, _path_of(error)), _shorten(error.message)) for error in islice(errors, _MOST_PROBLEMS)
    ]
    if problems:
        raise InputInvalid(sorted(problems, key=lambda problem: problem.path))


def read_model(model: type[BaseModel], value: Any) -> dict[str, Any]:
    """Return the value as the model's JSON, with defaults filled in. Raise `InputInvalid` if it does not fit."""
    try:
        return model.model_validate(value).model_dump(mode="json")
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        raise InputInvalid(
            [Problem(".".join(map(str, d["loc"])), d["msg"]) for d in details[:_MOST_PROBLEMS]]
        ) from None


def check_readable(event: Event, path: str) -> None:
    """Raise `InputInvalid` for the value at `path` if the event that carries it could not be read back from a log."""
    try:
        read = decode_event(event.id, encode_event(event))
        reason = read.reason if isinstance(read, Unreadable) else ""
    except (ValueError, RecursionError) as error:
        reason = str(error)
    if reason:
        deep = "depth" in reason or "recursion" in reason
        raise InputInvalid([Problem(path, _TOO_DEEP if deep else f"cannot be kept as JSON: {_shorten(reason)}")])


def check_text(text: str, name: str, longest: int) -> None:
    """Check a person's text: not too long, and without control characters except line breaks and tabs."""
    if len(text) > longest:
        raise InputInvalid([Problem(name, f"must have at most {longest} characters")])
    if any((ord(char) < 32 and char not in "\r\n\t") or ord(char) == 127 for char in text):
        raise InputInvalid([Problem(name, "must not contain control characters")])


def check_key(key: str | None) -> None:
    """Check a client's idempotency key. Raise `InputInvalid`."""
    if key is not None and not (0 < len(key) <= KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InputInvalid([Problem("Idempotency-Key", f"must be 1 to {KEY_LENGTH} printable ASCII characters")])


def _path_of(error: SchemaMismatch) -> str:
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        # The schema's error is at the object; people look for the field.
        path += [name for name in error.validator_value if error.message.startswith(f"{name!r} ")][:1]
    return ".".join(path)


def _join(below: str, path: str) -> str:
    return f"{below}.{path}" if below and path else below or path


def _shorten(message: str) -> str:
    """Shorten a schema's message, which quotes the value."""
    return message if len(message) <= 300 else f"{message[:140]} … {message[-140:]}"
