"""The web application: its parts are created here, and known to each other only as arguments."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.static_files import create_static_files_router
from litestar_htmx import HTMXPlugin
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.accounts.authentication import provide_requester, set_session_cookie
from app.accounts.csrf import RefuseCrossSite
from app.accounts.tokens import Tokens
from app.accounts.workspaces import Workspaces
from app.api.documentation import SECURITY
from app.api.routes import ROUTES as API_ROUTES
from app.contract.settings import Settings
from app.http.build import ROOT
from app.http.errors import respond_to_exception
from app.http.head import allow_head
from app.http.headers import add_headers
from app.http.logs import configure_logs
from app.http.streaming import StreamingLitestar
from app.http.templates import load_templates
from app.live.hub import Hub
from app.live.notifications import Notifications
from app.live.shutdown import announce_shutdown
from app.runs.commands import Commands
from app.runs.drafts import Drafts
from app.runs.following import Follower
from app.runs.queries import Queries
from app.runs.submission import Submission
from app.stores.connection import CLIENT_OPTIONS
from app.stores.stores import Stores
from app.web.activity.board import BoardReader
from app.web.routes import ROUTES as PAGES
from app.web.views import PageViews

LARGEST_BODY = 1_000_000
"""In bytes: inputs are small values, no files."""
_STATIC_SECONDS = 3600


def create_app(settings: Settings | None = None) -> Litestar:
    """Return the application. Raise `ValueError` if no Redis is configured."""
    settings = settings or Settings()
    configure_logs()
    parts = connect(settings)
    return StreamingLitestar(
        route_handlers=[
            *API_ROUTES,
            Router(path="/", route_handlers=PAGES, include_in_schema=False),
            create_static_files_router(
                "/static",
                directories=[ROOT / "static"],
                cache_control=CacheControlHeader(public=True, max_age=_STATIC_SECONDS),
            ),
        ],
        dependencies={
            "requester": Provide(provide_requester),
            **{name: _provide(part) for name, part in parts.items()},
        },
        state=State(parts),
        lifespan=[run_parts],
        middleware=[RefuseCrossSite()],
        before_send=[set_session_cookie, add_headers, allow_head],
        exception_handlers={Exception: respond_to_exception},
        openapi_config=OpenAPIConfig(
            title="Longhand",
            version="1",
            path="/api/schema",
            components=SECURITY,
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        plugins=[HTMXPlugin()],
        logging_config=None,
        request_max_body_size=LARGEST_BODY,
    )


def connect(settings: Settings) -> dict[str, Any]:
    """Return the parts by the names under which handlers take them. Nothing is opened before it is used.

    Raises `ValueError` if no Redis is configured.
    """
    if not settings.redis_url:
        raise ValueError("LONGHAND_REDIS_URL is empty. Set it, or start everything with `longhand up`.")
    stores = Stores.connect(settings, _open_redis(settings.redis_url))
    database, log, fleet = stores.database, stores.log, stores.fleet
    # A subscription has a connection of its own, which must report an outage instead of retrying.
    subscriber: Redis = Redis.from_url(settings.redis_url, **CLIENT_OPTIONS, socket_connect_timeout=2)
    notifications, drafts = Notifications(subscriber), Drafts(database, log)
    return {
        "settings": settings,
        "stores": stores,
        "database": database,
        "log": log,
        "fleet": fleet,
        "subscriber": subscriber,
        "notifications": notifications,
        "workspaces": Workspaces(database),
        "tokens": Tokens(database),
        "boards": BoardReader(database),
        "queries": Queries(database, log),
        "submission": Submission(settings, database, log, fleet),
        "drafts": drafts,
        "commands": Commands(log, drafts),
        "follower": Follower(log, notifications),
        "hub": Hub(log, notifications, PageViews(database).open),
    }


_GC_THRESHOLDS = 50_000, 20, 20
"""The garbage collector's thresholds. With Python's own 700, the objects of a second of patches soon reached the oldest
generation, whose collection looks at all connections: a third of a second with 10,000 of them."""


@asynccontextmanager
async def run_parts(app: Litestar) -> AsyncIterator[None]:
    """Start the parts that run in the background, and stop and close all parts at the end."""
    state = app.state
    await state.notifications.start()
    await state.hub.start()
    await asyncio.to_thread(load_templates)
    # The objects of now stay for good; collections that look at them again and again would delay viewers.
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    try:
        with announce_shutdown(*closers(state)):
            yield
    finally:
        await state.hub.stop()
        await state.notifications.stop()
        await state.subscriber.aclose()
        await state.stores.close()


def closers(state: State) -> Sequence[Callable[[], object]]:
    """Return the functions that end all open streams."""
    return [state.hub.close, state.notifications.close]


def _open_redis(url: str) -> Redis:
    # Retrying is safe: every append carries a token by which its repeat is recognised.
    redis: Redis = Redis.from_url(
        url,
        **CLIENT_OPTIONS,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
        health_check_interval=30,
        socket_connect_timeout=2,
        socket_timeout=10,
    )
    return redis


def _provide(part: Any) -> Provide:
    return Provide(lambda: part, sync_to_thread=False, use_cache=True)
