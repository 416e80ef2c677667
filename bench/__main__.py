"""`python -m bench [--quick] [steps] [viewers] [reopening] [texts]`: runs those, all if none is named; prints
tables."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from rich.console import Console

from bench.machine import describe_machine
from bench.reopening import bench_reopening
from bench.steps import bench_steps
from bench.texts import bench_texts
from bench.viewers import bench_viewers

BENCHES: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "steps": bench_steps,
    "viewers": bench_viewers,
    "reopening": bench_reopening,
    "texts": bench_texts,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description="Longhand's benchmarks.")
    parser.add_argument("names", nargs="*", metavar="bench", help=f"some of {', '.join(BENCHES)}; all, if none")
    parser.add_argument("--quick", action="store_true", help="a short run that shows that everything works")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHES):
        parser.error(f"there is no bench {', '.join(sorted(unknown))}")
    # Asked to stop, it ends what it started, as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(describe_machine())
    for name in given.names or BENCHES:
        asyncio.run(BENCHES[name](console, quick=given.quick))


if __name__ == "__main__":
    main()
