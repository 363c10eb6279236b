"""Polychoric correlations of many pairs at once, from tables of counts.

Answers ``a`` and ``b`` stand for intervals of two standard normal variables with correlation ``rho``; thresholds are
known (two-step estimation).  A batch of ``m`` tables has ``A x B`` cells; shorter scales are padded with thresholds at
infinity.

References
----------
Olsson (1979), Psychometrika 44, 443-460 (two-step likelihood, derivatives in the appendix).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from semkit.numerics.binormal import density, distribution

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LIMIT = 0.99999  # a correlation beyond is a boundary case: the table does not bound it
_TINY = 1e-14  # below this a cell's probability is rounding error


@dataclass(frozen=True, eq=False)
class Correlations:
    """Two-step estimates of ``m`` correlations.

    Parameters
    ----------
    rho : ndarray (m,)
    boundary : ndarray (m,) of bool
        The likelihood has no maximum inside; ``rho`` stopped at the limit.
    """

    rho: FloatArray
    boundary: BoolArray


def edges(counts: FloatArray) -> FloatArray:
    """Limits of the intervals, ``(..., C + 1)`` from minus to plus infinity, of category counts ``(..., C)``.

    ``Phi^-1`` of the cumulative proportions; an empty category is an interval of length zero.
    """
    total = counts.sum(axis=-1, keepdims=True)
    inside = ndtri(np.cumsum(counts, axis=-1) / np.where(total > 0.0, total, 1.0))
    out = np.empty((*counts.shape[:-1], counts.shape[-1] + 1))
    out[..., 0], out[..., 1:] = -np.inf, inside
    out[..., -1] = np.inf
    return out


def cell_values(corners: FloatArray) -> FloatArray:
    """Second differences ``(m, A, B)`` of a function at the corners ``(m, A + 1, B + 1)`` of the cells."""
    rows = corners[:, 1:] - corners[:, :-1]
    return np.asarray(rows[:, :, 1:] - rows[:, :, :-1])


def probabilities(a: FloatArray, b: FloatArray, rho: FloatArray) -> FloatArray:
    """Cell probabilities ``(m, A, B)`` for limits ``a (m, A + 1)``, ``b (m, B + 1)``."""
    low, high = ndtr(a), ndtr(b)
    corners = np.zeros((len(rho), a.shape[1], b.shape[1]))
    corners[:, -1, :] = high
    corners[:, :, -1] = low
    corners[:, 1:-1, 1:-1] = distribution(a[:, 1:-1, None], b[:, None, 1:-1], rho[:, None, None])
    return cell_values(corners)


def _densities(a: FloatArray, b: FloatArray, rho: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Derivatives of the cell probabilities by ``rho``, first and second.

    The second is that of the density: ``phi2 [rho / s^2 + h k / s^2 - rho (h^2 - 2 rho h k + k^2) / s^4]``.
    """
    h, k, r = a[:, 1:-1, None], b[:, None, 1:-1], rho[:, None, None]
    rest = 1.0 - r * r
    at = density(h, k, r)
    first = np.zeros((len(rho), a.shape[1], b.shape[1]))
    second = np.zeros_like(first)
    first[:, 1:-1, 1:-1] = at
    h, k = np.where(np.isfinite(h), h, 0.0), np.where(np.isfinite(k), k, 0.0)
    bend = (r + h * k - r * (h * h - 2.0 * r * h * k + k * k) / rest) / rest
    second[:, 1:-1, 1:-1] = at * bend
    return cell_values(first), cell_values(second)


# (correlations (b,), tables (b,)) -> slope, curvature (positive at a maximum), scoring curvature, each (b,)
Likelihood = Callable[[FloatArray, NDArray[np.int64]], tuple[FloatArray, FloatArray, FloatArray]]


def climb(likelihood: Likelihood, start: FloatArray, max_iterations: int = 60) -> Correlations:
    """Maximise ``m`` functions of one correlation each by Newton's method with safeguards.

    Where the curvature is not that of a maximum the mean square of the scores takes its place; no step goes more than
    seven tenths of the way to 1 or -1.
    """
    rho = start.copy()
    open_ = np.arange(len(rho))
    boundary = np.zeros(len(rho), dtype=bool)
    for _ in range(max_iterations):
        r = rho[open_]
        slope, curve, scoring = likelihood(r, open_)
        curve = np.where(curve > 0.1 * scoring, curve, scoring)
        step = slope / np.maximum(curve, 1e-300)
        room = 0.7 * np.where(step > 0.0, 1.0 - r, 1.0 + r)
        rho[open_] = r + np.clip(step, -room, room)
        out = np.abs(rho[open_]) >= LIMIT
        boundary[open_[out]] = True
        rho[open_[out]] = np.copysign(LIMIT, rho[open_[out]])
        # a Newton step leaves an error of the order of its square
        open_ = open_[~out & (np.abs(step) > 1e-8)]
        if not len(open_):
            break
    return Correlations(rho, boundary)


