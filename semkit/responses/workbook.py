"""Workbooks (XLSX): one sheet, every cell as text, formulas refused instead of calculated."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from typing import IO, Any

from semkit.errors import FileError, MissingExtraError, OptionError, Problem, ResponseError
from semkit.responses.records import Limits
from semkit.responses.sheet import Sheet, check_size, make_sheet, too_large

FORMULA = "="
_OURS = (("entry", {"entry", "questions", "lists"}), ("answers", {"answers", "codebook"}))
"""The sheet with answers in semkit's own workbooks: data entry, and answers written out."""


def read_workbook(content: bytes, where: str, limits: Limits, *, sheet: str | None = None) -> Sheet:
    """Read one sheet of a workbook.

    Numbers become text without a trailing ``.0``, dates ISO text.  A formula stays visible as its
    text (``=...``): it is never calculated and no answer, so an answer column that holds one is a problem.

    Parameters
    ----------
    content : bytes
    where : str
    limits : Limits
    sheet : str, optional
        Name of the sheet; not needed when only one has cells.

    Raises
    ------
    FileError
        ``responses.not-a-workbook``, ``responses.too-large``.
    ResponseError
        ``responses.several-sheets`` and the codes of :func:`make_sheet`.
    OptionError
        ``responses.unknown-sheet``.
    MissingExtraError
        ``responses.needs-excel``.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtraError(
            Problem(
                "responses.needs-excel",
                where,
                "reading XLSX needs the package openpyxl",
                "semkit with the extra 'excel'",
                'Run: pip install "semkit[excel]", or save the sheet as CSV UTF-8.',
            )
        ) from error
    _check_archive(content, where, limits)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        tables = {name: _table(book[name], f"{where}, sheet {name}", limits) for name in _names(book, sheet, where)}
    except (KeyError, ValueError, TypeError, AttributeError, OSError, EOFError, SyntaxError) as error:
        raise _not_a_workbook(where, type(error).__name__) from error
    filled = {name: found for name, found in tables.items() if found[0]}
    if len(filled) > 1:
        raise ResponseError(
            Problem(
                "responses.several-sheets",
                where,
                f"{len(filled)} sheets have cells: " + ", ".join(f'"{name}"' for name in filled),
                "the name of one sheet",
                "Say which one holds the responses with sheet=.",
            )
        )
    name, (table, machine) = next(iter(filled.items()), ("", ([], frozenset())))
    return make_sheet(f"{where}, sheet {name}" if name else where, table, limits, machine=machine)


def _names(book: Any, sheet: str | None, where: str) -> list[str]:
    names = [ws.title for ws in book.worksheets]
    if sheet is None:
        return next(([first] for first, together in _OURS if set(names) == together), names)
    if sheet not in names:
        raise OptionError(
            Problem(
                "responses.unknown-sheet",
                f'{where}, sheet "{sheet}"',
                "there is no such sheet",
                ", ".join(names),
                "Use one of these names.",
            )
        )
    return [sheet]


def _table(worksheet: Any, where: str, limits: Limits) -> tuple[list[list[str]], frozenset[int]]:
    """Cells as text, and the columns (from 0) in which no cell under the header was written as text."""
    table: list[list[str]] = []
    width = 0
    typed: set[int] = set()
    for row in worksheet.iter_rows(values_only=True):
        if table:
            typed.update(column for column, value in enumerate(row) if isinstance(value, str))
        table.append([_text(value) for value in row])
        width = max(width, len(row))
        check_size(where, len(table) - 1, width, limits)
    while table and not any(table[-1]):
        table.pop()  # formatted but empty rows at the end
    return [row + [""] * (width - len(row)) for row in table], frozenset(set(range(width)) - typed)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, str | int | float):
        return str(value)
    text = getattr(value, "text", "")  # array and table formulas
    return FORMULA + str(text).lstrip(FORMULA)


def _check_archive(content: bytes, where: str, limits: Limits) -> None:
    """Refuse what is no zip archive, what unpacks beyond the limit, and XML with a document type."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            if size > limits.bytes:
                raise too_large(where, f"{size:,} bytes when unpacked", f"at most {limits.bytes:,} bytes")
            if "[Content_Types].xml" not in {part.filename for part in parts}:
                raise _not_a_workbook(where, "it is a zip archive of something else")
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as stream:
                        _check_markup(stream, where)
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError) as error:
        raise _not_a_workbook(where, "no zip archive inside") from error


def _check_markup(stream: IO[bytes], where: str) -> None:
    """Refuse a document type anywhere (entities could refer to other files or grow without end), and UTF-16 parts.

    In well-formed XML ``<!DOCTYPE`` cannot stand in a text, where ``<`` is written ``&lt;``.
    """
    before = b""
    while chunk := stream.read(1 << 20):
        if not before and chunk[:2] in (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00"):
            raise _not_a_workbook(where, "a part is not written in UTF-8")
        if b"<!DOCTYPE" in before + chunk or b"<!ENTITY" in before + chunk:
            raise _not_a_workbook(where, "a part declares a document type")
        before = chunk[-16:]


def _not_a_workbook(where: str, reason: str) -> FileError:
    return FileError(
        Problem(
            "responses.not-a-workbook",
            where,
            f"the file cannot be read as a workbook ({reason})",
            "an .xlsx file without password",
            "Open it in a spreadsheet program and save it as .xlsx or as CSV UTF-8.",
        )
    )
