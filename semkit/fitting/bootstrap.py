"""The bootstrap: all draws of a chunk in one call.

Draws become moments (or sufficient statistics of missing patterns) by matrix products, products and error variances
of composites anew in every draw; :mod:`semkit.fitting.refit` turns those into estimates.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note
from semkit.estimate.standardize import row_values
from semkit.fitting.arguments import require_seed
from semkit.fitting.draws import Draws, checked_level, interval_kind
from semkit.fitting.indices import check_measures, draw_measures
from semkit.fitting.refit import admissible, refit
from semkit.fitting.resampling import Scheme, make_scheme
from semkit.fitting.solution import Solution
from semkit.fitting.tables import solution_rows
from semkit.numerics.jobs import Chunk, Job, run_job

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]

# Draws in one call: as many as let a processor's cache hold the model matrices of all, within these ends.
CHUNK, FEWEST = 250, 100
_CACHE = 160_000
# Numbers that the arrays of one chunk may hold.
_ROOM = 4_000_000


def with_draws(
    fit: Fit, draws: int, seed: int | None, *, kind: str = "ordinary", ci: str = "percentile", level: float = 0.95,
    statistics: Sequence[str] = (),
) -> Fit:
    """A copy of a fit that carries draws, its recipe and provenance saying so."""
    from semkit.fitting.options import draw_count

    if fit.recipe.options.ordered:
        from semkit.fitting.ordinalredraw import ordinal_draws

        found = ordinal_draws(fit, draws, seed, kind=kind, ci=ci, level=level, statistics=statistics)
    else:
        found = bootstrap(fit, draw_count(draws), seed, kind=kind, ci=ci, level=level, statistics=statistics)
    provenance = {**fit.provenance, "seed": found.seed, "draws_requested": found.requested,
                  "draws_failed": found.failed, "draws_inadmissible": found.inadmissible, "draws_kind": found.kind}
    options = replace(fit.recipe.options, bootstrap=found.requested, seed=found.seed)
    return replace(fit, recipe=replace(fit.recipe, options=options), bootstrap_draws=found, provenance=provenance,
                   extra_notes=(*fit.extra_notes, *_left_out(found)))


def _left_out(draws: Draws) -> tuple[Note, ...]:
    """What a researcher must know when many draws could not be used."""
    lost = draws.failed + draws.inadmissible
    if lost <= 0.05 * draws.requested:
        return ()
    return (Note("fitting.draws-left-out", "warning",
                 f"{draws.failed} of {draws.requested} draws did not converge and {draws.inadmissible} had negative "
                 "variances or impossible correlations.", "bootstrap",
                 "What is left is not a sample of all that could have been observed; intervals are too short.",
                 "Look at the variances near 0 and the correlations near 1; a simpler model may be enough."),)


def bootstrap(
    fit: Fit, draws: int, seed: int | None = None, *, kind: str = "ordinary", ci: str = "percentile",
    level: float = 0.95, statistics: Sequence[str] = (), chunk: int | None = None, workers: int | None = None,
) -> Draws:
    """Draws of a fit.

    Parameters
    ----------
    fit : Fit
    draws : int
    seed : int, optional
        Drawn from the system when not given, and recorded.
    kind : {"ordinary", "cluster", "bollen.stine", "noncentral", "parametric"}
        See :mod:`semkit.fitting.resampling`.
    ci, level
        Interval that tables show.
    statistics : sequence of str
        Fit measures to be drawn too (:data:`semkit.fitting.indices.MEASURES`).
    chunk : int, optional
        Draws computed in one call; by default 250, fewer where many respondents, variables or missing patterns
        would need much memory.
    workers : int, optional
        Threads, by default one a processor up to four where the arrays of a chunk are large, else one: threads wait for
        each other between small operations.  The draws are the same to the bit for any number.
    """
    seed = require_seed(seed)
    interval_kind(ci), checked_level(level)
    if kind == "bollen.stine" and "chisq" not in statistics:
        statistics = ("chisq", *statistics)
    task = Refit(fit, make_scheme(fit.solution, kind), check_measures(fit.solution, statistics))
    size = chunk or chunk_size(fit.solution)
    large = size * _numbers(fit.solution) >= _ROOM // 2
    threads = (min(os.cpu_count() or 1, 4) if large else 1) if workers is None else workers
    job = Job(replicates=draws, seed=seed, chunk=size)
    found = run_job(task, job, workers=threads, backend="thread")
    status = found["status"]
    keep, arrived = status == 0, status != 1
    return Draws(
        found["est"][keep], found["std"][keep], draws, int(np.sum(status == 1)), int(np.sum(status == 2)), seed, kind,
        ci, level, found["theta"][keep], found["given"][keep],
        {name: found[f"measure {name}"][arrived] for name in task.measures},
        replace(fit, bootstrap_draws=None) if fit.bootstrap_draws is not None else fit,
    )


def chunk_size(solution: Solution) -> int:
    """Draws in one call: a property of the model, its missing patterns and the respondents, never of the machine."""
    size = max(len(block.fixed) for block in solution.layout.blocks)
    return max(1, min(max(FEWEST, min(CHUNK, _CACHE // size)), _ROOM // _numbers(solution)))


def _numbers(solution: Solution) -> int:
    """About how many numbers the arrays of one draw hold."""
    people = solution.sample.nobs if solution.sample is not None else 0
    one = max([8 * block.p**2 for block in solution.layout.blocks] + [people])
    if solution.least is not None:
        k = max(group.moments.shape[1] for group in solution.least.groups)
        wide = int(k) if solution.options.estimator == "wls" else 0
        one = max(one, int(k * (solution.layout.n_parameters + wide)))
    if solution.patterns is not None:
        one = max(one, 4 * sum(part.mask.shape[0] * part.mask.shape[1] ** 2 for part in solution.patterns))
    return one


@dataclass(eq=False)
class Refit:
    """Estimates of one chunk of draws; ``calls`` counts kernel calls, one an iteration and chunk."""

    fit: Fit
    scheme: Scheme
    measures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, chunk: Chunk) -> dict[str, NDArray[Any]]:
        solution = self.fit.solution
        evidence = self.scheme(chunk)
        given = evidence.given
        theta, converged, calls = refit(solution, evidence)
        self.calls.append(calls)
        good = converged & admissible(solution, theta, given)
        est, std = quantities(self.fit, theta, given)
        finite = np.isfinite(est).all(axis=1)
        status = np.where(~(converged & finite), 1, np.where(good, 0, 2))
        out = {"est": est, "std": std, "status": status, "theta": theta, "given": given}
        found = draw_measures(solution, evidence, theta, self.measures)
        return out | {f"measure {name}": values for name, values in found.items()}


def quantities(fit: Fit, theta: FloatArray, given: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Estimates and standardised estimates ``(b, k)`` in the order of ``fit.names``."""
    solution = fit.solution
    rows = row_values(solution.table, solution.layout, theta, given, slopes=False)
    with np.errstate(all="ignore"):
        found = solution_rows(solution.table, solution, rows, fit.binary, theta, given, ("raw", "result"), slopes=False)
    return found["raw"].value[:, fit._positions], found["result"].value[:, fit._positions]


def in_metric(fit: Fit, theta: FloatArray, given: FloatArray, kind: str) -> FloatArray:
    """All rows of the table ``(b, rows)`` in one metric: ``raw``, ``result`` or a standardised kind."""
    solution = fit.solution
    rows = row_values(solution.table, solution.layout, theta, given, slopes=False)
    with np.errstate(all="ignore"):
        found = solution_rows(solution.table, solution, rows, fit.binary, theta, given, (kind,), slopes=False)
    return np.array(found[kind].value)
