"""Bootstrap of models with ordinal indicators: each draw from its thresholds and polychoric correlations on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem, SampleError
from semkit.fitting.arguments import require_seed
from semkit.fitting.draws import Draws, checked_level, interval_kind
from semkit.fitting.options import draw_count
from semkit.fitting.ordinal import OrdinalSolution, fit_categorical
from semkit.fitting.ordinalcalls import _weight, group_statistics, weighted_moments
from semkit.fitting.refit import admissible
from semkit.fitting.resampling import unit_weights
from semkit.numerics.jobs import Chunk, Job, run_job
from semkit.sample import Sample

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]
CHUNK = 10


def ordinal_draws(
    fit: Fit, draws: int, seed: int | None, *, kind: str = "ordinary", ci: str = "percentile", level: float = 0.95,
    statistics: Sequence[str] = (), workers: int | None = None,
) -> Draws:
    """Draws of respondents, groups within themselves, or of sampling units within strata under a design.

    The whole estimation is repeated in each; under a design (:func:`semkit.fitting.resampling.unit_weights`) with the
    weights of the moments of the sample, whose variances the draws of few units would not give.  A draw in which
    nobody chose some category has no threshold there and counts as failed.

    Raises
    ------
    NotSupportedError
        ``fitting.bootstrap-kind``: other kinds of draws, ``ci="bca"``, fit measures, replicate weights.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 6; Rao, Wu & Yue (1992), Survey Methodology 18,
    209-217 (designs).
    """
    sampling, refused = fit.solution.sampling, []
    if kind != ("ordinary" if sampling is None else "cluster"):
        only = "draws of respondents only" if sampling is None else "draws of sampling units only, under a design"
        refused.append((f"kind={kind!r}", only, f"Use kind={'ordinary' if sampling is None else 'cluster'!r}."))
    if sampling is not None and (sampling.replicates is not None or sampling.design.calibration):
        refused.append(("bootstrap", "resamples units whose weights are not adjusted anew",
                        "Leave bootstrap out: replicate weights and margins are in the errors already."))
    if ci == "bca":
        refused.append(("ci='bca'", "leaving out respondents is not offered", "Use ci='bc'."))
    if statistics:
        refused.append(("statistics=", "draws of parameters only", "Leave it out."))
    if refused:
        raise NotSupportedError(*(Problem("fitting.bootstrap-kind", where, f"with ordinal indicators: {what}",
                                          "respondents or sampling units; percentile, bc, normal, basic", fix)
                                  for where, what, fix in refused))
    count, seed = draw_count(draws), require_seed(seed)
    interval_kind(ci), checked_level(level)
    threads = min(os.cpu_count() or 1, 4) if workers is None else workers
    found = run_job(Again(fit), Job(replicates=count, seed=seed, chunk=CHUNK), workers=threads, backend="thread")
    status = found["status"]
    keep = status == 0
    return Draws(found["est"][keep], found["std"][keep], count, int(np.sum(status == 1)), int(np.sum(status == 2)),
                 seed, kind, ci, level, found["theta"][keep], found["given"][keep], {},
                 replace(fit, bootstrap_draws=None))


@dataclass(eq=False)
class Again:
    """Estimates of one chunk of draws."""

    fit: Fit

    def __call__(self, chunk: Chunk) -> dict[str, NDArray[Any]]:
        solution = self.fit.solution
        assert isinstance(solution, OrdinalSolution) and solution.sample is not None
        batch, k, q = len(chunk), len(self.fit.names), solution.minimum.x.shape[1]
        est, std = np.full((2, batch, k), np.nan)
        theta, status = np.full((batch, q), np.nan), np.ones(batch, dtype=np.int64)
        given = np.full((batch, solution.given.shape[1]), np.nan)
        for row, again in enumerate(_drawn(solution, chunk)):
            if again is None or not again.converged:
                continue
            own = replace(self.fit, solution=again, bootstrap_draws=None)
            est[row], std[row], theta[row], given[row] = own.est, own.std_est, again.minimum.x[0], again.given[0]
            good = bool(admissible(again, again.minimum.x, again.given)[0])
            status[row] = (0 if good else 2) if np.isfinite(est[row]).all() else 1
        return {"est": est, "std": std, "theta": theta, "given": given, "status": status}


def _drawn(solution: OrdinalSolution, chunk: Chunk) -> Iterator[OrdinalSolution | None]:
    """The fits of one chunk, draw by draw."""
    assert solution.sample is not None
    if solution.sampling is not None:
        weights = unit_weights(solution, chunk)
        for row in range(len(chunk)):
            yield reweighted(solution, [part[row] for part in weights])
        return
    for generator in chunk.generators():
        yield redrawn(solution, [generator.integers(0, group.nobs, group.nobs) for group in solution.sample.groups])


def reweighted(solution: OrdinalSolution, weights: list[FloatArray]) -> OrdinalSolution | None:
    """The model fitted under other weights ``(n_g,)``, those of the moments as they were; None as :func:`redrawn`."""
    sample = solution.sample
    assert sample is not None
    if any(not own.any() for own in weights):
        return None
    groups = tuple(
        replace(group, data=group.data[own > 0.0], weights=own[own > 0.0] * (part.nobs / own.sum()))
        for group, own, part in zip(sample.groups, weights, solution.statistics, strict=True))
    if _empty(sample, groups, solution):
        return None
    drawn = replace(sample, groups=groups)
    try:
        found = weighted_moments(solution.table, drawn, solution.thresholds)
        statistics = tuple(replace(own, gamma=part.gamma, spread=part.spread)
                           for own, part in zip(found, solution.statistics, strict=True))
        held = tuple(group.weight for group in solution.problem.groups)
        with np.errstate(all="ignore"):
            return fit_categorical(solution.table, solution.options, drawn, statistics, solution.thresholds,
                                   solution.levels, held, solution.minimum.x[0, : solution.table.n_unique])
    except (SampleError, np.linalg.LinAlgError):
        return None


def redrawn(solution: OrdinalSolution, rows: list[NDArray[np.int64]]) -> OrdinalSolution | None:
    """The model fitted to these rows of each group; None where a category is empty or the moments do not exist."""
    sample = solution.sample
    assert sample is not None
    groups = tuple(replace(group, data=group.data[at]) for group, at in zip(sample.groups, rows, strict=True))
    if _empty(sample, groups, solution):
        return None
    drawn = replace(sample, groups=groups)
    try:
        statistics = group_statistics(solution.table, drawn, solution.thresholds)
        weights = tuple(_weight(solution.options, part, group.label)
                        for part, group in zip(statistics, groups, strict=True))
        with np.errstate(all="ignore"):
            return fit_categorical(solution.table, solution.options, drawn, statistics, solution.thresholds,
                                   solution.levels, weights, solution.minimum.x[0, : solution.table.n_unique])
    except (SampleError, np.linalg.LinAlgError):
        return None


def _empty(sample: Sample, groups: tuple[Any, ...], solution: OrdinalSolution) -> bool:
    """Whether nobody of some group chose one of the categories."""
    for name, count in solution.thresholds.items():
        at = sample.names.index(name)
        if any(len(np.unique(group.data[~np.isnan(group.data[:, at]), at])) <= count for group in groups):
            return True
    return False
