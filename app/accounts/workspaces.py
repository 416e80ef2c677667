"""Requesters and their workspaces."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from app.accounts.sessions import digest_of
from app.contract.ids import new_id
from app.stores.database import Database
from app.stores.repositories import workspaces


@dataclass(frozen=True, slots=True)
class Requester:
    """The sender of a request. `workspace_id` is None for a browser whose session has no workspace yet.

    `session` is the cookie's value, None for an API token.
    """

    workspace_id: str | None
    session: str | None = None


class Workspaces:
    """Finds and creates workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_by_session(self, session: str) -> Requester:
        """Return the requester with this cookie. Writes nothing."""
        async with self._database.reading() as reading:
            return Requester(await workspaces.find_workspace_of_session(reading, digest_of(session)), session)

    async def find_by_token(self, token: str) -> Requester | None:
        """Return the requester with this token, None for an unknown token."""
        async with self._database.reading() as reading:
            workspace_id = await workspaces.find_workspace_of_token(reading, digest_of(token))
        return Requester(workspace_id) if workspace_id else None

    async def ensure(self, requester: Requester) -> str:
        """Return the requester's workspace. Create it if this is the first POST of a session."""
        if requester.workspace_id:
            return requester.workspace_id
        if requester.session is None:
            raise ValueError("neither a workspace nor a session")
        try:
            return await self._create(digest_of(requester.session))
        except IntegrityError:
            # Another request of the same session has created the workspace in the meantime.
            existing = (await self.find_by_session(requester.session)).workspace_id
            if existing is None:
                raise
            return existing

    async def _create(self, digest: str) -> str:
        async with self._database.writing() as writing:
            if existing := await workspaces.find_workspace_of_session(writing, digest):
                return existing
            workspace_id = new_id("workspace")
            await workspaces.add_workspace(writing, workspace_id)
            await workspaces.add_session(writing, digest, workspace_id)
            return workspace_id
