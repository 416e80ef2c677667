"""Sentences, prose, key phrases, titles and Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.worker.agents.reading import read_page
from worker.agents.text.keyphrases import find_keyphrases
from worker.agents.text.markdown import escape, unescape
from worker.agents.text.prose import depends_on_previous, is_prose
from worker.agents.text.sentences import flatten, split_list, split_sentences
from worker.agents.text.stemming import stem
from worker.agents.text.titles import clean_heading, lower_case, strip_name, title_case


def test_splits_sentences_at_their_ends_only() -> None:
    text = "Dr. Brown measured 3.5 kW on the roof. The yield rose by 4 percent!\n\nA new paragraph starts here."
    assert split_sentences(text) == [
        "Dr. Brown measured 3.5 kW on the roof.",
        "The yield rose by 4 percent!",
        "A new paragraph starts here.",
    ]


def test_leaves_fenced_code_out() -> None:
    assert split_sentences("Before it.\n\n```\nx = 1. Not text.\n```\n\nAfter it.") == ["Before it.", "After it."]


def test_long_paragraphs_lose_nothing() -> None:
    text = " ".join(f"Sentence number {n} says that the roof holds." for n in range(300))
    assert " ".join(split_sentences(text)) == text


@given(st.text(max_size=300), st.sampled_from(["en", "de", "ja", "xx", ""]))
def test_sentences_stand_in_the_text(text: str, language: str) -> None:
    whole = flatten(text)
    for sentence in split_sentences(text, language):
        assert sentence in whole or sentence in text


def test_list_lines_are_items() -> None:
    assert split_list("- one thing\n- another\n3. a third") == ["one thing", "another", "a third"]
    assert split_list("- one thing\nbut then prose") == []


@pytest.mark.parametrize(
    "boilerplate",
    [
        "Home Products Pricing About Contact Login.",
        "© 2024 Brightfield Solar and all of its partners.",
        "Click here to read about all of our roofs.",
        "THIS IS ALL WRITTEN IN CAPITALS FOR SOME REASON.",
        "the sentence starts in the middle of a thought.",
        "This sentence never comes to the end of what it",
        "The function returns foo(bar, baz) == {1} for all of them.",
        "As shown in the figure below, the roof is large.",
        "It cites what is not there, as in [s3] of the text.",
    ],
)
def test_boilerplate_is_no_prose(boilerplate: str) -> None:
    assert not is_prose(boilerplate)


def test_prose_is_prose() -> None:
    assert is_prose("A barn roof is large, simple and rarely shaded.")
    assert is_prose("Das Dach einer Scheune ist groß, einfach und selten verschattet.", "de")


@pytest.mark.parametrize(
    "sentence", ["This is what pays for it.", "However, the rule fails.", "It grows.", "The second step is short."]
)
def test_dependent_sentences_are_recognised(sentence: str) -> None:
    assert depends_on_previous(sentence)


def test_independent_sentences_are_recognised() -> None:
    assert not depends_on_previous("A battery closes the gap.")
    assert not depends_on_previous("It is possible to add cells later.")


def test_key_phrases_name_what_a_page_is_about() -> None:
    page = read_page("solar_battery")
    sentences = [s for block in page.blocks for s in split_sentences(block.text)]
    phrases = [phrase.lower() for phrase in find_keyphrases(sentences, headings=[page.title], limit=8)]
    assert "battery storage" in phrases or "battery" in phrases
    assert len(phrases) == len(set(phrases)) <= 8
    assert all(phrase in page.text.lower() for phrase in phrases)


@pytest.mark.parametrize("word", ["checkpoint", "checkpoints", "checkpointing", "Checkpointed", "checkpoint's"])
def test_inflections_share_a_stem(word: str) -> None:
    assert stem(word) == "checkpoint"


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en-GB", "batteries", "battery"),
        ("de", "Anlagen", "Anlage"),
        ("fr", "réparations", "réparation"),
        ("es", "bicicletas", "bicicleta"),
        ("nb", "syklene", "sykler"),
        ("ru", "велосипеды", "велосипедов"),
    ],
)
def test_each_language_has_its_own_stems(language: str, one: str, other: str) -> None:
    assert stem(one, language) == stem(other, language)


def test_words_without_a_stemmer_are_lower_cased() -> None:
    assert stem("Ka12", "en") == "ka12"
    assert stem("PRODUKTI", "xx") == "produkti"


def test_headings_are_cleaned_and_cased() -> None:
    assert clean_heading("3.11. Deleting the rollback journal ¶") == "Deleting the rollback journal"
    assert title_case("ways to improve the WAL of iOS") == "Ways to Improve the WAL of iOS"
    assert lower_case("Write-Ahead Logging in SQLite") == "write-ahead logging in SQLite"
    assert strip_name("Pricing | Acme", "Acme") == strip_name("Pricing at Acme", "Acme") == "Pricing"


@given(st.text(alphabet='ab *_[]()<>`#+-.1&~|\\!"', min_size=1, max_size=40))
def test_escaped_text_comes_back(text: str) -> None:
    assert unescape(escape(text)) == text or "\\" in text or "`" in text


@pytest.mark.parametrize(
    "text",
    ["Use SELECT * FROM t now.", "1. is not a list", "# no heading", "<b>bold</b> & _this_ or *that*", "a [link](x)"],
)
def test_escaped_text_renders_as_itself(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(escape(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert "".join(child.content for child in tokens[1].children or []) == text
