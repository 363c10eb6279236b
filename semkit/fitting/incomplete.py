"""Errors of residual covariances after full information: what gaps cost, and what the model explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.fiml import saturated_information, saturated_scores
from semkit.estimate.information import invert
from semkit.estimate.residuals import projected
from semkit.fitting import gaps
from semkit.fitting.weighting import part_of, weighted_scores

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]


def residual_variances(solution: Solution, group: int, *, standardized: bool) -> FloatArray:
    """``N Var(s_ij - sigma_ij)`` of a group (or of ``s_ij`` alone), ``s`` the saturated estimates, ``(p, p)``.

    ``Gamma`` is the inverse information of the saturated model.  Under normality the residuals have ``Q Gamma Q'``,
    ``Q = I - D (D'W D)^-1 D'W`` with the saturated information ``W`` at the implied moments; both are of the kind the
    fit asked for (expected supposes gaps completely at random).  With robust errors, or under a sampling design, a
    respondent moves residual ``ij`` by ``e_ij' Gamma h - d_ij' E g``: ``h`` the score of the saturated and ``g`` that
    of the fitted model, ``E`` the inverse information, ``Gamma`` the observed one.  Moments among fixed covariates do
    not vary.

    Raises
    ------
    LinAlgError
        The saturated information is singular.

    References
    ----------
    Yuan & Bentler (2000), Sociological Methodology 30, 165-200 (saturated moments with gaps and their errors); Browne
    (1984), British Journal of Mathematical and Statistical Psychology 37, 62-83, proposition 4; Hampel (1974),
    Journal of the American Statistical Association 69, 383-393 (influence functions).
    """
    keep = gaps.kept(solution)
    robust = solution.sampling is not None or solution.options.se in ("robust.huber.white", "robust.sem")
    variance = (_by_influence if robust else _by_projection)(solution, group, keep, standardized)
    p = len(solution.table.variables.ov)
    whole = np.zeros(p + p * (p + 1) // 2)
    whole[keep] = variance
    rows, cols = np.tril_indices(p)
    out = np.zeros((p, p))
    out[rows, cols] = out[cols, rows] = whole[p:]
    return out


def _saturated(solution: Solution, g: int, keep: NDArray[np.int64], exact: bool) -> FloatArray:
    """``Gamma`` of a group, times the group's number of respondents."""
    assert solution.patterns is not None
    own = solution.moments[g]
    seen = saturated_information(solution.patterns[g], own.mean[0], own.cov[0], exact=exact)
    return np.asarray(np.linalg.inv(seen[np.ix_(keep, keep)]))


def _by_projection(
    solution: Solution, group: int, keep: NDArray[np.int64], standardized: bool
) -> FloatArray:
    exact = solution.options.information != "expected"
    gammas = [_saturated(solution, g, keep, exact) for g in range(len(solution.moments))]
    if not standardized:
        return np.asarray(np.diagonal(gammas[group]) / solution.weights[group])
    assert solution.patterns is not None
    weights = [saturated_information(part, implied.mu[0], implied.sigma[0], exact=exact)[np.ix_(keep, keep)]
               for part, implied in zip(solution.patterns, solution.implied, strict=True)]
    slopes = [part[keep] for part in gaps.moment_slopes(solution.layout, solution.minimum.x, solution.given)]
    inside = sum(share * d.T @ w @ d for share, d, w in zip(solution.weights, slopes, weights, strict=True))
    bread = invert(np.asarray(inside), solution.basis)
    return np.asarray(np.diagonal(projected(gammas, weights, slopes, bread, solution.weights)[group]))


def _by_influence(
    solution: Solution, group: int, keep: NDArray[np.int64], standardized: bool
) -> FloatArray:
    assert solution.sample is not None
    own, at, n = solution.moments[group], part_of(solution, group), solution.total
    weights = solution.sample.groups[group].weights
    values = np.zeros((sum(map(len, solution.data)), len(keep)))
    score = saturated_scores(solution.data[group], own.mean[0], own.cov[0])[:, keep]
    values[at] = weights[:, None] * (score @ _saturated(solution, group, keep, True)) / own.nobs
    if standardized:
        slope = gaps.moment_slopes(solution.layout, solution.minimum.x, solution.given)[group][keep]
        values -= weighted_scores(solution) @ (solution.bread @ slope.T) / n
    if solution.sampling is not None:
        values = solution.sampling.deviations(values, small_sample=False)
    return np.asarray(n * np.sum(values**2, axis=0))
