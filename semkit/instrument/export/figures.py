"""Numbers as field tools and spreadsheets read them: in full, with a point, never as 1e+06."""

from __future__ import annotations


def figure(value: float) -> str:
    """Return ``value`` without exponent and without a needless ``.0``.

    Examples
    --------
    >>> figure(1234567.0), figure(60.5), figure(0.00001)
    ('1234567', '60.5', '0.00001')
    """
    return str(int(value)) if value == int(value) else f"{value:.10f}".rstrip("0")
