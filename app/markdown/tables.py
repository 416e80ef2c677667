"""Tables whose head begins with a pipe: any other first line would be a paragraph until the next one came."""

from __future__ import annotations

import re
from itertools import zip_longest

from markdown_it.rules_block import StateBlock

MOST_COLUMNS, MOST_CELLS = 40, 20_000
"""Larger tables end, or are text: a row of two characters would become an element for every column."""

_CELL = re.compile(r"(?:[^|]|(?<=\\)\|)*")
_DASH = r"[ \t]*:?-+:?[ \t]*"
_DASHES = re.compile(rf"\|?{_DASH}(?:\|{_DASH})*\|?[ \t]*")
_STYLES = {
    (False, False): "",
    (True, False): "text-align:left",
    (False, True): "text-align:right",
    (True, True): "text-align:center",
}
_SPACE = " \t\n\v\f\r"


def read_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table, if one begins here.

    `env["rows"]` is how many rows the table that begins in line `env["table"]` had before its first one here.
    """
    columns, styles = _read_head(state, start, end)
    if not columns or silent:
        return bool(columns)
    before = state.env.get("rows", 0) if state.env.get("table") == start else 0
    stop = min(end, start + 2 + max(0, MOST_CELLS // len(columns) - before))
    around, state.parentType = state.parentType, "table"
    table = state.push("table_open", "table", 1)
    state.push("thead_open", "thead", 1)
    _push_row(state, start, columns, "th", styles)
    state.push("thead_close", "thead", -1)
    line = start + 2
    while line < stop and _is_row(state, line, end):
        if line == start + 2:
            state.push("tbody_open", "tbody", 1)
        _push_row(state, line, split_row(_line(state, line)), "td", styles)
        line += 1
    if line > start + 2:
        state.push("tbody_close", "tbody", -1)
    state.push("table_close", "table", -1)
    table.map = [start, line]
    state.parentType = around
    state.line = line
    return True


def split_row(row: str) -> list[str]:
    """Return the cells of a row; the last one is empty if a pipe closes the row before it."""
    found, at = list[str](), int(row.startswith("|"))
    while at <= len(row):
        cell = _CELL.match(row, at)
        assert cell is not None
        found.append(cell[0].replace("\\|", "|").strip(_SPACE))
        at = cell.end() + 1
    return found


def _read_head(state: StateBlock, start: int, end: int) -> tuple[list[str], list[str]]:
    """Return the cells of the head and the styles of the columns, if dashes for as many stand below it."""
    if start + 2 > end or state.sCount[start + 1] < state.blkIndent:
        return [], []
    head, dashes = _line(state, start), _line(state, start + 1)
    if head[:1] != "|" or len(dashes) < 2 or not _DASHES.fullmatch(dashes):
        return [], []
    if state.is_code_block(start) or state.is_code_block(start + 1):
        return [], []
    columns = split_row(head)
    columns = columns[:-1] if head.endswith("|") and not columns[-1] else columns
    styles = [_STYLES[dash[0] == ":", dash[-1] == ":"] for dash in re.findall(":?-+:?", dashes)]
    return (columns, styles) if len(columns) == len(styles) <= MOST_COLUMNS else ([], [])


def _is_row(state: StateBlock, line: int, end: int) -> bool:
    if state.sCount[line] < state.blkIndent or state.isEmpty(line) or state.is_code_block(line):
        return False
    return not any(rule(state, line, end, True) for rule in state.md.block.ruler.getRules("blockquote"))


def _push_row(state: StateBlock, line: int, cells: list[str], tag: str, styles: list[str]) -> None:
    """Add a row with a cell for each of the columns. The one in which the line ends may go on."""
    state.push("tr_open", "tr", 1).map = [line, line + 1]
    for column, (cell, style) in enumerate(zip_longest(cells[: len(styles)], styles, fillvalue="")):
        state.push(f"{tag}_open", tag, 1).attrs = {"style": style} if style else {}
        inline = state.push("inline", "", 0)
        inline.content, inline.children, inline.map = cell, [], [line, line + 1]
        inline.meta = {"is_last": True} if column == len(cells) - 1 else {}
        state.push(f"{tag}_close", tag, -1)
    state.push("tr_close", "tr", -1)


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip(_SPACE)
