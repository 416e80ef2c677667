"""Supervises an obedient and a stubborn program in the folder of the first argument, until it is killed."""

import asyncio
import sys
from pathlib import Path

from app.processes.output import Terminal
from app.processes.process import Command
from app.processes.supervision import Supervision

HERE = Path(__file__).parent


async def main(folder: Path) -> None:
    supervision = Supervision(folder, Terminal())
    for name in ("obedient", "stubborn"):
        supervision.start(Command(name, (sys.executable, "-u", str(HERE / f"{name}.py"))))
    await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1])))
