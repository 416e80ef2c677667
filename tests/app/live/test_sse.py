from __future__ import annotations

from app.live.sse import END, PING, encode_comment, encode_event, encode_opening, encode_patch


def test_a_patch_ends_its_lines_in_lf_alone() -> None:
    assert encode_patch("a\r\nb\rc\nd", "5-1") == b"id: 5-1\ndata: a\ndata: b\ndata: c\ndata: d\n\n"


def test_text_cannot_end_its_message_or_begin_another() -> None:
    frame = encode_patch("a\n\nid: 9-9\nevent: end", "5-1")
    assert frame == b"id: 5-1\ndata: a\ndata: \ndata: id: 9-9\ndata: event: end\n\n"


def test_a_reset_is_named() -> None:
    assert encode_patch("a", "5-1", reset=True) == b"event: reset\nid: 5-1\ndata: a\n\n"


def test_a_retry_comes_with_a_name_because_it_does_not_count_alone() -> None:
    assert encode_event("", name="closing", retry_ms=700) == b"event: closing\nretry: 700\ndata:\n\n"


def test_frames_without_patches_have_no_id() -> None:
    assert b"id:" not in PING + END + encode_opening() + encode_comment("x")
