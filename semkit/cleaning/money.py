"""Amounts of money: winsorised, then on the log scale.

References
----------
Wilcox (2012), Introduction to Robust Estimation and Hypothesis Testing, ch. 2 (winsorising).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semkit.errors import OptionError, Problem

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def winsorise(
    values: ArrayLike, lower: float = 0.01, upper: float = 0.99, *, reference: BoolArray | None = None
) -> tuple[FloatArray, float, float]:
    """Pull values beyond two quantiles back to them.

    ``x -> min(max(x, q_lower), q_upper)`` with quantiles by linear interpolation (Hyndman & Fan's type 7).

    Parameters
    ----------
    values : array_like (n,)
        NaN where missing; missing stays missing.
    lower, upper : float
        Shares, ``0 <= lower < upper <= 1``.
    reference : ndarray (n,) of bool, optional
        Rows that give the quantiles; all by default.

    Returns
    -------
    values : ndarray (n,)
    low, high : float
        The two limits (NaN when nothing was answered).

    Raises
    ------
    OptionError
        ``cleaning.bad-share`` for shares out of order.

    Examples
    --------
    >>> winsorise([0.0, 1.0, 2.0, 3.0, 100.0], 0.25, 0.75)[0].tolist()
    [1.0, 1.0, 2.0, 3.0, 3.0]
    """
    if not 0.0 <= lower < upper <= 1.0:
        raise OptionError(
            Problem(
                "cleaning.bad-share",
                "winsorise",
                f"lower {lower} and upper {upper} are not two shares in order",
                "0 <= lower < upper <= 1",
                "The usual pair is 0.01 and 0.99.",
            )
        )
    array = np.asarray(values, dtype=np.float64)
    known = array[~np.isnan(array) & (True if reference is None else reference)]
    if known.size == 0:
        return array.copy(), float("nan"), float("nan")
    low, high = (float(q) for q in np.quantile(known, [lower, upper]))
    return np.clip(array, low, high), low, high


def log_money(
    values: ArrayLike, lower: float = 0.01, upper: float = 0.99, *, reference: BoolArray | None = None
) -> FloatArray:
    """Winsorised amount on the log scale: ``log(1 + x)`` of :func:`winsorise`.

    Negative amounts have no place on a log scale and become missing.

    Examples
    --------
    >>> log_money([0.0, 1.0, float("nan")], 0.0, 1.0).round(3).tolist()
    [0.0, 0.693, nan]
    """
    pulled, _, _ = winsorise(values, lower, upper, reference=reference)
    return np.log1p(np.where(pulled >= 0.0, pulled, np.nan))
