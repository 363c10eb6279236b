"""Minimising the discrepancy: objective, starting values, constraints and the ladder of restarts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import Observed, discrepancy
from semkit.estimate.expressions import TableConstraints
from semkit.estimate.layout import Layout
from semkit.numerics.newton import Minimum, Objective, minimise

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LikelihoodObjective:
    """The discrepancy of ``B`` draws as the optimiser wants it."""

    layout: Layout
    observed: tuple[Observed, ...]
    given: FloatArray

    def __call__(self, x: FloatArray, rows: IntArray, exact: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        whole = len(rows) == len(self.given)
        data = self.observed if whole else tuple(group.take(rows) for group in self.observed)
        given = self.given if whole else self.given[rows]
        value = discrepancy(self.layout, x, data, given, "exact" if exact else "expected")
        assert value.gradient is not None and value.hessian is not None
        return value.f, value.gradient, value.hessian


def solve(
    objective: Objective,
    starts: Iterable[FloatArray],
    constraints: TableConstraints | None = None,
    max_iterations: int = 200,
) -> Minimum:
    """Estimate from the first starting vector that leads to convergence.

    Parameters
    ----------
    objective : Objective
        What is minimised.
    starts : iterable of ndarray (B, q)
        Tried in turn, each made only when it is needed; the best attempt is returned when none converges.
    constraints : TableConstraints, optional
    """
    best: Minimum | None = None
    attempt = 0
    for attempt, start in enumerate(starts, start=1):
        with np.errstate(all="ignore"):
            found = minimise(objective, start, constraints=constraints, max_iterations=max_iterations)
        if found.converged.all():
            return replace(found, attempts=attempt) if attempt > 1 else found
        if best is None or _level(found) < _level(best):
            best = found
    assert best is not None
    return replace(best, attempts=attempt)


def _level(found: Minimum) -> float:
    """Where an attempt ended; infinite where the objective was not defined."""
    return float(np.sum(np.where(np.isfinite(found.f), found.f, np.inf)))
