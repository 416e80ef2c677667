"""Requests to one host are spaced out."""

from __future__ import annotations

from worker.crawl.politeness import HostThrottle


async def test_a_gap_is_kept_and_a_longer_one_honoured_up_to_a_limit() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    throttle = HostThrottle(gap=1.0, longest_gap=5.0, clock=lambda: 100.0, sleep=sleep)
    for wish in (None, 3.0, 60.0, 0.2):
        if wish is not None:
            throttle.set_gap("a:80", wish)
        async with throttle.slot("a:80"):
            pass
        async with throttle.slot("a:80"):
            pass
        async with throttle.slot(f"b{wish}:80"):
            pass
    assert slept == [1.0, 1.0, 3.0, 3.0, 5.0, 5.0, 1.0]
