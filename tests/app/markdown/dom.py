"""A page's DOM, patched as htmx does, without a browser."""

from __future__ import annotations

import re
from html import unescape

from lxml import etree, html

_PARTIAL = re.compile(r'<hx-partial hx-target="#([\w-]+)" hx-swap="(\w+)">(.*?)</hx-partial>', re.DOTALL)


def parse(text: str) -> html.HtmlElement:
    return html.fragment_fromstring(f"<div>{text}</div>")


def apply(root: html.HtmlElement, message: str) -> None:
    """Change the page as htmx does. A target that is not there would be dropped silently: here it is an error."""
    found = [(root.get_element_by_id(target), swap, body) for target, swap, body in _PARTIAL.findall(message)]
    assert "".join(_PARTIAL.split(message)[::4]) == "", message
    for target, swap, body in found:
        swap_element(target, swap, parse(body))


def canonical(root: html.HtmlElement) -> str:
    return str(etree.tostring(root, encoding="unicode", method="html"))


def shown(text: str) -> str:
    """Return what a person reads, without white space and numbers of sources."""
    text = re.sub(r'<sup class="cite">.*?</sup>', "", text)
    return re.sub(r"\s", "", unescape(re.sub(r"<[^>]*>", "", text)))


def swap_element(target: html.HtmlElement, swap: str, new: html.HtmlElement) -> None:
    """Put what is in `new` where htmx puts it."""
    parent = target.getparent()
    match swap:
        case "beforeend":
            if new.text:
                _append_text(target, new.text)
            target.extend(list(new))
        case "delete":
            parent.remove(target)
        case "outerMorph" | "outerHTML":
            assert len(new) == 1 and not new.text, "an element takes the place of one"
            parent.replace(target, new[0])
        case "beforebegin" | "afterend":
            at = parent.index(target) + (swap == "afterend")
            parent[at:at] = list(new)
        case _:
            raise AssertionError(swap)


def _append_text(target: html.HtmlElement, text: str) -> None:
    if len(target):
        target[-1].tail = (target[-1].tail or "") + text
    else:
        target.text = (target.text or "") + text
