"""Identity: what makes two calls the same to a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from app.contract.step import Remembered
from worker.runtime.values import digest


@dataclass(frozen=True, slots=True)
class StepIdentity:
    """A call's component, its version, a digest of each input, and the newest retry that named it."""

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

    def explain_miss(self, before: Remembered) -> str:
        """In what this call differs from a remembered one."""
        if before.generation != self.generation:
            return "it was retried"
        named = {**before.inputs, **self.inputs}
        changed = [name for name in named if before.inputs.get(name) != self.inputs.get(name)]
        if changed:
            return "changed: " + ", ".join(changed)
        return f"the component is version {self.version} now"
