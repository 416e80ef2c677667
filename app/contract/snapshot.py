"""A fold as it is stored, so that a long log need not be folded again from its beginning.

What comes back is the very same state: folding on from it gives what folding the whole log gives. A snapshot is only
ever a shortcut. One that was made by another version of the fold, or that is damaged, is none.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import zlib
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from app.contract import acceptance, cursors, events, payloads, run, status, step, work_time
from app.contract.run import Run, ancestors
from app.contract.step import Attempt, Step

LARGEST = 2**28
"""Bytes of a snapshot, unpacked: one that claims more is damaged."""

_LINKS = {Run: {"_inside"}, Step: {"success"}, Attempt: {"_pieces", "marks"}}
"""Fields that are written apart: links between objects, and what would take long to check piece by piece."""

_DAMAGED = (zlib.error, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)


@cache
def snapshot_format() -> str:
    """Names this version's snapshots: a digest of all code that decides what a fold holds. Nobody need remember to
    raise a number: where any of it differs, so does the name, and the snapshots of other versions are ignored."""
    modules = (acceptance, cursors, events, payloads, run, status, step, work_time, sys.modules[__name__])
    return hashlib.sha256("".join(map(inspect.getsource, modules)).encode()).hexdigest()[:16]


def dump_run(run: Run) -> bytes:
    """The run's state as a snapshot."""
    document = {
        "run": run,
        "steps": [_links(step) for step in run.steps.values()],
        # An answer that waits for a worker is one object with its command: what refuses the one takes back the other.
        "waiting": [ask for ask, answer in run.answers.items() if run.commands.get(answer.id) is answer],
    }
    return zlib.compress(json.dumps(document, default=_plain, separators=(",", ":")).encode(), 1)


def load_run(body: bytes) -> Run | None:
    """The state that was dumped; None for what is no snapshot, or a damaged one."""
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(body, LARGEST)
        if not unpacker.eof:  # cut short, or too large: its checksum was not seen
            return None
        document = json.loads(text)
        run = _adapter().validate_python(document["run"])
        for step, links in zip(run.steps.values(), document["steps"], strict=True):
            _link(step, links)
        for ask in document["waiting"]:
            run.answers[ask] = run.commands[run.answers[ask].id]  # type: ignore[assignment]  # it was this very object
        for step in run.steps.values():
            for path in ancestors(step.path):
                run._inside.setdefault(path, []).append(step)
        return run
    except _DAMAGED:
        return None


@cache
def _adapter() -> TypeAdapter[Run]:
    return TypeAdapter(Run)


def _plain(value: Any) -> Any:
    """What JSON does not know."""
    if isinstance(value, BaseModel):
        return vars(value)
    if is_dataclass(value):
        kind: Any = type(value)  # as a key of the cache
        return {name: getattr(value, name) for name in _names(kind)}
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in a fold")


@cache
def _names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind) if field.name not in _LINKS.get(kind, ())]


def _links(step: Step) -> list[Any]:
    """Which attempt succeeded, and each attempt's text with the lengths and the cursors of its pieces."""
    success = next((index for index, one in enumerate(step.attempts) if one is step.success), None)
    return [success, [_text(attempt) for attempt in step.attempts]]


def _text(attempt: Attempt) -> list[Any]:
    return [attempt.text, [length for length, _ in attempt.marks], " ".join(cursor for _, cursor in attempt.marks)]


def _link(step: Step, links: list[Any]) -> None:
    success, texts = links
    for attempt, (text, lengths, places) in zip(step.attempts, texts, strict=True):
        attempt._pieces[:] = [text] if text else []
        attempt.marks[:] = zip(lengths, places.split(), strict=True)
    step.success = None if success is None else step.attempts[success]
