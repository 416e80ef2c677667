"""Words, terms and sparse TF-IDF vectors of texts, and their similarity."""

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
    """Return the words of a text, unchanged; hyphenated words are two, `snake_case` is one."""
    return WORD.findall(text)


def terms(text: str, language: str = "en") -> list[str]:
    """Return the stems of a text's content words in order, without function words and single letters."""
    ignored = stopwords(language)
    return [
        stem(word, language)
        for word in words(text)
        if word.lower().replace("’", "'") not in ignored and (len(word) > 1 or word.isdigit())
    ]


def document_frequencies(documents: Iterable[Sequence[str]]) -> Counter[str]:
    """Return in how many of the documents each term occurs."""
    counts: Counter[str] = Counter()
    for document in documents:
        counts.update(set(document))
    return counts


class VectorSpace:
    """The TF-IDF `vectors` of documents, and those of other texts by the same frequencies.

    A term's inverse frequency is log(1 + N/n): always above zero, so that two documents are enough to compare.
    """

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        counts = document_frequencies(documents)
        self._inverse = {term: math.log(1 + len(documents) / count) for term, count in counts.items()}
        self.vectors = [self.vector(document) for document in documents]

    def vector(self, document: Sequence[str]) -> dict[str, float]:
        """Return the vector of a text's terms, without those that no document has."""
        return weigh(document, self._inverse)


def weigh(document: Sequence[str], inverse: Mapping[str, float]) -> dict[str, float]:
    """Return the document's TF-IDF vector, of length 1, without terms that `inverse` lacks."""
    weights = {term: count * inverse[term] for term, count in Counter(document).items() if term in inverse}
    norm = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {term: weight / norm for term, weight in weights.items()} if norm > 0 else {}


def cosine(left: Vector, right: Vector) -> float:
    """Return the cosine of two vectors of length 1."""
    if len(right) < len(left):
        left, right = right, left
    return sum(weight * right[term] for term, weight in left.items() if term in right)
