"""The identity of a step, by which a checkpoint finds the outcome of an earlier call."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.contract.step import Remembered
from worker.runtime.values import digest


@dataclass(frozen=True, slots=True)
class StepIdentity:
    """The component of a call, its version, a digest of each input, and the newest retry that named the step."""

    component: str
    version: str
    inputs: dict[str, str]
    generation: str

    @property
    def fingerprint(self) -> str:
        """A digest of the whole identity."""
        return digest([self.component, self.version, self.inputs, self.generation])

    @property
    def content(self) -> str:
        """A digest of the identity apart from retries, which is the key of a cache."""
        return digest([self.component, self.version, self.inputs])

    def matches_apart_from_retries(self, before: Remembered) -> bool:
        """Return whether a remembered outcome is of the same component, version and inputs, for whatever retry."""
        return replace(self, generation=before.generation).fingerprint == before.fingerprint

    def explain_miss(self, before: Remembered) -> str:
        """Return in what this call differs from a remembered one."""
        if before.generation != self.generation:
            return "it was retried"
        names = {**before.inputs, **self.inputs}
        changed = [name for name in names if before.inputs.get(name) != self.inputs.get(name)]
        if changed:
            return "changed: " + ", ".join(changed)
        return f"the component is version {self.version} now"
