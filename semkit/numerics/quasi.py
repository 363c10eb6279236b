"""Quasi-Newton minimisation of one function whose gradient is far cheaper than its Hessian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.numerics.newton import positive_definite

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a minimisation ended.

    Parameters
    ----------
    x, gradient : ndarray (q,)
    f : float
    decrement : float
        ``g' H^-1 g`` with the current model of the Hessian: how far, squared, in the metric of the function.
    converged : bool
    calls : int
    """

    x: FloatArray
    f: float
    gradient: FloatArray
    decrement: float
    converged: bool
    calls: int


def descend(
    function: Callable[[FloatArray], tuple[float, FloatArray]], start: FloatArray, hessian: FloatArray, *,
    tolerance: float = 1e-15, max_calls: int = 200,
) -> Descent:
    """Minimise from ``start`` with BFGS updates of a given Hessian.

    Parameters
    ----------
    function : callable
        Value and gradient; NaN where undefined (the step is then shortened).
    start : ndarray (q,)
    hessian : ndarray (q, q)
        Mended where it is not positive definite.
    tolerance : float
        Of the decrement.

    References
    ----------
    Nocedal & Wright (2006), Numerical Optimization, 2nd ed., eq. 6.17 and algorithm 6.1.
    """
    x = start.copy()
    f, g = function(x)
    calls = 1
    inverse: FloatArray = np.asarray(np.linalg.inv(positive_definite(hessian[None])[0]))
    while calls < max_calls and np.isfinite(f):
        step = -inverse @ g
        decrement = -float(g @ step)
        if decrement < tolerance:
            return Descent(x, f, g, decrement, True, calls)
        length, room = 1.0, 1e-12 * (1.0 + abs(f))
        while True:
            moved = x + length * step
            value, slope = function(moved)
            calls += 1
            if value <= f - 1e-4 * length * decrement + room:  # False for NaN
                break
            length *= 0.25 if np.isfinite(value) else 0.1
            if length < 1e-6 or calls >= max_calls:
                return Descent(x, f, g, decrement, decrement < 1e-9, calls)
        s, y = moved - x, slope - g
        x, f, g = moved, value, slope
        curved = float(s @ y)
        if curved > 1e-12 * float(np.linalg.norm(s) * np.linalg.norm(y)):
            left = np.eye(len(x)) - np.outer(s, y) / curved
            inverse = left @ inverse @ left.T + np.outer(s, s) / curved
    return Descent(x, f, g, float("inf"), False, calls)
