"""How large the parts of a checkout are, and which of them import each other: `python -m bench.structure FOLDER`."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import grimp

PACKAGES = ("app", "worker")
FOLDERS = (*PACKAGES, "templates", "static", "tests")
SUFFIXES = frozenset({".py", ".lua", ".html", ".js", ".css"})
CROWDED = ("app/web", "worker")
"""Folders in which many files once stood side by side."""
MARKDOWN = (
    "app/markdown/**/*.py",
    "app/content/citations.py",
    "app/web/posts/exports.py",
    "app/web/fragments/text.py",
    # where all of it was before it had a package
    *(
        f"app/web/{name}.py"
        for name in (
            "blocks", "citations", "emphasis", "exports", "grammar", "inline_markdown", "links", "markdown", "nesting",
            "parsing", "pieces", "safe_markdown", "spans", "unfinished", "word",
        )
    ),
    "app/runs/views/text.py",
)  # fmt: skip
"""Files that read Markdown, show it while it grows, and export it, wherever a version has them."""


@dataclass(frozen=True)
class Structure:
    """`circles`: the modules, or packages, of which each imports each other, directly or through others."""

    figures: dict[str, float]
    circles: list[list[str]]


def examine_structure(folder: Path) -> Structure:
    """Count what stands in a checkout. The modules of the packages must not have been imported from elsewhere."""
    sources = dict(_read_sources(folder))
    figures: dict[str, float] = {}
    for name in FOLDERS:
        lengths = [len(text.splitlines()) for file, text in sources.items() if file.is_relative_to(folder / name)]
        figures |= {f"{name}: files": len(lengths), f"{name}: lines": sum(lengths)}
    for name in CROWDED:
        figures[f"files at the top of {name}"] = sum(file.parent == folder / name for file in sources)
    modules, packages = _find_circles(folder)
    figures |= {"import circles between packages": len(packages), "import circles between modules": len(modules)}
    markdown = {file for pattern in MARKDOWN for file in folder.glob(pattern)}
    figures["Markdown: lines"] = sum(len(file.read_text().splitlines()) for file in markdown)
    code = [text for file, text in sources.items() if file.suffix == ".py" and _is_ours(file, folder)]
    figures["median lines of a function"] = median(length for text in code for length in _function_lengths(text))
    figures["median lines of a file"] = median(len(text.splitlines()) for text in code)
    return Structure(figures, packages + modules)


def _read_sources(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the source files that git knows or would add, and their texts."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *FOLDERS]
    listed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    for name in listed.split("\0"):
        file = folder / name
        if file.suffix in SUFFIXES and file.is_file():
            yield file, file.read_text()


def _is_ours(file: Path, folder: Path) -> bool:
    return any(file.is_relative_to(folder / package) for package in PACKAGES)


def _function_lengths(text: str) -> Iterator[int]:
    """Yield the lines of each function and method, from `def` to its last one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield node.end_lineno - node.lineno + 1


def _find_circles(folder: Path) -> tuple[list[list[str]], list[list[str]]]:
    """Return the circles between modules, and those between packages of the second level."""
    sys.path.insert(0, str(folder))
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    modules = _components(graph)
    for package in {_second_level(module) for module in graph.modules if _second_level(module) != module}:
        graph.squash_module(package)
    return modules, _components(graph)


def _second_level(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _components(graph: grimp.ImportGraph) -> list[list[str]]:
    """Return the strongly connected components of more than one module."""
    found = {
        frozenset({module} | graph.find_upstream_modules(module) & graph.find_downstream_modules(module))
        for module in graph.modules
    }
    return sorted(sorted(component) for component in found if len(component) > 1)


def main(arguments: Sequence[str]) -> None:
    print(json.dumps(asdict(examine_structure(Path(arguments[0])))))


if __name__ == "__main__":
    main(sys.argv[1:])
