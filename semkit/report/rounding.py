"""How numbers are printed: the one place where digits are dropped.

Policy (APA 7, section 6.36): raw estimates, statistics and counts keep their leading zero; quantities that cannot pass
1 in normal use (p, standardised coefficients, reliabilities, correlations, R squared, fit indices, shares) are printed
without it.  What was not estimated is an en dash, never ``nan``; a minus is U+2212 and a rounded zero has no sign.
Rounding is that of the exact binary value (``format``), so 0.125 with two digits is 0.12.

Indonesian figures have a decimal comma, points between thousands, and always a zero before the comma.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

ABSENT = "–"
"""Printed for 'not estimated'."""
MINUS = "\u2212"
THIN = "\u2009"
BLANK = "\u00a0"
"""Keeps a symbol, its sign and its number on one line."""
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SPEECH: ContextVar[str] = ContextVar("language of printed numbers", default="en")


@contextmanager
def printed_in(language: str) -> Iterator[None]:
    """Print the numbers of this block in a language: ``"id"`` writes 1.234,5 where others write 1,234.5.

    Examples
    --------
    >>> with printed_in("id"):
    ...     print(number(-1234.5), pvalue(0.032), interval(0.1, 0.2, leading=False).replace(BLANK, " "))
    −1.234,50 0,032 [0,10; 0,20]
    """
    token = _SPEECH.set(language)
    try:
        yield
    finally:
        _SPEECH.reset(token)


def _spoken(text: str) -> str:
    """An English number as the language of the block writes it."""
    return text.translate(str.maketrans(".,", ",.")) if _SPEECH.get() == "id" else text


def _float(value: Any) -> float:
    """Return ``value`` as a float, NaN for None, NA and text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def number(value: Any, digits: int = 2, *, leading: bool = True) -> str:
    """Print a number with a fixed count of decimals.

    Parameters
    ----------
    value : float or None
        NaN, None and NA give an en dash.
    digits : int, default 2
    leading : bool, default True
        False drops the zero before the decimal point (``.25``).

    Returns
    -------
    str
        A raw number (``leading=True``) that is not zero but would round to zero keeps two significant figures:
        ``2.4×10⁻⁵``.

    Examples
    --------
    >>> number(-0.254, leading=False), number(float("nan")), number(1234.5), number(-0.0001, leading=False)
    ('−.25', '–', '1,234.50', '.00')
    """
    x = _float(value)
    if math.isnan(x):
        return ABSENT
    if math.isinf(x):
        return "∞" if x > 0 else f"{MINUS}∞"
    tiny = leading and 1e-12 < abs(x) < 0.5 * 10.0**-digits
    if tiny or abs(x) >= 1e9:
        mantissa, exponent = (f"{x:.1e}" if tiny else f"{x:.2e}").split("e")
        return _spoken(f"{mantissa}×10{str(int(exponent)).translate(SUPERSCRIPT)}".replace("-", MINUS))
    text = f"{x:,.{digits}f}"
    negative = text.startswith("-") and any(c in "123456789" for c in text)
    text = text.lstrip("-")
    if not leading and digits > 0 and text.startswith("0.") and _SPEECH.get() != "id":
        text = text[1:]
    return _spoken(MINUS + text if negative else text)


def pvalue(value: Any) -> str:
    """Print a p value: three decimals, ``<.001`` and ``>.999`` at the ends, no leading zero.

    Examples
    --------
    >>> pvalue(0.0004), pvalue(0.0321), pvalue(0.9999), pvalue(None)
    ('<.001', '.032', '>.999', '–')
    """
    p = _float(value)
    if math.isnan(p):
        return ABSENT
    if p < 0.001:
        return f"<{number(0.001, 3, leading=False)}"
    if p > 0.9995:
        return f">{number(0.999, 3, leading=False)}"
    return number(p, 3, leading=False)


def p_phrase(value: Any, symbol: str = "p") -> str:
    """Print a p value in a sentence: ``p < .001``, ``p = .032`` (unbreakable), empty when there is none."""
    text = pvalue(value)
    if text == ABSENT:
        return ""
    sign, value_text = (text[0], text[1:]) if text[0] in "<>" else ("=", text)
    return f"{symbol}{BLANK}{sign}{BLANK}{value_text}"


def interval(lower: Any, upper: Any, digits: int = 2, *, leading: bool = True) -> str:
    """Print an interval, ``[.12, .34]`` (unbreakable); an en dash when neither end is there.

    Examples
    --------
    >>> interval(0.118, 0.341, leading=False).replace(BLANK, " ")
    '[.12, .34]'
    """
    low, high = number(lower, digits, leading=leading), number(upper, digits, leading=leading)
    apart = ";" if _SPEECH.get() == "id" else ","
    return ABSENT if low == high == ABSENT else f"[{low}{apart}{BLANK}{high}]"


def count(value: Any) -> str:
    """Print a count: no decimals, thousands separated; a number that is no whole one keeps two decimals (scaled df)."""
    x = _float(value)
    if math.isnan(x):
        return ABSENT
    return number(x, 0 if x == round(x) else 2) if x else "0"


def share(value: Any, digits: int = 1) -> str:
    """Print a share of 1 as a percentage, ``12.5 %`` (thin space before the sign).

    A share that is not 0 or 1 but rounds there is printed as ``<0.1 %`` or ``>99.9 %``.
    """
    x = _float(value)
    if math.isnan(x):
        return ABSENT
    step = 10.0**-digits
    if 0.0 < 100.0 * x < step / 2.0:
        return _spoken(f"<{step:.{digits}f}{THIN}%")
    if 100.0 - step / 2.0 < 100.0 * x < 100.0:
        return _spoken(f">{100.0 - step:.{digits}f}{THIN}%")
    text = number(100.0 * x, digits, leading=False) if abs(x) >= 0.01 or x == 0 else _spoken(f"{100.0 * x:.{digits}f}")
    return f"{text if not text.startswith('.') else '0' + text}{THIN}%"
