"""Workspaces, and the browser sessions and API tokens that open them. Secrets are known here by digest only."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.stores.tables import SessionRow, TokenRow, Workspace


async def add_workspace(session: AsyncSession, workspace_id: str) -> None:
    session.add(Workspace(id=workspace_id))
    await session.flush()


async def find_workspace_of_session(session: AsyncSession, digest: str) -> str | None:
    """Return the workspace of a browser session, None for one that was never saved."""
    return await session.scalar(select(col(SessionRow.workspace_id)).where(col(SessionRow.id) == digest))


async def add_session(session: AsyncSession, digest: str, workspace_id: str) -> None:
    session.add(SessionRow(id=digest, workspace_id=workspace_id))
    await session.flush()


async def find_workspace_of_token(session: AsyncSession, digest: str) -> str | None:
    """Return the workspace that a token opens, else None."""
    return await session.scalar(select(col(TokenRow.workspace_id)).where(col(TokenRow.digest) == digest))


async def add_token(session: AsyncSession, row: TokenRow) -> None:
    session.add(row)
    await session.flush()


async def list_tokens(session: AsyncSession, workspace_id: str) -> list[TokenRow]:
    """Return the workspace's tokens, newest first."""
    query = select(TokenRow).where(col(TokenRow.workspace_id) == workspace_id)
    return list(await session.scalars(query.order_by(col(TokenRow.created_at).desc(), col(TokenRow.id))))


async def delete_token(session: AsyncSession, token_id: str, workspace_id: str) -> bool:
    """Delete a token. Return whether there was such a token in this workspace."""
    statement = delete(TokenRow).where(col(TokenRow.id) == token_id, col(TokenRow.workspace_id) == workspace_id)
    result = await session.execute(statement)
    assert isinstance(result, CursorResult)
    return bool(result.rowcount)
