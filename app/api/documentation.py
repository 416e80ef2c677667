"""The parts of /api/schema that Litestar does not derive from handlers: headers, security, other media types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Components,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
    SecurityScheme,
)

from app.accounts.sessions import COOKIE
from app.http.errors import PROBLEM

SECURITY = Components(
    security_schemes={
        "token": SecurityScheme(type="http", scheme="bearer", description="A token from the page *API tokens*."),
        "session": SecurityScheme(
            type="apiKey", security_scheme_in="cookie", name=COOKIE, description="What a page gave to the browser."
        ),
    }
)
EITHER: list[dict[str, list[str]]] = [{"token": []}, {"session": []}]
"""Either of the two is enough."""

_TEXT = Schema(type=OpenAPIType.STRING)


def _request_header(name: str, description: str) -> Parameter:
    return Parameter(name=name, param_in="header", description=description, required=False, schema=_TEXT)


def _response_header(description: str, required: bool = True, type: OpenAPIType = OpenAPIType.STRING) -> OpenAPIHeader:
    return OpenAPIHeader(description=description, required=required, schema=Schema(type=type))


IDEMPOTENCY_KEY = _request_header(
    "Idempotency-Key", "Your name for this request: 1 to 200 ASCII characters. A repeat is one."
)
PREFER = _request_header("Prefer", "`wait=SECONDS` (at most 600): answer when the run has ended, if that is in time.")
LAST_EVENT_ID = _request_header("Last-Event-ID", "The cursor to go on after; wins over `after`.")
LOCATION = {"Location": _response_header("The run's address.")}
APPLIED = {"Preference-Applied": _response_header("The wait that was granted.", required=False)}

_PROBLEM_HEADERS = {
    "401": {"WWW-Authenticate": _response_header("How to say who asks.")},
    "503": {"Retry-After": _response_header("Seconds after which to try again.", type=OpenAPIType.INTEGER)},
}


@dataclass
class ApiOperation(Operation):
    """An operation with the request's and responses' headers, and problem documents as its only errors."""

    request_headers: ClassVar[Sequence[Parameter]] = ()
    response_headers: ClassVar[Mapping[str, Mapping[str, OpenAPIHeader]]] = {}
    body: ClassVar[RequestBody | None] = None
    streams: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        responses: dict[str, Any] = {**(self.responses or {})}
        # Litestar adds a 400 in a form of its own, wherever there are parameters.
        documented = {
            status: one for status, one in responses.items() if int(status) < 400 or PROBLEM in (one.content or {})
        }
        for status, headers in (*_PROBLEM_HEADERS.items(), *self.response_headers.items()):
            if status in documented:
                documented[status].headers = {**(documented[status].headers or {}), **headers}
        for media_type, description in self.streams.items():
            _add_media_type(documented["200"], media_type, description)
        self.responses = documented
        self.parameters = [*(self.parameters or []), *self.request_headers] or None
        self.request_body = self.body or self.request_body


def _add_media_type(response: Any, media_type: str, description: str) -> None:
    assert isinstance(response, OpenAPIResponse)
    schema = Schema(type=OpenAPIType.STRING, description=description)
    response.content = {**(response.content or {}), media_type: OpenAPIMediaType(schema=schema)}


class StartOperation(ApiOperation):
    request_headers = (IDEMPOTENCY_KEY, PREFER)
    response_headers: ClassVar = {"200": {**LOCATION, **APPLIED}, "202": {**LOCATION, **APPLIED}}
    body = RequestBody(
        description="The workflow's input, as its `input_schema` describes it",
        content={"application/json": OpenAPIMediaType(schema=Schema())},
        required=True,
    )


class CommandOperation(ApiOperation):
    request_headers = (IDEMPOTENCY_KEY,)
    response_headers: ClassVar = {"202": LOCATION}


class RetryOperation(CommandOperation):
    def __post_init__(self) -> None:
        super().__post_init__()
        # Litestar takes every body for a needed one; without this one, all that failed is retried.
        assert isinstance(self.request_body, RequestBody)
        self.request_body.required = False


class EventsOperation(ApiOperation):
    request_headers = (LAST_EVENT_ID,)
    streams: ClassVar = {
        "text/event-stream": "Each event with its cursor as `id`, as JSON in `data`; then what comes, until the end.",
        "application/x-ndjson": "Each event as JSON on a line of its own; then what comes, until the end.",
    }


def succeeds(shape: Any, description: str, media_type: str = "application/json") -> dict[int, ResponseSpec]:
    """Describe a 200 that a handler's return type does not show."""
    return {200: ResponseSpec(shape, generate_examples=False, description=description, media_type=media_type)}
