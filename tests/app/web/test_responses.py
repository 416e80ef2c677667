"""ETags of pages: an ended run's page is 304 without reading its log, and any change of it is a new page."""

from __future__ import annotations

import httpx2
from litestar.status_codes import HTTP_304_NOT_MODIFIED
from redis.asyncio import Redis
from sqlalchemy import delete

from app.content.values import Profile
from app.contract import keys
from app.stores.database import Database
from app.stores.repositories.sites import save_profile
from app.stores.tables import EventRow
from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play, Ship
from tests.app.web.logs import finish_post, read_site


async def open_known(client: Client, address: str, page: httpx2.Response) -> httpx2.Response:
    """Request the address with the ETag of a page that the browser has."""
    return await client.get(address, headers={"if-none-match": page.headers["etag"]})


async def finish(client: Client, play: Play) -> tuple[str, str, str]:
    """Read a site and write a post; return their addresses, and the id of the post's run."""
    site = await add_site(client)
    await play(run_of(await client.get(site)), read_site())
    post = await add_post(client, site)
    run = run_of(await client.get(post))
    await play(run, finish_post(("wait",)))
    return site, post, run


async def test_every_page_of_an_ended_run_is_304_without_its_log(
    ann: Client, bob: Client, play: Play, ship: Ship, database: Database, redis: Redis
) -> None:
    site, post, run = await finish(ann, play)
    exports = [f"{post}.{suffix}" for suffix in ("md", "html", "docx")]
    addresses = [site, f"{site}?topic=Tyres", post, f"/runs/{run}", f"/runs/{run}/trace", *exports]
    before = {address: await ann.get(address) for address in addresses}
    assert len({page.headers["etag"] for page in before.values()}) == len(addresses)
    await ship()
    for address, page in before.items():
        archived = await ann.get(address)
        # A site lists its posts as SQL has them: that one has ended by now.
        assert (archived.headers["etag"] == page.headers["etag"]) is not address.startswith(site), address
        before[address] = archived
    async with database.writing() as session:
        await session.execute(delete(EventRow))
    await redis.flushall()
    for address, page in before.items():
        again = await open_known(ann, address, page)
        assert (again.status_code, again.text) == (HTTP_304_NOT_MODIFIED, ""), address
        assert again.headers["etag"] == page.headers["etag"]
        assert (await open_known(bob, address, page)).status_code == 404, address


async def test_a_run_that_was_resumed_is_never_304(ann: Client, play: Play, ship: Ship) -> None:
    _, post, run = await finish(ann, play)
    await ship()
    addresses = (post, f"/runs/{run}", f"/runs/{run}/trace")
    ended = {address: await ann.get(address) for address in addresses}
    section = "write-post/write-section:wait"
    assert (await ann.post(f"/runs/{run}/retries", data={"step": section})).status_code == 303
    for shipped in (False, True):
        if shipped:
            await ship()
        for address, page in ended.items():
            now = await open_known(ann, address, page)
            assert now.status_code == 200 and 'data-run-status="queued"' in now.text, (address, shipped)
            assert "etag" not in now.headers
    await play(run, finish_post())
    await ship()
    for address, page in ended.items():
        again = await open_known(ann, address, page)
        assert again.status_code == 200 and again.headers["etag"] != page.headers["etag"], address


async def test_a_change_beside_the_log_changes_the_etag(
    ann: Client, play: Play, ship: Ship, database: Database
) -> None:
    site, post, _ = await finish(ann, play)
    await ship()
    page, written = await ann.get(site), await ann.get(post)
    second = await add_post(ann, site, topic="Another one")
    with_another = await open_known(ann, site, page)
    assert with_another.status_code == 200 and "Another one" in with_another.text
    assert (await open_known(ann, post, written)).status_code == HTTP_304_NOT_MODIFIED
    await play(run_of(await ann.get(second)), finish_post())
    await ship()
    with_its_end = await open_known(ann, site, with_another)
    assert with_its_end.status_code == 200 and with_its_end.headers["etag"] != with_another.headers["etag"]
    async with database.writing() as session:
        await save_profile(session, site.rpartition("/")[2], Profile(name="Renamed Ltd"))
    for address, known in ((site, with_its_end), (post, written)):
        renamed = await open_known(ann, address, known)
        assert renamed.status_code == 200 and "Renamed Ltd" in renamed.text, address


async def test_an_end_that_redis_lost_is_still_304(ann: Client, play: Play, ship: Ship, redis: Redis) -> None:
    _, post, run = await finish(ann, play)
    await ship()
    page = await ann.get(post)
    last = await redis.xrevrange(keys.log_key(run), count=1)
    await redis.xdel(keys.log_key(run), last[0][0])
    assert (await open_known(ann, post, page)).status_code == HTTP_304_NOT_MODIFIED


async def test_a_damaged_entry_after_the_end_is_shown(ann: Client, play: Play, ship: Ship, redis: Redis) -> None:
    _, post, run = await finish(ann, play)
    await ship()
    page = await ann.get(post)
    await redis.xadd(keys.log_key(run), {"e": "damaged"})
    changed = await open_known(ann, post, page)
    assert changed.status_code == 200 and "An event that this version can’t show" in changed.text


async def test_a_finished_page_has_an_etag_and_does_not_reload_itself(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    await play(run_of(await ann.get(post)), finish_post())
    page = await ann.get(post)
    assert 'data-run-status="succeeded"' in page.text
    assert 'http-equiv="refresh"' not in page.text
    assert page.headers["etag"].startswith('"')
    again = await ann.get(post, headers={"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    assert again.text == ""
    assert (await ann.get(post, headers={"if-none-match": '"else"'})).status_code == 200
