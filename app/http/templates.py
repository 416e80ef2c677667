"""Rendering of templates, and the formats of times, sums and addresses on pages."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.content.urls import web_address
from app.content.values import visible_text
from app.http.build import ROOT, build_version


def render(template: str, **values: Any) -> str:
    """Return the template filled with these values."""
    return _environment().get_template(template).render(values)


def load_templates() -> None:
    """Compile all templates, so that no first patch waits for that, and a broken template stops the start."""
    environment = _environment()
    for name in environment.list_templates():
        environment.get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        undefined=StrictUndefined,
    )
    environment.filters.update(
        duration=write_duration,
        clock=write_clock,
        moment=write_moment,
        sentence=write_sentence,
        cost=write_cost,
        web_address=web_address,
        short_address=short_address,
        post_name=name_post,
    )
    environment.globals.update(elapsed=elapsed, version=build_version())
    return environment


def elapsed(since: datetime | None, until: datetime | None) -> str:
    """Return the time between two moments, in words; empty if one of them is missing."""
    return write_duration((until - since).total_seconds()) if since and until else ""


def write_duration(seconds: float) -> str:
    """Return `0.4 s`, `14 s`, `1 min 2 s`, `3 h 5 min` or `77 h 0 min`; from a minute on as `static/live.js` does."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def write_clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"


def write_moment(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def write_sentence(text: str) -> str:
    """Return a text of any origin as a sentence: with a capital letter and a full stop."""
    text = text.strip()
    word = text.partition(" ")[0]
    if word.isalpha() and word.islower():
        text = text[:1].upper() + text[1:]
    return text if not text or text.rstrip("”’\"')").endswith((".", "!", "?", "…")) else f"{text}."


def write_cost(dollars: float) -> str:
    """Return US dollars; less than one to a tenth of a cent."""
    return f"${dollars:.2f}" if dollars >= 1 else f"${dollars:.3f}"


def name_post(*texts: str) -> str:
    """Return the first of a post's titles that has visible characters, else words that can be clicked on."""
    return next(filter(None, map(visible_text, texts)), "Post without a name")


def short_address(url: str) -> str:
    """Return an address without its scheme and trailing slash."""
    return url.removeprefix("https://").removeprefix("http://").removesuffix("/")
