"""Commands to a run between two passes: what they change is decided at once, and each is answered by a fact."""

from __future__ import annotations

from collections.abc import Sequence

from app.contract import events as e
from app.contract.cursors import is_after
from app.contract.payloads import Applied, HandedOver, Refused
from app.contract.run import Run
from app.contract.status import RunStatus
from worker.runtime.journal import Journal, RunRelease

UNREADABLE = "This version cannot read it."


def handle_commands(run: Run, newest: str, journal: Journal, epoch: int, *, draining: bool) -> RunRelease | None:
    """Answer every waiting command with a fact. Return how the run is released, or None when a pass follows.

    A cancel and the end that it brings are one append, so that a crash between them cannot lose the cancel. `newest` is
    the command for which the log refused the release: if the fold does not hold it, this version cannot read it.
    """
    accepted = [command for command in run.pending if command.id not in run.objections]
    facts = [_answer(command.id, run.objections.get(command.id, ""), epoch) for command in run.pending]
    handled = run.pending[-1].id if run.pending else run.handled
    if is_after(newest, handled):
        facts.append(_answer(newest, UNREADABLE, epoch))
        handled = newest
    cancels_and_retries = [command for command in accepted if isinstance(command, e.CommandCancel | e.CommandRetry)]
    if cancels_and_retries and isinstance(cancels_and_retries[-1], e.CommandCancel):
        return RunRelease([*facts, e.RunCancelled(epoch=epoch)], "ended", handled)
    if run.ending and not accepted:  # a refused command leaves the end as it was
        again = [] if run.ended else [run.ending.model_copy(update={"id": "", "at": e.now(), "epoch": epoch})]
        return RunRelease([*facts, *again], "ended", handled)
    if run.status is RunStatus.WAITING:
        return RunRelease(facts, "parked", handled)
    if draining:
        return hand_over(epoch, handled, facts)
    for fact in facts:
        journal.emit(fact)
        run.apply(fact)
    return None


def hand_over(epoch: int, handled: str, facts: Sequence[e.Event] = ()) -> RunRelease:
    """Return the release of a run whose worker is being replaced, for another worker."""
    handed_over = e.RunHandedOver(epoch=epoch, data=HandedOver(reason="its worker is being replaced"))
    return RunRelease([*facts, handed_over], "queued", handled)


async def wait_for_cancel(journal: Journal, handled: str) -> None:
    """Return when the log holds a cancel after the cursor `handled`. Raise what the journal raises."""
    while True:
        await journal.next_command(handled)
        commands = await journal.commands(handled)
        if any(isinstance(command, e.CommandCancel) for command in commands):
            return
        if commands:
            handled = commands[-1].id
            continue
        # This version cannot read the command that came: look beyond it, at all that stands in the log by now.
        run = await journal.fold()
        if run.cancelling:
            return
        handled = run.cursor


def _answer(command: str, objection: str, epoch: int) -> e.Event:
    if objection:
        return e.CommandRefused(epoch=epoch, data=Refused(command=command, reason=objection))
    return e.CommandApplied(epoch=epoch, data=Applied(command=command))
