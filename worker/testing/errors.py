"""What the kit has against a workflow, or against its test.

AssertionError
└── ChaosFailure
    ├── InvariantBroken     a disturbed run did not come to what it should, or its log is not in order
    ├── WorldUnfit          the undisturbed run does not come to what the test says: disturbing it would show nothing
    └── Endless             a run goes on and on, or stands still
"""

from __future__ import annotations


class ChaosFailure(AssertionError):
    """Its message names the workflow, what was done to it, and the steps that it is about."""


class InvariantBroken(ChaosFailure):
    pass


class ScenarioUnfit(ChaosFailure):
    pass


class Endless(ChaosFailure):
    pass
