"""Cut-offs of fit measures for the model at hand, by simulation: ``fit.cutoffs()``."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem, ResultError
from semkit.estimate.misspecification import Omission, cross_loadings, levels, population, residual_pairs
from semkit.fitting.bootstrap import chunk_size
from semkit.fitting.indices import draw_measures
from semkit.fitting.options import draw_count
from semkit.fitting.refit import refit
from semkit.fitting.resampling import complete, make_scheme
from semkit.fitting.solution import Solution, fit_moments
from semkit.numerics.jobs import Chunk, Job, run_job
from semkit.numerics.normal import normal_moments
from semkit.sample import GroupMoments

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]

INDICES = ("srmr", "rmsea", "cfi")
# Hu & Bentler (1999), Structural Equation Modeling 6, 1-55
FIXED = {"srmr": 0.08, "rmsea": 0.06, "cfi": 0.95}
RULES = (("95/5", 5.0), ("90/10", 10.0))


@dataclass(frozen=True, eq=False, repr=False)
class Cutoffs:
    """Simulated cut-offs beside the fixed ones.

    Parameters
    ----------
    frame : DataFrame
        One row a level and index: ``level omitted index value cutoff rule passed fixed``.  Level 0 is the model as it
        is: the value that 5 % of samples are worse than although the model holds.  Higher levels: the value that tells
        the model from one that misses ``omitted`` (``rule`` 95/5: 95 % of such samples are worse and at most 5 % of
        those of the true model; 90/10 likewise); NaN where no value does.  ``passed`` says whether the fit's own
        ``value`` is at least as good as the cut-off.
    draws, failed, seed : int
        Of each level; samples in which the model did not converge are left out.
    reason : str
        Why there are no levels above 0; empty when there are.
    """

    frame: pd.DataFrame
    draws: int
    failed: int
    seed: int
    reason: str = ""

    def __repr__(self) -> str:
        lines = [f"fit measures and their cut-offs, {self.draws} normal samples a level, seed {self.seed}",
                 self.frame.to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep="none")]
        if self.reason:
            lines.append(f"Only the model as it is was simulated: {self.reason}.")
        if self.failed:
            lines.append(f"{self.failed} samples did not converge and are left out.")
        return "\n".join(lines)


def cutoffs(fit: Fit, draws: int = 500, *, seed: int | None = None, workers: int | None = None) -> Cutoffs:
    """The simulation behind :meth:`Fit.cutoffs`."""
    import pandas as pd

    _check(fit)
    count, seed = draw_count(draws), secrets.randbelow(2**31) if seed is None else int(seed)
    threads = min(os.cpu_count() or 1, 4) if workers is None else workers
    parts, reason = _parts(fit)
    right, failed = _simulate(fit.solution, None, count, seed, threads)
    own = {index: float(fit.fit_measures[index]) for index in INDICES}
    rows = []
    for index in INDICES:
        limit = _quantile(right[index], 95.0 if index != "cfi" else 5.0)
        rows.append(_row(0, "nothing", index, own[index], limit, "exact fit"))
    if parts is not None:
        for level, missed in enumerate(parts.levels, start=1):
            wrong, more = _simulate(fit.solution, parts.covariance(missed), count, seed + level, threads)
            failed += more
            rows += [_row(level, parts.name(missed), index, own[index], *_decide(right[index], wrong[index], index))
                     for index in INDICES]
    return Cutoffs(pd.DataFrame(rows), count, failed, seed, reason)


def _check(fit: Fit) -> None:
    if not fit.converged:
        raise ResultError(Problem("fitting.cutoffs-not-converged", "cutoffs()", "the fit did not converge",
                                  "a fit that converged", "Mend the model first."))
    solution = fit.solution
    reasons = []
    if type(solution) is not Solution:
        reasons.append("simulated are linear models of continuous indicators")
    if solution.df == 0:
        reasons.append("without degrees of freedom every sample fits perfectly")
    if solution.options.conditional_x:
        reasons.append("conditional_x=True is not simulated")
    if solution.options.estimator not in ("ml", "mlr", "mlm", "mlmv", "mlmvs", "mlf"):
        reasons.append(f"estimator={solution.options.estimator!r} is not simulated")
    if reasons:
        raise NotSupportedError(*(Problem("fitting.no-cutoffs", "cutoffs()", reason, "maximum likelihood, df > 0",
                                          "Judge the fit by its test and residuals.") for reason in reasons))


@dataclass(frozen=True, eq=False)
class _Parts:
    """A factor model in standardised pieces."""

    items: tuple[str, ...]
    factors: tuple[str, ...]
    loadings: FloatArray
    factor_cor: FloatArray
    residual: FloatArray
    sd: FloatArray
    levels: list[list[Omission]]

    def covariance(self, missed: list[Omission]) -> FloatArray:
        return population(self.loadings, self.factor_cor, self.residual, missed) * np.outer(self.sd, self.sd)

    def name(self, missed: list[Omission]) -> str:
        return ", ".join(
            f"{self.factors[one.first]} =~ {one.size:.3f}*{self.items[one.second]}" if one.kind == "cross-loading"
            else f"{self.items[one.first]} ~~ {one.size:.2f}*{self.items[one.second]}" for one in missed
        )


def _parts(fit: Fit) -> tuple[_Parts | None, str]:
    """The pieces of a confirmatory factor model; or why the paper's levels do not apply."""
    table, solution = fit.table, fit.solution
    block, implied = solution.layout.blocks[0], solution.implied[0]
    if table.n_groups > 1 or solution.patterns is not None:
        return None, "levels of misspecification are defined for one group with complete data"
    if block.any_beta or tuple(block.eta) != table.variables.lv or not block.m:
        return None, "levels of misspecification are defined for factor models without regressions"
    sd = np.sqrt(np.diagonal(implied.sigma[0]))
    spread = np.sqrt(np.diagonal(implied.eta_cov[0]))
    loadings = implied.matrices.lambda_[0] * spread / sd[:, None]
    residual = implied.matrices.theta[0] / np.outer(sd, sd)
    if not (np.isfinite(loadings).all() and (np.diagonal(residual) > 0.0).all()):
        return None, "the solution is not admissible"
    np.fill_diagonal(residual, 0.0)
    cor = implied.eta_cov[0] / np.outer(spread, spread)
    found = cross_loadings(loadings, cor, residual) if block.m > 1 else residual_pairs(loadings, residual)
    if not found:
        return None, "no item is free to cross-load" if block.m > 1 else "fewer than two items are free to correlate"
    kept = levels(found, block.m)
    parts = _Parts(block.observed, block.eta, loadings, cor, residual, sd, kept)
    usable = [missed for missed in kept if np.linalg.eigvalsh(parts.covariance(missed))[0] > 0.0]
    if not usable:
        return None, "the populations with omitted paths are not possible"
    return replace(parts, levels=usable), ""


