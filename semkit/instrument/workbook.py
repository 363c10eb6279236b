"""Instruments in a spreadsheet: written as a workbook for a team to edit, and read back as a file."""

from __future__ import annotations

import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semkit.errors import FileError, InstrumentFileError, MissingExtraError, OptionError, Problem, suggest
from semkit.instrument.library import find
from semkit.instrument.loading import join, load_instrument
from semkit.instrument.manuscript import to_toml
from semkit.instrument.reading import document_in, fit
from semkit.instrument.rows import Row, document_of
from semkit.instrument.sheets import MAIN, NOTES, SHEETS, rows_of
from semkit.writing import write_text, write_xlsx

MAX_BYTES = 2_000_000
MAX_UNPACKED = 10_000_000
MAX_ROWS = 5_000
MAX_COLUMNS = 60
MAX_STYLED = 1_000  # coloured but empty cells beyond the last column
MAX_PROBLEMS = 100

_SHAPE = ("instrument.missing-sheet", "instrument.unknown-sheet", "instrument.sheet-column")
_MERGED = re.compile(rb"<(?:\w{1,10}:)?mergeCell\s[^>]{0,200}?ref=\"([A-Z0-9:$]{1,40})\"")
# No sheet keeps these: control characters, and the sequence by which XLSX itself writes them.
_LOST = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_HEADERS = {MAIN: ("key", "value"), **{name: sheet.header for name, sheet in SHEETS.items()}}


def to_workbook(instrument: str | os.PathLike[str], path: str | os.PathLike[str]) -> Path:
    """Write an instrument file as a workbook that a team can edit, and return the workbook's path.

    One sheet for each list of the file (scales, labels, constructs, items, questions, choices, relevance, routing,
    derived ...), one column for each key.  Shared blocks stay shared: the sheet ``use`` names them.  Comments of the
    file are not kept.  Needs the extra ``semkit[excel]``.

    Parameters
    ----------
    instrument : str or path
        One of semkit's own by name, or a ``.toml`` file; it must be without problems.
    path : path
        The ``.xlsx`` file to write.

    Raises
    ------
    InstrumentFileError
        All problems of the instrument; ``instrument.not-a-cell`` for characters that no sheet can hold.
    OptionError
        ``instrument.bad-path`` for a path without ``.xlsx``.
    MissingExtraError
        ``writing.openpyxl-missing``.

    Examples
    --------
    >>> to_workbook("government_role", "government_role.xlsx")  # doctest: +SKIP
    PosixPath('government_role.xlsx')
    """
    target = _with_ending(path, ".xlsx")
    load_instrument(instrument)
    sheets = rows_of(document_in(find(instrument)))
    lost = [
        Problem("instrument.not-a-cell", f'{instrument}, sheet "{name}", row {number}',
                "a text has characters that a sheet cannot keep", "texts without control characters",
                "Remove them from the text.")
        for name, (_, rows) in sheets.items()
        for number, row in enumerate(rows, start=2)
        if any(isinstance(value, str) and _LOST.search(value) for value in row)
    ]  # fmt: skip
    if lost:
        raise InstrumentFileError(*lost[:MAX_PROBLEMS])
    return write_xlsx(target, sheets)


def from_workbook(workbook: str | os.PathLike[str], path: str | os.PathLike[str]) -> Path:
    """Read a workbook as :func:`to_workbook` writes it, check it, and write the instrument file.

    Formulas are refused, never calculated; apostrophes that writing put before formulas are taken away again.  A
    sheet called ``notes`` is not read.  Nothing is written while there is a problem: first what cannot be read as
    sheets and cells is reported, all at once, then whatever :func:`load_instrument` would say, with sheet and row.

    Parameters
    ----------
    workbook : path
        An ``.xlsx`` file of at most 2 MB, 5,000 rows a sheet and 60 columns.
    path : path
        A new ``.toml`` file; an existing one is never overwritten.  Shared blocks are looked for beside it.

    Returns
    -------
    Path

    Raises
    ------
    InstrumentFileError
        All problems of the sheets, or all problems of the instrument.
    FileError
        ``instrument.not-a-workbook``, ``instrument.workbook-too-large``, ``instrument.unreadable``,
        ``instrument.file-exists``.
    OptionError
        ``instrument.bad-path``.
    MissingExtraError
        ``instrument.needs-excel``.
    """
    target = _with_ending(path, ".toml")
    if target.exists() or target.is_symlink():
        raise FileError(
            Problem("instrument.file-exists", str(path), "there is a file of this name already",
                    "the path of a new file", "Choose another name, or remove the file first.")
        )  # fmt: skip
    label = Path(workbook).name
    content = _content(workbook, label)
    problems: list[Problem] = []
    tables = {name: _table(name, cells, label, problems) for name, cells in _sheets(content, label, problems).items()}
    if any(problem.code in _SHAPE for problem in problems):  # rows would be said to lack what a lost sheet holds
        raise InstrumentFileError(*problems[:MAX_PROBLEMS])
    found = document_of(label, tables)
    problems += found.problems
    if problems:
        raise InstrumentFileError(*problems[:MAX_PROBLEMS])
    join(fit(found.document, found.places), target.parent)
    return write_text(target, to_toml(found.document))


