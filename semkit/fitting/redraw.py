"""Bootstrap and replicates of models with latent products: each refitted by its own weighted likelihood.

A draw is a weight for every respondent.  From the full sample's estimates and Hessian a few quasi-Newton steps with
gradients reach the draw's maximum; the points of the integral stay where the full sample put them.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem
from semkit.estimate.expressions import make_constraints
from semkit.fitting.bootstrap import in_metric, quantities
from semkit.fitting.draws import Draws, checked_level, interval_kind
from semkit.fitting.moderated import ModeratedSolution
from semkit.fitting.options import draw_count
from semkit.fitting.refit import admissible
from semkit.fitting.resampling import check_kind, row_counts, unit_weights
from semkit.fitting.solution import given_values
from semkit.fitting.weighting import replicate_parts, require_all
from semkit.interaction.likelihood import Likelihood, for_minimiser
from semkit.numerics.jobs import Chunk, Job, run_job
from semkit.numerics.newton import minimise
from semkit.numerics.quasi import descend
from semkit.sample import Sampling
from semkit.sample.arrays import GroupMoments, composite_errors
from semkit.sample.moments import weighted_moments

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit
    from semkit.fitting.moderation import ModeratedFit

FloatArray = NDArray[np.float64]

CHUNK = 50
_CLOSE = 1e-11  # decrement of the discrepancy: about 1e-4 of a standard error


def with_draws(
    fit: ModeratedFit, draws: int, seed: int | None, *, kind: str, ci: str, level: float, workers: int | None = None
) -> ModeratedFit:
    """A copy of a fit that carries bootstrap draws of respondents, or of sampling units.

    Raises
    ------
    NotSupportedError
        ``fitting.bootstrap-kind``: other kinds, and those that do not suit the sampling design.
    """
    if kind not in ("ordinary", "cluster"):
        raise NotSupportedError(Problem("fitting.bootstrap-kind", f"kind={kind!r}",
                                        "needs implied moments that say everything of the model",
                                        "ordinary, cluster", "Use kind='ordinary'."))
    check_kind(fit.solution, kind)
    count = draw_count(draws)
    seed = secrets.randbelow(2**31) if seed is None else int(seed)
    interval_kind(ci), checked_level(level)
    threads = min(os.cpu_count() or 1, 4) if workers is None else workers
    found = run_job(Redraw(fit, kind), Job(replicates=count, seed=seed, chunk=CHUNK), workers=threads, backend="thread")
    status = found["status"]
    keep = status == 0
    failed, inadmissible = int(np.sum(status == 1)), int(np.sum(status == 2))
    record = Draws(found["est"][keep], found["std"][keep], count, failed, inadmissible, seed, kind, ci, level,
                   found["theta"][keep], found["given"][keep], {}, replace(fit, bootstrap_draws=None))
    provenance = {**fit.provenance, "seed": seed, "draws_requested": count, "draws_failed": failed,
                  "draws_inadmissible": inadmissible, "draws_kind": kind}
    options = replace(fit.recipe.options, bootstrap=count, seed=seed)
    return replace(fit, recipe=replace(fit.recipe, options=options), bootstrap_draws=record, provenance=provenance)


@dataclass(eq=False)
class Redraw:
    """Estimates of one chunk of draws."""

    fit: ModeratedFit
    kind: str = "ordinary"

    def __call__(self, chunk: Chunk) -> dict[str, NDArray[Any]]:
        solution = self.fit.moderated
        weights = unit_weights(solution, chunk) if self.kind == "cluster" else row_counts(solution, chunk)
        given = draw_given(solution, weights)
        theta, converged = np.empty((len(chunk), solution.layout.n_parameters)), np.zeros(len(chunk), dtype=bool)
        est, std = np.full((2, len(chunk), len(self.fit.names)), np.nan)
        for b in range(len(chunk)):
            objective = solution.objective.reweighted([w[b] for w in weights], given[b])
            theta[b], converged[b] = refit(solution, objective)
            if converged[b]:
                own = replace(self.fit, solution=replace(solution, objective=objective), bootstrap_draws=None)
                est[b], std[b] = (part[0] for part in quantities(own, theta[b : b + 1], given[b : b + 1]))
        good = converged & admissible(solution, theta, given)
        finite = np.isfinite(est).all(axis=1)
        status = np.where(~(converged & finite), 1, np.where(good, 0, 2))
        return {"est": est, "std": std, "status": status, "theta": theta, "given": given}


def moderated_rows(fit: Fit, weights: list[FloatArray], kinds: tuple[str, ...]) -> dict[str, FloatArray]:
    """All rows of the table ``(b, rows)`` in several metrics under weights of respondents; NaN without a maximum."""
    solution = fit.solution
    assert isinstance(solution, ModeratedSolution)
    given = draw_given(solution, weights)
    out = {kind: np.full((len(given), len(fit.table)), np.nan) for kind in kinds}
    for b in range(len(given)):
        objective = solution.objective.reweighted([w[b] for w in weights], given[b])
        theta, converged = refit(solution, objective)
        if converged:
            own = replace(fit, solution=replace(solution, objective=objective), bootstrap_draws=None)
            for kind in kinds:
                out[kind][b] = in_metric(own, theta[None], given[b : b + 1], kind)[0]
    return out


def draw_given(solution: ModeratedSolution, weights: list[FloatArray]) -> FloatArray:
    """Moments of fixed covariates and error variances of composites in every draw, ``(b, e)``."""
    if not solution.layout.given_rows:
        return np.zeros((len(weights[0]), 0))
    sample = solution.sample
    assert sample is not None
    moments = []
    for g, (data, weight) in enumerate(zip(solution.data, weights, strict=True)):
        filled = np.where(np.isnan(data), 0.0, data)  # what is given has no gaps
        centre = filled.mean(axis=0)
        mean, cov = weighted_moments(filled - centre, weight)
        moments.append(GroupMoments(mean + centre, cov, composite_errors(sample, g, weight), float(len(data))))
    return given_values(solution.table, solution.layout, tuple(moments), tuple(sample.composites),
                        (1.0,) * len(moments))


@lru_cache(maxsize=4)
def replicate_estimates(solution: ModeratedSolution, sampling: Sampling) -> FloatArray:
    """Estimates ``(R, q)`` under replicate weights, each with one more Newton step than a draw of the bootstrap.

    Raises
    ------
    SampleError
        ``fitting.replicates-failed``.
    """
    weights = replicate_parts(solution, sampling)
    given = draw_given(solution, weights)
    theta, converged = np.empty((len(weights[0]), solution.layout.n_parameters)), np.zeros(len(weights[0]), dtype=bool)
    for r in range(len(theta)):
        objective = solution.objective.reweighted([w[r] for w in weights], given[r])
        theta[r], converged[r] = refit(solution, objective)
        if converged[r] and solution.constraints is None:
            here = objective.at(theta[r])
            assert here.hessian is not None
            theta[r] -= np.linalg.solve(here.hessian, here.gradient)
    require_all(converged)
    return theta


def refit(solution: ModeratedSolution, objective: Likelihood) -> tuple[FloatArray, bool]:
    """Estimates of one draw, and whether its maximum was found."""
    begin, n = solution.theta, objective.n
    limits = make_constraints(solution.table, solution.layout, objective.given[None])
    with np.errstate(all="ignore"):
        try:
            if limits is not None:
                ended = minimise(for_minimiser(objective), begin[None], constraints=limits, scoring_steps=0,
                                 max_iterations=40)
                return ended.x[0], bool(ended.converged[0])

            def value(x: FloatArray) -> tuple[float, FloatArray]:
                found = objective.at(x, "gradient")
                return -2.0 / n * (found.logl - objective.level), -2.0 / n * found.gradient

            found = descend(value, begin, 2.0 * solution.observed_information, tolerance=_CLOSE, max_calls=80)
        except np.linalg.LinAlgError:
            return begin, False
    return found.x, found.converged
