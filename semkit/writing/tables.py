"""Tables as CSV and XLSX with safe cells."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from semkit.errors import FileError, MissingExtraError, Problem
from semkit.writing.cells import cell, text_cell
from semkit.writing.files import write_bytes

Rows = Iterable[Sequence[object]]

MAX_CELL = 32_767  # characters an XLSX cell can hold
MAX_ROWS = 1_048_576
_ONE_PAGE = 180  # characters across that can still be read on A4
_TALL = 5_000  # rows whose height is fitted to their text


def write_csv(
    path: str | os.PathLike[str],
    header: Sequence[str],
    rows: Rows,
    *,
    delimiter: str = ",",
    bom: bool = False,
) -> Path:
    """Write a table as UTF-8 CSV, atomically, with formulas neutralised.

    Parameters
    ----------
    path : path
    header : sequence of str (k,)
    rows : iterable of sequences (k,)
        Numbers are written in full (``repr``), texts through :func:`semkit.writing.text_cell`,
        nothing (``None``, NaN) as an empty cell, truth values as ``TRUE`` and ``FALSE``.
    delimiter : str
    bom : bool
        Start with a byte order mark, which Excel needs to read UTF-8.

    Returns
    -------
    Path
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow([text_cell(str(name)) for name in header])
    for row in rows:
        writer.writerow([_csv_value(value) for value in _checked(row, header)])
    content = stream.getvalue().encode("utf-8", errors="replace")
    return write_bytes(path, b"\xef\xbb\xbf" + content if bom else content)


def _csv_value(value: object) -> str:
    safe = cell(value)
    if safe is None:
        return ""
    if isinstance(safe, bool):
        return "TRUE" if safe else "FALSE"
    return safe if isinstance(safe, str) else repr(safe)


def _checked(row: Sequence[object], header: Sequence[str]) -> Sequence[object]:
    if len(row) != len(header):
        raise ValueError(f"a row has {len(row)} cells, the header {len(header)}")
    return row


def write_xlsx(path: str | os.PathLike[str], sheets: Mapping[str, tuple[Sequence[str], Rows]]) -> Path:
    """Write tables as sheets of one XLSX workbook, atomically.

    Texts are stored as texts (never as formulas) and neutralised besides, because people save
    workbooks as CSV.  Needs the extra ``semkit[excel]``.

    Parameters
    ----------
    path : path
    sheets : mapping of sheet name to (header, rows)

    Raises
    ------
    MissingExtraError
        ``writing.openpyxl-missing``.
    FileError
        ``writing.table-too-large``.
    """
    book = new_workbook(path)
    book.remove(book.active)
    for name, (header, rows) in sheets.items():
        _write_sheet(book.create_sheet(_sheet_name(name, book.sheetnames)), header, rows, f'{path}, sheet "{name}"')
    stream = io.BytesIO()
    book.save(stream)
    return write_bytes(path, stream.getvalue())


def new_workbook(path: str | os.PathLike[str]) -> Any:
    """Return an openpyxl workbook with one empty sheet, to be written to ``path``.

    Raises
    ------
    MissingExtraError
        ``writing.openpyxl-missing``.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtraError(
            Problem(
                "writing.openpyxl-missing",
                str(path),
                "writing XLSX files needs the package openpyxl",
                "an installed openpyxl, or the format csv",
                'Install it with: pip install "semkit[excel]"',
            )
        ) from error
    return openpyxl.Workbook()


def _write_sheet(sheet: Any, header: Sequence[str], rows: Rows, where: str) -> None:
    """Fill one sheet: bold header that stays in view, wrapped texts, columns as wide as their words (at most 60)."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    widths = [len(str(title)) for title in header]
    for number, row in enumerate([list(header), *rows], start=1):
        if number > MAX_ROWS:
            raise FileError(
                Problem(
                    "writing.table-too-large",
                    where,
                    "the table has too many rows for XLSX",
                    f"at most {MAX_ROWS} rows",
                    "Write the table as CSV.",
                )
            )
        for column, value in enumerate(_checked(row, header), start=1):
            place = sheet.cell(row=number, column=column)
            _fill(place, value)
            place.alignment = Alignment(wrap_text=True, vertical="top")
            widths[column - 1] = max(widths[column - 1], min(60, len(str(value if value is not None else ""))))
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width + 2
        sheet.cell(row=1, column=column).font = Font(bold=True)
    for cells in sheet.iter_rows(min_row=2, max_row=min(sheet.max_row, _TALL)):
        texts = ["" if one.value is None else str(one.value) for one in cells]
        if any(len(text) > width or "\n" in text for text, width in zip(texts, widths, strict=True)):
            sheet.row_dimensions[cells[0].row].height = row_height(texts, widths)
    sheet.freeze_panes = "A2"
    sheet.page_setup.paperSize, sheet.page_setup.orientation = sheet.PAPERSIZE_A4, "landscape"
    if sum(widths) <= _ONE_PAGE:  # every column on the page, as many pages down as needed
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.page_setup.fitToHeight = 0
    sheet.print_title_rows = "1:1"


def row_height(texts: Sequence[str], widths: Sequence[int]) -> float:
    """Height in points of a row of wrapped texts, in columns that are so many characters wide (at most 400).

    Programs that convert workbooks do not all fit rows to their text by themselves.

    Examples
    --------
    >>> row_height(["short", "two\\nlines"], [20, 20]), row_height(["x" * 60], [20])
    (26.0, 52.0)
    """
    lines = max(
        sum(-(-max(len(line), 1) * 10 // (max(width, 1) * 9)) for line in text.split("\n"))
        for text, width in zip(texts, widths, strict=True)
    )
    return min(400.0, 13.0 * lines)


def _fill(place: Any, value: object) -> None:
    safe = cell(value)
    if isinstance(safe, str):
        safe = safe[:MAX_CELL]
        place.value = safe
        place.data_type = "s"
    else:
        place.value = safe


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    """A sheet name Excel accepts: at most 31 characters, none of ``[]:*?/\\``, unique regardless of case."""
    clean = "".join("_" if sign in "[]:*?/\\'" else sign for sign in text_cell(name).lstrip("'"))[:31] or "Sheet"
    result, number = clean, 2
    while result.casefold() in {other.casefold() for other in taken}:
        result = f"{clean[: 31 - len(str(number)) - 1]}_{number}"
        number += 1
    return result
