"""The independence model that incremental fit indices compare with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.scaling import CORRECTIONS
from semkit.estimate.tests import Test, independence_trace, saturated_trace, scaled
from semkit.fitting import auxiliary, gaps, quadratic, twostage, weighting
from semkit.fitting.regressed import conditional
from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The independence model: statistic, degrees of freedom, and its corrected test if the fit has one."""

    stat: float
    df: int
    trace_free: float  # tr(A^-1 B) of the saturated model; NaN unless a Yuan-Bentler test needs it
    corrected: Test | None = None


def n_fixed(solution: Solution) -> int:
    """Number of covariates whose moments are held at their sample values."""
    return len(solution.table.variables.ov_x) if np.any(solution.table.exo) else 0


def _raw(solution: Solution) -> tuple[FloatArray, ...]:
    """Data with the fixed covariates in the last columns."""
    names = solution.table.variables.ov
    last = [names.index(name) for name in solution.table.variables.ov_x]
    order = [k for k in range(len(names)) if k not in last] + last
    return tuple(data[:, order] for data in solution.data)


def _trace_h1(solution: Solution) -> float:
    if solution.patterns is not None:
        return gaps.saturated_trace(solution)
    means, fixed = solution.table.meanstructure, n_fixed(solution)
    if solution.sampling is not None:
        x = [solution.table.variables.ov.index(name) for name in solution.table.variables.ov_x]
        return weighting.saturated_trace(solution, solution.sampling, x, fixed > 0)
    data = _raw(solution)
    # groups have parameters of their own: traces add up
    return float(sum(saturated_trace(part, fixed, means) for part in data))


def baseline(solution: Solution) -> Baseline:
    """Fit of the independence model; moments among covariates stay as they are.

    ``log|Diag(Syy)| + log|Sxx| - log|S|``; with ``conditional_x`` the slopes stay free too and only the
    residual covariances are 0: ``log|Diag(Syy.x)| - log|Syy.x|``.
    """
    names = solution.table.variables.ov
    x = [names.index(name) for name in solution.table.variables.ov_x]
    count = len(x)
    y = [k for k in range(len(names)) if k not in x]
    stat = 0.0
    for group in solution.observed:
        s = group.cov[0]
        if solution.options.conditional_x:
            omega, _, _ = conditional(s, group.mean[0], y, x)
            stat += group.weight * (float(np.log(np.diagonal(omega)).sum()) - float(np.linalg.slogdet(omega)[1]))
            continue
        value = float(np.log(np.diagonal(s)[y]).sum()) - (float(group.logdet[0]) - len(s))
        if x:
            value += float(np.linalg.slogdet(s[np.ix_(x, x)])[1])
        stat += group.weight * value
    p = len(names)
    pairs = p * (p - 1) // 2 - count * (count - 1) // 2
    if solution.options.conditional_x:
        pairs = len(y) * (len(y) - 1) // 2
    df = pairs * solution.table.n_groups
    if solution.patterns is not None:
        return _baseline_with_gaps(solution, df)
    stat = solution.total * stat
    name = solution.options.scaled
    if solution.gamma is not None:
        return Baseline(stat, df, float("nan"), scaled(stat, df, twostage.baseline_trace(solution), name, ""))
    if solution.least is not None:
        stat, pieces = quadratic.baseline(solution)
        return Baseline(stat, df, float("nan"), CORRECTIONS[name](stat, df, pieces) if name else None)
    mplus = "yuan.bentler.mplus" in solution.options.test
    free = _trace_h1(solution) if mplus and solution.sample is not None else float("nan")
    corrected: Test | None
    if name == "yuan.bentler.mplus":
        corrected = scaled(stat, df, free - _trace_baseline(solution, x, y), name, "")
    else:
        corrected = CORRECTIONS[name](stat, df, quadratic.baseline(solution)[1]) if name else None
    return Baseline(stat, df, free, corrected)


def _baseline_with_gaps(solution: Solution, df: int) -> Baseline:
    """The independence model under full information."""
    stat = gaps.baseline_stat(solution)
    if solution.options.auxiliary:
        df = auxiliary.baseline(solution).df
    if not solution.options.robust:
        return Baseline(stat, df, float("nan"))
    free = gaps.saturated_trace(solution)
    return Baseline(stat, df, free, scaled(stat, df, free - gaps.baseline_trace(solution), "yuan.bentler.mplus", ""))


def _trace_baseline(solution: Solution, x: list[int], y: list[int]) -> float:
    """``tr(A^-1 B)`` of the independence model; covariates are saturated among themselves."""
    means, total = solution.table.meanstructure, 0.0
    if solution.sampling is not None:
        return weighting.independence_trace(solution, solution.sampling, x, y, n_fixed(solution) > 0)
    if solution.options.conditional_x and x:  # every outcome has its own regression
        return sum(saturated_trace(data[:, [k, *x]], len(x), means) for data in solution.data for k in y)
    for data in solution.data:
        total += independence_trace(data[:, y], means)
        if x and not n_fixed(solution):
            total += saturated_trace(data[:, x], 0, means)
    return total
