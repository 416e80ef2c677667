"""The charset of a page is found, and its text decoded."""

from __future__ import annotations

import pytest

from worker.crawl.extract import extract_page

URL = "https://alderandspoke.com/guides/winter-commuting.html"
PROSE = "Rims wear out from the inside of the brake track, and a gauge shows it long before the eye does. "


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ("<p>Größe und Maß {}".encode(), "utf-8"),
        ("<p>Größe und Maß {}".encode(), ""),
        ("<p>Größe und Maß {}".encode("cp1252"), "iso-8859-1"),
        ('<meta charset="windows-1252"><p>Größe und Maß {}'.encode("cp1252"), ""),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><html><p>Größe und Maß {}'.encode("latin-1"), ""),
        ('<meta charset="utf-8"><p>Größe und Maß {}'.encode("cp1252"), ""),
        ("<p>Größe und Maß {}".encode("cp1252"), "utf-8"),
        ("<p>Größe und Maß {}".encode(), "no-such-charset"),
        ("<p>Größe und Maß {}".encode(), "base64"),
        ("<p>Größe und Maß {}".encode(), "utf-7"),
        (b"\xef\xbb\xbf" + "<p>Größe und Maß {}".encode(), "iso-8859-1"),
        ("\ufeff<p>Größe und Maß {}".encode("utf-16-le"), ""),
        ('<meta charset="utf-16"><p>Größe und Maß {}'.encode(), ""),
        (
            '<meta http-equiv="content-type" content="text/html; charset=iso-8859-15"><p>Größe und Maß {}'.encode(
                "cp1252"
            ),
            "",
        ),
    ],
)
def test_the_charset_is_found(body: bytes, header: str) -> None:
    filler = "Die Werkstatt hat für alle Räder geöffnet, auch für größere, und prüft jede Bremse gründlich. " * 5
    encoding = "utf-16-le" if body.startswith(b"\xff\xfe") else "utf-8" if "ö".encode() in body else "cp1252"
    html = body.replace("{}".encode(encoding), filler.encode(encoding))
    text = extract_page(html, URL, header).text
    assert text.startswith("Größe und Maß")
    assert "für alle Räder geöffnet" in text


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "rot13", "undefined"])
def test_a_charset_that_no_browser_reads_is_ignored(charset: str) -> None:
    body = f'<meta charset="{charset}"><p>{PROSE * 3}'.encode()
    assert extract_page(body, URL).text == extract_page(body, URL, charset).text == (PROSE * 3).strip()


def test_words_after_the_windows_table_has_a_hole_still_stand() -> None:
    page = extract_page(b"<p>caf\xe9 \x81 " + PROSE.encode() * 3, URL, "windows-1252")
    assert page.text.startswith("café")


@pytest.mark.parametrize("encoding", ["shift_jis", "euc-jp", "gb2312", "big5", "koi8-r"])
def test_declared_charsets_of_other_scripts(encoding: str) -> None:
    words = {"koi8-r": "Мастерская открыта со вторника", "gb2312": "自行车修理", "big5": "自行車修理"}
    text = words.get(encoding, "自転車の修理") * 10
    assert text in extract_page(f"<p>{text}</p>".encode(encoding), URL, encoding).text
