"""A run's text: the texts of its succeeded steps, in document order."""

from __future__ import annotations

from collections.abc import Iterator

from app.content.citations import source_numbers
from app.content.values import Source
from app.content.workflows import SOURCES, WRITE_POST
from app.contract.run import Run
from app.contract.status import OPEN_STEPS, StepStatus
from app.contract.step import Step
from app.markdown.export import write_markdown
from app.runs.published import find_object, read_values, root_of

BETWEEN = "\n\n"
"""The separator of the texts of two steps."""


class OutputText:
    """Returns the text bit by bit while the run goes on. Text that was returned is never retracted."""

    def __init__(self) -> None:
        self._returned: set[str] = set()

    def advance(self, run: Run) -> str:
        """Return the text that has become final since the last call: all before the first step that may still write."""
        pieces = []
        for step in in_document_order(run):
            if step.status in OPEN_STEPS and not run.ended:
                break
            if step.path not in self._returned and (text := standing_text(step)):
                text = _for_readers(run, text)
                pieces.append(BETWEEN + text if self._returned else text)
                self._returned.add(step.path)
        return "".join(pieces)


def standing_text(step: Step) -> str:
    """Return the text of the step's success, also after a rewrite of it failed; never that of a failed attempt."""
    if step.success is None or step.status in OPEN_STEPS:
        return ""
    unvisited = step.status is StepStatus.SKIPPED and step.latest is step.success
    return "" if unvisited else step.success.text


def _for_readers(run: Run, text: str) -> str:
    """Return the text as the post's Markdown export has it: safe to publish, its citations with source numbers."""
    if run.workflow != WRITE_POST:  # brackets in the texts of other workflows are no citations
        return text
    sources = read_values(Source, find_object(root_of(run), SOURCES))
    return write_markdown(text, source_numbers(sources))


def in_document_order(run: Run) -> Iterator[Step]:
    """Yield the steps in the order in which they began, each after the steps inside it."""
    yield from _walk(children_of(run), "")


def children_of(run: Run) -> dict[str, list[Step]]:
    """Return the steps directly below each path, in the order in which they began. Those without a known parent are
    under ""."""
    children: dict[str, list[Step]] = {}
    for step in run.steps.values():
        children.setdefault(step.parent if step.parent in run.steps else "", []).append(step)
    return children


def _walk(children: dict[str, list[Step]], path: str) -> Iterator[Step]:
    for step in children.get(path, []):
        yield from _walk(children, step.path)
        yield step
