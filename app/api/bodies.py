"""Reading a workflow's input from the body of a request."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.exceptions import SerializationException

from app.runs.errors import InputInvalid, Problem


async def read_input(request: Request[Any, Any, Any], workflow: str) -> Any:
    """Read the body's JSON value, whatever its `Content-Type` says: `curl -d` says that it is a form.

    Raise `InputInvalid` for a missing body, and for one that is no JSON, with a message on what to send.
    """
    if not await request.body():
        raise _unreadable(workflow, "The body is missing.")
    try:
        return await request.json()
    except SerializationException as error:
        raise _unreadable(workflow, f"The body is not JSON that can be read: {error}.") from None
    except RecursionError:
        raise _unreadable(workflow, "The body is nested too deeply.") from None


def _unreadable(workflow: str, found: str) -> InputInvalid:
    expected = f"a JSON object that fits the `input_schema` of GET /api/workflows/{workflow[:80]}"
    return InputInvalid([Problem("", f"{found} Send {expected}, as `Content-Type: application/json`.")])
