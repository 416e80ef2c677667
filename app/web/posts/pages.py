"""The pages of posts, and their exports."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from app.accounts.workspaces import Requester
from app.content.slugs import make_slug
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
from app.stores.tables import PostRow
from app.web.forms import PageRequest
from app.web.posts.exports import EXPORTS
from app.web.posts.view import build_post_fragments
from app.web.responses import RunPage, respond_if_changed, show_run_page

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


@get("/posts/{name:str}")
async def show_post(
    request: PageRequest,
    name: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    database: NamedDependency[Database],
    log: NamedDependency[Log],
    fleet: NamedDependency[Fleet],
) -> Response[Any]:
    """Show the post's page, or, with `.md`, `.html` or `.docx` after its id, the finished post as a file."""
    post_id, _, suffix = name.partition(".")
    if suffix and suffix not in EXPORTS:
        raise NotFoundException("There is no such post.")
    post = await find_own_post(database, post_id, requester)
    row = await queries.find(post.run_id, requester.workspace_id)
    if not suffix:
        return await show_run_page(request, await load_post_page(post, database), row, queries, log, database, fleet)
    _, language = await _read_site(post, database)

    async def respond(run: Run) -> Response[bytes]:
        # In a thread: a long post takes a while, and no other request should wait for it.
        return await asyncio.to_thread(_export, post, run, suffix, language)

    return await respond_if_changed(request, f"post.{suffix}", [post.id, language], row, queries, log, respond)


async def find_own_post(database: Database, post_id: str, requester: Requester) -> PostRow:
    """Find the requester's post; 404 for an unknown one or another workspace's."""
    async with database.reading() as session:
        post = await find_post(session, post_id, requester.workspace_id) if requester.workspace_id else None
    if post is None:
        raise NotFoundException("There is no such post.")
    return post


async def load_post_page(post: PostRow, database: Database) -> RunPage:
    """Load what a post's page shows beside its run's log: the name and the language of its site."""
    site_name, language = await _read_site(post, database)
    return RunPage(
        kind="post",
        template="posts/show",
        values={"post": post, "site_id": post.site_id, "site_name": site_name, "language": language},
        etag_values=(post.id, post.site_id, site_name, language),
        build=lambda run, context: build_post_fragments(run, replace(context, post_id=post.id)),
    )


async def _read_site(post: PostRow, database: Database) -> tuple[str, str]:
    """Read the name of the post's site, and the language of its posts as HTML names it, empty where it is unknown."""
    async with database.reading() as session:
        site = await find_site(session, post.site_id, post.workspace_id)
    profile = read_value(Profile, site.profile) if site and site.profile else None
    name = profile.name if profile and profile.name else short_address(site.url if site else "")
    return name, profile.language if profile and _LANGUAGE.fullmatch(profile.language) else ""


def _export(post: PostRow, run: Run, suffix: str, language: str) -> Response[bytes]:
    """Export the post as it was last finished: a rewrite that is running or was stopped takes nothing away."""
    written = read_value(Post, run.output)
    if written is None:
        raise NotPossible("This post is not finished yet. Come back to its page: the files are there when it is.")
    media_type, write = EXPORTS[suffix]
    name = make_slug(written.title, "post")
    headers = {
        "content-disposition": f'attachment; filename="{name}.{suffix}"',
        "cache-control": "private, no-cache",
    }
    return Response(write(written, language), media_type=media_type, headers=headers)
