"""Key phrases by TextRank: words that stand near many important words, joined where they stand together.

TextRank: Mihalcea and Tarau, 2004 (aclanthology.org/W04-3252).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import log2

from worker.agents.text.ranking import pagerank, scale
from worker.agents.text.stemming import stem
from worker.agents.text.stopwords import base_language, stopwords

MAX_WORDS = 4
_WINDOW = 3
_TOKEN = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]")
_LENGTH_WEIGHT = {1: 1.0, 2: 1.7, 3: 1.75, 4: 1.5}

# Common English verbs and fillers, which are part of no phrase that names something.
_WEAK = """
    able accept achieve act actually add allow appear apply article ask assume attempt available avoid based began
    begin begun believe big bit bring build call carry case cause change choose clear click com come common complete
    consider contain continue contrast correct corresponding create currently deal decide default define depend
    describe determine develop different difficult discuss document easily easy encounter end ensure entire example
    exist expect explain fact fail fast faster finally find finish fit fix follow frequently full fully gave general
    generally give given go good got great guarantee happen held help hold http https important include increase
    indicate individual intend invoke involve keep kept kind know known large later lead learn leave long look lose
    lost lot made made-up make mean mention modify move much multiple necessary need new normal normally note occur
    offer old omit original page particular perform plain play possible prefer presumably prevent previous prior
    probably provide pull put quickly ran reach read ready recommend refer relate remain remember remove require
    respectively return right run said say section see seem seen select separate set show shown similar simple
    simply single slow slower small sort specific specify start step stop sure take taken tell thing think time
    today total true try turn typical typically understand use used useful uses using usual various via want way
    wish work worry write written wrote www
"""


@dataclass
class _Phrase:
    stems: tuple[str, ...]
    forms: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.forms.total()

    def surface(self) -> str:
        """Return the most frequent form; at a tie one without a capital, as phrases are inside a sentence."""
        return min(self.forms, key=lambda form: (-self.forms[form], form[:1].isupper(), form))


def find_keyphrases(
    sentences: Iterable[str], language: str = "en", limit: int = 10, headings: Sequence[str] = (), min_words: int = 1
) -> list[str]:
    """Return up to `limit` phrases of `min_words` to four words that the sentences are about, best first.

    A phrase must occur twice, or stand in one of the `headings`.
    """
    runs = [run for sentence in sentences for run in _candidate_runs(sentence, language)]
    anchored = {
        tuple(stem(word, language) for word in phrase)
        for heading in headings
        for run in _candidate_runs(heading, language)
        for phrase in _subphrases(run)
    }
    weights = _rank_words(runs, language)
    phrases = [
        p
        for p in _collect(runs, language).values()
        if len(p.stems) >= min_words and (p.count >= 2 or p.stems in anchored)
    ]
    scored = sorted(phrases, key=lambda p: (-_score(p, weights, p.stems in anchored), p.surface()))
    return _drop_overlaps(scored, limit)


def _candidate_runs(sentence: str, language: str) -> list[list[str]]:
    ignored, english = stopwords(language), base_language(language) == "en"
    runs: list[list[str]] = [[]]
    for token in _TOKEN.findall(sentence):
        if _is_candidate(token, ignored, english):
            runs[-1].append(token)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _is_candidate(token: str, ignored: frozenset[str], english: bool) -> bool:
    lowered = token.lower().replace("’", "'")
    if lowered in ignored or not token[0].isalpha() or "_" in token or "'" in lowered:
        return False
    if len(token) < 3 and not (len(token) == 2 and token.isupper()):
        return False
    if not english:
        return True
    return stem(token) not in _weak_stems() and not (lowered.endswith("ly") and len(lowered) > 5)


@cache
def _weak_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in _WEAK.split())


def _subphrases(run: Sequence[str]) -> list[Sequence[str]]:
    return [run[i : i + n] for n in range(1, MAX_WORDS + 1) for i in range(len(run) - n + 1)]


def _rank_words(runs: Sequence[Sequence[str]], language: str) -> dict[str, float]:
    stems = [[stem(word, language) for word in run] for run in runs]
    names = sorted({name for run in stems for name in run})
    index = {name: position for position, name in enumerate(names)}
    graph: list[dict[int, float]] = [defaultdict(float) for _ in names]
    flat = [name for run in stems for name in run]
    for position, name in enumerate(flat):
        for other in flat[position + 1 : position + _WINDOW]:
            if other != name:
                graph[index[name]][index[other]] += 1.0
                graph[index[other]][index[name]] += 1.0
    return dict(zip(names, scale(pagerank(graph, rounds=50, precision=1e-6)), strict=True))


def _collect(runs: Sequence[Sequence[str]], language: str) -> dict[tuple[str, ...], _Phrase]:
    phrases: dict[tuple[str, ...], _Phrase] = {}
    for run in runs:
        for words in _subphrases(run):
            stems = tuple(stem(word, language) for word in words)
            if len(set(stems)) == len(stems):
                phrases.setdefault(stems, _Phrase(stems)).forms[" ".join(words)] += 1
    return phrases


def _score(phrase: _Phrase, weights: dict[str, float], anchored: bool) -> float:
    mean = sum(weights.get(name, 0.0) for name in phrase.stems) / len(phrase.stems)
    return mean * log2(1 + phrase.count) * _LENGTH_WEIGHT[len(phrase.stems)] * (1.5 if anchored else 1.0)


def _drop_overlaps(phrases: Sequence[_Phrase], limit: int) -> list[str]:
    kept: list[_Phrase] = []
    for phrase in phrases:
        own = set(phrase.stems)
        if not any(own <= set(other.stems) or set(other.stems) <= own for other in kept):
            kept.append(phrase)
        if len(kept) == limit:
            break
    return [phrase.surface() for phrase in kept]
