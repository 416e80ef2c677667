"""The scope: which attempt of which step the running code belongs to."""

from __future__ import annotations

from collections import Counter
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast

from app.contract import events as e
from app.contract.payloads import Message, Published
from app.contract.step import Step
from worker.runtime.clock import Clock
from worker.runtime.errors import DuplicatePath, OutsideRun, clean_text
from worker.runtime.execution import Execution
from worker.runtime.text_stream import TextStream

T = TypeVar("T")


@dataclass(slots=True)
class Scope:
    """One attempt of a step, as the code that runs in it sees it.

    `text` is what it streams, `calls` are the paths of the steps it has called, `clocks` those of its timeouts, and
    `ask_counts` says how often it has asked each question.
    """

    execution: Execution
    path: str
    parent: Scope | None = None
    attempt: int = 1
    calls: set[str] = field(default_factory=set)
    clocks: list[Clock] = field(default_factory=list)
    ask_counts: Counter[str] = field(default_factory=Counter)
    text: TextStream = field(init=False)
    _closed: bool = False

    def __post_init__(self) -> None:
        self.text = TextStream(partial(self.emit, e.StepOutput))

    @property
    def step(self) -> Step | None:
        """The fold of the step, or None before its first event."""
        return self.execution.run.steps.get(self.path)

    def emit(self, kind: Any, data: Any) -> None:
        """Append a fact about this attempt to the log. Raise `OutsideRun` when an attempt around it is over."""
        if self.parent:
            self.parent.check_open()
        self.execution.emit(kind(step=self.path, attempt=self.attempt, epoch=self.execution.epoch, data=data))

    def say(self, text: str) -> None:
        """Append a line for the people who watch."""
        self.emit(e.StepMessage, Message(text=clean_text(text[:2000])))

    def publish(self, name: str, value: Any) -> None:
        """Append a named JSON value, after the text that was streamed before it."""
        self.text.flush()
        self.emit(e.ObjectPublished, Published(name=name, value=value))

    @property
    def closed(self) -> bool:
        """True when this attempt is over, or one around it: nothing can be written for it any more."""
        return self._closed or (self.parent is not None and self.parent.closed)

    def close(self) -> None:
        """End the attempt for its code: tasks that it has left behind can write nothing more."""
        self._closed = True

    def check_open(self) -> None:
        """Raise `OutsideRun` when the attempt is over."""
        if self.closed:
            raise OutsideRun(
                f"This attempt of {self.path} is over, so that nothing can be written for it any more. "
                "Await the tasks that a step starts before it returns or raises."
            )

    def add_call(self, path: str) -> None:
        """Note a call of the step at `path`. Raise `DuplicatePath` when this attempt has called it before."""
        if path in self.calls:
            raise DuplicatePath(f"{path} is called twice. Give each call a path of its own: `component.key(…)(…)`.")
        self.calls.add(path)
        self.execution.visited.add(path)


_current: ContextVar[Scope] = ContextVar("longhand_scope")


def current_scope() -> Scope:
    """Return the scope of the running code. Raise `OutsideRun` where there is none, and where its attempt is over."""
    try:
        scope = _current.get()
    except LookupError:
        raise OutsideRun("This can only be called from inside a running workflow.") from None
    scope.check_open()
    return scope


def enter_scope(scope: Scope) -> Token[Scope]:
    """Make `scope` the current one; return the token with which it is left."""
    return _current.set(scope)


def leave_scope(token: Token[Scope]) -> None:
    """Make that scope current again which was so before."""
    _current.reset(token)


def resource(kind: type[T]) -> T:
    """Return what the worker was wired with under this type: an author, a database, a site reader."""
    found = current_scope().execution.resources.get(kind)
    if found is None:
        raise OutsideRun(f"This worker has no {kind.__name__}. Wire it in worker/main.py.")
    return cast(T, found)
