"""The pages of posts, and their exports."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from app.accounts.workspaces import Requester
from app.content.values import Post, Profile
from app.contract.run import Run
from app.http.templates import short_address
from app.runs.errors import NotPossible
from app.runs.published import read_value
from app.runs.queries import Queries
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.repositories.posts import find_post
from app.stores.repositories.sites import find_site
from app.stores.tables import PostRow, SiteRow
from app.web.asks.answers import find_drafts
from app.web.fragments.context import Context
from app.web.posts.exports import EXPORTS
from app.web.posts.view import post_fragments
from app.web.responses import (
    answer_known,
    answer_page,
    count_workers,
    live_values,
    tag_headers,
    tag_page,
)

Asked = Request[Any, Any, Any]
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


@get("/posts/{name:str}")
async def show_post(
    request: Asked,
    name: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    database: NamedDependency[Database],
    log: NamedDependency[Log],
    fleet: NamedDependency[Fleet],
) -> Response[Any]:
    """The post's page, or, with `.md`, `.html` or `.docx` after its id, the finished post as a file."""
    post_id, _, suffix = name.partition(".")
    if suffix and suffix not in EXPORTS:
        raise NotFoundException("There is no such post.")
    post = await find_own_post(database, post_id, requester)
    end = await queries.end_of(await queries.find(post.run_id, requester.workspace_id))
    if suffix:
        language = await _find_language(post, database)
        if known := answer_known(request, tag_page(f"post.{suffix}", end, post.id, language)):
            return known
        # In a thread: a long post takes a while, and nobody else's page is to wait for it.
        return await asyncio.to_thread(_export, post, await log.fold(post.run_id), suffix, language)
    if end:
        beside = await _beside(post, database)
        if known := answer_known(request, tag_page("post", end, *beside)):
            return known
    return await answer_post(request, post, await log.fold(post.run_id), Context(), database, fleet)


async def find_own_post(database: Database, post_id: str, requester: Requester) -> PostRow:
    """The post, if it belongs to who asks; else 404."""
    async with database.reading() as session:
        post = await find_post(session, post_id, requester.workspace_id) if requester.workspace_id else None
    if post is None:
        raise NotFoundException("There is no such post.")
    return post


async def answer_post(
    request: Asked,
    post: PostRow,
    run: Run,
    context: Context,
    database: Database,
    fleet: Fleet,
    status: int = 200,
) -> Response[str]:
    """The post's page. `context` has what was asked of it or typed, if that could not be done or taken."""
    _, _, site_name, language = beside = await _beside(post, database)
    drafts = {**await find_drafts("post", run, database), **(context.drafts or {})}
    context = replace(context, post_id=post.id, workers=await count_workers(run, fleet), drafts=drafts)
    return answer_page(
        request,
        "posts/show",
        status=status,
        tag=tag_page("post", run.cursor if run.ended else "", *beside),
        post=post,
        site_id=post.site_id,
        site_name=site_name,
        language=language,
        **live_values("post", run, post_fragments(run, context), context.refused),
    )


async def _beside(post: PostRow, database: Database) -> tuple[str, str, str, str]:
    """What the page shows besides the run: the post, its site, that one's name and language."""
    async with database.reading() as session:
        site = await find_site(session, post.site_id, post.workspace_id)
    return post.id, post.site_id, _site_name(site), _language(site)


async def _find_language(post: PostRow, database: Database) -> str:
    async with database.reading() as session:
        return _language(await find_site(session, post.site_id, post.workspace_id))


def _export(post: PostRow, run: Run, suffix: str, language: str) -> Response[bytes]:
    """The post as it was last finished: a rewrite that goes on, or was stopped, takes nothing away."""
    written = read_value(Post, run.output)
    if written is None:
        raise NotPossible("This post is not finished yet. Come back to its page: the files are there when it is.")
    media_type, write = EXPORTS[suffix]
    headers = {
        "content-disposition": f'attachment; filename="{post.id}.{suffix}"',
        "cache-control": "private, no-cache",
        **tag_headers(tag_page(f"post.{suffix}", run.cursor if run.ended else "", post.id, language)),
    }
    return Response(write(written, language), media_type=media_type, headers=headers)


def _site_name(site: SiteRow | None) -> str:
    profile = _profile(site)
    return profile.name if profile and profile.name else short_address(site.url if site else "")


def _language(site: SiteRow | None) -> str:
    """The language of the site's posts, as HTML names it; empty where nobody knows."""
    profile = _profile(site)
    return profile.language if profile and _LANGUAGE.fullmatch(profile.language) else ""


def _profile(site: SiteRow | None) -> Profile | None:
    return read_value(Profile, site.profile) if site and site.profile else None
