"""`Call`: one call of a component inside a run, which is a step with its attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.contract import events as e
from app.contract.errors import AppendRefused
from app.contract.payloads import (
    Called,
    ErrorData,
    Message,
    Output,
    Progress,
    Published,
    Retrying,
    Skipped,
    StepBegun,
    StepDone,
    StepError,
)
from app.contract.runs import StepStatus
from app.contract.steps import Remembered, Step
from worker.runtime.errors import clean_text
from worker.runtime.execution import Execution, Scope
from worker.runtime.values import digest, digest_inputs

FLUSH_SECONDS = 0.1
"""How long streamed text may wait for more."""

NO_LONGER = "the run no longer comes here"

Attempt = Callable[[], Awaitable[Any]]
"""What a policy wraps: the call itself, or the policies within."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two calls the same to a checkpoint."""

    component: str
    version: str
    inputs: dict[str, str]
    generation: str

    @property
    def fingerprint(self) -> str:
        return digest([self.component, self.version, self.inputs, self.generation])

    @property
    def content(self) -> str:
        """The identity apart from retries: what a cache goes by, and an old success that still stands."""
        return digest([self.component, self.version, self.inputs])


class Call:
    """A step in the making: emits its events, numbers its attempts, holds back its text for a moment."""

    def __init__(
        self,
        execution: Execution,
        parent: Scope | None,
        path: str,
        *,
        component: str,
        version: str,
        arguments: dict[str, Any],
        label: str = "",
        key: str = "",
        policies: list[str] | None = None,
    ) -> None:
        self.execution = execution
        self.path = path
        self.scope = Scope(execution, path, self, parent)
        self.label, self.key, self.policies = clean_text(label), clean_text(key), policies or []
        self.begun = False
        self.origin = "call"
        known = self.known
        self.identity = Identity(component, version, digest_inputs(arguments, path), known.generation if known else "")
        self.fingerprint = self.identity.fingerprint
        self.miss = ""
        self._offset = 0
        self._held_back = ""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def known(self) -> Step | None:
        """The step as the log knows it."""
        return self.execution.run.steps.get(self.path)

    def begin(self) -> None:
        """Start the next attempt."""
        latest = self.known.latest if self.known else None
        self.scope.attempt = latest.number + 1 if latest else 1
        if self.begun:
            self.scope.children.clear()
            self.scope.asked.clear()
            self.execution.forget(self.path)
        self.begun = True
        self._offset, self._held_back = 0, ""
        begun = StepBegun(
            component=self.identity.component,
            label=self.label,
            key=self.key,
            version=self.identity.version,
            fingerprint=self.fingerprint,
            inputs=self.identity.inputs,
            generation=self.identity.generation,
            miss=self.miss,
            policies=self.policies,
        )
        self._emit(e.StepStarted, begun)

    async def succeed(self, result: Any) -> None:
        """The step succeeded with this JSON result; returns when the log says so."""
        self.flush()
        self._skip_unvisited()
        self._emit(e.StepSucceeded, self.done(result))
        await self.execution.commit()

    async def fail(self, error: ErrorData, *, stands: bool) -> None:
        """All attempts failed; returns when the log says so. `stands`: an earlier success goes on counting."""
        self.flush()
        if not self.begun:
            self.begin()
        if not stands:
            self._skip_unvisited()
        self._emit(e.StepFailed, self.failed(error, stands=stands))
        await self.execution.commit()

    def bring_back(self, before: Remembered) -> None:
        """The remembered outcome counts again, after the step was skipped or had other inputs for a while."""
        known = self.known
        attempt = known.attempt(before.attempt) if known else None
        self.scope.attempt = before.attempt
        self.origin = attempt.origin if attempt else self.origin
        if before.error is None:
            self._emit(e.StepSucceeded, self.done(before.result))
        else:
            stands = self.standing_success() is not None
            self._emit(e.StepFailed, self.failed(before.error, stands=stands))

    def _skip_unvisited(self) -> None:
        for step in self.execution.unvisited(self.execution.run.below(self.path)):
            if step.status is not StepStatus.SKIPPED:
                self.execution.emit(
                    e.StepSkipped(step=step.path, epoch=self.execution.epoch, data=Skipped(reason=NO_LONGER))
                )

    def done(self, result: Any = None) -> StepDone:
        """What the log remembers of a success."""
        return StepDone(
            result=result,
            fingerprint=self.fingerprint,
            inputs=self.identity.inputs,
            generation=self.identity.generation,
            origin=self.origin,
        )

    def failed(self, error: ErrorData, *, stands: bool = False) -> StepError:
        """What the log remembers of a final failure."""
        return StepError(
            error=error,
            fingerprint=self.fingerprint,
            inputs=self.identity.inputs,
            generation=self.identity.generation,
            stands=stands,
        )

    def pause(self, error: ErrorData, seconds: float, *, counted: bool) -> None:
        """The attempt failed, and another follows after `seconds`."""
        self.flush()
        self._emit(e.StepRetrying, Retrying(error=error, seconds=seconds, counted=counted))

    def say(self, text: str) -> None:
        self._emit(e.StepMessage, Message(text=clean_text(text[:2000])))

    def progress(self, done: int, total: int) -> None:
        self._emit(e.StepProgress, Progress(done=done, total=total))

    def publish(self, name: str, value: Any) -> None:
        self.flush()
        self._emit(e.ObjectPublished, Published(name=name, value=value))

    def spend(self, call: Called) -> None:
        self._emit(e.ModelCalled, call)

    def write(self, text: str) -> None:
        """Stream text: the first piece goes out at once, what follows at most every `FLUSH_SECONDS`."""
        self._held_back += clean_text(text)
        if self._timer is None:
            self._flush_text()
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._tick)

    def flush(self) -> None:
        """Give out what was held back, and stop the timer."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._flush_text()

    def _tick(self) -> None:
        self._timer = None
        if self._held_back and self.execution.lost is None:
            with suppress(AppendRefused):  # the pass has noted that, and ends
                self._flush_text()
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._tick)

    def _flush_text(self) -> None:
        if self._held_back:
            text, self._held_back = self._held_back, ""
            self._emit(e.StepOutput, Output(offset=self._offset, text=text))
            self._offset += len(text)

    def _emit(self, kind: Any, data: Any) -> None:
        self.execution.emit(kind(step=self.path, attempt=self.scope.attempt, epoch=self.execution.epoch, data=data))

    def remembered_success(self) -> Remembered | None:
        """The step's last success, if it is of this very identity; else `miss` says why not."""
        known = self.known
        if known is None:
            return None
        if known.succeeded and known.succeeded.fingerprint == self.fingerprint:
            return known.succeeded
        if before := known.succeeded or known.failed:
            self.miss = self._explain_miss(before)
        return None

    def remembered_failure(self) -> Remembered | None:
        """The step's last final failure, if it is of this very identity."""
        known = self.known
        if known and known.failed and known.failed.fingerprint == self.fingerprint:
            return known.failed
        return None

    def standing_success(self) -> Remembered | None:
        """The step's last success, if only a retry lies between it and this call."""
        known = self.known
        if known is None or known.succeeded is None:
            return None
        before = known.succeeded
        same = Identity(self.identity.component, self.identity.version, before.inputs, before.generation)
        if before.inputs == self.identity.inputs and same.fingerprint == before.fingerprint:
            return before
        return None

    def _explain_miss(self, before: Remembered) -> str:
        if before.generation != self.identity.generation:
            return "it was retried"
        changed = [
            name
            for name in {**before.inputs, **self.identity.inputs}
            if before.inputs.get(name) != self.identity.inputs.get(name)
        ]
        if changed:
            return "changed: " + ", ".join(changed)
        return f"the component is version {self.identity.version} now"
