"""What ``B`` draws say of a model: discrepancy and derivatives of many data sets at once, complete or with gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import Observed, discrepancy
from semkit.estimate.fiml import PatternObjective, pattern_discrepancy
from semkit.estimate.gradient import curvature, slope, slope_from
from semkit.estimate.implied import imply
from semkit.estimate.layout import Layout
from semkit.estimate.leastsquares import LeastSquares, squares
from semkit.estimate.optimise import LikelihoodObjective
from semkit.numerics.em import Patterns
from semkit.numerics.newton import Constraints, Objective, minimise
from semkit.numerics.patterns import PatternDraws

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
# the constraints of draws with these data-dependent values ``(b, d)``
Limits = Callable[[FloatArray], Constraints | None]


def _positive_definite(observed: tuple[Observed, ...]) -> BoolArray:
    """Draws whose covariance matrices are positive definite in every group, ``(B,)``."""
    return np.asarray(np.all([np.isfinite(group.logdet) for group in observed], axis=0))


def _newton(
    objective: Objective, start: FloatArray, constraints: Constraints | None, steps: int
) -> tuple[FloatArray, BoolArray, int]:
    """Where Newton's method ended ``(B, q)``, whether it arrived ``(B,)``, iterations."""
    ended = minimise(objective, start, constraints=constraints, scoring_steps=4, tolerance=1e-12,
                     max_iterations=steps)
    return ended.x, ended.converged, ended.iterations


