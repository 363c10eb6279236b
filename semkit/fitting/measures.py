"""Tests and fit measures of a solution under lavaan's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.estimate import fitmeasures as fm
from semkit.estimate.discrepancy import inverse
from semkit.estimate.tests import (
    Test,
    chi_square_p,
    independence_sb_trace,
    independence_trace,
    residual_nt,
    satorra_bentler_trace,
    saturated_trace,
    scaled,
    standard,
)
from semkit.fitting import auxiliary, gaps, twostage
from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The independence model: statistic, degrees of freedom, scaling factor."""

    stat: float
    df: int
    scaling: float
    trace_free: float  # tr(A^-1 B) of the saturated model, NaN without raw data


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
        value = float(np.log(np.diagonal(s)[y]).sum()) - float(np.linalg.slogdet(s)[1])
        if x:
            value += float(np.linalg.slogdet(s[np.ix_(x, x)])[1])
        stat += group.weight * value
    p = len(names)
    pairs = p * (p - 1) // 2 - count * (count - 1) // 2
    if solution.options.conditional_x:
        pairs = len(y) * (len(y) - 1) // 2
    df = pairs * solution.table.n_groups
    scaling, free = float("nan"), float("nan")
    if solution.patterns is not None:
        if solution.options.auxiliary:
            df = auxiliary.baseline(solution).df
        if solution.options.robust:
            free = gaps.saturated_trace(solution)
            scaling = (free - gaps.baseline_trace(solution)) / df if df else float("nan")
        return Baseline(gaps.baseline_stat(solution), df, scaling, free)
    if solution.gamma is not None:
        return Baseline(solution.total * stat, df, twostage.baseline_trace(solution) / df if df else scaling, free)
    if solution.options.robust and solution.sample is not None:
        free = _trace_h1(solution)
        if "satorra.bentler" in solution.options.test:
            parts = [independence_sb_trace(data) for data in solution.data]
            trace = sum(len(d) * t for d, t in zip(solution.data, parts, strict=True)) / solution.total
        else:
            trace = free - _trace_baseline(solution, x, y)
        scaling = trace / df if df else float("nan")
    return Baseline(solution.total * stat, df, scaling, free)


def _trace_baseline(solution: Solution, x: list[int], y: list[int]) -> float:
    """``tr(A^-1 B)`` of the independence model; covariates are saturated among themselves."""
    means, total = solution.table.meanstructure, 0.0
    for data in solution.data:
        total += independence_trace(data[:, y], means)
        if x and not n_fixed(solution):
            total += saturated_trace(data[:, x], 0, means)
    return total


