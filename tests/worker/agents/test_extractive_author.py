"""The author without a model writes the site's own sentences, cited, each once."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.content.citations import cited_ids
from app.content.values import (
    Length,
    Outline,
    PageDigest,
    Passage,
    PostBrief,
)
from tests.worker.agents.reading import (
    HOST,
    PROFILE,
    make_brief,
    make_passage,
    read_page,
    read_passages,
    strip_citations,
)
from worker.agents.author import Author
from worker.agents.checks import check_section
from worker.agents.extractive_author import ExtractiveAuthor, NotEnoughMaterial
from worker.agents.text.markdown import unescape
from worker.agents.text.sentences import flatten, split_sentences

AUTHOR: Author = ExtractiveAuthor()


async def write(brief: PostBrief, outline: Outline, passages: Sequence[Passage], guidance: str = "") -> list[str]:
    sections = []
    for section in outline.sections:
        own = [passage for passage in passages if passage.id in section.passages]
        pieces = AUTHOR.write_section(brief, PROFILE, outline, section, own, guidance)
        sections.append("".join([piece async for piece in pieces]))
    return sections


def sentences_of(markdown: str) -> list[str]:
    plain = unescape(strip_citations(markdown))
    lines = [re.sub(r"^- ", "", line) for line in plain.splitlines() if line.strip()]
    return [sentence for line in lines for sentence in split_sentences(line)]


async def test_writes_a_post_of_the_sites_own_sentences() -> None:
    passages, brief = read_passages(), make_brief()
    outline = await AUTHOR.outline(brief, PROFILE, passages)
    sections = await write(brief, outline, passages)
    source = "\n".join(flatten(passage.text) for passage in passages)
    written = [sentence for section in sections for sentence in sentences_of(section)]
    assert len(written) >= 10
    assert all(sentence in source for sentence in written)
    assert len(written) == len(set(written))
    assert not any("©" in sentence or "Click here" in sentence for sentence in written)


async def test_every_section_cites_what_it_was_given_and_passes_the_check() -> None:
    passages, brief = read_passages(), make_brief()
    outline = await AUTHOR.outline(brief, PROFILE, passages)
    for section, markdown in zip(outline.sections, await write(brief, outline, passages), strict=True):
        assert set(cited_ids(markdown)) <= set(section.passages)
        assert all(paragraph.endswith("]") for paragraph in markdown.split("\n\n"))
        assert check_section(markdown, passages, "en") == []


@pytest.mark.parametrize("length", list(Length))
async def test_plans_as_many_sections_as_asked(length: Length) -> None:
    outline = await AUTHOR.outline(make_brief(length=length), PROFILE, read_passages())
    assert len(outline.sections) == length.sections
    assert len({section.id for section in outline.sections}) == length.sections
    assert len({section.heading for section in outline.sections}) == length.sections
    used = [id for section in outline.sections for id in section.passages]
    assert used and len(used) == len(set(used))
    assert all(len(section.heading.split()) >= 2 for section in outline.sections)


async def test_the_topic_decides_what_the_post_is_about() -> None:
    outline = await AUTHOR.outline(make_brief("Cleaning solar panels", Length.SHORT), PROFILE, read_passages())
    assert any("Clean" in section.heading for section in outline.sections)


async def test_no_paragraph_opens_with_a_sentence_that_depends_on_another() -> None:
    passages, brief = read_passages(), make_brief(length=Length.LONG)
    outline = await AUTHOR.outline(brief, PROFILE, passages)
    for markdown in await write(brief, outline, passages):
        assert not re.search(r"^(This|That|However|It|They)\b", markdown, re.MULTILINE)


async def test_guidance_moves_what_is_chosen() -> None:
    passages, brief = read_passages(), make_brief(length=Length.SHORT)
    outline = await AUTHOR.outline(brief, PROFILE, passages)
    # A section that a person added has no passages of its own: it draws on all.
    added = outline.sections[0].model_copy(update={"passages": []})

    async def rewrite(guidance: str) -> str:
        pieces = AUTHOR.write_section(brief, PROFILE, outline, added, passages, guidance)
        return "".join([piece async for piece in pieces])

    assert "Rodents" not in await rewrite("")
    assert "Rodents" in await rewrite("say more about rodents and damaged cables")
    assert len(await rewrite("shorter")) <= len(await rewrite("")) < len(await rewrite("much longer"))


async def test_too_little_material_says_what_to_do() -> None:
    with pytest.raises(NotEnoughMaterial, match="Read more pages"):
        await AUTHOR.outline(make_brief(), PROFILE, [])
    with pytest.raises(NotEnoughMaterial, match="choose a topic"):
        await AUTHOR.outline(make_brief(), PROFILE, [make_passage(f"s{n}", "Home About Login") for n in range(1, 9)])


async def test_a_list_is_quoted_with_its_lead_in() -> None:
    text = (
        "A complete survey of a farm roof covers these four things:\n\n- the slope and the age of the roof\n"
        "- the shade of trees and silos\n- the way from the roof to the meter\n- the demand of two weeks"
    )
    passages = [
        make_passage("s1", text + "\n\nThe survey of a roof takes a day and costs nothing.", "The survey of a roof"),
        *read_passages()[1:4],
    ]
    brief = make_brief("The survey of a farm roof", Length.SHORT)
    outline = await AUTHOR.outline(brief, PROFILE, passages)
    post = "\n\n".join(await write(brief, outline, passages))
    assert "- the slope and the age of the roof [s1]\n- the shade of trees and silos [s1]" in post
    assert check_section(post, passages, "en") == []


NOUNS = st.sampled_from(["battery", "roof", "barn", "farm", "panel", "cable", "inverter", "engineer", "survey"])
PROSE = st.builds(
    "The {} of the {} is checked by the {} when a {} has failed, at about {} degrees.".format,
    NOUNS, NOUNS, NOUNS, NOUNS, st.integers(2, 99),
)  # fmt: skip
BOILERPLATE = st.sampled_from(
    ["Click here for more.", "It is *so* [s1].", "# 1. <b>x</b>", "HOME LOGIN", "However, not."]
)
TEXTS = st.lists(st.one_of(PROSE, PROSE, PROSE, BOILERPLATE, st.text(max_size=40)), min_size=1, max_size=8).map(
    " ".join
)


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(TEXTS, min_size=0, max_size=8), topic=NOUNS, guidance=st.sampled_from(["", "shorter", "cables"]))
async def test_no_text_makes_it_invent_a_sentence(texts: list[str], topic: str, guidance: str) -> None:
    passages = [make_passage(f"s{n}", text) for n, text in enumerate(texts, start=1)]
    brief = make_brief(topic)
    try:
        outline = await AUTHOR.outline(brief, PROFILE, passages, guidance)
    except NotEnoughMaterial:
        return
    assert 3 <= len(outline.sections) <= brief.length.sections
    assert outline == await AUTHOR.outline(brief, PROFILE, passages, guidance)
    sections = await write(brief, outline, passages, guidance)
    assert sections == await write(brief, outline, passages, guidance)
    source = "\n".join(flatten(text) for text in texts)
    for section, markdown in zip(outline.sections, sections, strict=True):
        assert cited_ids(markdown) and set(cited_ids(markdown)) <= set(section.passages)
        own = [passage for passage in passages if passage.id in section.passages]
        async for piece in AUTHOR.write_section(brief, PROFILE, outline, section, own, guidance):
            assert unescape(strip_citations(piece)).strip() in source


async def test_profiles_a_company() -> None:
    home = read_page("solar_home")
    candidates = [f"{HOST}/blog/first-barn", f"{HOST}/pricing", f"{HOST}/"]
    reading = await AUTHOR.profile_site(home, candidates)
    profile = reading.profile
    assert profile.name == "Brightfield Solar"
    assert profile.tagline.startswith("Brightfield Solar designs, installs")
    assert profile.audience == "Small farms and rural businesses"
    assert {"Battery storage", "Rooftop installation"} <= set(profile.offers)
    assert profile.language == "en" and profile.tone
    assert all(sentence in flatten(home.text) for sentence in split_sentences(profile.summary))
    assert profile.key_pages[0].url == f"{HOST}/about-us"


async def test_reads_informative_pages_first_and_each_once() -> None:
    candidates = [f"{HOST}/blog/first-barn", f"{HOST}/pricing", f"{HOST}/"]
    read_next = (await AUTHOR.profile_site(read_page("solar_home"), candidates)).read_next
    assert read_next[0] == f"{HOST}/about-us"
    assert read_next[-2:] == [f"{HOST}/login", f"{HOST}/legal/privacy"]
    assert len(read_next) == len({url.partition("#")[0] for url in read_next}) == 6


async def test_takes_notes_and_suggests_topics_from_them() -> None:
    pages = [read_page(name) for name in ("solar_home", "solar_battery", "solar_maintenance")]
    digests = []
    for page in pages:
        notes = await AUTHOR.take_notes(page)
        assert 1 <= len(split_sentences(notes.summary)) <= 3
        assert notes.summary in flatten(page.text)
        assert 3 <= len(notes.key_phrases) <= 10
        digests.append(PageDigest(url=page.url, title=page.title, summary=notes.summary, key_phrases=notes.key_phrases))
    topics = await AUTHOR.suggest_topics(PROFILE, digests)
    assert 2 <= len(topics) <= 6
    assert len({topic.title for topic in topics}) == len({topic.url for topic in topics}) == len(topics)
    assert all(topic.why and len(topic.title.split()) >= 3 for topic in topics)


async def test_nothing_to_read_makes_nothing() -> None:
    assert await AUTHOR.suggest_topics(PROFILE, []) == []
    empty = read_page("solar_home").model_copy(update={"blocks": [], "links": [], "description": ""})
    assert (await AUTHOR.take_notes(empty)).key_phrases == []
    assert (await AUTHOR.profile_site(empty, [])).read_next == []
