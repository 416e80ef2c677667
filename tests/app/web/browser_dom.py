"""A page's DOM, patched as htmx does, without a browser."""

from __future__ import annotations

import re
from copy import deepcopy
from html import unescape

from lxml import etree, html

from app.contract.run import Run
from app.web.fragments.context import PageContext
from app.web.views import PageView, build_page_fragments

_PARTIAL = re.compile(r'<hx-partial hx-target="#([\w-]+)" hx-swap="(\w+)">(.*?)</hx-partial>', re.DOTALL)


def page(kind: str, run: Run) -> html.HtmlElement:
    """Return the live element as a page renders it."""
    inner = "".join(fragment.render() for fragment in build_page_fragments(kind, run, PageContext()))
    return html.fragment_fromstring(inner, create_parent="div")


def patched(kind: str, before: html.HtmlElement, run: Run, after: str) -> html.HtmlElement:
    """Return the page `before`, rendered at the cursor `after`, with the patches up to the run's cursor."""
    root = deepcopy(before)
    apply_patches(root, PageView(kind).patches(run, after))
    return root


def apply_patches(root: html.HtmlElement, message: str) -> None:
    """Change the page as htmx does on a message of the stream."""
    found = [(_by_id(root, unescape(target)), swap, body) for target, swap, body in _PARTIAL.findall(message)]
    for target, swap, body in found:
        if target is not None and target.getparent() is not None:
            _swap(target, swap, body)


def canonical(root: html.HtmlElement) -> str:
    """Return the HTML, without white space between elements and without the times that a script counts up."""
    root = deepcopy(root)
    for time in root.iter("time"):
        if "data-since" in time.attrib:
            time.text = None
    text = etree.tostring(root, encoding="unicode", method="html")
    return re.sub(r"\s+", " ", re.sub(r"\s*(<[^>]*>)\s*", r"\1", text)).strip()


def _by_id(root: html.HtmlElement, element_id: str) -> html.HtmlElement | None:
    return next((element for element in root.iter() if element.get("id") == element_id), None)


def _swap(target: html.HtmlElement, swap: str, body: str) -> None:
    new = html.fragment_fromstring(body, create_parent="div")
    parent = target.getparent()
    index = parent.index(target)
    at = index + 1 if swap == "afterend" else index
    target.tail = None
    for offset, element in enumerate(list(new)):
        element.tail = None
        parent.insert(at + offset, element)
    if swap == "outerMorph":
        parent.remove(target)
