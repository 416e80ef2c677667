"""The routes of the pages."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from app.web.activity import follow_activity, read_activity, show_activity
from app.web.live import follow_run, read_status
from app.web.posts import show_post
from app.web.runs import answer_ask, cancel_run, retry_step, show_run
from app.web.sites import create_post, create_site, show_home, show_site
from app.web.tokens import create_token, revoke_token, show_tokens
from app.web.trace import show_trace

ROUTES: list[ControllerRouterHandler] = [
    show_home,
    create_site,
    show_site,
    create_post,
    show_post,
    show_activity,
    follow_activity,
    read_activity,
    show_run,
    show_trace,
    cancel_run,
    retry_step,
    answer_ask,
    follow_run,
    read_status,
    show_tokens,
    create_token,
    revoke_token,
]
