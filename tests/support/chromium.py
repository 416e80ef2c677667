"""The browser of the tests: the Chromium of this machine, else Playwright's own."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@cache
def find_chromium() -> str | None:
    """The machine's Chromium; None says: take Playwright's. A program that does not start (a snap's shell) is none."""
    for name in _NAMES:
        path = shutil.which(name)
        if path and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0:
            return path
    return None
