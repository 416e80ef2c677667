"""The pages that are read next, and their order."""

from __future__ import annotations

import pytest

from worker.crawl.frontier import choose_pages, is_page

HOME = "https://example.com/"


def test_proposed_pages_come_first_then_links_then_the_sitemap() -> None:
    chosen = choose_pages(
        HOME,
        proposed=[f"{HOME}guide", f"{HOME}about"],
        links=[f"{HOME}login", f"{HOME}about/", f"{HOME}blog?page=2", f"{HOME}team"],
        sitemap=[f"{HOME}team", f"{HOME}privacy-policy", f"{HOME}history", f"{HOME}"],
        limit=20,
    )
    assert [url.removeprefix(HOME) for url in chosen] == [
        "guide", "about", "team", "history", "blog?page=2", "login", "privacy-policy",
    ]  # fmt: skip


def test_one_page_is_read_once_under_any_of_its_addresses() -> None:
    links = ["a/", "a", "a/index.html", "a?utm_source=mail", "a#top"]
    addresses = [HOME + link for link in links] + [
        "http://www.example.com/a",
        "https://example.com",
        HOME + "index.html",
    ]
    assert choose_pages(HOME, [], addresses, [], limit=10) == [f"{HOME}a/"]
    assert choose_pages(HOME, [], addresses, [], limit=10, seen=["https://www.example.com/a"]) == []


def test_other_sites_and_what_robots_refuse_are_left_out() -> None:
    links = [
        "https://other.com/a",
        "https://blog.example.com/a",
        "mailto:me@example.com",
        f"{HOME}private/a",
        f"{HOME}a",
    ]
    assert choose_pages(HOME, [], links, [], 10, allowed=lambda url: "/private/" not in url) == [f"{HOME}a"]


def test_the_limit_holds_and_the_choice_is_the_same_each_time() -> None:
    links = [f"{HOME}page-{number}" for number in range(100)]
    chosen = choose_pages(HOME, [], links, links, limit=7)
    assert chosen == links[:7]
    assert chosen == choose_pages(HOME, [], links, links, limit=7)
    assert choose_pages(HOME, [], links, links, limit=0) == []


@pytest.mark.parametrize(
    "path",
    ["a.pdf", "logo.SVG", "app.js", "feed", "feed/", "blog/rss", "news.xml", "a.zip?x=1", "wp-json/v2", "a.tar.gz"],
)
def test_files_feeds_and_interfaces_are_no_pages(path: str) -> None:
    assert not is_page(HOME + path)


@pytest.mark.parametrize("path", ["", "a", "a.html", "a.php?id=1", "feedback", "v1.2/notes", "apiary", "node.js-guide"])
def test_other_paths_are_pages(path: str) -> None:
    assert is_page(HOME + path)


@pytest.mark.parametrize(
    "path", ["guides/how-to-search-faster", "blog/cookie-recipes", "products/cartridges", "terms-explained"]
)
def test_articles_that_only_mention_such_words_are_not_last(path: str) -> None:
    assert choose_pages(HOME, [], [f"{HOME}login", HOME + path], [], 10)[0] == HOME + path
