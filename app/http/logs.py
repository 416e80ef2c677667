"""The logs of a process: readable on a terminal, JSON elsewhere, without secrets."""

from __future__ import annotations

import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.dev import plain_traceback

_SECRET = re.compile(r"authorization|cookie|token|secret|password|api_?key|session$", re.IGNORECASE)
_COUNT = re.compile(r"tokens$", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(\w+://[^\s/:@]*:)[^\s/@]+(@)")
_STARS = "***"


def configure_logs() -> None:
    """Configure structlog for this process."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=list_processors(terminal=terminal),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def list_processors(*, terminal: bool) -> list[Any]:
    """Return structlog's processors. Tracebacks have no values of variables, because those may be secrets."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
        structlog.dev.ConsoleRenderer(exception_formatter=plain_traceback)
        if terminal
        else structlog.processors.JSONRenderer(),
    ]


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace values that are named like secrets, and passwords in addresses, by stars."""
    for name, value in event.items():
        if _SECRET.search(name) and not _COUNT.search(name):
            event[name] = _STARS
        elif isinstance(value, str):
            event[name] = _IN_ADDRESS.sub(rf"\1{_STARS}\2", value)
    return event
