"""Ranking of sentences (LexRank) on sparse vectors, and a choice among them without repetition (MMR).

LexRank: Erkan and Radev, 2004 (jair.org, 10.1613/jair.1523). MMR: Carbonell and Goldstein, 1998.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from worker.agents.text.similarity import Vector, cosine

MAX_RANKED = 400
"""At most so many sentences are compared with each other: the comparison is quadratic."""

Graph = Sequence[Mapping[int, float]]


def lexrank(vectors: Sequence[Vector], threshold: float = 0.1, damping: float = 0.85) -> list[float]:
    """Return how central each sentence is among all of them; scores sum to 1.

    Two sentences are linked when their cosine is above `threshold`. Only the first `MAX_RANKED` are compared; the rest
    get 0. With a `damping` of 1 this is LexRank without its random jumps.
    """
    ranked = vectors[:MAX_RANKED]
    scores = pagerank(_link(ranked, threshold), damping)
    return scores + [0.0] * (len(vectors) - len(ranked))


def _link(vectors: Sequence[Vector], threshold: float) -> list[dict[int, float]]:
    graph: list[dict[int, float]] = [{} for _ in vectors]
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row, vector in enumerate(vectors):
        near: dict[int, float] = defaultdict(float)
        for term, weight in vector.items():
            postings[term].append((row, weight))
            for column, other in postings[term]:
                near[column] += weight * other
        for column, similarity in near.items():
            if similarity > threshold:
                graph[row][column] = graph[column][row] = 1.0
    return graph


def pagerank(graph: Graph, damping: float = 0.85, rounds: int = 200, precision: float = 1e-9) -> list[float]:
    """Return the share of a random walk over weighted links that each node gets; shares sum to 1."""
    count = len(graph)
    if not count:
        return []
    totals = [sum(links.values()) for links in graph]
    shares = [1.0 / count] * count
    for _ in range(rounds):
        flow = [(1.0 - damping) / count] * count
        for node, links in enumerate(graph):
            if totals[node] > 0:
                portion = damping * shares[node] / totals[node]
                for neighbour, weight in links.items():
                    flow[neighbour] += portion * weight
        mass = sum(flow) or 1.0
        flow = [share / mass for share in flow]
        moved = sum(abs(after - before) for after, before in zip(flow, shares, strict=True))
        shares = flow
        if moved < precision:
            break
    return shares


def scale(scores: Sequence[float]) -> list[float]:
    """Return the scores multiplied so that the highest is 1; all 0 when none is above 0."""
    top = max(scores, default=0.0)
    return [score / top if top > 0 else 0.0 for score in scores]


def pick_diverse(
    scores: Sequence[float], vectors: Sequence[Vector], count: int, diversity: float = 0.5, ceiling: float = 0.7
) -> list[int]:
    """Return up to `count` indexes, best first: by score minus `diversity` times the similarity to the picked ones.

    Never pick one whose similarity to a picked one is above `ceiling`. Ties go to the earlier index.
    """
    picked: list[int] = []
    nearest = [0.0] * len(scores)
    open_indexes = set(range(len(scores)))
    while open_indexes and len(picked) < count:
        best = max(open_indexes, key=lambda index: (scores[index] - diversity * nearest[index], -index))
        picked.append(best)
        open_indexes.discard(best)
        for index in list(open_indexes):
            nearest[index] = max(nearest[index], cosine(vectors[best], vectors[index]))
            if nearest[index] > ceiling:
                open_indexes.discard(index)
    return picked
