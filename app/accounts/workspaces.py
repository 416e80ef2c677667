"""Who is asking, and the workspace that is theirs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from app.accounts.sessions import digest_of
from app.contract.ids import new_id
from app.stores.database import Database
from app.stores.repositories import workspaces


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks. `workspace_id` is None for a browser whose session has no row yet: it owns nothing so far.

    `session` is the cookie's value, None for an API token.
    """

    workspace_id: str | None
    session: str | None = None


class Workspaces:
    """Finds and founds workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_session(self, session: str) -> Requester:
        """Whoever has this cookie. Writes nothing."""
        async with self._database.reading() as reading:
            return Requester(await workspaces.find_workspace_of_session(reading, digest_of(session)), session)

    async def of_token(self, token: str) -> Requester | None:
        """Whoever has this token; None when nobody has."""
        async with self._database.reading() as reading:
            workspace_id = await workspaces.find_workspace_of_token(reading, digest_of(token))
        return Requester(workspace_id) if workspace_id else None

    async def ensure(self, who: Requester) -> str:
        """The workspace of who asks, founded now if this is the session's first POST."""
        if who.workspace_id:
            return who.workspace_id
        if who.session is None:
            raise ValueError("neither a workspace nor a session")
        try:
            return await self._found(digest_of(who.session))
        except IntegrityError:
            # Another request of the same browser was quicker.
            found = (await self.of_session(who.session)).workspace_id
            if found is None:
                raise
            return found

    async def _found(self, digest: str) -> str:
        async with self._database.writing() as writing:
            if existing := await workspaces.find_workspace_of_session(writing, digest):
                return existing
            workspace_id = new_id("workspace")
            await workspaces.add_workspace(writing, workspace_id)
            await workspaces.add_session(writing, digest, workspace_id)
            return workspace_id
