"""What each draw of a bootstrap sees: resampled, transformed or simulated data, as moments or missing patterns.

| kind | a draw is | source |
|---|---|---|
| ordinary | respondents with replacement, within groups | Efron & Tibshirani (1993), ch. 6; Bollen & Stine (1990) |
| cluster | n_h - 1 of the n_h primary units of each stratum, weights times n_h / (n_h - 1) | Rao & Wu (1988) |
| bollen.stine | respondents of data turned so that the model holds exactly | Bollen & Stine (1992) |
| noncentral | the same, turned so that the model fits as badly as it is estimated to | Yuan & Hayashi (2003) |
| parametric | a normal sample from the estimated model | Efron & Tibshirani (1993), sec. 6.5 |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, OptionError, Problem
from semkit.estimate.discrepancy import observe
from semkit.estimate.evidence import CompleteData, Evidence, GappedData, SquaresData
from semkit.estimate.leastsquares import CovarianceModel, LeastSquares, MomentGroup
from semkit.estimate.weights import MomentWeight, influence, stack
from semkit.fitting.quadratic import least_squares
from semkit.fitting.solution import Solution, given_values
from semkit.numerics.jobs import Chunk, group_counts
from semkit.numerics.normal import conditional_moments, moved, normal_moments
from semkit.numerics.patterns import PatternDraws, filled_patterns, weighted_patterns
from semkit.sample import GroupMoments, group_moments
from semkit.sample.moments import weighted_moments

FloatArray = NDArray[np.float64]
Scheme = Callable[[Chunk], Evidence]

KINDS = ("ordinary", "cluster", "bollen.stine", "noncentral", "parametric")


def make_scheme(solution: Solution, kind: str) -> Scheme:
    """How the draws of a kind are made.

    Raises
    ------
    OptionError, NotSupportedError
        ``fitting.unknown-option-value``, ``fitting.no-raw-data``, ``fitting.bootstrap-kind``.
    """
    if kind not in KINDS:
        raise OptionError(Problem("fitting.unknown-option-value", f"kind={kind!r}", "is not a known value",
                                  ", ".join(KINDS), "Choose one of them."))
    check_kind(solution, kind)
    if kind == "parametric":
        return lambda chunk: simulated(solution, chunk)
    if kind in ("bollen.stine", "noncentral"):
        data = turned(solution, 0.0 if kind == "bollen.stine" else misfit_share(solution))
        return lambda chunk: reweighted(solution, row_counts(solution, chunk), data)
    if kind == "cluster":
        return lambda chunk: reweighted(solution, unit_weights(solution, chunk))
    return lambda chunk: reweighted(solution, row_counts(solution, chunk))


def _gaps_in_composites(solution: Solution) -> bool:
    names = solution.table.variables
    at = [names.ov.index(name) for name in names.ov_c]
    return bool(at) and bool(solution.n_held) and any(bool(np.isnan(data[:, at]).any()) for data in solution.data)


def check_kind(solution: Solution, kind: str) -> None:
    """Refuse draws that have no meaning for a solution."""
    sample = solution.sample
    if sample is None and kind != "parametric":
        raise OptionError(Problem("fitting.no-raw-data", "bootstrap", "the model was fitted to moments",
                                  "a fit to raw data, or kind='parametric'", "Fit with data instead of moments."))
    refused = []
    if kind in ("bollen.stine", "noncentral") and solution.patterns is not None:
        refused.append(("turns complete data; what is missing cannot be turned",
                        "Use the test of estimator='mlr', or missing='listwise'."))
    if solution.gamma is not None:
        refused.append(("does not repeat the first of two stages", "Use missing='fiml' or 'robust.two.stage'."))
    if sample is not None and _gaps_in_composites(solution):
        refused.append(("does not repeat what composites' indicators with gaps are held at",
                        "Use composites_cov='free'."))
    if solution.options.missing == "fiml.x":
        refused.append(("needs complete covariates", "Use fixed_x=False with missing='fiml'."))
    if kind not in ("ordinary", "cluster") and sample is not None and sample.sampling is not None:
        refused.append(("takes respondents as drawn one by one with equal chances", "Use kind='cluster'."))
    sampling = None if sample is None else sample.sampling
    if kind == "ordinary" and sampling is not None and not sampling.weights_only:
        refused.append(("takes respondents as drawn one by one", "Use kind='cluster'."))
    if kind == "cluster" and sampling is not None and (sampling.replicates is not None or sampling.design.calibration):
        refused.append(("resamples units whose weights are not adjusted anew", "Leave bootstrap out: replicate weights "
                        "and margins are in the errors already."))
    if kind == "parametric" and sample is not None and sample.products:
        refused.append(("draws normal variables, and products of variables are not normal", "Use kind='ordinary'."))
    if kind == "cluster" and (sample is None or sample.sampling is None):
        refused.append(("resamples primary sampling units, and the fit has none",
                        "Pass design=sk.Design(cluster=...), or use kind='ordinary'."))
    if solution.options.estimator == "uls" and kind == "noncentral":
        refused.append(("needs a statistic with a chi-square distribution", "Use estimator='gls' or 'ml'."))
    if solution.options.estimator == "wls" and (sample is None or kind == "parametric" or sample.products):
        refused.append(("with estimator='wls' needs the respondents behind every draw, and no products",
                        "Use kind='ordinary', or estimator='gls'."))
    if refused:
        raise NotSupportedError(*(Problem("fitting.bootstrap-kind", f"kind={kind!r}", what, ", ".join(KINDS), fix)
                                  for what, fix in refused))


def row_counts(solution: Solution, chunk: Chunk) -> list[FloatArray]:
    """How often each respondent of each group is drawn, ``(b, n_g)``."""
    assert solution.sample is not None
    counts = group_counts(chunk, [group.nobs for group in solution.sample.groups])
    if solution.sample.sampling is not None:
        counts = [part * group.weights for part, group in zip(counts, solution.sample.groups, strict=True)]
    return counts


def reweighted(
    solution: Solution, weights: list[FloatArray], data: tuple[FloatArray, ...] | None = None
) -> CompleteData | GappedData | SquaresData:
    """The sample under ``b`` weight vectors a group; or other columns (in the order of the model) under them."""
    sample = solution.sample
    assert sample is not None
    if solution.patterns is not None:
        parts = tuple(weighted_patterns(group.data, w) for group, w in zip(sample.groups, weights, strict=True))
        return gapped(solution, parts, [group.data for group in sample.groups], weights)
    if data is None:
        moments = tuple(group_moments(sample, g, w) for g, w in enumerate(weights))
    else:
        moments = tuple(
            GroupMoments(*weighted_moments(part - part.mean(axis=0), w), np.tile(own.error, (len(w), 1)), own.nobs)
            for part, w, own in zip(data, weights, solution.moments, strict=True)
        )
        moments = tuple(GroupMoments(m.mean + part.mean(axis=0), m.cov, m.error, m.nobs)
                        for m, part in zip(moments, data, strict=True))
    return complete(solution, moments, data or solution.data, weights)


def complete(
    solution: Solution, moments: tuple[GroupMoments, ...], data: tuple[FloatArray, ...] = (),
    weights: list[FloatArray] | None = None,
) -> CompleteData | SquaresData:
    """Moments of ``b`` draws as evidence; ``data`` and ``weights`` are what distribution-free weights are made of."""
    wishart = solution.options.unbiased
    inflate = tuple(group.nobs / (group.nobs - 1) if wishart else 1.0 for group in solution.moments)
    observed = tuple(
        observe(part.cov * ratio if wishart else part.cov, part.mean, weight)
        for part, ratio, weight in zip(moments, inflate, solution.weights, strict=True)
    )
    composites = tuple(solution.sample.composites) if solution.sample is not None else ()
    given = given_values(solution.table, solution.layout, moments, composites, inflate)
    if solution.least is None:
        return CompleteData(solution.layout, observed, given)
    if solution.options.estimator != "wls":
        return SquaresData(least_squares(solution.layout, solution.options, observed, given, None), observed, given)
    groups = []
    for block, part, seen, w in zip(solution.layout.blocks, data, observed, weights or [], strict=True):
        inverse = np.stack([_distribution_free(part, block.means, row) for row in w])
        moved_to = stack(seen.cov, seen.mean if block.means else None)
        groups.append(MomentGroup(moved_to, MomentWeight(inverse), seen.weight))
    return SquaresData(LeastSquares(CovarianceModel(solution.layout, given), tuple(groups)), observed, given)


def _distribution_free(data: FloatArray, means: bool, weights: FloatArray) -> FloatArray:
    """Inverse distribution-free covariance matrix of the moments ``(k, k)`` of one draw (Browne 1984, eq. 2.7)."""
    rows = influence(data, means, weights=weights)
    return np.asarray(np.linalg.pinv(rows.T @ (rows * weights[:, None]) / weights.sum(), hermitian=True))


def gapped(
    solution: Solution, parts: tuple[PatternDraws, ...], data: list[FloatArray], weights: list[FloatArray]
) -> GappedData:
    """Missing patterns of ``b`` draws as evidence; fixed covariates are complete, so their moments are plain."""
    moments = tuple(
        GroupMoments(*weighted_moments(np.nan_to_num(part, nan=0.0), w), np.zeros((len(w), 0)), float(len(part)))
        for part, w in zip(data, weights, strict=True)
    )
    given = given_values(solution.table, solution.layout, moments, (), tuple(1.0 for _ in moments))
    return GappedData(solution.layout, parts, given)


def unit_weights(solution: Solution, chunk: Chunk) -> list[FloatArray]:
    """Weights ``(b, n_g)`` under the rescaled bootstrap of primary units.

    Of the ``n_h`` units of a stratum ``n_h - 1`` are drawn with replacement; the weight of a unit drawn ``r`` times is
    multiplied by ``1 - l + l r n_h / (n_h - 1)`` with ``l = sqrt(1 - f_h)``, where ``f_h`` is the share of the
    population's units that was sampled.  A stratum with one unit keeps it.

    References
    ----------
    Rao, Wu & Yue (1992), Survey Methodology 18, 209-217; Rao & Wu (1988), Journal of the American Statistical
    Association 83, 231-241.
    """
    sample = solution.sample
    assert sample is not None and sample.sampling is not None
    sampling = sample.sampling
    members = [np.flatnonzero(sampling.stratum == h) for h in range(len(sampling.sizes))]
    share = np.sqrt(np.clip(1.0 - sampling.rates, 0.0, 1.0))
    factor = np.ones((len(chunk), sampling.n_psu))
    for row, generator in enumerate(chunk.generators()):
        for units, size in zip(members, share, strict=True):
            n = len(units)
            if n > 1:
                times = np.bincount(generator.integers(0, n, n - 1), minlength=n) * n / (n - 1.0)
                factor[row, units] = 1.0 - size + size * times
    whole = factor[:, sampling.psu] * sampling.weights
    return np.split(whole, np.cumsum([group.nobs for group in sample.groups])[:-1], axis=1)


def simulated(solution: Solution, chunk: Chunk) -> Evidence:
    """Normal samples of the estimated model; fixed covariates keep their moments (their values, with gaps)."""
    names, held = solution.table.variables.ov, bool(np.any(solution.table.exo))
    fixed = [names.index(name) for name in solution.table.variables.ov_x] if held else []
    if solution.patterns is not None:
        return _simulated_with_gaps(solution, chunk, fixed)
    generators, moments = list(chunk.generators()), []
    for own, implied, block in zip(solution.moments, solution.implied, solution.layout.blocks, strict=True):
        n = round(own.nobs)
        ratio = (n - 1) / n if solution.options.unbiased else 1.0
        mean, cov = implied.mu[0] if block.means else own.mean[0], implied.sigma[0] * ratio
        pair = (conditional_moments(generators, mean, cov, n, fixed) if fixed
                else normal_moments(generators, mean, cov, n))
        moments.append(GroupMoments(*pair, np.tile(own.error, (len(chunk), 1)), own.nobs))
    return complete(solution, tuple(moments))


def _simulated_with_gaps(solution: Solution, chunk: Chunk, fixed: list[int]) -> GappedData:
    """The same with each respondent's gaps."""
    generators = list(chunk.generators())
    parts, data, weights = [], [], []
    for rows, implied in zip(solution.data, solution.implied, strict=True):
        n, p = rows.shape
        mean, cov = implied.mu[0], implied.sigma[0]
        y = [k for k in range(p) if k not in fixed]
        slopes = np.zeros((len(y), 0))
        if fixed:
            slopes = np.linalg.solve(cov[np.ix_(fixed, fixed)], cov[np.ix_(fixed, y)]).T
        root = np.linalg.cholesky(cov[np.ix_(y, y)] - slopes @ cov[np.ix_(fixed, y)])
        draws = np.empty((len(chunk), n, p))
        draws[:, :, fixed] = rows[:, fixed]
        centre = mean[y] + (rows[:, fixed] - mean[fixed]) @ slopes.T
        draws[:, :, y] = centre + np.stack([g.standard_normal((n, len(y))) for g in generators]) @ root.T
        parts.append(filled_patterns(rows, draws))
        data.append(rows)
        weights.append(np.ones((len(chunk), n)))
    return gapped(solution, tuple(parts), data, weights)


