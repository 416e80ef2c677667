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
"""The inside of a policy: the component's function, or the policies inside it."""


class StepCall:
    """A step that is being called: it numbers its attempts and writes its events.

    `scope` is the present attempt; `begun` says whether this pass has begun one. `origin` is where the result comes
    from ("call", "cache" or "fallback"), `miss` why the log's outcome could not be used, and `cache_result` stores the
    result for other runs.
    """

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
        self.miss = ""
        self.cache_result: Callable[[Any], Awaitable[None]] | None = None
        step = self.step
        self.identity = StepIdentity(
            component, version, digest_inputs(arguments, path), step.generation if step else ""
        )
        self.fingerprint = self.identity.fingerprint
        self._parent = parent

    @property
    def step(self) -> Step | None:
        """The fold of the step, or None before its first event."""
        return self.scope.step

    def begin_attempt(self) -> None:
        """Begin the next attempt."""
        latest = self.step.latest if self.step else None
        self.scope.close()
        self.scope = Scope(self.execution, self.path, self._parent, latest.number + 1 if latest else 1)
        if self.begun:
            self.execution.forget_below(self.path)
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
        """Record the step's success with this JSON result. Return when the log holds it, and the cache if any."""
        self.flush()
        self._end_steps_below()
        self.scope.emit(e.StepSucceeded, self.success_data(result))
        await self.execution.commit()
        if self.cache_result:
            await self.cache_result(result)

    async def fail(self, error: ErrorData, *, stands: bool) -> None:
        """Record the step's final failure. Return when the log holds it. `stands`: an earlier success still counts."""
        self.flush()
        if not self.begun:
            self.begin_attempt()
        self._end_steps_below(stands=stands)
        self.scope.emit(e.StepFailed, self.failure_data(error, stands=stands))
        await self.execution.commit()

    def restore(self, outcome: Remembered, *, stands: bool = False) -> None:
        """Make a remembered outcome count again, after the step was skipped or had other inputs for a while."""
        attempt = self.step.attempt(outcome.attempt) if self.step else None
        self.scope.attempt = outcome.attempt
        self.origin = attempt.origin if attempt else self.origin
        if outcome.error is None:
            self.scope.emit(e.StepSucceeded, self.success_data(outcome.result))
        else:
            self.scope.emit(e.StepFailed, self.failure_data(outcome.error, stands=stands))

    def schedule_retry(self, error: ErrorData, seconds: float, *, counted: bool) -> None:
        """Record that the attempt failed, and that another follows after `seconds`."""
        self.flush()
        skip_open(self.execution, self.execution.run.below(self.path))
        self.scope.emit(e.StepRetrying, Retrying(error=error, seconds=seconds, counted=counted))

    def skip_interrupted(self) -> None:
        """Skip the step after its call was cancelled, unless the whole pass was: no other call would ever close it."""
        skipped_with_parent = self._parent is not None and self._parent.closed
        if self.step and self.execution.active and not skipped_with_parent:
            with suppress(Exception):  # an error of the log is noted by the execution, and ends the pass
                skip_open(self.execution, [*self.execution.run.below(self.path), self.step])

    def flush(self) -> None:
        """Emit the text that was held back."""
        self.scope.text.flush()

    def success_data(self, result: Any = None) -> StepDone:
        """Return what the log remembers of a success."""
        return StepDone(
            result=result,
            fingerprint=self.fingerprint,
            inputs=self.identity.inputs,
            generation=self.identity.generation,
            origin=self.origin,
        )

    def failure_data(self, error: ErrorData, *, stands: bool = False) -> StepError:
        """Return what the log remembers of a final failure."""
        return StepError(
            error=error,
            fingerprint=self.fingerprint,
            inputs=self.identity.inputs,
            generation=self.identity.generation,
            stands=stands,
        )

    def _end_steps_below(self, *, stands: bool = False) -> None:
        """Skip what is open inside the step, and, unless an earlier success `stands`, what this pass did not call."""
        below = self.execution.run.below(self.path)
        skip_open(self.execution, below)
        if not stands:
            skip_unvisited(self.execution, below)
