"""Checks of the API's answers against its schema at /api/schema."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import httpx2
from jsonschema import Draft202012Validator

from app.contract.settings import Settings
from app.main import create_app

VALUES = ("application/json", "application/problem+json")
"""The media types of answers that are one value, and end."""

METHODS = ("get", "post", "put", "patch", "delete")


@cache
def read_schema() -> dict[str, Any]:
    """Return the schema that the API publishes; nothing needs to run for it."""
    app = create_app(Settings(_env_file=None, redis_url="redis://nowhere"))
    return app.openapi_schema.to_schema()


def find_operation(method: str, path: str) -> dict[str, Any] | None:
    """Return the schema of the operation that this request calls; None if it calls none of the API."""
    for template, item in read_schema()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            operation: dict[str, Any] | None = item.get("get" if method == "HEAD" else method.lower())
            return operation
    return None


async def check_documented(answer: httpx2.Response) -> None:
    """Check that status, media type, headers and JSON of an answer are as documented. For a client's event hooks."""
    request = answer.request
    operation = find_operation(request.method, request.url.path)
    if operation is None:
        return
    documented = operation["responses"].get(str(answer.status_code))
    where = f"{request.method} {request.url.path}: {answer.status_code}"
    assert documented is not None, f"{where} is not documented"
    required = [name for name, header in documented.get("headers", {}).items() if header["required"]]
    missing = [name for name in required if name not in answer.headers]
    assert not missing, f"{where} lacks {missing}"
    media_type = answer.headers["content-type"].partition(";")[0]
    assert media_type in documented["content"], f"{where} is {media_type}"
    if request.method != "HEAD" and media_type in VALUES:
        await answer.aread()
        check_value(answer.json(), documented["content"][media_type]["schema"])


def check_value(value: Any, schema: dict[str, Any]) -> None:
    """Check that the value fits a schema of the document, and has no fields that the schema does not name."""
    components = read_schema()["components"]
    Draft202012Validator({**schema, "components": _closed(components)}).validate(value)


def _closed(components: Any) -> Any:
    """Return the components, changed so that their objects may have no other fields than those that are named."""
    schemas = components["schemas"].items()
    return {
        "schemas": {
            name: {**schema, "additionalProperties": False} if "properties" in schema else schema
            for name, schema in schemas
        }
    }