def _simulate(
    solution: Solution, cov: FloatArray | None, draws: int, seed: int, threads: int
) -> tuple[dict[str, FloatArray], int]:
    """Fit measures of the model in normal samples from itself (``cov=None``) or from another population."""
    centre, scheme = solution, make_scheme(solution, "parametric")
    if cov is not None:
        moments = tuple(GroupMoments(g.mean, cov[None], g.error, g.nobs) for g in solution.moments)
        centre = fit_moments(solution.table, solution.options, moments, solution.sample, start=solution.theta)

        def scheme(chunk: Chunk) -> Any:
            n = round(solution.moments[0].nobs)
            pair = normal_moments(chunk.generators(), solution.moments[0].mean[0], cov, n)
            return complete(solution, (GroupMoments(*pair, np.zeros((len(chunk), 0)), float(n)),))

    def task(chunk: Chunk) -> dict[str, NDArray[Any]]:
        evidence = scheme(chunk)
        theta, converged, _ = refit(centre, evidence)
        return {**draw_measures(solution, evidence, theta, INDICES), "converged": converged}

    found = run_job(task, Job(replicates=draws, seed=seed, chunk=chunk_size(solution)), workers=threads,
                    backend="thread")
    good = found["converged"]
    return {index: found[index][good] for index in INDICES}, int(np.sum(~good))


def _quantile(values: FloatArray, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else float("nan")


def _decide(right: FloatArray, wrong: FloatArray, index: str) -> tuple[float, str]:
    """The cut-off and the rule by which it was found: the first at which both distributions lie apart enough."""
    sign = -1.0 if index == "cfi" else 1.0
    for rule, tail in RULES:
        at, limit = _quantile(sign * wrong, tail), _quantile(sign * right, 100.0 - tail)
        if at >= limit:
            return sign * at, rule
    return float("nan"), "none"


def _row(level: int, omitted: str, index: str, value: float, cutoff: float, rule: str) -> dict[str, Any]:
    passed: bool | None = None
    if np.isfinite(cutoff):
        passed = value >= cutoff if index == "cfi" else value <= cutoff
    return {"level": level, "omitted": omitted, "index": index, "value": value, "cutoff": cutoff, "rule": rule,
            "passed": passed, "fixed": FIXED[index]}
