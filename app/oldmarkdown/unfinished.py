"""Inline Markdown read from left to right, in runs that are certain, up to an open end that shows nothing half-written.

A run ends where whatever may come changes nothing before it: no emphasis, code or link is open there. So runs can be
rendered, sent and kept one by one, and where they end depends on the text before that place and on the character after
it. A text whose markup stays open for `LONGEST` characters is cut there all the same: what one run costs is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.content.citations import CITATION
from app.oldmarkdown.emphasis import (
    MARKS,
    Open,
    after_marks,
    closing_marks,
)
from app.oldmarkdown.links import (
    NONE,
    UNDECIDED,
    end_of_bracketed,
    end_of_target,
)

SHORTEST, LONGEST = 120, 2_000
"""Characters of a run that is not the last."""
_CUTS = 3
"""How often markup may stay open for too long; what follows then is plain text."""

_PLAIN = re.compile(r"[^\\`*_~\[\]<&!\s]+")
_TICKS = re.compile(r"`+")
_REFERENCE = re.compile(r"&#?\w{0,31}")
_ESCAPABLE = re.compile(r"\\[!-/:-@\[-`{-~]")


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a text: where it starts, and how much of the text has to be there for that to be known: up to a
    character that is no space, as those at the end of a text do not count.

    `settled` is what can be shown of it when it is the last one and the text goes on. A `plain` one has no markup.
    """

    start: int
    known: int
    text: str
    settled: str
    plain: bool = False


def read_runs(text: str) -> Iterator[Run]:
    """The runs of the text of one paragraph, heading or cell. Together they are the text."""
    start = known = cuts = 0
    while cuts < _CUTS:
        scan = _Scan(text, start)
        scan.read()
        yield Run(start, known, text[start : scan.end], scan.settled())
        if scan.end >= len(text):
            return
        start, known, cuts = scan.end, max(known, _to_solid(text, scan.known)), cuts + scan.is_forced
    for at in range(start, len(text), LONGEST):
        piece = text[at : at + LONGEST]
        yield Run(at, max(known, _to_solid(text, at + 1)), piece, piece.rstrip(), plain=True)


def _to_solid(text: str, length: int) -> int:
    """The least length from this one on at which the text ends in no space."""
    while length < len(text) and text[length - 1].isspace():
        length += 1
    return length


def settle(text: str) -> str:
    """An open text as it can be shown now: what is half-written is closed, or held back."""
    return "".join(run.settled if run.start + len(run.text) == len(text) else run.text for run in read_runs(text))


@dataclass(slots=True)
class _Bracket:
    """A `[` or `![` that has no end yet, and how things stood before it."""

    is_image: bool
    opened: Open
    solid: int
    active: bool = True


