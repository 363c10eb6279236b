"""Missing patterns of many draws: what resampling or simulation leaves of each, as sufficient statistics.

A respondent's pattern does not change when it is drawn again, so a draw is described by how many of each pattern it
has and by their means and covariances: memory ``B J p^2``, whatever the number of respondents.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.numerics.chord import solve_chord
from semkit.numerics.em import Patterns, saturated
from semkit.numerics.inverse import inverses

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PatternDraws:
    """Respondents of one group by missing pattern, in ``B`` draws; cells that are not observed hold 0.

    Parameters
    ----------
    mask : ndarray (J, p) of bool
    count : ndarray (B, J)
    mean : ndarray (B, J, p)
    cov : ndarray (B, J, p, p)
        Divisor: the pattern's own size in the draw.
    """

    mask: BoolArray
    count: FloatArray
    mean: FloatArray
    cov: FloatArray

    def take(self, rows: IntArray) -> PatternDraws:
        """Some of the draws."""
        return PatternDraws(self.mask, self.count[rows], self.mean[rows], self.cov[rows])

    def one(self, b: int) -> Patterns:
        """One draw; patterns nobody has are left out."""
        there = self.count[b] > 0.0
        return Patterns(self.mask[there], self.count[b, there], self.mean[b, there], self.cov[b, there])

    @cached_property
    def _live(self) -> tuple[IntArray, IntArray, IntArray]:
        """Draw and pattern of everything that somebody has, and where each draw begins."""
        draw, pattern = np.nonzero(self.count > 0.0)
        return draw, pattern, np.searchsorted(draw, np.arange(len(self.count)))

    def _against(self, mu: FloatArray, sigma: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Weights, inverses of the observed parts, deviations of means, and filled matrices of every live pattern."""
        draw, pattern, _ = self._live
        mask = self.mask[pattern]
        both = mask[:, :, None] & mask[:, None, :]
        filled = np.where(both, sigma[draw], np.eye(sigma.shape[-1]))
        w = np.where(both, inverses(filled), 0.0)
        gap = np.where(mask, self.mean[draw, pattern] - mu[draw], 0.0)
        return self.count[draw, pattern], w, gap, filled

    def pulls(self, mu: FloatArray, sigma: FloatArray) -> tuple[FloatArray, FloatArray]:
        """``sum_j n_j (W_j - W_j T_j W_j)`` ``(B, p, p)`` and ``sum_j n_j W_j d_j`` ``(B, p)``.

        Derivatives of the deviance are ``tr(Q dSigma) - 2 l'dmu``.
        """
        draw, pattern, first = self._live
        count, w, gap, _ = self._against(mu, sigma)
        level = (w @ gap[:, :, None])[:, :, 0]
        q = w - w @ self.cov[draw, pattern] @ w - level[:, :, None] * level[:, None, :]
        return (np.add.reduceat(q * count[:, None, None], first, axis=0),
                np.add.reduceat(level * count[:, None], first, axis=0))

    def deviance(self, mu: FloatArray, sigma: FloatArray) -> FloatArray:
        """``sum_j n_j (log|Sigma_j| + tr(T_j Sigma_j^-1))`` of each draw ``(B,)``; NaN if not positive definite."""
        draw, pattern, first = self._live
        count, w, gap, filled = self._against(mu, sigma)
        sign, logdet = np.linalg.slogdet(filled)
        target = self.cov[draw, pattern] + gap[:, :, None] * gap[:, None, :]
        each = np.where(sign > 0, logdet, np.nan) + np.einsum("jab,jab->j", w, target)
        return np.asarray(np.add.reduceat(count * each, first))

    def columns(self, pick: list[int]) -> PatternDraws:
        """The patterns of some columns; those with nothing left count nobody."""
        mask = self.mask[:, pick]
        there = mask.any(axis=1)
        cov = self.cov[:, there][:, :, pick][:, :, :, pick]
        return PatternDraws(mask[there], self.count[:, there], self.mean[:, there][:, :, pick], cov)


