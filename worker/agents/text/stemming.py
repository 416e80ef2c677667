"""Word stems by the Snowball algorithms (snowballstem.org)."""

from __future__ import annotations

from functools import lru_cache

from worker.agents.text.stopwords import base_language

_ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "st": "sesotho", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""The algorithm for each two-letter code of a language (ISO 639-1)."""


@lru_cache(maxsize=65_536)
def stem(word: str, language: str = "en") -> str:
    """Return a word's stem, lower-cased: `checkpointing`, `checkpoints` and `checkpoint` share one.

    Words with digits, and words of a language without an algorithm, are only lower-cased.
    """
    lowered = word.lower().replace("’", "'").removesuffix("'s")
    algorithm = _ALGORITHMS.get(base_language(language))
    if algorithm is None or not lowered.isalpha():
        return lowered
    import snowballstemmer  # slow to load, and only needed in threads

    # A stemmer keeps its word in itself, so that one can't be shared by threads.
    stemmed: str = snowballstemmer.stemmer(algorithm).stemWord(lowered)
    return stemmed
