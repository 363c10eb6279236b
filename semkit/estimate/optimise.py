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
    positive: IntArray | None = None,
) -> Minimum:
    """Estimate from the first starting vector that leads to convergence.

    A solution with a negative variance may be one of several minima: then three more starts are tried, and the lowest
    minimum counts.

    Parameters
    ----------
    objective : Objective
        What is minimised.
    starts : iterable of ndarray (B, q)
        Tried in turn, each made only when it is needed; the best attempt is returned when none converges.
    constraints : TableConstraints, optional
    max_iterations : int
        Of the first two attempts; later ones have half of it.
    positive : ndarray of int, optional
        Parameters that no population has below zero.
    """
    best: Minimum | None = None
    attempt, more = 0, _MORE
    for attempt, start in enumerate(starts, start=1):
        limit = max_iterations if attempt <= 2 else max_iterations // 2
        with np.errstate(all="ignore"):
            found = minimise(objective, start, constraints=constraints, max_iterations=limit)
        if best is None or _better(found, best):
            best = found
        if best.converged.all():
            if positive is None or not len(positive) or not np.any(best.x[:, positive] < 0.0) or more == 0:
                break
            more -= 1
    assert best is not None
    return replace(best, attempts=attempt) if attempt > 1 else best


_MORE = 3


def _better(one: Minimum, two: Minimum) -> bool:
    """Converged before not converged, then lower by more than rounding."""
    if one.converged.all() != two.converged.all():
        return bool(one.converged.all())
    return _level(one) < _level(two) - 1e-9


def _level(found: Minimum) -> float:
    """Where an attempt ended; infinite where the objective was not defined."""
    return float(np.sum(np.where(np.isfinite(found.f), found.f, np.inf)))
