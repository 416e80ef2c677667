"""A site is read as its robots.txt asks, sitemaps included."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import pytest

from tests.sites.server import BROKEN_PATH, CannedResponse, FixtureSite
from worker.crawl.errors import ErrorPage, LeftSite, NotHtml, RobotsRefused, ScriptOnlyPage
from worker.crawl.fetch import Fetcher
from worker.crawl.politeness import HostThrottle
from worker.crawl.robots import parse_robots
from worker.crawl.site import HomePage, SiteReader
from worker.crawl.sitemap import MAX_FILES, parse_sitemap


@pytest.fixture
async def site() -> AsyncIterator[FixtureSite]:
    async with FixtureSite() as site:
        yield site


@pytest.fixture
async def reader(site: FixtureSite) -> AsyncIterator[SiteReader]:
    async with SiteReader(fetcher=Fetcher({site.host_port}, throttle=HostThrottle(gap=0))) as reader:
        yield reader


def text(body: str) -> CannedResponse:
    return CannedResponse(body=body.encode(), content_type="text/plain")


async def test_the_home_page_comes_with_what_to_read_next(site: FixtureSite, reader: SiteReader) -> None:
    home = await reader.read_home(site.url + "/")
    paths = [url.removeprefix(site.url) for url in home.candidates]
    assert home.page.site_name == "Alder & Spoke"
    assert paths[:3] == ["/about.html", "/services.html", "/pricing.html"]
    assert "/guides/choosing-a-cargo-bike.html" in paths
    assert paths[-1] == "/privacy.html"
    assert "/private/rota.html" not in paths
    assert "/brochure.pdf" not in paths
    assert home.notes == ["robots.txt keeps 1 of 12 pages from being read."]
    assert HomePage.model_validate_json(home.model_dump_json()) == home


async def test_pages_are_read_and_what_is_none_says_why(site: FixtureSite, reader: SiteReader) -> None:
    assert (await reader.read_page(f"{site.url}/about.html")).title == "About us"
    for path, error in (
        (BROKEN_PATH, ErrorPage),
        ("/nowhere", ErrorPage),
        ("/brochure.pdf", NotHtml),
        ("/bookings/", ScriptOnlyPage),
        ("/private/rota.html", RobotsRefused),
    ):
        with pytest.raises(error):
            await reader.read_page(site.url + path)
    assert site.requests["/private/rota.html"] == 0
    assert site.requests["/robots.txt"] == 1


async def test_an_error_page_never_becomes_a_home_page(site: FixtureSite, reader: SiteReader) -> None:
    site.fail("/", 500)
    with pytest.raises(ErrorPage):
        await reader.read_home(site.url + "/")
    site.heal("/")
    assert (await reader.read_home(site.url + "/")).page.blocks


async def test_robots_are_obeyed_for_the_typed_page_too(site: FixtureSite, reader: SiteReader) -> None:
    site.answer("/robots.txt", text("User-agent: longhand\nDisallow: /"))
    with pytest.raises(RobotsRefused) as refused:
        await reader.read_home(site.url + "/")
    assert not refused.value.transient
    assert site.requests["/"] == 0


async def test_a_redirect_to_what_robots_refuse_is_not_followed(site: FixtureSite, reader: SiteReader) -> None:
    site.answer("/out", CannedResponse(302, headers={"location": "/private/rota.html"}))
    with pytest.raises(RobotsRefused):
        await reader.read_page(f"{site.url}/out")
    assert site.requests["/private/rota.html"] == 0


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_no_robots_file_allows_all(site: FixtureSite, reader: SiteReader, status: int) -> None:
    site.fail("/robots.txt", status)
    assert (await reader.read_page(f"{site.url}/private/rota.html")).title == "Workshop rota"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_unreadable_robots_file_leaves_only_the_typed_page(
    site: FixtureSite, reader: SiteReader, status: int
) -> None:
    site.fail("/robots.txt", status)
    home = await reader.read_home(site.url + "/")
    assert home.page.blocks
    assert home.candidates == []
    assert str(status) in home.notes[0]
    assert site.requests["/sitemap.xml"] == 0
    with pytest.raises(RobotsRefused) as refused:
        await reader.read_page(f"{site.url}/about.html")
    assert refused.value.transient


async def test_robots_are_read_again_when_their_cache_has_expired(site: FixtureSite) -> None:
    now = 1000.0
    site.fail("/robots.txt", 503, times=1)
    fetcher = Fetcher({site.host_port}, throttle=HostThrottle(gap=0))
    async with SiteReader(fetcher=fetcher, clock=lambda: now) as reader:
        with pytest.raises(RobotsRefused):
            await reader.read_page(f"{site.url}/about.html")
        now += 31
        assert (await reader.read_page(f"{site.url}/about.html")).title == "About us"
        now += 3601
        await reader.read_page(f"{site.url}/pricing.html")
    assert site.requests["/robots.txt"] == 3


async def test_a_page_that_leads_to_another_site_is_not_read(site: FixtureSite, reader: SiteReader) -> None:
    site.answer("/shop", CannedResponse(302, headers={"location": "https://market.example.com/"}))
    with pytest.raises(LeftSite, match=r"market\.example\.com"):
        await reader.read_page(f"{site.url}/shop")


async def test_a_crawl_delay_is_honoured(site: FixtureSite) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    site.answer("/robots.txt", text("User-agent: *\nCrawl-delay: 2"))
    throttle = HostThrottle(gap=0, longest_gap=5, clock=lambda: 0.0, sleep=sleep)
    async with SiteReader(fetcher=Fetcher({site.host_port}, throttle=throttle)) as reader:
        await reader.read_page(f"{site.url}/about.html")
        await reader.read_page(f"{site.url}/pricing.html")
    assert slept[-1] == 2


async def test_an_index_of_sitemaps_is_followed_one_level(site: FixtureSite, reader: SiteReader) -> None:
    site.answer("/robots.txt", text("Sitemap: /maps.xml"))
    site.answer("/maps.xml", index("/one.xml.gz", "/two.xml", "https://other.example.com/three.xml"))
    site.answer(
        "/one.xml.gz", CannedResponse(body=gzip.compress(pages("/guides/one").body), content_type="application/gzip")
    )
    site.answer("/two.xml", index("/deeper.xml"))
    home = await reader.read_home(site.url + "/")
    assert f"{site.url}/guides/one" in home.candidates
    assert site.requests["/deeper.xml"] == 0
    assert site.requests["/sitemap.xml"] == 0


async def test_a_bad_sitemap_only_gives_no_candidates(site: FixtureSite, reader: SiteReader) -> None:
    site.answer("/robots.txt", text(""))
    for body in (b"", b"<html><p>Not found", b"\x1f\x8bbroken", b"<urlset><url><loc>", b"\xff\xfe\x00<"):
        site.answer("/sitemap.xml", CannedResponse(body=body))
        assert f"{site.url}/about.html" in (await reader.read_home(site.url + "/")).candidates


async def test_not_more_than_a_few_sitemaps_are_read(site: FixtureSite, reader: SiteReader) -> None:
    site.answer("/robots.txt", text("Sitemap: /maps.xml"))
    site.answer("/maps.xml", index(*(f"/map-{number}.xml" for number in range(50))))
    await reader.read_home(site.url + "/")
    assert sum(count for path, count in site.requests.items() if "map" in path) == MAX_FILES


def test_entities_in_a_sitemap_are_neither_expanded_nor_fetched() -> None:
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    hostile = (
        f'<!DOCTYPE x [<!ENTITY e0 "ha"><!ENTITY file SYSTEM "file:///etc/passwd">{bomb}]>'
        "<urlset><url><loc>https://example.com/a</loc></url><url><loc>https://example.com/&e9;</loc></url>"
        "<url><loc>&file;</loc></url></urlset>"
    )
    found = parse_sitemap(hostile.encode())
    assert found.pages
    assert not any("root:" in page or "haha" in page for page in found.pages)


def test_a_packed_bomb_is_cut() -> None:
    assert parse_sitemap(gzip.compress(b" " * 50_000_000)).pages == ()


def test_a_sitemap_may_be_plain_text() -> None:
    assert parse_sitemap(b"https://example.com/a\nhttps://example.com/b\n\nnotes").pages == (
        "https://example.com/a",
        "https://example.com/b",
    )


def test_robots_rules_are_read_as_the_standard_has_them() -> None:
    robots = parse_robots(b"\xef\xbb\xbfUser-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /*.cgi$\n\xff\xfe")
    agent = "Longhand/0.1"
    allowed = {path: robots.allows(f"https://example.com{path}", agent) for path in ("/a/c", "/a/b/c", "/x.cgi", "/x")}
    assert allowed == {"/a/c": False, "/a/b/c": True, "/x.cgi": False, "/x": True}


def pages(*paths: str) -> CannedResponse:
    locations = "".join(f"<url><loc>{path}</loc></url>" for path in paths)
    return CannedResponse(body=f"<urlset>{locations}</urlset>".encode(), content_type="application/xml")


def index(*paths: str) -> CannedResponse:
    locations = "".join(f"<sitemap><loc>{path}</loc></sitemap>" for path in paths)
    return CannedResponse(body=f"<sitemapindex>{locations}</sitemapindex>".encode(), content_type="application/xml")
