"""`python -m bench compare REVISION`: the figures of a revision beside those of the working tree.

Each version runs its own bench in its own environment, by its own Makefile; the two take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from bench.figures import Figures, comparison
from bench.machine import describe_machine
from bench.processes import ROOT, output_of
from bench.revisions import checked_out, describe_working_tree, resolve

_OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
"""Variables by which a make knows that it runs inside another one, and takes that one's `ARGS`."""


def run_compare(arguments: Sequence[str], benches: Sequence[str]) -> None:
    """Parse the command's arguments and print the table. `benches` are those that can be chosen."""
    parser = argparse.ArgumentParser(prog="bench compare", description="A revision beside the working tree.")
    parser.add_argument("revision", help="what to compare with, a commit whose bench knows --json")
    parser.add_argument("names", nargs="*", metavar="bench", help=f"some of {', '.join(benches)}; all, if none")
    parser.add_argument("--rounds", type=int, default=3, help="how often each version is measured (default 3)")
    parser.add_argument("--quick", action="store_true", help="a short run that shows that everything works")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(benches):
        parser.error(f"there is no bench {', '.join(sorted(unknown))}")
    try:
        asyncio.run(_compare(given.revision, given.names or benches, given.rounds, quick=given.quick))
    except RuntimeError as error:
        raise SystemExit(f"bench compare: {error}") from error


async def _compare(revision: str, names: Sequence[str], rounds: int, *, quick: bool) -> None:
    commit = await resolve(revision)
    async with checked_out(commit) as old:
        versions = {"before": old, "after": ROOT}
        measured: dict[str, list[Figures]] = {version: [] for version in versions}
        for number in range(rounds):
            for version in versions:
                measured[version].append({})
            for name, (version, folder) in product(names, versions.items()):
                print(f"round {number + 1} of {rounds}: {name}, {version}", file=sys.stderr)
                figures = await _measure(folder, f"--json --quick {name}" if quick else f"--json {name}")
                print(f"  {json.dumps(figures)}", file=sys.stderr)
                measured[version][-1] |= figures
    tree = await describe_working_tree()
    print(f"Before: {commit[:7]}. After: the working tree, {tree}. Rounds: {rounds}. {describe_machine()}\n")
    print(*comparison(measured["before"], measured["after"]), sep="\n")


async def _measure(folder: Path, arguments: str) -> Figures:
    """Have a version measure itself: its Makefile installs what it needs first."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
    said = await output_of("make", "bench", f"ARGS={arguments}", folder=folder, environment=environment)
    figures: Figures = json.loads(said.splitlines()[-1])
    return figures
