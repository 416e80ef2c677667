"""The peers' virtual environments: made once under `.bench/`, from lock files with hashes."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from bench.processes import ROOT, output_of

FOLDER = ROOT / ".bench"
_PLACE = Path(__file__).parent
_UV = Path(sys.executable).parent / "uv"


async def prepare(peer: str) -> str:
    """Return the Python of a peer's environment. Raise `RuntimeError` or `OSError` when it cannot be installed."""
    lock = _PLACE.parent / f"requirements-{peer}.lock"
    folder, digest = FOLDER / peer, hashlib.sha256(lock.read_bytes()).hexdigest()
    python, stamp = folder / "bin" / "python", folder / ".installed"
    if not stamp.exists() or stamp.read_text() != digest:
        uv = str(_UV) if _UV.exists() else shutil.which("uv") or "uv"
        await output_of(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        await output_of(uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(lock))
        stamp.write_text(digest)
    return str(python)


def version(peer: str) -> str:
    """Return the version that the lock file pins."""
    lines = (_PLACE.parent / f"requirements-{peer}.lock").read_text().splitlines()
    return next(line.removeprefix(f"{peer}==").split()[0] for line in lines if line.startswith(f"{peer}=="))
