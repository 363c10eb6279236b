"""Newton's method for many small problems at once, with equality and inequality constraints.

Each of ``B`` problems has its own parameters, step length and working set; they share the calls.
The first steps use a positive definite model of the curvature (for likelihoods: the expected
Hessian, i.e. Fisher scoring), later ones the exact Hessian.  Constrained steps solve the
Karush-Kuhn-Tucker system of a quadratic subproblem with an active set.

References
----------
Nocedal & Wright (2006), Numerical Optimization, 2nd ed., chapters 3 (modified Newton), 16 (active
sets) and 18 (sequential quadratic programming with an l1 merit function).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# (x (b, q), rows (b,), exact) -> value (b,), gradient (b, q), Hessian (b, q, q)
Objective = Callable[[FloatArray, IntArray, bool], tuple[FloatArray, FloatArray, FloatArray]]


class Constraints(Protocol):
    """``k`` constraints: ``value == 0`` where ``equality``, else ``value >= 0``."""

    @property
    def equality(self) -> BoolArray: ...
    def evaluate(self, x: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Values ``(b, k)`` and Jacobian ``(b, k, q)``."""
    def curvature(self, x: FloatArray, rows: IntArray, weight: FloatArray) -> FloatArray:
        """``sum_i weight_i * Hessian(c_i)``, shape ``(b, q, q)``."""
    def settle(self, x: FloatArray, rows: IntArray) -> FloatArray:
        """A point near ``x (b, q)`` where constraints hold that have a solution in closed form."""


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where ``B`` minimisations ended.

    Parameters
    ----------
    x : ndarray (B, q)
    f : ndarray (B,)
    gradient : ndarray (B, q)
    hessian : ndarray (B, q, q)
        Exact Hessian of the objective (without constraint curvature) at the last point but one, which is nearer
        than 1e-5 of a step's length.
    multiplier : ndarray (B, k)
        ``y`` of ``gradient + J'y = 0``; zero for inequalities that do not bind.
    active : ndarray (B, k) of bool
    decrement : ndarray (B,)
        ``dx' H dx`` of the last step: how far, squared, in the metric of the objective.
    converged : ndarray (B,) of bool
    iterations : int
    attempts : int
        Starting vectors that were tried.
    """

    x: FloatArray
    f: FloatArray
    gradient: FloatArray
    hessian: FloatArray
    multiplier: FloatArray
    active: BoolArray
    decrement: FloatArray
    converged: BoolArray
    iterations: int
    attempts: int = 1


def positive_definite(hessian: FloatArray) -> FloatArray:
    """The matrix itself where positive definite, else with eigenvalues replaced by their size.

    Parameters
    ----------
    hessian : ndarray (B, q, q)
    """
    try:
        np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(hessian)
        floor = 1e-8 * np.maximum(np.abs(values).max(axis=-1, keepdims=True), 1e-300)
        bad = values[:, 0] <= floor[:, 0]
        mended = (vectors * np.maximum(np.abs(values), floor)[:, None, :]) @ vectors.swapaxes(1, 2)
        return np.asarray(np.where(bad[:, None, None], mended, hessian))
    return hessian


def _free_step(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    if len(gradient) == 1:  # one factorisation says whether it is positive definite and solves
        _, step, failed = dposv(hessian[0], -gradient[0])
        if failed == 0:
            return np.asarray(step)[None]
    mended = positive_definite(hessian)
    try:
        return np.asarray(np.linalg.solve(mended, -gradient[..., None])[..., 0])
    except np.linalg.LinAlgError:  # no curvature at all: stay where nothing pulls
        return np.asarray((np.linalg.pinv(mended, hermitian=True) @ -gradient[..., None])[..., 0])


def _kkt(
    gradient: FloatArray, hessian: FloatArray, value: FloatArray, jacobian: FloatArray, working: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Step and multipliers of the subproblem with the working set taken as equalities."""
    batch, k, q = jacobian.shape
    rows = np.where(working[..., None], jacobian, 0.0)
    size = np.einsum("bkq,bkq->b", rows, rows)
    rho = 10.0 * np.trace(np.abs(hessian), axis1=1, axis2=2) / np.maximum(size, 1e-12)
    rho = np.where(size > 0, rho, 0.0)
    lifted = hessian + rho[:, None, None] * (rows.swapaxes(1, 2) @ rows)
    if batch == 1 and working.all():
        found = _one_kkt(gradient[0], lifted[0], value[0], jacobian[0])
        if found is not None:
            return found[0][None], found[1][None] - rho[:, None] * value
    lifted = positive_definite(lifted)
    system = np.zeros((batch, q + k, q + k))
    system[:, :q, :q] = lifted
    system[:, :q, q:] = rows.swapaxes(1, 2)
    system[:, q:, :q] = rows
    system[:, np.arange(q, q + k), np.arange(q, q + k)] = np.where(working, 0.0, 1.0)
    right = np.concatenate([-gradient, np.where(working, -value, 0.0)], axis=1)
    try:
        solution = np.linalg.solve(system, right[..., None])[..., 0]
    except np.linalg.LinAlgError:  # redundant constraints: the least-squares solution satisfies them too
        solution = (np.linalg.pinv(system) @ right[..., None])[..., 0]
    step, lifted_y = solution[:, :q], solution[:, q:]
    return step, np.where(working, lifted_y - rho[:, None] * value, 0.0)


