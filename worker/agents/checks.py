"""The claim check: sentences of a section that their cited passages do not support."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.content.citations import find_citations
from app.content.values import Check, Passage
from worker.agents.citations import refuse_unknown_citations
from worker.agents.text.claims import find_names, find_numbers, find_superlatives, names_are_marked
from worker.agents.text.markdown import unescape
from worker.agents.text.sentences import flatten, split_sentences
from worker.agents.text.similarity import terms, words
from worker.agents.text.stemming import stem

MIN_SHARE = 0.5
"""The share of a sentence's content words that must be in its source too."""

_FENCE = re.compile(r"^(```|~~~).*?(?:^\1[^\n]*|\Z)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s.*$", re.MULTILINE)
_ITEM_MARK = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_EMPHASIS = re.compile(r"(?<!\\)(?:\*\*|__|\*|`|(?<!\w)_|_(?!\w))")
_LINK = re.compile(r"!?(?<!\\)\[([^\]]*)\]\([^)\s]*\)")


@dataclass(frozen=True)
class _Claim:
    sentence: str
    sources: tuple[str, ...]


def check_section(
    markdown: str, passages: Sequence[Passage], language: str, known_names: Collection[str] = ()
) -> list[Check]:
    """Return the sentences of a section that its cited passages do not support, each with the reason.

    A cited sentence needs its numbers, its names and most of its words in the passages it cites (text, heading and
    title). A sentence without a citation has that of the next cited sentence in its paragraph or list; where none
    follows, it is returned if it has a number, a name or a superlative. `known_names` (the company's own) need no
    source. Raise `UnknownSource` for a cited id that no passage has. Takes up to some tens of milliseconds: call it in
    a thread.
    """
    sources = {p.id: f"{p.title}\n{p.heading}\n{p.text}" for p in passages}
    refuse_unknown_citations(markdown, sources)
    known = frozenset(stem(word, language) for name in known_names for word in words(name))
    checks: list[Check] = []
    for claim in _find_claims(markdown, language):
        support = "\n".join(sources[id] for id in claim.sources)
        reason = (
            _check_cited(claim.sentence, support, known, language)
            if claim.sources
            else _check_uncited(claim.sentence, known, language)
        )
        if reason:
            checks.append(Check(sentence=claim.sentence, reason=reason))
    return checks


def _check_cited(sentence: str, support: str, known: frozenset[str], language: str) -> str:
    supported = {stem(word, language) for word in words(support)}
    numbers = [number for number in find_numbers(sentence) if number not in set(find_numbers(support))]
    if numbers:
        return f"the source does not have the number {', '.join(numbers)}"
    if names_are_marked(support):
        names = [name for name in find_names(sentence, language) if not _is_named(name, supported | known, language)]
        if names:
            return f"the source does not name {', '.join(names)}"
    needed = set(terms(sentence, language)) - known
    if len(needed) >= 3 and len(needed & supported) < MIN_SHARE * len(needed):
        return "the source says little of this"
    return ""


def _check_uncited(sentence: str, known: frozenset[str], language: str) -> str:
    numbers = find_numbers(sentence)
    if numbers:
        return f"gives a number ({', '.join(numbers)}) without a source"
    # Every German noun has a capital.
    names = [n for n in find_names(sentence, language) if not _is_named(n, known, language)] if language != "de" else []
    if names:
        return f"names {', '.join(names)} without a source"
    superlatives = find_superlatives(sentence)
    return f"claims “{superlatives[0]}” without a source" if superlatives else ""


def _is_named(name: str, stems: Collection[str], language: str) -> bool:
    return all(stem(word, language) in stems for word in words(name))


def _find_claims(markdown: str, language: str) -> list[_Claim]:
    text = _HEADING.sub("", _FENCE.sub("\n\n", markdown))
    claims: list[_Claim] = []
    for block in re.split(r"\n[ \t]*\n", text):
        claims.extend(_inherit_sources(_claims_of_block(block, language)))
    return claims


def _claims_of_block(block: str, language: str) -> list[_Claim]:
    lines = [line for line in block.splitlines() if line.strip()]
    if not any(_ITEM_MARK.match(line) for line in lines):
        return _claims_of_text(flatten(block), language)
    items: list[str] = []
    for line in lines:
        if _ITEM_MARK.match(line) or not items:
            items.append(_ITEM_MARK.sub("", line))
        else:
            items[-1] += " " + line.strip()
    return [claim for item in items for claim in _claims_of_text(item, language)]


def _claims_of_text(text: str, language: str) -> list[_Claim]:
    """Return the sentences of a text. A citation belongs to the sentence that ends before it or has it inside."""
    plain, marks = _cut_out_citations(text)
    claims: list[_Claim] = []
    position = 0
    for sentence in split_sentences(plain, language):
        start = max(plain.find(sentence, position), position)
        position = start + len(sentence)
        ids = [id for offset, cited in marks if start < offset <= position for id in cited]
        claims.append(_Claim(_to_plain_text(sentence), tuple(dict.fromkeys(ids))))
    return [claim for claim in claims if words(claim.sentence)]


def _cut_out_citations(text: str) -> tuple[str, list[tuple[int, list[str]]]]:
    plain, marks, position = "", [], 0
    for start, end, ids in find_citations(text):
        plain = (plain + text[position:start]).rstrip()
        marks.append((len(plain), ids))
        position = end
    return plain + text[position:], marks


def _to_plain_text(sentence: str) -> str:
    return flatten(unescape(_EMPHASIS.sub("", _LINK.sub(r"\1", sentence))))


def _inherit_sources(claims: Sequence[_Claim]) -> list[_Claim]:
    following: tuple[str, ...] = ()
    inherited: list[_Claim] = []
    for claim in reversed(claims):
        following = claim.sources or following
        inherited.append(_Claim(claim.sentence, following))
    return inherited[::-1]
