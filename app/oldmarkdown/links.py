"""Links in Markdown as far as they are written: whole, impossible, or not there yet."""

from __future__ import annotations

import re

from markdown_it.common.normalize_url import normalizeLink
from markdown_it.common.utils import unescapeAll
from markdown_it.rules_inline.autolink import AUTOLINK_RE

UNDECIDED = -1
"""More text has to come before anybody can tell."""
NONE = 0
"""There is no link here, whatever comes."""

_MOST_NESTED = 32
"""Parentheses in an address that may be open at once; CommonMark asks for three."""
_ANGLE = re.compile(r"<(?:\\.|[^<>\\\n])*")
_TITLES = {
    '"': re.compile(r'"(?:\\.|[^"\\])*', re.DOTALL),
    "'": re.compile(r"'(?:\\.|[^'\\])*", re.DOTALL),
    "(": re.compile(r"\((?:\\.|[^()\\])*", re.DOTALL),
}
_CLOSING = {'"': '"', "'": "'", "(": ")"}
_BRACKETED = re.compile(r"<[^<>\x00-\x20]*")


def is_web_address(url: str) -> bool:
    """Whether text of a model may link there."""
    return url.startswith(("http://", "https://"))


def end_of_target(text: str, start: int, stop: int) -> tuple[int, int]:
    """Where the link ends whose `(` is before `start`, or NONE, or UNDECIDED; and how far the text was looked at."""
    at = _skip_space(text, start, stop)
    if at < stop and text[at] == ")":
        return at + 1, at + 1
    end, seen = _end_of_address(text, at, stop)
    if end <= 0:
        return end, seen
    at = _skip_space(text, end, stop)
    if at < stop and at > end and text[at] in _TITLES:
        match = _TITLES[text[at]].match(text, at, stop)
        closing = match.end() if match else at
        if closing >= stop or (closing + 1 == stop and text[closing] == "\\"):
            return UNDECIDED, stop
        if text[closing] != _CLOSING[text[at]]:
            return NONE, closing + 1
        at = _skip_space(text, closing + 1, stop)
    if at >= stop:
        return UNDECIDED, stop
    return (at + 1 if text[at] == ")" else NONE), at + 1


def end_of_bracketed(text: str, start: int, stop: int) -> int:
    """Where the address in angle brackets ends that begins at `start`, or NONE, or UNDECIDED."""
    match = _BRACKETED.match(text, start, stop)
    end = match.end() if match else start
    if end >= stop:
        return UNDECIDED
    inside = text[start + 1 : end]
    is_link = text[end] == ">" and AUTOLINK_RE.match(inside) and is_web_address(normalizeLink(inside))
    return end + 1 if is_link else NONE


def _end_of_address(text: str, start: int, stop: int) -> tuple[int, int]:
    if start < stop and text[start] == "<":
        match = _ANGLE.match(text, start, stop)
        end = match.end() if match else start
        if end >= stop or (end + 1 == stop and text[end] == "\\"):
            return UNDECIDED, stop
        address = text[start + 1 : end] if text[end] == ">" else ""
        return (end + 1 if _is_allowed(address) else NONE), end + 1
    end = _end_of_bare(text, start, stop)
    if end >= stop:
        return UNDECIDED, stop
    return (end if end > start and _is_allowed(text[start:end]) else NONE), end + 1


def _end_of_bare(text: str, start: int, stop: int) -> int:
    """The end of an address without brackets; its start where its parentheses don't fit."""
    at, level = start, 0
    while at < stop and text[at] > " " and text[at] != "\x7f":
        if text[at] == "\\" and at + 1 < stop:
            if text[at + 1] == " ":
                return start
            at += 1
        elif text[at] == "(":
            level += 1
        elif text[at] == ")":
            level -= 1
        if level < 0 or level > _MOST_NESTED:
            break
        at += 1
    return at if level <= 0 or at >= stop else start


def _is_allowed(address: str) -> bool:
    return is_web_address(normalizeLink(unescapeAll(address)))


def _skip_space(text: str, at: int, stop: int) -> int:
    while at < stop and text[at] in " \t\n":
        at += 1
    return at
