"""How answers are distributed: moments and the share at the ends of the scale, as array functions."""

from __future__ import annotations

import numpy as np

from semkit.result import FloatArray


def skewness(values: FloatArray) -> FloatArray:
    """Adjusted skewness ``G1 = sqrt(n (n - 1)) / (n - 2) m3 / m2^1.5`` of each column, as SPSS and SAS print it.

    Unbiased for normal data.  Source: Joanes & Gill (1998), The Statistician 47, 183-189.

    Parameters
    ----------
    values : ndarray (n, p)
        NaN where missing; n counts the answers of each column.

    Returns
    -------
    ndarray (p,)
        NaN with fewer than three answers or without variation.
    """
    n, m2, m3, _ = _central_moments(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        out = np.sqrt(n * (n - 1)) / (n - 2) * m3 / m2**1.5
    return np.where((n > 2) & (m2 > 0), out, np.nan)


def kurtosis(values: FloatArray) -> FloatArray:
    """Adjusted excess kurtosis ``G2 = (n - 1) ((n + 1) g2 + 6) / ((n - 2)(n - 3))``, ``g2 = m4 / m2^2 - 3``.

    Source: Joanes & Gill (1998).  Arguments as in :func:`skewness`.
    """
    n, m2, _, m4 = _central_moments(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        out = (n - 1) * ((n + 1) * (m4 / m2**2 - 3.0) + 6.0) / ((n - 2) * (n - 3))
    return np.where((n > 3) & (m2 > 0), out, np.nan)


def _central_moments(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    there = ~np.isnan(values)
    n = there.sum(axis=0).astype(float)
    many = np.maximum(n, 1.0)
    total = np.where(there, values, 0.0).sum(axis=0)
    deviation = np.where(there, values - total / many, 0.0)
    # a column of one value may leave rounding dust that is no variation
    deviation[:, np.nanmax(np.abs(deviation), axis=0, initial=0.0) < 1e-12] = 0.0
    m2, m3, m4 = ((deviation**power).sum(axis=0) / many for power in (2, 3, 4))
    return n, m2, m3, m4


def share_at(values: FloatArray, ends: FloatArray) -> FloatArray:
    """Share of each column's answers equal to its end of the scale; NaN without answers or without an end.

    More than 15-20 % at an end is called a floor or ceiling effect (McHorney & Tarlov 1995).

    Parameters
    ----------
    values : ndarray (n, p)
    ends : ndarray (p,)
        Lowest or highest code of each item's scale, NaN when not known.

    Returns
    -------
    ndarray (p,)
    """
    n = (~np.isnan(values)).sum(axis=0)
    share = (values == ends).sum(axis=0) / np.maximum(n, 1)
    return np.where((n > 0) & ~np.isnan(ends), share, np.nan)
