"""First step of two-step estimation: each variable on its own, given the covariates.

Ordinal variables: thresholds and slopes of a probit regression ``P(y <= c | x) = Phi(tau_c - x'b)``; continuous ones:
intercept, slopes and residual variance of a linear regression.

References
----------
Muthen (1984), Psychometrika 49, 115-132; McKelvey & Zavoina (1975), Journal of Mathematical Sociology 4,
103-120 (ordered probit).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from semkit.numerics.polychoric import edges

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_TINY = 1e-14


@dataclass(frozen=True, eq=False)
class Margin:
    """One variable of one group, ``n`` respondents, ``k`` covariates.

    Parameters
    ----------
    ordinal : bool
    level : ndarray (t,)
        Thresholds, or the intercept.
    slopes : ndarray (k,)
    variance : float
        Residual variance; 1 for ordinal variables.
    seen : ndarray (n,) of bool
    scores : ndarray (n, t + k [+ 1])
        Derivatives of the log-likelihood by level, slopes and (continuous) variance; 0 for gaps.
    upper, lower : ndarray (n,)
        Limits of the interval (ordinal).
    z : ndarray (n,)
        Standardised residual (continuous).
    answer : ndarray (n,) of int
        Category from 0; 0 for gaps and continuous variables.
    """

    ordinal: bool
    level: FloatArray
    slopes: FloatArray
    variance: float
    seen: BoolArray
    scores: FloatArray
    upper: FloatArray
    lower: FloatArray
    z: FloatArray
    answer: NDArray[np.int64]

    @property
    def size(self) -> int:
        """Number of parameters of the margin."""
        return int(self.scores.shape[1])


def continuous_margin(y: FloatArray, x: FloatArray, weights: FloatArray | None = None) -> Margin:
    """Linear regression of one continuous variable by maximum likelihood over the respondents who answered.

    Parameters
    ----------
    y : ndarray (n,)
        NaN for gaps.
    x : ndarray (n, k)
        May have no columns.
    weights : ndarray (n,), optional
        Sampling weights (pseudo maximum likelihood).
    """
    seen = ~np.isnan(y)
    design = np.column_stack([np.ones(len(y)), x])
    root = np.ones(int(seen.sum())) if weights is None else np.sqrt(weights[seen])
    found = np.linalg.lstsq(design[seen] * root[:, None], y[seen] * root, rcond=None)[0]
    line: FloatArray = np.asarray(found, dtype=np.float64)
    rest = np.where(seen, y, 0.0) - design @ line
    variance = float(np.average(rest[seen] ** 2, weights=root**2))
    z = np.where(seen, rest / np.sqrt(variance), 0.0)
    by_level = (z / np.sqrt(variance))[:, None] * design
    by_variance = (z * z - 1.0) / (2.0 * variance)
    scores = np.column_stack([by_level, by_variance]) * seen[:, None]
    nothing = np.zeros(len(y))
    return Margin(False, line[:1], line[1:], variance, seen, scores, nothing, nothing, z,
                  np.zeros(len(y), dtype=np.int64))


def ordinal_margin(y: FloatArray, categories: int, x: FloatArray, weights: FloatArray | None = None) -> Margin:
    """Thresholds (and probit slopes) of one ordinal variable with answers ``0 ... categories - 1``.

    Parameters
    ----------
    y : ndarray (n,)
        NaN for gaps.
    categories : int
    x : ndarray (n, k)
    weights : ndarray (n,), optional
        Sampling weights (pseudo maximum likelihood).
    """
    seen = ~np.isnan(y)
    answer = np.where(seen, y, 0.0).astype(np.int64)
    w = seen.astype(np.float64) if weights is None else weights * seen
    level = edges(np.bincount(answer, weights=w, minlength=categories).astype(np.float64))[1:-1]
    slopes = np.zeros(x.shape[1])
    if x.shape[1]:
        level, slopes = _probit(answer, w, level, x)
    upper, lower = _limits(answer, level, slopes, x)
    scores = _probit_scores(answer, seen, upper, lower, len(level), x)
    return Margin(True, level, slopes, 1.0, seen, scores, upper, lower, np.zeros(len(y)), answer)


def _limits(
    answer: NDArray[np.int64], level: FloatArray, slopes: FloatArray, x: FloatArray
) -> tuple[FloatArray, FloatArray]:
    whole = np.concatenate([[-np.inf], level, [np.inf]])
    shift = x @ slopes
    return whole[answer + 1] - shift, whole[answer] - shift


def _solved(hessian: FloatArray, gradient: FloatArray) -> FloatArray:
    """``H^-1 g``, the shortest solution where covariates tell the categories apart and nothing is left to bend."""
    try:
        return np.asarray(np.linalg.solve(hessian, gradient))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(hessian, gradient, rcond=None)[0])


def _heights(limit: FloatArray) -> FloatArray:
    finite = np.where(np.isfinite(limit), limit, 0.0)
    return np.asarray(np.where(np.isfinite(limit), np.exp(-0.5 * finite**2) / np.sqrt(2.0 * np.pi), 0.0))


def _probit_scores(
    answer: NDArray[np.int64], seen: BoolArray, upper: FloatArray, lower: FloatArray, thresholds: int, x: FloatArray
) -> FloatArray:
    p = np.maximum(ndtr(upper) - ndtr(lower), _TINY)
    high, low = _heights(upper) / p * seen, _heights(lower) / p * seen
    at = np.arange(thresholds)
    by_level = (answer[:, None] == at) * high[:, None] - (answer[:, None] == at + 1) * low[:, None]
    return np.column_stack([by_level, -(high - low)[:, None] * x])


def _probit(
    answer: NDArray[np.int64], weights: FloatArray, level: FloatArray, x: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Thresholds and slopes by Newton's method with the exact Hessian (the log-likelihood is concave).

    Those with a gap have weight 0.
    """
    seen = weights > 0.0
    centre, spread = x[seen].mean(axis=0), x[seen].std(axis=0)
    standard = (x - centre) / spread
    t, theta = len(level), np.concatenate([level, np.zeros(x.shape[1])])
    moves = np.zeros((2, len(answer), len(theta)))
    for side in (0, 1):
        moves[side, :, :t] = answer[:, None] == np.arange(t) + side
        moves[side, :, t:] = -standard
    moves *= seen[:, None]

    def value(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        upper, lower = _limits(answer, theta[:t], theta[t:], standard)
        p = np.maximum(ndtr(upper) - ndtr(lower), _TINY)
        high, low = _heights(upper), _heights(lower)
        first = moves[0] * (high / p)[:, None] - moves[1] * (low / p)[:, None]
        bend_high = -np.where(np.isfinite(upper), upper, 0.0) * high / p
        bend_low = -np.where(np.isfinite(lower), lower, 0.0) * low / p
        hessian = moves[0].T @ (moves[0] * (weights * bend_high)[:, None])
        hessian -= moves[1].T @ (moves[1] * (weights * bend_low)[:, None])
        own = first * weights[:, None]
        return float(weights @ np.log(p)), own.sum(axis=0), hessian - first.T @ own

    best, gradient, hessian = value(theta)
    for _ in range(50):
        step = -_solved(hessian, gradient)
        length = 1.0
        while True:
            trial = theta + length * step
            ordered = bool(np.all(np.diff(trial[:t]) > 0.0)) if t > 1 else True
            found, new_gradient, new_hessian = value(trial) if ordered else (-np.inf, gradient, hessian)
            if found >= best - 1e-10 * (1.0 + abs(best)) or length < 1e-6:
                break
            length *= 0.5
        theta, best, gradient, hessian = trial, found, new_gradient, new_hessian
        if float(np.abs(step).max()) < 1e-9:
            break
    slopes = theta[t:] / spread
    return theta[:t] + float(centre @ slopes), slopes
