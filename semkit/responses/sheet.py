"""A table of text as it stands in a file: header and cells, checked for shape and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semkit.errors import FileError, Problem, ResponseError, SemkitError
from semkit.responses.records import Limits
from semkit.writing import plain_cell

HEADER_ROW = 1


@dataclass(frozen=True, eq=False)
class Sheet:
    """Header and text cells of one table.

    Parameters
    ----------
    where : str
        Name of the file (and sheet) for messages.
    header : tuple of str (k,)
    cells : tuple of ndarray (n,) of object
        One array of texts per column.
    encoding, delimiter : str
    machine : frozenset of int
        Columns (from 0) whose numbers a program wrote, so that a point in them is a decimal point.
    first : int
        Row of the first respondent in the file.
    labels : tuple of str (k,)
        Words that stand beside each header (Qualtrics' second row, variable labels); empty when there are none.
    meanings : Mapping of column (from 0) to Mapping of text to text
        What the cells of a column stand for, where the file says so (value labels).
    missing : Mapping of column (from 0) to frozenset of text
        Texts of a column that the file declares to mean 'no answer'.
    recodes : Mapping of column (from 0) to Mapping of text to text
        What the user says the cells of a column stand for (mapping file).
    """

    where: str
    header: tuple[str, ...]
    cells: tuple[NDArray[np.object_], ...]
    encoding: str = ""
    delimiter: str = ""
    machine: frozenset[int] = frozenset()
    first: int = HEADER_ROW + 1
    labels: tuple[str, ...] = ()
    meanings: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    missing: Mapping[int, frozenset[str]] = field(default_factory=dict)
    recodes: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.cells[0]) if self.cells else 0

    @property
    def rows(self) -> NDArray[np.int64]:
        """Row number of each respondent in the file."""
        return np.arange(self.first, self.first + self.n)

    def frame(self) -> pd.DataFrame:
        """The cells as a DataFrame of text with the row in the file as index; a repeated header gets its number."""
        index = pd.Index(self.rows, name="respondent")
        seen: dict[str, int] = {}
        columns: dict[str, NDArray[np.object_]] = {}
        for name, cells in zip(self.header, self.cells, strict=True):
            seen[name] = seen.get(name, 0) + 1
            columns[name if seen[name] == 1 else f"{name} ({seen[name]})"] = cells
        return pd.DataFrame(columns, index=index, dtype=object)


def place(rows: Sequence[int] | NDArray[np.int64], most: int = 10) -> str:
    """Return ``row 4`` or ``rows 4, 7, 9 and 12 more``.

    Examples
    --------
    >>> place([4]), place([4, 7, 9], most=2)
    ('row 4', 'rows 4, 7 and 1 more')
    """
    shown = ", ".join(str(int(row)) for row in rows[:most])
    rest = len(rows) - most
    return f"row{'s' if len(rows) > 1 else ''} {shown}{f' and {rest} more' if rest > 0 else ''}"


def make_sheet(
    where: str,
    table: Sequence[Sequence[str]],
    limits: Limits,
    *,
    encoding: str = "",
    delimiter: str = "",
    machine: frozenset[int] = frozenset(),
    marked: bool = True,
) -> Sheet:
    """Check a table (header first) and turn it into columns.

    The two extra header rows of Qualtrics are taken apart, and the apostrophe that keeps spreadsheets from
    calculating a text is undone (``marked``: whether the file has an apostrophe at all).

    Raises
    ------
    ResponseError
        ``responses.empty-file``, ``responses.no-rows``, ``responses.empty-header``, ``responses.ragged-row``,
        ``responses.huge-cell``, all that apply.
    FileError
        ``responses.too-large``.
    """
    if not table or not any(cell.strip() for cell in table[0]):
        raise ResponseError(
            Problem(
                "responses.empty-file",
                where,
                "the file has no header row" if table else "the file is empty",
                "a header row with column names, then one row per respondent",
                "Export the responses again.",
            )
        )
    header = tuple(plain_cell(cell.strip()) for cell in table[0])
    while header and not header[-1] and all(len(row) < len(header) or not row[len(header) - 1] for row in table[1:]):
        header = header[:-1]  # an empty column at the far right is the trace of a trailing delimiter
    extra = _extra_header(table)
    first = HEADER_ROW + 1 + extra
    labels = tuple(cell.strip() for cell in table[1][: len(header)]) if extra else ()
    rows = [row for row in table[1 + extra :] if row]
    check_size(where, len(rows), len(header), limits)
    problems = [*_header_problems(where, header), *_row_problems(where, header, rows, limits, first)]
    if not rows:
        problems.append(
            Problem(
                "responses.no-rows",
                where,
                "there is a header but no respondent",
                "at least one row under the header",
                "Check the date range and the filter of the export.",
            )
        )
    if problems:
        raise ResponseError(*problems)
    width = len(header)
    grid = np.empty((len(rows), width), dtype=object)
    for number, row in enumerate(rows):
        grid[number] = row[:width]
    columns = tuple(plain_column(grid[:, column]) if marked else grid[:, column] for column in range(width))
    return Sheet(where, header, columns, encoding, delimiter, machine, first, labels)


def plain_column(cells: NDArray[np.object_]) -> NDArray[np.object_]:
    """Cells without the apostrophe in front of what a spreadsheet would calculate; see :func:`plain_cell`."""
    marked = [place for place, cell in enumerate(cells.tolist()) if cell[:1] == "'"]
    for place_ in marked:
        cells[place_] = plain_cell(cells[place_])
    return cells


def _extra_header(table: Sequence[Sequence[str]]) -> int:
    """2 when rows 2 and 3 are Qualtrics' question texts and import ids (``{"ImportId": ...}``), else 0."""
    third = [cell.strip() for cell in table[2] if cell.strip()] if len(table) > 2 else []
    return 2 if third and all(cell.startswith('{"ImportId"') for cell in third) else 0


def check_size(where: str, rows: int, columns: int, limits: Limits) -> None:
    """Raise ``responses.too-large`` when there are more rows or columns than the limits allow."""
    for what, count, most in (("rows", rows, limits.rows), ("columns", columns, limits.columns)):
        if count > most:
            raise too_large(where, f"{count:,} {what}", f"at most {most:,} {what}")


def too_large(where: str, what: str, allowed: str) -> SemkitError:
    """Return the error of a file beyond the limits."""
    return FileError(
        Problem(
            "responses.too-large",
            where,
            f"the file has {what}",
            allowed,
            "Split the export, or raise the limit with limits=Limits(...).",
        )
    )


def _header_problems(where: str, header: tuple[str, ...]) -> list[Problem]:
    problems = []
    empty = [number for number, name in enumerate(header, start=1) if not name]
    if empty:
        problems.append(
            Problem(
                "responses.empty-header",
                f"{where}, column{'s' if len(empty) > 1 else ''} {', '.join(map(str, empty[:10]))}",
                "the header is empty there: merged cells in the header, or a title row above it",
                "one name in each cell of row 1",
                "Unmerge the header cells and remove rows above the header.",
            )
        )
    return problems


def _row_problems(
    where: str, header: tuple[str, ...], rows: Sequence[Sequence[str]], limits: Limits, first: int
) -> list[Problem]:
    width = len(header)
    short = [number for number, row in enumerate(rows, start=first) if len(row) < width]
    long = [number for number, row in enumerate(rows, start=first) if len(row) > width and any(row[width:])]
    problems = []
    for numbers, what in ((short, "fewer"), (long, "more")):
        if numbers:
            problems.append(
                Problem(
                    "responses.ragged-row",
                    f"{where}, {place(numbers)}",
                    f"there are {what} cells than the header has names",
                    f"{width} cells in each row",
                    "The file was cut off, or a delimiter stands unquoted inside an answer: export it again.",
                )
            )
    huge = [
        (number, column)
        for number, row in enumerate(rows, start=first)
        if row and max(map(len, row)) > limits.cell
        for column, cell in enumerate(row)
        if len(cell) > limits.cell
    ]
    if huge:
        number, column = huge[0]
        name = header[column] if column < width else f"number {column + 1}"
        problems.append(
            Problem(
                "responses.huge-cell",
                f'{where}, row {number}, column "{name}"',
                f"the cell has more than {limits.cell:,} characters ({len(huge)} such cells)",
                f"at most {limits.cell:,} characters",
                "A quotation mark was not closed, or the column is no answer: export the file again.",
            )
        )
    return problems
