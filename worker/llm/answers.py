"""Typed values out of a model's text.

The schema stands in the prompt and the JSON in the answer's text. That works with every model, also where the server
knows neither tools nor response formats.
"""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from worker.llm.errors import BadOutput

T = TypeVar("T", bound=BaseModel)


def describe_answer(output_type: type[BaseModel]) -> str:
    """Return the instruction that makes a model answer with what `read_answer` can read."""
    schema = json.dumps(output_type.model_json_schema(), ensure_ascii=False)
    return f"Answer with one JSON object and nothing else, no code fence. It must fit this JSON schema:\n{schema}"


def read_answer(text: str, output_type: type[T]) -> T:
    """Return the first JSON object in `text`, validated. Raise `BadOutput`, which says what is wrong where."""
    start = text.find("{")
    if start < 0:
        raise BadOutput("The model answered without JSON.")
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise BadOutput(f"The model answered with JSON that can't be read: {error.msg}.") from None
    try:
        return output_type.model_validate(value)
    except ValidationError as error:
        # Without the values: they are the model's text, and may be long.
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'all'}: {e['msg']}" for e in error.errors()[:5])
        raise BadOutput(f"The model's answer does not fit what was asked: {wrong}.") from None
