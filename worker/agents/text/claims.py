"""Numbers, names and superlatives: they make a sentence a claim."""

from __future__ import annotations

import re

from worker.agents.text.similarity import words
from worker.agents.text.stopwords import stopwords

_NUMBER = re.compile(r"(?<![\w.])(?:[$€£]\s?)?(\d+(?:[.,  '’]\d{3})*(?:[.,]\d+)*)")
_SMALL_NUMBERS = """
    two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty
"""
_LARGE_NUMBERS = """
    thirty=30 forty=40 fifty=50 sixty=60 seventy=70 eighty=80 ninety=90 hundred=100 thousand=1000 million=1000000
    billion=1000000000 trillion=1000000000000
"""
_IN_WORDS = {word: str(value) for value, word in enumerate(_SMALL_NUMBERS.split(), start=2)}
_IN_WORDS |= {word: value for word, _, value in (pair.partition("=") for pair in _LARGE_NUMBERS.split())}
_SUPERLATIVE = re.compile(
    r"\b(?:best|fastest|largest|biggest|cheapest|easiest|safest|greatest|smallest|highest|lowest|newest|oldest"
    r"|strongest"
    r"|leading|world[- ]class|award[- ]winning|number one|unrivall?ed|unmatched|unique|guarantee[ds]?|the only"
    r"|the first"
    r"|(?:the|world's) (?:most|least) \w+|perfect|revolutionary|cutting[- ]edge|state[- ]of[- ]the[- ]art)\b",
    re.IGNORECASE,
)
_CAPITALISED = re.compile(r"[^\W\d_]\w*(?:['’]\w+)*")
_SENTENCE_START = re.compile(r"[.!?:“\"(‘'–—]\s*$|^\s*$")


def find_numbers(text: str) -> list[str]:
    """Return the numbers of a text, each once: digits without thousands separators, and English words from two up."""
    found: dict[str, None] = {}
    for match in _NUMBER.finditer(text):
        found[_normalise_number(match.group(1))] = None
    for word in words(text):
        if word.lower() in _IN_WORDS:
            found[_IN_WORDS[word.lower()]] = None
    return list(found)


def _normalise_number(digits: str) -> str:
    joined = (
        re.sub(r"[,.  '’](?=\d{3}(?!\d))", "", digits)
        if re.fullmatch(r"\d{1,3}(?:[,.  '’]\d{3})+", digits)
        else re.sub(r"(?<=\d)[,'’](?=\d{3}(?!\d))", "", digits)
    )
    return joined.replace(",", ".").rstrip(".")


def find_names(sentence: str, language: str = "en") -> list[str]:
    """Return the words written as names, each once: capitalised inside a sentence, or with capitals inside them.

    A sentence's first word counts only when the next word is written as a name too.
    """
    ignored = stopwords(language)
    found: dict[str, None] = {}
    matches = list(_CAPITALISED.finditer(sentence))
    for index, match in enumerate(matches):
        word = match.group()
        opens = _SENTENCE_START.search(sentence[: match.start()]) is not None
        if not word[0].isupper() or len(word) < 2 or word.lower().replace("’", "'") in ignored:
            continue
        inner = any(char.isupper() for char in word[1:])
        if opens and not inner and not _is_followed_by_name(sentence, matches, index, language):
            continue
        found[word] = None
    return list(found)


def _is_followed_by_name(sentence: str, matches: list[re.Match[str]], index: int, language: str) -> bool:
    if index + 1 >= len(matches):
        return False
    this, following = matches[index], matches[index + 1]
    between = sentence[this.end() : following.start()]
    return between == " " and following.group()[0].isupper() and following.group().istitle() and language != "de"


def names_are_marked(text: str) -> bool:
    """Return whether capitals mark names in a text: not where a third of its words have one (German, headlines)."""
    letters = [word for word in words(text) if word[0].isalpha()]
    return sum(word[0].isupper() for word in letters) <= 0.35 * max(len(letters), 1)


def find_superlatives(text: str) -> list[str]:
    """Return the words and phrases that rank or promise: "the fastest", "world-class", "guaranteed"."""
    return [match.group() for match in _SUPERLATIVE.finditer(text)]
