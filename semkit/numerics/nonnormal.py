"""Non-normal variables with stated covariances: cubic polynomials of normal ones.

References
----------
Fleishman (1978), Psychometrika 43, 521-532; Vale & Maurelli (1983), Psychometrika 48, 465-471.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def cubic(skew: FloatArray, kurtosis: FloatArray) -> FloatArray:
    """Coefficients ``(p, 3)`` of ``b z + c (z^2 - 1) + d z^3`` with variance 1 and these third and fourth moments.

    Newton's method on Fleishman's three equations, from the normal solution in steps; NaN where no cubic has the
    moments (about where ``kurtosis < 1.5884 skew^2 - 1.1513``).

    Parameters
    ----------
    skew, kurtosis : ndarray (p,)
        Kurtosis is that in excess of the normal distribution's 3.
    """
    x = np.tile([1.0, 0.0, 0.0], (len(skew), 1))
    for share in np.linspace(0.05, 1.0, 20):
        for _ in range(12):
            value, slope = _equations(x, share * skew, share * kurtosis)
            with np.errstate(all="ignore"):
                step = np.linalg.pinv(np.where(np.isfinite(slope), slope, 0.0)) @ value[..., None]
            x = x - step[..., 0]
    value, _ = _equations(x, skew, kurtosis)
    good = np.abs(value).max(axis=1) < 1e-9
    return np.where(good[:, None], x, np.nan)


def _equations(x: FloatArray, skew: FloatArray, kurtosis: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fleishman's eqs. 11, 17 and 18 and their derivatives."""
    b, c, d = x.T
    value = np.stack([
        b**2 + 6 * b * d + 2 * c**2 + 15 * d**2 - 1.0,
        2 * c * (b**2 + 24 * b * d + 105 * d**2 + 2.0) - skew,
        24 * (b * d + c**2 * (1 + b**2 + 28 * b * d) + d**2 * (12 + 48 * b * d + 141 * c**2 + 225 * d**2)) - kurtosis,
    ], axis=1)
    slope = np.stack([
        np.stack([2 * b + 6 * d, 4 * c, 6 * b + 30 * d], axis=1),
        np.stack([2 * c * (2 * b + 24 * d), 2 * (b**2 + 24 * b * d + 105 * d**2 + 2.0), 2 * c * (24 * b + 210 * d)],
                 axis=1),
        24 * np.stack([d + c**2 * (2 * b + 28 * d) + 48 * d**3, 2 * c * (1 + b**2 + 28 * b * d) + 282 * c * d**2,
                       b + 28 * c**2 * b + 2 * d * (12 + 48 * b * d + 141 * c**2 + 225 * d**2)
                       + d**2 * (48 * b + 450 * d)], axis=1),
    ], axis=1)
    return value, slope


def intermediate(correlation: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Correlations ``(p, p)`` of the normal variables behind cubics with given correlations; NaN where there are none.

    ``r = rho (b b' + 3 b d' + 3 d b' + 9 d d') + 2 rho^2 c c' + 6 rho^3 d d'``, solved by bisection on [-1, 1].
    """
    b, c, d = coefficients.T
    first = np.outer(b + 3 * d, b + 3 * d)
    second, third = 2.0 * np.outer(c, c), 6.0 * np.outer(d, d)

    def implied(rho: FloatArray) -> FloatArray:
        return np.asarray(rho * (first + rho * (second + rho * third)))

    low, high = -np.ones_like(correlation), np.ones_like(correlation)
    reach = (implied(low) - 1e-12 <= correlation) & (correlation <= implied(high) + 1e-12)
    for _ in range(60):
        middle = 0.5 * (low + high)
        under = implied(middle) < correlation
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    out = np.where(reach, 0.5 * (low + high), np.nan)
    np.fill_diagonal(out, 1.0)
    return out
