"""Two-step correlations and scores of pairs, respondent by respondent.

For pairs with a continuous variable (polyserial and Pearson correlations), and for ordinal pairs whose thresholds
differ between respondents (probit regressions on covariates).  Arrays are ``(m, n)``: pairs by respondents; a
respondent with a gap in one of the two has weight 0 and any finite numbers.  Estimates take sampling weights in place
of 1; the scores of a respondent do not know them.

References
----------
Olsson, Drasgow & Dorans (1982), Psychometrika 47, 337-347 (polyserial); Muthen (1984), Psychometrika 49, 115-132
(covariates).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from semkit.numerics.binormal import density, distribution
from semkit.numerics.polychoric import Correlations, climb

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_TINY = 1e-14


@dataclass(frozen=True, eq=False)
class Intervals:
    """Ordinal answers as intervals of a standard normal variable: limits ``(m, n)``, infinite at the ends."""

    upper: FloatArray
    lower: FloatArray

    def take(self, rows: IntArray) -> Intervals:
        return Intervals(self.upper[rows], self.lower[rows])


@dataclass(frozen=True, eq=False)
class PairScores:
    """Derivatives of each respondent's log-likelihood of a pair, ``(m, n)``; 0 where there is a gap.

    Parameters
    ----------
    rho : by the correlation
    first, second : tuple of ndarray
        By the standardised value of a continuous variable (one array), or by the upper and lower limit (two).
    """

    rho: FloatArray
    first: tuple[FloatArray, ...]
    second: tuple[FloatArray, ...]


def _normal(t: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-0.5 * np.minimum(t * t, 1400.0)) / np.sqrt(2.0 * np.pi))


# --- continuous and ordinal ----------------------------------------------------------------------


def _limit_terms(z: FloatArray, limit: FloatArray, rho: FloatArray) -> tuple[FloatArray, ...]:
    """``Phi(t)``, its first and second derivative by rho, and ``phi(t)``, with ``t = (u - rho z) / s``."""
    finite = np.isfinite(limit)
    u, r = np.where(finite, limit, 0.0), rho[:, None]
    s = np.sqrt(1.0 - r * r)
    t = (u - r * z) / s
    move = (r * u - z) / s**3
    bend = u / s**3 + 3.0 * r * (r * u - z) / s**5
    height = np.where(finite, _normal(t), 0.0)
    value = np.where(finite, ndtr(t), (limit > 0.0).astype(np.float64))
    return value, height * move, height * (bend - t * move * move), height


def polyserial(z: FloatArray, answer: Intervals, weight: FloatArray) -> Correlations:
    """Two-step polyserial correlations: maximise ``sum log [Phi(t_u) - Phi(t_l)]`` over rho.

    Parameters
    ----------
    z : ndarray (m, n)
        Standardised continuous variable.
    answer : Intervals
    weight : ndarray (m, n)
        1, or the sampling weight; 0 for gaps.
    """

    def likelihood(rho: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        part = answer.take(rows)
        high, low = _limit_terms(z[rows], part.upper, rho), _limit_terms(z[rows], part.lower, rho)
        p, first, second = (x - y for x, y in zip(high[:3], low[:3], strict=True))
        p = np.maximum(p, _TINY)
        score = first / p
        own = score * weight[rows]
        scoring = np.sum(own * score, axis=1)
        return own.sum(axis=1), scoring - np.sum(second / p * weight[rows], axis=1), scoring

    return climb(likelihood, _start(z, answer, weight))


def polyserial_scores(z: FloatArray, answer: Intervals, rho: FloatArray, weight: FloatArray) -> PairScores:
    """Scores of ``log phi(z) + log [Phi(t_u) - Phi(t_l)]``."""
    high, low = _limit_terms(z, answer.upper, rho), _limit_terms(z, answer.lower, rho)
    p = np.maximum(high[0] - low[0], _TINY)
    r = rho[:, None]
    s = np.sqrt(1.0 - r * r)
    by_z = -z - r / s * (high[3] - low[3]) / p
    return PairScores((high[1] - low[1]) / p * weight, (by_z * weight,),
                      (high[3] / s / p * weight, -low[3] / s / p * weight))


# --- two ordinal variables -----------------------------------------------------------------------


def _corners(one: Intervals, two: Intervals, at: str, rho: FloatArray) -> FloatArray:
    """Second difference over the four corners of the distribution or of the density."""
    of = distribution if at == "distribution" else density
    r = rho[:, None]
    return np.asarray(of(one.upper, two.upper, r) - of(one.lower, two.upper, r)
                      - of(one.upper, two.lower, r) + of(one.lower, two.lower, r))


def interval_correlations(one: Intervals, two: Intervals, weight: FloatArray) -> Correlations:
    """Two-step polychoric correlations with limits of each respondent's own (Fisher's scoring)."""

    def likelihood(rho: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        a, b = one.take(rows), two.take(rows)
        score = _corners(a, b, "density", rho) / np.maximum(_corners(a, b, "distribution", rho), _TINY)
        own = score * weight[rows]
        step = 1e-6
        ahead = _corners(a, b, "density", rho + step) / np.maximum(_corners(a, b, "distribution", rho + step), _TINY)
        scoring = np.sum(own * score, axis=1)
        return own.sum(axis=1), -(np.sum(ahead * weight[rows], axis=1) - own.sum(axis=1)) / step, scoring

    middle = _middle(one)
    return climb(likelihood, _start(middle, two, weight))


def interval_scores(one: Intervals, two: Intervals, rho: FloatArray, weight: FloatArray) -> PairScores:
    """Scores of ``log P(l1 < X < u1, l2 < Y < u2)``."""
    p = np.maximum(_corners(one, two, "distribution", rho), _TINY)
    by_rho = _corners(one, two, "density", rho)
    parts = []
    for own, other in ((one, two), (two, one)):
        pair = []
        for limit, sign in ((own.upper, 1.0), (own.lower, -1.0)):
            finite = np.isfinite(limit)
            u, r = np.where(finite, limit, 0.0), rho[:, None]
            s = np.sqrt(1.0 - r * r)
            inside = ndtr((other.upper - r * u) / s) - ndtr((other.lower - r * u) / s)
            pair.append(sign * np.where(finite, _normal(u), 0.0) * inside / p * weight)
        parts.append(tuple(pair))
    return PairScores(by_rho / p * weight, parts[0], parts[1])


# --- two continuous variables --------------------------------------------------------------------


def pearson(z: FloatArray, other: FloatArray, weight: FloatArray) -> Correlations:
    """Correlations of standardised residuals: the bivariate normal likelihood with the margins held.

    For complete data that is the product-moment correlation; with gaps margins rest on more respondents than a pair.
    """
    count = np.maximum(weight.sum(axis=1), 1e-300)
    xx, yy, xy = (np.sum(u * v * weight, axis=1) / count for u, v in ((z, z), (other, other), (z, other)))

    def likelihood(rho: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        a, b = xx[rows] + yy[rows], xy[rows]
        rest = 1.0 - rho * rho
        form = a - 2.0 * rho * b
        slope = (rho + b - rho * form / rest) / rest
        curve = (1.0 - form / rest + 2.0 * rho * b / rest - 2.0 * rho * rho * form / rest**2) / rest
        curve += 2.0 * rho * slope / rest
        return slope * count[rows], -curve * count[rows], count[rows] * (1.0 + rho * rho) / rest**2

    return climb(likelihood, np.clip(xy / np.maximum(np.sqrt(xx * yy), 1e-300), -0.9999, 0.9999))


def pearson_scores(z: FloatArray, other: FloatArray, rho: FloatArray, weight: FloatArray) -> PairScores:
    """Scores of the bivariate normal log-density by rho and by each standardised value."""
    r = rho[:, None]
    rest = 1.0 - r * r
    by_rho = (r + z * other - r * (z * z - 2.0 * r * z * other + other * other) / rest) / rest
    return PairScores(by_rho * weight, (-(z - r * other) / rest * weight,), (-(other - r * z) / rest * weight,))


# --- starting values -----------------------------------------------------------------------------


def _middle(answer: Intervals) -> FloatArray:
    """Mean of a standard normal variable within each interval."""
    width = np.maximum(ndtr(answer.upper) - ndtr(answer.lower), 1e-12)
    return np.asarray((_normal(answer.lower) - _normal(answer.upper)) / width)


def _start(z: FloatArray, answer: Intervals, weight: FloatArray) -> FloatArray:
    y = _middle(answer)
    count = np.maximum(weight.sum(axis=1), 1e-300)
    cross = np.sum(z * y * weight, axis=1) / count
    size = np.maximum(np.sum(z * z * weight, axis=1) / count * np.sum(y * y * weight, axis=1) / count, 1e-12)
    return np.asarray(np.clip(cross / size**0.75, -0.95, 0.95))
