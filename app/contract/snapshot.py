"""Snapshots: a run's state as bytes, so that a long log need not be folded again from its beginning.

A loaded snapshot is the very state that was dumped: applying later events to it gives the same state as folding the
whole log. A snapshot only saves time: one of another version of the fold, or a damaged one, is ignored.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from app.contract.attempt import Attempt
from app.contract.run import Run
from app.contract.step import Step

LARGEST = 2**28
"""The most bytes of an unpacked snapshot: a larger one counts as damaged."""

FOLD_MODULES = (
    *("acceptance", "attempt", "codec", "cursors", "errors", "events", "payloads", "run", "run_state", "snapshot"),
    *("status", "step", "step_paths", "work_time"),
)
"""The modules that decide what a fold holds: the decoder, this module, and all that they import."""

_LINKS = {Run: {"_inside"}, Step: {"success"}, Attempt: {"_pieces", "marks"}}
"""Fields that are written apart: links between objects, and long texts, whose pieces would take long to validate."""

_DAMAGED = (zlib.error, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)


@cache
def snapshot_format() -> str:
    """Return the name of this version's format: a digest of `FOLD_MODULES`.

    Nobody has to remember to raise a number: where any of their code differs, so does the name, and snapshots of other
    versions are ignored.
    """
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / f"{name}.py").read_bytes() for name in FOLD_MODULES)).hexdigest()[:16]


def dump_run(run: Run) -> bytes:
    """Return the run's state as a snapshot."""
    document = {
        "run": run,
        "steps": [_dump_links(step) for step in run.steps.values()],
        # An answer that waits for a worker is the same object as its command: a refusal of the command takes it back.
        "waiting": [ask for ask, answer in run.answers.items() if run.commands.get(answer.id) is answer],
    }
    return zlib.compress(json.dumps(document, default=_to_json_value, separators=(",", ":")).encode(), 1)


def load_run(body: bytes) -> Run | None:
    """Return the state that was dumped; None for bytes that are no snapshot, or a damaged one."""
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(body, LARGEST)
        if not unpacker.eof:  # cut short, or too large: its checksum was not seen
            return None
        document = json.loads(text)
        run = _adapter().validate_python(document["run"])
        for step, links in zip(run.steps.values(), document["steps"], strict=True):
            _load_links(step, links)
        for ask in document["waiting"]:
            run.answers[ask] = run.commands[run.answers[ask].id]  # type: ignore[assignment]  # it was this very object
        for step in run.steps.values():
            run.link_step(step)
        return run
    except _DAMAGED:
        return None


@cache
def _adapter() -> TypeAdapter[Run]:
    return TypeAdapter(Run)


def _to_json_value(value: Any) -> Any:
    """Return a value that JSON lacks as one that it has."""
    if isinstance(value, BaseModel):
        return vars(value)
    if is_dataclass(value):
        kind: Any = type(value)  # as a key of the cache
        return {name: getattr(value, name) for name in _field_names(kind)}
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in a fold")


@cache
def _field_names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind) if field.name not in _LINKS.get(kind, ())]


def _dump_links(step: Step) -> list[Any]:
    """Return the index of the attempt that counts as success, and each attempt's text with its marks."""
    success = next((index for index, one in enumerate(step.attempts) if one is step.success), None)
    return [success, [_dump_text(attempt) for attempt in step.attempts]]


def _dump_text(attempt: Attempt) -> list[Any]:
    return [attempt.text, [length for length, _ in attempt.marks], " ".join(cursor for _, cursor in attempt.marks)]


def _load_links(step: Step, links: list[Any]) -> None:
    success, texts = links
    for attempt, (text, lengths, places) in zip(step.attempts, texts, strict=True):
        attempt._pieces[:] = [text] if text else []
        attempt.marks[:] = zip(lengths, places.split(), strict=True)
    step.success = None if success is None else step.attempts[success]
