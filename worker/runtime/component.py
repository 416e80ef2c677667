"""Components: async functions with policies. Calling one inside a run is a step.

The policies compose in one fixed order, outermost first:
settle( checkpoint( fallback( cache( retry( timeout( call )))))).
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Generic, Literal, ParamSpec, TypeVar, cast, overload

from app.contract.status import step_path
from worker.runtime.boundary import Failed, Ok, settle
from worker.runtime.cache import Cache, use_cache
from worker.runtime.call import Invocation, StepCall
from worker.runtime.cancellation import normalise_cancellation
from worker.runtime.checkpoint import use_checkpoint
from worker.runtime.fallback import use_fallback
from worker.runtime.retry import NEVER, Retry, use_retries
from worker.runtime.scope import current_scope, enter_scope, leave_scope
from worker.runtime.timeout import limit_time
from worker.runtime.values import result_adapter

P = ParamSpec("P")
R = TypeVar("R")

_signature = cache(inspect.signature)


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies around a component's function."""

    retry: Retry = NEVER
    timeout: float | None = None
    cache: Cache | None = None
    fallback: Callable[..., Awaitable[Any]] | None = None
    settled: bool = False

    def describe(self) -> list[str]:
        """Return the policies as the trace shows them."""
        texts = ["settled"] if self.settled else []
        if self.fallback:
            texts.append("fallback")
        if self.cache:
            texts.append(str(self.cache))
        if self.retry.attempts > 1:
            texts.append(str(self.retry))
        if self.timeout:
            texts.append(f"timeout {self.timeout:g} s")
        return texts


@dataclass(frozen=True)
class Component(Generic[P, R]):
    """An async function with its policies. Immutable: each policy method returns a new component."""

    function: Callable[..., Awaitable[Any]]
    name: str
    version: str = "1"
    policies: Policies = Policies()
    call_key: str = ""
    call_label: str = ""

    def retry(self, retry: Retry) -> Component[P, R]:
        return self._with(retry=retry)

    def timeout(self, seconds: float) -> Component[P, R]:
        return self._with(timeout=seconds)

    def cache(self, ttl: float, scope: Literal["workspace", "everyone"] = "workspace") -> Component[P, R]:
        return self._with(cache=Cache(ttl, scope))

    def fallback(self, other: Callable[P, Awaitable[R]]) -> Component[P, R]:
        """Call `other` with the same arguments when all attempts failed, and use its result as the step's."""
        return self._with(fallback=other)

    def settled(self) -> Component[P, Ok[R] | Failed]:
        """Make the call return `Ok(value=…)` or `Failed(error=…)` instead of raising: the error boundary."""
        return cast("Component[P, Ok[R] | Failed]", self._with(settled=True))

    def key(self, key: str | int) -> Component[P, R]:
        """Set what distinguishes this call from others of the same component under the same parent."""
        return replace(self, call_key=self._as_text("key", key))

    def label(self, label: str | int) -> Component[P, R]:
        """Set the name of this step that people read."""
        return replace(self, call_label=self._as_text("label", label))

    def _as_text(self, what: str, value: object) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, int):
            return str(value)
        raise TypeError(f"A {what} of {self.name} is text or a whole number, not {value!r}. Pass `str(…)` of it.")

    def _with(self, **changes: Any) -> Component[P, R]:
        return replace(self, policies=replace(self.policies, **changes))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        arguments = _signature(self.function).bind(*args, **kwargs)
        arguments.apply_defaults()
        return self._run(arguments)

    async def _run(self, arguments: inspect.BoundArguments) -> R:
        scope = current_scope()
        path = step_path(scope.path, self.name, self.call_key)
        scope.add_call(path)
        call = StepCall(
            scope.execution,
            scope,
            path,
            component=self.name,
            version=self.version,
            arguments=dict(arguments.arguments),
            label=self.call_label,
            key=self.call_key,
            policies=self.policies.describe(),
        )
        try:
            return cast(R, await self._compose(call, arguments)())
        except asyncio.CancelledError:
            call.skip_interrupted()
            raise

    def _compose(self, call: StepCall, arguments: inspect.BoundArguments) -> Invocation:
        adapter = result_adapter(self.function)
        policies = self.policies
        attempt: Invocation = partial(_invoke, call, self.function, arguments)
        if policies.timeout:
            attempt = partial(limit_time, call, policies.timeout, attempt)
        attempt = partial(use_retries, call, policies.retry, attempt)
        if policies.cache:
            source = f"{self.function.__module__}.{self.function.__qualname__}"
            attempt = partial(use_cache, call, policies.cache, source, adapter, attempt)
        if policies.fallback:
            other = partial(_invoke, call, policies.fallback, arguments)
            attempt = partial(use_fallback, call, other, attempt)
        attempt = partial(use_checkpoint, call, adapter, attempt)
        return partial(settle, call, attempt) if policies.settled else attempt


async def _invoke(call: StepCall, function: Callable[..., Awaitable[Any]], arguments: inspect.BoundArguments) -> Any:
    scope = call.scope
    token = enter_scope(scope)
    try:
        with normalise_cancellation(call.path, call.execution):
            return await function(*arguments.args, **arguments.kwargs)
    finally:
        leave_scope(token)
        scope.close()
        call.flush()


Function = Callable[P, Awaitable[R]]


@overload
def component(function: Function[P, R]) -> Component[P, R]: ...
@overload
def component(
    *, name: str = "", version: str = "1", retry: Retry = NEVER, timeout: float | None = None
) -> Callable[[Function[P, R]], Component[P, R]]: ...


def component(
    function: Function[P, R] | None = None,
    *,
    name: str = "",
    version: str = "1",
    retry: Retry = NEVER,
    timeout: float | None = None,
) -> Component[P, R] | Callable[[Function[P, R]], Component[P, R]]:
    """Make an async function a component. Without a `name`, it has the function's, with hyphens.

    Change `version` when the code changes so much that results of the old code should not be used any more.
    """

    def build(wrapped: Function[P, R]) -> Component[P, R]:
        if not inspect.iscoroutinefunction(wrapped):
            raise TypeError(f"{wrapped!r} is no async function; only an async function can be a component.")
        title = name or wrapped.__name__.strip("_").replace("_", "-")
        return Component(wrapped, title, version, Policies(retry=retry, timeout=timeout))

    return build(function) if function is not None else build
