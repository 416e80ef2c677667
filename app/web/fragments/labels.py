"""What each kind of page calls its run's states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.content.workflows import ONBOARD_SITE, WRITE_POST
from app.contract.run import Run
from app.contract.status import RunStatus
from app.web.fragments.finished_version import finished_version


@dataclass(frozen=True, slots=True)
class Labels:
    """`status` names each state; `thing` is what the run makes, `work` what it does, as in "Safe to close: WORK goes
    on", `stop`, `resume` and `retry` are what the buttons say. An empty `retry` is no button."""

    status: Mapping[RunStatus, str]
    thing: str
    work: str
    stop: str
    resume: str
    retry: str = ""


def _status(running: str, succeeded: str, incomplete: str, failed: str) -> dict[RunStatus, str]:
    return {
        RunStatus.QUEUED: "Queued",
        RunStatus.RUNNING: running,
        RunStatus.WAITING: "Waiting for you",
        RunStatus.SUCCEEDED: succeeded,
        RunStatus.INCOMPLETE: incomplete,
        RunStatus.FAILED: failed,
        RunStatus.CANCELLED: "Stopped",
    }


POST_LABELS = Labels(
    _status("Writing", "Finished", "Finished with gaps", "Failed"), "post", "the writing", "Stop", "Go on writing"
)
REWRITE_LABELS = replace(
    POST_LABELS,
    status={
        **POST_LABELS.status,
        RunStatus.RUNNING: "Rewriting",
        RunStatus.INCOMPLETE: "Finished, but a rewrite failed",
        RunStatus.FAILED: "Rewrite failed",
        RunStatus.CANCELLED: "Rewrite stopped",
    },
    resume="Go on with the rewrite",
)
"""For a post that was finished without a gap: whatever is done to it from then on is a rewrite."""
SITE_LABELS = Labels(
    _status("Reading", "Read", "Read with gaps", "Could not be read"),
    "site",
    "the reading",
    "Stop reading",
    "Go on reading",
    "Try the failed pages again",
)
RUN_LABELS = Labels(
    _status("Running", "Finished", "Finished with gaps", "Failed"),
    "run",
    "the work",
    "Stop",
    "Go on",
    "Retry what failed",
)

LABELS_BY_WORKFLOW: Mapping[str, Labels] = {WRITE_POST: POST_LABELS, ONBOARD_SITE: SITE_LABELS}
"""The words for the runs of a workflow; others are `RUN_LABELS`."""


def labels_for(run: Run) -> Labels:
    """What this run's states are called."""
    version = finished_version(run)
    return REWRITE_LABELS if version and version.whole else LABELS_BY_WORKFLOW.get(run.workflow, RUN_LABELS)