def _with_ending(path: str | os.PathLike[str], ending: str) -> Path:
    target = Path(path)
    if target.suffix != ending:
        raise OptionError(
            Problem("instrument.bad-path", f'path "{path}"', f"the file's name does not end in {ending}",
                    f"a path such as my_survey{ending}", f"Add the ending {ending}.")
        )  # fmt: skip
    return target


def _content(path: str | os.PathLike[str], label: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise FileError(
            Problem("instrument.unreadable", label.replace("\x00", "\\0"),
                    f"the file cannot be read ({getattr(error, 'strerror', None) or error})",
                    "a readable .xlsx file", "Check the name and the permissions.")
        ) from error  # fmt: skip
    if len(content) > MAX_BYTES:
        raise _too_large(label, f"more than {MAX_BYTES:,} bytes", f"at most {MAX_BYTES:,} bytes")
    return content


def _sheets(content: bytes, label: str, problems: list[Problem]) -> dict[str, list[list[Any]]]:
    """Cells of the sheets an instrument has; sheets that are missing, unknown or merged become problems."""
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtraError(
            Problem("instrument.needs-excel", label, "reading XLSX needs the package openpyxl",
                    "semkit with the extra 'excel'", 'Install it with: pip install "semkit[excel]"')
        ) from error  # fmt: skip
    try:
        merged = _merged(content, label)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        out: dict[str, list[list[Any]]] = {}
        for sheet in book.worksheets:
            if sheet.title not in _HEADERS:
                problems += _unknown_sheet(label, sheet.title)
                continue
            part = str(getattr(sheet, "_worksheet_path", "")).lstrip("/")
            problems += [_is_merged(label, sheet.title, place) for place in merged.get(part, ())]
            out[sheet.title] = _cells(sheet, f'{label}, sheet "{sheet.title}"')
    except _DAMAGED as error:
        raise _not_a_workbook(label, type(error).__name__) from error
    problems += [
        Problem("instrument.missing-sheet", label, f'the sheet "{name}" is missing', ", ".join(_HEADERS),
                "Add the sheet with its header; it may be empty below. An export shows how it looks.")
        for name in _HEADERS if name not in out
    ]  # fmt: skip
    return out


_DAMAGED = (KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, EOFError, SyntaxError, RuntimeError,
            OverflowError, zipfile.BadZipFile, zlib.error)  # fmt: skip


def _merged(content: bytes, label: str) -> dict[str, list[str]]:
    """Merged places by part of the archive; refuses what unpacks beyond the limit and XML with a document type."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            if size > MAX_UNPACKED:
                raise _too_large(label, f"{size:,} bytes when unpacked", f"at most {MAX_UNPACKED:,} bytes")
            if "[Content_Types].xml" not in {part.filename for part in parts}:
                raise _not_a_workbook(label, "it is a zip archive of something else")
            texts = {part.filename: archive.read(part) for part in parts if part.filename.endswith((".xml", ".rels"))}
    except zipfile.BadZipFile as error:
        raise _not_a_workbook(label, "no zip archive inside") from error
    if any(b"<!DOCTYPE" in text for text in texts.values()):
        raise _not_a_workbook(label, "a part declares a document type")
    return {
        name: [match.group(1).decode() for _, match in zip(range(20), _MERGED.finditer(text))]
        for name, text in texts.items()
    }


def _cells(sheet: Any, where: str) -> list[list[Any]]:
    """Cells of a sheet row by row, however large it says it is."""
    table: list[list[Any]] = []
    sheet.reset_dimensions()  # what a sheet says of its size need not be true
    for row in sheet.iter_rows(max_row=MAX_ROWS + 2):
        beyond = row[MAX_COLUMNS:]
        if len(beyond) > MAX_STYLED or any(cell.value is not None for cell in beyond):
            raise _too_large(where, f"more than {MAX_COLUMNS} columns", f"at most {MAX_COLUMNS} columns")
        table.append(list(row[:MAX_COLUMNS]))
        if len(table) > MAX_ROWS + 1:
            raise _too_large(where, f"more than {MAX_ROWS:,} rows", f"at most {MAX_ROWS:,} rows")
    return table


def _table(name: str, cells: list[list[Any]], label: str, problems: list[Problem]) -> list[tuple[int, Row]]:
    """Rows by title; formulas and cells outside the columns become problems, empty rows are left out."""
    where = f'{label}, sheet "{name}"'
    titles = [cell.value for cell in cells[0]] if cells else []
    problems += _header(where, titles, _HEADERS[name])
    rows: list[tuple[int, Row]] = []
    for number, row in enumerate(cells[1:], start=2):
        values: dict[str, object] = {}
        for at, cell in enumerate(row):
            title = titles[at] if at < len(titles) else None
            place = f"{where}, row {number}, column " + (f'"{title}"' if title is not None else str(at + 1))
            if cell.data_type == "f":
                problems.append(
                    Problem("instrument.sheet-formula", place, "the cell holds a formula", "texts and numbers",
                            "Replace the formula by its value (copy, then paste values only).")
                )  # fmt: skip
            elif title is not None:
                values[str(title)] = cell.value
            elif cell.value is not None:
                problems.append(
                    Problem("instrument.sheet-column", place, "a cell stands in a column without a title",
                            ", ".join(_HEADERS[name]), f'Move it; remarks belong into a sheet called "{NOTES}".')
                )  # fmt: skip
        if any(value is not None and str(value).strip() for value in values.values()):
            rows.append((number, values))
    return rows


def _header(where: str, titles: list[Any], wanted: tuple[str, ...]) -> Iterator[Problem]:
    allowed = ", ".join(wanted)
    for at, title in enumerate(titles):
        if title is None:
            continue
        place = f"{where}, row 1, column {at + 1}"
        if title not in wanted:
            near = suggest(str(title), wanted).strip() or f'Remove it; remarks belong into a sheet called "{NOTES}".'
            yield Problem("instrument.sheet-column", place, f'unknown column "{str(title)[:60]}"', allowed, near)
        elif title in titles[:at]:
            yield Problem("instrument.sheet-column", place, f'column "{title}" stands twice', allowed, "Remove one.")
    for name in wanted:
        if name not in titles:
            yield Problem("instrument.sheet-column", f"{where}, row 1", f'column "{name}" is missing', allowed,
                          "Add the column; its cells may be empty.")  # fmt: skip


def _unknown_sheet(label: str, title: str) -> Iterator[Problem]:
    if title != NOTES:
        near = suggest(title, _HEADERS).strip() or f'Remove the sheet, or call it "{NOTES}".'
        yield Problem("instrument.unknown-sheet", f'{label}, sheet "{title[:40]}"', "an instrument has no such sheet",
                      ", ".join(_HEADERS) + f', and "{NOTES}", which is not read', near)  # fmt: skip


def _is_merged(label: str, title: str, place: str) -> Problem:
    return Problem("instrument.merged-cells", f'{label}, sheet "{title}", cells {place}', "cells are merged",
                   "one cell for each value", "Split them (unmerge) and fill in every cell.")  # fmt: skip


def _too_large(where: str, what: str, allowed: str) -> FileError:
    return FileError(
        Problem("instrument.workbook-too-large", where, what, allowed, "Check that this is an instrument's workbook.")
    )


def _not_a_workbook(where: str, reason: str) -> FileError:
    return FileError(
        Problem("instrument.not-a-workbook", where, f"the file cannot be read as a workbook ({reason})",
                "an .xlsx file without password", "Open it in a spreadsheet program and save it as .xlsx.")
    )  # fmt: skip
