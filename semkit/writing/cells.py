"""Cells that a spreadsheet shows and never calculates.

A text that starts with ``=``, ``+``, ``-``, ``@``, a tab or a line break is read as a formula by
Excel, LibreOffice and Google Sheets when a CSV file is opened (OWASP, "CSV injection").  Such
texts get a leading apostrophe; numbers stay numbers.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Real

# Full-width forms are folded to ASCII by some spreadsheet locales.
_FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
# Not allowed in XML 1.0, so not in XLSX or HTML either; tab, CR and LF are.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

Cell = str | int | float | bool | None


def text_cell(text: str) -> str:
    """Return ``text`` such that no spreadsheet takes it for a formula.

    Leading blanks do not hide a formula (spreadsheets trim them), so the first character that is
    not a blank decides.  Control characters that no file format may carry are removed.

    Examples
    --------
    >>> text_cell("=1+1"), text_cell("plain"), text_cell("  @SUM(A1)")
    ("'=1+1", 'plain', "'  @SUM(A1)")
    """
    text = _CONTROL.sub("", text)
    first = text.lstrip(" \u00a0\ufeff\u200b")[:1]
    return f"'{text}" if first in _FORMULA_STARTS and first else text


def plain_cell(text: str) -> str:
    """The text that :func:`text_cell` made safe: without its apostrophe; any other text as it is.

    Examples
    --------
    >>> plain_cell("'=1+1"), plain_cell("'quoted'")
    ('=1+1', "'quoted'")
    """
    return text[1:] if text[:1] == "'" and text_cell(text[1:]) == text else text


def cell(value: object) -> Cell:
    """Return ``value`` as a safe cell: numbers as they are, texts neutralised, nothing as ``None``.

    NaN, ``None``, ``pandas.NA`` and ``NaT`` become ``None`` (an empty cell); infinities become text,
    because no spreadsheet has a number for them; dates become ISO text.

    Examples
    --------
    >>> cell(-1.5), cell("-1.5"), cell(float("nan")), cell(True)
    (-1.5, "'-1.5", None, True)
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, str):
        return text_cell(str(value))
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real | Decimal):
        number = float(value)
        if math.isnan(number):
            return None
        return number if math.isfinite(number) else text_cell(str(number))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return text_cell(str(value))
