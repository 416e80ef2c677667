"""Parts of a page that cannot be built as they should be: something stands in for each, and the page goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from app.contract.cursors import START
from app.contract.run import Run
from app.http.templates import render
from app.live.fragments import Fragment, latest
from app.web.fragments.memo import Memo

logger = structlog.get_logger()


def build_or_fall_back(
    run: Run, kept: Memo, element_id: str, *ways: Callable[[], Fragment], tag: str = "div"
) -> Fragment:
    """The fragment `element_id`, made in the first of some ways that works; where none does, one that says so.

    Whoever follows gets it whole when the way changes. A page that has a makeshift is to be brought up from nowhere:
    the fold that it then follows may never have been in that state.
    """
    for number, make in enumerate(ways):
        try:
            made = make()
        except Exception:  # whatever it is: it concerns this part alone
            logger.exception("Could not build a part of a page", run=run.id, id=element_id, cursor=run.cursor)
        else:
            return _turned(made, kept.turn(element_id, number, run.cursor), number > 0)
    turned = kept.turn(element_id, len(ways), run.cursor)
    return Fragment(element_id, START, turned, lambda: render_fallback(element_id, tag), makeshift=True)


def render_fallback(element_id: str, tag: str, children: str = "", head: str = "", tail: str = "") -> str:
    """An element of that kind which says that it cannot be shown, with what is inside it as HTML."""
    return render("fragments/_fallback.html", id=element_id, tag=tag, children=children, head=head, tail=tail).strip()


def _turned(fragment: Fragment, turned: str, makeshift: bool) -> Fragment:
    if turned == START and not makeshift:
        return fragment
    return replace(fragment, changed=latest([fragment.changed, turned]), makeshift=fragment.makeshift or makeshift)
