"""Serialization of what a run shows (published objects, proposals): JSON of limited size."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from worker.runtime.errors import NotShowable, clean_text
from worker.runtime.values import RESULT_LIMIT, canonical_json


def as_json_value(value: Any, what: str) -> Any:
    """Return the value as JSON data, with text that has no UTF-8 form mended (see `clean_text`), names included.

    Raise `NotShowable` when the value has no JSON form, or is larger than a result may be. `what` names the value in
    the error: "The object 'outline' of w/plan".
    """
    try:
        data = _mend(to_jsonable_python(_mend(value)))
        size = len(canonical_json(data).encode())
    except (ValueError, TypeError, RecursionError) as error:
        raise NotShowable(f"{what} has no JSON form: {error}. Show plain data.") from error
    if size > RESULT_LIMIT:
        raise NotShowable(
            f"{what} has {size:,} bytes of JSON; at most {RESULT_LIMIT:,} can be shown. "
            "Show a part of it, or keep it in SQL and show a `Ref` to it."
        )
    return data


def _mend(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value)
        case dict():
            return {clean_text(key) if isinstance(key, str) else key: _mend(item) for key, item in value.items()}
        case list() | tuple():
            return [_mend(item) for item in value]
    return value
