"""Sentence ranking against sumy's LexRank, and the properties of every ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.summarizers.lex_rank import LexRankSummarizer

from tests.worker.agents.reading import read_page
from worker.agents.text.ranking import lexrank, pagerank, pick_diverse
from worker.agents.text.sentences import split_sentences
from worker.agents.text.similarity import cosine, document_frequencies, weigh


class Words:
    """A tokenizer that splits at spaces: that of sumy would download data."""

    def to_words(self, sentence: str) -> tuple[str, ...]:
        return tuple(sentence.split())


def rank_by_sumy(documents: Sequence[Sequence[str]]) -> list[float]:
    sentences = [Sentence(" ".join(words), Words()) for words in documents]
    summarizer = LexRankSummarizer()
    summarizer.epsilon = 1e-9
    rows = [summarizer._to_words_set(sentence) for sentence in sentences]
    tf, idf = summarizer._compute_tf(rows), summarizer._compute_idf(rows)
    scores = summarizer.power_method(summarizer._create_matrix(rows, summarizer.threshold, tf, idf), 1e-9)
    chosen = summarizer(ObjectDocumentModel([Paragraph(sentences)]), 3)
    assert len(chosen) == 3
    return [float(score) for score in scores]


def rank_by_us(documents: Sequence[Sequence[str]]) -> list[float]:
    counts = document_frequencies(documents)
    # sumy's own idf: the classic one with one more document in the denominator.
    inverse = {term: math.log(len(documents) / (1 + count)) for term, count in counts.items()}
    return lexrank([weigh(document, inverse) for document in documents], damping=1.0)


@pytest.mark.parametrize("name", ["solar_battery", "solar_maintenance"])
def test_ranks_sentences_as_sumy_does(name: str) -> None:
    sentences = [s for block in read_page(name).blocks for s in split_sentences(block.text)]
    documents = [sentence.lower().rstrip(".").split() for sentence in sentences]
    ours, theirs = rank_by_us(documents), rank_by_sumy(documents)
    assert ours == pytest.approx([score / sum(theirs) for score in theirs], abs=1e-4)


def test_central_sentence_comes_first() -> None:
    documents = [["wal", "file", "reader"], ["wal", "log"], ["reader", "lock"], ["cheese", "cake"]]
    vectors = [weigh(document, dict.fromkeys(document, 1.0)) for document in documents]
    scores = lexrank(vectors)
    assert scores[0] > max(scores[1:])


def test_sentences_over_the_limit_get_nothing() -> None:
    scores = lexrank([{"same": 1.0}] * 450)
    assert len(scores) == 450
    assert scores[399] > 0 and set(scores[400:]) == {0.0}


def test_picks_nothing_twice() -> None:
    vectors = [{"a": 1.0}, {"a": 1.0}, {"b": 1.0}]
    assert pick_diverse([1.0, 0.9, 0.1], vectors, 3) == [0, 2]


@given(st.lists(st.dictionaries(st.integers(0, 9), st.floats(0.01, 5), max_size=5), min_size=10, max_size=10))
def test_shares_of_a_walk_sum_to_one(graph: list[dict[int, float]]) -> None:
    shares = pagerank(graph)
    assert sum(shares) == pytest.approx(1)
    assert all(share > 0 for share in shares)


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=12))
def test_vectors_are_of_length_one_or_empty(documents: list[list[str]]) -> None:
    inverse = {term: 1.0 + count for term, count in document_frequencies(documents).items()}
    for document in documents:
        vector = weigh(document, inverse)
        assert cosine(vector, vector) == pytest.approx(1 if document else 0)
