"""The saturated normal model with missing values: means and covariances by the EM algorithm.

Respondents are grouped by what they answered; a pattern enters with its size, means and covariances only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_TOLERANCE = 1e-11  # largest change of a mean or covariance, in standard deviations of the variables
_MAX_ITERATIONS = 20_000


@dataclass(frozen=True, eq=False)
class Patterns:
    """Respondents of one group by missing pattern; cells that are not observed hold 0.

    Parameters
    ----------
    mask : ndarray (J, p) of bool
        What is observed.
    count : ndarray (J,)
    mean : ndarray (J, p)
    cov : ndarray (J, p, p)
        Divisor: the pattern's own size.
    """

    mask: NDArray[np.bool_]
    count: FloatArray
    mean: FloatArray
    cov: FloatArray

    @property
    def nobs(self) -> float:
        return float(self.count.sum())

    @property
    def cells(self) -> float:
        """Number of values observed."""
        return float(self.count @ self.mask.sum(axis=1))


def make_patterns(data: FloatArray, weights: FloatArray | None = None) -> Patterns:
    """Group rows ``(n, p)`` by which of their values are NaN; rows without any value are left out.

    With ``weights (n,)`` the sizes are sums of weights and the moments are weighted.
    """
    seen = ~np.isnan(data)
    if weights is not None:
        return _weighted(data[seen.any(axis=1)], seen[seen.any(axis=1)], weights[seen.any(axis=1)])
    data, seen = data[seen.any(axis=1)], seen[seen.any(axis=1)]
    mask, index = np.unique(seen, axis=0, return_inverse=True)
    index = index.ravel()
    count = np.bincount(index, minlength=len(mask)).astype(np.float64)
    order = np.argsort(index, kind="stable")
    ends = np.cumsum(count).astype(np.int64)
    held = np.where(seen, data, 0.0)[order]
    mean = np.add.reduceat(held, ends - count.astype(np.int64), axis=0) / count[:, None]
    held -= mean[index[order]]  # what is missing stays 0: its mean is 0 too
    cov = np.empty((len(mask), data.shape[1], data.shape[1]))
    for j, rows in enumerate(np.split(held, ends[:-1])):
        cov[j] = rows.T @ rows / len(rows)
    return Patterns(mask, count, mean, cov)


def _weighted(data: FloatArray, seen: NDArray[np.bool_], weights: FloatArray) -> Patterns:
    mask, index = np.unique(seen, axis=0, return_inverse=True)
    index = index.ravel()
    count = np.bincount(index, weights, len(mask)).astype(np.float64)
    p = data.shape[1]
    mean, cov = np.zeros((len(mask), p)), np.zeros((len(mask), p, p))
    for j, observed in enumerate(mask):
        rows, share = data[index == j][:, observed], weights[index == j] / count[j]
        mean[j, observed] = share @ rows
        centred = rows - share @ rows
        cov[j][np.ix_(observed, observed)] = centred.T @ (centred * share[:, None])
    return Patterns(mask, count, mean, cov)


def masked_inverse(sigma: FloatArray, mask: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Inverses of the observed parts, with zeros elsewhere ``(J, p, p)``, and log-determinants ``(J,)``.

    What is missing becomes a block of the identity: it neither changes the determinant nor the inverse of the rest.
    Everything is NaN where an observed part is not positive definite.
    """
    both = mask[:, :, None] & mask[:, None, :]
    filled = np.where(both, sigma, np.eye(sigma.shape[-1]))
    try:
        root = np.linalg.cholesky(filled)
    except np.linalg.LinAlgError:
        return np.full(filled.shape, np.nan), np.full(len(mask), np.nan)
    logdet = 2.0 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    inside = np.linalg.inv(filled)
    return np.where(both, 0.5 * (inside + inside.swapaxes(1, 2)), 0.0), logdet


