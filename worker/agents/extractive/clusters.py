"""Clusters of passages that become sections: grouped by heading, rated by relevance, in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker.agents.extractive.material import Material, sentence_key
from worker.agents.text.ranking import pick_diverse, scale
from worker.agents.text.similarity import VectorSpace, cosine, terms
from worker.agents.text.titles import clean_heading

ENOUGH_WORDS = 110
"""A cluster with this many usable words fills a section."""
MAX_MEMBERS = 4
HEADING_WEIGHT = 2


@dataclass(frozen=True)
class Cluster:
    """The material of one section, in source order. `relevance` (0 to 1) is that of its most relevant passage."""

    members: tuple[Material, ...]
    relevance: float
    lead: int = 0
    """The index of the member that the cluster was made around: its heading names the section."""

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
    """Return how much each passage is about the query (0 to 1), by its text, its heading and its page's title."""
    documents = [
        material.terms + terms(f"{material.passage.heading}\n{material.passage.title}", language) * HEADING_WEIGHT
        for material in materials
    ]
    space = VectorSpace(documents)
    wanted = space.vector(terms(query, language) + terms(guidance, language) * 2)
    closeness = scale([cosine(vector, wanted) for vector in space.vectors])
    # Passages come best page first: a small part of the weight decides where words do not.
    count = len(materials)
    return [0.9 * near + 0.1 * (1 - index / count) for index, near in enumerate(closeness)]


def drop_repeats(materials: Sequence[Material], relevance: Sequence[float], needed: int) -> list[int]:
    """Return the indexes of materials of which no two share a sentence; all indexes if those are under `needed`."""
    seen: set[str] = set()
    kept: list[int] = []
    for index in sorted(range(len(materials)), key=lambda i: (-relevance[i], i)):
        keys = {sentence_key(sentence) for sentence in materials[index].sentences}
        if not keys & seen:
            kept.append(index)
            seen |= keys
    return sorted(kept) if len(kept) >= needed else list(range(len(materials)))


def cluster_materials(materials: Sequence[Material], relevance: Sequence[float], count: int) -> list[Cluster]:
    """Sort materials into `count` clusters in reading order; into fewer only if there are fewer materials."""
    clusters = _cluster_by_heading(materials, relevance)
    while len(clusters) < count and any(len(cluster.members) > 1 for cluster in clusters):
        clusters = _split_largest(clusters, dict(zip(map(id, materials), relevance, strict=True)))
    if len(clusters) > count:
        clusters = _merge_into(clusters, count)
    return _order(clusters)


def _cluster_by_heading(materials: Sequence[Material], relevance: Sequence[float]) -> list[Cluster]:
    rows: dict[tuple[str, str, int], list[tuple[Material, float]]] = {}
    sizes: dict[tuple[str, str], int] = {}
    for material, near in zip(materials, relevance, strict=True):
        key = (material.passage.url, material.passage.heading)
        place = sizes.get(key, 0)
        sizes[key] = place + 1
        # A long chapter becomes several clusters: one section cannot hold it all.
        rows.setdefault((*key, place // MAX_MEMBERS), []).append((material, near))
    return [Cluster(tuple(m for m, _ in row), max(near for _, near in row)) for row in rows.values()]


def _split_largest(clusters: Sequence[Cluster], relevance: dict[int, float]) -> list[Cluster]:
    largest = max(range(len(clusters)), key=lambda i: (len(clusters[i].members), clusters[i].word_count, -i))
    members = clusters[largest].members
    half = (len(members) + 1) // 2
    parts = [Cluster(part, max(relevance[id(m)] for m in part)) for part in (members[:half], members[half:])]
    return [*clusters[:largest], *parts, *clusters[largest + 1 :]]


def _merge_into(clusters: Sequence[Cluster], count: int) -> list[Cluster]:
    """Return the `count` best different clusters, the small ones filled with the most similar of the others."""
    vectors = VectorSpace([cluster.terms for cluster in clusters]).vectors
    weights = [cluster.relevance * min(1.0, 0.05 + 0.95 * cluster.word_count / ENOUGH_WORDS) for cluster in clusters]
    seeds = pick_diverse(weights, vectors, count, diversity=0.35, ceiling=1.1)
    merged = {seed: clusters[seed] for seed in seeds}
    left = [index for index in range(len(clusters)) if index not in merged]
    for index in sorted(left, key=lambda i: (-clusters[i].relevance, i)):
        open_seeds = [
            seed for seed in seeds if merged[seed].word_count < ENOUGH_WORDS and len(merged[seed].members) < MAX_MEMBERS
        ]
        best = max(open_seeds, key=lambda seed: (cosine(vectors[seed], vectors[index]), -seed), default=None)
        if best is not None and clusters[index].relevance > 0.2 and cosine(vectors[best], vectors[index]) > 0.2:
            merged[best] = _merge(merged[best], clusters[index])
    return [merged[seed] for seed in seeds]


def _merge(cluster: Cluster, other: Cluster) -> Cluster:
    lead = cluster.members[cluster.lead]
    members = tuple(sorted(cluster.members + other.members, key=lambda member: member.order))
    return Cluster(members, cluster.relevance, members.index(lead))


def _order(clusters: Sequence[Cluster]) -> list[Cluster]:
    """Sort by the page's most relevant cluster, then by place on the page: its author thought about that order."""
    best: dict[str, float] = {}
    for cluster in clusters:
        url = cluster.members[cluster.lead].passage.url
        best[url] = max(best.get(url, 0.0), cluster.relevance)
    pages = sorted(best, key=lambda url: (-best[url], url))
    return sorted(clusters, key=lambda g: (pages.index(g.members[g.lead].passage.url), g.members[g.lead].order))
