"""`gather`: branches that run at once, and have all ended when it returns or raises."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable
from typing import Generic, TypeVar

from worker.runtime.execution import Execution
from worker.runtime.scope import current_scope

T = TypeVar("T")


async def gather(*branches: Awaitable[T], limit: int | None = None) -> list[T]:
    """Run branches at once, at most `limit` of them at a time; return their results in order.

    When one raises, the others are cancelled and awaited before the error is raised: nothing writes after the end. A
    branch that waits for a person counts towards `limit`.
    """
    if not branches:
        return []
    return await _Branches(current_scope().execution, branches).run(limit or len(branches))


class _Branches(Generic[T]):
    """The branches of one `gather`. The execution counts how many of them can run: those that have begun and are not
    blocked.

    A branch that has ended counts until its result was taken, so that the pass is never held to be stuck too early.
    Branches in a task that is not counted are not counted either.
    """

    def __init__(self, execution: Execution, branches: tuple[Awaitable[T], ...]) -> None:
        self._execution = execution
        self._counted = execution.in_branch
        self._waiting = deque(enumerate(branches))
        self._running: dict[asyncio.Future[T], int] = {}
        self._results: dict[int, T] = {}

    async def run(self, limit: int) -> list[T]:
        counted = min(limit, len(self._waiting))
        self._add_runnable(counted)
        self._add_runnable(-1)
        try:
            self._start_branches(limit)
            while self._running:
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._results[self._running.pop(task)] = task.result()
                self._start_branches(limit)
                if self._running:
                    self._add_runnable(len(self._running) - counted)
                    counted = len(self._running)
        finally:
            self._add_runnable(1)
            try:
                await self._cancel_rest()
            finally:
                self._add_runnable(-counted)
        return [self._results[index] for index in sorted(self._results)]

    def _add_runnable(self, count: int) -> None:
        if self._counted:
            self._execution.add_runnable(count)

    def _start_branches(self, limit: int) -> None:
        while self._waiting and len(self._running) < limit:
            index, branch = self._waiting.popleft()
            task = asyncio.ensure_future(branch)
            self._running[task] = index
            if self._counted:
                self._execution.branch_tasks.add(task)

    async def _cancel_rest(self) -> None:
        for _, branch in self._waiting:
            if inspect.iscoroutine(branch):
                branch.close()
        for task in self._running:
            self._execution.interrupted.add(task)
            task.cancel()
        interrupted: asyncio.CancelledError | None = None
        while pending := [task for task in self._running if not task.done()]:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError as error:
                interrupted = error  # being cancelled once more is no reason to leave them alone
        await asyncio.gather(*self._running, return_exceptions=True)
        if interrupted is not None:
            raise interrupted
