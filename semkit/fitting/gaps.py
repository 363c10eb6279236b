"""Full information with missing values: saturated and baseline model, corrections of tests and of fit indices."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Problem, SampleError
from semkit.estimate import fitmeasures as fm
from semkit.estimate.fiml import saturated_information, saturated_scores
from semkit.estimate.implied import imply, jacobian
from semkit.estimate.layout import Layout
from semkit.fitting import auxiliary, weighting
from semkit.numerics.em import deviance, make_patterns, saturated
from semkit.sample.arrays import GroupMoments, Sample

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]


def saturated_moments(sample: Sample) -> tuple[GroupMoments, ...]:
    """Maximum likelihood moments of each group under the saturated model.

    Raises
    ------
    SampleError
        ``sample.saturated-not-found``: the data do not determine all means and covariances.
    """
    out, problems = [], []
    for g, group in enumerate(sample.groups):
        mean, cov, found = saturated(make_patterns(group.data, sample.weights_of(g)))
        sd = np.sqrt(np.diagonal(cov))
        if not found or np.linalg.eigvalsh(cov / np.outer(sd, sd))[0] < 1e-10 * len(sd):
            where = f'group "{group.label}"' if group.label else "data"
            problems.append(Problem("sample.saturated-not-found", where,
                                    "the answers there are do not determine all means and covariances",
                                    "columns that are answered together and are not functions of each other",
                                    "Look for columns with few answers, totals and duplicates; leave them out."))
        out.append(GroupMoments(mean[None], cov[None], np.zeros((1, 0)), float(group.weights.sum())))
    if problems:
        raise SampleError(*problems)
    return tuple(out)


def _columns(solution: Solution) -> tuple[list[int], list[int]]:
    """Positions of outcomes and of covariates."""
    names = solution.table.variables.ov
    x = [names.index(name) for name in solution.table.variables.ov_x]
    return [k for k in range(len(names)) if k not in x], x


def kept(solution: Solution) -> NDArray[np.int64]:
    """Which saturated parameters are not held: all, or those that are not among fixed covariates."""
    y, x = _columns(solution)
    p = len(y) + len(x)
    fixed = set(x) if np.any(solution.table.exo) else set()
    rows, cols = np.tril_indices(p)
    keep = [k for k in range(p) if k not in fixed]
    keep += [p + i for i, (a, b) in enumerate(zip(rows, cols, strict=True)) if not {int(a), int(b)} <= fixed]
    return np.array(keep, dtype=np.int64)


def baseline_moments(solution: Solution) -> tuple[tuple[FloatArray, FloatArray], ...]:
    """Means and covariances of the independence model; covariates are saturated among themselves."""
    if solution.options.auxiliary:
        return tuple((part.mu[0], part.sigma[0]) for part in auxiliary.baseline(solution).implied)
    _, x = _columns(solution)
    out = []
    for g, data in enumerate(solution.data):
        p, w = data.shape[1], _weights(solution, g)
        mean, variance = _available_variance(data, w)
        cov = np.diag(variance)
        if x:
            part_mean, part, _ = saturated(make_patterns(data[:, x], w))
            mean[x] = part_mean
            cov[np.ix_(x, x)] = part
        assert cov.shape == (p, p)
        out.append((mean, cov))
    return tuple(out)


def _weights(solution: Solution, g: int) -> FloatArray | None:
    return None if solution.sample is None else solution.sample.weights_of(g)


def _available_variance(data: FloatArray, weights: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Means and variances of each column from whoever answered it."""
    if weights is None:
        return np.nanmean(data, axis=0), np.nanvar(data, axis=0)
    seen = ~np.isnan(data)
    share = weights[:, None] * seen / (weights @ seen)
    mean = np.sum(share * np.where(seen, data, 0.0), axis=0)
    return mean, np.sum(share * np.where(seen, data - mean, 0.0) ** 2, axis=0)


