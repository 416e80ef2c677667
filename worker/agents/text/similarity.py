"""Words, terms and sparse TF-IDF vectors, and how near two texts are."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from worker.agents.text.stemming import stem
from worker.agents.text.stopwords import stopwords

Vector = Mapping[str, float]

WORD = re.compile(r"\w+(?:['’]\w+)*")


def words(text: str) -> list[str]:
    """The words of a text as they stand; hyphenated words are two, `snake_case` is one."""
    return WORD.findall(text)


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
