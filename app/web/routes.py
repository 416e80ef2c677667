"""The routes of the pages."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from app.web.activity.pages import follow_activity, read_activity_status, show_activity
from app.web.commands.drafts import delete_draft, redirect_to_draft, save_draft
from app.web.commands.pages import answer_ask, cancel_run, retry_step
from app.web.posts.pages import show_post
from app.web.redirects import redirect_to_run, redirect_to_tokens
from app.web.runs.live import follow_run, read_status
from app.web.runs.pages import show_run
from app.web.runs.trace import show_trace
from app.web.sites.home import create_site, list_sites, show_home
from app.web.sites.pages import create_post, list_site_posts, show_site
from app.web.tokens.pages import create_token, revoke_token, show_tokens

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
    read_activity_status,
    show_run,
    show_trace,
    cancel_run,
    retry_step,
    answer_ask,
    save_draft,
    delete_draft,
    redirect_to_draft,
    redirect_to_run,
    follow_run,
    read_status,
    show_tokens,
    create_token,
    revoke_token,
    redirect_to_tokens,
]