def weighted_patterns(data: FloatArray, weights: FloatArray) -> PatternDraws:
    """Patterns of the rows ``(n, p)`` with NaN under ``B`` weight vectors ``(B, n)``."""
    mask, rows = _by_pattern(data)
    batch, p = len(weights), data.shape[1]
    count = np.zeros((batch, len(mask)))
    mean, cov = np.zeros((batch, len(mask), p)), np.zeros((batch, len(mask), p, p))
    for j, (seen, at) in enumerate(zip(mask, rows, strict=True)):
        part, w = data[np.ix_(at, seen)], weights[:, at]
        centre = part.mean(axis=0)
        part = part - centre
        k = part.shape[1]
        low, high = np.tril_indices(k)
        total = w.sum(axis=1)
        safe = np.where(total > 0.0, total, 1.0)[:, None]
        first = w @ part / safe
        second = w @ (part[:, low] * part[:, high]) / safe - first[:, low] * first[:, high]
        square = np.zeros((batch, k, k))
        square[:, low, high] = second
        square[:, high, low] = second
        at_cov = np.flatnonzero(seen)
        count[:, j] = total
        mean[:, j, at_cov] = np.where(total[:, None] > 0.0, first + centre, 0.0)
        cov[:, j, at_cov[:, None], at_cov[None, :]] = square
    return PatternDraws(mask, count, mean, cov)


def filled_patterns(mask_of: FloatArray, draws: FloatArray) -> PatternDraws:
    """Patterns of complete data sets ``(B, n, p)`` after the cells that are NaN in ``mask_of (n, p)`` are lost."""
    mask, rows = _by_pattern(mask_of)
    batch, _, p = draws.shape
    count = np.tile([float(len(at)) for at in rows], (batch, 1))
    mean, cov = np.zeros((batch, len(mask), p)), np.zeros((batch, len(mask), p, p))
    for j, (seen, at) in enumerate(zip(mask, rows, strict=True)):
        part = np.where(seen, draws[:, at], 0.0)
        mean[:, j] = part.mean(axis=1)
        part = part - mean[:, j, None]
        cov[:, j] = part.swapaxes(1, 2) @ part / len(at)
    return PatternDraws(mask, count, mean, cov)


def _by_pattern(data: FloatArray) -> tuple[BoolArray, list[IntArray]]:
    """Patterns that see anything, and the rows that have them."""
    seen = ~np.isnan(data)
    mask, index = np.unique(seen, axis=0, return_inverse=True)
    index = index.ravel()
    kept = [j for j in range(len(mask)) if mask[j].any()]
    return mask[kept], [np.flatnonzero(index == j) for j in kept]


def saturated_draws(
    patterns: PatternDraws, mean: FloatArray, cov: FloatArray, information: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Saturated means ``(B, p)`` and covariances ``(B, p, p)`` of every draw, from those of the full sample.

    Chord Newton with the full sample's information; draws that do not arrive go through EM by themselves.

    Parameters
    ----------
    mean, cov : ndarray (p,), (p, p)
        Saturated moments of the full sample.
    information : ndarray (k, k)
        Exact information per respondent, means first, then the lower triangle row by row.
    """
    p, batch = len(mean), len(patterns.count)
    low, high = np.tril_indices(p)
    scale = np.where(low == high, 1.0, 2.0)
    total = patterns.count.sum(axis=1)

    def unpack(z: FloatArray) -> tuple[FloatArray, FloatArray]:
        square = np.empty((len(z), p, p))
        square[:, low, high] = z[:, p:]
        square[:, high, low] = z[:, p:]
        return z[:, :p], square

    def residual(z: FloatArray, rows: IntArray) -> FloatArray:
        part = patterns if len(rows) == batch else patterns.take(rows)
        q, level = part.pulls(*unpack(z))
        return np.asarray(np.concatenate([-2.0 * level, scale * q[:, low, high]], axis=1) / total[rows, None])

    start = np.tile(np.concatenate([mean, cov[low, high]]), (batch, 1))
    try:
        with np.errstate(all="ignore"):
            inverse = np.asarray(0.5 * np.linalg.inv(information), dtype=np.float64)
            found = solve_chord(residual, start, inverse, 2.0 * information, tolerance=1e-16, max_iterations=40)
        z, arrived = found.z, found.converged
    except np.linalg.LinAlgError:  # a draw ran into a singular matrix
        z, arrived = start, np.zeros(batch, dtype=bool)
    means, covs = unpack(z)
    covs = covs.copy()
    arrived = arrived & (np.linalg.eigvalsh(np.where(np.isfinite(covs), covs, 0.0))[:, 0] > 0.0)
    means = means.copy()
    for b in np.flatnonzero(~arrived):
        means[b], covs[b], good = saturated(patterns.one(int(b)))
        if not good:
            means[b], covs[b] = np.nan, np.nan
    return means, covs
