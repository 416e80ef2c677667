"""The claim check marks the sentences that their sources do not support, and no others."""

from __future__ import annotations

import pytest

from tests.worker.agents.reading import make_passage
from worker.agents.checks import check_section
from worker.agents.citations import UnknownSource

SOURCE = make_passage(
    "s1",
    "The battery costs between 400 and 1,550 pounds for each kilowatt hour. Rural grants pay up to 40 percent of it"
    " for farms in Norfolk. Anna Berg founded the workshop with three engineers.",
    title="Battery storage",
)
OTHER = make_passage("s2", "Inverters fail first, mostly because of dust in the barn.", title="Inverters")


def marks(markdown: str) -> list[str]:
    return [check.reason for check in check_section(markdown, [SOURCE, OTHER], "en")]


@pytest.mark.parametrize(
    "supported",
    [
        "A battery costs between 400 and 1550 pounds for each kilowatt hour. [s1]",
        "Grants pay up to 40% of it in Norfolk [s1].",
        "Anna Berg founded the workshop with 3 engineers. [s1]",
        "- Inverters fail first, because of dust. [s2]\n- Rural grants pay up to 40 percent. [s1]",
        "**Inverters** fail first. The barn has dust. [s2]",
        "So what does it take?",
        "## 12 Things About Berlin\n\nThink about it for a while.",
    ],
)
def test_supported_sentences_pass(supported: str) -> None:
    assert marks(supported) == []


def test_invented_numbers_are_marked() -> None:
    assert marks("The battery costs 700 pounds for each kilowatt hour. [s1]") == [
        "the source does not have the number 700"
    ]
    assert len(marks("Grants pay up to ninety percent of it for farms. [s1]")) == 1


def test_invented_names_are_marked() -> None:
    assert marks("Rural grants pay up to 40 percent for farms in Suffolk. [s1]") == ["the source does not name Suffolk"]
    assert len(marks("Peter Berg founded the workshop with three engineers. [s1]")) == 1


def test_the_wrong_source_is_marked() -> None:
    assert len(marks("Rural grants pay for farms and batteries. [s2]")) == 1


def test_a_sentence_is_checked_by_the_next_citation_of_its_paragraph() -> None:
    assert marks("Inverters fail first. Dust in the barn is why. [s2]") == []
    assert len(marks("Inverters fail after 11 years. Dust in the barn is why. [s2]")) == 1


def test_claims_without_a_source_are_marked() -> None:
    assert marks("We have the best batteries.") == ["claims “best” without a source"]
    assert marks("It lasts for 25 years.") == ["gives a number (25) without a source"]
    assert marks("People in Norwich love it.") == ["names Norwich without a source"]
    assert check_section("People at Acme love it.", [SOURCE], "en", known_names=["Acme Ltd"]) == []


def test_unknown_sources_are_refused() -> None:
    with pytest.raises(UnknownSource):
        check_section("Something is so. [s7]", [SOURCE], "en")
