"""Names of run states and buttons, for each kind of run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.content.workflows import ONBOARD_SITE, WRITE_POST
from app.contract.run import Run
from app.contract.status import RunStatus
from app.web.fragments.finished_version import finished_version


@dataclass(frozen=True, slots=True)
class Labels:
    """Words of one kind of run: names of its states and buttons.

    `status` names each state, `thing` the result, `work` the activity, as in "Safe to close this tab: WORK goes on".
    `stop`, `resume` and `retry` are the buttons' texts; without a `retry` there is no such button.
    """

    status: Mapping[RunStatus, str]
    thing: str
    work: str
    stop: str
    resume: str
    retry: str = ""


def _name_states(running: str, succeeded: str, incomplete: str, failed: str) -> dict[RunStatus, str]:
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
    _name_states("Writing", "Finished", "Finished with gaps", "Failed"), "post", "the writing", "Stop", "Go on writing"
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
"""Labels of a post that was finished without a gap: all later work on it is a rewrite."""
SITE_LABELS = Labels(
    _name_states("Reading", "Read", "Read with gaps", "Could not be read"),
    "site",
    "the reading",
    "Stop reading",
    "Go on reading",
    "Try the failed pages again",
)
RUN_LABELS = Labels(
    _name_states("Running", "Finished", "Finished with gaps", "Failed"),
    "run",
    "the work",
    "Stop",
    "Go on",
    "Retry what failed",
)

LABELS_BY_WORKFLOW: Mapping[str, Labels] = {WRITE_POST: POST_LABELS, ONBOARD_SITE: SITE_LABELS}
"""Labels by workflow; the runs of all others have `RUN_LABELS`."""


def labels_for(run: Run) -> Labels:
    """Return the labels of this run."""
    version = finished_version(run)
    return REWRITE_LABELS if version and version.whole else LABELS_BY_WORKFLOW.get(run.workflow, RUN_LABELS)
