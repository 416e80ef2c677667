"""Searching a site's passages: both databases find the same, and no query acts as an operator."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.stores.database import Database
from app.stores.repositories.pages import list_page_digests, list_pages, page_id, save_unread_page
from tests.app.stores.owners import add_page, add_site, search

WHISTLE = "We carve willow whistles by hand."
SHIPPING = "Orders ship within two days, and shipping is free."
CAFE = "Our Café in Zürich serves Käsekuchen."
URL = "https://a.test/1"


@pytest.fixture
async def site(database: Database) -> str:
    site_id = await add_site(database, "a")
    await add_page(database, site_id, URL, WHISTLE, SHIPPING, CAFE)
    return site_id


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("whistles", [WHISTLE]),
        ("Whistle", [WHISTLE]),  # stems, as readers ask
        ("carving", [WHISTLE]),
        ("ordered", [SHIPPING]),
        ("how do I ship an order", [SHIPPING]),
        ("café", [CAFE]),
        ("KÄSEKUCHEN", [CAFE]),
        ("two days whistle", [SHIPPING, WHISTLE]),
        ("nothing-of-this-kind", []),
    ],
)
async def test_words_find_passages_that_contain_them(
    database: Database, site: str, query: str, found: list[str]
) -> None:
    assert sorted(await search(database, site, query)) == sorted(found)


HOSTILE = [
    "", " ", "!!! ... ???", "'", '"', '"whistle', "whistle'", "'whistle':*", "whistle*", "*", "OR", "AND NOT", "NEAR(",
    "whistle OR", "-whistle", "^whistle", "text:whistle", ":", "&", "|", "!", "whistle & !ship", "<->", "(", ")", "\\",
    "whistle\\", "a:b:c", "\x00", "whistle\x00", "_", "___", "²", "١٢٣", "日本語", "İstanbul", "e\u0301", "🧭",
    "'; DROP", "%", "{", "--", "the and of", "x" * 5000, " ".join(f"w{n}" for n in range(500)),
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
async def test_no_query_is_an_error_or_an_operator(database: Database, site: str, query: str) -> None:
    found = await search(database, site, query)
    assert (WHISTLE in found) is ("whistle" in query)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
async def test_any_text_is_a_query(database: Database, site: str, query: str) -> None:
    await search(database, site, query)


async def test_passages_with_more_matches_or_a_match_in_the_heading_come_first(database: Database) -> None:
    site_id = await add_site(database, "b")
    await add_page(database, site_id, "https://b.test/1", "Long talk of many things, with one bell in passing.")
    await add_page(database, site_id, "https://b.test/2", "What we make, and for whom.", heading="Bells")
    await add_page(database, site_id, "https://b.test/3", "Nothing of the sort.")
    assert await search(database, site_id, "bell") == [
        "What we make, and for whom.",
        "Long talk of many things, with one bell in passing.",
    ]
    assert len(await search(database, site_id, "bell", limit=1)) == 1


async def test_reading_a_page_again_replaces_its_passages(database: Database, site: str) -> None:
    again = await add_page(database, site, URL, "We carve oak spoons.")
    assert again == page_id(site, URL)
    assert await search(database, site, "whistles ship café") == []
    assert await search(database, site, "spoon") == ["We carve oak spoons."]
    await add_page(database, site, URL, "a spoon", "two spoons", "three spoons")
    assert len(await search(database, site, "spoons")) == 3
    async with database.reading() as session:
        assert len(await list_pages(session, site)) == 1


async def test_passages_of_other_sites_are_never_found(database: Database, site: str) -> None:
    other = await add_site(database, "b")
    await add_page(database, other, URL, "Their whistles are of plastic.")
    assert await search(database, site, "whistles") == [WHISTLE]
    assert await search(database, other, "whistles") == ["Their whistles are of plastic."]
    assert await search(database, "site_unknown", "whistles") == []
    async with database.reading() as session:
        for name in (site, other):
            assert [page.site_id for page in await list_pages(session, name)] == [name]
            assert len(await list_page_digests(session, name)) == 1


async def test_a_failure_is_saved_unless_the_page_was_read_before(database: Database, site: str) -> None:
    async with database.writing() as session:
        await save_unread_page(session, site, URL, "503")
        await save_unread_page(session, site, "https://a.test/gone", "404")
        await save_unread_page(session, site, "https://a.test/gone", "410")
    async with database.reading() as session:
        reasons = {row.url: row.reason for row in await list_pages(session, site)}
        assert [digest.url for digest in await list_page_digests(session, site)] == [URL]
    assert reasons == {URL: "", "https://a.test/gone": "410"}
    await add_page(database, site, "https://a.test/gone", "Back at last, with bells.")
    assert await search(database, site, "bells") == ["Back at last, with bells."]
