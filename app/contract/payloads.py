"""The `data` of each event. Additions are optional fields: an old reader ignores them, an old entry lacks them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Nothing(Payload):
    """The data of an event that has none."""


class ErrorData(Payload):
    """An error as people read it. `step` is the path it came from.

    Retry policies read two fields: `transient`, whether the error might have gone away by itself, and `bases`, the base
    classes of its `kind`, the nearest first. Entries of older versions have neither, and `transient` is None.
    """

    kind: str
    message: str
    step: str = ""
    transient: bool | None = Field(None, exclude_if=lambda value: value is None)
    bases: list[str] = Field([], exclude_if=lambda value: not value)


class Submitted(Payload):
    workflow: str
    title: str
    input: Any = None


class Started(Payload):
    """A worker took the run. `number` counts the passes over the workflow function."""

    workflow: str
    version: str
    build: str = ""
    holder: str = ""
    number: int = 1


class Ask(Payload):
    """A question to a person. `ask` is the id of this very proposal; an answer must echo it."""

    ask: str
    name: str
    step: str
    proposal: Any = None
    answer_schema: dict[str, Any] = {}


class WaitingData(Payload):
    asks: list[Ask]


class HandedOver(Payload):
    """A worker gave the run up. `trouble`: not because the worker stops, but because it could not continue this run."""

    reason: str = ""
    trouble: bool = Field(False, exclude_if=lambda value: not value)


class Recovered(Payload):
    """The lease of `holder` ran out."""

    holder: str = ""


class Result(Payload):
    output: Any = None


class Incomplete(Payload):
    """The result stands, but the steps in `failed` (paths) failed inside their error boundary."""

    output: Any = None
    failed: list[str] = []


class StepBegun(Payload):
    """An attempt began. `fingerprint` covers component, version, inputs and generation. `inputs` holds a digest for
    each parameter, `miss` the reason why no remembered result could be used, `policies` the policies of the call."""

    component: str
    label: str = ""
    key: str = ""
    version: str = ""
    fingerprint: str = ""
    inputs: dict[str, str] = {}
    generation: str = ""
    miss: str = ""
    policies: list[str] = []


class Message(Payload):
    text: str


class Progress(Payload):
    done: int
    total: int


class Output(Payload):
    """A piece of the attempt's text; `offset` counts characters from the attempt's beginning."""

    offset: int
    text: str


class Retrying(Payload):
    """The attempt failed and another follows in `seconds`."""

    error: ErrorData
    seconds: float = 0
    counted: bool = True


class StepDone(Payload):
    """The step succeeded. `origin` is `call`, `cache` or `fallback`."""

    result: Any = None
    fingerprint: str = ""
    inputs: dict[str, str] = {}
    generation: str = ""
    origin: str = "call"


class StepError(Payload):
    """All attempts failed. `stands`: an earlier success of the step still counts."""

    error: ErrorData
    fingerprint: str = ""
    inputs: dict[str, str] = {}
    generation: str = ""
    stands: bool = False


class Skipped(Payload):
    reason: str = ""


class Called(Payload):
    """One request to a model, failed or not. `cost` is in US dollars, None when the price is unknown."""

    model: str
    kind: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    seconds: float = 0
    error: str = ""


class Published(Payload):
    name: str
    value: Any = None


class RetryData(Payload):
    """Retry these steps (paths), and the steps that depend on them. `guidance` is a person's wish for the retry."""

    steps: list[str] = []
    guidance: str = ""


class AnswerData(Payload):
    ask: str
    name: str
    value: Any = None


class Applied(Payload):
    """`command` is the cursor of the command that was handled."""

    command: str


class Refused(Payload):
    """`command` is the cursor of the command that was refused."""

    command: str
    reason: str