def baseline_stat(solution: Solution) -> float:
    """Likelihood ratio statistic of the independence model."""
    if solution.options.auxiliary:
        return auxiliary.baseline(solution).stat
    assert solution.patterns is not None
    total = 0.0
    for part, (mean, cov), own in zip(solution.patterns, baseline_moments(solution), solution.moments, strict=True):
        total += deviance(part, mean, cov) - deviance(part, own.mean[0], own.cov[0])
    return total


def saturated_log_likelihood(solution: Solution) -> float:
    """Log-likelihood of the saturated model, conditional on fixed covariates."""
    assert solution.patterns is not None
    _, x = _columns(solution)
    total = 0.0
    for g, (part, own, data) in enumerate(zip(solution.patterns, solution.moments, solution.data, strict=True)):
        total -= 0.5 * (part.cells * np.log(2 * np.pi) + deviance(part, own.mean[0], own.cov[0]))
        if x and np.any(solution.table.exo):
            rest = make_patterns(data[:, x], _weights(solution, g))
            mean, cov, _ = saturated(rest)
            total += 0.5 * (rest.cells * np.log(2 * np.pi) + deviance(rest, mean, cov))
    return float(total)


def saturated_trace(solution: Solution) -> float:
    """``tr(A^-1 B)`` of the saturated model with observed information and case-wise scores.

    References
    ----------
    Yuan & Bentler (2000), Sociological Methodology 30, 165-200.
    """
    assert solution.patterns is not None
    keep, total = kept(solution), 0.0
    for g, (part, own, data) in enumerate(zip(solution.patterns, solution.moments, solution.data, strict=True)):
        a = saturated_information(part, own.mean[0], own.cov[0], exact=True)[np.ix_(keep, keep)]
        s = saturated_scores(data, own.mean[0], own.cov[0])[:, keep]
        total += float(np.trace(_solved(a, weighting.moment_meat(solution, g, s))))
    return total


