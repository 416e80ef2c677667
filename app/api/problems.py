"""The problem documents (RFC 9457) of the API, for its schema."""

from __future__ import annotations

from litestar.openapi.datastructures import ResponseSpec
from pydantic import BaseModel, ConfigDict, Field

from app.http.errors import PROBLEM

_DESCRIPTIONS = {
    400: "What was sent does not fit; `errors` says what is wrong where.",
    401: "Neither a token nor a session, or a token that is unknown.",
    403: "The request came from another site's page.",
    404: "There is no such thing in this workspace.",
    406: "The log can't be had in any form that `Accept` names.",
    409: "Not possible as things stand; `detail` says why.",
    413: "The body is too large.",
    503: "A store does not answer just now. Nothing is lost; try again after `Retry-After`.",
}


class FieldProblem(BaseModel):
    """An error in one value. `path` names it, such as `sections.0.heading`; empty for the whole body."""

    path: str
    message: str


class ProblemSchema(BaseModel):
    """Why a request was not carried out. `errors` lists what does not fit; `cursor` says where a log starts again."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] = Field(default_factory=list)
    cursor: str = ""


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """Describe the problems of one operation, and those that all operations have: 401 and 503."""
    return {
        status: ResponseSpec(
            ProblemSchema, generate_examples=False, description=_DESCRIPTIONS[status], media_type=PROBLEM
        )
        for status in sorted({*statuses, 401, 503})
    }
