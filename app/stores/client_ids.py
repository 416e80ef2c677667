"""Client ids of commands: stored in a command's entry beside the event's fields, so that a repeat is recognised."""

from __future__ import annotations

import json
from typing import Any


def sign(body: str, client_id: str, digest: str) -> str:
    """Add the client's id and its request's digest to an event's JSON. Decoding the event ignores them."""
    return f'{body[:-1]},{signature(client_id)},"digest":{json.dumps(digest)}}}'


def signature(client_id: str) -> str:
    """Return the text that stands in every entry with this client id."""
    return f'"client":{json.dumps(client_id)}'


def is_signed(body: str, client_id: str) -> bool:
    """Return whether the event itself has this client id, and not only a value inside it."""
    return _read_fields(body).get("client") == client_id


def read_digest(body: str) -> str:
    """Return the digest that an event was signed with; empty if it was not signed."""
    return str(_read_fields(body).get("digest", ""))


def _read_fields(body: str) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
