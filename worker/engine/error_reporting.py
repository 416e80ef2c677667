"""What the loops that must never end say about what goes wrong in them."""

from __future__ import annotations

from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

logger = structlog.get_logger()

OUT_OF_REACH = (RedisError, SQLAlchemyError, OSError)
"""What a store that is away for a while raises."""


class LoopErrors:
    """Tells what went wrong: a line for a store that is away, and for what nobody foresaw its traceback once."""

    def __init__(self) -> None:
        self._told: set[tuple[str, type[Exception]]] = set()

    def tell(self, event: str, error: Exception, **about: Any) -> None:
        kind = (event, type(error))
        if isinstance(error, OUT_OF_REACH) or kind in self._told:
            logger.warning(event, error=str(error), **about)
        else:
            self._told.add(kind)
            logger.error(event, error=str(error), exc_info=error, **about)