def _one_kkt(
    gradient: FloatArray, lifted: FloatArray, value: FloatArray, jacobian: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """One subproblem by its Schur complement; None where the matrix is not positive definite."""
    _, solved, failed = dposv(lifted, np.concatenate([jacobian.T, -gradient[:, None]], axis=1))
    if failed:
        return None
    by_constraint, free = solved[:, :-1], solved[:, -1]
    try:
        y = np.linalg.solve(jacobian @ by_constraint, jacobian @ free + value)
    except np.linalg.LinAlgError:
        return None
    return free - by_constraint @ y, y


def _constrained_step(
    gradient: FloatArray, hessian: FloatArray, value: FloatArray, jacobian: FloatArray, equality: BoolArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Active-set solution of ``min g'd + d'Hd/2`` with linearised constraints."""
    working = np.broadcast_to(equality, value.shape) | (value <= 0.0)
    step, y = _kkt(gradient, hessian, value, jacobian, working)
    if equality.all():
        return step, y, working
    for _ in range(2 * len(equality) + 2):
        ahead = value + (jacobian @ step[..., None])[..., 0]
        drop = working & ~equality & (y > 1e-12)  # value >= 0 needs y <= 0
        join = ~working & (ahead < -1e-12)
        if not (drop.any() or join.any()):
            break
        working = (working & ~drop) | join
        step, y = _kkt(gradient, hessian, value, jacobian, working)
    return step, y, working


@dataclass(eq=False)
class _State:
    """The moving arrays of :func:`minimise`."""

    x: FloatArray
    f: FloatArray
    g: FloatArray
    h: FloatArray
    c: FloatArray
    j: FloatArray
    y: FloatArray
    active: BoolArray
    step: FloatArray
    length: FloatArray
    penalty: FloatArray
    decrement: FloatArray
    curve: FloatArray
    curved: BoolArray
    iterations: int = 0


def _violation(value: FloatArray, equality: BoolArray) -> FloatArray:
    return np.asarray(np.where(equality, np.abs(value), np.maximum(-value, 0.0)).sum(axis=-1))


def minimise(
    objective: Objective,
    start: FloatArray,
    *,
    constraints: Constraints | None = None,
    scoring_steps: int = 1,
    tolerance: float = 1e-17,
    max_iterations: int = 100,
) -> Minimum:
    """Minimise ``B`` functions of ``q`` parameters.

    Parameters
    ----------
    objective : callable
        ``objective(x, rows, exact)``: values, gradients and Hessians of the problems ``rows`` at
        ``x``; NaN where undefined (the step is then shortened).
    start : ndarray (B, q)
    constraints : Constraints, optional
    scoring_steps : int
        Least number of iterations with the approximate Hessian before the exact one; up to five more
        follow while ``dx' H dx`` is not below 0.1, since the exact Hessian may be indefinite far away.
    tolerance : float
        A problem has converged when ``dx' H dx``, about twice the distance of its value to the
        minimum, is below this.
    max_iterations : int

    Returns
    -------
    Minimum
    """
    batch = start.shape[0]
    if batch == 1 and constraints is None:
        return _minimise_one(objective, start, scoring_steps, tolerance, max_iterations)
    equality = np.zeros(0, dtype=bool) if constraints is None else constraints.equality
    state = _begin(objective, start, constraints, scoring_steps == 0)
    open_rows = np.flatnonzero(np.isfinite(state.f))
    converged = np.zeros(batch, dtype=bool)
    fresh = np.ones(batch, dtype=bool)
    # What a constrained step leaves is of the order of its decrement times what the constraints' curvature lacks.
    enough = tolerance if constraints is None else max(tolerance, 1e-14)
    exact = scoring_steps == 0
    for iteration in range(1, max_iterations + 1):
        state.iterations = iteration
        _directions(state, open_rows[fresh[open_rows]], constraints, equality, exact)
        done = state.decrement[open_rows] < enough
        if exact:
            finished = open_rows[done]
            state.x[finished] += state.step[finished]  # too small to change anything but the last digits of x
            converged[finished] = True
            open_rows = open_rows[~done]
        stuck = state.length[open_rows] < 1e-9
        converged[open_rows[stuck]] = state.decrement[open_rows[stuck]] < 1e-9
        open_rows = open_rows[~stuck]
        if not len(open_rows):
            break
        near = iteration >= scoring_steps + 5 or bool(np.all(state.decrement[open_rows] < 0.1))
        exact = exact or (iteration >= scoring_steps and near)
        fresh = _advance(objective, state, open_rows, constraints, equality, exact)
    return Minimum(state.x, state.f, state.g, state.h, state.y, state.active, state.decrement, converged,
                   state.iterations)


# A Newton step from a decrement d leaves one of the order of C d^2: from here one more step is the last if C, which the
# last two decrements tell, is small enough; what the quadratic model says of its end is then right to rounding.
_LAST = 2e-10


def _minimise_one(
    objective: Objective, start: FloatArray, scoring_steps: int, tolerance: float, max_iterations: int
) -> Minimum:
    """:func:`minimise` for one problem without constraints; bookkeeping of a batch would take half the time."""
    rows = np.zeros(1, dtype=np.int64)
    x, exact = start.copy(), scoring_steps == 0
    f, g, h = objective(x, rows, exact)
    value, decrement, before, converged, iteration = float(f[0]), np.inf, np.inf, False, 0
    for iteration in range(1, max_iterations + 1):
        if not np.isfinite(value):
            break
        step = _free_step(g, h)
        before, decrement = decrement, -float(g[0] @ step[0])
        ahead = abs(decrement) ** 3 / max(before**2, 1e-300)  # C d^2, C = d / d_before^2
        if exact and (decrement < tolerance or (decrement < _LAST and ahead < tolerance)):
            x, value, g = x + step, value - 0.5 * decrement, g + (h @ step[..., None])[..., 0]
            converged = True
            break
        exact = exact or (iteration >= scoring_steps and (decrement < 0.1 or iteration >= scoring_steps + 5))
        room = 1e-12 * (1.0 + abs(value)) + (1e-8 if decrement < 1e-9 else 0.0)
        length = 1.0
        while length >= 1e-9:
            trial = x + length * step
            f, new_g, new_h = objective(trial, rows, exact)
            if f[0] <= value - 1e-4 * length * max(decrement, 0.0) + room:  # False for NaN
                break
            length *= 0.5
        else:
            converged = decrement < 1e-9
            break
        x, value, g, h = trial, float(f[0]), new_g, new_h
        if length < 1.0:
            decrement = 0.0  # a shortened step tells nothing of C: the next one is not the last
    nothing = np.zeros((1, 0))
    return Minimum(x, np.array([value]), g, h, nothing, nothing.astype(bool), np.array([decrement]),
                   np.array([converged]), iteration)


def _begin(objective: Objective, start: FloatArray, constraints: Constraints | None, exact: bool) -> _State:
    batch = start.shape[0]
    rows = np.arange(batch)
    x = start.copy() if constraints is None else constraints.settle(start, rows)
    f, g, h = objective(x, rows, exact)
    if constraints is None:
        c, j = np.zeros((batch, 0)), np.zeros((batch, 0, x.shape[1]))
    else:
        c, j = constraints.evaluate(x, rows)
    k = c.shape[1]
    return _State(x, f.copy(), g.copy(), h.copy(), c.copy(), j.copy(), np.zeros((batch, k)),
                  np.zeros((batch, k), dtype=bool), np.zeros_like(x), np.ones(batch), np.ones(batch),
                  np.full(batch, np.inf), np.zeros_like(h) if k else h, np.zeros(batch, dtype=bool))


def _directions(
    state: _State, rows: IntArray, constraints: Constraints | None, equality: BoolArray, exact: bool
) -> None:
    """Steps for the problems that have just moved."""
    if not len(rows):
        return
    whole = len(rows) == len(state.f)
    g, h = (state.g, state.h) if whole else (state.g[rows], state.h[rows])
    if constraints is None:
        step = _free_step(g, h)
        state.decrement[rows] = -np.einsum("bq,bq->b", g, step)
    else:
        if exact:
            # Near the minimum the last curvature is good enough: what it lacks is of the order of the step.
            far = rows[(state.decrement[rows] > 1e-2) | ~state.curved[rows]]
            if len(far):
                state.curve[far] = constraints.curvature(state.x[far], far, state.y[far])
                state.curved[far] = True
            h = h + (state.curve if whole else state.curve[rows])
        step, y, active = _constrained_step(g, h, state.c[rows], state.j[rows], equality)
        state.y[rows], state.active[rows] = y, active
        size = np.abs(y).max(axis=1, initial=0.0)
        state.penalty[rows] = np.maximum(state.penalty[rows], 2.0 * size)
        state.decrement[rows] = np.abs(np.einsum("bq,bqr,br->b", step, h, step))
        state.decrement[rows] += np.abs(y * state.c[rows] * active).sum(axis=1)
    state.step[rows] = step
    state.length[rows] = 1.0


def _advance(
    objective: Objective, state: _State, rows: IntArray, constraints: Constraints | None, equality: BoolArray,
    exact: bool,
) -> BoolArray:
    """Try the current step length of each problem; returns who moved, shape ``(B,)``."""
    trial = state.x[rows] + state.length[rows, None] * state.step[rows]
    if constraints is not None:
        trial = constraints.settle(trial, rows)
    f, g, h = objective(trial, rows, exact)
    before, after = state.f[rows], f
    slope = np.einsum("bq,bq->b", state.g[rows], state.step[rows])
    if constraints is not None:
        c, j = constraints.evaluate(trial, rows)
        old, new = _violation(state.c[rows], equality), _violation(c, equality)
        before = before + state.penalty[rows] * old
        after = after + state.penalty[rows] * new
        slope = slope - state.penalty[rows] * old
    room = 1e-12 * (1.0 + np.abs(before)) + np.where(state.decrement[rows] < 1e-9, 1e-8, 0.0)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(after) & (after <= before + 1e-4 * state.length[rows] * np.minimum(slope, 0.0) + room)
    moved = np.zeros(len(state.f), dtype=bool)
    won = rows[good]
    moved[won] = True
    if len(won) == len(state.f):
        state.x, state.f, state.g, state.h = trial, f, g, h
        if constraints is not None:
            state.c, state.j = c, j
        return moved
    state.x[won], state.f[won], state.g[won], state.h[won] = trial[good], f[good], g[good], h[good]
    if constraints is not None:
        state.c[won], state.j[won] = c[good], j[good]
    state.length[rows[~good]] *= 0.5
    return moved
