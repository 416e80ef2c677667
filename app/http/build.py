"""The build of the application that this process runs: its folder, and its version as caches know it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder, with `templates` and `static`."""

_RENDERERS = ("jinja2", "markupsafe", "markdown-it-py", "nh3", "python-docx")
_SOURCES = (("templates", "*"), ("static", "*"), ("app", "*.py"))


@cache
def build_version() -> str:
    """Return a digest of all that decides how a page looks: templates, assets, the code of `app`, and the packages that
    render text. It is part of each page's ETag and of each asset's address."""
    digest = hashlib.sha256("".join(map(version, _RENDERERS)).encode())
    for folder, pattern in _SOURCES:
        for path in sorted(path for path in (ROOT / folder).rglob(pattern) if path.is_file()):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
