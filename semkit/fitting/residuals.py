"""How large residuals are as a whole: SRMR and CRMR with errors, tests and unbiased intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, OptionError, Problem
from semkit.estimate.information import invert, scores
from semkit.estimate.residuals import bentler, correlation_turn, normal_covariance, projected, root_mean_square
from semkit.estimate.weights import fitted_values
from semkit.fitting import gaps
from semkit.fitting.draws import checked_level
from semkit.fitting.quadratic import fixed_positions
from semkit.fitting.solution import Solution

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]
_MOST = 100
_COLUMNS = ("value", "se", "exact_z", "exact_pvalue", "unbiased", "unbiased_se", "ci_lower", "ci_upper", "close",
            "close_z", "close_pvalue")


def residual_summary(fit: Fit, type: str = "srmr", *, level: float = 0.90, close: float = 0.05) -> pd.DataFrame:
    """The table behind :meth:`Fit.residual_summary`."""
    import pandas as pd

    _check(fit.solution, type)
    checked_level(level)
    rows = []
    for g, (residual, variance, parts) in enumerate(_residuals(fit.solution, type)):
        for part, (at, count) in parts.items():
            found = root_mean_square(residual[at], variance[at, at], count, level, close)
            rows.append({"group": fit.table.groups[g], "part": part,
                         **{name: getattr(found, name) for name in _COLUMNS}})
    return pd.DataFrame(rows)


def _check(solution: Solution, type: str) -> None:
    if type not in ("srmr", "crmr"):
        raise OptionError(Problem("fitting.unknown-option-value", f"type={type!r}", "is not a known value",
                                  "srmr, crmr", "Choose one of them."))
    reasons = []
    if solution.options.ordered:
        raise NotSupportedError(Problem(
            "fitting.no-residual-summary", "residual_summary()", "is not offered with ordinal indicators",
            "complete data and maximum likelihood", "Use residuals('standardized') and srmr of fit_measures."))
    if solution.__class__ is not Solution:
        reasons.append("with latent products")
    if solution.patterns is not None:
        reasons.append("after missing='fiml': the error of the residuals is not derived for it here")
    if solution.gamma is not None:
        reasons.append("after two stages")
    if solution.options.conditional_x:
        reasons.append("with conditional_x=True")
    if solution.sample is not None and solution.sample.sampling is not None:
        reasons.append("under a sampling design")
    if solution.options.estimator not in ("ml", "mlr", "mlm"):
        reasons.append(f"with estimator={solution.options.estimator!r}")
    if len(solution.table.variables.ov) > _MOST:
        reasons.append(f"for more than {_MOST} variables")
    if reasons:
        raise NotSupportedError(*(
            Problem("fitting.no-residual-summary", "residual_summary()", f"is not offered {reason}",
                    "complete data and maximum likelihood",
                    "Draw it: fit.bootstrap(statistics=('srmr', 'crmr')), with kind='cluster' under a "
                    "design.") for reason in reasons
        ))


def _residuals(
    solution: Solution, type: str
) -> list[tuple[FloatArray, FloatArray, dict[str, tuple[slice, int]]]]:
    """Standardised residuals of each group, their covariance matrix, and what each part consists of."""
    means, out = solution.table.meanstructure, []
    p = len(solution.table.variables.ov)
    total = float(sum(group.nobs for group in solution.moments))
    lower = np.tril_indices(p)
    k = len(lower[0])
    first = p if means else 0
    pairs = k if type == "srmr" else k - p
    parts = {"cov": (slice(first, first + k), pairs)}
    if means:
        parts |= {"mean": (slice(0, p), p), "total": (slice(0, p + k), p + pairs)}
    for group, implied, variance in zip(solution.observed, solution.implied, residual_covariances(solution),
                                        strict=True):
        cov, sigma = group.cov[0], implied.sigma[0]
        if type == "srmr":
            scale = 1.0 / bentler(cov, means)
            residual = (cov - sigma)[lower] * scale[first:]
            turned = variance * scale[:, None] * scale
        else:
            s, i = np.sqrt(np.diagonal(cov)), np.sqrt(np.abs(np.diagonal(sigma)))
            residual = (cov / np.outer(s, s) - sigma / np.outer(i, i))[lower]
            turn = np.zeros((first + k, first + k))
            turn[first:, first:] = correlation_turn(sigma)
            turn[np.arange(first), np.arange(first)] = 1.0 / s[:first]
            turned = turn @ variance @ turn.T
        if means:
            level = (group.mean[0] - implied.mu[0]) / np.sqrt(np.diagonal(cov))
            residual = np.concatenate([level, residual])
        out.append((residual, turned / total, parts))
    return out


def residual_covariances(solution: Solution) -> list[FloatArray]:
    """``N`` times the covariance matrix of the residual moments of each group (means first if modelled).

    Under normality ``Q Gamma Q'``; with robust errors mean products of the influence functions
    ``(moments_i - moments) / share - D E g_i`` with scores ``g`` and the fit's own bread ``E``.
    """
    means, p = solution.table.meanstructure, len(solution.table.variables.ov)
    cut = slice(0 if means else p, None)
    slopes = [part[cut] for part in gaps._model_slopes(solution)]
    if solution.options.se in ("robust.huber.white", "robust.sem"):
        return _influences(solution, slopes, means)
    gammas = [normal_covariance(group.cov[0], list(fixed_positions(solution)), means) for group in solution.observed]
    weights = [gaps.complete_weight(implied.sigma[0])[cut, cut] for implied in solution.implied]
    return projected(gammas, weights, slopes, invert(solution.expected, solution.basis), solution.weights)


def _influences(solution: Solution, slopes: list[FloatArray], means: bool) -> list[FloatArray]:
    q = solution.layout.n_parameters
    moves = [scores(block, solution.theta, solution.given[0], data, q) @ solution.bread
             for block, data in zip(solution.layout.blocks, solution.data, strict=True)]
    total = sum(len(data) for data in solution.data)
    square = np.asarray(sum(move.T @ move for move in moves)) / total
    fixed, out = fixed_positions(solution), []
    for data, move, d in zip(solution.data, moves, slopes, strict=True):
        z = data - data.mean(axis=0)
        f = fitted_values(z, fixed) if fixed else np.zeros_like(z)
        row, col = np.tril_indices(z.shape[1])
        y = z[:, row] * z[:, col] - f[:, row] * f[:, col]
        y = np.column_stack([z - f, y]) if means else y
        y = y - y.mean(axis=0)
        cross = (y.T @ (move - move.mean(axis=0)) / len(y)) @ d.T
        own = y.T @ y / len(y) * (total / len(y))
        out.append(np.asarray(own - cross - cross.T + d @ square @ d.T, dtype=np.float64))
    return out
