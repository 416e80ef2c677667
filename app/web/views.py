"""The fold as a page shows it: a tree of fragments, and what of it a viewer lacks.

The page and the stream use the same fragments. A page renders those of the fold at its cursor C; the stream sends
`patches(fragments(kind, run, context), after=C)`, after which the page is what it would be had it been rendered from
the newer fold. For any C of the log this is exact.

A message is nothing but partials of htmx 4.0.1, `<hx-partial hx-target="#ID" hx-swap="…">…</hx-partial>`:

- `outerMorph`: the element ID as it is now. Root fragments are always on the page; others when their container is.
- `beforebegin` a tail marker, `afterend` a head marker or the last old child: new children. Markers stay.

htmx finds all targets of a message before it swaps the first, and drops silently what is not there. So a new child
comes with its container or beside something old, and an addition stands before the patches of its siblings. Ids hold
nothing but letters, digits, `-` and `_`; an underscore only before the number of a part of a text, as no name has one.
What a person types into has `hx-morph-skip`, and an id that lasts as long as its question does.

The run's element (`#run`, with `data-run-status`) is a fragment inside the live element (`#live`, with `data-cursor`),
which never is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from app.contract.cursors import START
from app.contract.run import Run
from app.live.fragments import (
    Fragment,
    patches,
    render_patches,
    replacements,
)
from app.stores.database import Database
from app.stores.repositories.posts import find_post_id
from app.web.fragments.context import Context
from app.web.posts.view import post_fragments
from app.web.runs.view import run_fragments
from app.web.sites.view import site_fragments

PageKind = Literal["post", "site", "run"]
_KINDS = {"post": post_fragments, "site": site_fragments, "run": run_fragments}


def fragments(kind: str, run: Run, context: Context) -> tuple[Fragment, ...]:
    """The root fragments of a page of this kind; each stands on the page once, under its id."""
    return _KINDS[kind](run, context)


@dataclass(slots=True)
class PageView:
    """A run as one kind of page shows it: what the stream sends to that page.

    It remembers what it made of a run: of what the log adds, only what changed is made again. A page at `START` may
    show anything: it gets everything.
    """

    kind: str
    context: Context = field(default_factory=Context)
    _run: Run | None = None
    _cursor: str = ""
    _roots: tuple[Fragment, ...] = ()

    def patches(self, run: Run, after: str) -> str:
        """The HTML that brings a page at the cursor `after` to the run's; empty when nothing on it has changed."""
        return self.whole(run) if after == START else render_patches(patches(self._fragments(run), after))

    def whole(self, run: Run) -> str:
        """The HTML that brings any page of this kind to the run's cursor."""
        return render_patches(replacements(self._fragments(run)))

    def _fragments(self, run: Run) -> tuple[Fragment, ...]:
        if run is not self._run:
            self.context.kept.forget()
        if run is not self._run or run.cursor != self._cursor:
            self._roots = fragments(self.kind, run, self.context)
            self._run, self._cursor = run, run.cursor
        return self._roots


class Views:
    """Opens the views of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, kind: str, run_id: str) -> PageView:
        """The view of a kind (`post`, `site` or `run`) for a run; `KeyError` for another kind."""
        if kind not in _KINDS:
            raise KeyError(kind)
        if kind != "post":
            return PageView(kind)
        async with self._database.reading() as session:
            post_id = await find_post_id(session, run_id)
        return PageView(kind, Context(post_id=post_id or ""))
