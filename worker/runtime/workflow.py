"""Workflows: async functions with a typed input and output, made of components."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from app.contract.manifest import WorkflowManifest
from worker.runtime.values import result_adapter


@dataclass(frozen=True)
class Workflow:
    """A workflow as a worker runs it. `title` is a template over the input: `Post: {topic}`."""

    function: Callable[[Any], Awaitable[Any]]
    name: str
    version: str
    title: str
    description: str

    @cached_property
    def input(self) -> TypeAdapter[Any]:
        hints = get_type_hints(self.function)
        parameter = next(iter(inspect.signature(self.function).parameters))
        return TypeAdapter(hints[parameter])

    @property
    def output(self) -> TypeAdapter[Any]:
        return result_adapter(self.function)

    def manifest(self) -> WorkflowManifest:
        """Return the description of the workflow that the worker announces."""
        return WorkflowManifest(
            name=self.name,
            version=self.version,
            title=self.title,
            description=self.description,
            input_schema=self.input.json_schema(),
            output_schema=self.output.json_schema(mode="serialization"),
        )


def workflow(
    name: str, *, version: str = "1", title: str = ""
) -> Callable[[Callable[[Any], Awaitable[Any]]], Workflow]:
    """Make an async function of one annotated input a workflow.

    The name stands in addresses (`/api/workflows/NAME/runs`); the docstring's first line describes it there. Raise the
    version (whole numbers, or numbers parted by dots) when runs of the new code must not go back to the old one.
    """

    def build(function: Callable[[Any], Awaitable[Any]]) -> Workflow:
        if not inspect.iscoroutinefunction(function) or len(inspect.signature(function).parameters) != 1:
            raise TypeError(f"A workflow is an async function of one input; {function!r} is not.")
        if missing := {*inspect.signature(function).parameters, "return"} - {*function.__annotations__}:
            raise TypeError(
                f"{function!r} has no annotation for {' and '.join(sorted(missing))}. Annotate a workflow's input and "
                "result: its API and its forms are made from these types."
            )
        described = (inspect.getdoc(function) or "").partition("\n")[0]
        return Workflow(function, name, version, title, described)

    return build


class Workflows(Mapping[str, Workflow]):
    """The workflows of one worker, by name."""

    def __init__(self, workflows: Iterable[Workflow]) -> None:
        self._by_name: dict[str, Workflow] = {}
        for workflow in workflows:
            if self._by_name.setdefault(workflow.name, workflow) is not workflow:
                raise ValueError(f"There are two workflows “{workflow.name}”. Give one of them another name.")

    def __getitem__(self, name: str) -> Workflow:
        return self._by_name[name]

    def __iter__(self) -> Any:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def versions(self) -> dict[str, str]:
        return {name: workflow.version for name, workflow in self._by_name.items()}
