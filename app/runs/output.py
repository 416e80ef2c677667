"""A run's text: what its succeeded steps wrote, in document order."""

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
"""Between the texts of two steps."""


class OutputText:
    """Gives the text bit by bit while the run goes on. What was given is not taken back."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def advance(self, run: Run) -> str:
        """The text that has become certain since the last call: all before the first step that may still write."""
        pieces = []
        for step in in_document_order(run):
            if step.status in OPEN_STEPS and not run.ended:
                break
            if step.path not in self._given and (text := standing_text(step)):
                text = _for_readers(run, text)
                pieces.append(BETWEEN + text if self._given else text)
                self._given.add(step.path)
        return "".join(pieces)


def standing_text(step: Step) -> str:
    """The text that counts: of a success, also while or after a rewrite of it failed; never of a failed attempt."""
    if step.success is None or step.status in OPEN_STEPS:
        return ""
    unvisited = step.status is StepStatus.SKIPPED and step.latest is step.success
    return "" if unvisited else step.success.text


def _for_readers(run: Run, text: str) -> str:
    """The text as the post's Markdown export has it: safe to publish, with the numbers of sources for citations."""
    if run.workflow != WRITE_POST:  # what stands in brackets in other texts is anybody's own
        return text
    sources = read_values(Source, find_object(root_of(run), SOURCES))
    return write_markdown(text, source_numbers(sources))


def in_document_order(run: Run) -> Iterator[Step]:
    """Steps as they began, each after those inside it."""
    yield from _walk(children_of(run), "")


def children_of(run: Run) -> dict[str, list[Step]]:
    """The steps below each path, as they began; a step without a known parent stands at the top, under ""."""
    children: dict[str, list[Step]] = {}
    for step in run.steps.values():
        children.setdefault(step.parent if step.parent in run.steps else "", []).append(step)
    return children


def _walk(children: dict[str, list[Step]], path: str) -> Iterator[Step]:
    for step in children.get(path, []):
        yield from _walk(children, step.path)
        yield step
