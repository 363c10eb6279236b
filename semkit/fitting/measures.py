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
    independence_trace,
    residual_nt,
    satorra_bentler_trace,
    saturated_trace,
    scaled,
    standard,
)
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
    means, fixed = solution.table.meanstructure, n_fixed(solution)
    data = _raw(solution)
    # groups have parameters of their own: traces add up
    return float(sum(saturated_trace(part, fixed, means) for part in data))


def baseline(solution: Solution) -> Baseline:
    """Fit of the independence model; moments among fixed covariates stay as they are.

    ``log|Diag(Syy)| + log|Sxx| - log|S|``.
    """
    names, fixed = solution.table.variables.ov, n_fixed(solution)
    x = [names.index(name) for name in solution.table.variables.ov_x] if fixed else []
    y = [k for k in range(len(names)) if k not in x]
    stat = 0.0
    for group in solution.observed:
        s = group.cov[0]
        value = float(np.log(np.diagonal(s)[y]).sum()) - float(np.linalg.slogdet(s)[1])
        if x:
            value += float(np.linalg.slogdet(s[np.ix_(x, x)])[1])
        stat += group.weight * value
    p = len(names)
    df = (p * (p - 1) // 2 - fixed * (fixed - 1) // 2) * solution.table.n_groups
    scaling, free = float("nan"), float("nan")
    if solution.options.robust and solution.sample is not None:
        free = _trace_h1(solution)
        bound = sum(independence_trace(part[:, y], solution.table.meanstructure) for part in solution.data)
        scaling = (free - bound) / df if df else float("nan")
    return Baseline(solution.total * stat, df, scaling, free)


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
    """Browne's residual statistic with weights at the implied moments."""
    plain = tuple((group.cov[0], group.mean[0]) for group in solution.observed)
    return solution.total * residual_nt(
        solution.layout, solution.theta, solution.given[0], plain, solution.weights, solution.expected, solution.basis
    )


def loglikelihoods(solution: Solution) -> tuple[float, float]:
    """Log-likelihood of the model and of the saturated model, conditional on fixed covariates.

    ``-N/2 (p log 2 pi + log|Sigma| + tr(T Sigma^-1))`` less the same of the covariates alone.
    """
    names, fixed = solution.table.variables.ov, n_fixed(solution)
    x = [names.index(name) for name in solution.table.variables.ov_x] if fixed else []
    free = 0.0
    for moments in solution.moments:
        s, n = moments.cov[0], moments.nobs
        free -= 0.5 * n * (len(names) * (np.log(2 * np.pi) + 1.0) + float(np.linalg.slogdet(s)[1]))
        if x:
            free += 0.5 * n * (len(x) * (np.log(2 * np.pi) + 1.0) + float(np.linalg.slogdet(s[np.ix_(x, x)])[1]))
    if solution.options.likelihood == "wishart":
        return _wishart_loglikelihood(solution), free
    nobs = sum(moments.nobs for moments in solution.moments)
    return free - 0.5 * nobs * float(solution.minimum.f[0]), free


def _wishart_loglikelihood(solution: Solution) -> float:
    """The normal log-likelihood at the Wishart estimates."""
    total = 0.0
    for moments, implied in zip(solution.moments, solution.implied, strict=True):
        w, logdet = inverse(implied.sigma)
        p = w.shape[-1]
        total -= 0.5 * moments.nobs * (
            p * np.log(2 * np.pi) + float(logdet[0]) + float(np.sum(w[0] * moments.cov[0]))
        )
    return total


def fit_measures(solution: Solution, found: Mapping[str, Test], base: Baseline) -> dict[str, float]:
    """All fit measures by name, unscaled, ``.scaled`` and ``.robust``."""
    df, nobs, groups = solution.df, solution.total, solution.table.n_groups
    plain = found["standard"]
    robust = next((t for n, t in found.items() if n in ("yuan.bentler.mplus", "satorra.bentler")), None)
    npar = solution.table.n_free
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
    out |= _likelihood(solution, base, npar)
    out |= _rmsea(plain.stat, df, nobs, groups, "", plain.stat, 1.0)
    out |= {"rmsea.ci.level": 0.9, "rmsea.close.h0": 0.05, "rmsea.notclose.h0": 0.08}
    if robust is not None:
        out |= _rmsea(robust.stat, df, nobs, groups, ".scaled", robust.stat, 1.0)
        out |= _rmsea(plain.stat, df, nobs, groups, ".robust", robust.stat, robust.scaling_factor)
    out |= residual_measures(solution)
    out |= _absolute(solution, found, robust)
    return out


def _incremental(stat: float, df: int, base: float, base_df: int, suffix: str) -> dict[str, float]:
    tli = fm.tli(stat, df, base, base_df)
    return {
        f"cfi{suffix}": fm.cfi(stat, df, base, base_df), f"tli{suffix}": tli, f"nnfi{suffix}": tli,
        f"rfi{suffix}": fm.rfi(stat, df, base, base_df), f"nfi{suffix}": fm.nfi(stat, base),
        f"pnfi{suffix}": fm.pnfi(stat, df, base, base_df), f"ifi{suffix}": fm.ifi(stat, df, base),
        f"rni{suffix}": fm.rni(stat, df, base, base_df),
    }


def _likelihood(solution: Solution, base: Baseline, npar: int) -> dict[str, float]:
    logl, free = loglikelihoods(solution)
    total = float(sum(moments.nobs for moments in solution.moments))
    aic, bic, bic2 = fm.information_criteria(logl, solution.n_free, total)
    out = {"logl": logl, "unrestricted.logl": free, "aic": aic, "bic": bic, "ntotal": total, "bic2": bic2}
    if "yuan.bentler.mplus" in solution.options.test:
        inner = solution.basis.T @ solution.observed_information @ solution.basis
        meat = solution.basis.T @ solution.meat @ solution.basis
        out["scaling.factor.h1"] = base.trace_free / (solution.df + solution.n_free)
        out["scaling.factor.h0"] = float(np.trace(np.linalg.pinv(inner) @ meat)) / solution.n_free
    return out


def _rmsea(
    stat: float, df: int, nobs: float, groups: int, suffix: str, reference: float, scaling: float
) -> dict[str, float]:
    low, high = fm.rmsea_interval(reference, df, nobs, groups, scaling)
    close = fm.rmsea_below(reference, df, nobs, 0.05, groups, scaling)
    return {
        f"rmsea{suffix}": fm.rmsea(stat, df, nobs, groups, scaling),
        f"rmsea.ci.lower{suffix}": low, f"rmsea.ci.upper{suffix}": high,
        f"rmsea.pvalue{suffix}": 1.0 - close,
        f"rmsea.notclose.pvalue{suffix}": fm.rmsea_below(reference, df, nobs, 0.08, groups, scaling),
    }


def residual_measures(solution: Solution) -> dict[str, float]:
    """RMR, SRMR in its variants and CRMR, groups weighted by their size."""
    means = solution.table.meanstructure
    sums: dict[str, list[float]] = {}
    for group, implied, weight in zip(solution.observed, solution.implied, solution.weights, strict=True):
        parts = fm.residual_summaries(
            group.cov[0], implied.sigma[0], group.mean[0] if means else None, implied.mu[0] if means else None
        )
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


def _absolute(solution: Solution, found: Mapping[str, Test], robust: Test | None) -> dict[str, float]:
    df, nobs, p = solution.df, solution.total, len(solution.table.variables.ov)
    residual = found["browne.residual.nt.model"].stat if "browne.residual.nt.model" in found else browne(solution)
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
    top = bottom = 0.0
    means = solution.table.meanstructure
    for group, implied in zip(solution.observed, solution.implied, strict=True):
        w = inverse(implied.sigma)[0][0]
        a, b = fm.gfi_lisrel_sums(group.cov[0], w, group.mean[0] if means else None, implied.mu[0] if means else None)
        top, bottom = top + group.weight * a, bottom + group.weight * b
    lisrel = 1.0 - top / bottom
    moments = (p * (p + 1) // 2 + (p if means else 0)) * solution.table.n_groups
    out |= {
        "gfi_lisrel": lisrel,
        "agfi_lisrel": 1.0 - moments / df * (1.0 - lisrel) if df else 1.0,
        "pgfi": df / moments * lisrel,
        "mfi": fm.mfi(stat, df, nobs),
        "ecvi": fm.ecvi(stat, solution.n_free, nobs),
    }
    return out
