"""Full-information likelihood of incomplete data: the discrepancy, pattern by pattern.

    F = 1/N sum_j n_j [log|Sigma_j| + tr(T_j Sigma_j^-1)] - the same of the saturated model

Each pattern is a complete-data problem whose inverse has zeros where nothing was observed, so derivatives are those of
:mod:`semkit.estimate.discrepancy` with patterns on the batch axis, summed.  The expected Hessian is the one under
values missing completely at random with the patterns as they are.

References
----------
Arbuckle (1996), in Marcoulides & Schumacker (eds), Advanced Structural Equation Modeling, 243-277;
Savalei (2010), Psychological Methods 15, 352-367 (information matrices); Kenward & Molenberghs (1998),
Statistical Science 13, 236-247 (why the default is the observed one).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import Order, Value, _exact, _expected
from semkit.estimate.implied import frame, imply, mean_factor
from semkit.estimate.layout import Block, Layout
from semkit.numerics.em import Patterns, masked_inverse

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_CACHE = 40_000


@dataclass(frozen=True, eq=False)
class PatternObjective:
    """The discrepancy as the optimiser wants it.

    Parameters
    ----------
    layout : Layout
    patterns : tuple of Patterns, one a group
    given : ndarray (1, d)
    level : float
        Deviance of the saturated model, summed over groups.
    """

    layout: Layout
    patterns: tuple[Patterns, ...]
    given: FloatArray
    level: float

    def __call__(self, x: FloatArray, rows: IntArray, exact: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        order: Order = "exact" if exact else "expected"
        value = pattern_discrepancy(self.layout, x, self.patterns, self.given, self.level, order)
        assert value.gradient is not None and value.hessian is not None
        return value.f, value.gradient, value.hessian


def pattern_discrepancy(
    layout: Layout, theta: FloatArray, patterns: tuple[Patterns, ...], given: FloatArray, level: float,
    order: Order = "exact",
) -> Value:
    """Discrepancy per respondent with its derivatives, for each row of ``theta (B, q)``; ``given`` is ``(1, d)``."""
    batch, q = theta.shape
    total = sum(part.nobs for part in patterns)
    f, gradient, hessian = np.full(batch, -level / total), np.zeros((batch, q)), np.zeros((batch, q, q))
    for b in range(batch):
        for block, part in zip(layout.blocks, patterns, strict=True):
            value, slope, curve = _group(block, theta[b : b + 1], part, given, order)
            f[b] += value / total
            source = block.free.source
            np.add.at(gradient[b], source, slope / total)
            if curve is not None:
                np.add.at(hessian[b], (source[:, None], source[None, :]), curve / total)
    return Value(f, gradient, hessian if order in ("expected", "exact") else None)


def _group(
    block: Block, theta: FloatArray, part: Patterns, given: FloatArray, order: Order
) -> tuple[float, FloatArray, FloatArray | None]:
    implied = imply(block, theta, given)
    w, logdet = masked_inverse(implied.sigma, part.mask)
    gap = np.where(part.mask, part.mean - implied.mu, 0.0)
    target = part.cov + gap[:, :, None] * gap[:, None, :]
    value = float(part.count @ (logdet + np.einsum("jab,jab->j", w, target)))
    columns = frame(block, implied)
    q = w - w @ target @ w
    u, v, scale = block.factors
    by_q = columns.swapaxes(1, 2) @ (q @ columns)
    wd = (gap[:, None, :] @ w @ columns)[:, 0, :]
    t = mean_factor(block, implied)
    slope = part.count @ (2.0 * scale * by_q[:, u, v] - 2.0 * t * wd[:, u])
    if order not in ("expected", "exact"):
        return value, slope, None
    by_w = columns.swapaxes(1, 2) @ (w @ columns)
    curve = np.zeros((len(u), len(u)))
    width = max(1, _CACHE // max(len(u) ** 2, 1))
    for start in range(0, len(w), width):
        at = slice(start, start + width)
        piece = (_expected(block, by_w[at], t) if order == "expected"
                 else _exact(block, implied, by_w[at], by_q[at], wd[at], t))
        curve += np.einsum("j,jab->ab", part.count[at], piece)
    return value, slope, curve


def pattern_scores(
    block: Block, theta: FloatArray, given: FloatArray, data: FloatArray, n_parameters: int
) -> FloatArray:
    """Case-wise derivatives of the log-likelihood ``(n, q)`` for data ``(n, p)`` with NaN."""
    implied = imply(block, theta[None], given[None])
    mask, index = np.unique(~np.isnan(data), axis=0, return_inverse=True)
    index = index.ravel()
    w, _ = masked_inverse(implied.sigma, mask)
    columns = frame(block, implied)[0]
    u, v, scale = block.factors
    t = mean_factor(block, implied)[0]
    z = np.where(np.isnan(data), 0.0, data - implied.mu[0])
    out = np.zeros((len(data), n_parameters))
    for j in range(len(mask)):
        rows = np.flatnonzero(index == j)
        right = w[j] @ columns
        across = z[rows] @ right
        by_cell = scale * (across[:, u] * across[:, v] - (columns.T @ right)[u, v]) + t * across[:, u]
        np.add.at(out.T, (block.free.source[:, None], rows[None, :]), by_cell.T)
    return out


def pattern_first_order(
    layout: Layout, theta: FloatArray, given: FloatArray, data: tuple[FloatArray, ...]
) -> FloatArray:
    """Mean outer product of the case-wise scores (per respondent), ``(q, q)``."""
    total = np.zeros((layout.n_parameters, layout.n_parameters))
    for block, part in zip(layout.blocks, data, strict=True):
        s = pattern_scores(block, theta, given, part, layout.n_parameters)
        total += s.T @ s
    return total / sum(len(part) for part in data)


def saturated_information(
    patterns: Patterns, mean: FloatArray, cov: FloatArray, *, exact: bool
) -> FloatArray:
    """Information of the saturated model (means, then covariances row by row of the lower triangle), per respondent.

    Half the Hessian of the discrepancy with ``dSigma/dsigma_ab`` of ones at ``ab`` and ``ba``.
    """
    p = len(mean)
    rows, cols = np.tril_indices(p)
    scale = np.where(rows == cols, 0.5, 1.0)
    w, _ = masked_inverse(cov[None], patterns.mask)
    by_count = patterns.count[:, None, None] * w
    r, level = w, np.zeros((len(w), p))
    if exact:
        gap = np.where(patterns.mask, patterns.mean - mean, 0.0)
        r = 2.0 * w @ (patterns.cov + gap[:, :, None] * gap[:, None, :]) @ w - w
        level = (w @ gap[:, :, None])[:, :, 0]
    # sums over patterns of w_ac r_bd, one row a at a time so that nothing grows with the fourth power of p
    half = np.empty((p, p, len(rows)))
    flat = r.reshape(len(r), p * p)
    for a in range(p):
        whole = (by_count[:, a].T @ flat).reshape(p, p, p).swapaxes(0, 1)
        half[a] = whole[:, rows, cols] + whole[:, cols, rows]
    cross = np.einsum("jac,jb->abc", by_count, level)
    cross = scale * (cross[:, cols, rows] + cross[:, rows, cols])
    out = np.empty((p + len(rows), p + len(rows)))
    out[p:, p:] = 0.5 * (half[rows, cols] + half[cols, rows]) * scale[:, None] * scale
    out[:p, :p] = by_count.sum(axis=0)
    out[:p, p:], out[p:, :p] = cross, cross.T
    return out / patterns.nobs


def saturated_scores(data: FloatArray, mean: FloatArray, cov: FloatArray) -> FloatArray:
    """Case-wise scores of the saturated model ``(n, p + p(p+1)/2)`` for data with NaN."""
    p = len(mean)
    rows, cols = np.tril_indices(p)
    scale = np.where(rows == cols, 0.5, 1.0)
    mask, index = np.unique(~np.isnan(data), axis=0, return_inverse=True)
    w, _ = masked_inverse(cov[None], mask)
    own = w[index.ravel()]
    z = np.where(np.isnan(data), 0.0, data - mean)
    level = np.einsum("nab,nb->na", own, z)
    return np.column_stack([level, scale * (level[:, rows] * level[:, cols] - own[:, rows, cols])])
