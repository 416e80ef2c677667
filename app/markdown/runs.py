"""Inline text in runs: a run ends where no markup is open, so that nothing that follows can change it.

Markup that is open for longer than `LONGEST` characters is text, in finished texts too: how long one run takes to read,
and how much of a paragraph is read again with each word, has a bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from app.content.citations import Numbers, cited_in
from app.markdown.links import Links, find_links

SHORTEST, LONGEST = 120, 2_000
_TEXT = re.compile(r"[^\n!&*<>\[\\\]_`~]+")
_PAUSE = re.compile(r"(?<=[.,:;!?…] )(?=[^\W_])|(?<=\n)(?=[^\W_])|(?<=[。！？，、；：])(?=[^\W_])")
"""Places after which a run may begin: no mark of emphasis stands at them."""


@dataclass(slots=True)
class Part:
    """The tokens of a run; and its HTML, if that was drawn before."""

    tokens: list[Token]
    html: str | None = None


class Run(NamedTuple):
    """Part of an inline text, from the character `start` on."""

    start: int
    part: Part


def read_runs(md: MarkdownIt, text: str, numbers: Numbers, is_open: bool = False) -> Iterator[Run]:
    """Read inline text. `is_open` says that it goes on: then nothing half-written is in the last run."""
    start = 0
    while len(text) - start > LONGEST:
        window = text[start : start + LONGEST]
        end, runs = _read_window(md, window, cited_in(window, numbers))
        yield from (Run(start + at, part) for at, part in runs)
        start += end
    *whole, rest = _split(_read(md, text[start:], numbers, is_open), start)
    yield from whole
    yield Run(rest.start, Part(_without_space(rest.part.tokens))) if is_open else rest


@lru_cache(maxsize=256)
def _read_window(md: MarkdownIt, window: str, numbers: tuple[tuple[str, int], ...]) -> tuple[int, list[Run]]:
    """Read the beginning of a text that goes on for long: as many runs as end in it, and where they do."""
    *whole, rest = _split(_read(md, window, dict(numbers), True), 0)
    if whole:
        return rest.start, whole
    end = window.rfind(" ") + 1 or LONGEST
    tokens = _read(md, window[:end], dict(numbers), False)
    return end, [Run(0, Part([token for token in tokens if token.type != "pause"]))]


def _read(md: MarkdownIt, text: str, numbers: Numbers, is_open: bool) -> list[Token]:
    env = {"numbers": numbers, "open": is_open, "links": find_links(text, is_open)}
    tokens: list[Token] = []
    md.inline.parse(text, md, env, tokens)
    for token in tokens:
        if token.type == "text_special":  # escaped signs and entities: text from here on
            token.type = "text"
    return tokens


def _without_space(tokens: list[Token]) -> list[Token]:
    """Return the tokens without the space and the ends of lines before what is held back."""
    while tokens and tokens[-1].type in ("softbreak", "hardbreak"):
        tokens = tokens[:-1]
    if tokens and tokens[-1].type == "text":
        tokens[-1].content = tokens[-1].content.rstrip(" ")
    return tokens


def _split(tokens: list[Token], start: int) -> list[Run]:
    """Return the runs of a text that begins at `start`: each as short as it may be, but not shorter than `SHORTEST`."""
    runs = [Run(start, Part([]))]
    for token in tokens:
        if token.type != "pause":
            runs[-1].part.tokens.append(token)
        elif token.meta.get("is_end") and not token.level and start + token.meta["at"] - runs[-1].start >= SHORTEST:
            runs.append(Run(start + token.meta["at"], Part([])))
    return runs


def read_text(state: StateInline, silent: bool) -> bool:
    """Take in text up to the next character that may be markup, with a `pause` token where a run may end."""
    text = _TEXT.match(state.src, state.pos, state.posMax)
    if text is None:
        return False
    if not silent:
        at = state.pos
        for pause in _PAUSE.finditer(state.src, at, text.end()):
            state.append_pending(state.src[at : pause.start()])
            at = pause.start()
            state.push("pause", "", 0).meta = {"at": at, "delimiters": len(state.delimiters)}
        state.append_pending(state.src[at : text.end()])
    state.pos = text.end()
    return True


def find_ends(state: StateInline) -> None:
    """Mark the pauses before which no emphasis and no code is left open."""
    links: Links = state.env["links"]
    lone = min(links.lone_ticks, default=len(state.src))
    opened = (at for at, one in enumerate(state.delimiters) if one.open and one.end < 0)
    first = next(opened, len(state.delimiters))
    for token in state.tokens:
        if token.type == "pause":
            token.meta["is_end"] = token.meta["delimiters"] <= first and token.meta["at"] <= lone
