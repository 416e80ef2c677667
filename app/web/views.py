"""Pages as trees of fragments, and the patches that bring an open page up to date.

The page and the stream use the same fragments. A page renders those of the fold at its cursor C; the stream sends
`patches(build_page_fragments(kind, run, context), after=C)`, after which the page equals one that is rendered from the
newer fold. This is exact for any C of the log.

A message holds only partials of htmx 4.0.1, `<hx-partial hx-target="#ID" hx-swap="…">…</hx-partial>`:

- `outerMorph`: the element ID as it is now. Root fragments are always on the page; others when their container is.
- `beforebegin` a tail marker, `afterend` a head marker or the last old child: new children. Markers stay.

htmx finds all targets of a message before it swaps the first, and drops a patch silently whose target is missing. So a
new child comes with its container or beside an old element, and an addition precedes the patches of its siblings. Ids
hold only letters, digits, `-` and `_`; an underscore only before the number of a part of a text, as no name has one.
Fields that a person types into have `hx-morph-skip`, and an id that lasts as long as their ask does.

The run's element (`#run`, with `data-run-status`) is a fragment inside the live element (`#live`, with `data-cursor`),
which itself is no fragment.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.contract.cursors import START
from app.contract.run import Run
from app.live.fragments import (
    Fragment,
    patches,
    render_patches,
    replacements,
)
from app.stores.database import Database
from app.stores.repositories.posts import find_post_of_run
from app.web.fragments.context import PageContext
from app.web.posts.view import build_post_fragments
from app.web.runs.view import build_run_fragments
from app.web.sites.view import build_site_fragments

_KINDS = {"post": build_post_fragments, "site": build_site_fragments, "run": build_run_fragments}


def build_page_fragments(kind: str, run: Run, context: PageContext) -> tuple[Fragment, ...]:
    """Build the root fragments of a page of this kind; each stands on the page once, under its id."""
    return _KINDS[kind](run, context)


@dataclass(slots=True)
class PageView:
    """The patches of one run for one kind of page.

    Fragments that the newest events did not change are reused. A page at `START` may show anything, so it gets all
    fragments.
    """

    kind: str
    context: PageContext = field(default_factory=PageContext)
    _run: Run | None = None
    _cursor: str = ""
    _roots: tuple[Fragment, ...] = ()

    def patches(self, run: Run, after: str) -> str:
        """Return the message that brings a page from the cursor `after` to the run's; empty if nothing changed."""
        return self.whole(run) if after == START else render_patches(patches(self._fragments(run), after))

    def whole(self, run: Run) -> str:
        """Return the message that brings any page of this kind to the run's cursor."""
        return render_patches(replacements(self._fragments(run)))

    def _fragments(self, run: Run) -> tuple[Fragment, ...]:
        if run is not self._run:
            self.context.memo.clear()
        if run is not self._run or run.cursor != self._cursor:
            self._roots = build_page_fragments(self.kind, run, self.context)
            self._run, self._cursor = run, run.cursor
        return self._roots


class PageViews:
    """Opens the views of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, kind: str, run_id: str) -> PageView:
        """Open the view of a kind (`post`, `site` or `run`) for a run. Raise `KeyError` for another kind."""
        if kind not in _KINDS:
            raise KeyError(kind)
        if kind != "post":
            return PageView(kind)
        async with self._database.reading() as session:
            post = await find_post_of_run(session, run_id)
        return PageView(kind, PageContext(post_id=post.id if post else ""))
