"""Worker processes that start at once: forked from a process that has loaded all that a worker needs.

`python -m tests.support.nursery` reads orders from its standard input, one JSON object a line, and answers in the same
way: the id of the process that was started, and the exit code of each that has ended. What it forks is a process like
any other, which can be killed, frozen and stopped by itself; it only has not had to import anything.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import random
import runpy
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]
LOOK_SECONDS = 0.01


class Child:
    """A process that the nursery has started. `returncode` is None while it lives; a signal's is negative."""

    def __init__(self, process_id: int) -> None:
        self.pid = process_id
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        while self.returncode is None:
            await asyncio.sleep(LOOK_SECONDS)
        return self.returncode


class Nursery:
    """Starts children, in whichever event loop."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._children: dict[int, Child] = {}
        self._newest: Child | None = None
        self._ordering = threading.Lock()
        self._heard = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        atexit.register(self.close)

    def start(self, module: str, arguments: Sequence[str], environment: Mapping[str, str], report: Path) -> Child:
        """Start a module as `python -m` does. What it says goes to the report."""
        order = {
            "module": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "report": str(report),
        }
        assert self._process.stdin is not None
        with self._ordering, self._heard:
            self._newest = None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            self._heard.wait_for(lambda: self._newest or self._process.poll() is not None)
            if self._newest is None:
                raise AssertionError("the nursery has ended")
            return self._newest

    def close(self) -> None:
        """End it; its children live on, and are for those who started them to end."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            with self._heard:
                if "code" in said:
                    self._children.pop(said["pid"]).returncode = said["code"]
                else:
                    self._newest = self._children[said["pid"]] = Child(said["pid"])
                self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()


@cache
def nursery() -> Nursery:
    """The nursery of this process, which is there from the first use on."""
    return Nursery()


def main() -> None:
    """Fork for each order, and tell of each end, until there is nobody who gives orders."""
    from worker.main import warm_up

    warm_up(models=True)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    orders = os.fdopen(0, "rb", buffering=0)
    while True:
        ready, _, _ = select.select([orders.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_of_ends()
        if orders.fileno() in ready:
            line = orders.readline()
            if not line:
                return
            _tell(pid=_start(json.loads(line)))


def _start(order: dict[str, Any]) -> int:
    process_id = os.fork()
    if process_id == 0:
        _become(order)
    return process_id


def _become(order: dict[str, Any]) -> NoReturn:
    """Be that process, from now to its end."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    report = os.open(order["report"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (report, 1), (report, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(order["environment"])
    random.seed()
    sys.argv[1:] = order["arguments"]
    code = 0
    try:
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _tell_of_ends() -> None:
    while True:
        try:
            process_id, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not process_id:
            return
        _tell(pid=process_id, code=os.waitstatus_to_exitcode(status))


def _tell(**what: int) -> None:
    os.write(1, (json.dumps(what) + "\n").encode())


if __name__ == "__main__":
    main()
