"""Least squares and corrected tests of a solution: the moments, weights and covariances of moments it implies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Problem, SampleError
from semkit.estimate.discrepancy import Observed, discrepancy, inverse
from semkit.estimate.fiml import pattern_discrepancy
from semkit.estimate.layout import Layout
from semkit.estimate.leastsquares import CovarianceModel, LeastSquares, MomentGroup, squares
from semkit.estimate.scaling import Pieces, root_of, root_of_rows
from semkit.estimate.weights import (
    MomentWeight,
    NormalRoot,
    NormalWeight,
    Root,
    Weight,
    influence,
    observed_weight,
    places,
    stack,
)
from semkit.fitting import regressed, weighting
from semkit.fitting.options import Options
from semkit.sample.arrays import Sample

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]


def least_squares(
    layout: Layout, options: Options, observed: tuple[Observed, ...], given: FloatArray, sample: Sample | None,
    nacov: tuple[FloatArray, ...] | None = None,
) -> LeastSquares:
    """The least-squares problem of continuous data under GLS, ULS or WLS.

    Weights: the normal-theory ones at ``S`` (GLS), the unit matrix (ULS), or the inverse of the distribution-free
    covariance matrix of the moments (WLS; Browne 1984).
    """
    groups = []
    for g, (block, seen) in enumerate(zip(layout.blocks, observed, strict=True)):
        moments = stack(seen.cov, seen.mean if block.means else None)
        weight: Weight
        if options.estimator == "gls":
            weight = NormalWeight(inverse(seen.cov)[0], block.means)
        elif options.estimator == "uls":
            weight = MomentWeight(np.ones((1, moments.shape[1])))
        elif nacov is not None:
            weight = MomentWeight(_inverse(nacov[g], "estimator='wls'")[None])
        else:
            assert sample is not None
            rows = influence(sample.groups[g].data, block.means)
            weight = MomentWeight(_inverse_nacov(rows, "estimator='wls'")[None])
        groups.append(MomentGroup(moments, weight, seen.weight, None if nacov is None else nacov[g]))
    return LeastSquares(CovarianceModel(layout, given), tuple(groups))


def _inverse_nacov(rows: FloatArray, where: str) -> FloatArray:
    """``Gamma^-1`` from the influence of respondents ``(n, k)``.

    Raises
    ------
    SampleError
        ``sample.too-few-for-adf``: no more respondents than moments.
    """
    n, k = rows.shape
    nacov = rows.T @ rows / n
    if n <= k or _singular(nacov):
        raise SampleError(Problem(
            "sample.too-few-for-adf", where, f"{n} respondents for {k} moments",
            "clearly more respondents than moments in every group",
            "Use estimator='mlr' or 'gls', or another test."))
    return np.asarray(np.linalg.inv(nacov))


def _inverse(nacov: FloatArray, where: str) -> FloatArray:
    """``Gamma^-1`` of a given one.

    Raises
    ------
    SampleError
        ``sample.gamma-singular``.
    """
    if _singular(nacov):
        raise SampleError(Problem("sample.gamma-singular", f"moments.gamma, {where}",
                                  "the matrix is not positive definite", "a covariance matrix of full rank",
                                  "Use estimator='ml', or check its order."))
    return np.asarray(np.linalg.inv(nacov))


def _singular(cov: FloatArray) -> bool:
    """Whether an eigenvalue of the correlation matrix is nothing but rounding error."""
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(cov), 1e-300))
    values = np.linalg.eigvalsh(cov * np.outer(scale, scale))
    return bool(values[0] < 1e-12 * values[-1])


def fixed_positions(solution: Solution) -> tuple[int, ...]:
    """Positions of the covariates whose moments are held at their sample values."""
    variables = solution.table.variables
    return tuple(variables.ov.index(name) for name in variables.ov_x) if np.any(solution.table.exo) else ()


def roots(solution: Solution) -> tuple[Root, ...]:
    """Roots of ``Gamma`` of each group: as given, or from raw data."""
    if solution.nacov is not None:
        return tuple(root_of(nacov) for nacov in solution.nacov)
    if solution.least is not None and solution.least.groups[0].nacov is not None:
        return tuple(root_of(np.asarray(group.nacov)) for group in solution.least.groups)
    fixed, means = fixed_positions(solution), solution.table.meanstructure
    if solution.sampling is not None:
        return weighting.moment_roots(solution, solution.sampling, means, fixed)
    return tuple(root_of_rows(influence(data, means, fixed)) for data in solution.data)


def slopes(solution: Solution) -> tuple[FloatArray, ...]:
    """``Delta`` of each group at the estimates."""
    if solution.least is not None:
        return solution.least.slopes(solution.theta)
    return LeastSquares(CovarianceModel(solution.layout, solution.given), ()).slopes(solution.theta)


def residuals(solution: Solution) -> tuple[FloatArray, ...]:
    """``s - sigma`` of each group at the estimates."""
    if solution.least is not None:
        return solution.least.residuals(solution.theta)
    means = solution.table.meanstructure
    return tuple(
        stack(seen.cov[0] - implied.sigma[0], seen.mean[0] - implied.mu[0] if means else None)
        for seen, implied in zip(solution.observed, solution.implied, strict=True)
    )


def weights(solution: Solution) -> tuple[Weight, ...]:
    """``W`` of each group.

    Least squares: the weights of the discrepancy.  Likelihood: the information of the saturated model at the implied
    moments, expected or, with ``information="observed"``, observed.
    """
    if solution.least is not None:
        return tuple(group.weight for group in solution.least.groups)
    means = solution.table.meanstructure
    if solution.options.information == "observed":
        return tuple(
            observed_weight(implied.sigma[0], seen.cov[0], seen.mean[0] - implied.mu[0] if means else None)
            for seen, implied in zip(solution.observed, solution.implied, strict=True)
        )
    return tuple(NormalWeight(inverse(implied.sigma)[0], means) for implied in solution.implied)


def moment_pieces(solution: Solution) -> Pieces:
    """What errors and corrected tests of a solution are made of; ``Gamma`` only when it is asked for."""
    if given_covariates(solution):
        return regressed.pieces(solution, slopes(solution))
    return Pieces(slopes(solution), weights(solution), solution.weights, solution.basis, lambda: roots(solution))


def given_covariates(solution: Solution) -> bool:
    """Whether moments are those of the regression on covariates."""
    return solution.options.conditional_x and bool(solution.table.variables.ov_x)


def normal_pieces(solution: Solution) -> Pieces:
    """The same with ``Gamma`` under normality at the sample covariances (least squares: no covariate is fixed)."""
    own, means = solution.pieces, solution.table.meanstructure
    return Pieces(own.slopes, own.weights, own.shares, own.basis,
                  lambda: tuple(NormalRoot(seen.cov[0], means) for seen in solution.observed))


def residual_stat(solution: Solution, name: str) -> float:
    """``N e'U e`` of the tests that lavaan calls ``browne.residual.*``.

    ``nt``: normal-theory weights at ``S``; ``adf``: the inverse distribution-free covariance matrix of the moments;
    ``adf.model``: the same made of deviations from the implied moments, ``T / (1 + T / N)`` of ``adf`` where those are
    saturated but for covariances.  A binding inequality takes no direction away, as for the degrees of freedom.

    References
    ----------
    Browne (1984), British Journal of Mathematical and Statistical Psychology 37, 62-83, eq. 2.20b; Yuan & Bentler
    (1998), British Journal of Mathematical and Statistical Psychology 51, 289-309 (``adf.model``).
    """
    means, fixed = solution.table.meanstructure, fixed_positions(solution)
    errors, by = residuals(solution), solution.pieces.slopes
    weighted: list[Weight] = []
    if given_covariates(solution):
        errors = regressed.residuals(solution)
        weighted = list(regressed.sample_weights(solution))
        if name == "browne.residual.adf":
            y, x = regressed.positions(solution)
            weighted = [MomentWeight(_inverse_nacov(regressed.influence(data, y, x, means), f"test={name!r}")[None])
                        for data in solution.data]
    elif name == "browne.residual.nt":
        weighted = [NormalWeight(inverse(seen.cov)[0], means) for seen in solution.observed]
    elif solution.nacov is not None:
        weighted = [MomentWeight(_inverse(nacov, f"test={name!r}")[None]) for nacov in solution.nacov]
    else:
        keep = np.ones(len(errors[0]), dtype=bool)
        keep[given_places(len(solution.table.variables.ov), means, fixed)] = False
        for data, error in zip(solution.data, errors, strict=True):
            rows = influence(data, means, fixed)[:, keep]
            if name.endswith("model"):
                gap = error[: data.shape[1]] if means else None
                rows = _from_the_model(data, rows, error, gap, keep)
            weighted.append(MomentWeight(_inverse_nacov(rows, f"test={name!r}")[None]))
        errors, by = tuple(e[keep] for e in errors), tuple(d[keep] for d in by)
    pieces = Pieces(by, tuple(weighted), solution.weights, solution.equality_basis, lambda: ())
    return solution.total * pieces.residual_form(errors)


def given_places(p: int, means: bool, fixed: tuple[int, ...]) -> NDArray[np.int64]:
    """Where moments of fixed covariates stand in the moment vector."""
    rows, cols = places(p)
    below = np.flatnonzero(np.isin(rows, fixed) & np.isin(cols, fixed))
    return np.concatenate([np.array(fixed, dtype=np.int64), p + below]) if means else below


def _from_the_model(
    data: FloatArray, rows: FloatArray, error: FloatArray, gap: FloatArray | None, keep: NDArray[np.bool_]
) -> FloatArray:
    """Deviations from the implied moments instead of from the observed ones: ``z_i z_j`` about the implied means."""
    moved = rows + error[keep]
    if gap is not None:
        # (y - mu)(y - mu)' = (z + d)(z + d)' with the difference d of the means
        first, second = places(data.shape[1])
        z = data - data.mean(axis=0)
        cross = z[:, first] * gap[second] + z[:, second] * gap[first] + gap[first] * gap[second]
        moved[:, np.flatnonzero(keep) >= data.shape[1]] += cross[:, keep[data.shape[1] :]]
    return moved


def baseline(solution: Solution) -> tuple[float, Pieces]:
    """Statistic and pieces of the independence model, group by group with parameters of its own.

    Means, variances and, unless fixed, the moments of the covariates are free.  Under least squares its minimum has a
    closed form; unweighted ones have no chi-square, so that Browne's residual statistic under normality stands in
    unless a corrected test is asked for.
    """
    if given_covariates(solution):
        return float("nan"), regressed.baseline_pieces(solution)
    table, count = solution.table, solution.table.n_groups
    p, means, fixed = len(table.variables.ov), table.meanstructure, fixed_positions(solution)
    x = [table.variables.ov.index(name) for name in table.variables.ov_x]
    rows, cols = places(p)
    free = (rows == cols) | (np.isin(rows, x) & np.isin(cols, x))
    whole = np.concatenate([np.ones(p, dtype=bool), free]) if means else free
    whole[given_places(p, means, fixed)] = False
    one = np.eye(len(whole))[:, whole]
    slope = tuple(np.kron(np.eye(count)[g], one) for g in range(count))
    weight: list[Weight] = []
    stat_weight: list[Weight] = []
    for g, seen in enumerate(solution.observed):
        if solution.least is not None:
            weight.append(solution.least.groups[g].weight)
            normal = solution.options.estimator == "uls" and not solution.options.robust
            stat_weight.append(NormalWeight(inverse(seen.cov)[0], means) if normal else weight[-1])
            continue
        apart = np.where(np.eye(p, dtype=bool), seen.cov[0], 0.0)
        apart[np.ix_(x, x)] = seen.cov[0][np.ix_(x, x)]
        if solution.options.information == "observed":
            weight.append(observed_weight(apart, seen.cov[0], np.zeros(p) if means else None))
        else:
            weight.append(NormalWeight(inverse(apart[None])[0], means))
    basis = np.eye(count * one.shape[1])
    pieces = Pieces(slope, tuple(weight), solution.weights, basis, lambda: solution.pieces.roots)
    if solution.least is None:
        return float("nan"), pieces
    moments = tuple(group.moments[0] for group in solution.least.groups)
    form = Pieces(slope, tuple(stat_weight), solution.weights, basis, lambda: ())
    return solution.total * form.residual_form(moments), pieces


def score_of(
    solution: Solution, layout: Layout, theta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Gradient of the log-likelihood (of ``-F / 2`` under least squares), information, and the gradient's variance.

    Parameters
    ----------
    layout : Layout
        Of the solution's table with further free parameters.
    theta : ndarray (q',)

    Returns
    -------
    gradient : ndarray (q',)
        Per respondent.
    information : ndarray (q', q')
        Expected.
    meat : ndarray (q', q') or None
        Where the gradient's variance is not the information: under weights that are no covariance matrix.
    """
    if solution.least is None:
        # with gaps the slope is that of the likelihood of what was answered, not of the moments completed by EM
        value = (discrepancy(layout, theta[None], solution.observed, solution.given, "expected")
                 if solution.patterns is None else
                 pattern_discrepancy(layout, theta[None], solution.patterns, solution.given, 0.0, "expected"))
        assert value.gradient is not None and value.hessian is not None
        return -0.5 * value.gradient[0], 0.5 * value.hessian[0], None
    model = CovarianceModel(layout, solution.given)
    value = squares(model, theta[None], solution.least.groups, "expected")
    assert value.gradient is not None and value.hessian is not None
    if solution.options.estimator in ("gls", "wls"):
        return -0.5 * value.gradient[0], 0.5 * value.hessian[0], None
    by = LeastSquares(model, ()).slopes(theta)
    own = normal_pieces(solution)
    pieces = Pieces(by, own.weights, own.shares, np.eye(len(theta)), lambda: own.roots)
    return -0.5 * value.gradient[0], 0.5 * value.hessian[0], pieces.meat
