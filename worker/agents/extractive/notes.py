"""Notes on one page: the sentences that sum it up, and its key phrases."""

from __future__ import annotations

from app.content.values import PageNotes, Passage, ReadPage
from worker.agents.extractive.material import SentenceSpan, list_spans, read_material
from worker.agents.text.keyphrases import find_keyphrases
from worker.agents.text.ranking import MAX_RANKED, lexrank, scale
from worker.agents.text.sentences import flatten, split_sentences
from worker.agents.text.similarity import VectorSpace, cosine, terms
from worker.agents.text.stopwords import base_language

MAX_PHRASES = 10
MAX_PHRASED = 600
"""How many sentences of a page are searched for key phrases."""


def take_notes(page: ReadPage) -> PageNotes:
    """Sum up a page in up to three of its sentences and up to ten key phrases."""
    language = base_language(page.language)
    sentences = [s for block in page.blocks for s in split_sentences(block.text, language)][:MAX_PHRASED]
    headings = [page.title, *(block.heading for block in page.blocks)]
    phrases = find_keyphrases(sentences, language, limit=MAX_PHRASES, headings=headings)
    return PageNotes(summary=summarise(page, language, 3), key_phrases=phrases)


def summarise(page: ReadPage, language: str, count: int) -> str:
    """Return up to `count` neighbouring sentences that say most of the page; else its description or its start."""
    passages = [
        Passage(id=f"s{number}", url=page.url, title=page.title, heading=block.heading, text=block.text)
        for number, block in enumerate(page.blocks, start=1)
    ]
    longest = [span for material in read_material(passages, language) for span in material.spans]
    spans = [span for one in longest[:MAX_RANKED] for span in list_spans(one) if len(span.sentences) <= count]
    if not spans:
        return flatten(page.description) or " ".join(page.text.split()[:40])
    best = _choose_span(spans, f"{page.title} {page.description}", language)
    return best.text


def _choose_span(spans: list[SentenceSpan], query: str, language: str) -> SentenceSpan:
    sentences = list(dict.fromkeys(s for span in spans for s in span.sentences))[:MAX_RANKED]
    space = VectorSpace([terms(sentence, language) for sentence in sentences])
    wanted = space.vector(terms(query, language))
    near, central = scale([cosine(vector, wanted) for vector in space.vectors]), scale(lexrank(space.vectors))
    # A page says at its start what it is about.
    rank = {sentence: 0.4 * near[i] + 0.4 * central[i] + 0.4 / (1 + i / 4) for i, sentence in enumerate(sentences)}

    def score(span: SentenceSpan) -> float:
        mean = sum(rank.get(s, 0.0) for s in span.sentences) / len(span.sentences)
        return mean * {1: 0.75, 2: 1.0}.get(len(span.sentences), 1.05) - (0.2 if span.word_count > 90 else 0.0)

    return max(spans, key=lambda span: (score(span), tuple(-part for part in span.position)))
