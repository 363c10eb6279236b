"""Moments given covariates: coefficients and residual covariances, for corrected tests with ``conditional_x``.

The vector of a group is ``B`` (a row an outcome: intercept under a mean structure, then slopes), then the lower
triangle of the residual covariances ``Omega`` by columns.  The likelihood is the one of the joint moments with the
covariates held fixed; weights and ``Gamma`` are those of the regression itself, as in lavaan:

    W_B = Omega^-1 x E(z z'),   W_Omega = K'(Omega^-1 x Omega^-1)K / 2,   Gamma from  (M^-1 z) x e  and  e e' - Omega

with ``z = (1, x)``, ``M = E(z z')`` and residuals ``e``.

References
----------
Muthen (1984), Psychometrika 49, 115-132 (moments given covariates); Satorra (1992), Sociological Methodology 22,
249-278.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.scaling import Pieces, root_of_rows
from semkit.estimate.weights import MomentWeight, Root, places, square, stack

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]


def positions(solution: Solution) -> tuple[list[int], list[int]]:
    """Outcomes and covariates among the observed variables."""
    variables = solution.table.variables
    x = [variables.ov.index(name) for name in variables.ov_x]
    return [k for k in range(len(variables.ov)) if k not in x], x


def conditional(
    cov: FloatArray, mean: FloatArray, y: list[int], x: list[int]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Residual covariances, slopes and intercepts of the regression of y on x."""
    slopes: FloatArray = np.asarray(np.linalg.solve(cov[np.ix_(x, x)], cov[np.ix_(x, y)]).T, dtype=np.float64)
    return cov[np.ix_(y, y)] - slopes @ cov[np.ix_(x, y)], slopes, mean[y] - slopes @ mean[x]


def vector(cov: FloatArray, mean: FloatArray, y: list[int], x: list[int], means: bool) -> FloatArray:
    """Coefficients and residual covariances as one vector ``(k,)``."""
    omega, slopes, level = conditional(cov, mean, y, x)
    coefficients = np.column_stack([level, slopes]) if means else slopes
    return np.concatenate([coefficients.ravel(), stack(omega)])


def weight(omega: FloatArray, cov_x: FloatArray, mean_x: FloatArray, means: bool) -> MomentWeight:
    """Normal-theory weights at residual covariances ``omega``, written out."""
    m = cov_x
    if means:
        level = np.concatenate([[1.0], mean_x])
        m = np.outer(level, level)
        m[1:, 1:] += cov_x
    w = np.linalg.inv(omega)
    rows, cols = places(len(omega))
    scale = np.where(rows == cols, 0.5, 1.0)
    below = w[np.ix_(rows, rows)] * w[np.ix_(cols, cols)] + w[np.ix_(rows, cols)] * w[np.ix_(cols, rows)]
    first = np.kron(w, m)
    out = np.zeros((len(first) + len(rows),) * 2)
    out[: len(first), : len(first)], out[len(first) :, len(first) :] = first, below * scale[:, None] * scale
    return MomentWeight(out[None])


def influence(data: FloatArray, y: list[int], x: list[int], means: bool) -> FloatArray:
    """What each respondent adds to coefficients and residual covariances, ``(n, k)``."""
    centred = data - data.mean(axis=0)
    z = np.column_stack([np.ones(len(data)), data[:, x]]) if means else centred[:, x]
    outcome = data[:, y] if means else centred[:, y]
    coefficients = np.linalg.lstsq(z, outcome, rcond=None)[0]
    e = outcome - z @ coefficients
    turned = np.linalg.solve(z.T @ z / len(z), z.T).T
    by = (e[:, :, None] * turned[:, None, :]).reshape(len(data), -1)
    rows, cols = places(len(y))
    product = e[:, rows] * e[:, cols]
    return np.concatenate([by, product - product.mean(axis=0)], axis=1)


def roots(solution: Solution) -> tuple[Root, ...]:
    """Roots of ``Gamma`` of each group."""
    y, x = positions(solution)
    return tuple(root_of_rows(influence(data, y, x, solution.table.meanstructure)) for data in solution.data)


def slopes_of(solution: Solution, joint: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    """Derivatives ``(k, q)`` from those of the joint moments; those of the covariates do not move."""
    y, x = positions(solution)
    means, p = solution.table.meanstructure, len(y) + len(x)
    out = []
    for implied, by in zip(solution.implied, joint, strict=True):
        sigma, mu = implied.sigma[0], implied.mu[0]
        _, slopes, _ = conditional(sigma, mu, y, x)
        moved = square((by[p:] if means else by).T, p)
        across = np.linalg.solve(sigma[np.ix_(x, x)], moved[:, x][:, :, y]).swapaxes(1, 2)
        half = across @ sigma[np.ix_(x, x)] @ slopes.T
        omega = moved[:, y][:, :, y] - half - half.swapaxes(1, 2)
        if means:
            level = by[:p].T[:, y] - across @ mu[x]
            across = np.concatenate([level[:, :, None], across], axis=2)
        out.append(np.concatenate([across.reshape(len(moved), -1), stack(omega)], axis=1).T)
    return tuple(out)


def pieces(solution: Solution, joint: tuple[FloatArray, ...]) -> Pieces:
    """What errors and corrected tests are made of; ``joint`` are the derivatives of the joint moments."""
    y, x = positions(solution)
    means = solution.table.meanstructure
    weights = tuple(
        weight(conditional(implied.sigma[0], implied.mu[0], y, x)[0], implied.sigma[0][np.ix_(x, x)],
               implied.mu[0][x] if means else np.zeros(len(x)), means)
        for implied in solution.implied
    )
    return Pieces(slopes_of(solution, joint), weights, solution.weights, solution.basis, lambda: roots(solution))


def residuals(solution: Solution) -> tuple[FloatArray, ...]:
    """Observed less implied coefficients and residual covariances of each group."""
    y, x = positions(solution)
    means = solution.table.meanstructure
    return tuple(
        vector(seen.cov[0], seen.mean[0], y, x, means) - vector(implied.sigma[0], implied.mu[0], y, x, means)
        for seen, implied in zip(solution.observed, solution.implied, strict=True)
    )


def sample_weights(solution: Solution) -> tuple[MomentWeight, ...]:
    """Normal-theory weights at the sample's moments."""
    y, x = positions(solution)
    return tuple(
        weight(conditional(seen.cov[0], seen.mean[0], y, x)[0], seen.cov[0][np.ix_(x, x)], seen.mean[0][x],
               solution.table.meanstructure)
        for seen in solution.observed
    )


def baseline_pieces(solution: Solution) -> Pieces:
    """The model without residual covariances: coefficients and residual variances are free in every group."""
    y, x = positions(solution)
    means, count = solution.table.meanstructure, solution.table.n_groups
    rows, cols = places(len(y))
    free = np.concatenate([np.ones(len(y) * (len(x) + means), dtype=bool), rows == cols])
    one = np.eye(len(free))[:, free]
    weights = tuple(
        weight(np.diag(np.diagonal(conditional(seen.cov[0], seen.mean[0], y, x)[0])), seen.cov[0][np.ix_(x, x)],
               seen.mean[0][x], means)
        for seen in solution.observed
    )
    slopes = tuple(np.kron(np.eye(count)[g], one) for g in range(count))
    return Pieces(slopes, weights, solution.weights, np.eye(count * one.shape[1]), lambda: solution.pieces.roots)
