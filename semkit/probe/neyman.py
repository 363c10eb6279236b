"""Johnson-Neyman regions as array functions: where along the moderator a slope differs from zero."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from semkit.result import FloatArray, percentile_interval


def significance_polynomial(slope: FloatArray, cov: FloatArray, critical: float) -> FloatArray:
    r"""Coefficients, lowest power first, of ``s(u)^2 - crit^2 var s(u)`` for a slope ``s(u) = sum_d b_d u^d``.

    The slope at ``u`` (moderator minus its centre) is significant where this is positive.  With two coefficients it
    is the quadratic of Johnson and Neyman; a moderator that also enters squared makes it a quartic.

    Parameters
    ----------
    slope : ndarray (d + 1,)
        b_0 (slope at u = 0), b_1 ...
    cov : ndarray (d + 1, d + 1)
        Their covariance matrix.
    critical : float
        Two-sided critical value.

    Returns
    -------
    ndarray (2 d + 1,)

    References
    ----------
    Johnson & Neyman (1936).  Bauer & Curran (2005), Multivariate Behavioral Research 40, 373-400.
    Miller, Stromeyer & Schwieterman (2013), Behavior Research Methods 45, 929-942 (curvilinear effects).
    """
    both = np.outer(slope, slope) - critical * critical * cov
    power = np.add.outer(np.arange(slope.size), np.arange(slope.size))
    return np.asarray(np.bincount(power.ravel(), both.ravel(), 2 * slope.size - 1), dtype=np.float64)


def changing_roots(coefficients: FloatArray) -> FloatArray:
    """Real values, ascending, at which a polynomial (lowest power first) changes its sign."""
    if coefficients.size <= 3:
        c, b, a = (float(v) for v in np.pad(coefficients, (0, 3 - coefficients.size)))
        return quadratic_roots(a, b, c)
    curve = np.polynomial.Polynomial(coefficients)
    scale = np.abs(coefficients).max()
    found = curve.trim(1e-14 * scale).roots() if scale else np.empty(0)
    real = np.sort(np.real(found[np.abs(np.imag(found)) <= 1e-7 * (1.0 + np.abs(found))]))
    slope = curve.deriv()
    for _ in range(3):  # Newton steps take the companion matrix's rounding away
        steep = np.where(slope(real) == 0.0, np.inf, slope(real))
        real = real - curve(real) / steep
    real = np.unique(real)
    signs = np.sign(curve(between(real)))
    return np.asarray(real[signs[:-1] != signs[1:]]) if real.size else real


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


def draw_roots(slope: FloatArray, low: float, high: float, level: float) -> FloatArray:
    """Values of u in [low, high] where a percentile limit of ``sum_d slope_d u^d`` crosses zero.

    Parameters
    ----------
    slope : ndarray (B, d + 1)
        Bootstrap draws of the coefficients.
    low, high : float
    level : float
        Of the percentile interval.

    Returns
    -------
    ndarray (r,)
    """

    def limits(u: FloatArray) -> FloatArray:
        return np.stack(percentile_interval(slope @ np.vander(u, slope.shape[1], increasing=True).T, level))

    return crossings(limits, low, high)


def crossings(limits: Callable[[FloatArray], FloatArray], low: float, high: float) -> FloatArray:
    """Where one of the continuous curves ``limits(u)``, shape ``(c, m)`` for ``u`` ``(m,)``, crosses zero.

    Found on a grid of 401 points over [low, high] and halved until the bracket is 2^-50 of a step.

    Returns
    -------
    ndarray (r,)
    """
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
