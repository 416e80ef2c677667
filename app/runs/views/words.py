"""What each kind of page calls its run's states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.contract.fold import Run
from app.contract.runs import RunStatus
from app.runs.views.version import finished_version


@dataclass(frozen=True, slots=True)
class Words:
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


POST = Words(
    _status("Writing", "Finished", "Finished with gaps", "Failed"), "post", "the writing", "Stop", "Go on writing"
)
REWRITE = replace(
    POST,
    status={
        **POST.status,
        RunStatus.RUNNING: "Rewriting",
        RunStatus.INCOMPLETE: "Finished, but a rewrite failed",
        RunStatus.FAILED: "Rewrite failed",
        RunStatus.CANCELLED: "Rewrite stopped",
    },
    resume="Go on with the rewrite",
)
"""For a post that was finished without a gap: whatever is done to it from then on is a rewrite."""
SITE = Words(
    _status("Reading", "Read", "Read with gaps", "Could not be read"),
    "site",
    "the reading",
    "Stop reading",
    "Go on reading",
    "Try the failed pages again",
)
RUN = Words(
    _status("Running", "Finished", "Finished with gaps", "Failed"),
    "run",
    "the work",
    "Stop",
    "Go on",
    "Retry what failed",
)

WORDS: Mapping[str, Words] = {"write-post": POST, "onboard-site": SITE}
"""The words for the runs of a workflow; others are `RUN`."""


def words_for(run: Run) -> Words:
    """What this run's states are called."""
    version = finished_version(run)
    return REWRITE if version and version.whole else WORDS.get(run.workflow, RUN)
