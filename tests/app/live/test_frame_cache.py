from __future__ import annotations

from app.live.frame_cache import Frame, FrameCache


def test_frames_are_kept_up_to_a_number_and_a_size() -> None:
    small, large = FrameCache(), FrameCache()
    for number in range(1, 1_001):
        small.add(f"{number}-0", Frame("1-0", b"x"))
        large.add(f"{number}-0", Frame("1-0", b"x" * 1_000_000))
    assert len(small) == FrameCache.MOST and "1000-0" in small and "1-0" not in small
    assert large.bytes <= FrameCache.MOST_BYTES and "1000-0" in large
    large.add("huge", Frame("1-0", b"x" * 9_000_000))
    assert len(large) == 1 and large.get("huge") is not None
    large.clear()
    assert len(large) == large.bytes == 0


def test_a_frame_that_was_asked_for_again_stays() -> None:
    frames = FrameCache()
    for number in range(FrameCache.MOST * 2):
        frames.add(f"{number}-0", None)
        frames.get("0-0")
    assert "0-0" in frames
