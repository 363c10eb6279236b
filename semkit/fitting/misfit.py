"""Residuals of a fit: where the model misses the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, OptionError, Problem
from semkit.estimate.information import invert
from semkit.estimate.misfit import (
    covariance_variance,
    empirical_variance,
    residual_variance,
    residual_variance_robust,
)
from semkit.estimate.weights import square
from semkit.fitting import incomplete
from semkit.fitting.arguments import require_group
from semkit.fitting.quadratic import fixed_positions, normal_pieces
from semkit.fitting.weighting import residual_variances

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.fit import Fit
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]

TYPES = ("raw", "cor", "cor.bentler", "normalized", "standardized")


def residual_table(fit: Fit, type: str, group: int = 0) -> pd.DataFrame:
    """The matrix behind :meth:`Fit.residuals`."""
    import pandas as pd

    solution = fit.solution
    require_group(group, fit.table.n_groups)
    names = list(fit.table.variables.ov)
    cov, sigma = solution.observed[group].cov[0], solution.implied[group].sigma[0]
    s, i = np.sqrt(np.diagonal(cov)), np.sqrt(np.abs(np.diagonal(sigma)))
    if type == "raw":
        values = cov - sigma
    elif type in ("cor", "cor.bollen"):
        values = cov / np.outer(s, s) - sigma / np.outer(i, i)
    elif type == "cor.bentler":
        values = (cov - sigma) / np.outer(s, s)
    elif type in ("normalized", "standardized"):
        values = _over_errors(fit, type, group)
    else:
        raise OptionError(Problem("fitting.unknown-option-value", f"type={type!r}", "is not a known value",
                                  ", ".join(TYPES), "Choose one of them."))
    return pd.DataFrame(values, index=names, columns=names)


def refuse_two_stages(solution: Solution, where: str) -> None:
    """Refuse errors of residuals that would leave the first of two stages out.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-two-stage``.
    """
    if solution.gamma is not None:
        raise NotSupportedError(Problem("fitting.not-with-two-stage", where,
                                        "the errors of residuals after two stages are not offered",
                                        "raw residuals and correlations", "Use missing='fiml'."))


def _over_errors(fit: Fit, type: str, group: int) -> FloatArray:
    """Residuals over their standard errors; 0 where the model reproduces the moment in every sample."""
    solution = fit.solution
    refuse_two_stages(solution, f"residuals({type!r})")
    options, plain = solution.options, solution.sampling is None and solution.patterns is None
    free = options.se == "robust.sem" and plain and not options.conditional_x
    if free or solution.least is not None or solution.nacov is not None:
        return _by_pieces(solution, type, group)
    cov, total = solution.observed[group].cov[0], solution.total
    if solution.patterns is not None:
        alone, left = (incomplete.residual_variances(solution, group, standardized=kind) for kind in (False, True))
        variance = left if type == "standardized" else alone
        return over_root(cov, solution.implied[group].sigma[0], variance / total, alone / total)
    sampling = solution.sampling
    robust = solution.options.se in ("robust.huber.white", "robust.sem")
    fixed = fixed_positions(solution)
    unit = empirical_variance(solution.data[group], fixed) if robust else covariance_variance(cov, fixed)
    unit = unit / solution.observed[group].weight
    variance = unit
    if sampling is not None:
        unit = residual_variances(solution, sampling, group, False)
        variance = residual_variances(solution, sampling, group, True) if type == "standardized" else unit
    elif type == "standardized" and robust:
        variance = residual_variance_robust(solution.layout, solution.theta, solution.given[0], solution.data,
                                            solution.bread, fixed)[group]
    elif type == "standardized":
        covs = tuple(part.cov[0] for part in solution.observed)
        variance = residual_variance(solution.layout, solution.theta, solution.given[0], covs, solution.weights,
                                     invert(solution.expected, solution.basis), fixed)[group]
    return over_root(cov, solution.implied[group].sigma[0], variance / total, unit / total)


def _by_pieces(solution: Solution, type: str, group: int) -> FloatArray:
    """The same with the covariance matrix of the moments that errors rest on: given, distribution-free, or normal.

    Errors count ``N`` respondents (those of the group, where nothing is shared), as lavaan's do.
    """
    free = solution.options.se == "robust.sem" or solution.options.estimator == "wls"
    pieces = solution.pieces if free else normal_pieces(solution)
    cov, share = solution.observed[group].cov[0], solution.weights[group]
    total = float(solution.moments[group].nobs) / share
    unit = np.sum(pieces.roots[group].matrix ** 2, axis=0) / share
    variance = unit if type == "normalized" else pieces.residual_variances[group]
    below = slice(len(cov), None) if solution.table.meanstructure else slice(None)
    own, seen = (square(values[below], len(cov)) / total for values in (variance, unit))
    return over_root(cov, solution.implied[group].sigma[0], own, seen)


def over_root(cov: FloatArray, sigma: FloatArray, variance: FloatArray, unit: FloatArray) -> FloatArray:
    """Residuals over the roots of their variances, which vanish next to ``unit`` where nothing can be missed."""
    residual = cov - sigma
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = residual / np.sqrt(variance)
    exact = np.abs(residual) <= 1e-8 * np.sqrt(np.outer(np.diagonal(cov), np.diagonal(cov)))
    # a residual whose variance vanishes without being zero itself has no error to be divided by
    return np.asarray(np.where(variance > 1e-9 * unit, ratio, np.where(exact, 0.0, np.nan)))
