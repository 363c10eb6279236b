"""Ordinary bootstrap: all draws of a chunk in one call.

Resampling counts become moments by matrix products (products and error variances of composites anew
in every draw), and moments become estimates by chord Newton from the full-sample solution; draws that
do not arrive are started again by full Newton steps.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import OptionError, Problem
from semkit.estimate.discrepancy import Observed, observe, slope
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


def with_draws(fit: Fit, draws: int, seed: int | None) -> Fit:
    """A copy of a fit that carries draws, its recipe and provenance saying so."""
    from semkit.fitting.options import draw_count

    if fit.solution.sample is None:
        raise OptionError(Problem("fitting.no-raw-data", "bootstrap", "the model was fitted to moments",
                                  "a fit to raw data", "Fit with data instead of moments."))
    found = bootstrap(fit, draw_count(draws), seed)
    provenance = {**fit.provenance, "seed": found.seed, "draws_requested": found.requested,
                  "draws_failed": found.failed, "draws_inadmissible": found.inadmissible}
    options = replace(fit.recipe.options, bootstrap=found.requested, seed=found.seed)
    return replace(fit, recipe=replace(fit.recipe, options=options), bootstrap_draws=found, provenance=provenance)


def bootstrap(fit: Fit, draws: int, seed: int | None = None, chunk: int = CHUNK) -> Draws:
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

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 6; Bollen & Stine (1990), Sociological
    Methodology 20, 115-140 (SEM).
    """
    seed = secrets.randbelow(2**31) if seed is None else int(seed)
    refit = Refit(fit)
    found = run_job(refit, Job(replicates=draws, seed=seed, chunk=chunk))
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
    """Estimates of a chunk: chord first, Newton for those it does not bring home.

    Returns
    -------
    theta : ndarray (b, q)
    converged : ndarray (b,) of bool
    calls : int
        Kernel calls.
    """
    layout, q = solution.layout, solution.layout.n_parameters
    batch = len(given)
    constraints = make_constraints(solution.table, layout, given)
    usable = np.all([np.isfinite(data.logdet) for data in observed], axis=0)
    theta = np.tile(solution.theta, (batch, 1))
    converged = np.zeros(batch, dtype=bool)
    calls = 0
    binding = bool(np.any(solution.minimum.active[0] & ~constraints.equality)) if constraints is not None else False
    if not binding:
        theta, converged, calls = _chord(solution, observed, given, constraints)
        converged &= usable & _minimal(solution, observed, given, theta)
        if constraints is not None and not constraints.equality.all():
            value, _ = constraints.evaluate(theta, np.arange(batch))
            converged &= np.all((value >= -1e-9) | constraints.equality, axis=1)
    rest = np.flatnonzero(~converged & usable)
    if len(rest):
        part = tuple(data.take(rest) for data in observed)
        objective = LikelihoodObjective(layout, part, given[rest])
        limits = make_constraints(solution.table, layout, given[rest])
        with np.errstate(all="ignore"):
            found = minimise(objective, np.tile(solution.theta, (len(rest), 1)), constraints=limits,
                             scoring_steps=1, tolerance=1e-13, max_iterations=60)
        theta[rest], converged[rest] = found.x, found.converged
        calls += found.iterations
    assert theta.shape == (batch, q)
    return theta, converged, calls


def _chord(
    solution: Solution, observed: tuple[Observed, ...], given: FloatArray, constraints: TableConstraints | None
) -> tuple[FloatArray, NDArray[np.bool_], int]:
    layout, q = solution.layout, solution.layout.n_parameters
    batch = len(given)
    hessian = 2.0 * solution.observed_information
    if constraints is None:
        inverse, metric = np.asarray(np.linalg.inv(hessian)), hessian
        start = np.tile(solution.theta, (batch, 1))
    else:
        here = make_constraints(solution.table, layout, solution.given)
        assert here is not None
        _, jacobian = here.evaluate(solution.minimum.x, np.arange(1))
        equal = constraints.equality
        jac = jacobian[0][equal]
        k = len(jac)
        system = np.block([[hessian, jac.T], [jac, np.zeros((k, k))]])
        inverse = np.asarray(np.linalg.pinv(system))
        metric = np.zeros_like(system)
        metric[:q, :q] = 2.0 * solution.expected
        start = np.tile(np.concatenate([solution.theta, solution.minimum.multiplier[0][equal]]), (batch, 1))

    def residual(z: FloatArray, at: IntArray) -> FloatArray:
        whole = len(at) == batch
        data = observed if whole else tuple(part.take(at) for part in observed)
        values = given if whole else given[at]
        gradient = slope(layout, z[:, :q], data, values)
        if constraints is None:
            return gradient
        c, j = constraints.evaluate(z[:, :q], at)
        c, j = c[:, constraints.equality], j[:, constraints.equality]
        return np.concatenate([gradient + (z[:, None, q:] @ j)[:, 0], c], axis=1)

    with np.errstate(all="ignore"):
        try:
            found = solve_chord(residual, start, inverse, metric)
        except np.linalg.LinAlgError:  # a draw ran into a singular matrix: all of them by Newton
            return start[:, :q], np.zeros(batch, dtype=bool), 1
    return found.z[:, :q], found.converged, found.calls


def _minimal(
    solution: Solution, observed: tuple[Observed, ...], given: FloatArray, theta: FloatArray
) -> NDArray[np.bool_]:
    """Whether the implied matrices are positive definite where the chord ended."""
    good = np.ones(len(theta), dtype=bool)
    for block in solution.layout.blocks:
        sigma = imply(block, theta, given).sigma
        finite = np.isfinite(sigma).all(axis=(1, 2))
        good &= finite
        try:
            np.linalg.cholesky(sigma[finite])
        except np.linalg.LinAlgError:
            good[finite] &= np.linalg.eigvalsh(sigma[finite])[:, 0] > 0.0
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