class Evidence(Protocol):
    """Data of ``B`` draws as the refit wants them."""

    @property
    def given(self) -> FloatArray:
        """Data-dependent fixed values, ``(B, d)``."""
    @property
    def usable(self) -> BoolArray:
        """Draws from which anything can be estimated, ``(B,)``."""
    def take(self, rows: IntArray) -> Evidence:
        """Some of the draws."""
    def value(self, theta: FloatArray) -> FloatArray:
        """Discrepancy ``(B,)``."""
    def gradient(self, theta: FloatArray) -> FloatArray:
        """Its derivative ``(B, q)``."""
    def hessian(self, theta: FloatArray) -> FloatArray:
        """Its exact second derivative ``(B, q, q)``."""
    def bent(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The gradient and about the diagonal of the expected second derivative, the units of the parameters."""
    def minimise(self, start: FloatArray, limits: Limits, steps: int) -> tuple[FloatArray, BoolArray, int]:
        """Newton's method from ``start (B, q)``: where it ended, whether it arrived, iterations."""


@dataclass(frozen=True, eq=False)
class CompleteData:
    """Moments of ``B`` draws.

    Parameters
    ----------
    layout : Layout
    observed : tuple of Observed, one a group
    given : ndarray (B, d)
    """

    layout: Layout
    observed: tuple[Observed, ...]
    given: FloatArray

    @cached_property
    def usable(self) -> BoolArray:
        return _positive_definite(self.observed)

    def take(self, rows: IntArray) -> CompleteData:
        if len(rows) == len(self.given):
            return self
        return CompleteData(self.layout, tuple(part.take(rows) for part in self.observed), self.given[rows])

    def value(self, theta: FloatArray) -> FloatArray:
        return discrepancy(self.layout, theta, self.observed, self.given, "value").f

    def gradient(self, theta: FloatArray) -> FloatArray:
        if theta.strides[0] == 0 and self.given.shape[1] == 0:  # one row for all: its inverse once
            return slope(self.layout, theta[:1], self.observed, self.given[:1])
        return slope(self.layout, theta, self.observed, self.given)

    def hessian(self, theta: FloatArray) -> FloatArray:
        found = discrepancy(self.layout, theta, self.observed, self.given, "exact").hessian
        assert found is not None
        return found

    def bent(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        by = np.zeros_like(theta)
        return slope(self.layout, theta, self.observed, self.given, by), by

    def minimise(self, start: FloatArray, limits: Limits, steps: int) -> tuple[FloatArray, BoolArray, int]:
        objective = LikelihoodObjective(self.layout, self.observed, self.given)
        return _newton(objective, start, limits(self.given), steps)


@dataclass(frozen=True, eq=False)
class GappedData:
    """Missing patterns of ``B`` draws; the level of the discrepancy is that of the deviance, per respondent.

    Parameters
    ----------
    layout : Layout
    patterns : tuple of PatternDraws, one a group
    given : ndarray (B, d)
    """

    layout: Layout
    patterns: tuple[PatternDraws, ...]
    given: FloatArray

    @property
    def usable(self) -> BoolArray:
        return np.ones(len(self.given), dtype=bool)

    @cached_property
    def totals(self) -> FloatArray:
        """Respondents of each draw, ``(B,)``."""
        return np.asarray(sum(part.count.sum(axis=1) for part in self.patterns))

    def take(self, rows: IntArray) -> GappedData:
        if len(rows) == len(self.given):
            return self
        return GappedData(self.layout, tuple(part.take(rows) for part in self.patterns), self.given[rows])

    def value(self, theta: FloatArray) -> FloatArray:
        out = np.zeros(len(theta))
        for block, part in zip(self.layout.blocks, self.patterns, strict=True):
            implied = imply(block, theta, self.given)
            out += part.deviance(implied.mu, implied.sigma)
        return out / self.totals

    def gradient(self, theta: FloatArray) -> FloatArray:
        out = np.zeros_like(theta)
        for block, part in zip(self.layout.blocks, self.patterns, strict=True):
            implied = imply(block, theta, self.given)
            q, left = part.pulls(implied.mu, implied.sigma)
            slope_from(block, implied, q / self.totals[:, None, None], left / self.totals[:, None], out)
        return out

    def hessian(self, theta: FloatArray) -> FloatArray:
        out = np.empty((*theta.shape, theta.shape[1]))
        for b in range(len(theta)):
            found = pattern_discrepancy(self.layout, theta[b : b + 1], self._one(b), self.given[b : b + 1], 0.0)
            assert found.hessian is not None
            out[b] = found.hessian[0]
        return out

    def bent(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """With the second derivative of complete data: what the gaps take away is much the same in every draw."""
        everybody = float(self.totals.sum())
        shares = tuple(float(part.count.sum()) / everybody for part in self.patterns)
        return self.gradient(theta), curvature(self.layout, theta, shares, self.given)

    def minimise(self, start: FloatArray, limits: Limits, steps: int) -> tuple[FloatArray, BoolArray, int]:
        x, arrived, calls = start.copy(), np.zeros(len(start), dtype=bool), 0
        for b in range(len(start)):
            given = self.given[b : b + 1]
            objective = PatternObjective(self.layout, self._one(b), given, 0.0)
            x[b : b + 1], arrived[b : b + 1], more = _newton(objective, start[b : b + 1], limits(given), steps)
            calls += more
        return x, arrived, calls

    def _one(self, b: int) -> tuple[Patterns, ...]:
        return tuple(part.one(b) for part in self.patterns)


@dataclass(frozen=True, eq=False)
class SquaresData:
    """Least-squares problems of ``B`` draws.

    Parameters
    ----------
    problem : LeastSquares
        With moments, and weights that depend on the data, of every draw.
    observed : tuple of Observed, one a group
    given : ndarray (B, d)
    """

    problem: LeastSquares
    observed: tuple[Observed, ...]
    given: FloatArray

    @cached_property
    def usable(self) -> BoolArray:
        return _positive_definite(self.observed)

    def take(self, rows: IntArray) -> SquaresData:
        if len(rows) == len(self.given):
            return self
        model, groups = self.problem.model.take(rows), tuple(group.take(rows) for group in self.problem.groups)
        return SquaresData(LeastSquares(model, groups), tuple(part.take(rows) for part in self.observed),
                           self.given[rows])

    def value(self, theta: FloatArray) -> FloatArray:
        return squares(self.problem.model, theta, self.problem.groups, "value").f

    def gradient(self, theta: FloatArray) -> FloatArray:
        found = squares(self.problem.model, theta, self.problem.groups, "gradient").gradient
        assert found is not None
        return found

    def hessian(self, theta: FloatArray) -> FloatArray:
        found = squares(self.problem.model, theta, self.problem.groups, "exact").hessian
        assert found is not None
        return found

    def bent(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.gradient(theta), self.problem.curvature(theta)

    def minimise(self, start: FloatArray, limits: Limits, steps: int) -> tuple[FloatArray, BoolArray, int]:
        return _newton(self.problem, start, limits(self.given), steps)
