"""Johnson-Neyman regions as array functions: where along the moderator a slope differs from zero."""

from __future__ import annotations

import math

import numpy as np

from semkit.result import FloatArray, percentile_interval


def significance_polynomial(
    slope: float, change: float, var_slope: float, cov: float, var_change: float, critical: float
) -> tuple[float, float, float]:
    r"""Coefficients (a, b, c) of ``a u^2 + b u + c = (b1 + b3 u)^2 - crit^2 var(b1 + b3 u)``.

    The slope at ``u`` (moderator minus its centre) is significant where this is positive.

    Parameters
    ----------
    slope, change : float
        b1 (slope at u = 0) and b3.
    var_slope, cov, var_change : float
        Their variances and covariance.
    critical : float
        Two-sided critical value of t or z.

    References
    ----------
    Johnson & Neyman (1936).  Bauer & Curran (2005), Multivariate Behavioral Research 40, 373-400.
    """
    square = critical * critical
    return (
        change * change - square * var_change,
        2.0 * (slope * change - square * cov),
        slope * slope - square * var_slope,
    )


def quadratic_roots(a: float, b: float, c: float) -> FloatArray:
    """Real roots in ascending order, without cancellation (Press et al. 2007, eq. 5.6.4).

    A double root is left out: the polynomial does not change its sign there.

    Returns
    -------
    ndarray (0,), (1,) or (2,)
    """
    if a == 0.0:
        return np.array([-c / b]) if b != 0.0 else np.empty(0)
    discriminant = b * b - 4.0 * a * c
    if discriminant <= 0.0:
        return np.empty(0)
    q = -0.5 * (b + math.copysign(math.sqrt(discriminant), b))
    return np.sort(np.array([q / a, c / q]))


def draw_roots(slope: FloatArray, change: FloatArray, low: float, high: float, level: float) -> FloatArray:
    """Values of u in [low, high] where a percentile limit of ``slope + change u`` crosses zero.

    The limits are continuous in u; crossings are bracketed on a grid of 401 points and halved
    until the bracket is 2^-50 of a step.

    Parameters
    ----------
    slope, change : ndarray (B,)
        Bootstrap draws of b1 and b3.
    low, high : float
    level : float
        Of the percentile interval.

    Returns
    -------
    ndarray (r,)
    """

    def limits(u: FloatArray) -> FloatArray:
        return np.stack(percentile_interval(slope[:, None] + change[:, None] * u, level))

    grid = np.linspace(low, high, 401)
    value = limits(grid)
    which, start = np.nonzero(np.sign(value[:, :-1]) * np.sign(value[:, 1:]) < 0)
    exact = grid[np.nonzero(value == 0.0)[1]]
    left, right = grid[start], grid[start + 1]
    at_left = value[which, start]
    for _ in range(50):
        if not left.size:
            break
        middle = 0.5 * (left + right)
        at_middle = limits(middle)[which, np.arange(middle.size)]
        same = np.sign(at_middle) == np.sign(at_left)
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    return np.unique(np.concatenate([exact, 0.5 * (left + right)]))


def between(roots: FloatArray) -> FloatArray:
    """One point inside each of the r + 1 intervals that r ascending roots make of the line."""
    if roots.size == 0:
        return np.zeros(1)
    reach = max(1.0, float(roots[-1] - roots[0]))
    return np.concatenate([[roots[0] - reach], 0.5 * (roots[:-1] + roots[1:]), [roots[-1] + reach]])
