"""Two-step moments of ordinal and mixed data under many weight vectors at once: replicate weights.

References
----------
Wolter (2007), Introduction to Variance Estimation, 2nd ed., ch. 3 to 5; Olsson (1979), Psychometrika 44, 443-460.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.categorical import estimate_moments
from semkit.numerics.polychoric import edges, polychoric

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_BLOCK = 4_000_000  # numbers in one array of replicates by respondents by categories


@dataclass(frozen=True, eq=False)
class ReplicateMoments:
    """Moments of one group under ``R`` weight vectors.

    Parameters
    ----------
    vectors : ndarray (R, s)
        In the order of :attr:`semkit.estimate.categorical.Categorical.vector`.
    failed : ndarray (R,) of bool
        Replicates without respondents in some category, or with a correlation that has no estimate inside (-1, 1).
    """

    vectors: FloatArray
    failed: BoolArray


def replicate_moments(
    data: FloatArray, categories: tuple[int, ...], covariates: FloatArray | None, weights: FloatArray,
    size: int, *, zero_add: float = 0.5,
) -> ReplicateMoments:
    """Estimate the moments anew under each weight vector.

    Ordinal variables without covariates are tables of counts: all replicates are one batch.  Otherwise a replicate is
    already an array of pairs by respondents, and they follow one another.

    Parameters
    ----------
    data : ndarray (n, p)
        As in :func:`semkit.estimate.categorical.estimate_moments`.
    categories : tuple of int (p,)
    covariates : ndarray (n, k) or None
    weights : ndarray (R, n)
        0 or more.
    size : int
        Number of moments ``s``.
    zero_add : float
        Added to the empty cell of a 2 x 2 table.
    """
    if covariates is None and all(categories):
        return _tables(data, categories, weights, zero_add)
    vectors = np.full((len(weights), size), np.nan)
    for r, own in enumerate(weights):
        used = own > 0.0
        part = data[used]
        if any(c and len(np.unique(y[~np.isnan(y)])) < c for y, c in zip(part.T, categories, strict=True)):
            continue
        x = None if covariates is None else covariates[used]
        found = estimate_moments(part, categories, x, gamma=False, zero_add=zero_add, weights=own[used])
        if not found.boundary:
            vectors[r] = found.vector
    return ReplicateMoments(vectors, ~np.isfinite(vectors).all(axis=1))


def _tables(data: FloatArray, categories: tuple[int, ...], weights: FloatArray, zero_add: float) -> ReplicateMoments:
    n, p = data.shape
    widest, sizes = max(categories), np.array(categories)
    seen = ~np.isnan(data)
    answer = np.where(seen, data, 0.0).astype(np.int64)
    flat = ((answer[:, :, None] == np.arange(widest)) & seen[:, :, None]).reshape(n, p * widest).astype(np.float64)
    real = np.arange(widest) < sizes[:, None]
    step = max(1, _BLOCK // (n * p * widest))
    parts = [_some_tables(flat, sizes, real, weights[start : start + step], zero_add)
             for start in range(0, len(weights), step)]
    vectors = np.concatenate([part.vectors for part in parts])
    return ReplicateMoments(vectors, np.concatenate([part.failed for part in parts]))


def _some_tables(
    flat: FloatArray, sizes: NDArray[np.int64], real: BoolArray, weights: FloatArray, zero_add: float
) -> ReplicateMoments:
    """Thresholds and polychoric correlations of a few replicates, ``(b, s)``."""
    p, widest = real.shape
    b = len(weights)
    own = (weights @ flat).reshape(b, p, widest)
    empty = np.any((own <= 0.0) & real, axis=(1, 2))
    limits = np.where(np.arange(widest + 1) >= sizes[:, None], np.inf, edges(own))
    joint = (flat.T @ (flat * weights[:, :, None])).reshape(b, p, widest, p, widest)
    j, i = np.triu_indices(p, 1)
    counts = joint.transpose(0, 1, 3, 2, 4)[:, i, j]
    counts = _with_margins_kept(counts, (sizes[i] == 2) & (sizes[j] == 2), zero_add).reshape(-1, widest, widest)
    good = np.repeat(~empty, len(i))
    rho = np.full(len(counts), np.nan)
    if good.any():
        found = polychoric(counts[good], limits[:, i].reshape(-1, widest + 1)[good],
                           limits[:, j].reshape(-1, widest + 1)[good])
        rho[good] = np.where(found.boundary, np.nan, found.rho)
    inside = real[:, :-1] & (np.arange(widest - 1) < sizes[:, None] - 1)
    vectors = np.concatenate([limits[:, :, 1:-1][:, inside], rho.reshape(b, -1)], axis=1)
    return ReplicateMoments(vectors, ~np.isfinite(vectors).all(axis=1))


def _with_margins_kept(counts: FloatArray, binary: BoolArray, zero_add: float) -> FloatArray:
    """Tables ``(b, m, C, C)`` with ``zero_add`` in a single empty cell of a 2 x 2 table, as in the full sample."""
    zero = counts[:, :, :2, :2] <= 0.0
    alone = (zero.sum(axis=(2, 3)) == 1) & binary
    if not alone.any() or not zero_add:
        return counts
    corner = np.argmax(zero.reshape(*zero.shape[:2], 4), axis=2)
    even = (np.arange(4) // 2 + np.arange(4) % 2) % 2  # cells of one diagonal gain, those of the other lose
    sign = np.where(even == (corner // 2 + corner % 2)[..., None] % 2, zero_add, -zero_add).reshape(zero.shape)
    out = counts.copy()
    out[:, :, :2, :2] += np.where(alone[:, :, None, None], sign, 0.0)
    return out
