"""Logging of errors in loops that must never end: a traceback the first time, one line after that."""

from __future__ import annotations

from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

logger = structlog.get_logger()

STORE_ERRORS = (RedisError, SQLAlchemyError, OSError)
"""Raised by Redis and SQL, also while they cannot be reached."""


class LoopErrors:
    """Logs the errors of one loop. Those of the stores never get a traceback: they pass, and say all in one line."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, type[Exception]]] = set()

    def report(self, event: str, error: Exception, **about: Any) -> None:
        """Log the error under this event's name, with what it is about."""
        kind = (event, type(error))
        if isinstance(error, STORE_ERRORS) or kind in self._seen:
            logger.warning(event, error=str(error), **about)
        else:
            self._seen.add(kind)
            logger.error(event, error=str(error), exc_info=error, **about)
