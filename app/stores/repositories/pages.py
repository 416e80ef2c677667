"""Pages of a site, and the passages of them that posts draw on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.content.values import (
    PageBlock,
    PageDigest,
    PageNotes,
    ReadPage,
)
from app.stores.tables import PageRow, PassageRow, utc_now

_WORDS = re.compile(r"\w+")


def page_id(site_id: str, url: str) -> str:
    """Return the id of a page: the same for the same address on the same site, however often it is read."""
    return "page_" + hashlib.sha256(f"{site_id}\n{url}".encode()).hexdigest()[:20]


async def save_page(
    session: AsyncSession, site_id: str, page: ReadPage, notes: PageNotes, passages: Sequence[PageBlock]
) -> str:
    """Save a page and its passages in place of those of an earlier reading. Return the page's id."""
    row = PageRow(
        id=page_id(site_id, page.url),
        site_id=site_id,
        url=page.url,
        title=page.title,
        summary=notes.summary,
        key_phrases=list(notes.key_phrases),
        read_at=utc_now(),
    )
    await session.merge(row)
    await session.execute(delete(PassageRow).where(col(PassageRow.page_id) == row.id))
    for position, block in enumerate(passages):
        session.add(
            PassageRow(
                id=f"{row.id}.{position}",
                site_id=site_id,
                page_id=row.id,
                position=position,
                heading=block.heading,
                text=block.text,
            )
        )
    return row.id


async def save_unread_page(session: AsyncSession, site_id: str, url: str, reason: str) -> None:
    """Save the reason why a page could not be read, unless an earlier reading succeeded."""
    existing = await session.get(PageRow, page_id(site_id, url))
    if existing is None or existing.reason:
        await session.merge(PageRow(id=page_id(site_id, url), site_id=site_id, url=url, reason=reason))


async def list_pages(session: AsyncSession, site_id: str) -> list[PageRow]:
    """Return the site's pages in the order in which they were read."""
    query = select(PageRow).where(col(PageRow.site_id) == site_id)
    return list(await session.scalars(query.order_by(col(PageRow.read_at), col(PageRow.id))))


async def list_page_digests(session: AsyncSession, site_id: str) -> list[PageDigest]:
    """Return summaries of the pages that were read."""
    return [
        PageDigest(url=row.url, title=row.title, summary=row.summary, key_phrases=row.key_phrases or [])
        for row in await list_pages(session, site_id)
        if not row.reason
    ]


async def find_passages(
    session: AsyncSession, site_id: str, query: str, limit: int
) -> list[tuple[PassageRow, PageRow]]:
    """Return the passages of the site that match any word of `query`, with their pages, best first."""
    words = list(dict.fromkeys(word.lower() for word in _WORDS.findall(query)))[:40]
    if not words:
        return []
    sqlite = session.get_bind().dialect.name == "sqlite"
    # A quoted word is never an operator. It may still be split into several lexemes, which must then be adjacent.
    asked = " OR ".join(f'"{word}"' for word in words) if sqlite else " | ".join(f"'{word}'" for word in words)
    statement = text(_SQLITE_SEARCH if sqlite else _POSTGRES_SEARCH)
    found = await session.execute(statement, {"site": site_id, "query": asked, "limit": limit})
    ids = list(found.scalars())
    rows = await session.execute(
        select(PassageRow, PageRow)
        .join(PageRow, col(PageRow.id) == col(PassageRow.page_id))
        .where(col(PassageRow.id).in_(ids))
    )
    by_id = {passage.id: (passage, page) for passage, page in rows}
    return [by_id[found_id] for found_id in ids]


_SQLITE_SEARCH = """
SELECT passages.id FROM passages_text JOIN passages ON passages.rowid = passages_text.rowid
WHERE passages_text MATCH :query AND passages.site_id = :site
ORDER BY bm25(passages_text, 4.0, 1.0), passages.id LIMIT :limit
"""

_POSTGRES_SEARCH = """
SELECT id FROM passages, to_tsquery('english', :query) AS asked
WHERE site_id = :site
  AND (setweight(to_tsvector('english', heading), 'A') || setweight(to_tsvector('english', text), 'D')) @@ asked
ORDER BY ts_rank(
  '{0.25, 0.25, 0.25, 1.0}',
  setweight(to_tsvector('english', heading), 'A') || setweight(to_tsvector('english', text), 'D'), asked
) DESC, id LIMIT :limit
"""
