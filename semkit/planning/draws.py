"""Turning uniform and normal draws into answers, one draw per answer.

Every count, yes/no and choice is made from exactly one uniform number.  Samplers that use a
varying number of draws would let a change in one variable move all the following ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def logistic(x: ArrayLike) -> FloatArray:
    """``1 / (1 + exp(-x))``."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(x, dtype=np.float64))))


def choose(u: FloatArray, shares: Sequence[float]) -> IntArray:
    """Index of the choice for each uniform number ``u`` (n,), with probabilities ``shares`` that sum to 1."""
    bounds = np.cumsum(np.asarray(shares, dtype=np.float64))[:-1]
    return np.asarray(np.searchsorted(bounds, u, side="right"), dtype=np.int64)


def whole(u: FloatArray, low: ArrayLike, high: ArrayLike) -> IntArray:
    """Whole numbers spread evenly over ``low .. high``, both included, from uniforms ``u`` (n,)."""
    low = np.asarray(low, dtype=np.int64)
    return np.asarray(low + np.floor(u * (np.asarray(high) - low + 1)), dtype=np.int64)


def poisson(u: FloatArray, mean: ArrayLike) -> IntArray:
    """Poisson quantile by summing the probabilities upwards.

    Parameters
    ----------
    u : ndarray (n,)
        Uniform numbers in [0, 1).
    mean : array_like, broadcast to (n,)
        Means, below about 500 (``exp(-mean)`` must not underflow).

    Returns
    -------
    ndarray of int (n,)
        Smallest k with ``P(X <= k) > u``, by ``p_k = p_{k-1} * mean / k``.

    References
    ----------
    Devroye (1986), Non-Uniform Random Variate Generation, section X.3 (sequential search).
    """
    rate = np.broadcast_to(np.asarray(mean, dtype=np.float64), u.shape)
    count = np.zeros(u.shape, dtype=np.int64)
    part = np.exp(-rate)
    below = part.copy()
    ceiling = float(np.max(rate, initial=0.0))
    for k in range(1, int(ceiling + 12.0 * np.sqrt(ceiling + 1.0)) + 20):
        more = u >= below
        if not more.any():
            break
        count[more] = k
        part = part * rate / k
        below = below + part
    return count
