"""A page's title, text, links and language are extracted; pages without text are refused."""

from __future__ import annotations

import pytest

from app.content.values import ReadPage
from tests.sites.server import PAGES
from worker.crawl.errors import EmptyPage, ScriptOnlyPage
from worker.crawl.extract import extract_page

URL = "https://alderandspoke.com/guides/winter-commuting.html"
PROSE = "Rims wear out from the inside of the brake track, and a gauge shows it long before the eye does. "


def read(html: str, url: str = URL) -> ReadPage:
    return extract_page(html.encode(), url)


def test_a_guide_is_read_with_its_headings_and_without_its_menus() -> None:
    page = extract_page((PAGES / "guides" / "winter-commuting.html").read_bytes(), URL)
    assert page.title == "Keeping a commuter bike alive through winter"
    assert page.site_name == "Alder & Spoke"
    assert page.language == "en"
    assert page.description.startswith("Salt, water and darkness")
    headings = [block.heading for block in page.blocks]
    assert headings[1:] == [
        "Rinse before you oil",
        "Brakes wear faster than you think",
        "Tyres and lights",
        "When to come in",
    ]
    assert "watering can" in page.blocks[1].text
    assert page.blocks[1].text.count("\n\n") == 1
    assert "Tannery Yard" not in page.text
    assert "Pricing" not in page.text


def test_a_home_page_of_small_cards_keeps_their_text() -> None:
    page = extract_page((PAGES / "index.html").read_bytes(), "https://alderandspoke.com/")
    assert page.title == "Alder & Spoke – the bicycle workshop in Hexley"
    for words in ("service, repair and build bikes", "safety check to a full strip-down", "more than four thousand"):
        assert words in page.text


def test_prices_in_a_table_stay_beside_their_names() -> None:
    page = extract_page((PAGES / "pricing.html").read_bytes(), "https://alderandspoke.com/pricing.html")
    assert "Safety check | £35 | 40 minutes" in page.text


def test_links_are_absolute_same_site_and_once_in_document_order() -> None:
    page = read(
        f"""<html lang=en><head><base href="/guides/"><title>x</title></head><body>
        <a href="tubeless.html#top"><img src="a.png" alt=""></a> <a href="tubeless.html?utm_source=x">Tubeless</a>
        <a href="//www.alderandspoke.com/about.html"> About  <b>us</b></a> <a href="https://elsewhere.com/">out</a>
        <a href="mailto:a@b.c">mail</a> <a href="javascript:void(0)">js</a> <a href="#here">here</a>
        <a href="http://[">broken</a> <a href="{URL}#comments">self</a> <a href="/">Home</a>
        <p>{PROSE * 5}</p></body></html>"""
    )
    assert [(link.url, link.text) for link in page.links] == [
        ("https://alderandspoke.com/guides/tubeless.html", "Tubeless"),
        ("https://www.alderandspoke.com/about.html", "About us"),
        ("https://alderandspoke.com/", "Home"),
    ]


@pytest.mark.parametrize(
    ("head", "heading", "title"),
    [
        ("<title>Pricing | Alder &amp; Spoke</title>", "", "Pricing"),
        ("<title>Alder and Spoke - Pricing</title>", "", "Pricing"),
        ("<title>Wheels – built by hand – Alder &amp; Spoke</title>", "", "Wheels – built by hand"),
        ("<title>Our prices · The Yard</title>", "Our prices", "Our prices"),
        ("<title>Rims - and what wears them</title>", "Wear", "Rims - and what wears them"),
        ("<title>Step-by-step wheels</title>", "", "Step-by-step wheels"),
        ('<meta property="og:title" content="Shared title">', "Heading", "Shared title"),
        ("", "Only a heading", "Only a heading"),
        ("", "", "Winter commuting"),
        ("<title> \n </title>", "", "Winter commuting"),
        ("<title>Alder &amp; Spoke</title>", "", "Alder & Spoke"),
    ],
)
def test_a_title_is_the_page_s_own(head: str, heading: str, title: str) -> None:
    headline = f"<h1>{heading}</h1>" if heading else ""
    page = read(f"<html lang=en><head>{head}</head><body>{headline}<p>{PROSE * 4}</p></body></html>")
    assert page.title == title


