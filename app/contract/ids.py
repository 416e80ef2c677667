"""Ids of rows: runs, workspaces, sites, posts, tokens."""

from __future__ import annotations

import secrets


def new_id(kind: str) -> str:
    """Return a new unguessable id such as `run_5f0c…`: 80 random bits."""
    return f"{kind}_{secrets.token_hex(10)}"
