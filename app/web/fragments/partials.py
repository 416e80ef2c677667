"""Fragments from partial templates, each exactly one element with its id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import structlog
from markupsafe import Markup

from app.contract.cursors import START
from app.http.templates import render
from app.live.fragments import Fragment
from app.web.fragments.fallback import render_fallback

logger = structlog.get_logger()


def build_fragment(
    template: str,
    element_id: str,
    changed: str,
    *,
    born: str = START,
    children: Iterable[Fragment] = (),
    head: str = "",
    tail: str = "",
    tag: str = "div",
    **values: Any,
) -> Fragment:
    """Return a fragment that `TEMPLATE.html` renders from `id`, `tag`, `children` (HTML), `head`, `tail` and `values`.

    It is rendered when it is first needed, and once at most. Where the template fails, an element of the same kind
    says that it can't be shown, and the rest of the page stands.
    """
    inner = tuple(children)

    def render_element() -> str:
        # Fragments render HTML, escaped by the same templates.
        html = Markup("".join(child.render() for child in inner))  # noqa: S704
        around = {"id": element_id, "tag": tag, "children": html, "head": head, "tail": tail}
        try:
            return render(f"{template}.html", **around, **values).strip()
        except Exception:  # of any kind: it concerns this part alone
            logger.exception("Could not render a part of a page", id=element_id)
            return render_fallback(element_id, tag, html, head, tail)

    return Fragment(element_id, born, changed, _once(render_element), inner, head, tail)


@lru_cache(maxsize=8192)
def dom_id(prefix: str, name: str) -> str:
    """Return a DOM id for any name, such as a step's path, that needs no escaping in a selector."""
    return f"{prefix}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _once(render_element: Callable[[], str]) -> Callable[[], str]:
    rendered: str | None = None

    def render_once() -> str:
        nonlocal rendered
        if rendered is None:
            rendered = render_element()
        return rendered

    return render_once
