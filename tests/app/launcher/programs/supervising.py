"""Supervises an obedient and a stubborn program in the folder of the first argument, until it is killed."""

import asyncio
import sys
from pathlib import Path

from app.launcher.process import ProcessCommand
from app.launcher.supervision import Supervision
from app.launcher.terminal import Terminal

HERE = Path(__file__).parent


async def main(folder: Path) -> None:
    supervision = Supervision(folder, Terminal())
    for name in ("obedient", "stubborn"):
        supervision.start(ProcessCommand(name, (sys.executable, "-u", str(HERE / f"{name}.py"))))
    await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1])))
