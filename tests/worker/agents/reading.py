"""Pages and passages that the tests of the agents read."""

from __future__ import annotations

from pathlib import Path

from app.content.citations import find_citations
from app.content.values import (
    Length,
    PageBlock,
    PageLink,
    Passage,
    PostBrief,
    Profile,
    ReadPage,
)
from worker.agents.passages import number_passages, split_passages

HOST = "https://www.brightfield.example"
PROFILE = Profile(name="Brightfield Solar", language="en")
LINKS = [
    PageLink(url=f"{HOST}/legal/privacy", text="Privacy"),
    PageLink(url=f"{HOST}/login", text="Log in"),
    PageLink(url=f"{HOST}/services/battery-storage", text="Battery storage"),
    PageLink(url=f"{HOST}/about-us", text="About us"),
    PageLink(url=f"{HOST}/about-us#team", text="Our team"),
    PageLink(url=f"{HOST}/pricing", text="Pricing"),
]


def read_page(name: str) -> ReadPage:
    """Read a page of `pages/`: its title, its description, then `# heading` and paragraphs."""
    text = (Path(__file__).parent / "pages" / f"{name}.txt").read_text(encoding="utf-8")
    head, *parts = text.split("\n# ")
    title, description = head.strip().splitlines()
    blocks = [
        PageBlock(heading=h.strip(), text=body.strip()) for h, _, body in (part.partition("\n") for part in parts)
    ]
    path = "" if name.endswith("home") else name.removeprefix("solar_")
    return ReadPage(
        url=f"{HOST}/{path}", title=title, description=description, language="en", blocks=blocks, links=LINKS
    )


def read_passages() -> list[Passage]:
    """Return the passages of the three pages, numbered as one post cites them."""
    pages = [read_page(name) for name in ("solar_battery", "solar_maintenance", "solar_home")]
    return number_passages(passage for page in pages for passage in split_passages(page))


def make_brief(topic: str = "Battery storage on a dairy farm", length: Length = Length.MEDIUM) -> PostBrief:
    return PostBrief(site_id="site", topic=topic, length=length)


def make_passage(id: str, text: str, heading: str = "", title: str = "A page") -> Passage:
    return Passage(id=id, url=f"{HOST}/{id}", title=title, heading=heading, text=text)


def strip_citations(markdown: str) -> str:
    """Return the Markdown without its citations and the spaces before them."""
    for start, end, _ in reversed(find_citations(markdown)):
        markdown = markdown[:start].rstrip(" ") + markdown[end:]
    return markdown
