"""A fetched body as a `ReadPage`."""

from __future__ import annotations

import asyncio

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from app.content.values import ReadPage
from worker.crawl.blocks import read_blocks, visible_text
from worker.crawl.charset import decode_page
from worker.crawl.errors import EmptyPage, ScriptOnlyPage
from worker.crawl.metadata import read_description, read_language, read_links, read_site_name, read_title
from worker.crawl.response import FetchResult

_LITTLE_TEXT = 200
_NO_TEXT = 50
_APP_ROOTS = frozenset({"root", "app", "__next", "__nuxt", "___gatsby", "svelte", "main-app", "q-app"})


async def extract_in_thread(fetched: FetchResult) -> ReadPage:
    """Extract a fetched page in a thread: a long one takes a good part of a second."""
    return await asyncio.to_thread(extract_page, fetched.body, fetched.url, fetched.charset)


def extract_page(html: bytes, url: str, charset: str = "") -> ReadPage:
    """Extract title, text, links and the rest from a page's HTML. `charset` is the HTTP header's, or empty.

    Raise `ScriptOnlyPage` when its text only exists after JavaScript has run, `EmptyPage` when it has none.
    """
    tree = _parse(decode_page(html, charset))
    if tree is None:
        raise EmptyPage(url)
    text = visible_text(tree)
    if len(text) < _LITTLE_TEXT and _needs_scripts(tree, text):
        raise ScriptOnlyPage(url)
    blocks = read_blocks(tree)
    if not blocks:
        raise EmptyPage(url)
    site_name = read_site_name(tree)
    title = read_title(tree, url, site_name)
    if len(blocks) > 1 and not blocks[0].heading and blocks[0].text == title:
        blocks = blocks[1:]  # a title that is not marked up as a heading
    return ReadPage(
        url=url,
        title=title,
        description=read_description(tree),
        site_name=site_name,
        language=read_language(tree, " ".join(block.text for block in blocks[:20])),
        blocks=blocks,
        links=read_links(tree, url),
    )


def _parse(text: str) -> HtmlElement | None:
    # As bytes of a known encoding: of a string, the parser would believe the encoding that the page declares.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        return document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _needs_scripts(tree: HtmlElement, text: str) -> bool:
    """Return whether a page with little text has an empty application root, asks to switch JavaScript on, or is scripts
    alone."""
    for element in tree.iter("div", "main", "noscript"):
        inside = " ".join(element.itertext()).lower()
        if element.tag == "noscript" and "javascript" in inside:
            return True
        if (element.get("id") or "").lower() in _APP_ROOTS and len(inside.strip()) < _NO_TEXT:
            return True
    return len(text) < _NO_TEXT and any("json" not in script.get("type", "") for script in tree.iter("script"))
