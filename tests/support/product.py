"""The whole product, started by `longhand up`, with its real web, worker and Redis processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.launcher.pid_locks import end_orphans

ROOT = Path(__file__).parents[2]
READY = "Longhand is ready: "
START_SECONDS = 100.0
STOP_SECONDS = 30.0


class Product:
    """One `longhand up` on a data folder and a port of its own. Settings are named as fields of `Settings`."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.url = ""
        self.lines: list[str] = []
        self._folder = folder
        self._settings = {f"LONGHAND_{name.upper()}": str(value) for name, value in settings.items()}
        self._printed = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._listener: threading.Thread | None = None

    @property
    def output(self) -> str:
        """All that its processes have printed."""
        return "".join(self.lines)

    def start(self) -> None:
        """Start the product, and return when it prints that it is ready."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("LONGHAND_")}
        own = {"LONGHAND_DATA_DIR": str(self._folder / "data"), "LONGHAND_PORT": "0", "LONGHAND_DRAIN_SECONDS": "2"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up"],
            cwd=self._folder,
            env={**others, "PYTHONPATH": str(ROOT), **own, **self._settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # A thread, since nobody reads the pipe between tests, and a full one would stop the product.
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        line = self.wait_for_line(READY)
        self.url = line.split(READY)[1].split()[0]

    def stop(self) -> None:
        """Stop the product as Ctrl-C does. Raise `AssertionError` when it has to be killed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"longhand up did not stop:\n{self.output[-4000:]}") from None
        finally:
            asyncio.run(end_orphans(self._folder / "data" / "processes"))

    def kill(self, name: str) -> int:
        """Kill its process `web`, `worker` or `redis`. Return how many lines had been printed before."""
        printed = len(self.lines)
        slot = self._folder / "data" / "processes" / f"{name}.lock"
        os.kill(int(slot.read_text()), signal.SIGKILL)
        return printed

    def wait_for_line(self, text: str, after: int = 0) -> str:
        """Return the first line with the text, after so many lines; wait until it is printed."""
        with self._printed:
            self._printed.wait_for(lambda: self._find(text, after) or self._has_ended(), START_SECONDS)
        if line := self._find(text, after):
            return line
        raise AssertionError(f"longhand up did not print {text!r}:\n{self.output[-4000:]}")

    def _listen(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            with self._printed:
                self.lines.append(line)
                self._printed.notify_all()
        with self._printed:
            self._printed.notify_all()

    def _find(self, text: str, after: int) -> str:
        return next((line for line in self.lines[after:] if text in line), "")

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


@contextmanager
def running_product(folder: Path, **settings: object) -> Iterator[Product]:
    """Run the product during the block."""
    product = Product(folder, **settings)
    try:
        product.start()
        yield product
    finally:
        product.stop()
