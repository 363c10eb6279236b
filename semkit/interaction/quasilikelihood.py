"""The quasi-likelihood of all groups with its derivatives (see :mod:`semkit.interaction.quasi`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.implied import Implied
from semkit.interaction.mixture import Evaluation
from semkit.interaction.quasi import Pattern, QuasiPart, cases, conditional, eta_moments, sums_of_one
from semkit.interaction.reduced import Small

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_STEP = 1e-30
_DIFFERENCE = 1e-5
_CHUNK = 2000  # parameter vectors in one batch of small matrices


@dataclass(frozen=True, eq=False)
class QuasiObjective:
    """The quasi-log-likelihood of all groups.

    Parameters
    ----------
    parts : tuple of QuasiPart
    given : ndarray (e,)
    level, offset : float
        As in :class:`semkit.interaction.likelihood.MixtureObjective`.
    """

    parts: tuple[QuasiPart, ...]
    given: FloatArray
    level: float = 0.0
    offset: float = 0.0

    @cached_property
    def n(self) -> int:
        return sum(part.n for part in self.parts)

    def at(self, theta: FloatArray, order: str = "exact") -> Evaluation:
        """Log-likelihood with derivatives; the Hessian by central differences of the exact gradient."""
        with np.errstate(all="ignore"):
            found = self._all(theta[None], order != "gradient")[0]
            if order != "exact" or not np.isfinite(found.logl):
                return found
            steps = _DIFFERENCE * np.maximum(np.abs(theta), 0.1)
            shifts = np.diag(steps)
            both = self._all(np.concatenate([theta + shifts, theta - shifts]), False)
        q = len(theta)
        gradients = np.array([one.gradient for one in both])
        hessian = (gradients[:q] - gradients[q:]) / (2.0 * steps[:, None])
        return replace(found, hessian=0.5 * (hessian + hessian.T))

    def _all(self, thetas: FloatArray, outer: bool) -> list[Evaluation]:
        """Values and gradients at several parameter vectors; derivatives of what respondents share by complex steps."""
        batch, q = thetas.shape
        logl, gradient = np.full(batch, -self.offset), np.zeros((batch, q))
        scores = np.zeros((batch, self.n if outer else 0, q))
        cut = np.cumsum([0, *(part.n for part in self.parts)])
        for part, first in zip(self.parts, cut[:-1], strict=True):
            own, mine = scores[:, first : first + part.n], part.model.parameters
            width = max(1, _CHUNK // len(mine))
            for start in range(0, batch, width):
                at = slice(start, min(start + width, batch))
                steps = (thetas[at][:, None, :] + 1j * _STEP * np.eye(q)[mine]).reshape(-1, q)
                small = part.model.small(steps, self.given)
                for pattern in part.patterns:
                    self._add(part, pattern, small, np.arange(start, at.stop), (logl, gradient, own), outer)
        return [Evaluation(float(v), g, None, s.T @ s if outer else None, s if outer else None)
                for v, g, s in zip(logl, gradient, scores, strict=True)]

    def implied(self, theta: FloatArray) -> tuple[Implied, ...]:
        """Total moments of each group."""
        return tuple(part.model.implied(theta, self.given) for part in self.parts)

    def variances(self, theta: FloatArray, *, slopes: bool = True) -> list[tuple[FloatArray, FloatArray]]:
        """Total variances of observed variables and eta of each group, with derivatives."""
        return [part.model.variances(theta, self.given) for part in self.parts]

    def covariances(self, theta: FloatArray) -> list[FloatArray]:
        """Derivatives ``(q, p, p)`` of each group's total covariances of observed variables."""
        return [part.model.covariances(theta, self.given) for part in self.parts]

    def eta_moments(self, theta: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """Means and variances of eta given each respondent's answers, by group, ``(n, m)`` each."""
        return [eta_moments(part, theta, self.given) for part in self.parts]

    def reweighted(self, weights: list[FloatArray], given: FloatArray) -> QuasiObjective:
        """The same with case weights of each group."""
        parts = tuple(part.weighted(weight) for part, weight in zip(self.parts, weights, strict=True))
        return replace(self, parts=parts, given=given)

    @staticmethod
    def _add(
        part: QuasiPart, pattern: Pattern, small: Small, places: IntArray,
        totals: tuple[FloatArray, FloatArray, FloatArray], outer: bool,
    ) -> None:
        """One pattern's contributions at several parameter vectors."""
        logl, gradient, scores = totals
        mine = part.model.parameters
        q = len(mine)
        try:
            moved = conditional(small, pattern)
        except np.linalg.LinAlgError:
            logl[places] = np.nan
            return
        inside = moved.w[::q].real
        valid = np.isfinite(inside).all(axis=(1, 2))
        valid[valid] = np.linalg.eigvalsh(inside[valid])[:, 0] > 0.0
        logl[places[~valid]] = np.nan
        slopes = moved.flat().imag.reshape(len(places), q, -1) / _STEP
        for j, place in enumerate(places):
            one = moved.real(j * q)
            if not outer and len(pattern.marks) == 1:
                found = sums_of_one(one, pattern, part.model.pairs)
            else:
                found = cases(one, pattern, part.model.pairs, summed=not outer)
            logl[place] += pattern.weight @ found.logl
            if not outer:
                gradient[place, mine] += slopes[j] @ found.slope
                continue
            each = pattern.weight[:, None] * (found.slope @ slopes[j].T)
            gradient[place, mine] += each.sum(axis=0)
            scores[place, pattern.rows[:, None], mine] = each