@pytest.mark.parametrize(
    ("tag", "text", "language"),
    [
        ('<html lang="de-AT">', PROSE, "de"),
        (
            '<html lang="">',
            "Die Werkstatt hat von Dienstag bis Samstag geöffnet, und wir reparieren alle Räder. ",
            "de",
        ),
        ("<html>", "L'atelier est ouvert du mardi au samedi et nous réparons tous les vélos de la région. ", "fr"),
        ("<html>", PROSE, "en"),
        ("<html lang='{{ lang }}'>", PROSE, "en"),
    ],
)
def test_the_language_is_declared_or_recognised(tag: str, text: str, language: str) -> None:
    assert read(f"{tag}<body><p>{text * 4}</p></body></html>").language == language


@pytest.mark.parametrize(
    "html",
    [
        (PAGES / "bookings" / "index.html").read_text(),
        '<body><div id="app"></div><script src="/main.js"></script></body>',
        "<body><script>render()</script></body>",
        '<body><nav><a href="/a">A</a></nav><div id="__next">Loading…</div><script src=x></script></body>',
    ],
)
def test_a_javascript_shell_is_told_from_a_page(html: str) -> None:
    with pytest.raises(ScriptOnlyPage, match="JavaScript"):
        read(html)


@pytest.mark.parametrize(
    "html", ["", "   ", "<html></html>", "<!-- nothing -->", "<body><img src=x></body>", "\x00\x01"]
)
def test_a_page_without_text_is_refused(html: str) -> None:
    with pytest.raises(EmptyPage):
        read(html)


def test_a_short_page_without_scripts_is_a_page() -> None:
    assert read("<title>Closed</title><p>We are closed in August.").text == "We are closed in August."


def test_code_keeps_its_lines() -> None:
    page = read(f"<h1>Use</h1><p>{PROSE * 4}</p><pre>select *\n\n  from bikes;</pre><p>{PROSE * 4}</p>")
    assert "\n\n    select *\n      from bikes;\n\n" in page.text


def test_text_that_is_hidden_is_not_read() -> None:
    page = read(
        f"<p>{PROSE * 5}</p><p hidden>secret one</p><p style='display: none'>secret two</p>"
        "<template>secret three</template><noscript>secret four</noscript><!-- secret five -->"
    )
    assert "secret" not in page.text


def test_control_characters_never_get_through() -> None:
    page = read(f"<title>A\x00B\x07</title><p>{PROSE * 3}\x00\x1b[31m&#0;&#7;&#x9b;{PROSE}</p>")
    kept = page.title + page.text
    assert not [char for char in kept if (ord(char) < 32 and char not in "\n\t") or 127 <= ord(char) < 160]


def test_a_page_may_be_nested_deeply_but_not_without_end() -> None:
    page = read("<div>" * 200 + f"<p>{PROSE * 5}</p>" + "</div>" * 200)
    assert "brake track" in page.text
    with pytest.raises(EmptyPage):
        read("<div>" * 200_000 + f"<p>{PROSE * 5}</p>")


def test_documentation_keeps_numbered_headings_under_their_text() -> None:
    page = read(
        f"""<html><head><title>Date And Time Functions</title></head><body>
        <div class=nosearch><div class="menu"><ul><li><a href="index.html">Home</a><li><a href="about.html">About</a>
        <li><a href="docs.html">Documentation</a></ul></div></div><div class=fancy><div class="title">Date And Time
        Functions</div><div class="fancy_toc"><a href="#a">1. Overview</a> <a href="#b">2. Time Values</a></div>
        <h1 id="a"><span>1. </span>Overview</h1><p>{PROSE * 4}
        <h2 id="b"><span>1.1. </span>Time Values</h2><p>{PROSE * 4}
        <ol><li>YYYY-MM-DD stands for a day in the calendar<li>now stands for the current moment in time</ol>
        </div></body></html>"""
    )
    assert page.title == "Date And Time Functions"
    assert [block.heading for block in page.blocks] == ["1. Overview", "1.1. Time Values"]
    assert "YYYY-MM-DD stands for" in page.blocks[1].text
    assert "Documentation" not in page.text
