"""Passages sorted into sections: what belongs together, how near it is to the topic, and in which order it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker.agents.extractive.material import Material, sentence_key
from worker.agents.text.ranking import pick_diverse, scale
from worker.agents.text.similarity import cosine, inverse_frequencies, terms, weigh
from worker.agents.text.titles import clean_heading

ENOUGH_WORDS = 110
"""A group with this many usable words fills a section."""
MAX_GROUP = 4
HEADING_WEIGHT = 2


@dataclass(frozen=True)
class Cluster:
    """The material of one section, in source order; `relevance` is the best of its passages' (0 to 1)."""

    members: tuple[Material, ...]
    relevance: float
    lead: int = 0
    """Which member the group was made around: its heading names the section."""

    @property
    def heading(self) -> str:
        return clean_heading(self.members[self.lead].passage.heading)

    @property
    def word_count(self) -> int:
        return sum(member.word_count for member in self.members)

    @property
    def terms(self) -> list[str]:
        return [term for member in self.members for term in member.terms]


def rate_relevance(materials: Sequence[Material], query: str, guidance: str, language: str) -> list[float]:
    """How much each passage is about the query, 0 to 1: its text, its heading, and its page's title count."""
    documents = [
        material.terms + terms(f"{material.passage.heading}\n{material.passage.title}", language) * HEADING_WEIGHT
        for material in materials
    ]
    inverse = inverse_frequencies(documents)
    wanted = weigh(terms(query, language) + terms(guidance, language) * 2, inverse)
    closeness = scale([cosine(weigh(document, inverse), wanted) for document in documents])
    # Passages come best page first; a small part of the weight keeps that where words do not tell.
    count = len(materials)
    return [0.9 * near + 0.1 * (1 - index / count) for index, near in enumerate(closeness)]


def drop_repeats(materials: Sequence[Material], relevance: Sequence[float], needed: int) -> list[int]:
    """The indexes of the materials to keep so that no sentence stands in two of them; all, if fewer than `needed`."""
    seen: set[str] = set()
    kept: list[int] = []
    for index in sorted(range(len(materials)), key=lambda i: (-relevance[i], i)):
        keys = {sentence_key(sentence) for sentence in materials[index].sentences}
        if not keys & seen:
            kept.append(index)
            seen |= keys
    return sorted(kept) if len(kept) >= needed else list(range(len(materials)))


def cluster_materials(materials: Sequence[Material], relevance: Sequence[float], count: int) -> list[Cluster]:
    """`count` groups (fewer only when there are fewer materials), no material in two, in reading order."""
    groups = _group_by_heading(materials, relevance)
    while len(groups) < count and any(len(group.members) > 1 for group in groups):
        groups = _split_largest(groups, dict(zip(map(id, materials), relevance, strict=True)))
    if len(groups) > count:
        groups = _merge_into(groups, count)
    return _order(groups)


def _group_by_heading(materials: Sequence[Material], relevance: Sequence[float]) -> list[Cluster]:
    rows: dict[tuple[str, str, int], list[tuple[Material, float]]] = {}
    sizes: dict[tuple[str, str], int] = {}
    for material, near in zip(materials, relevance, strict=True):
        key = (material.passage.url, material.passage.heading)
        place = sizes.get(key, 0)
        sizes[key] = place + 1
        # A long chapter is several groups: one section cannot hold it all.
        rows.setdefault((*key, place // MAX_GROUP), []).append((material, near))
    return [Cluster(tuple(m for m, _ in row), max(near for _, near in row)) for row in rows.values()]


def _split_largest(groups: Sequence[Cluster], relevance: dict[int, float]) -> list[Cluster]:
    largest = max(range(len(groups)), key=lambda i: (len(groups[i].members), groups[i].word_count, -i))
    members = groups[largest].members
    half = (len(members) + 1) // 2
    parts = [Cluster(part, max(relevance[id(m)] for m in part)) for part in (members[:half], members[half:])]
    return [*groups[:largest], *parts, *groups[largest + 1 :]]


def _merge_into(groups: Sequence[Cluster], count: int) -> list[Cluster]:
    """The `count` best different groups; a thin one takes in the nearest of the others until it can fill a section."""
    inverse = inverse_frequencies([group.terms for group in groups])
    vectors = [weigh(group.terms, inverse) for group in groups]
    weights = [group.relevance * min(1.0, 0.05 + 0.95 * group.word_count / ENOUGH_WORDS) for group in groups]
    seeds = pick_diverse(weights, vectors, count, diversity=0.35, ceiling=1.1)
    merged = {seed: groups[seed] for seed in seeds}
    left = [index for index in range(len(groups)) if index not in merged]
    for index in sorted(left, key=lambda i: (-groups[i].relevance, i)):
        open_seeds = [
            seed for seed in seeds if merged[seed].word_count < ENOUGH_WORDS and len(merged[seed].members) < MAX_GROUP
        ]
        best = max(open_seeds, key=lambda seed: (cosine(vectors[seed], vectors[index]), -seed), default=None)
        if best is not None and groups[index].relevance > 0.2 and cosine(vectors[best], vectors[index]) > 0.2:
            merged[best] = _merge(merged[best], groups[index])
    return [merged[seed] for seed in seeds]


def _merge(group: Cluster, other: Cluster) -> Cluster:
    lead = group.members[group.lead]
    members = tuple(sorted(group.members + other.members, key=lambda member: member.order))
    return Cluster(members, group.relevance, members.index(lead))


def _order(groups: Sequence[Cluster]) -> list[Cluster]:
    """Pages by their best group, then the order on the page: a page's own order is the one that was thought about."""
    best: dict[str, float] = {}
    for group in groups:
        url = group.members[group.lead].passage.url
        best[url] = max(best.get(url, 0.0), group.relevance)
    pages = sorted(best, key=lambda url: (-best[url], url))
    return sorted(groups, key=lambda g: (pages.index(g.members[g.lead].passage.url), g.members[g.lead].order))
