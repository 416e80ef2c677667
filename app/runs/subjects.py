"""The sites and posts that runs of the shipped workflows are about: their rows are created with the run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.content.urls import AddressInvalid, candidate_addresses, parse_typed_address
from app.content.values import OnboardInput, PostBrief, visible_text
from app.content.workflows import ONBOARD_SITE, WRITE_POST
from app.contract.ids import new_id
from app.runs.errors import InputInvalid, Problem
from app.runs.validation import read_model
from app.stores.repositories.sites import find_site
from app.stores.tables import PostRow, RunRow, SiteRow


@dataclass(frozen=True, slots=True)
class Subject:
    """A site or post that a workflow's runs are about.

    `prepare` checks the input and fills in its defaults. `create` adds the rows in the run's own transaction and sets
    the run's site. `title` is the template of a run's title before any worker has announced one.
    """

    prepare: Callable[[Any, Collection[str]], dict[str, Any]]
    create: Callable[[AsyncSession, RunRow], Awaitable[None]]
    title: str
    model: type[BaseModel]


def _prepare_site(value: Any, allow: Collection[str]) -> dict[str, Any]:
    # The address first: its message on an empty or too long one helps more than the model's.
    typed = value.get("url") if isinstance(value, dict) else None
    if isinstance(typed, str):
        value = {**value, "url": _read_address(typed, allow)}
    return read_model(OnboardInput, value)


def _read_address(typed: str, allow: Collection[str]) -> str:
    try:
        return parse_typed_address(typed, allow=allow)
    except AddressInvalid as refused:
        raise InputInvalid([Problem("url", refused.message)]) from None


def _prepare_post(value: Any, _allow: Collection[str]) -> dict[str, Any]:
    # Only here, where the brief comes in: briefs in logs of earlier versions stay as they are.
    if isinstance(value, dict):
        value = {name: visible_text(typed) if isinstance(typed, str) else typed for name, typed in value.items()}
    return read_model(PostBrief, value)


async def _create_site(session: AsyncSession, run: RunRow) -> None:
    site = SiteRow(
        id=new_id("site"),
        workspace_id=run.workspace_id,
        run_id=run.id,
        url=candidate_addresses(run.input["url"])[0],
        created_at=run.created_at,
    )
    session.add(site)
    run.site_id = site.id


async def _create_post(session: AsyncSession, run: RunRow) -> None:
    site = await find_site(session, run.input["site_id"], run.workspace_id)
    if site is None:
        raise InputInvalid([Problem("site_id", "There is no such site.")])
    run.site_id = site.id
    session.add(
        PostRow(
            id=new_id("post"),
            workspace_id=run.workspace_id,
            site_id=site.id,
            run_id=run.id,
            topic=run.input["topic"],
            created_at=run.created_at,
        )
    )


SUBJECTS: dict[str, Subject] = {
    ONBOARD_SITE: Subject(_prepare_site, _create_site, "Read {url}", OnboardInput),
    WRITE_POST: Subject(_prepare_post, _create_post, "Post: {topic}", PostBrief),
}
"""The subject of each shipped workflow, by its name."""
