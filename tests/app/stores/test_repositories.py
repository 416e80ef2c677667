"""Repositories: rows of one workspace are invisible to every other."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from app.content.values import Profile, Topic
from app.contract.events import now
from app.stores.database import Database
from app.stores.repositories import posts, runs, sites, workspaces
from app.stores.tables import PostRow, RunRow, TokenRow
from tests.app.stores.owners import add_site
from tests.app.stores.stores import Stores


@pytest.fixture
async def owned(database: Database) -> None:
    """Ann and Bob, each with a site, a run and a post."""
    for name in ("ann", "bob"):
        await add_site(database, name)
        async with database.writing() as session:
            session.add(RunRow(id=f"run_{name}", workspace_id=f"ws_{name}", workflow="w", title="t", input=None))
            await session.flush()
            session.add(
                PostRow(
                    id=f"post_{name}",
                    workspace_id=f"ws_{name}",
                    site_id=f"site_{name}",
                    run_id=f"run_{name}",
                    topic="t",
                )
            )
            await session.flush()
            await workspaces.add_token(
                session, TokenRow(id=f"tok_{name}", workspace_id=f"ws_{name}", name="ci", digest=f"digest_{name}")
            )
            await workspaces.add_session(session, f"session_{name}", f"ws_{name}")


@pytest.mark.usefixtures("owned")
async def test_everything_is_found_by_its_owner_only(database: Database) -> None:
    async with database.reading() as session:
        for name, other in (("ann", "bob"), ("bob", "ann")):
            for find, item in ((sites.find_site, "site"), (posts.find_post, "post"), (runs.find_run, "run")):
                row = await find(session, f"{item}_{name}", f"ws_{name}")
                assert row is not None and row.id == f"{item}_{name}"
                for stranger in (f"ws_{other}", "", "%"):
                    assert await find(session, f"{item}_{name}", stranger) is None
            assert [row.id for row in await runs.list_runs(session, f"ws_{name}", 10)] == [f"run_{name}"]
            assert [row.id for row in await workspaces.list_tokens(session, f"ws_{name}")] == [f"tok_{name}"]
            assert [post.id for post, _ in await posts.list_posts(session, f"site_{name}")] == [f"post_{name}"]
            assert await workspaces.find_workspace_of_token(session, f"digest_{name}") == f"ws_{name}"
            assert await workspaces.find_workspace_of_session(session, f"session_{name}") == f"ws_{name}"


@pytest.mark.usefixtures("owned")
async def test_token_is_deleted_by_its_owner_only(database: Database) -> None:
    async with database.writing() as session:
        assert not await workspaces.delete_token(session, "tok_ann", "ws_bob")
        assert await workspaces.delete_token(session, "tok_ann", "ws_ann")
        assert not await workspaces.delete_token(session, "tok_ann", "ws_ann")


@pytest.mark.usefixtures("owned")
async def test_profile_and_topics_are_saved_for_one_site(database: Database) -> None:
    async with database.writing() as session:
        await sites.save_profile(session, "site_ann", Profile(name="Ann \u0000 & Co"))
        await sites.save_topics(session, "site_ann", [Topic(title="T", why="W")])
    async with database.reading() as session:
        ann = await sites.find_site_of_run(session, "run_ann")
        bob = await sites.find_site_of_run(session, "run_bob")
    assert ann is not None and bob is not None
    assert Profile.model_validate(ann.profile).name == "Ann \u0000 & Co"
    assert ann.topics[0]["title"] == "T" and bob.profile is None and bob.topics is None


async def test_runs_are_paged_from_the_newest_without_gap_or_repetition(database: Database) -> None:
    await add_site(database, "ann")
    moment = now()
    async with database.writing() as session:
        for number in range(10):
            created = moment + timedelta(seconds=number // 3)
            session.add(
                RunRow(
                    id=f"run_{number}", workspace_id="ws_ann", workflow="w", title="t", input=None, created_at=created
                )
            )
    seen: list[RunRow] = []
    async with database.reading() as session:
        while page := await runs.list_runs(session, "ws_ann", 3, (seen[-1].created_at, seen[-1].id) if seen else None):
            seen += page
        assert await runs.count_runs(session) == {"queued": 10}
    assert [row.id for row in seen] == [f"run_{number}" for number in reversed(range(10))]


async def test_one_idempotency_key_makes_one_run(stores: Stores) -> None:
    await add_site(stores.database, "ann")
    await add_site(stores.database, "bob")

    async def accept(number: int, workspace_id: str = "ws_ann") -> bool:
        try:
            async with stores.database.writing() as session:
                row = RunRow(id=f"{workspace_id}_{number}", workspace_id=workspace_id, workflow="w", title="t", input=1)
                row.idempotency_key = "key"
                session.add(row)
        except IntegrityError:
            return False
        return True

    assert sum(await asyncio.gather(*(accept(number) for number in range(10)))) == 1
    assert await accept(0, "ws_bob")
    async with stores.database.reading() as session:
        for workspace_id in ("ws_ann", "ws_bob"):
            kept = await runs.find_run_by_key(session, workspace_id, "key")
            assert kept is not None and kept.workspace_id == workspace_id
        assert await runs.find_run_by_key(session, "ws_eve", "key") is None
        assert await runs.find_run_by_key(session, "ws_ann", "other") is None
