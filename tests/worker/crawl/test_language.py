"""The language of a text is recognised, or left open."""

from __future__ import annotations

import pytest

from worker.crawl.language import MAX_CHARACTERS, detect_language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "We build it on the roof and look after it for you."),
        ("de", "Wir bauen die Anlage auf dem Dach und warten sie für unsere Kunden."),
        ("fr", "L'atelier est ouvert du mardi au samedi."),
        ("pt", "Reparamos todas as bicicletas"),
        ("no", "Verkstedet er åpent fra tirsdag til lørdag."),
        ("da", "Værkstedet er åbent fra tirsdag til lørdag."),
        ("uk", "Майстерня відкрита з вівторка по суботу."),
        ("ja", "自転車の修理工房は火曜日から土曜日まで営業しています。"),
        ("km", "សូមស្វាគមន៍មកកាន់គេហទំព័ររបស់យើង"),
    ],
)
def test_a_sentence_is_enough(language: str, text: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["", "Home", "12 345 67 89 10 11 12 13 14", "Python, Rust, Go, Zig, C, C++, Java"])
def test_what_could_be_any_language_is_left_open(text: str) -> None:
    assert detect_language(text) is None


def test_a_long_text_is_judged_by_its_beginning() -> None:
    english = "We build it on the roof and look after it for you. "
    german = "Wir bauen es auf dem Dach und warten es für unsere Kunden. "
    assert detect_language(english * (MAX_CHARACTERS // len(english) + 1) + german * 10_000) == "en"
