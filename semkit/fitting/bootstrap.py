"""Ordinary bootstrap: all draws of a chunk in one call.

Resampling counts become moments by matrix products (products and error variances of composites anew
in every draw), and moments become estimates by chord Newton from the full-sample solution; draws that
do not arrive get a derivative of their own where they stand, and full Newton steps if that is not enough.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, OptionError, Problem
from semkit.estimate.discrepancy import Observed, discrepancy, observe, slope
from semkit.estimate.expressions import TableConstraints, make_constraints
from semkit.estimate.implied import imply
from semkit.estimate.optimise import LikelihoodObjective
from semkit.estimate.standardize import row_values
from semkit.fitting.draws import Draws
from semkit.fitting.solution import Solution, given_values
from semkit.fitting.tables import solution_rows
from semkit.numerics.chord import solve_chord
from semkit.numerics.jobs import Chunk, Job, run_job
from semkit.numerics.newton import minimise
from semkit.sample import group_moments

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CHUNK = 100
# Iterations with the full sample's derivative, with a draw's own, and of Newton's method before giving up.
FIRST, OWN, NEWTON = 20, 12, 40


def with_draws(fit: Fit, draws: int, seed: int | None) -> Fit:
    """A copy of a fit that carries draws, its recipe and provenance saying so."""
    from semkit.fitting.options import draw_count

    if fit.solution.sample is None:
        raise OptionError(Problem("fitting.no-raw-data", "bootstrap", "the model was fitted to moments",
                                  "a fit to raw data", "Fit with data instead of moments."))
    if fit.solution.patterns is not None:
        raise NotSupportedError(Problem("fitting.not-with-fiml", "bootstrap", "does not resample incomplete data",
                                        "complete data",
                                        "Use estimator='mlr' for robust errors, or missing='listwise'."))
    found = bootstrap(fit, draw_count(draws), seed)
    provenance = {**fit.provenance, "seed": found.seed, "draws_requested": found.requested,
                  "draws_failed": found.failed, "draws_inadmissible": found.inadmissible}
    options = replace(fit.recipe.options, bootstrap=found.requested, seed=found.seed)
    return replace(fit, recipe=replace(fit.recipe, options=options), bootstrap_draws=found, provenance=provenance)


def bootstrap(
    fit: Fit, draws: int, seed: int | None = None, *, chunk: int = CHUNK, workers: int | None = None
) -> Draws:
    """Ordinary non-parametric bootstrap; groups are resampled within themselves.

    Parameters
    ----------
    fit : Fit
        From raw data.
    draws : int
    seed : int, optional
        Drawn from the system when not given, and recorded.
    chunk : int
        Draws computed in one call.
    workers : int, optional
        Threads, by default one a processor up to four; the draws are the same to the bit for any number.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 6; Bollen & Stine (1990), Sociological
    Methodology 20, 115-140 (SEM).
    """
    seed = secrets.randbelow(2**31) if seed is None else int(seed)
    refit = Refit(fit)
    threads = min(os.cpu_count() or 1, 4) if workers is None else workers
    found = run_job(refit, Job(replicates=draws, seed=seed, chunk=chunk), workers=threads, backend="thread")
    status = found["status"]
    keep = status == 0
    failed, inadmissible = int(np.sum(status == 1)), int(np.sum(status == 2))
    return Draws(found["est"][keep], found["std"][keep], draws, failed, inadmissible, seed)


@dataclass(eq=False)
class Refit:
    """Estimates of one chunk of draws; ``calls`` counts kernel calls, one an iteration and chunk."""

    fit: Fit

    def __post_init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, chunk: Chunk) -> dict[str, NDArray[Any]]:
        solution = self.fit.solution
        observed, given = resampled(solution, chunk)
        theta, converged, calls = refit(solution, observed, given)
        self.calls.append(calls)
        good = converged & admissible(solution, theta, given)
        est, std = quantities(self.fit, theta, given)
        finite = np.isfinite(est).all(axis=1)
        status = np.where(~(converged & finite), 1, np.where(good, 0, 2))
        return {"est": est, "std": std, "status": status}


def resampled(solution: Solution, chunk: Chunk) -> tuple[tuple[Observed, ...], FloatArray]:
    """Observed moments and data-dependent values of each draw."""
    sample = solution.sample
    assert sample is not None
    sizes = [group.nobs for group in sample.groups]
    counts = [np.empty((len(chunk), n)) for n in sizes]
    for row, generator in enumerate(chunk.generators()):
        for n, target in zip(sizes, counts, strict=True):
            target[row] = np.bincount(generator.integers(0, n, n), minlength=n)
    moments = tuple(group_moments(sample, g, weights) for g, weights in enumerate(counts))
    wishart = solution.options.likelihood == "wishart"
    inflate = tuple(n / (n - 1) if wishart else 1.0 for n in sizes)
    observed = tuple(
        observe(part.cov * ratio if wishart else part.cov, part.mean, weight)
        for part, ratio, weight in zip(moments, inflate, solution.weights, strict=True)
    )
    return observed, given_values(solution.table, solution.layout, moments, tuple(sample.composites), inflate)


def refit(
    solution: Solution, observed: tuple[Observed, ...], given: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_], int]:
    """Estimates of a chunk: the full sample's derivative first, each draw's own next, Newton for the rest.

    Returns
    -------
    theta : ndarray (b, q)
    converged : ndarray (b,) of bool
    calls : int
        Kernel calls.
    """
    layout, batch = solution.layout, len(given)
    constraints = make_constraints(solution.table, layout, given)
    usable = np.all([np.isfinite(data.logdet) for data in observed], axis=0)
    theta = np.tile(solution.theta, (batch, 1))
    converged = np.zeros(batch, dtype=bool)
    calls = 0
    binding = bool(np.any(solution.minimum.active[0] & ~constraints.equality)) if constraints is not None else False
    if not binding:
        equations = _Equations(solution, observed, given)
        found, arrived, calls = _nearby(equations, usable)
        arrived &= usable & _minimal(solution, found, given)
        if constraints is not None and not constraints.equality.all():
            value, _ = constraints.evaluate(found, np.arange(batch))
            arrived &= np.all((value >= -1e-9) | constraints.equality, axis=1)
        theta[arrived], converged = found[arrived], arrived
    rest = np.flatnonzero(~converged & usable)
    if len(rest):
        objective = LikelihoodObjective(layout, tuple(data.take(rest) for data in observed), given[rest])
        limits = make_constraints(solution.table, layout, given[rest])
        with np.errstate(all="ignore"):
            ended = minimise(objective, theta[rest], constraints=limits, scoring_steps=4, tolerance=1e-12,
                             max_iterations=NEWTON)
        theta[rest], converged[rest] = ended.x, ended.converged
        calls += ended.iterations
    return theta, converged, calls


@dataclass(frozen=True, eq=False)
class _Equations:
    """``gradient + J'y = 0`` and ``c = 0`` of each draw, in ``z = (theta, y)``; inequalities are left out."""

    solution: Solution
    observed: tuple[Observed, ...]
    given: FloatArray

    @cached_property
    def constraints(self) -> TableConstraints | None:
        return make_constraints(self.solution.table, self.solution.layout, self.given)

    @property
    def q(self) -> int:
        return self.solution.layout.n_parameters

    @cached_property
    def start(self) -> FloatArray:
        """The full sample's solution, shape ``(n,)``."""
        if self.constraints is None:
            return self.solution.theta
        return np.concatenate([self.solution.theta, self.solution.minimum.multiplier[0][self.constraints.equality]])

    def _data(self, rows: IntArray) -> tuple[tuple[Observed, ...], FloatArray]:
        if len(rows) == len(self.given):
            return self.observed, self.given
        return tuple(part.take(rows) for part in self.observed), self.given[rows]

    def _equalities(self, theta: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        assert self.constraints is not None
        value, jacobian = self.constraints.evaluate(theta, rows)
        return value[:, self.constraints.equality], jacobian[:, self.constraints.equality]

    def residual(self, z: FloatArray, rows: IntArray) -> FloatArray:
        """Shape ``(b, n)``."""
        data, given = self._data(rows)
        gradient = slope(self.solution.layout, z[:, : self.q], data, given)
        if self.constraints is None:
            return gradient
        value, jacobian = self._equalities(z[:, : self.q], rows)
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
        here = make_constraints(self.solution.table, self.solution.layout, self.solution.given)
        assert here is not None
        _, jacobian = here.evaluate(self.solution.minimum.x, np.arange(1))
        return np.asarray(np.linalg.pinv(self.bordered(hessian[None], jacobian[:, here.equality])[0]))

    def own_inverse(self, z: FloatArray, rows: IntArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Inverse derivatives of draws at ``z`` and whether the curvature is that of a minimum."""
        data, given = self._data(rows)
        theta = z[:, : self.q]
        hessian = discrepancy(self.solution.layout, theta, data, given, "exact").hessian
        assert hessian is not None
        jacobian = np.zeros((len(z), 0, self.q))
        if self.constraints is not None:
            _, jacobian = self._equalities(theta, rows)
            weight = np.zeros((len(z), len(self.constraints.equality)))
            weight[:, self.constraints.equality] = z[:, self.q :]
            hessian = hessian + self.constraints.curvature(theta, rows, weight)
        size = np.trace(np.abs(hessian), axis1=1, axis2=2)[:, None, None]
        good = _positive(hessian + size * (jacobian.swapaxes(1, 2) @ jacobian))
        inverse = np.zeros((len(z), z.shape[1], z.shape[1]))
        if good.any():
            inverse[good] = np.linalg.inv(self.bordered(hessian[good], jacobian[good]))
        return inverse, good


def _nearby(equations: _Equations, usable: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.bool_], int]:
    """Solve from the full sample's solution: with its derivative, then once with each draw's own."""
    batch, q = len(equations.given), equations.q
    z = np.tile(equations.start, (batch, 1))
    metric = np.zeros((z.shape[1], z.shape[1]))
    metric[:q, :q] = 2.0 * equations.solution.expected
    with np.errstate(all="ignore"):
        try:
            first = solve_chord(equations.residual, z, equations.full_inverse(), metric, max_iterations=FIRST)
            z, converged, calls = first.z.copy(), first.converged.copy(), first.calls
            rows = np.flatnonzero(~converged & usable & np.isfinite(z).all(axis=1))
            rows = rows[_minimal(equations.solution, z[rows, :q], equations.given[rows])]
            if not len(rows):
                return z[:, :q], converged, calls
            inverse, good = equations.own_inverse(z[rows], rows)
            rows, inverse = rows[good], inverse[good]
            calls += 1
            if not len(rows):
                return z[:, :q], converged, calls
            second = solve_chord(lambda here, at: equations.residual(here, rows[at]), z[rows], inverse, metric,
                                 max_iterations=OWN)
        except np.linalg.LinAlgError:  # a draw ran into a singular matrix: all of them by Newton
            return z[:, :q], np.zeros(batch, dtype=bool), 1
    z[rows], converged[rows] = second.z, second.converged
    return z[:, :q], converged, calls + second.calls


def _positive(matrices: FloatArray) -> NDArray[np.bool_]:
    """Which of ``(b, n, n)`` symmetric matrices are positive definite."""
    finite = np.asarray(np.isfinite(matrices).all(axis=(1, 2)))
    good = finite.copy()
    try:
        np.linalg.cholesky(matrices[finite])
    except np.linalg.LinAlgError:
        for k in np.flatnonzero(finite):
            try:
                np.linalg.cholesky(matrices[k])
            except np.linalg.LinAlgError:
                good[k] = False
    return good


def _minimal(solution: Solution, theta: FloatArray, given: FloatArray) -> NDArray[np.bool_]:
    """Whether the implied matrices are positive definite."""
    good = np.ones(len(theta), dtype=bool)
    for block in solution.layout.blocks:
        good &= _positive(imply(block, theta, given).sigma)
    return good


def admissible(solution: Solution, theta: FloatArray, given: FloatArray) -> NDArray[np.bool_]:
    """No negative variance and a positive semi-definite latent covariance matrix, draw by draw."""
    table = solution.table
    rows = list(table.free_rows)
    variance = [k for k, row in enumerate(rows) if table.op[row] == "~~" and table.lhs[row] == table.rhs[row]]
    good: NDArray[np.bool_] = np.all(theta[:, table.unique[variance]] >= -1e-10, axis=1)
    for block in solution.layout.blocks:
        latent = [k for k, name in enumerate(block.eta) if name in table.variables.lv]
        if latent:
            cov = imply(block, theta, given).eta_cov[:, latent][:, :, latent]
            cov = np.where(np.isfinite(cov), cov, -1.0)
            good &= np.linalg.eigvalsh(cov)[:, 0] >= -1e-8 * np.abs(cov).max(axis=(1, 2))
    return good


def quantities(fit: Fit, theta: FloatArray, given: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Estimates and standardised estimates ``(b, k)`` in the order of ``fit.names``."""
    solution = fit.solution
    rows = row_values(solution.table, solution.layout, theta, given, slopes=False)
    with np.errstate(all="ignore"):
        found = solution_rows(solution.table, solution, rows, fit.binary, theta, given, ("raw", "result"), slopes=False)
    return found["raw"].value[:, fit._positions], found["result"].value[:, fit._positions]
