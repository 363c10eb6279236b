"""Many nearby equations with one factorised derivative: chord Newton with Anderson acceleration.

Bootstrap draws have their solution near that of the full sample.  Newton's method with the full
sample's derivative (the chord) needs only residuals, one matrix product a step, but converges
linearly; extrapolating from the last few steps makes it superlinear at almost no cost.

References
----------
Kelley (1995), Iterative Methods for Linear and Nonlinear Equations, ch. 5.4 (chord method).
Anderson (1965), Journal of the ACM 12, 547-560; Walker & Ni (2011), SIAM J. Numer. Anal. 49, 1715-1735.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


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
    converged: NDArray[np.bool_]
    calls: int


def solve_chord(
    residual: Callable[[FloatArray, IntArray], FloatArray],
    start: FloatArray,
    inverse: FloatArray,
    metric: FloatArray,
    *,
    tolerance: float = 1e-12,
    max_iterations: int = 30,
    depth: int = 12,
) -> Roots:
    """Solve ``residual(z) = 0`` for ``B`` equations near one known solution.

    Parameters
    ----------
    residual : callable
        ``residual(z, rows)``: residuals ``(b, n)`` of the equations ``rows``.
    start : ndarray (B, n)
    inverse : ndarray (n, n) or (B, n, n)
        Inverse derivative at the known solution, or one for each equation.
    metric : ndarray (n, n)
        Symmetric, positive semi-definite: steps with ``s' metric s`` below ``tolerance`` end the iteration.
    depth : int
        How many earlier steps are used for extrapolation.
    """
    z = start.copy()
    converged = np.zeros(len(z), dtype=bool)
    rows = np.arange(len(z))
    weight = np.sqrt(np.diagonal(metric))
    steps = np.zeros((len(z), depth, z.shape[1]))
    moves = np.zeros_like(steps)
    last_step = last_z = np.zeros((0, z.shape[1]))
    here = z.copy()
    shortest = np.full(len(z), np.inf)
    own = inverse.ndim == 3
    calls = 0
    for k in range(max_iterations):
        error = residual(here, rows)
        step = -(inverse @ error[:, :, None])[..., 0] if own else error @ -inverse.T
        calls += 1
        size = np.einsum("bn,bn->b", step @ metric, step)
        done = size < tolerance
        bad = ~np.isfinite(size)
        better = size < shortest[rows]
        z[rows[better]], shortest[rows[better]] = here[better], size[better]
        if k:
            slot = (k - 1) % depth
            steps[:, slot] = step - last_step
            moves[:, slot] = here - last_z
        trial = here + step
        if k:
            trial = trial - _extrapolation(step, steps[:, : min(k, depth)], moves[:, : min(k, depth)], weight)
        z[rows[done]] = here[done] + step[done]
        converged[rows[done]] = True
        stay = ~(done | bad)
        if not stay.any():
            break
        if stay.all():
            last_step, last_z, here = step, here, trial
        else:
            rows, last_step, last_z, here = rows[stay], step[stay], here[stay], trial[stay]
            steps, moves = steps[stay], moves[stay]
            inverse = inverse[stay] if own else inverse
    return Roots(z, converged, calls)


def _extrapolation(step: FloatArray, steps: FloatArray, moves: FloatArray, weight: FloatArray) -> FloatArray:
    """What to subtract from the plain step: the combination of earlier changes that best explains it."""
    scaled = steps * weight
    gram = scaled @ scaled.swapaxes(1, 2)
    count = gram.shape[-1]
    size = np.diagonal(gram, axis1=1, axis2=2)
    unit = 1.0 / np.sqrt(np.maximum(size, 1e-300))
    gram = gram * unit[:, :, None] * unit[:, None, :] + 1e-10 * np.eye(count)
    right = (scaled @ (step * weight)[:, :, None])[..., 0] * unit
    gamma = np.linalg.solve(gram, right[..., None])[..., 0] * unit
    return np.asarray(np.einsum("bd,bdn->bn", gamma, steps + moves))
