"""Estimates of many draws near one solution.

Chord Newton from the full sample's solution; draws that do not arrive get a derivative of their own where they stand,
full Newton steps if that is not enough, and starting values of their own in the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.evidence import Evidence
from semkit.estimate.expressions import TableConstraints, make_constraints
from semkit.estimate.gradient import curvature
from semkit.estimate.implied import imply
from semkit.fitting.ladder import starts
from semkit.fitting.solution import Solution
from semkit.numerics.chord import solve_chord
from semkit.numerics.inverse import positive_definite

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Iterations with the full sample's derivative, with a draw's own, and of Newton's method before giving up.
FIRST, OWN, NEWTON = 30, 12, 40
# Steps shorter than this (squared, in the metric of the expected information) end the search: what is left is below
# 1e-12 of the discrepancy, a hundred-thousandth of a standard error.
CLOSE = 1e-13
# Starting vectors and iterations of what did not arrive by then.
STARTS, LONG = 3, 80


def refit(solution: Solution, evidence: Evidence) -> tuple[FloatArray, BoolArray, int]:
    """Estimates of a chunk: the full sample's derivative first, each draw's own next, Newton for the rest.

    Returns
    -------
    theta : ndarray (b, q)
    converged : ndarray (b,) of bool
    calls : int
        Kernel calls.
    """
    table, layout, given = solution.table, solution.layout, evidence.given
    batch = len(given)
    constraints = make_constraints(table, layout, given)
    usable = evidence.usable
    theta = np.tile(solution.theta, (batch, 1))
    converged = np.zeros(batch, dtype=bool)
    calls = 0
    binding = bool(np.any(solution.minimum.active[0] & ~constraints.equality)) if constraints is not None else False
    if not binding:
        equations = _Equations(solution, evidence)
        found, arrived, calls = _nearby(equations, usable)
        arrived &= usable & minimal(solution, found, given)
        if constraints is not None and not constraints.equality.all():
            value, _ = constraints.evaluate(found, np.arange(batch))
            arrived &= np.all((value >= -1e-9) | constraints.equality, axis=1)
        theta[arrived], converged = found[arrived], arrived
    rest = np.flatnonzero(~converged & usable)
    if len(rest):
        with np.errstate(all="ignore"):
            ended, arrived, more = evidence.take(rest).minimise(
                theta[rest], lambda values: make_constraints(table, layout, values), NEWTON
            )
        theta[rest], converged[rest] = ended, arrived
        calls += more
    for row in rest[~converged[rest]].tolist():
        theta[row], converged[row], more = _anew(solution, evidence.take(np.array([row])), theta[row])
        calls += more
    return theta, converged, calls


def _anew(solution: Solution, evidence: Evidence, theta: FloatArray) -> tuple[FloatArray, bool, int]:
    """One draw from starting values of its own, as a fit begins; ``theta`` where that does not help either."""
    table, layout, given, calls = solution.table, solution.layout, evidence.given, 0
    observed = getattr(evidence, "observed", solution.observed)
    for start in islice(starts(table, layout, observed, given, None), STARTS):
        with np.errstate(all="ignore"):
            ended, arrived, more = evidence.minimise(
                start, lambda values: make_constraints(table, layout, values), LONG
            )
        calls += more
        if arrived[0]:
            return ended[0], True, calls
    return theta, False, calls


@dataclass(frozen=True, eq=False)
class _Equations:
    """``gradient + J'y = 0`` and ``c = 0`` of each draw, in ``z = (theta, y)``; inequalities are left out."""

    solution: Solution
    evidence: Evidence

    @cached_property
    def constraints(self) -> TableConstraints | None:
        return make_constraints(self.solution.table, self.solution.layout, self.evidence.given)

    @property
    def q(self) -> int:
        return self.solution.layout.n_parameters

    @cached_property
    def start(self) -> FloatArray:
        """The full sample's solution, shape ``(n,)``."""
        if self.constraints is None:
            return self.solution.theta
        return np.concatenate([self.solution.theta, self.solution.minimum.multiplier[0][self.constraints.equality]])

    def _equalities(self, theta: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        assert self.constraints is not None
        value, jacobian = self.constraints.evaluate(theta, rows)
        return value[:, self.constraints.equality], jacobian[:, self.constraints.equality]

    def residual(self, z: FloatArray, rows: IntArray) -> FloatArray:
        """Shape ``(b, n)``."""
        gradient = self.evidence.take(rows).gradient(z[:, : self.q])
        if self.constraints is None:
            return gradient
        return self._bound(gradient, z, *self._equalities(z[:, : self.q], rows))

    def _bound(self, gradient: FloatArray, z: FloatArray, value: FloatArray, jacobian: FloatArray) -> FloatArray:
        return np.concatenate([gradient + (z[:, None, self.q :] @ jacobian)[:, 0], value], axis=1)

    def bordered(self, hessian: FloatArray, jacobian: FloatArray) -> FloatArray:
        """The derivative of the equations, shape ``(b, n, n)``."""
        k = jacobian.shape[1]
        out = np.zeros((len(hessian), self.q + k, self.q + k))
        out[:, : self.q, : self.q] = hessian
        out[:, : self.q, self.q :] = jacobian.swapaxes(1, 2)
        out[:, self.q :, : self.q] = jacobian
        return out

    def full_inverse(self) -> FloatArray:
        """Inverse derivative at the full sample's solution, shape ``(n, n)``."""
        hessian = 2.0 * self.solution.observed_information
        if self.constraints is None:
            return np.asarray(np.linalg.inv(hessian))
        return np.asarray(np.linalg.pinv(self.bordered(hessian[None], self.full_jacobian[None])[0]))

    @cached_property
    def full_jacobian(self) -> FloatArray:
        """Derivatives of the equality constraints at the full sample's solution, ``(k, q)``."""
        here = make_constraints(self.solution.table, self.solution.layout, self.solution.given)
        assert here is not None
        return np.asarray(here.evaluate(self.solution.minimum.x, np.arange(1))[1][0, here.equality])

    def scaled(self, z: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Residuals, and what each draw measures its parameters in, relative to the full sample.

        A multiplier is measured in the inverse of what its constraint is: the length of its Jacobian in those units.
        """
        theta = z[:, : self.q]
        gradient, own = self.evidence.take(rows).bent(theta)
        ratio = _positive(np.sqrt(curvature_of(self.solution) / own))
        if self.constraints is None:
            return gradient, ratio
        value, jacobian = self._equalities(theta, rows)
        length = np.linalg.norm(jacobian * ratio[:, None, :], axis=2)
        by_row = _positive(np.linalg.norm(self.full_jacobian, axis=1) / length)
        return self._bound(gradient, z, value, jacobian), np.concatenate([ratio, by_row], axis=1)

    def own_inverse(self, z: FloatArray, rows: IntArray) -> tuple[FloatArray, BoolArray]:
        """Inverse derivatives of draws at ``z`` and whether the curvature is that of a minimum."""
        theta = z[:, : self.q]
        hessian = self.evidence.take(rows).hessian(theta)
        jacobian = np.zeros((len(z), 0, self.q))
        if self.constraints is not None:
            _, jacobian = self._equalities(theta, rows)
            weight = np.zeros((len(z), len(self.constraints.equality)))
            weight[:, self.constraints.equality] = z[:, self.q :]
            hessian = hessian + self.constraints.curvature(theta, rows, weight)
        size = np.trace(np.abs(hessian), axis1=1, axis2=2)[:, None, None]
        good = positive_definite(hessian + size * (jacobian.swapaxes(1, 2) @ jacobian))
        inverse = np.zeros((len(z), z.shape[1], z.shape[1]))
        if good.any():
            inverse[good] = np.linalg.inv(self.bordered(hessian[good], jacobian[good]))
        return inverse, good


def _nearby(equations: _Equations, usable: BoolArray) -> tuple[FloatArray, BoolArray, int]:
    """Solve from the full sample's solution: with its derivative, then once with each draw's own."""
    given, q = equations.evidence.given, equations.q
    batch = len(given)
    z = np.broadcast_to(equations.start, (batch, len(equations.start)))
    metric = np.zeros((z.shape[1], z.shape[1]))
    metric[:q, :q] = 2.0 * equations.solution.expected
    with np.errstate(all="ignore"):
        try:
            first = solve_chord(equations.residual, z, equations.full_inverse(), metric, scaled=equations.scaled,
                                tolerance=CLOSE, max_iterations=FIRST)
            z, converged, calls = first.z.copy(), first.converged.copy(), first.calls
            rows = np.flatnonzero(~converged & usable & np.isfinite(z).all(axis=1))
            rows = rows[minimal(equations.solution, z[rows, :q], given[rows])]
            if not len(rows):
                return z[:, :q], converged, calls
            inverse, good = equations.own_inverse(z[rows], rows)
            rows, inverse = rows[good], inverse[good]
            calls += 1
            if not len(rows):
                return z[:, :q], converged, calls
            second = solve_chord(lambda here, at: equations.residual(here, rows[at]), z[rows], inverse, metric,
                                 tolerance=CLOSE, max_iterations=OWN)
        except np.linalg.LinAlgError:  # a draw ran into a singular matrix: all of them by Newton
            return z[:, :q], np.zeros(batch, dtype=bool), 1
    z[rows], converged[rows] = second.z, second.converged
    return z[:, :q], converged, calls + second.calls


def _positive(ratio: FloatArray) -> FloatArray:
    """Ratios, 1 where there is none."""
    return np.asarray(np.where(np.isfinite(ratio) & (ratio > 0.0), ratio, 1.0))


def curvature_of(solution: Solution) -> FloatArray:
    """The full sample's units of the parameters (:meth:`semkit.estimate.evidence.Evidence.bent`), ``(1, q)``."""
    if solution.least is not None:
        return solution.least.curvature(solution.theta[None])
    return curvature(solution.layout, solution.theta[None], solution.weights, solution.given)


def minimal(solution: Solution, theta: FloatArray, given: FloatArray) -> BoolArray:
    """Whether the implied matrices are positive definite."""
    good = np.ones(len(theta), dtype=bool)
    for block in solution.layout.blocks:
        good &= positive_definite(imply(block, theta, given).sigma)
    return good


def admissible(solution: Solution, theta: FloatArray, given: FloatArray) -> BoolArray:
    """No negative variance and a positive semi-definite latent covariance matrix, draw by draw."""
    table = solution.table
    rows = list(table.free_rows)
    variance = [k for k, row in enumerate(rows) if table.op[row] == "~~" and table.lhs[row] == table.rhs[row]]
    good: BoolArray = np.all(theta[:, table.unique[variance]] >= -1e-10, axis=1)
    for block in solution.layout.blocks:
        latent = [k for k, name in enumerate(block.eta) if name in table.variables.lv]
        if latent:
            cov = imply(block, theta, given).eta_cov[:, latent][:, :, latent]
            cov = np.where(np.isfinite(cov), cov, -1.0)
            # no eigenvalue below -1e-8 of the largest entry
            slack = 1e-8 * np.abs(cov).max(axis=(1, 2))[:, None, None] * np.eye(len(latent))
            good &= positive_definite(cov + slack)
    return good