def deviance(patterns: Patterns, mean: FloatArray, cov: FloatArray) -> float:
    """``sum_j n_j (log|Sigma_j| + tr(T_j Sigma_j^-1))``: minus twice the log-likelihood without ``2 pi``."""
    w, logdet = masked_inverse(cov, patterns.mask)
    gap = np.where(patterns.mask, patterns.mean - mean, 0.0)
    target = patterns.cov + gap[:, :, None] * gap[:, None, :]
    return float(patterns.count @ (logdet + np.einsum("jab,jab->j", w, target)))


def saturated(patterns: Patterns) -> tuple[FloatArray, FloatArray, bool]:
    """Maximum likelihood means ``(p,)`` and covariances ``(p, p)``, and whether they were found.

    The E-step regresses what is missing on what is observed, pattern by pattern; the M-step takes the moments of the
    completed data plus the residual covariances.  Steps are lengthened by squared extrapolation as long as the
    likelihood does not fall.

    References
    ----------
    Little & Rubin (2019), Statistical Analysis with Missing Data, 3rd ed., sec. 11.2; Varadhan & Roland (2008),
    Scandinavian Journal of Statistics 35, 335-353 (extrapolation).
    """
    seen = patterns.count @ patterns.mask
    mean = (patterns.count @ patterns.mean) / seen
    gap = np.where(patterns.mask, patterns.mean - mean, 0.0)
    within = np.diagonal(patterns.cov, axis1=1, axis2=2) + gap**2
    variance = (patterns.count @ within) / seen
    cov = np.diag(variance)
    scale = np.sqrt(variance)
    if patterns.mask.all():
        return mean, patterns.cov[0], True
    for _ in range(_MAX_ITERATIONS):
        first = _step(patterns, mean, cov)
        second = _step(patterns, *first)
        if not np.isfinite(second[1]).all():  # a covariance matrix lost its rank on the way
            return mean, cov, False
        if _change(first, second, scale) < _TOLERANCE:
            return second[0], second[1], True
        mean, cov = _extrapolated(patterns, (mean, cov), first, second)
    return mean, cov, False


def _change(one: tuple[FloatArray, FloatArray], two: tuple[FloatArray, FloatArray], scale: FloatArray) -> float:
    by_mean = np.abs(two[0] - one[0]) / scale
    by_cov = np.abs(two[1] - one[1]) / (scale[:, None] * scale)
    return float(max(by_mean.max(), by_cov.max()))


def _extrapolated(
    patterns: Patterns, start: tuple[FloatArray, FloatArray], first: tuple[FloatArray, FloatArray],
    second: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """A squared step from three iterates, or the last of them where that would not be better."""
    r = [b - a for a, b in zip(start, first, strict=True)]
    v = [c - b - d for b, c, d in zip(first, second, r, strict=True)]
    length = np.sqrt(sum(float(np.sum(part**2)) for part in r) / max(sum(float(np.sum(p**2)) for p in v), 1e-300))
    if length <= 1.0:
        return second
    far = [a + 2.0 * length * d + length**2 * e for a, d, e in zip(start, r, v, strict=True)]
    if not np.isfinite(far[1]).all() or np.linalg.eigvalsh(far[1])[0] <= 0.0:
        return second
    if not deviance(patterns, *far) <= deviance(patterns, *second):
        return second
    return far[0], far[1]


def _step(patterns: Patterns, mean: FloatArray, cov: FloatArray) -> tuple[FloatArray, FloatArray]:
    w, _ = masked_inverse(cov, patterns.mask)
    slope = cov @ w  # regression on what is observed; the identity there
    gap = np.where(patterns.mask, patterns.mean - mean, 0.0)
    filled = (slope @ gap[:, :, None])[:, :, 0]
    share = patterns.count / patterns.nobs
    shift = share @ filled
    second = slope @ patterns.cov @ slope.swapaxes(1, 2) + filled[:, :, None] * filled[:, None, :]
    second += cov - slope @ cov
    moved = np.einsum("j,jab->ab", share, second) - np.outer(shift, shift)
    return mean + shift, 0.5 * (moved + moved.T)
