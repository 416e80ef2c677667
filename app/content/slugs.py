"""Slugs: texts as ids and file names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

LONGEST = 50


def make_slug(text: str, default: str = "section") -> str:
    """Return the text as lower-case ASCII letters, digits and single hyphens: 1 to 50 characters, cut between words.

    Return `default` where nothing of the text is left, as with Chinese.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['’]", "", plain)).strip("-")
    if len(slug) > LONGEST:
        slug = slug[: LONGEST + 1].rpartition("-")[0] or slug[:LONGEST]
    return slug or default


def make_unique_slug(text: str, taken: Container[str], default: str = "section") -> str:
    """Return the text's slug, with a number appended if the slug is taken."""
    slug = unique = make_slug(text, default)
    number = 2
    while unique in taken:
        number, unique = number + 1, f"{slug}-{number}"
    return unique
