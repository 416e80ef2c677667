"""What is worth waiting for: the troubles of Redis that pass, told from those that every repeat would meet."""

from __future__ import annotations

from redis import exceptions

_KINDS = (
    exceptions.ConnectionError,  # also loading its file, and a password that is about to be changed
    exceptions.TimeoutError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
    exceptions.NoScriptError,
    OSError,
)
_WORDS = frozenset(
    {"BUSY", "LOADING", "OOM", "READONLY", "MASTERDOWN", "NOREPLICAS", "MISCONF", "TRYAGAIN", "UNKILLABLE"}
)
"""How Redis begins such a refusal, where the library has no class for it."""


def is_transient(error: Exception) -> bool:
    """Whether the same call may be taken later: Redis is out of reach, or not itself for a while."""
    if isinstance(error, _KINDS):
        return True
    return isinstance(error, exceptions.ResponseError) and str(error).partition(" ")[0] in _WORDS
