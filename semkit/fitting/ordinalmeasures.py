"""Tests and fit measures of models with ordinal indicators, under lavaan's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semkit.estimate import fitmeasures as fm
from semkit.estimate.scaling import CORRECTIONS, Pieces
from semkit.estimate.tests import Test, standard
from semkit.fitting.ordinal import OrdinalSolution

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CORRECTED = ("satorra.bentler", "scaled.shifted", "mean.var.adjusted")
_LEVEL = 0.9


def ordinal_tests(solution: OrdinalSolution) -> dict[str, Test]:
    """``N F`` and the corrections asked for; only under full weights has the first a known distribution."""
    plain = standard(solution.stat, solution.df)
    if solution.options.estimator != "wls":
        plain = replace(plain, pvalue=float("nan"))
    out = {"standard": plain}
    for name in solution.options.test:
        if name in CORRECTED:
            out[name] = CORRECTIONS[name](solution.stat, solution.df, solution.pieces)
    return out


def _places(solution: OrdinalSolution) -> list[IntArray]:
    """Where the covariances stand among the moments of each group."""
    p = len(solution.outcomes)
    return [np.arange(len(group.vector) - p * (p - 1) // 2, len(group.vector)) for group in solution.statistics]


def baseline(solution: OrdinalSolution) -> tuple[float, int, Pieces]:
    """Independence model: thresholds, levels, slopes and variances free, covariances 0; its minimum is closed.

    Returns statistic, degrees of freedom and the pieces of its corrections.
    """
    slopes, residuals = [], []
    widths = [len(group.vector) - len(at) for group, at in zip(solution.statistics, _places(solution), strict=True)]
    starts = np.cumsum([0, *widths])
    for g, group in enumerate(solution.statistics):
        slope = np.zeros((len(group.vector), int(starts[-1])))
        slope[: widths[g], starts[g] : starts[g + 1]] = np.eye(widths[g])
        slopes.append(slope)
        residuals.append(np.where(np.arange(len(group.vector)) >= widths[g], group.vector, 0.0))
    own = solution.pieces
    pieces = replace(own, slopes=tuple(slopes), basis=np.eye(int(starts[-1])), make_roots=lambda: own.roots)
    df = sum(len(at) for at in _places(solution))
    return solution.total * pieces.residual_form(tuple(residuals)), df, pieces


@dataclass(frozen=True, slots=True)
class _Population:
    """Likelihood ratio of correlations at the estimates, and its mean over ``df`` when the model holds."""

    stat: float
    factor: float


def _normal_weight(sigma: FloatArray) -> FloatArray:
    """Normal-theory weights of the correlations below the diagonal, ``(k, k)``: ``tr(W E_k W E_l) / 2`` for pairs."""
    cols, rows = np.triu_indices(len(sigma), 1)
    w = np.linalg.inv(sigma)
    return np.asarray(w[np.ix_(rows, rows)] * w[np.ix_(cols, cols)] + w[np.ix_(rows, cols)] * w[np.ix_(cols, rows)])


def _population(
    solution: OrdinalSolution, sigmas: list[FloatArray], pieces: Pieces, df: int
) -> _Population:
    """Categorical likelihood ratio ``N [log|P| - log|R| + tr(R P^-1) - p]`` at the estimates, and its mean.

    With residuals ``(I - Delta E Delta'W)(s - sigma)`` the mean is ``tr(V Gamma_e)`` with normal-theory weights ``V``
    of the correlations at the model and the covariance matrix ``Gamma_e`` of their residuals; NaN where ``R`` is not
    positive definite.

    References
    ----------
    Savalei (2021), Multivariate Behavioral Research 56, 390-407.
    """
    stat, mean = 0.0, 0.0
    counts = tuple(group.nobs for group in solution.statistics)
    moves = [pieces.bread @ (c * wd).T for c, wd in zip(pieces.shares, pieces.weighted, strict=True)]
    for g, (group, sigma, at) in enumerate(zip(solution.statistics, sigmas, _places(solution), strict=True)):
        sign, logdet = np.linalg.slogdet(group.cov)
        sign_model, logdet_model = np.linalg.slogdet(sigma)
        if sign <= 0 or sign_model <= 0:
            return _Population(float("nan"), float("nan"))
        stat += group.nobs * float(logdet_model - logdet + np.sum(np.linalg.inv(sigma) * group.cov) - len(sigma))
        weight = _normal_weight(sigma)
        # residuals of group g move with the moments of group h, whose covariance matrix is Gamma_h / n_h
        projected = tuple(-pieces.slopes[g][at] @ move for move in moves)
        projected[g][np.arange(len(at)), at] += 1.0
        mean += group.nobs * sum(float(np.sum((weight @ part) * part)) for part in pieces.spreads(projected, counts))
    return _Population(stat, mean / df if df else float("nan"))


def _scaled_sigmas(solution: OrdinalSolution) -> list[FloatArray]:
    """Covariances of responses given covariates in the units of the observed ones, ``(p, p)`` a group."""
    out = []
    values = [value[0] for value, _ in solution.responses.moments(solution.parameters[None], False)]
    for value, group, at in zip(values, solution.statistics, _places(solution), strict=True):
        p = len(group.cov)
        numeric = np.flatnonzero(np.array(group.categories) == 0)
        sigma = np.eye(p)
        end = len(value) - len(at)
        sigma[numeric, numeric] = value[end - len(numeric) : end]
        cols, rows = np.triu_indices(p, 1)
        sigma[rows, cols] = sigma[cols, rows] = value[at]
        out.append(sigma)
    return out


def ordinal_measures(solution: OrdinalSolution, found: Mapping[str, Test]) -> dict[str, float]:
    """All fit measures by name: unscaled, ``.scaled`` and ``.robust`` (Savalei 2021); NaN with too few moments."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _measures(solution, found)


def _measures(solution: OrdinalSolution, found: Mapping[str, Test]) -> dict[str, float]:
    df, nobs, groups = solution.df, solution.total, solution.table.n_groups
    plain = found["standard"]
    name = next((one for one in solution.options.test if one in CORRECTED), "")
    robust = found.get(name)
    base_stat, base_df, base_pieces = baseline(solution)
    ntotal = float(sum(group.nobs for group in solution.statistics))
    base_p = standard(base_stat, base_df).pvalue if solution.options.estimator == "wls" else float("nan")
    out: dict[str, float] = {
        "npar": solution.n_free, "fmin": 0.5 * solution.stat / ntotal, "chisq": plain.stat, "df": df,
        "pvalue": plain.pvalue, "baseline.chisq": base_stat, "baseline.df": base_df, "baseline.pvalue": base_p,
    }
    out |= _incremental(plain.stat, df, base_stat, base_df, "")
    out |= _rmsea("", plain.stat, df, nobs, groups, (plain.stat, df, 1.0))
    out |= {"rmsea.ci.level": _LEVEL, "rmsea.close.h0": 0.05, "rmsea.notclose.h0": 0.08}
    population = base = None
    if robust is not None:
        corrected = CORRECTIONS[name](base_stat, base_df, base_pieces)
        out |= {"chisq.scaled": robust.stat, "df.scaled": robust.df, "pvalue.scaled": robust.pvalue,
                "chisq.scaling.factor": robust.scaling_factor, "baseline.chisq.scaled": corrected.stat,
                "baseline.df.scaled": corrected.df, "baseline.pvalue.scaled": corrected.pvalue,
                "baseline.chisq.scaling.factor": corrected.scaling_factor}
        out |= _incremental(robust.stat, robust.df, corrected.stat, corrected.df, ".scaled")
        shifted = name == "scaled.shifted"
        reference = (robust.stat, robust.df, 1.0) if shifted else (plain.stat, robust.trace, 1.0)
        out |= _rmsea(".scaled", robust.stat, robust.df, nobs, groups, reference)
        if name != "mean.var.adjusted":
            population = _population(solution, _scaled_sigmas(solution), solution.pieces, df)
            apart = [np.diag(np.diagonal(group.cov)) for group in solution.statistics]
            base = _population(solution, apart, base_pieces, base_df)
            out |= _robust(population, df, base, base_df, ntotal, groups)
    return out | _residual_measures(solution) | _absolute(solution, plain, population)


def _robust(
    own: _Population, df: int, base: _Population, base_df: int, nobs: float, groups: int
) -> dict[str, float]:
    """Indices of the population: CFI, TLI, RNI, RMSEA."""
    given = (own.stat, df, base.stat, base_df, own.factor, base.factor)
    if not np.all(np.isfinite(given)) or own.factor <= 0.0:  # nothing varies: there is nothing to be robust about
        names = ("cfi.robust", "tli.robust", "nnfi.robust", "rni.robust", "rmsea.robust", "rmsea.ci.lower.robust",
                 "rmsea.ci.upper.robust", "rmsea.pvalue.robust", "rmsea.notclose.pvalue.robust")
        return dict.fromkeys(names, float("nan"))
    tli = fm.tli(*given)
    out = {"cfi.robust": fm.cfi(*given), "tli.robust": tli, "nnfi.robust": tli, "rni.robust": fm.rni(*given)}
    reference = (own.stat / own.factor, df, own.factor)
    out |= _rmsea(".robust", own.stat, df, nobs, groups, reference)
    return out | {"rmsea.robust": fm.rmsea(own.stat, df, nobs, groups, own.factor)}


def _incremental(stat: float, df: float, base: float, base_df: float, suffix: str) -> dict[str, float]:
    tli = fm.tli(stat, df, base, base_df)
    return {
        f"cfi{suffix}": fm.cfi(stat, df, base, base_df), f"tli{suffix}": tli, f"nnfi{suffix}": tli,
        f"rfi{suffix}": fm.rfi(stat, df, base, base_df), f"nfi{suffix}": fm.nfi(stat, base),
        f"pnfi{suffix}": fm.pnfi(stat, df, base, base_df), f"ifi{suffix}": fm.ifi(stat, df, base),
        f"rni{suffix}": fm.rni(stat, df, base, base_df),
    }


def _rmsea(
    suffix: str, stat: float, df: float, nobs: float, groups: int, reference: tuple[float, float, float]
) -> dict[str, float]:
    """RMSEA of ``stat``; interval and tests from a reference statistic, its degrees of freedom and its scaling."""
    value, freedom, scaling = reference
    low, high = fm.rmsea_interval(value, freedom, nobs, groups, scaling)
    close = fm.rmsea_below(value, freedom, nobs, 0.05, groups, scaling)
    return {
        f"rmsea{suffix}": fm.rmsea(stat, df, nobs, groups),
        f"rmsea.ci.lower{suffix}": low, f"rmsea.ci.upper{suffix}": high, f"rmsea.pvalue{suffix}": 1.0 - close,
        f"rmsea.notclose.pvalue{suffix}": fm.rmsea_below(value, freedom, nobs, 0.08, groups, scaling),
    }


def _residual_measures(solution: OrdinalSolution) -> dict[str, float]:
    """RMR, SRMR and CRMR; ``srmr`` is that of the correlations, without thresholds and levels.

    A response has no variance of its own, so that residuals of ordinal variables are those of correlations.
    """
    sums = dict.fromkeys(("rmr", "rmr_nomean", "bentler", "bentler_nomean", "bollen", "bollen_nomean"), 0.0)
    residuals = solution.problem.residuals(solution.parameters)
    for g, (error, group, share) in enumerate(zip(residuals, solution.statistics, solution.weights, strict=True)):
        p = len(group.cov)
        sd, model = np.sqrt(group.variance), np.sqrt(np.diagonal(_scaled_sigmas(solution)[g]))
        cols, rows = np.triu_indices(p, 1)
        below = error[len(error) - len(rows) :]
        sigma = group.cov[rows, cols] - below
        continuous = np.array(group.categories) == 0
        wide = np.repeat(np.arange(p), [len(level) for level in group.levels])
        n_levels = len(wide)
        level = error[:n_levels] / np.where(continuous, sd, 1.0)[wide]
        raw_level = error[:n_levels]
        slope = error[n_levels : n_levels + group.slopes.size]
        unit = np.tile(np.where(continuous, sd, 1.0), group.slopes.shape[1]) if slope.size else np.ones(0)
        spread = np.repeat(_covariate_sd(solution, g), p) if slope.size else np.ones(0)
        variances = error[n_levels + slope.size : len(error) - len(rows)]
        bentler = below / (sd[rows] * sd[cols])
        bollen = group.cov[rows, cols] / (sd[rows] * sd[cols]) - sigma / (model[rows] * model[cols])
        own = variances / group.variance[continuous]
        for key, inner, outer, diagonal in (
            ("rmr", np.concatenate([below, variances]), np.concatenate([raw_level, slope]), True),
            ("bentler", np.concatenate([bentler, own]), np.concatenate([level, slope / unit * spread]), True),
            ("bollen", bollen, np.concatenate([level, slope / unit * spread]), False),
        ):
            count = p * (p + 1) // 2 if diagonal else p * (p - 1) // 2
            square, more = float(np.sum(inner**2)), float(np.sum(outer**2))
            sums[key] += share * float(np.sqrt((square + more) / (count + len(outer))))
            sums[f"{key}_nomean"] += share * float(np.sqrt(square / count)) if count else 0.0
    nan = float("nan")
    return {
        "rmr": sums["rmr"], "rmr_nomean": sums["rmr_nomean"], "srmr": sums["bentler_nomean"],
        "srmr_bentler": sums["bentler"], "srmr_bentler_nomean": sums["bentler_nomean"], "crmr": sums["bollen"],
        "crmr_nomean": sums["bollen_nomean"], "srmr_mplus": nan, "srmr_mplus_nomean": nan,
    }


def _covariate_sd(solution: OrdinalSolution, g: int) -> FloatArray:
    names = solution.table.variables.ov
    at = [names.index(name) for name in solution.table.variables.ov_x]
    return np.asarray(np.sqrt(np.diagonal(solution.observed[g].cov[0])[at]))


def _absolute(solution: OrdinalSolution, plain: Test, population: _Population | None) -> dict[str, float]:
    df, nobs, p = solution.df, solution.total, len(solution.outcomes)
    stat = plain.stat
    out = {"gfi": fm.gfi(stat - df, p, nobs), "gfi.ci.lower": fm.gfi(fm.noncentrality(stat, df, 0.05), p, nobs),
           "gfi.ci.upper": fm.gfi(fm.noncentrality(stat, df, 0.95), p, nobs), "gfi.ci.level": _LEVEL}
    if population is not None and np.isfinite(population.stat) and population.factor > 0.0:
        c, robust = population.factor, population.stat
        whole = float(sum(group.nobs for group in solution.statistics))
        out["gfi.robust"] = fm.gfi(robust - c * df, p, whole)
        out["gfi.ci.lower.robust"] = fm.gfi(c * fm.noncentrality(robust / c, df, 0.05), p, whole)
        out["gfi.ci.upper.robust"] = fm.gfi(c * fm.noncentrality(robust / c, df, 0.95), p, whole)
    top = bottom = 0.0
    moments = sum(len(group.vector) for group in solution.statistics)
    for own, error in zip(solution.problem.groups, solution.problem.residuals(solution.parameters), strict=True):
        both = np.stack([error, own.moments[0]], axis=1)
        size = own.share * np.sum(both * own.weight.times(both[None])[0], axis=0)
        top, bottom = top + float(size[0]), bottom + float(size[1])
    lisrel = 1.0 - top / bottom
    each = moments / solution.table.n_groups
    return out | {
        "cn_05": fm.critical_n(stat, df, nobs, 0.05), "cn_01": fm.critical_n(stat, df, nobs, 0.01),
        "gfi_lisrel": lisrel, "agfi_lisrel": 1.0 - moments / df * (1.0 - lisrel) if df else 1.0,
        "pgfi": df / moments * lisrel, "mfi": fm.mfi(stat, df, nobs), "wrmr": float(np.sqrt(max(stat, 0.0) / each)),
    }

