"""The web process: uvicorn around `app.main:create_app`."""

from __future__ import annotations

import uvicorn

from app.contract.settings import Settings

GRACE_SECONDS = 1
"""How long open requests may go on after SIGTERM; the backstop behind the streams' own end."""


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT."""
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
