"""Fallbacks for parts of a page that cannot be built: the rest of the page stays usable."""

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
    run: Run, memo: Memo, element_id: str, *builders: Callable[[], Fragment], tag: str = "div"
) -> Fragment:
    """Return the fragment `element_id` from the first builder that does not fail, else one that says it can't be shown.

    A viewer gets the whole element whenever another builder takes over. A page with a fallback stands at `START`: the
    process that follows it later may never have been in that state of the fold.
    """
    for number, build in enumerate(builders):
        try:
            built = build()
        except Exception:  # of any kind: it concerns this part alone
            logger.exception("Could not build a part of a page", run=run.id, id=element_id, cursor=run.cursor)
        else:
            return _mark_build(built, memo.note_build(element_id, number, run.cursor), number > 0)
    changed = memo.note_build(element_id, len(builders), run.cursor)
    return Fragment(element_id, START, changed, lambda: render_fallback(element_id, tag), is_fallback=True)


def render_fallback(element_id: str, tag: str, children: str = "", head: str = "", tail: str = "") -> str:
    """Return the HTML of an element that says it cannot be shown, with its children (HTML) and their markers."""
    return render("fragments/_fallback.html", id=element_id, tag=tag, children=children, head=head, tail=tail).strip()


def _mark_build(fragment: Fragment, since: str, is_fallback: bool) -> Fragment:
    """Return the fragment as changed at `since` at the earliest, when its builder took over."""
    if since == START and not is_fallback:
        return fragment
    return replace(fragment, changed=latest([fragment.changed, since]), is_fallback=fragment.is_fallback or is_fallback)
