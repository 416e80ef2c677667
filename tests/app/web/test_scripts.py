"""The size of our own browser scripts."""

from __future__ import annotations

from tests.support.product import ROOT


def test_our_own_scripts_have_fewer_than_200_lines() -> None:
    scripts = (ROOT / "static").glob("*.js")
    assert sum(len(script.read_text().splitlines()) for script in scripts) < 200
