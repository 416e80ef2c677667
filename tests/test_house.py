"""Rules of STYLE.md that a machine can hold: how docstrings begin, names of modules, how full top folders are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("app", "worker", "bench", "tests")

PRIVATE_WORDS = {
    "app": "failures heads processes",
    "app/accounts": "asking origins",
    "app/launcher": "leash output slots stopping",
    "app/live": "bells frames patching",
    "app/runs": "bells frames patching resuming shapes views waiting",
    "app/stores": "durability grouping revisions",
    "app/web": "axis bar board cited detours kept listings makeshift own_run pages parts remaining words",
    "app/web/fragments": "bar cited kept makeshift parts remaining words",
    "worker": "ending endurance fence jobs journal knowledge leases patience renewal shipping supervisor",
    "worker/agents/extractive": "composing grouping noting outlining profiling",
    "worker/crawl": "opening pace",
    "worker/engine": "ending endurance fence jobs journal knowledge leases patience renewal shipping supervisor",
    "worker/llm": "calls failures governor model_building",
    "worker/runtime": "admission branches conductor interruption leftovers memory setbacks showing",
    "worker/testing": "mortal trial worlds",
}
"""Names that only insiders understood, by folder. Each has a plain one now."""


def sources() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring: of modules, classes and functions, and below constants."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for child in getattr(node, "body", None) or [] if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            if (
                isinstance(child, ast.Expr)
                and isinstance(child.value, ast.Constant)
                and isinstance(child.value.value, str)
            ):
                yield child.lineno, child.value.value.strip()


def test_docstrings_say_what_a_thing_does_in_its_first_word() -> None:
    riddles = [
        f"{path.relative_to(ROOT)}:{line}: {text.splitlines()[0]}"
        for path in sources()
        for line, text in docstrings(path)
        if text.split(" ", 1)[0] in ("What", "Gives")
    ]
    assert not riddles, "\n".join(riddles)


@pytest.mark.parametrize("folder", PRIVATE_WORDS)
def test_modules_have_the_fields_own_names(folder: str) -> None:
    present = {path.stem for path in (ROOT / folder).glob("*.py")} | {
        path.name for path in (ROOT / folder).iterdir() if path.is_dir()
    }
    assert not present & set(PRIVATE_WORDS[folder].split())


@pytest.mark.parametrize(("folder", "most"), [("app/web", 6), ("worker", 3)])
def test_the_tops_of_folders_are_read_at_a_glance(folder: str, most: int) -> None:
    assert len(list((ROOT / folder).glob("*.py"))) <= most
