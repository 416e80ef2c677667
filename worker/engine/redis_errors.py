"""Errors of Redis that pass by themselves, as against those that every repeat of a call would meet."""

from __future__ import annotations

from redis import exceptions

_TRANSIENT = (
    exceptions.ConnectionError,  # also while it loads its file, and with a password that is about to be changed
    exceptions.TimeoutError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
    exceptions.NoScriptError,
    OSError,
)
_TRANSIENT_CODES = frozenset(
    {"BUSY", "LOADING", "OOM", "READONLY", "MASTERDOWN", "NOREPLICAS", "MISCONF", "TRYAGAIN", "UNKILLABLE"}
)
"""First words of such refusals by Redis, where the library has no class for them."""


def is_transient(error: Exception) -> bool:
    """Return whether the same call may work later: Redis cannot be reached, or cannot serve for a while."""
    if isinstance(error, _TRANSIENT):
        return True
    return isinstance(error, exceptions.ResponseError) and str(error).partition(" ")[0] in _TRANSIENT_CODES
