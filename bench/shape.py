"""`python -m bench shape [REVISION]`: how a revision is built, beside the working tree."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from bench.figures import comparison
from bench.processes import ROOT, output_of, python
from bench.revisions import checked_out, describe_working_tree, resolve
from bench.structure import Structure


def run_shape(arguments: Sequence[str]) -> None:
    """Parse the command's arguments and print the table."""
    parser = argparse.ArgumentParser(prog="bench shape", description="A revision beside the working tree.")
    parser.add_argument("revision", nargs="?", default="HEAD", help="what to compare with (default HEAD)")
    try:
        asyncio.run(_show(parser.parse_args(arguments).revision))
    except RuntimeError as error:
        raise SystemExit(f"bench shape: {error}") from error


async def _show(revision: str) -> None:
    commit = await resolve(revision)
    async with checked_out(commit) as folder:
        before, after = await _examine(folder), await _examine(ROOT)
    tree = await describe_working_tree()
    print(f"Before: {commit[:7]}. After: the working tree, {tree}.\n")
    print(*comparison([before.figures], [after.figures]), sep="\n")
    for when, structure in (("before", before), ("after", after)):
        circles = "; ".join(", ".join(circle) for circle in structure.circles)
        print(f"\nCircles {when}: {circles or 'none'}.")


async def _examine(folder: Path) -> Structure:
    """Examine a checkout in a process of its own, since a process finds only one package of a name."""
    return Structure(**json.loads(await output_of(*python("bench.structure", str(folder)))))
