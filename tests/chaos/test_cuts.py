"""Viewers whose connections are cut, and whose server is replaced, have exactly the log at the end."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.cuts import read_options, run_cuts
from tests.support.redis_server import RedisServer


async def test_viewers_cut_at_random_end_with_exactly_the_log(tmp_path: Path, own_redis: RedisServer) -> None:
    options = read_options(["--viewers", "6", "--readers", "2", "--browsers", "0", "--seconds", "3", "--seed", "7"])
    outcome = await run_cuts(options, tmp_path, own_redis.url)
    assert outcome.differences == []
    assert outcome.pages.followed >= 6
    assert outcome.readers.followed >= 2
    assert outcome.pages.connections > outcome.pages.followed
