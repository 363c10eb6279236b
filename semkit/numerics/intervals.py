"""Confidence intervals from bootstrap draws, and the p that goes with each by inversion.

``p`` is the level at which the interval just fails to contain the tested value: ``p <= alpha`` exactly when the
``1 - alpha`` interval leaves it out.  Ends are order statistics, rounded outwards.

References
----------
Davison & Hinkley (1997), Bootstrap Methods and their Application, ch. 5; Efron (1987), Journal of the American
Statistical Association 82, 171-185 (BCa); DiCiccio & Efron (1996), Statistical Science 11, 189-228.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from semkit.result import percentile_interval, percentile_pvalue

FloatArray = NDArray[np.float64]
IntervalKind = Literal["percentile", "bc", "bca", "normal", "basic"]
INTERVAL_KINDS: tuple[str, ...] = get_args(IntervalKind)


def bias_correction(draws: FloatArray, estimate: FloatArray) -> FloatArray:
    """``z0``: normal quantile of the share of draws below the estimate, ties by half, ``(k,)`` from ``(B, k)``.

    With all draws on one side the share is taken half a draw from the end.
    """
    count = len(draws)
    share = (np.sum(draws < estimate, axis=0) + 0.5 * np.sum(draws == estimate, axis=0)) / count
    return np.asarray(ndtri(np.clip(share, 0.5 / count, 1.0 - 0.5 / count)))


def acceleration(influence: tuple[FloatArray, ...]) -> FloatArray:
    """``a`` of the BCa interval from jackknife influence values ``(n_g, k)`` of each sample.

    ``a = sum_g sum_i l_gi^3 / n_g^3 / [6 (sum_g sum_i l_gi^2 / n_g^2)^{3/2}]``; 0 where nothing varies.

    References
    ----------
    Davison & Hinkley (1997), eqs. 5.23 and 5.28 (several samples).
    """
    cube = sum(np.sum(part**3, axis=0) / len(part) ** 3 for part in influence)
    square = sum(np.sum(part**2, axis=0) / len(part) ** 2 for part in influence)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.asarray(cube / (6.0 * np.asarray(square) ** 1.5))
    return np.where(np.isfinite(value), value, 0.0)


def interval(
    draws: FloatArray, estimate: FloatArray, kind: IntervalKind = "percentile", level: float = 0.95,
    accelerated: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Lower and upper ends ``(k,)``.

    - percentile: order statistics ``(B + 1) alpha / 2`` from either end;
    - bc, bca: at ``Phi(z0 + (z0 + z) / (1 - a (z0 + z)))``, ``a = 0`` for bc; the last draw where that is beyond it;
    - normal: ``estimate - bias -/+ z sd(draws)``;
    - basic: ``2 estimate`` less the percentile ends.

    Parameters
    ----------
    draws : ndarray (B, k)
    estimate : ndarray (k,)
    kind : {"percentile", "bc", "bca", "normal", "basic"}
    level : float
    accelerated : ndarray (k,), optional
        ``a``; needed for bca.
    """
    tail = 0.5 * (1.0 - level)
    if kind == "normal":
        centre, spread = _normal(draws, estimate)
        reach = float(ndtri(1.0 - tail)) * spread
        return centre - reach, centre + reach
    if kind in ("percentile", "basic"):
        low, high = percentile_interval(draws, level)
        return (2.0 * estimate - high, 2.0 * estimate - low) if kind == "basic" else (low, high)
    z0 = bias_correction(draws, estimate)
    a = accelerated if kind == "bca" and accelerated is not None else np.zeros_like(z0)
    lower = _accelerate(z0 + ndtri(tail), z0, a)
    upper = 1.0 - _accelerate(z0 + ndtri(1.0 - tail), z0, a)
    count = len(draws)
    ordered = np.sort(draws, axis=0)
    low_rank = np.clip(np.floor((count + 1) * lower + 1e-9), 1, count).astype(np.int64)
    high_rank = np.clip(np.floor((count + 1) * upper + 1e-9), 1, count).astype(np.int64)
    columns = np.arange(draws.shape[1])
    return ordered[low_rank - 1, columns], ordered[count - high_rank, columns]


def pvalue(
    draws: FloatArray, estimate: FloatArray, kind: IntervalKind = "percentile", null: float = 0.0,
    accelerated: FloatArray | None = None,
) -> FloatArray:
    """Two-sided p ``(k,)`` of ``null`` by inverting :func:`interval`; never below ``2 / (B + 1)`` but for normal."""
    if kind == "normal":
        centre, spread = _normal(draws, estimate)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(2.0 * ndtr(-np.abs((centre - null) / spread)))
    if kind == "percentile":
        return percentile_pvalue(draws - null)
    if kind == "basic":
        return percentile_pvalue(2.0 * estimate - draws - null)
    count = len(draws)
    z0 = bias_correction(draws, estimate)
    a = accelerated if kind == "bca" and accelerated is not None else np.zeros_like(z0)
    below = (1.0 + np.sum(draws <= null, axis=0)) / (count + 1.0)
    above = (1.0 + np.sum(draws >= null, axis=0)) / (count + 1.0)
    # an end beyond the last draw is that draw: it leaves out what no draw reaches
    least = 1.5 / (count + 1.0)
    lower = np.where(below < least, 0.0, ndtr(_decelerate(np.minimum(below, 1.0), z0, a)))
    upper = np.where(above < least, 0.0, ndtr(-_decelerate(1.0 - np.minimum(above, 1.0), z0, a)))
    return np.asarray(np.clip(2.0 * np.minimum(lower, upper), 2.0 / (count + 1.0), 1.0))


def _normal(draws: FloatArray, estimate: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Estimate less its bias, and the standard deviation of the draws."""
    return 2.0 * estimate - draws.mean(axis=0), draws.std(axis=0, ddof=1)


def _accelerate(z: FloatArray, z0: FloatArray, a: FloatArray) -> FloatArray:
    """Shares of draws at which the ends stand; beyond the pole the end is the last draw."""
    room = 1.0 - a * z
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.where(room > 0.0, z0 + z / room, np.where(z > 0.0, np.inf, -np.inf))
    return np.asarray(ndtr(moved))


def _decelerate(share: FloatArray, z0: FloatArray, a: FloatArray) -> FloatArray:
    """The ``z`` whose end stands at a share of the draws: the inverse of :func:`_accelerate`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        y = ndtri(share) - z0
        room = 1.0 + a * y
        limit = np.where(y > 0.0, np.inf, -np.inf)
        z = np.where(np.isfinite(y) & (room > 0.0), y / room, limit)
    return np.asarray(z - z0)
