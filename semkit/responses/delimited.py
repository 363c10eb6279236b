"""Delimited text: the delimiter is read from the header row alone, and never chosen between two."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator

from semkit.errors import FileError, OptionError, Problem, ResponseError
from semkit.responses.encoding import decode
from semkit.responses.records import Limits
from semkit.responses.sheet import Sheet, make_sheet

DELIMITERS = (";", ",", "\t", "|")
_HEADER_MOST = 2_000_000
_OLD_END = re.compile("\r(?!\n)")
_NAMES = {";": "semicolon ;", ",": "comma ,", "\t": "tab", "|": "bar |"}


def read_delimited(
    content: bytes,
    where: str,
    limits: Limits,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    known: Callable[[str], bool] = lambda name: False,
) -> Sheet:
    """Read delimited text.

    Parameters
    ----------
    content : bytes
    where : str
    limits : Limits
    encoding, delimiter : str, optional
        Found in the file when not given.
    known : callable
        Tells whether a header names something of the instruments; only asked when two delimiters stand in the header.

    Returns
    -------
    Sheet

    Raises
    ------
    FileError, ResponseError
        Codes of :func:`decode`, :func:`find_delimiter` and :func:`make_sheet`; ``responses.broken-quotes``.
    """
    text, encoding = decode(content, where, encoding)
    if delimiter is not None and delimiter not in DELIMITERS:
        raise OptionError(
            Problem(
                "responses.unknown-delimiter",
                "delimiter",
                "this delimiter is not read",
                ", ".join(_NAMES.values()),
                "Choose one of these.",
            )
        )
    if not text.strip():
        return make_sheet(where, [], limits)
    if delimiter is None:
        delimiter = find_delimiter(text, where, known)
    table = _records(text, delimiter, where)
    return make_sheet(where, table, limits, encoding=encoding, delimiter=delimiter, marked="'" in text)


def find_delimiter(text: str, where: str, known: Callable[[str], bool] = lambda name: False) -> str:
    """Return the delimiter of the header row.

    The candidates are ``;``, ``,``, tab and ``|`` outside quotation marks.  One candidate: it is the
    delimiter.  None: the file has one column.  Several: the one under which header names are known,
    if there is exactly one such.

    Raises
    ------
    ResponseError
        ``responses.ambiguous-delimiter``.

    Examples
    --------
    >>> find_delimiter('"a, b";"c"', "f.csv")
    ';'
    """
    found = {}
    for candidate in DELIMITERS:
        header = _header(text, candidate)
        if len(header) > 1:
            found[candidate] = header
    if not found:
        return ","
    if len(found) == 1:
        return next(iter(found))
    fitting = [candidate for candidate, header in found.items() if any(known(name.strip()) for name in header)]
    if len(fitting) == 1:
        return fitting[0]
    raise ResponseError(
        Problem(
            "responses.ambiguous-delimiter",
            f"{where}, row 1",
            "the header can be split by " + " and by ".join(_NAMES[candidate] for candidate in found),
            "one delimiter, or quoted column names",
            "Say which one it is with delimiter=.",
        )
    )


def _header(text: str, delimiter: str) -> list[str]:
    """The first record; a quotation mark that is never closed makes it empty."""
    try:
        start = io.StringIO(text[:_HEADER_MOST], newline="")  # the header, not the whole file
        return next(csv.reader(start, delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends; a StringIO would hold four bytes a letter of the whole file at once."""
    if _OLD_END.search(text):  # carriage returns alone
        yield from io.StringIO(text, newline="")
        return
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _records(text: str, delimiter: str, where: str) -> list[list[str]]:
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    table: list[list[str]] = []
    once = dict[str, str]().setdefault  # the same text is kept once: labels repeat a hundred thousand times
    try:
        for row in reader:
            table.append(list(map(once, row, row)))
    except csv.Error as error:
        raise FileError(
            Problem(
                "responses.broken-quotes",
                f"{where}, line {reader.line_num}, row {len(table) + 1}",
                f"the row cannot be read ({error})",
                'cells quoted as "...", with "" for a quotation mark inside',
                "The file was cut off or edited by hand there: export it again.",
            )
        ) from error
    return table
