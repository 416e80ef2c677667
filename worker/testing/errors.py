"""Errors of the chaos kit.

AssertionError
└── ChaosFailure
    ├── InvariantBroken     a disturbed run did not come to what it should, or its log is not in order
    ├── ScenarioUnfit       the undisturbed run does not come to what the test says: disturbing it would show nothing
    └── Endless             a run does not end, or writes nothing more
"""

from __future__ import annotations


class ChaosFailure(AssertionError):
    """The message names the workflow, what was done to it, and the steps that it is about."""


class InvariantBroken(ChaosFailure):
    pass


class ScenarioUnfit(ChaosFailure):
    pass


class Endless(ChaosFailure):
    pass
