"""A fork server: starts worker processes at once, from a process that has imported all that a worker needs.

`python -m tests.support.fork_server` reads requests from its standard input, one JSON object a line, and answers in the
same way: the id of the process that was started, and the exit code of each that has ended. A forked process is like any
other, and can be killed, frozen and stopped by itself.
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
POLL_SECONDS = 0.01


class ForkedProcess:
    """A process that the fork server has started. `returncode` is None while it lives; a signal's is negative."""

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
            await asyncio.sleep(POLL_SECONDS)
        return self.returncode


class ForkServer:
    """The client of a fork server. Starts processes, whichever event loop calls it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._children: dict[int, ForkedProcess] = {}
        self._newest: ForkedProcess | None = None
        self._requesting = threading.Lock()
        self._answered = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        atexit.register(self.close)

    def start(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log_file: Path
    ) -> ForkedProcess:
        """Start a module as `python -m` does. Its output goes to `log_file`."""
        request = {
            "module": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "log_file": str(log_file),
        }
        assert self._process.stdin is not None
        with self._requesting, self._answered:
            self._newest = None
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            self._answered.wait_for(lambda: self._newest or self._process.poll() is not None)
            if self._newest is None:
                raise AssertionError("the fork server has ended")
            return self._newest

    def close(self) -> None:
        """End the fork server. Its children live on; whoever started them ends them."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            with self._answered:
                if "code" in answer:
                    self._children.pop(answer["pid"]).returncode = answer["code"]
                else:
                    self._newest = self._children[answer["pid"]] = ForkedProcess(answer["pid"])
                self._answered.notify_all()
        with self._answered:
            self._answered.notify_all()


@cache
def fork_server() -> ForkServer:
    """Return the fork server of this test process, started with the first use."""
    return ForkServer()


def main() -> None:
    """Fork for each request, and report each end, until the input is closed."""
    from worker.main import warm_up

    warm_up(models=True)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    requests = os.fdopen(0, "rb", buffering=0)
    while True:
        ready, _, _ = select.select([requests.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _report_ends()
        if requests.fileno() in ready:
            line = requests.readline()
            if not line:
                return
            _report(pid=_start(json.loads(line)))


def _start(request: dict[str, Any]) -> int:
    process_id = os.fork()
    if process_id == 0:
        _run_module(request)
    return process_id


def _run_module(request: dict[str, Any]) -> NoReturn:
    """Run the module in this process, and end with it."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log_file = os.open(request["log_file"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log_file, 1), (log_file, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(request["environment"])
    random.seed()
    sys.argv[1:] = request["arguments"]
    code = 0
    try:
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
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


def _report_ends() -> None:
    while True:
        try:
            process_id, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not process_id:
            return
        _report(pid=process_id, code=os.waitstatus_to_exitcode(status))


def _report(**answer: int) -> None:
    os.write(1, (json.dumps(answer) + "\n").encode())


if __name__ == "__main__":
    main()
