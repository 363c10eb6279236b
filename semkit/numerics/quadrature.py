"""Points and weights for integrals over a few dimensions."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@lru_cache(maxsize=32)
def hermite(count: int) -> tuple[FloatArray, FloatArray]:
    """Gauss-Hermite points and the logarithms of what they stand for on the line, ``(count,)`` each.

    ``int f(u) du`` is ``sum_k exp(log_weight_k) f(u_k)``, exact for ``f`` a standard normal density times a polynomial
    of degree ``2 count - 1``.

    References
    ----------
    Golub & Welsch (1969), Mathematics of Computation 23, 221-230.
    """
    points, weights = np.polynomial.hermite_e.hermegauss(count)
    return points, np.log(weights) + 0.5 * points**2


def uniform(lower: float, upper: float, count: int) -> tuple[FloatArray, FloatArray]:
    """Equally spaced points and log weights: the trapezoidal rule for functions that vanish at both ends.

    For a normal density with standard deviation s and spacing h the error is ``2 exp(-2 pi^2 s^2 / h^2)`` of the whole.

    References
    ----------
    Trefethen & Weideman (2014), SIAM Review 56, 385-458.
    """
    points = np.linspace(lower, upper, count)
    return points, np.full(count, np.log(points[1] - points[0]))


def spacing(reach: float, sd: float, count: int) -> tuple[float, float]:
    """Spacing of ``count`` points over ``reach`` and some way beyond on both sides, and that way.

    Of normal densities with standard deviation ``sd`` and means inside ``reach``, ``exp(-t^2 / 2)`` is cut off at ``t``
    standard deviations, and spacing costs ``exp(-2 pi^2 sd^2 / h^2)``; both are equal at ``t = 2 pi sd / h``.
    """
    h = (reach + np.sqrt(reach**2 + 16.0 * np.pi * sd**2 * (count - 1))) / (2.0 * (count - 1))
    return float(h), float(2.0 * np.pi * sd**2 / h)


def grid(axes: list[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    """All combinations of points ``(K, d)`` with the sums of their log weights ``(K,)``; one empty point for none."""
    if not axes:
        return np.zeros((1, 0)), np.zeros(1)
    points = np.array(list(itertools.product(*(points for points, _ in axes)))).reshape(-1, len(axes))
    weights = np.array([sum(w) for w in itertools.product(*(w for _, w in axes))], dtype=np.float64)
    return points, weights
