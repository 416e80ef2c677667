from __future__ import annotations

from app.live.sse import (
    END,
    PING,
    Frame,
    Frames,
    encode_patch,
    encode_retry,
)


def test_a_patch_ends_its_lines_in_lf_alone() -> None:
    assert encode_patch("a\r\nb\rc\nd", "5-1") == b"id: 5-1\ndata: a\ndata: b\ndata: c\ndata: d\n\n"


def test_text_cannot_end_its_message_or_begin_another() -> None:
    frame = encode_patch("a\n\nid: 9-9\nevent: end", "5-1")
    assert frame == b"id: 5-1\ndata: a\ndata: \ndata: id: 9-9\ndata: event: end\n\n"


def test_a_reset_is_named() -> None:
    assert encode_patch("a", "5-1", reset=True) == b"event: reset\nid: 5-1\ndata: a\n\n"


def test_a_retry_comes_with_a_name_because_it_does_not_count_alone() -> None:
    assert encode_retry("closing", 700) == b"event: closing\nretry: 700\ndata:\n\n"


def test_frames_without_patches_have_no_id() -> None:
    assert b"id:" not in PING + END + encode_retry("open", 1)


def test_frames_are_kept_up_to_a_number_and_a_size() -> None:
    small, large = Frames(), Frames()
    for number in range(1, 1_001):
        small.add(f"{number}-0", Frame("1-0", b"x"))
        large.add(f"{number}-0", Frame("1-0", b"x" * 1_000_000))
    assert len(small) == Frames.MOST and "1000-0" in small and "1-0" not in small
    assert large.bytes <= Frames.MOST_BYTES and "1000-0" in large
    large.add("huge", Frame("1-0", b"x" * 9_000_000))
    assert len(large) == 1 and large.get("huge") is not None
    large.clear()
    assert len(large) == large.bytes == 0


def test_a_frame_that_was_asked_for_again_stays() -> None:
    frames = Frames()
    for number in range(Frames.MOST * 2):
        frames.add(f"{number}-0", None)
        frames.get("0-0")
    assert "0-0" in frames
