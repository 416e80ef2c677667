"""Replies of the tests' model server: made from the material in our prompts, the same for the same prompt."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape

_BLOCK = re.compile(r'<data kind="(\w+)"([^>]*)>\n(.*?)\n</data>', re.DOTALL)
_ATTRIBUTE = re.compile(r' (\w+)="([^"]*)"')
_SENTENCE = re.compile(r"[^.!?\n]+[.!?](?=\s|$)")


@dataclass(frozen=True)
class Block:
    kind: str
    attributes: dict[str, str]
    text: str

    @property
    def title(self) -> str:
        return self.attributes.get("title", "")

    def sentences(self, most: int) -> list[str]:
        """Return the first whole sentences of 5 to 60 words."""
        found = (" ".join(match.split()) for match in _SENTENCE.findall(self.text))
        return [sentence for sentence in found if 5 <= len(sentence.split()) <= 60][:most]


def find_kind(prompt: str) -> str:
    """Return the task that a prompt names in its first line; empty if it names none."""
    first, _, _ = prompt.partition("\n")
    return first.removeprefix("Task: ").strip() if first.startswith("Task: ") else ""


def write_reply(prompt: str) -> str:
    """Return the reply to a prompt."""
    blocks = [
        Block(kind, {name: unescape(value) for name, value in _ATTRIBUTE.findall(named)}, unescape(text))
        for kind, named, text in _BLOCK.findall(prompt)
    ]
    match find_kind(prompt):
        case "profile-site":
            return json.dumps(_profile(blocks))
        case "take-notes":
            return json.dumps(_notes(_first(blocks, "page")))
        case "suggest-topics":
            return json.dumps({"topics": [_topic(block) for block in blocks if block.kind == "page"][:6]})
        case "outline":
            return json.dumps(_outline(prompt, blocks))
        case "write-section":
            return _section([block for block in blocks if block.kind == "passage"])
    return "A model of the tests answers. It was asked for nothing it knows."


def _profile(blocks: list[Block]) -> dict[str, object]:
    page = _first(blocks, "page")
    name = page.attributes.get("site") or re.split(r"\s[|–—-]\s", page.title)[0] or "The company"
    links = [line.split(" ", 1)[0] for line in _first(blocks, "links").text.splitlines() if line.strip()]
    sitemap = [line.strip() for line in _first(blocks, "sitemap").text.splitlines() if line.strip()]
    sentences = page.sentences(3) or [page.text.strip()[:200] or name]
    return {
        "name": name,
        "tagline": sentences[0][:120],
        "summary": " ".join(sentences),
        "offers": _phrases(page, 4),
        "audience": "People who want to know more",
        "tone": "plain and friendly",
        "language": "en",
        "key_pages": links[:4],
        "read_next": list(dict.fromkeys([*links, *sitemap]))[:30],
    }


def _notes(page: Block) -> dict[str, object]:
    summary = " ".join(page.sentences(2)) or page.title or "An empty page."
    return {"summary": summary, "key_phrases": _phrases(page, 10)}


def _topic(page: Block) -> dict[str, str]:
    title = page.title or "What we do"
    return {"title": f"What to know about {title}"[:150], "why": "Readers ask for it.", "url": page.attributes["url"]}


def _outline(prompt: str, blocks: list[Block]) -> dict[str, object]:
    topic = _named(prompt, "Topic") or "The topic"
    count = int(_named(prompt, "Sections") or 3)
    passages = [block for block in blocks if block.kind == "passage"]
    sections = []
    for number in range(count):
        own = passages[number::count] or passages[:1]
        about = own[0].attributes.get("heading") or own[0].title if own else topic
        heading = f"Part {number + 1}: {about}"[:150]
        points = [sentence[:300] for passage in own for sentence in passage.sentences(1)][:4]
        sections.append({"heading": heading, "points": points, "passages": [p.attributes["id"] for p in own]})
    return {"title": topic[:150], "summary": f"A post about {topic}."[:500], "sections": sections}


def _section(passages: list[Block]) -> str:
    paragraphs = []
    for passage in passages:
        cited = [f"{s[:-1]} [{passage.attributes['id']}]{s[-1]}" for s in passage.sentences(3)]
        if cited:
            paragraphs.append(" ".join(cited))
    return "\n\n".join(paragraphs) or "The material says nothing about this."


def _phrases(page: Block, most: int) -> list[str]:
    words = re.findall(r"[^\W\d_]{5,}", page.text.lower())
    ranked = sorted(dict.fromkeys(words), key=lambda word: (-words.count(word), word))
    return ranked[:most]


def _named(prompt: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)$", prompt, re.MULTILINE)
    return found[1].strip() if found else ""


def _first(blocks: list[Block], kind: str) -> Block:
    return next((block for block in blocks if block.kind == kind), Block(kind, {}, ""))
