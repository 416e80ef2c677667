from __future__ import annotations

from app.logs import hide_secrets


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