def polychoric(counts: FloatArray, a: FloatArray, b: FloatArray) -> Correlations:
    """Maximise ``sum n_ab log P_ab(rho)`` for every table.

    Parameters
    ----------
    counts : ndarray (m, A, B)
        May be fractions (adjusted cells).
    a, b : ndarray (m, A + 1), (m, B + 1)
        Limits of the intervals, infinite at both ends.
    """

    def likelihood(rho: FloatArray, rows: NDArray[np.int64]) -> tuple[FloatArray, FloatArray, FloatArray]:
        first, second = _densities(a[rows], b[rows], rho)
        p = np.maximum(probabilities(a[rows], b[rows], rho), _TINY)
        share = counts[rows] / p
        scoring = np.einsum("mab,mab->m", share / p, first * first)
        slope = np.einsum("mab,mab->m", share, first)
        return slope, scoring - np.einsum("mab,mab->m", share, second), scoring

    return climb(likelihood, _start(counts, a, b))


def _start(counts: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Correlation of the scores that answers have under normality, a little enlarged for the grouping."""
    x, y = _scores(a), _scores(b)
    n = np.maximum(counts.sum(axis=(1, 2)), 1e-300)
    row, col = counts.sum(axis=2) / n[:, None], counts.sum(axis=1) / n[:, None]
    mean_x, mean_y = np.sum(row * x, axis=1), np.sum(col * y, axis=1)
    var_x = np.sum(row * x * x, axis=1) - mean_x**2
    var_y = np.sum(col * y * y, axis=1) - mean_y**2
    cross = np.einsum("mab,ma,mb->m", counts, x, y) / n - mean_x * mean_y
    size = np.maximum(var_x * var_y, 1e-12)
    return np.asarray(np.clip(cross / size**0.75, -0.95, 0.95))


def _scores(limits: FloatArray) -> FloatArray:
    """Mean of a standard normal variable within each interval, ``(m, A)``; 0 for empty ones."""
    height = np.where(np.isfinite(limits), np.exp(-0.5 * np.minimum(limits**2, 1400.0)) / np.sqrt(2.0 * np.pi), 0.0)
    width = np.diff(ndtr(limits), axis=1)
    return np.asarray(np.where(width > 0.0, -np.diff(height, axis=1) / np.where(width > 0.0, width, 1.0), 0.0))


@dataclass(frozen=True, eq=False)
class CellScores:
    """Derivatives of ``log P_ab`` of ``m`` tables, each ``(m, A, B)``.

    Parameters
    ----------
    rho : by the correlation
    upper_a, lower_a : by the upper and the lower limit of the row's interval
    upper_b, lower_b : the same of the column's
    """

    rho: FloatArray
    upper_a: FloatArray
    lower_a: FloatArray
    upper_b: FloatArray
    lower_b: FloatArray


def cell_scores(a: FloatArray, b: FloatArray, rho: FloatArray) -> CellScores:
    """Scores of cells: ``phi2`` differences by ``rho``; ``phi(u) [Phi((u' - rho u) / s) - Phi((l' - rho u) / s)]`` by
    a limit ``u``, over the cell's probability (Olsson 1979)."""
    p = np.maximum(probabilities(a, b, rho), _TINY)
    first, _ = _densities(a, b, rho)
    by_a = _limit_scores(a, b, rho)
    by_b = _limit_scores(b, a, rho).swapaxes(1, 2)
    return CellScores(first / p, by_a[:, 1:] / p, -by_a[:, :-1] / p, by_b[:, :, 1:] / p, -by_b[:, :, :-1] / p)


def _limit_scores(a: FloatArray, b: FloatArray, rho: FloatArray) -> FloatArray:
    """``phi(u) [Phi((u' - rho u) / s) - Phi((l' - rho u) / s)]`` for limits u, ``(m, A + 1, B)``."""
    finite = np.isfinite(a)
    u = np.where(finite, a, 0.0)[:, :, None]
    s = np.sqrt(1.0 - rho * rho)[:, None, None]
    inside = np.diff(ndtr((b[:, None, :] - rho[:, None, None] * u) / s), axis=2)
    height = np.where(finite[:, :, None], np.exp(-0.5 * u * u) / np.sqrt(2.0 * np.pi), 0.0)
    return np.asarray(height * inside)
