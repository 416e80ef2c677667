"""Values as steps remember them: canonical JSON, digests, and results that round-trip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from worker.runtime.errors import InputUnreadable, ResultTooLarge, ResultUnreadable, clean_text

RESULT_LIMIT = 256 * 1024
"""The largest result, in bytes of JSON, that a step may remember."""


class Ref(BaseModel):
    """A large thing that stands in SQL: a step's result names it by id and digest instead of containing it."""

    model_config = ConfigDict(frozen=True)

    id: str
    digest: str = ""


def canonical_json(value: Any) -> str:
    """JSON that is the same text for the same value. Raises ValueError for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def shown_json(value: Any) -> Any:
    """A value as JSON data that people are shown. Text in it that has no UTF-8 form is mended, names included."""
    return _mend(to_jsonable_python(_mend(value)))


def _mend(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value)
        case dict():
            return {clean_text(key) if isinstance(key, str) else key: _mend(item) for key, item in value.items()}
        case list() | tuple():
            return [_mend(item) for item in value]
    return value


def digest(value: Any) -> str:
    """A short digest of a JSON value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


def digest_inputs(arguments: Mapping[str, Any], path: str) -> dict[str, str]:
    """A digest for each argument. Raises `InputUnreadable` for one that has no JSON form."""
    digests = {}
    for name, value in arguments.items():
        try:
            digests[name] = digest(_plain(value))
        except (PydanticSerializationError, ValueError, TypeError) as error:
            raise InputUnreadable(
                f"The argument {name!r} of {path} has no JSON form ({type(value).__name__}), so that a resumed run "
                "could not tell whether it changed. Pass plain data, and get services with `resource()`."
            ) from error
    return digests


def _plain(value: Any) -> Any:
    """The value as JSON data. Sets have no order that another process would see again: they are sorted."""
    match value:
        case str() | None:
            return value
        case BaseModel():
            return _plain(value.model_dump())
        case Mapping():
            return {str(to_jsonable_python(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case set() | frozenset():
            return sorted((_plain(item) for item in value), key=canonical_json)
    return to_jsonable_python(value)


@cache
def result_adapter(function: Callable[..., Any]) -> TypeAdapter[Any]:
    """Reads and writes results of the type that the function says it returns."""
    hints = get_type_hints(function)
    try:
        return TypeAdapter(hints.get("return", Any))
    except PydanticSchemaGenerationError as error:
        raise ResultUnreadable(
            f"{function.__qualname__} says it returns {hints['return']!r}, which has no JSON form. "
            "Return a Pydantic model, a dataclass or plain data."
        ) from error


def encode_result(adapter: TypeAdapter[Any], value: Any, path: str) -> Any:
    """A result as JSON data. Raises `ResultUnreadable` or `ResultTooLarge`, which say what to do."""
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
    """A value from its JSON data. Raises `ResultUnreadable` when it does not fit the annotation."""
    try:
        return adapter.validate_json(json.dumps(data))
    except ValidationError as error:
        raise ResultUnreadable(f"The result of {path} does not come back from JSON: {error}") from error
