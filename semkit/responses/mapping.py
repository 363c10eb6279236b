"""Mapping files: which column of a stranger's table is which item or question, and what its cells stand for.

A table (CSV, XLSX) with the columns ``column`` and ``name``, and optionally ``value`` and ``code``: one row for each
column of the data, and one more for each cell text that stands for another code.  An empty name sets a column aside.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from semkit.errors import FileError, Problem, ResponseError
from semkit.responses.delimited import read_delimited
from semkit.responses.records import Limits
from semkit.responses.sheet import Sheet, place
from semkit.responses.workbook import read_workbook

_COLUMNS = ("column", "name", "value", "code")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What the user says of a file's columns.

    Parameters
    ----------
    columns : Mapping of header or column number (from 1) to name, None for a column that is set aside
    recodes : Mapping of header or column number to Mapping of cell text to code
    """

    columns: Mapping[str | int, str | None] = field(default_factory=dict)
    recodes: Mapping[str | int, Mapping[str, str]] = field(default_factory=dict)


def read_mapping(path: str | os.PathLike[str]) -> ColumnMap:
    """Read a mapping file.

    Parameters
    ----------
    path : path
        CSV or XLSX with the columns ``column`` (header of the data file, or ``#4`` for its fourth column), ``name``
        and optionally ``value`` and ``code``.

    Raises
    ------
    FileError
        ``responses.missing-file``, ``responses.unknown-format`` and the codes of reading.
    ResponseError
        ``responses.bad-mapping``: all problems of the file at once.
    """
    path = Path(path)
    suffix = path.suffix.casefold()
    if suffix not in (".csv", ".tsv", ".txt", ".xlsx"):
        raise FileError(
            Problem("responses.unknown-format", path.name, f'a mapping is not read from "{suffix}"', ".csv, .xlsx",
                    "Save the mapping as CSV.")
        )  # fmt: skip
    limits = Limits(bytes=5_000_000, rows=50_000, columns=50)
    content = read_bytes(path, limits)
    if suffix == ".xlsx":
        table = read_workbook(content, path.name, limits)
    else:
        table = read_delimited(content, path.name, limits, known=lambda name: name.casefold() in _COLUMNS)
    return _gather(table)


def read_bytes(path: Path, limits: Limits) -> bytes:
    """Bytes of a file that is a file: no folder, pipe or device, and not larger than the limit.

    Raises
    ------
    FileError
        ``responses.missing-file``, ``responses.too-large``.
    """
    from semkit.responses.sheet import too_large

    try:
        if path.exists() and not path.is_file():
            raise FileError(
                Problem("responses.missing-file", path.name, "it is a folder, a pipe or a device, not a file",
                        "an existing, readable file", "Check the name and the folder.")
            )  # fmt: skip
        size = path.stat().st_size
        if size > limits.bytes:
            raise too_large(path.name, f"{size:,} bytes", f"at most {limits.bytes:,} bytes")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise FileError(
            Problem(
                "responses.missing-file",
                path.name,
                f"the file cannot be read ({getattr(error, 'strerror', None) or error})",
                "an existing, readable file",
                "Check the name and the folder.",
            )
        ) from error


def _gather(table: Sheet) -> ColumnMap:
    header = [name.casefold() for name in table.header]
    if "column" not in header or "name" not in header:
        raise ResponseError(
            Problem("responses.bad-mapping", f"{table.where}, row 1", "the columns of a mapping are not there",
                    ", ".join(_COLUMNS), "Name the columns so; value and code may be left out.")
        )  # fmt: skip
    cells = {name: [str(one).strip() for one in table.cells[header.index(name)]] for name in _COLUMNS if name in header}
    columns: dict[str | int, str | None] = {}
    recodes: dict[str | int, dict[str, str]] = {}
    twice: list[int] = []
    lacking: list[int] = []
    empty = [""] * table.n
    rows = zip(table.rows, *(cells.get(name, empty) for name in _COLUMNS), strict=True)
    for row, column, name, value, code in rows:
        key: str | int = int(column[1:]) if column[:1] == "#" and column[1:].isdigit() else column
        if not column or (code and not value):
            lacking.append(int(row))
            continue
        if columns.get(key, name or None) != (name or None) or value in recodes.get(key, {}):
            twice.append(int(row))
        columns[key] = name or None
        if value:
            recodes.setdefault(key, {})[value] = code
    problems = [
        Problem("responses.bad-mapping", f"{table.where}, {place(rows_)}", what, allowed, "Correct the mapping.")
        for rows_, what, allowed in (
            (lacking, "the column or the value is missing", "a column in each row, a value with each code"),
            (twice, "the column or the value stands there twice and not the same", "one meaning for each"),
        )
        if rows_
    ]
    if problems:
        raise ResponseError(*problems)
    return ColumnMap(columns, recodes)
