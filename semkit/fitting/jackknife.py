"""Leaving out respondents: the acceleration of BCa intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem
from semkit.fitting.bootstrap import in_metric
from semkit.fitting.indices import draw_measures
from semkit.fitting.moderated import ModeratedSolution
from semkit.fitting.refit import refit
from semkit.fitting.resampling import reweighted, turned
from semkit.fitting.solution import Solution
from semkit.numerics.intervals import acceleration
from semkit.numerics.jobs import Chunk, Job, run_job

if TYPE_CHECKING:
    from semkit.fitting.draws import Draws

FloatArray = NDArray[np.float64]
BLOCKS = 1000
_KINDS = ("raw", "result", "std_all", "std_lv", "std_nox")


def accelerations(draws: Draws) -> Mapping[str, FloatArray]:
    """``a`` of every row of the table by metric (``raw``, ``result``, ``std_lv``, ...), of every measure ``(1,)``.

    Each respondent (each primary unit under ``kind="cluster"``; each of 1,000 random blocks when there are more) is
    left out once and the model refitted in batched calls.  Of ``n`` blocks the influence value is ``(n - 1)`` times
    the mean of the estimates less the one without the block.

    References
    ----------
    Davison & Hinkley (1997), eqs. 2.43 and 5.28.
    """
    fit = draws.fit
    assert fit is not None
    from semkit.fitting.redraw import moderated_rows

    solution = fit.solution
    if draws.kind == "parametric" or type(solution) not in (Solution, ModeratedSolution):
        what = "for draws of a parametric bootstrap" if draws.kind == "parametric" else "for latent products"
        raise NotSupportedError(Problem("fitting.bootstrap-kind", "bca", what, "percentile, bc, normal, basic",
                                        "Use ci='bc'."))
    blocks = left_out(solution, draws.kind)
    data = turned(solution, 0.0) if draws.kind == "bollen.stine" else None

    def task(chunk: Chunk) -> dict[str, FloatArray]:
        weights = without(solution, blocks, np.arange(chunk.start, chunk.stop))
        if isinstance(solution, ModeratedSolution):
            return moderated_rows(fit, weights, _KINDS)
        evidence = reweighted(solution, weights, data)
        theta, converged, _ = refit(solution, evidence)
        theta = np.where(converged[:, None], theta, np.nan)
        out = {kind: in_metric(fit, theta, evidence.given, kind) for kind in _KINDS}
        return out | draw_measures(solution, evidence, theta, tuple(draws.statistics))

    count = int(max(block.max() for block in blocks)) + 1
    found = run_job(task, Job(replicates=count, seed=0, chunk=draw_chunk(solution)))
    group = _group_of(blocks, count)
    out: dict[str, FloatArray] = {}
    for kind, values in found.items():
        columns = values if values.ndim == 2 else values[:, None]
        # rows of what is not a number in any metric (constraints) stay out of it
        there = np.isfinite(columns).any(axis=0)
        good = np.isfinite(columns[:, there]).all(axis=1)
        parts = [columns[(group == g) & good] for g in np.unique(group)]
        out[kind] = acceleration(tuple((len(own) - 1.0) * (own.mean(axis=0) - own) for own in parts))
    return out


def left_out(solution: Solution, kind: str) -> list[NDArray[np.int64]]:
    """Which block each respondent of each group leaves with; blocks lie within a group except primary units."""
    sample = solution.sample
    assert sample is not None
    if kind == "cluster" and sample.sampling is not None:
        codes = np.unique(sample.sampling.psu, return_inverse=True)[1]
        return np.split(codes, np.cumsum([group.nobs for group in sample.groups])[:-1])
    total = sum(group.nobs for group in sample.groups)
    generator = np.random.default_rng(0)
    out, start = [], 0
    for group in sample.groups:
        count = min(group.nobs, max(2, round(BLOCKS * group.nobs / total)))
        codes = generator.permutation(np.arange(group.nobs) % count)
        out.append(codes + start)
        start += count
    return out


def without(solution: Solution, blocks: list[NDArray[np.int64]], which: NDArray[np.int64]) -> list[FloatArray]:
    """Weights ``(b, n_g)`` with one block left out each."""
    sample = solution.sample
    assert sample is not None
    out = []
    for codes, group in zip(blocks, sample.groups, strict=True):
        weight = (codes[None, :] != which[:, None]).astype(np.float64)
        out.append(weight * group.weights if sample.sampling is not None else weight)
    return out


def _group_of(blocks: list[NDArray[np.int64]], count: int) -> NDArray[np.int64]:
    """The group a block belongs to (the first of them)."""
    out = np.zeros(count, dtype=np.int64)
    for g in reversed(range(len(blocks))):
        out[blocks[g]] = g
    return out


def draw_chunk(solution: Solution) -> int:
    """Draws in one call: :func:`semkit.fitting.bootstrap.chunk_size`."""
    from semkit.fitting.bootstrap import chunk_size

    return chunk_size(solution)
