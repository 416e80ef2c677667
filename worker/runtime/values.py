"""Inputs and results of steps: canonical JSON, digests, and results that round-trip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from worker.runtime.errors import InputUnreadable, ResultTooLarge, ResultUnreadable

RESULT_LIMIT = 256 * 1024
"""The largest result of a step, in bytes of JSON."""


class Ref(BaseModel):
    """A large thing that stands in SQL: a step's result names it by id and digest instead of containing it."""

    model_config = ConfigDict(frozen=True)

    id: str
    digest: str = ""


def canonical_json(value: Any) -> str:
    """Return JSON that is the same text for the same value. Raise ValueError for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Return a short digest of a JSON value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


def digest_inputs(arguments: Mapping[str, Any], path: str) -> dict[str, str]:
    """Return a digest for each argument. Raise `InputUnreadable` for one that has no JSON form."""
    digests = {}
    for name, value in arguments.items():
        try:
            digests[name] = digest(_as_json(value))
        except (PydanticSerializationError, ValueError, TypeError) as error:
            raise InputUnreadable(
                f"The argument {name!r} of {path} has no JSON form ({type(value).__name__}), so that a resumed run "
                "could not tell whether it changed. Pass plain data, and get services with `resource()`."
            ) from error
    return digests


def _as_json(value: Any) -> Any:
    """Return the value as JSON data. Sets have no order that another process would see again: they are sorted."""
    match value:
        case str() | None:
            return value
        case BaseModel():
            return _as_json(value.model_dump())
        case Mapping():
            return {str(to_jsonable_python(key)): _as_json(item) for key, item in value.items()}
        case list() | tuple():
            return [_as_json(item) for item in value]
        case set() | frozenset():
            return sorted((_as_json(item) for item in value), key=canonical_json)
    return to_jsonable_python(value)


@cache
def result_adapter(function: Callable[..., Any]) -> TypeAdapter[Any]:
    """Return the adapter that reads and writes results of the type in the function's annotation."""
    hints = get_type_hints(function)
    try:
        return TypeAdapter(hints.get("return", Any))
    except PydanticSchemaGenerationError as error:
        raise ResultUnreadable(
            f"{function.__qualname__} says it returns {hints['return']!r}, which has no JSON form. "
            "Return a Pydantic model, a dataclass or plain data."
        ) from error


def encode_result(adapter: TypeAdapter[Any], value: Any, path: str) -> Any:
    """Return a result as JSON data. Raise `ResultUnreadable` or `ResultTooLarge`, which say what to do."""
    try:
        data = adapter.dump_python(value, mode="json", warnings="none")
        size = len(canonical_json(data).encode())
    except (PydanticSerializationError, ValueError, TypeError) as error:
        raise ResultUnreadable(
            f"The result of {path} cannot be kept: {error}. Return what the component's annotation says, as plain data."
        ) from error
    if size > RESULT_LIMIT:
        raise ResultTooLarge(
            f"The result of {path} has {size:,} bytes; a step remembers at most {RESULT_LIMIT:,}. "
            "Keep large things in SQL and return a `Ref` to them."
        )
    return data


def decode_result(adapter: TypeAdapter[Any], data: Any, path: str) -> Any:
    """Return a value from its JSON data. Raise `ResultUnreadable` when the data does not fit the annotation."""
    try:
        return adapter.validate_json(json.dumps(data))
    except ValidationError as error:
        raise ResultUnreadable(f"The result of {path} does not come back from JSON: {error}") from error
