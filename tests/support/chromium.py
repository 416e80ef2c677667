"""The browser of the tests: the Chromium of this machine, else Playwright's own."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@cache
def find_chromium() -> str | None:
    """Return the path of the machine's Chromium, or None for Playwright's. Pass over a program that does not start."""
    for name in _NAMES:
        path = shutil.which(name)
        if path and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0:
            return path
    return None