def turned(solution: Solution, share: float) -> tuple[FloatArray, ...]:
    """Data whose covariances are ``share S + (1 - share) Sigma`` (means likewise); 0 makes the model hold."""
    out = []
    for data, implied, block in zip(solution.data, solution.implied, solution.layout.blocks, strict=True):
        mean = data.mean(axis=0)
        cov = (data - mean).T @ (data - mean) / len(data)
        sigma = implied.sigma[0]
        if solution.options.unbiased:
            sigma = sigma * (len(data) - 1) / len(data)
        mu = implied.mu[0] if block.means else mean
        out.append(moved(data, mean, cov, share * mean + (1.0 - share) * mu, share * cov + (1.0 - share) * sigma))
    return tuple(out)


def misfit_share(solution: Solution) -> float:
    """The share of the sample's misfit at which the discrepancy is its unbiased estimate ``max(T - df, 0) / N``.

    References
    ----------
    Yuan & Hayashi (2003), British Journal of Mathematical and Statistical Psychology 56, 93-110; Yuan, Hayashi &
    Yanagihara (2007), Multivariate Behavioral Research 42, 261-281.
    """
    from scipy.optimize import brentq

    from semkit.fitting.refit import refit

    target = max(solution.stat - solution.df, 0.0) / solution.total
    if target <= 0.0 or solution.df == 0:
        return 0.0

    def excess(share: float) -> float:
        ones = [np.ones((1, len(data))) for data in solution.data]
        evidence = reweighted(solution, ones, turned(solution, share))
        theta, _, _ = refit(solution, evidence)
        return float(evidence.value(theta)[0]) - target

    return float(brentq(excess, 0.0, 1.0, xtol=1e-6))
