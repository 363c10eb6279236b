"""Many nearby equations with one factorised derivative: chord Newton with Anderson acceleration.

Bootstrap draws have their solution near that of the full sample.  Newton's method with the full
sample's derivative (the chord) needs only residuals, one matrix product a step, but converges
linearly; extrapolating from the last few steps makes it superlinear at almost no cost, and so does
measuring each equation in units of its own: with ``D`` diagonal, ``D H^-1 D`` is near the inverse
derivative of an equation whose variables scatter more or less than those of the known one.

References
----------
Kelley (1995), Iterative Methods for Linear and Nonlinear Equations, ch. 5.4 (chord method).
Anderson (1965), Journal of the ACM 12, 547-560; Walker & Ni (2011), SIAM J. Numer. Anal. 49, 1715-1735.
Dennis & Schnabel (1996), Numerical Methods for Unconstrained Optimization, sec. 7.1 (scaling).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
# (z (b, n), rows (b,)) -> (b, n), or two of them
Residual = Callable[[FloatArray, IntArray], FloatArray]
Scaled = Callable[[FloatArray, IntArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class Roots:
    """Solutions of ``B`` equations.

    Parameters
    ----------
    z : ndarray (B, n)
        Where the equation was not solved: the point from which the shortest step was asked for.
    converged : ndarray (B,) of bool
    calls : int
        How often the residual function was called (once an iteration, whatever ``B``).
    """

    z: FloatArray
    converged: BoolArray
    calls: int


def solve_chord(
    residual: Residual,
    start: FloatArray,
    inverse: FloatArray,
    metric: FloatArray,
    *,
    scaled: Scaled | None = None,
    tolerance: float = 1e-12,
    max_iterations: int = 30,
    depth: int = 6,
) -> Roots:
    """Solve ``residual(z) = 0`` for ``B`` equations near one known solution.

    Parameters
    ----------
    residual : callable
        ``residual(z, rows)``: residuals ``(b, n)`` of the equations ``rows``.
    start : ndarray (B, n)
        Where all begin alike, a broadcast row tells the residual function so.
    inverse : ndarray (n, n) or (B, n, n)
        Inverse derivative at the known solution, or one for each equation.
    metric : ndarray (n, n)
        Symmetric, positive semi-definite: steps with ``s' metric s`` below ``tolerance`` end the iteration.
    scaled : callable, optional
        ``scaled(z, rows)``: residuals and the diagonal ``(b, n)`` of ``D``, asked for once, where the first step leads.
    depth : int
        How many earlier steps are used for extrapolation.
    """
    z, here, rows = start.copy(), start, np.arange(len(start))
    converged = np.zeros(len(z), dtype=bool)
    shortest = np.full(len(z), np.inf)
    direction = _Direction(inverse, None)
    past = _Past(np.sqrt(np.diagonal(metric)), len(z), depth)
    last = (here, here)
    calls = 0
    for k in range(max_iterations):
        calls += 1
        if k == 1 and scaled is not None:
            error, units = scaled(here, rows)
            direction = _Direction(inverse, units)
            last = (last[0], direction(last[1]))
        else:
            error = residual(here, rows)
        step = direction(error)
        size = np.einsum("bn,bn->b", step @ metric, step)
        better = size < shortest[rows]
        z[rows[better]], shortest[rows[better]] = here[better], size[better]
        if k:
            past.add(here - last[0], step - last[1])
        trial = here + step if k == 0 else here + step - past.explained(step)
        done = size < tolerance
        z[rows[done]] = trial[done]
        converged[rows[done]] = True
        stay = ~done & np.isfinite(size)
        if not stay.any():
            break
        last = (here, error if k == 0 and scaled is not None else step)
        here = trial
        if not stay.all():
            rows, here, last = rows[stay], here[stay], (last[0][stay], last[1][stay])
            past.keep(stay)
            direction = direction.take(stay)
    return Roots(z, converged, calls)


@dataclass(frozen=True, eq=False)
class _Direction:
    """``-D H^-1 D`` times an error."""

    inverse: FloatArray
    scale: FloatArray | None

    def __call__(self, error: FloatArray) -> FloatArray:
        if self.inverse.ndim == 3:
            return np.asarray(-(self.inverse @ error[:, :, None])[..., 0])
        if self.scale is None:
            return np.asarray(error @ -self.inverse.T)
        return np.asarray(((error * self.scale) @ -self.inverse.T) * self.scale)

    def take(self, stay: BoolArray) -> _Direction:
        return _Direction(self.inverse[stay] if self.inverse.ndim == 3 else self.inverse,
                          None if self.scale is None else self.scale[stay])


class _Past:
    """The last changes of the steps ``(b, d, n)``, what was gained with them, and their products ``(b, d, d)``."""

    def __init__(self, weight: FloatArray, batch: int, depth: int) -> None:
        self.weight, self.depth, self.count = weight, depth, 0
        self.changes = np.zeros((batch, depth, len(weight)))
        self.gains = np.zeros_like(self.changes)
        self.gram = np.zeros((batch, depth, depth))

    def add(self, move: FloatArray, change: FloatArray) -> None:
        """A move and how the step changed with it, each ``(b, n)``; the oldest is forgotten."""
        slot = self.count % self.depth
        self.count += 1
        weighted = change * self.weight
        self.changes[:, slot] = weighted
        np.add(change, move, out=self.gains[:, slot])
        self.gram[:, slot] = self.gram[:, :, slot] = (self.changes @ weighted[:, :, None])[..., 0]

    def explained(self, step: FloatArray) -> FloatArray:
        """What to subtract from the plain step: the combination of earlier changes that best explains it."""
        used = min(self.count, self.depth)
        gram = self.gram[:, :used, :used]
        unit = 1.0 / np.sqrt(np.maximum(np.diagonal(gram, axis1=1, axis2=2), 1e-300))
        unit_gram = gram * unit[:, :, None] * unit[:, None, :] + 1e-10 * np.eye(used)
        right = (self.changes[:, :used] @ (step * self.weight)[:, :, None])[..., 0] * unit
        share = np.linalg.solve(unit_gram, right[..., None])[..., 0] * unit
        return np.asarray((share[:, None, :] @ self.gains[:, :used])[:, 0, :])

    def keep(self, stay: BoolArray) -> None:
        """Only the equations that go on."""
        self.changes, self.gains, self.gram = self.changes[stay], self.gains[stay], self.gram[stay]
