"""`python -m bench [--quick] [steps] [viewers] [reopening] [texts]`: runs those, all if none is named; prints tables.

`python -m bench compare REVISION` and `python -m bench shape [REVISION]` set a revision beside the working tree.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from bench.compare import run_compare
from bench.figures import Figures
from bench.machine import describe_machine
from bench.reopening import bench_reopening, reopening_figures
from bench.shape import run_shape
from bench.steps import bench_steps, steps_figures
from bench.texts import bench_texts, texts_figures
from bench.viewers import bench_viewers, viewers_figures


@dataclass(frozen=True)
class Bench:
    """`tables` measures all there is and prints it; `figures` measures once what versions are compared by."""

    tables: Callable[..., Coroutine[Any, Any, None]]
    figures: Callable[..., Coroutine[Any, Any, Figures]]


BENCHES = {
    "steps": Bench(bench_steps, steps_figures),
    "viewers": Bench(bench_viewers, viewers_figures),
    "reopening": Bench(bench_reopening, reopening_figures),
    "texts": Bench(bench_texts, texts_figures),
}


def main(arguments: Sequence[str]) -> None:
    # Asked to stop, it ends what it started, as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    match arguments:
        case ["compare", *rest]:
            run_compare(rest, list(BENCHES))
        case ["shape", *rest]:
            run_shape(rest)
        case _:
            run_benches(arguments)


def run_benches(arguments: Sequence[str]) -> None:
    """Parse the arguments and run what they name."""
    parser = argparse.ArgumentParser(prog="bench", description="Longhand's benchmarks.")
    parser.add_argument("names", nargs="*", metavar="bench", help=f"some of {', '.join(BENCHES)}; all, if none")
    parser.add_argument("--quick", action="store_true", help="a short run that shows that everything works")
    parser.add_argument("--json", action="store_true", help="only the figures that versions are compared by, as JSON")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(BENCHES):
        parser.error(f"there is no bench {', '.join(sorted(unknown))}")
    names = given.names or list(BENCHES)
    if given.json:
        measured = [asyncio.run(BENCHES[name].figures(quick=given.quick)) for name in names]
        print(json.dumps({name: value for figures in measured for name, value in figures.items()}))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(describe_machine())
    for name in names:
        asyncio.run(BENCHES[name].tables(console, quick=given.quick))


if __name__ == "__main__":
    main(sys.argv[1:])
