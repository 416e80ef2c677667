"""Links and images of inline text, found in one pass from left to right, also in text that is still being written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from markdown_it.common.normalize_url import normalizeLink
from markdown_it.helpers import parseLinkDestination, parseLinkTitle

from app.content.citations import CITATION
from app.content.urls import is_web_address

LONGEST_LABEL, LONGEST_TARGET = 400, 1_000
"""Characters between the brackets and between the parentheses of a link: what is longer is text, so that a bracket that
nobody closes does not hold back what follows for long."""

_STOP = re.compile(r"[\\`<\[\]]")
_TICKS = re.compile(r"`+")
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_AUTOLINK = re.compile(r"<([a-zA-Z][a-zA-Z0-9+.-]{1,31}:[^<>\x00-\x20]*)>")
_FIRST = tuple("hH<\\&")
"""With what an address of the web may begin, also as an entity."""
_SPACE = re.compile(r"[ \t\n]*")
_BEGUN_TARGET = re.compile(
    r"""\([ \t\n]*(?: <[^<>\n]*\Z | (?:<[^<>\n]*>|[^\s<]\S*)? (?:\Z | [ \t\n]+
    (?:\Z | "(?:[^"\\]|\\.)*(?:"[ \t\n]*|\\)?\Z | '(?:[^'\\]|\\.)*(?:'[ \t\n]*|\\)?\Z
    | \((?:[^()\\]|\\.)*(?:\)[ \t\n]*|\\)?\Z )))""",
    re.VERBOSE | re.DOTALL,
)
"""The beginning of what follows a link's label, up to the end of the text."""


class Link(NamedTuple):
    """Where the label of a link or an image ends, where the whole ends, and its address."""

    label_end: int
    end: int
    href: str
    is_image: bool


@dataclass(slots=True)
class Links:
    """The links and images of a text by the place of their `[`, and the runs of backticks that begin no code.

    `undecided` is the place from which on nobody can tell yet, of a text that goes on; else its length.
    """

    undecided: int
    found: dict[int, Link] = field(default_factory=dict)
    lone_ticks: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Bracket:
    at: int
    is_image: bool
    is_active: bool = True


def find_links(text: str, is_open: bool) -> Links:
    """Return the links of inline text, as CommonMark pairs brackets: code and addresses bind tighter, and no link
    holds another."""
    # Backticks at the end of a text that goes on may become more: they end no code yet.
    links, brackets = Links(len(text)), list[_Bracket]()
    end_of_code = len(text.rstrip("`") if is_open else text)
    maybe: list[_Bracket] = []
    at = seen = 0
    while stop := _STOP.search(text, at):
        at, char = stop.start(), stop[0]
        match char:
            case "\\":
                at += 2
            case "`":
                code = _CODE.match(text, at, end_of_code)
                at = (code or _TICKS.match(text, at) or stop).end()
                if code is None:
                    # If this is code one day, what closes a bracket after it does not.
                    maybe = maybe if links.lone_ticks else [one for one in brackets if one.is_active]
                    links.lone_ticks.add(stop.start())
            case "<":
                at = _skip_address(text, at, brackets)
            case "[":
                is_image = at > seen and text[at - 1] == "!"
                citation = None if is_image else CITATION.match(text, at)
                if citation is None:
                    brackets.append(_Bracket(at, is_image))
                at = citation.end() if citation else at + 1
            case _:
                at = _close(text, at, brackets, links, is_open)
        seen = at
    if is_open:
        begun = [*(one for one in brackets if one.is_active), *maybe]
        held = (one.at - one.is_image for one in begun if len(text) - one.at <= LONGEST_LABEL)
        links.undecided = min([links.undecided, *held])
    return links


def _skip_address(text: str, at: int, brackets: list[_Bracket]) -> int:
    address = _AUTOLINK.match(text, at)
    if address is None or not is_web_address(address[1]):
        return at + 1
    _deactivate(brackets)
    return address.end()


def _close(text: str, at: int, brackets: list[_Bracket], links: Links, is_open: bool) -> int:
    """Take in a `]`, and return the place from which to read on."""
    opened = brackets.pop() if brackets else None
    if opened is None or not opened.is_active or at - opened.at > LONGEST_LABEL:
        return at + 1
    target = _read_target(text, at + 1)
    if target is not None:
        links.found[opened.at] = Link(at, *target, opened.is_image)
        if not opened.is_image:
            _deactivate(brackets)
        return target[0]
    if is_open and _may_have_target(text, at + 1):
        links.undecided = min(links.undecided, opened.at - opened.is_image)
    return at + 1


def _may_have_target(text: str, at: int) -> bool:
    """Return whether what the text goes on with may make `(address)` of what is after a label."""
    if at == len(text):
        return True
    if len(text) - at > LONGEST_TARGET or not _BEGUN_TARGET.match(text, at):
        return False
    address = parseLinkDestination(text, _skip_space(text, at + 1), len(text))
    return not address.ok or text[address.pos : address.pos + 1] != ")"


def _deactivate(brackets: list[_Bracket]) -> None:
    for bracket in brackets:
        bracket.is_active = bracket.is_image


def _read_target(text: str, at: int) -> tuple[int, str] | None:
    """Return where `(address "title")` ends, and the address; None where there is none, or one nobody may link to."""
    if text[at : at + 1] != "(":
        return None
    stop = min(len(text), at + LONGEST_TARGET)
    at = _skip_space(text, at + 1)
    if text[at : at + 1] not in _FIRST:
        return None
    address = parseLinkDestination(text, at, stop)
    href = normalizeLink(address.str) if address.ok else ""
    if not is_web_address(href):
        return None
    at = start = address.pos
    at = _skip_space(text, at)
    title = parseLinkTitle(text, at, stop)
    if at > start and title.ok:
        at = _skip_space(text, title.pos)
    return (at + 1, href) if at < stop and text[at] == ")" else None


def _skip_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
