"""A small runtime for long-running agent workflows: components, checkpoints, retries, boundaries, traces.

It knows no store, queue or agent. A workflow file needs only what stands in `__all__`.
"""

from worker.runtime.asks import ask
from worker.runtime.boundary import Failed, Ok
from worker.runtime.component import Component, component
from worker.runtime.context import guidance, pause, progress, publish, run_id, say, spend, stream
from worker.runtime.errors import StepFailed
from worker.runtime.gather import gather
from worker.runtime.retry import NEVER, TRANSIENT, Retry, exponential
from worker.runtime.scope import resource
from worker.runtime.timeout import uncharged
from worker.runtime.values import Ref
from worker.runtime.workflow import Workflow, Workflows, workflow

__all__ = [
    "NEVER",
    "TRANSIENT",
    "Component",
    "Failed",
    "Ok",
    "Ref",
    "Retry",
    "StepFailed",
    "Workflow",
    "Workflows",
    "ask",
    "component",
    "exponential",
    "gather",
    "guidance",
    "pause",
    "progress",
    "publish",
    "resource",
    "run_id",
    "say",
    "spend",
    "stream",
    "uncharged",
    "workflow",
]
