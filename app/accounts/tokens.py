"""API tokens: shown once, stored as digests."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.accounts.sessions import digest_of
from app.contract.ids import new_id
from app.stores.database import Database
from app.stores.repositories import workspaces
from app.stores.tables import TokenRow

PREFIX = "lh_"


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret."""

    id: str
    name: str
    created_at: datetime


class Tokens:
    """The API tokens of workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, workspace_id: str, name: str) -> tuple[Token, str]:
        """Create a token; return it with its text, which cannot be read again."""
        text = PREFIX + secrets.token_urlsafe(32)
        row = TokenRow(id=new_id("token"), workspace_id=workspace_id, name=name, digest=digest_of(text))
        async with self._database.writing() as session:
            await workspaces.add_token(session, row)
        return _token(row), text

    async def list(self, workspace_id: str) -> Sequence[Token]:
        """List the workspace's tokens."""
        async with self._database.reading() as session:
            return [_token(row) for row in await workspaces.list_tokens(session, workspace_id)]

    async def revoke(self, token_id: str, workspace_id: str) -> bool:
        """Delete the token. Return whether the workspace had it."""
        async with self._database.writing() as session:
            return await workspaces.delete_token(session, token_id, workspace_id)


def _token(row: TokenRow) -> Token:
    return Token(row.id, row.name, row.created_at)