def _solved(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """``matrix^-1 right``; NaN where the data do not determine it."""
    try:
        return np.asarray(np.linalg.solve(matrix, right))
    except np.linalg.LinAlgError:
        return np.full_like(right, np.nan)


def baseline_trace(solution: Solution) -> float:
    """``tr(A^-1 B)`` of the independence model: ``(kurtosis + 1) / 2`` of each outcome, and free covariates."""
    if solution.options.auxiliary:
        apart = auxiliary.baseline(solution)
        return float(np.trace(np.linalg.pinv(apart.observed_information) @ apart.meat))
    y, x = _columns(solution)
    total = 0.0
    if solution.sampling is not None:
        return _sampled_baseline_trace(solution, y, x)
    for data in solution.data:
        z = data[:, y] - np.nanmean(data[:, y], axis=0)
        ratio = np.nanmean(z**4, axis=0) / np.nanmean(z**2, axis=0) ** 2
        total += float(np.sum(0.5 * (ratio - 1.0))) + len(y)
        if x and not np.any(solution.table.exo):
            part = make_patterns(data[:, x])
            mean, cov, _ = saturated(part)
            s = saturated_scores(data[~np.isnan(data[:, x]).all(axis=1)][:, x], mean, cov)
            a = saturated_information(part, mean, cov, exact=True)
            total += float(np.trace(_solved(a, s.T @ s / len(s))))
    return total


def _sampled_baseline_trace(solution: Solution, y: list[int], x: list[int]) -> float:
    """The same under a sampling design."""
    total = 0.0
    for g, data in enumerate(solution.data):
        total += float(np.trace(weighting.moment_meat(solution, g, weighting.independence_scores(solution, g, y))))
        if x and not np.any(solution.table.exo):
            part = make_patterns(data[:, x], _weights(solution, g))
            mean, cov, _ = saturated(part)
            s = np.nan_to_num(saturated_scores(data[:, x], mean, cov))
            a = saturated_information(part, mean, cov, exact=True) * (part.nobs / solution.moments[g].nobs)
            total += float(np.trace(_solved(a, weighting.moment_meat(solution, g, s))))
    return total


def _complete_stat(cov: FloatArray, mean: FloatArray, sigma: FloatArray, mu: FloatArray) -> float:
    """Complete-data discrepancy of saturated moments from others, per respondent."""
    w = np.linalg.inv(sigma)
    gap = mean - mu
    inside = float(np.linalg.slogdet(sigma)[1] - np.linalg.slogdet(cov)[1])
    return inside + float(np.sum(w * cov)) - len(mu) + float(gap @ w @ gap)


def complete_weight(sigma: FloatArray) -> FloatArray:
    """Normal-theory weights of means and covariances at ``sigma``: information of complete data."""
    p = len(sigma)
    rows, cols = np.tril_indices(p)
    w = np.linalg.inv(sigma)
    scale = np.where(rows == cols, 0.5, 1.0)
    inner = w[np.ix_(rows, rows)] * w[np.ix_(cols, cols)] + w[np.ix_(rows, cols)] * w[np.ix_(cols, rows)]
    out = np.zeros((p + len(rows),) * 2)
    out[:p, :p], out[p:, p:] = w, inner * scale[:, None] * scale
    return out


@lru_cache(maxsize=4)
def corrected(solution: Solution) -> dict[str, tuple[float, float]]:
    """Complete-data statistic at the full-information estimates and its mean, of the model and of the baseline.

    ``N F(beta~, theta^)`` with saturated estimates ``beta~``; its mean under the model is
    ``tr{W_c (I - P) Gamma (I - P)'}`` with ``P = D (D'W_m D)^-1 D'W_m``, complete-data weights ``W_c`` and the
    information ``W_m`` of the incomplete data (of the kind asked for), ``Gamma`` the covariance matrix of ``beta~``:
    the inverse observed information, or the sandwich for robust tests.

    References
    ----------
    Zhang & Savalei (2023), Psychological Methods 28, 263-283 (indices after full information).
    """
    assert solution.patterns is not None
    keep = kept(solution)
    exact = solution.options.information != "expected"
    gamma: list[FloatArray] = []
    weight: list[FloatArray] = []
    complete: list[FloatArray] = []
    for g, (part, own, data) in enumerate(zip(solution.patterns, solution.moments, solution.data, strict=True)):
        mean, cov = own.mean[0], own.cov[0]
        seen = saturated_information(part, mean, cov, exact=True)[np.ix_(keep, keep)]
        inside: FloatArray = _solved(seen, np.eye(len(seen)))
        first = solution.options.information == "first.order"
        if solution.options.robust or first:
            s = saturated_scores(data, mean, cov)[:, keep]
            meat = weighting.moment_meat(solution, g, s)
            inside = inside if first else np.asarray(inside @ meat @ inside, dtype=np.float64)
        gamma.append(inside)
        weight.append(meat if first else saturated_information(part, mean, cov, exact=exact)[np.ix_(keep, keep)])
        complete.append(complete_weight(cov)[np.ix_(keep, keep)])
    own_model = tuple((i.mu[0], i.sigma[0]) for i in solution.implied)
    slopes = [part[keep] @ solution.basis for part in _model_slopes(solution)]
    y, _ = _columns(solution)
    apart = [_baseline_slopes(solution, y)[keep]] * len(gamma)
    independent = baseline_moments(solution)
    robust = solution.options.robust
    whole = _mean(solution.weights, slopes, gamma, weight, complete, robust)
    if solution.options.auxiliary:
        base = auxiliary.baseline(solution)
        slopes = moment_slopes(base.layout, base.minimum.x, base.given)
        apart = [part[:, np.any(part != 0.0, axis=0)] for part in slopes]
    by_group = [_mean((1.0,), [apart[g]], [gamma[g]], [weight[g]], [complete[g]], robust) for g in range(len(gamma))]
    return {"model": (_stat(solution, own_model), whole), "baseline": (_stat(solution, independent), sum(by_group))}


def _stat(solution: Solution, models: tuple[tuple[FloatArray, FloatArray], ...]) -> float:
    return sum(
        own.nobs * _complete_stat(own.cov[0], own.mean[0], sigma, mu)
        for own, (mu, sigma) in zip(solution.moments, models, strict=True)
    )


def _mean(
    shares: tuple[float, ...], slopes: list[FloatArray], gamma: list[FloatArray], weight: list[FloatArray],
    complete: list[FloatArray], robust: bool,
) -> float:
    """``tr{W_c (I - P) Gamma (I - P)'}``; for ``Gamma = W_m^-1`` that is ``tr(W_c Gamma) - tr{D'W_c D (D'W_m D)^-1}``.

    Groups share parameters: the products with ``D`` are summed by the groups' shares.
    """
    whole = sum(s * d.T @ w @ d for s, d, w in zip(shares, slopes, weight, strict=True))
    if not np.isfinite(whole).all():
        return float("nan")
    inverse = np.linalg.pinv(whole)
    inner = sum(s * d.T @ c @ d for s, d, c in zip(shares, slopes, complete, strict=True))
    trace = sum(float(np.sum(c * g)) for c, g in zip(complete, gamma, strict=True))
    if not robust:
        return trace - float(np.sum(inner * inverse))
    both = sum(s * d.T @ w @ g @ w @ d for s, d, w, g in zip(shares, slopes, weight, gamma, strict=True))
    for share, d, w, g, c in zip(shares, slopes, weight, gamma, complete, strict=True):
        trace -= 2.0 * share * float(np.sum((d.T @ c @ g @ w @ d) * inverse))
    return trace + float(np.trace(inner @ inverse @ both @ inverse))


def _model_slopes(solution: Solution) -> list[FloatArray]:
    """Derivatives of means and covariances by the parameters, ``(p + p(p+1)/2, q)`` for each group."""
    return moment_slopes(solution.layout, solution.minimum.x, solution.given)


def moment_slopes(layout: Layout, theta: FloatArray, given: FloatArray) -> list[FloatArray]:
    """Derivatives of means and covariances (lower triangle row by row) by the parameters, for each group."""
    out = []
    for block in layout.blocks:
        by_cov, by_mean = jacobian(block, imply(block, theta, given))
        rows, cols = np.tril_indices(block.p)
        d = np.zeros((block.p + len(rows), layout.n_parameters))
        cells = np.column_stack([by_mean[0], by_cov[0][:, rows, cols]])
        np.add.at(d.T, block.free.source, cells)
        out.append(d)
    return out


def _baseline_slopes(solution: Solution, y: list[int]) -> FloatArray:
    """The same for the independence model: what is free is a column with a one."""
    p = len(solution.table.variables.ov)
    fixed = np.any(solution.table.exo)
    rows, cols = np.tril_indices(p)
    free = [k for k in range(p) if k in y or not fixed]
    free += [p + i for i, (a, b) in enumerate(zip(rows, cols, strict=True))
             if (a == b and a in y) or (not fixed and a not in y and b not in y)]
    return np.eye(p + len(rows))[:, free]


def corrected_indices(solution: Solution, df: int, base_df: int) -> dict[str, float]:
    """Robust CFI, TLI, RNI, RMSEA and GFI after full information (Zhang & Savalei 2023)."""
    found = corrected(solution)
    (stat, trace), (base, base_trace) = found["model"], found["baseline"]
    nobs, groups = solution.total, solution.table.n_groups
    c = trace / df if df else 1.0
    cb = base_trace / base_df if base_df else 1.0
    given = (stat, df, base, base_df, c, cb)
    out = {"cfi.robust": fm.cfi(*given), "tli.robust": fm.tli(*given), "nnfi.robust": fm.tli(*given),
           "rni.robust": fm.rni(*given)}
    low, high = fm.rmsea_interval(stat / c, df, nobs, groups, c)
    out |= {"rmsea.robust": fm.rmsea(stat, df, nobs, groups, c), "rmsea.ci.lower.robust": low,
            "rmsea.ci.upper.robust": high,
            "rmsea.pvalue.robust": 1.0 - fm.rmsea_below(stat / c, df, nobs, 0.05, groups, c),
            "rmsea.notclose.pvalue.robust": fm.rmsea_below(stat / c, df, nobs, 0.08, groups, c)}
    p = len(auxiliary.substantive(solution))
    out["gfi.robust"] = fm.gfi(stat - trace, p, nobs)
    out["gfi.ci.lower.robust"] = fm.gfi(c * fm.noncentrality(stat / c, df, 0.05), p, nobs)
    out["gfi.ci.upper.robust"] = fm.gfi(c * fm.noncentrality(stat / c, df, 0.95), p, nobs)
    return out


def _available(solution: Solution) -> list[tuple[FloatArray, FloatArray]]:
    """Means and covariances (times ``(N - 1) / N``) from whoever answered both columns, group by group."""
    out = []
    for g, data in enumerate(solution.data):
        seen, w = (~np.isnan(data)).astype(np.float64), _weights(solution, g)
        mean, _ = _available_variance(data, w)
        z = np.where(np.isnan(data), 0.0, data - mean)
        weighted = np.ones((len(data), 1)) if w is None else w[:, None]
        n = seen.T @ (weighted * seen)
        left = (z.T @ (weighted * seen)) / n
        cov = (z.T @ (weighted * z) - n * left * left.T) / (n - 1.0)
        out.append((mean, cov * (len(data) - 1.0) / len(data)))
    return out


def residual_stat(solution: Solution) -> float:
    """Browne's residual statistic of the available-case moments, weighted by the observed information at the model.

    The saturated information with missing values takes the place of the complete-data weights, as in lavaan.

    References
    ----------
    Browne (1984), British Journal of Mathematical and Statistical Psychology 37, 62-83, eq. 2.20b.
    """
    assert solution.patterns is not None
    keep, total, size = kept(solution), 0.0, solution.equality_basis.shape[1]
    slope, inner = np.zeros(size), np.zeros((size, size))
    pieces = zip(solution.patterns, solution.implied, _available(solution), _model_slopes(solution), solution.weights,
                 strict=True)
    for part, implied, (mean, cov), whole, share in pieces:
        w = saturated_information(part, implied.mu[0], implied.sigma[0], exact=True)[np.ix_(keep, keep)]
        d = whole[keep] @ solution.equality_basis
        e = _moments(mean - implied.mu[0], cov - implied.sigma[0])[keep]
        total += share * float(e @ w @ e)
        slope += share * (d.T @ w @ e)
        inner = inner + share * (d.T @ w @ d)
    if not np.isfinite(inner).all():  # the model implies no covariance matrix
        return float("nan")
    return solution.total * (total - float(slope @ np.linalg.pinv(inner) @ slope))


def lisrel_sums(solution: Solution) -> tuple[float, float]:
    """``e'W e`` and ``s'W s`` of the available-case moments with the expected information at the model as weights."""
    assert solution.patterns is not None
    keep, top, bottom = kept(solution), 0.0, 0.0
    for part, implied, (mean, cov), share in zip(
        solution.patterns, solution.implied, _available(solution), solution.weights, strict=True
    ):
        w = saturated_information(part, implied.mu[0], implied.sigma[0], exact=False)[np.ix_(keep, keep)]
        e = _moments(mean - implied.mu[0], cov - implied.sigma[0])[keep]
        s = _moments(mean, cov)[keep]
        top, bottom = top + share * float(e @ w @ e), bottom + share * float(s @ w @ s)
    return top, bottom


def _moments(mean: FloatArray, cov: FloatArray) -> FloatArray:
    return np.concatenate([mean, cov[np.tril_indices(len(mean))]])
