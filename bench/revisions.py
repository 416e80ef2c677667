"""Other revisions of this repository, checked out beside it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.processes import ROOT, output_of


async def resolve(revision: str) -> str:
    """Return the commit that a revision names. Raises `RuntimeError` when it names none."""
    return (await output_of("git", "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")).strip()


async def describe_working_tree() -> str:
    """Name the working tree by the commit it is at, and say whether it was changed since."""
    return (await output_of("git", "describe", "--always", "--dirty", "--exclude", "*")).strip()


@asynccontextmanager
async def checked_out(commit: str) -> AsyncIterator[Path]:
    """Check a commit out into a new folder, for the length of the block.

    The folder is a clone, not a worktree: one that is left behind by a killed bench is not known to this repository.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name) / "longhand"
        await output_of("git", "clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(folder))
        await output_of("git", "checkout", "--quiet", "--detach", commit, folder=folder)
        yield folder
