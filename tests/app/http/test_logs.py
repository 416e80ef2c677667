from __future__ import annotations

import io

import pytest
import structlog

from app.http.logs import hide_secrets, list_processors


def test_secrets_become_stars_and_counts_stay() -> None:
    event = {
        "authorization": "Bearer x",
        "model_api_key": "sk",
        "url": "redis://:hunter2@127.0.0.1:1/0",
        "error": "cannot reach postgresql://me:hunter2@host/db",
        "tokens": 12,
        "run_id": "run_1",
    }
    assert hide_secrets(None, "info", dict(event)) == {
        **event,
        "authorization": "***",
        "model_api_key": "***",
        "url": "redis://:***@127.0.0.1:1/0",
        "error": "cannot reach postgresql://me:***@host/db",
    }


@pytest.mark.parametrize("terminal", [True, False])
def test_a_traceback_shows_no_values(terminal: bool) -> None:
    output = io.StringIO()
    log = structlog.wrap_logger(structlog.PrintLogger(output), processors=list_processors(terminal=terminal))
    secret = "".join(["hunt", "er2"])  # tracebacks show lines of code, and may
    try:
        fail(secret, f"redis://:{secret}@127.0.0.1/0")
    except ValueError:
        log.exception("it failed")
    assert "in fail" in output.getvalue() and "ValueError: cannot reach redis://:***@" in output.getvalue()
    assert secret not in output.getvalue()


def fail(password: str, address: str) -> None:
    raise ValueError(f"cannot reach {address}")
