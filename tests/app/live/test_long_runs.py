"""Watching a long run from its snapshot on, which makes no difference on the page."""

from __future__ import annotations

from sqlalchemy import delete
from sqlmodel import col

from app.contract import keys
from app.contract.events import StepOutput
from app.contract.payloads import Output
from app.stores.archive import Shipment
from app.stores.snapshots import snapshot_row
from app.stores.tables import EventRow
from tests.app.live.test_hub import STEP, opened
from tests.app.live.writing import Stores, Writer


async def write_long(stores: Stores) -> tuple[Writer, str]:
    """Write a run whose log is archived, with a snapshot at its end; return that cursor too."""
    writer = await Writer.submit(stores)
    await writer.begin(STEP)
    pieces = [StepOutput(step=STEP, attempt=1, data=Output(offset=2 * n, text="x ")) for n in range(300)]
    await writer.append(*pieces)
    run, shipped = await writer.fold(), await stores.archive.shipped(writer.run_id)
    entries = await stores.log.entries(writer.run_id, shipped)
    assert await stores.archive.ship([Shipment(run, shipped, entries, snapshot_row(run, len(entries) + 1))])
    return writer, run.cursor


async def test_a_watched_run_goes_on_from_its_snapshot(stores: Stores) -> None:
    writer, newest = await write_long(stores)
    async with stores.database.writing() as session:
        begun = col(EventRow.body).contains("step.started")
        await session.execute(delete(EventRow).where(col(EventRow.run_id) == writer.run_id, begun))
    await stores.redis.xtrim(keys.log_key(writer.run_id), maxlen=1, approximate=False)
    async with opened(stores) as place:
        page = await place.watch(writer)
        await page.read_until(newest)
        assert page.texts == {STEP: "x " * 300}
        added = StepOutput(step=STEP, attempt=1, data=Output(offset=600, text="and on"))
        await page.read_until((await writer.append(added))[0])
        assert page.texts == {STEP: "x " * 300 + "and on"} and not page.resets
        await page.close()


async def test_a_log_that_lost_the_snapshots_place_is_read_from_its_beginning(stores: Stores) -> None:
    """Roll Redis back to before what had been shipped, but not to before the log's beginning."""
    writer, newest = await write_long(stores)
    await stores.redis.xdel(keys.log_key(writer.run_id), newest)
    async with opened(stores) as place:
        page = await place.watch(writer)
        added = StepOutput(step=STEP, attempt=1, data=Output(offset=598, text="again"))
        await page.read_until((await writer.append(added))[0])
        assert page.texts == {STEP: "x " * 299 + "again"}
        assert (await place.hub.peek(writer.run_id))[1] == page.cursor
        await page.close()
