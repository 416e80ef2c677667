"""The language of a text, by the byte sequences that are frequent in it (py3langid)."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

MIN_CHARACTERS = 20
MAX_CHARACTERS = 5_000
"""More text makes the answer slower and no surer."""

MIN_CONFIDENCE = 0.5

# Of the 140 that the model knows, one for each script at least. With its rare ones a short German text may be Faroese.
_LANGUAGES = """
    am ar bg bn ca cs da de el en es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka km kn ko lo lt lv ml mn mr ms
    my ne nl no or pa pl pt ro ru si sk sl sr sv ta te th tr uk ur vi zh
"""
_loading = Lock()


def detect_language(text: str) -> str | None:
    """Return the two-letter code (ISO 639-1) of a text's language, or None if the text is too short or too mixed.

    The first call takes most of a second and 90 MB of memory: call it in a thread.
    """
    sample = text[:MAX_CHARACTERS].strip()
    if len(sample) < MIN_CHARACTERS:
        return None
    with _loading:
        identifier = _load_identifier()
    language, confidence = identifier.classify(sample)
    return str(language) if confidence >= MIN_CONFIDENCE else None


@cache
def _load_identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_LANGUAGES.split())
    return identifier
