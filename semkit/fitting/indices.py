"""Fit measures of many draws at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, OptionError, Problem, suggest
from semkit.estimate.evidence import CompleteData, Evidence, GappedData, SquaresData
from semkit.estimate.fiml import saturated_information
from semkit.estimate.implied import imply
from semkit.fitting.solution import Solution
from semkit.numerics.patterns import PatternDraws, saturated_draws

FloatArray = NDArray[np.float64]

MEASURES = ("chisq", "fmin", "rmsea", "cfi", "tli", "nfi", "ifi", "rni", "mfi", "srmr", "crmr", "rmr")
_INCREMENTAL = ("cfi", "tli", "nfi", "ifi", "rni")
_RESIDUAL = ("srmr", "crmr", "rmr")


def check_measures(solution: Solution, names: Sequence[str]) -> tuple[str, ...]:
    """Checked names of fit measures that can be drawn."""
    wanted = (names,) if isinstance(names, str) else tuple(names)
    unknown = [name for name in wanted if name not in MEASURES]
    if unknown:
        raise OptionError(*(Problem("fitting.unknown-statistic", f"statistics: {name!r}", "cannot be drawn",
                                    ", ".join(MEASURES), suggest(name, MEASURES).strip() or "Choose one of them.")
                            for name in unknown))
    if wanted and solution.options.conditional_x:
        raise NotSupportedError(Problem("fitting.bootstrap-kind", "statistics=", "with conditional_x=True",
                                        "fixed_x=True", "Use fixed_x=True."))
    unlike = [name for name in wanted if name in (*_INCREMENTAL, "fmin", "mfi")
              or (name not in _RESIDUAL and solution.options.estimator == "uls")]
    if unlike and solution.least is not None:
        raise NotSupportedError(*(Problem("fitting.bootstrap-kind", f"statistics: {name!r}",
                                          "is not drawn with least squares",
                                          "srmr, crmr, rmr; with gls and wls also chisq, rmsea",
                                          "Use estimator='ml'.") for name in unlike))
    return wanted


def draw_measures(
    solution: Solution, evidence: Evidence, theta: FloatArray, names: Sequence[str]
) -> dict[str, FloatArray]:
    """Fit measures ``(B,)`` of every draw, by the formulas of :mod:`semkit.estimate.fitmeasures` (unscaled)."""
    if not names:
        return {}
    df, nobs, groups = solution.df, solution.total, solution.table.n_groups
    with np.errstate(all="ignore"):
        moments = observed_moments(solution, evidence)
        stat = solution.total * evidence.value(theta)
        if isinstance(evidence, GappedData):
            stat = stat - solution.total * saturated_value(evidence, moments)
        found = {"chisq": stat, "fmin": 0.5 * stat / nobs, "mfi": np.exp(-0.5 * (stat - df) / nobs)}
        found["rmsea"] = (np.sqrt(groups * np.maximum(stat - df, 0.0) / (nobs * df)) if df
                          else np.zeros_like(stat))
        if set(names) & set(_INCREMENTAL):
            found |= _incremental(stat, df, *_baseline(solution, evidence, moments))
        if set(names) & set(_RESIDUAL):
            found |= _residual(solution, evidence, theta, moments)
    return {name: found[name] for name in names}


def observed_moments(solution: Solution, evidence: Evidence) -> tuple[tuple[FloatArray, FloatArray], ...]:
    """Means ``(B, p)`` and covariances ``(B, p, p)`` of each group; with gaps those of the saturated model."""
    if isinstance(evidence, CompleteData | SquaresData):
        return tuple((part.mean, part.cov) for part in evidence.observed)
    assert isinstance(evidence, GappedData) and solution.patterns is not None
    out = []
    for part, full, own in zip(evidence.patterns, solution.patterns, solution.moments, strict=True):
        mean, cov = own.mean[0], own.cov[0]
        out.append(saturated_draws(part, mean, cov, saturated_information(full, mean, cov, exact=True)))
    return tuple(out)


def saturated_value(evidence: GappedData, moments: tuple[tuple[FloatArray, FloatArray], ...]) -> FloatArray:
    """Deviance of the saturated model per respondent, ``(B,)``."""
    total = sum(part.deviance(*own) for part, own in zip(evidence.patterns, moments, strict=True))
    return np.asarray(total / evidence.totals)


def _baseline(
    solution: Solution, evidence: Evidence, moments: tuple[tuple[FloatArray, FloatArray], ...]
) -> tuple[FloatArray, int]:
    """Statistic ``(B,)`` and degrees of freedom of the independence model; covariates are saturated."""
    names = solution.table.variables.ov
    x = [names.index(name) for name in solution.table.variables.ov_x]
    y = [k for k in range(len(names)) if k not in x]
    pairs = len(names) * (len(names) - 1) // 2 - len(x) * (len(x) - 1) // 2
    df = pairs * solution.table.n_groups
    if isinstance(evidence, GappedData):
        return solution.total * _gapped_baseline(solution, evidence, moments, y, x), df
    value: FloatArray = np.zeros(len(evidence.given))
    for (_, s), weight in zip(moments, solution.weights, strict=True):
        part = np.log(np.diagonal(s, axis1=1, axis2=2)[:, y]).sum(axis=1) - np.linalg.slogdet(s)[1]
        if x:
            part = part + np.linalg.slogdet(s[:, x][:, :, x])[1]
        value = value + weight * part
    return solution.total * value, df


def _gapped_baseline(
    solution: Solution, evidence: GappedData, moments: tuple[tuple[FloatArray, FloatArray], ...], y: list[int],
    x: list[int],
) -> FloatArray:
    total: FloatArray = -saturated_value(evidence, moments) * evidence.totals
    for g, part in enumerate(evidence.patterns):
        seen = part.count @ part.mask
        for k in y:
            w = part.count * part.mask[:, k]
            mean = np.sum(w * part.mean[:, :, k], axis=1) / seen[:, k]
            second = np.sum(w * (part.cov[:, :, k, k] + part.mean[:, :, k] ** 2), axis=1) / seen[:, k]
            total = total + seen[:, k] * (np.log(second - mean**2) + 1.0)
        if x:
            total = total + _covariates(solution, g, part.columns(x), x)
    return total / evidence.totals


def _covariates(solution: Solution, g: int, part: PatternDraws, x: list[int]) -> FloatArray:
    """Deviance of the saturated model of the covariates alone, ``(B,)``."""
    from semkit.numerics.em import make_patterns, saturated

    assert solution.sample is not None
    full = make_patterns(solution.data[g][:, x], solution.sample.weights_of(g))
    mean, cov, _ = saturated(full)
    own = saturated_draws(part, mean, cov, saturated_information(full, mean, cov, exact=True))
    return part.deviance(*own)


def _incremental(stat: FloatArray, df: int, base: FloatArray, base_df: int) -> dict[str, FloatArray]:
    top, bottom = stat - df, base - base_df
    most = np.maximum(np.maximum(top, bottom), 0.0)
    one = np.ones_like(stat)
    return {
        "cfi": np.where(most > 0.0, 1.0 - np.maximum(top, 0.0) / most, one),
        "tli": 1.0 - top * base_df / (bottom * df) if df else one,
        "nfi": (base - stat) / base, "ifi": (base - stat) / (base - df), "rni": 1.0 - top / bottom,
    }


def _residual(
    solution: Solution, evidence: Evidence, theta: FloatArray, moments: tuple[tuple[FloatArray, FloatArray], ...]
) -> dict[str, FloatArray]:
    """RMR, SRMR (Bentler) and CRMR (Bollen), groups weighted by their size."""
    out = {name: np.zeros(len(theta)) for name in _RESIDUAL}
    p = len(solution.table.variables.ov)
    lower, below = np.tril_indices(p), np.tril_indices(p, -1)
    for block, (mean, cov), weight in zip(solution.layout.blocks, moments, solution.weights, strict=True):
        implied = imply(block, theta, evidence.given)
        s = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
        i = np.sqrt(np.abs(np.diagonal(implied.sigma, axis1=1, axis2=2)))
        raw = cov - implied.sigma
        bentler = raw / (s[:, :, None] * s[:, None, :])
        bollen = cov / (s[:, :, None] * s[:, None, :]) - implied.sigma / (i[:, :, None] * i[:, None, :])
        sums = {"rmr": (raw[:, *lower], len(lower[0])), "srmr": (bentler[:, *lower], len(lower[0])),
                "crmr": (bollen[:, *below], len(below[0]))}
        gap = mean - implied.mu if block.means else np.zeros((len(theta), 0))
        for name, (values, count) in sums.items():
            level = gap if name == "rmr" or not block.means else gap / s
            square = np.sum(values**2, axis=1) + np.sum(level**2, axis=1)
            out[name] += weight * np.sqrt(square / max(count + level.shape[1], 1))
    return out


