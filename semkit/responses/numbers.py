"""Numbers written as text: read when there is one way to read them, else not at all."""

from __future__ import annotations

import re
from typing import Literal

Decimal = Literal[".", ","]

_WHOLE = re.compile(r"^[+-]?\d+$")
_POINT = re.compile(r"^[+-]?\d+\.\d+$")
_COMMA = re.compile(r"^[+-]?\d+,\d+$")
_SCIENTIFIC = re.compile(r"^[+-]?\d+(\.\d+)?[eE][+-]?\d+$")
_GROUPED = re.compile(r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$")
MOST_DIGITS = 30


def parse_number(text: str, decimal: Decimal | None = None) -> float | str:
    """Read a number, or say why it cannot be read.

    Whole numbers, decimal points and scientific notation are read.  ``1,5`` and ``1.500`` mean different
    things in Jakarta and in London: without ``decimal`` they are refused.  Thousands separators always are.

    Parameters
    ----------
    text : str
    decimal : {".", ","}, optional
        Declared decimal sign; then the other sign is refused.

    Returns
    -------
    float or str
        The number, or what is wrong: ``"not a number"``, ``"decimal or thousands sign"``.

    Examples
    --------
    >>> parse_number("12"), parse_number("1.50"), parse_number("1.500"), parse_number("1,5", ",")
    (12.0, 1.5, 'decimal or thousands sign', 1.5)
    """
    text = text.strip()
    if len(text) > MOST_DIGITS or not text.isascii():
        return "not a number"
    if _WHOLE.match(text) or _SCIENTIFIC.match(text):
        value = float(text)
        return value if abs(value) < 1e18 else "not a number"
    if _POINT.match(text):
        if decimal == "," or (decimal is None and _GROUPED.match(text)):
            return "decimal or thousands sign"
        return float(text)
    if _COMMA.match(text):
        return float(text.replace(",", ".")) if decimal == "," else "decimal or thousands sign"
    if re.match(r"^[+-]?\d[\d.,' ]*$", text):
        return "decimal or thousands sign"
    return "not a number"


def whole(text: str) -> int | None:
    """The integer a text is (``3``, ``3.0``), else None.

    Examples
    --------
    >>> whole("3"), whole("3.0"), whole("3.5"), whole("x")
    (3, 3, None, None)
    """
    match = re.match(r"^([+-]?\d{1,9})(\.0+)?$", text.strip())
    return int(match[1]) if match and text.isascii() else None
