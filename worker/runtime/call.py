"""`StepCall`: one call of a component inside a run, which is a step with its attempts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from app.contract import events as e
from app.contract.payloads import (
    ErrorData,
    Retrying,
    StepBegun,
    StepDone,
    StepError,
)
from app.contract.step import Remembered, Step
from worker.runtime.errors import clean_text
from worker.runtime.execution import Execution
from worker.runtime.identity import StepIdentity
from worker.runtime.scope import Scope
from worker.runtime.skipping import skip_open, skip_unvisited
from worker.runtime.values import digest_inputs

Invocation = Callable[[], Awaitable[Any]]
"""What a policy wraps: the component's function, or the policies inside it."""


class StepCall:
    """A step in the making: emits its events and numbers its attempts. `scope` is the present attempt."""

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
        self.scope = Scope(execution, path, parent)
        self.label, self.key, self.policies = clean_text(label), clean_text(key), policies or []
        self.begun = False
        self.origin = "call"
        self.keep: Callable[[Any], Awaitable[None]] | None = None
        known = self.known
        self.identity = StepIdentity(
            component, version, digest_inputs(arguments, path), known.generation if known else ""
        )
        self.fingerprint = self.identity.fingerprint
        self.miss = ""
        self._parent = parent

    @property
    def known(self) -> Step | None:
        """The step as the log knows it."""
        return self.scope.known

    def begin(self) -> None:
        """Start the next attempt."""
        latest = self.known.latest if self.known else None
        self.scope.close()
        self.scope = Scope(self.execution, self.path, self._parent, latest.number + 1 if latest else 1)
        if self.begun:
            self.execution.forget(self.path)
        self.begun = True
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
        self.scope.emit(e.StepStarted, begun)

    async def succeed(self, result: Any) -> None:
        """The step succeeded with this JSON result; returns when the log says so, and others may `keep` it."""
        self.flush()
        self._end_below()
        self.scope.emit(e.StepSucceeded, self.done(result))
        await self.execution.commit()
        if self.keep:
            await self.keep(result)

    async def fail(self, error: ErrorData, *, stands: bool) -> None:
        """All attempts failed; returns when the log says so. `stands`: an earlier success goes on counting."""
        self.flush()
        if not self.begun:
            self.begin()
        self._end_below(stands=stands)
        self.scope.emit(e.StepFailed, self.failed(error, stands=stands))
        await self.execution.commit()

    def bring_back(self, before: Remembered) -> None:
        """The remembered outcome counts again, after the step was skipped or had other inputs for a while."""
        known = self.known
        attempt = known.attempt(before.attempt) if known else None
        self.scope.attempt = before.attempt
        self.origin = attempt.origin if attempt else self.origin
        if before.error is None:
            self.scope.emit(e.StepSucceeded, self.done(before.result))
        else:
            stands = self.standing_success() is not None
            self.scope.emit(e.StepFailed, self.failed(before.error, stands=stands))

    def interrupt(self) -> None:
        """The call was cancelled. If that was not the whole pass, the step would be open for ever: it is skipped."""
        around_is_over = self._parent is not None and self._parent.closed  # then it has been skipped
        if self.known and self.execution.going_on and not around_is_over:
            with suppress(Exception):  # what the log refuses is noted, and ends the pass
                skip_open(self.execution, [*self.execution.run.below(self.path), self.known])

    def _end_below(self, *, stands: bool = False) -> None:
        """Nothing goes on inside a step that has ended. What it did not visit is no part of it, unless it `stands`."""
        below = self.execution.run.below(self.path)
        skip_open(self.execution, below)
        if not stands:
            skip_unvisited(self.execution, below)

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
        skip_open(self.execution, self.execution.run.below(self.path))
        self.scope.emit(e.StepRetrying, Retrying(error=error, seconds=seconds, counted=counted))

    def flush(self) -> None:
        """Emit the text that was held back."""
        self.scope.text.flush()

    def remembered_success(self) -> Remembered | None:
        """The step's last success, if it is of this very identity; else `miss` says why not."""
        known = self.known
        if known is None:
            return None
        if known.succeeded and known.succeeded.fingerprint == self.fingerprint:
            return known.succeeded
        if before := known.succeeded or known.failed:
            self.miss = self.identity.explain_miss(before)
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
        same = StepIdentity(self.identity.component, self.identity.version, before.inputs, before.generation)
        if before.inputs == self.identity.inputs and same.fingerprint == before.fingerprint:
            return before
        return None
