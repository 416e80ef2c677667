"""Words, light stems and sparse TF-IDF vectors, and how near two texts are."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from worker.agents.text.stopwords import base_language, stopwords

Vector = Mapping[str, float]

WORD = re.compile(r"\w+(?:['’]\w+)*")
_VOWEL = re.compile(r"[aeiouy]")


def words(text: str) -> list[str]:
    """The words of a text as they stand; hyphenated words are two, `snake_case` is one."""
    return WORD.findall(text)


def stem(word: str, language: str = "en") -> str:
    """A word's light stem, lower-cased: `checkpointing`, `checkpoints` and `checkpoint` share one.

    English inflections are taken off; in other languages only the case is folded.
    """
    stemmed = word.lower().replace("’", "'")
    stemmed = stemmed.removesuffix("'s")
    if base_language(language) != "en" or len(stemmed) < 4 or not stemmed.isalpha():
        return stemmed
    return _strip_inflection(stemmed)


def _strip_inflection(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "ches", "shes", "xes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        root = word[: -len(ending)]
        if word.endswith(ending) and len(root) >= 3 and _VOWEL.search(root):
            word = root[:-1] if root[-1] == root[-2] and root[-1] not in "lsz" else root
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def terms(text: str, language: str = "en") -> list[str]:
    """The stems of a text's content words, in order, function words and single letters left out."""
    ignored = stopwords(language)
    return [
        stem(word, language)
        for word in words(text)
        if word.lower().replace("’", "'") not in ignored and (len(word) > 1 or word.isdigit())
    ]


def document_frequencies(documents: Iterable[Sequence[str]]) -> Counter[str]:
    """In how many of the documents each term occurs."""
    counts: Counter[str] = Counter()
    for document in documents:
        counts.update(set(document))
    return counts


def inverse_frequencies(documents: Sequence[Sequence[str]]) -> dict[str, float]:
    """log(1 + N/n) for every term: always above zero, so that two documents are enough to compare."""
    counts = document_frequencies(documents)
    return {term: math.log(1 + len(documents) / count) for term, count in counts.items()}


def weigh(document: Sequence[str], inverse: Mapping[str, float]) -> dict[str, float]:
    """The document's TF-IDF vector, of length 1; terms that `inverse` doesn't know are left out."""
    weights = {term: count * inverse[term] for term, count in Counter(document).items() if term in inverse}
    norm = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {term: weight / norm for term, weight in weights.items()} if norm > 0 else {}


def cosine(left: Vector, right: Vector) -> float:
    """The cosine of two vectors of length 1."""
    if len(right) < len(left):
        left, right = right, left
    return sum(weight * right[term] for term, weight in left.items() if term in right)