@dataclass(slots=True)
class _Scan:
    """Reads one run. `solid` is the end of what is certain to show; spaces and marks behind it are not yet."""

    text: str
    start: int
    at: int = 0
    solid: int = 0
    stop: int = 0
    end: int = 0
    known: int = 0
    is_forced: bool = False
    opened: Open = ()
    brackets: list[_Bracket] = field(default_factory=list)
    code: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.at = self.solid = self.start
        self.stop = self.end = min(len(self.text), self.start + LONGEST)

    def read(self) -> None:
        while self.at < self.stop and self._step():
            if self._is_safe():
                self.end, self.known = self.at, max(self.known, self.at + 1)
                return
        if self.stop < len(self.text):
            space = self.text.rfind(" ", self.start + SHORTEST, self.stop)
            self.end = space + 1 if space >= 0 else self.stop
            self.known, self.is_forced = self.stop + 1, True

    def settled(self) -> str:
        held = next((bracket for bracket in self.brackets if bracket.active or bracket.is_image), None)
        if held is None and self.code is not None:
            begin, end = self.code
            content = self.text[end : self.stop].rstrip("`").rstrip()
            if content:
                ticks = self.text[begin:end]
                return self.text[self.start : end] + content + ticks + closing_marks(self.opened, end)
        solid, opened = (held.solid, held.opened) if held else (self.solid, self.opened)
        return self.text[self.start : solid] + closing_marks(opened, solid)

    def _is_safe(self) -> bool:
        """Whether a run can end here: after a space, before what is no space, and with nothing open."""
        at, text = self.at, self.text
        if at - self.start < SHORTEST or at >= self.stop or text[at - 1] != " " or self.opened:
            return False
        # A citation takes away the space before it.
        return text[at] not in " \t\n[!" and not any(one.active or one.is_image for one in self.brackets)

    def _step(self) -> bool:
        """Read on; False where more text has to come first."""
        if match := _PLAIN.match(self.text, self.at, self.stop):
            return self._take(match.end())
        char = self.text[self.at]
        if char.isspace():
            self.at += 1
            return True
        if char in MARKS:
            return self._read_marks(char)
        return _READERS[char](self)

    def _take(self, end: int) -> bool:
        self.at = self.solid = end
        return True

    def _read_marks(self, mark: str) -> bool:
        end = self.at
        while end < self.stop and self.text[end] == mark:
            end += 1
        if end >= self.stop:
            return False
        before, self.opened = self.opened, after_marks(self.text, self.at, end, self.opened)
        self.at = end
        if len(self.opened) <= len(before):
            self.solid = end
        return True

    def _read_escape(self) -> bool:
        if self.at + 1 >= self.stop:
            return False
        if self.text[self.at + 1] == "\n":  # a break, which shows only when something follows it
            self.at += 1
            return True
        return self._take(self.at + (2 if _ESCAPABLE.match(self.text, self.at, self.stop) else 1))

    def _read_code(self) -> bool:
        match = _TICKS.match(self.text, self.at, self.stop)
        begin, end = self.at, match.end() if match else self.at + 1
        for closing in _TICKS.finditer(self.text, end, self.stop):
            if closing.end() - closing.start() == end - begin:
                return self._take(closing.end())
        self.code = begin, end
        return False

    def _read_reference(self) -> bool:
        match = _REFERENCE.match(self.text, self.at, self.stop)
        if match is None or match.end() >= self.stop:
            return False
        return self._take(self.at + 1)

    def _read_angle(self) -> bool:
        end = end_of_bracketed(self.text, self.at, self.stop)
        return end != UNDECIDED and self._take(end or self.at + 1)

    def _read_bang(self) -> bool:
        if self.at + 1 >= self.stop:
            return False
        if self.text[self.at + 1] != "[":
            return self._take(self.at + 1)
        return self._open_bracket(is_image=True)

    def _open_bracket(self, is_image: bool = False) -> bool:
        if not is_image and (match := CITATION.match(self.text, self.at, self.stop)):
            self._end_outer_links()
            return self._take(match.end())
        self.brackets.append(_Bracket(is_image, self.opened, self.solid))
        self.at += 2 if is_image else 1
        return True

    def _close_bracket(self) -> bool:
        bracket = self.brackets[-1] if self.brackets else None
        if bracket is not None and (bracket.active or bracket.is_image):
            if self.at + 1 >= self.stop:
                return False
            if self.text[self.at + 1] == "(":
                end, seen = end_of_target(self.text, self.at + 2, self.stop)
                self.known = max(self.known, seen)
                if end == UNDECIDED:
                    return False
                if end != NONE:
                    return self._end_link(bracket, end)
        if self.brackets:
            self.brackets.pop()
        return self._take(self.at + 1)

    def _end_link(self, bracket: _Bracket, end: int) -> bool:
        self.brackets.pop()
        self.opened = bracket.opened
        if not bracket.is_image:
            self._end_outer_links()
        return self._take(end)

    def _end_outer_links(self) -> None:
        """A link holds no other: what is open around one that is there will not become one."""
        for bracket in reversed(self.brackets):
            if not bracket.is_image:
                if not bracket.active:
                    return
                bracket.active = False


_READERS = {
    "\\": _Scan._read_escape,
    "`": _Scan._read_code,
    "&": _Scan._read_reference,
    "<": _Scan._read_angle,
    "!": _Scan._read_bang,
    "[": _Scan._open_bracket,
    "]": _Scan._close_bracket,
}