def conditional(
    cov: FloatArray, mean: FloatArray, y: list[int], x: list[int]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Residual covariances, slopes and intercepts of the regression of y on x."""
    slopes: FloatArray = np.asarray(np.linalg.solve(cov[np.ix_(x, x)], cov[np.ix_(x, y)]).T, dtype=np.float64)
    return cov[np.ix_(y, y)] - slopes @ cov[np.ix_(x, y)], slopes, mean[y] - slopes @ mean[x]


def tests(solution: Solution, base: Baseline) -> dict[str, Test]:
    """Every test asked for; ML with normal errors also gets Browne's residual statistic."""
    stat, df = solution.stat, solution.df
    out = {"standard": standard(stat, df)}
    for name in solution.options.test:
        if name == "yuan.bentler.mplus":
            inner = solution.basis.T @ solution.observed_information @ solution.basis
            meat = solution.basis.T @ solution.meat @ solution.basis
            trace = base.trace_free - float(np.trace(np.linalg.pinv(inner) @ meat))
            out[name] = scaled(stat, df, trace, name, "Yuan-Bentler correction (Mplus variant)")
        elif name == "satorra.bentler" and solution.gamma is not None:
            out[name] = scaled(stat, df, twostage.trace(solution), name, "Satorra-Bentler correction (two stages)")
        elif name == "satorra.bentler":
            trace = satorra_bentler_trace(
                solution.layout, solution.theta, solution.given[0], solution.data, solution.expected, solution.meat,
                solution.basis,
            )
            out[name] = scaled(stat, df, trace, name, "Satorra-Bentler correction")
    if not solution.options.robust:
        residual = browne(solution)
        out["browne.residual.nt.model"] = Test(
            "browne.residual.nt.model", residual, df, chi_square_p(residual, df),
            label="Browne's residual (NT model-based) test",
        )
    return out


def browne(solution: Solution) -> float:
    """Browne's residual statistic with weights at the implied moments.

    A binding inequality takes no direction away, since the degrees of freedom do not count it either.
    """
    if solution.patterns is not None:
        return gaps.residual_stat(solution)
    plain = tuple((group.cov[0], group.mean[0]) for group in solution.observed)
    return solution.total * residual_nt(
        solution.layout, solution.theta, solution.given[0], plain, solution.weights, solution.expected,
        solution.equality_basis,
    )


def loglikelihoods(solution: Solution) -> tuple[float, float]:
    """Log-likelihood of the model and of the saturated model, conditional on fixed covariates.

    ``-N/2 (p log 2 pi + log|Sigma| + tr(T Sigma^-1))`` less the same of the covariates alone.
    """
    if solution.patterns is not None:
        most = gaps.saturated_log_likelihood(solution)
        return most - 0.5 * solution.stat, most
    names, fixed = solution.table.variables.ov, n_fixed(solution)
    x = [names.index(name) for name in solution.table.variables.ov_x] if fixed else []
    free = 0.0
    for data, moments in zip(solution.observed, solution.moments, strict=True):
        s, n = data.cov[0], moments.nobs
        free -= 0.5 * n * (len(names) * (np.log(2 * np.pi) + 1.0) + float(np.linalg.slogdet(s)[1]))
        if x:
            free += 0.5 * n * (len(x) * (np.log(2 * np.pi) + 1.0) + float(np.linalg.slogdet(s[np.ix_(x, x)])[1]))
    nobs = sum(moments.nobs for moments in solution.moments)
    return free - 0.5 * nobs * float(solution.minimum.f[0]), free


def fit_measures(solution: Solution, found: Mapping[str, Test], base: Baseline) -> dict[str, float]:
    """All fit measures by name, unscaled, ``.scaled`` and ``.robust``."""
    df, nobs, groups = solution.df, solution.total, solution.table.n_groups
    plain = found["standard"]
    robust = next((t for n, t in found.items() if n in ("yuan.bentler.mplus", "satorra.bentler")), None)
    npar = solution.n_free
    out: dict[str, float] = {"npar": npar, "fmin": 0.5 * float(solution.minimum.f[0])}
    out |= {"chisq": plain.stat, "df": df, "pvalue": plain.pvalue}
    if robust is not None:
        out |= {"chisq.scaled": robust.stat, "df.scaled": df, "pvalue.scaled": robust.pvalue,
                "chisq.scaling.factor": robust.scaling_factor}
    out |= {"baseline.chisq": base.stat, "baseline.df": base.df, "baseline.pvalue": chi_square_p(base.stat, base.df)}
    base_scaled = base.stat / base.scaling
    if robust is not None:
        out |= {"baseline.chisq.scaled": base_scaled, "baseline.df.scaled": base.df,
                "baseline.pvalue.scaled": chi_square_p(base_scaled, base.df),
                "baseline.chisq.scaling.factor": base.scaling}
    out |= _incremental(plain.stat, df, base.stat, base.df, "")
    if robust is not None:
        out |= _incremental(robust.stat, df, base_scaled, base.df, ".scaled")
        given = (plain.stat, df, base.stat, base.df, robust.scaling_factor, base.scaling)
        out |= {"cfi.robust": fm.cfi(*given), "tli.robust": fm.tli(*given), "nnfi.robust": fm.tli(*given),
                "rni.robust": fm.rni(*given)}
    out |= _likelihood(solution, base)
    out |= _rmsea(plain.stat, df, nobs, groups, "", plain.stat, df, 1.0)
    out |= {"rmsea.ci.level": 0.9, "rmsea.close.h0": 0.05, "rmsea.notclose.h0": 0.08}
    if robust is not None:
        out |= _rmsea(robust.stat, df, nobs, groups, ".scaled", plain.stat, robust.trace, 1.0)
        out |= _rmsea(plain.stat, df, nobs, groups, ".robust", robust.stat, df, robust.scaling_factor)
    out |= residual_measures(solution)
    out |= _absolute(solution, found, robust)
    if solution.patterns is not None:
        out |= gaps.corrected_indices(solution, df, base.df)
    return out


def _incremental(stat: float, df: int, base: float, base_df: int, suffix: str) -> dict[str, float]:
    tli = fm.tli(stat, df, base, base_df)
    return {
        f"cfi{suffix}": fm.cfi(stat, df, base, base_df), f"tli{suffix}": tli, f"nnfi{suffix}": tli,
        f"rfi{suffix}": fm.rfi(stat, df, base, base_df), f"nfi{suffix}": fm.nfi(stat, base),
        f"pnfi{suffix}": fm.pnfi(stat, df, base, base_df), f"ifi{suffix}": fm.ifi(stat, df, base),
        f"rni{suffix}": fm.rni(stat, df, base, base_df),
    }


def _likelihood(solution: Solution, base: Baseline) -> dict[str, float]:
    logl, free = loglikelihoods(solution)
    total = float(sum(moments.nobs for moments in solution.moments))
    aic, bic, bic2 = fm.information_criteria(logl, solution.n_free, total)
    out = {"logl": logl, "unrestricted.logl": free, "aic": aic, "bic": bic, "ntotal": total, "bic2": bic2}
    if "yuan.bentler.mplus" in solution.options.test:
        inner = solution.basis.T @ solution.observed_information @ solution.basis
        meat = solution.basis.T @ solution.meat @ solution.basis
        out["scaling.factor.h1"] = base.trace_free / (solution.df + solution.n_free)
        # per free row of the table, equal ones counted one by one
        out["scaling.factor.h0"] = float(np.trace(np.linalg.pinv(inner) @ meat)) / solution.table.n_free
    return out


def _rmsea(
    stat: float, df: int, nobs: float, groups: int, suffix: str, reference: float, reference_df: float, scaling: float
) -> dict[str, float]:
    """RMSEA of ``stat``; interval and tests from ``reference`` with ``reference_df`` degrees of freedom.

    For scaled statistics these are the unscaled statistic and ``tr(U Gamma)`` (Satterthwaite's degrees of freedom).
    """
    low, high = fm.rmsea_interval(reference, reference_df, nobs, groups, scaling)
    close = fm.rmsea_below(reference, reference_df, nobs, 0.05, groups, scaling)
    return {
        f"rmsea{suffix}": fm.rmsea(stat, df, nobs, groups, scaling),
        f"rmsea.ci.lower{suffix}": low, f"rmsea.ci.upper{suffix}": high,
        f"rmsea.pvalue{suffix}": 1.0 - close,
        f"rmsea.notclose.pvalue{suffix}": fm.rmsea_below(reference, reference_df, nobs, 0.08, groups, scaling),
    }


def residual_measures(solution: Solution) -> dict[str, float]:
    """RMR, SRMR in its variants and CRMR, groups weighted by their size."""
    means, kept = solution.table.meanstructure, auxiliary.substantive(solution)
    square = np.ix_(kept, kept)
    sums: dict[str, list[float]] = {}
    for group, implied, weight in zip(solution.observed, solution.implied, solution.weights, strict=True):
        cov, sigma, mean, mu = group.cov[0], implied.sigma[0], group.mean[0], implied.mu[0]
        if solution.options.conditional_x:
            parts = _conditional_summaries(solution, cov, sigma, mean, mu)
        else:
            cov, sigma, mean, mu = cov[square], sigma[square], mean[kept], mu[kept]
            parts = fm.residual_summaries(cov, sigma, mean if means else None, mu if means else None)
        for name, (whole, without) in parts.items():
            entry = sums.setdefault(name, [0.0, 0.0])
            entry[0] += weight * float(np.sqrt(whole))
            entry[1] += weight * float(np.sqrt(without))
    return {
        "rmr": sums["rmr"][0], "rmr_nomean": sums["rmr"][1], "srmr": sums["bentler"][0],
        "srmr_bentler": sums["bentler"][0], "srmr_bentler_nomean": sums["bentler"][1],
        "crmr": sums["bollen"][0], "crmr_nomean": sums["bollen"][1],
        "srmr_mplus": sums["mplus"][0], "srmr_mplus_nomean": sums["mplus"][1],
    }


def _conditional_summaries(
    solution: Solution, cov: FloatArray, sigma: FloatArray, mean: FloatArray, mu: FloatArray
) -> dict[str, tuple[float, float]]:
    """Residual summaries of residual covariances, intercepts and slopes given the covariates."""
    names = solution.table.variables.ov
    x = [names.index(name) for name in solution.table.variables.ov_x]
    y = [k for k in range(len(names)) if k not in x]
    omega, slopes, level = conditional(cov, mean, y, x)
    omega_hat, slopes_hat, level_hat = conditional(sigma, mu, y, x)
    return fm.residual_summaries(
        omega, omega_hat, level, level_hat, slopes, slopes_hat, np.sqrt(np.diagonal(cov)[x])
    )


def _absolute(solution: Solution, found: Mapping[str, Test], robust: Test | None) -> dict[str, float]:
    df, nobs = solution.df, solution.total
    p = len(auxiliary.substantive(solution))
    p -= len(solution.table.variables.ov_x) if solution.options.conditional_x else 0
    residual = found["browne.residual.nt.model"].stat if "browne.residual.nt.model" in found else browne(solution)
    if solution.patterns is not None:
        residual = found["standard"].stat
    out = {"gfi": fm.gfi(residual - df, p, nobs)}
    out["gfi.ci.lower"] = fm.gfi(fm.noncentrality(residual, df, 0.05), p, nobs)
    out["gfi.ci.upper"] = fm.gfi(fm.noncentrality(residual, df, 0.95), p, nobs)
    out["gfi.ci.level"] = 0.9
    if robust is not None:
        c = robust.scaling_factor
        out["gfi.robust"] = fm.gfi(residual - c * df, p, nobs)
        out["gfi.ci.lower.robust"] = fm.gfi(c * fm.noncentrality(residual / c, df, 0.05), p, nobs)
        out["gfi.ci.upper.robust"] = fm.gfi(c * fm.noncentrality(residual / c, df, 0.95), p, nobs)
    stat = found["standard"].stat
    out |= {"cn_05": fm.critical_n(stat, df, nobs, 0.05), "cn_01": fm.critical_n(stat, df, nobs, 0.01)}
    top, bottom, moments = _lisrel_sums(solution)
    lisrel = 1.0 - top / bottom
    out |= {
        "gfi_lisrel": lisrel,
        "agfi_lisrel": 1.0 - moments / df * (1.0 - lisrel) if df else 1.0,
        "pgfi": df / moments * lisrel,
        "mfi": fm.mfi(stat, df, nobs),
        "ecvi": fm.ecvi(stat, solution.n_free, nobs),
    }
    return out


def _lisrel_sums(solution: Solution) -> tuple[float, float, int]:
    """Weighted squares of residuals and of moments, and the number of moments."""
    names, means = solution.table.variables.ov, solution.table.meanstructure
    x = [names.index(name) for name in solution.table.variables.ov_x] if n_fixed(solution) else []
    y = [k for k in range(len(names)) if k not in x]
    p, top, bottom = len(names), 0.0, 0.0
    count = p * (p + 1) // 2 + (p if means else 0)
    if solution.patterns is not None:
        return *gaps.lisrel_sums(solution), count * solution.table.n_groups
    for group, implied in zip(solution.observed, solution.implied, strict=True):
        cov, sigma, mean, mu = group.cov[0], implied.sigma[0], group.mean[0], implied.mu[0]
        if solution.options.conditional_x:
            count = len(y) * (len(y) + 1) // 2 + len(y) * (1 + len(x))
            first, second = conditional(cov, mean, y, x), conditional(sigma, mu, y, x)
            a, b = fm.gfi_lisrel_conditional(first, second, cov[np.ix_(x, x)], mean[x])
        else:
            w = inverse(sigma[None])[0][0]
            a, b = fm.gfi_lisrel_sums(cov, w, mean if means else None, mu if means else None, tuple(x))
        top, bottom = top + group.weight * a, bottom + group.weight * b
    return top, bottom, count * solution.table.n_groups
