"""Tests and fit measures of a solution under lavaan's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semkit.estimate import fitmeasures as fm
from semkit.estimate.discrepancy import expected_information, inverse
from semkit.estimate.scaling import CORRECTIONS
from semkit.estimate.tests import (
    Test,
    chi_square_p,
    residual_nt,
    scaled,
    standard,
)
from semkit.fitting import auxiliary, gaps, quadratic, twostage
from semkit.fitting.baseline import Baseline, n_fixed
from semkit.fitting.estimators import RESIDUAL
from semkit.fitting.regressed import conditional
from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]

_NT_MODEL = "browne.residual.nt.model"
_LABELS = {
    "yuan.bentler.mplus": "Yuan-Bentler correction (Mplus variant)",
    "browne.residual.nt": "Browne's residual-based (NT) test",
    _NT_MODEL: "Browne's residual (NT model-based) test",
    "browne.residual.adf": "Browne's residual-based (ADF) test",
    "browne.residual.adf.model": "Browne's residual (ADF model-based) test",
}


def tests(solution: Solution, base: Baseline) -> dict[str, Test]:
    """Every test asked for; plain maximum likelihood also gets Browne's residual statistic.

    Unweighted least squares have no known distribution: their statistic has no p.
    """
    stat, df = solution.stat, solution.df
    out = {"standard": standard(stat, df)}
    if solution.options.estimator == "uls":
        out["standard"] = replace(out["standard"], pvalue=float("nan"))
    for name in solution.options.test:
        if name == "yuan.bentler.mplus":
            out[name] = scaled(stat, df, base.trace_free - _trace_h0(solution), name, _LABELS[name])
        elif name == "satorra.bentler" and solution.gamma is not None:
            out[name] = scaled(stat, df, twostage.trace(solution), name, "Satorra-Bentler correction (two stages)")
        elif name in CORRECTIONS:
            out[name] = CORRECTIONS[name](stat, df, solution.pieces)
        elif name in _LABELS:
            value = browne(solution) if name == _NT_MODEL else quadratic.residual_stat(solution, name)
            out[name] = Test(name, value, df, chi_square_p(value, df), label=_LABELS[name])
    if not solution.options.robust and not set(RESIDUAL) & set(out) and solution.least is None:
        value = browne(solution)
        out[_NT_MODEL] = Test(_NT_MODEL, value, df, chi_square_p(value, df), label=_LABELS[_NT_MODEL])
    return out


def _trace_h0(solution: Solution) -> float:
    """``tr(A^-1 B)`` of the model with the information asked for and the covariance matrix of the scores."""
    inner = solution.basis.T @ _test_information(solution) @ solution.basis
    return float(np.trace(np.linalg.pinv(inner) @ (solution.basis.T @ solution.meat @ solution.basis)))


def _test_information(solution: Solution) -> FloatArray:
    return solution.expected_with_gaps if solution.options.information == "expected" else solution.observed_information


def browne(solution: Solution) -> float:
    """Browne's residual statistic with weights at the implied moments.

    A binding inequality takes no direction away, since the degrees of freedom do not count it either.
    """
    if solution.patterns is not None:
        return gaps.residual_stat(solution)
    plain = tuple((group.cov[0], group.mean[0]) for group in solution.observed)
    information = solution.expected
    if solution.least is not None:
        information = expected_information(solution.layout, solution.implied, solution.weights)[0]
    return solution.total * residual_nt(
        solution.layout, solution.implied, plain, solution.weights, information, solution.equality_basis,
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
        free -= 0.5 * n * (len(names) * np.log(2 * np.pi) + float(data.logdet[0]))
        if x:
            free += 0.5 * n * (len(x) * (np.log(2 * np.pi) + 1.0) + float(np.linalg.slogdet(s[np.ix_(x, x)])[1]))
    nobs = sum(moments.nobs for moments in solution.moments)
    return free - 0.5 * nobs * float(solution.minimum.f[0]), free


def fit_measures(solution: Solution, found: Mapping[str, Test], base: Baseline) -> dict[str, float]:
    """All fit measures by name, unscaled, ``.scaled`` and ``.robust``."""
    df, nobs, groups = solution.df, solution.total, solution.table.n_groups
    robust = found.get(solution.options.scaled)
    plain = found["standard"]
    if solution.options.estimator == "uls" and robust is None and "browne.residual.nt" in found:
        plain = found["browne.residual.nt"]
    npar, ntotal = solution.n_free, float(sum(moments.nobs for moments in solution.moments))
    fmin = 0.5 * float(solution.minimum.f[0]) * (nobs / ntotal if solution.least is not None else 1.0)
    out: dict[str, float] = {"npar": npar, "fmin": fmin, "chisq": plain.stat, "df": df, "pvalue": plain.pvalue}
    if robust is not None:
        out |= {"chisq.scaled": robust.stat, "df.scaled": robust.df, "pvalue.scaled": robust.pvalue,
                "chisq.scaling.factor": robust.scaling_factor}
    out |= {"baseline.chisq": base.stat, "baseline.df": base.df, "baseline.pvalue": chi_square_p(base.stat, base.df)}
    out |= _incremental(plain.stat, df, base.stat, base.df, "")
    if robust is not None and base.corrected is not None:
        out |= _scaled_incremental(plain, robust, base, base.corrected)
    out |= _likelihood(solution, base)
    out |= _rmsea(plain.stat, df, nobs, groups, "", plain.stat, df, 1.0)
    out |= {"rmsea.ci.level": 0.9, "rmsea.close.h0": 0.05, "rmsea.notclose.h0": 0.08}
    if robust is not None:
        out |= _scaled_rmsea(plain, robust, nobs, groups)
    out |= residual_measures(solution)
    out |= _absolute(solution, found, robust, plain.stat)
    if solution.patterns is not None:
        out |= gaps.corrected_indices(solution, df, base.df)
    return out


def _scaled_incremental(plain: Test, robust: Test, base: Baseline, corrected: Test) -> dict[str, float]:
    """Incremental indices of the corrected statistics (``.scaled``) and of the population (``.robust``).

    The latter need the mean of the statistic, ``c = tr(U Gamma) / df``, whichever way the test corrects it; with
    ``mean.var.adjusted`` the degrees of freedom are those of the sample and there are none.
    """
    df = plain.df
    out = {"baseline.chisq.scaled": corrected.stat, "baseline.df.scaled": corrected.df,
           "baseline.pvalue.scaled": corrected.pvalue, "baseline.chisq.scaling.factor": corrected.scaling_factor}
    out |= _incremental(robust.stat, robust.df, corrected.stat, corrected.df, ".scaled")
    if robust.test != "mean.var.adjusted":
        c = robust.trace / df if df else float("nan")
        given = (plain.stat, df, base.stat, base.df, c, corrected.trace / base.df if base.df else float("nan"))
        tli = fm.tli(*given)
        out |= {"cfi.robust": fm.cfi(*given), "tli.robust": tli, "nnfi.robust": tli, "rni.robust": fm.rni(*given)}
    return out


def _scaled_rmsea(plain: Test, robust: Test, nobs: float, groups: int) -> dict[str, float]:
    """RMSEA of the corrected statistic and, unless it changes the degrees of freedom, of the population."""
    df = plain.df
    if robust.test == "scaled.shifted":
        out = _rmsea(robust.stat, df, nobs, groups, ".scaled", robust.stat, df, 1.0)
    else:
        out = _rmsea(robust.stat, robust.df, nobs, groups, ".scaled", plain.stat, robust.trace, 1.0)
    if robust.test == "mean.var.adjusted":
        return out
    population = fm.rmsea(plain.stat, df, nobs, groups, robust.trace / df if df else 1.0)
    out |= _rmsea(plain.stat, df, nobs, groups, ".robust", robust.stat, df, robust.scaling_factor)
    return out | {"rmsea.robust": population}


def _incremental(stat: float, df: float, base: float, base_df: float, suffix: str) -> dict[str, float]:
    tli = fm.tli(stat, df, base, base_df)
    return {
        f"cfi{suffix}": fm.cfi(stat, df, base, base_df), f"tli{suffix}": tli, f"nnfi{suffix}": tli,
        f"rfi{suffix}": fm.rfi(stat, df, base, base_df), f"nfi{suffix}": fm.nfi(stat, base),
        f"pnfi{suffix}": fm.pnfi(stat, df, base, base_df), f"ifi{suffix}": fm.ifi(stat, df, base),
        f"rni{suffix}": fm.rni(stat, df, base, base_df),
    }


def _likelihood(solution: Solution, base: Baseline) -> dict[str, float]:
    if solution.least is not None:
        return {}
    logl, free = loglikelihoods(solution)
    total = float(sum(moments.nobs for moments in solution.moments))
    aic, bic, bic2 = fm.information_criteria(logl, solution.n_free, total)
    out = {"logl": logl, "unrestricted.logl": free, "aic": aic, "bic": bic, "ntotal": total, "bic2": bic2}
    if solution.options.scaled == "yuan.bentler.mplus":
        out["scaling.factor.h1"] = base.trace_free / (solution.df + solution.n_free)
        # per free row of the table, equal ones counted one by one
        out["scaling.factor.h0"] = _trace_h0(solution) / len(solution.table.reported)
    return out


def _rmsea(
    stat: float, df: float, nobs: float, groups: int, suffix: str, reference: float, reference_df: float, scaling: float
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


def _absolute(solution: Solution, found: Mapping[str, Test], robust: Test | None, stat: float) -> dict[str, float]:
    df, nobs = solution.df, solution.total
    p = len(auxiliary.substantive(solution))
    p -= len(solution.table.variables.ov_x) if solution.options.conditional_x else 0
    residual = found[_NT_MODEL].stat if _NT_MODEL in found else browne(solution)
    if solution.patterns is not None:
        residual = found["standard"].stat
    out = {"gfi": fm.gfi(residual - df, p, nobs)}
    out["gfi.ci.lower"] = fm.gfi(fm.noncentrality(residual, df, 0.05), p, nobs)
    out["gfi.ci.upper"] = fm.gfi(fm.noncentrality(residual, df, 0.95), p, nobs)
    out["gfi.ci.level"] = 0.9
    if robust is not None and robust.test != "mean.var.adjusted":
        c = robust.scaling_factor
        out["gfi.robust"] = fm.gfi(residual - (robust.trace / df if df else 1.0) * df, p, nobs)
        out["gfi.ci.lower.robust"] = fm.gfi(c * fm.noncentrality(residual / c + robust.shift, df, 0.05), p, nobs)
        out["gfi.ci.upper.robust"] = fm.gfi(c * fm.noncentrality(residual / c + robust.shift, df, 0.95), p, nobs)
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
    if solution.least is not None:
        errors = solution.least.residuals(solution.theta)
        for own, error in zip(solution.least.groups, errors, strict=True):
            both = np.stack([error, own.moments[0]], axis=1)
            size = own.share * np.sum(both * own.weight.times(both[None])[0], axis=0)
            top, bottom = top + float(size[0]), bottom + float(size[1])
        return top, bottom, count * solution.table.n_groups
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
