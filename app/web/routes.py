"""The routes of the pages."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from app.web.activity import follow_activity, read_activity, show_activity
from app.web.commands import answer_ask, cancel_run, retry_step
from app.web.detours import lead_to_run, lead_to_tokens
from app.web.drafts import drop_draft, keep_draft, lead_to_draft
from app.web.home import create_site, list_sites, show_home
from app.web.live import follow_run, read_status
from app.web.posts import show_post
from app.web.runs import show_run
from app.web.sites import create_post, list_site_posts, show_site
from app.web.tokens import create_token, revoke_token, show_tokens
from app.web.trace import show_trace

ROUTES: list[ControllerRouterHandler] = [
    show_home,
    list_sites,
    create_site,
    show_site,
    list_site_posts,
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
    keep_draft,
    drop_draft,
    lead_to_draft,
    lead_to_run,
    follow_run,
    read_status,
    show_tokens,
    create_token,
    revoke_token,
    lead_to_tokens,
]
