"""The outline of a post: sections with subjects of their own, each with passages that no other section has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from app.content.slugs import make_unique_slug
from app.content.values import (
    Outline,
    OutlineSection,
    Passage,
    PostBrief,
    Profile,
)
from worker.agents.extractive.clusters import (
    Cluster,
    cluster_materials,
    drop_repeats,
    rate_relevance,
)
from worker.agents.extractive.headings import HeadingStyle, choose_heading, heading_key
from worker.agents.extractive.material import NotEnoughMaterial, SentenceSpan, list_spans, read_material
from worker.agents.text.keyphrases import find_keyphrases
from worker.agents.text.ranking import lexrank, scale
from worker.agents.text.similarity import VectorSpace, cosine, terms
from worker.agents.text.stopwords import base_language
from worker.agents.text.titles import capitalise, clean_heading, title_case

MIN_SECTIONS = 3
MAX_SUMMARY = 320

_NO_MATERIAL = (
    "The pages read so far say too little about “{topic}” to write {count} sections from ({found} usable passages)."
    " Read more pages, or choose a topic that the site has more text about."
)
_DEFINING = re.compile(
    r"^(?:(?:an?|the)\s)?[\w\s\"“”'’-]{2,50}?\s(?:is|are|means|provides|lets|helps|works by)\b", re.IGNORECASE
)
_SUBORDINATE = re.compile(
    r"^(?:in|once|when|if|while|because|since|after|before|by|with|prior|as|on|for|under)\b", re.IGNORECASE
)
_COMPLETE_TITLES = (
    "how ",
    "why ",
    "what ",
    "when ",
    "who ",
    "where ",
    "a ",
    "an ",
    "the ",
    "getting ",
    "understanding ",
)


def plan_outline(brief: PostBrief, profile: Profile, passages: Sequence[Passage], guidance: str = "") -> Outline:
    """Plan a post. Raise `NotEnoughMaterial` when fewer than three passages have usable prose."""
    language = profile.language
    materials = read_material(passages, language)
    if len(materials) < MIN_SECTIONS:
        raise NotEnoughMaterial(_NO_MATERIAL.format(topic=brief.topic, count=MIN_SECTIONS, found=len(materials)))
    relevance = rate_relevance(materials, brief.topic, guidance, language)
    kept = drop_repeats(materials, relevance, MIN_SECTIONS)
    materials, relevance = [materials[i] for i in kept], [relevance[i] for i in kept]
    clusters = cluster_materials(materials, relevance, min(brief.length.sections, len(materials)))
    return Outline(
        title=make_title(brief.topic, language),
        summary=_choose_summary(clusters, brief.topic, language),
        sections=_name_sections(clusters, brief.topic, HeadingStyle(profile.name, language)),
    )


def make_title(topic: str, language: str) -> str:
    """Return the topic as a title. A bare subject of up to three words becomes "Understanding …" in English."""
    title = title_case(clean_heading(topic) or topic, language)
    bare = len(topic.split()) <= 3 and not topic.lower().startswith(_COMPLETE_TITLES) and ":" not in topic
    if bare and base_language(language) == "en" and not topic.endswith("?"):
        return f"Understanding {title}"
    return title[:200]


def _choose_summary(clusters: Sequence[Cluster], topic: str, language: str) -> str:
    """Return the sentence that says best what the post is about: one that stands alone, short enough for a summary."""
    members = list(chain.from_iterable(cluster.members for cluster in clusters))
    spans = [span for m in members for one in m.spans for span in list_spans(one) if len(span.sentences) == 1]
    spans = [span for span in spans if len(span.text) <= MAX_SUMMARY] or spans
    space = VectorSpace([terms(span.text, language) for span in spans])
    wanted = space.vector(terms(topic, language))
    central = scale(lexrank(space.vectors))
    scores = [
        0.6 * cosine(vector, wanted) + 0.4 * rank + _opening_bonus(span, len(members))
        for span, vector, rank in zip(spans, space.vectors, central, strict=True)
    ]
    best = max(range(len(spans)), key=lambda i: (scores[i], -i), default=None)
    return spans[best].text[:1000] if best is not None else ""


def _opening_bonus(span: SentenceSpan, count: int) -> float:
    """Return how fit a sentence is to be read first: it opens its passage, says what something is, comes early."""
    order, paragraph, sentence = span.position
    bonus = 0.15 if (paragraph, sentence) == (0, 0) else 0.0
    bonus += 0.1 * max(0.0, 1 - order / max(count, 1))
    if _DEFINING.match(span.text):
        bonus += 0.12
    return bonus - (0.12 if _SUBORDINATE.match(span.text) else 0.0)


def _name_sections(clusters: Sequence[Cluster], topic: str, style: HeadingStyle) -> list[OutlineSection]:
    language = style.language
    sections: list[OutlineSection] = []
    used: set[str] = {heading_key(topic, language)}
    for cluster in clusters:
        phrases = _phrases_of(cluster, clusters, language)
        heading = choose_heading(cluster, phrases, used, style)
        used.add(heading_key(heading, language))
        sections.append(
            OutlineSection(
                id=make_unique_slug(heading, {section.id for section in sections}),
                heading=heading,
                points=_choose_points(phrases, heading, language),
                passages=[member.passage.id for member in cluster.members],
            )
        )
    return sections


def _phrases_of(cluster: Cluster, clusters: Sequence[Cluster], language: str) -> list[str]:
    """Return the cluster's key phrases; those that most other clusters lack come first."""
    sentences = [s for member in cluster.members for s in member.sentences]
    headings = [member.passage.heading for member in cluster.members]
    phrases = find_keyphrases(sentences, language, limit=8, headings=headings, min_words=2)
    phrases += [p for p in find_keyphrases(sentences, language, limit=8) if len(p.split()) == 1]
    texts = [set(other.terms) for other in clusters if other is not cluster]

    def shared(phrase: str) -> int:
        needed = set(terms(phrase, language))
        return sum(needed <= text for text in texts)

    return sorted(phrases, key=lambda phrase: (len(phrase.split()) == 1, shared(phrase) > len(texts) / 2))


def _choose_points(phrases: Sequence[str], heading: str, language: str) -> list[str]:
    said = set(terms(heading, language))
    return [capitalise(phrase) for phrase in phrases if not set(terms(phrase, language)) <= said][:3]
