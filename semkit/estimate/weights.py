"""Moments as vectors, and the weight matrices that multiply them.

The moments of a group are one vector ``s`` of ``k`` numbers: the ``p`` means (only under a mean structure), then the
``p (p + 1) / 2`` covariances of the lower triangle, column by column: ``s_11 s_21 ... s_p1 s_22 ...``, the order in
which lavaan and Mplus print them.  Every array carries a leading batch axis ``B`` (1 where it is shared by all draws).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@lru_cache(maxsize=64)
def places(p: int) -> tuple[IntArray, IntArray]:
    """Row and column of each of the ``p (p + 1) / 2`` covariances, in the order of the moment vector (read-only)."""
    cols, rows = (at.astype(np.int64) for at in np.triu_indices(p))
    rows.flags.writeable = cols.flags.writeable = False
    return rows, cols


def stack(cov: FloatArray, mean: FloatArray | None = None) -> FloatArray:
    """Moment vectors ``(..., k)`` of covariances ``(..., p, p)`` and, if given, means ``(..., p)``."""
    rows, cols = places(cov.shape[-1])
    below = cov[..., rows, cols]
    return below if mean is None else np.concatenate([mean, below], axis=-1)


def functional(by: FloatArray, p: int) -> FloatArray:
    """The symmetric ``Q (..., p, p)`` with ``tr(Q M) = by' vech(M)`` for every symmetric ``M``; ``by (..., k*)``."""
    rows, cols = places(p)
    out = np.zeros((*by.shape[:-1], p, p))
    out[..., rows, cols] = 0.5 * by
    out[..., cols, rows] += 0.5 * by
    return out


def square(below: FloatArray, p: int) -> FloatArray:
    """The symmetric matrices ``(..., p, p)`` of ``p (p + 1) / 2`` numbers in the order of the moment vector."""
    rows, cols = places(p)
    out = np.empty((*below.shape[:-1], p, p))
    out[..., rows, cols] = below
    out[..., cols, rows] = below
    return out


class Weight(Protocol):
    """A symmetric positive (semi)definite ``W`` that multiplies moment vectors from the left."""

    def times(self, x: FloatArray) -> FloatArray:
        """``W x`` for ``x`` of shape ``(B, k, c)``."""

    def take(self, rows: IntArray) -> Weight:
        """The weights of some of the draws."""


@dataclass(frozen=True, eq=False)
class MomentWeight:
    """Weights written out: a matrix, or only its diagonal.

    Parameters
    ----------
    values : ndarray (B or 1, k, k) or (B or 1, k)
        Two axes mean a diagonal matrix.
    """

    values: FloatArray

    def times(self, x: FloatArray) -> FloatArray:
        if self.values.ndim == 2:
            return np.asarray(self.values[..., None] * x)
        return np.asarray(self.values @ x)

    def take(self, rows: IntArray) -> MomentWeight:
        return self if len(self.values) == 1 else MomentWeight(self.values[rows])


@dataclass(frozen=True, eq=False)
class NormalWeight:
    """The inverse of the moments' covariance matrix under normality, ``W`` for means and ``K'(W x W)K / 2`` below.

    Never written out: on covariances ``M`` it is ``W M W`` with the diagonal halved, of cost ``p^3`` instead of
    ``p^4``.

    Parameters
    ----------
    inverse : ndarray (B or 1, p, p)
        ``W = S^-1`` (generalised least squares) or ``Sigma^-1`` (normal-theory weights at a model).
    means : bool

    References
    ----------
    Browne (1974), South African Statistical Journal 8, 1-24, eqs. 2.20 and 2.23.
    """

    inverse: FloatArray
    means: bool

    def times(self, x: FloatArray) -> FloatArray:
        p = self.inverse.shape[-1]
        rows, cols = places(p)
        below = np.moveaxis(x[:, p:] if self.means else x, 1, 2)
        w = self.inverse[:, None]
        turned = (w @ square(below, p) @ w)[..., rows, cols] * np.where(rows == cols, 0.5, 1.0)
        out = np.moveaxis(turned, 1, 2)
        return np.concatenate([self.inverse @ x[:, :p], out], axis=1) if self.means else np.asarray(out)

    def take(self, rows: IntArray) -> NormalWeight:
        return self if len(self.inverse) == 1 else NormalWeight(self.inverse[rows], self.means)


def observed_weight(sigma: FloatArray, cov: FloatArray, gap: FloatArray | None) -> MomentWeight:
    """Observed information of the saturated normal model at other moments than the sample's, written out.

    With ``W = Sigma^-1``, ``d`` the difference of means, ``R = 2 W (S + d d') W - W``: ``K'(W x R)K / 2`` for
    covariances, ``W`` for means and ``K'(W x W d)`` between them.

    Parameters
    ----------
    sigma, cov : ndarray (p, p)
        Implied and observed.
    gap : ndarray (p,) or None
        Observed less implied means; None without a mean structure.

    References
    ----------
    Savalei (2010), Psychological Methods 15, 352-367, eqs. 8 to 10.
    """
    p = len(sigma)
    rows, cols = places(p)
    scale = np.where(rows == cols, 0.5, 1.0)
    w = np.linalg.inv(sigma)
    target = cov if gap is None else cov + np.outer(gap, gap)
    r = 2.0 * w @ target @ w - w
    inner = np.zeros((len(rows),) * 2)
    for a, b in ((rows, cols), (cols, rows)):
        inner += w[np.ix_(a, rows)] * r[np.ix_(b, cols)] + w[np.ix_(a, cols)] * r[np.ix_(b, rows)]
    below = 0.5 * inner * scale[:, None] * scale
    if gap is None:
        return MomentWeight(below[None])
    level = w @ gap
    cross = scale * (w[:, rows] * level[cols] + w[:, cols] * level[rows])
    return MomentWeight(np.block([[w, cross], [cross.T, below]])[None])


@dataclass(frozen=True, eq=False)
class Root:
    """``R`` with ``R'R = Gamma``, written out ``(r, k)``."""

    matrix: FloatArray

    def times(self, x: FloatArray) -> FloatArray:
        """``R x`` for ``x (k, c)``."""
        return np.asarray(self.matrix @ x)


@dataclass(frozen=True, eq=False)
class NormalRoot:
    """A root of ``Gamma`` under normality, ``Cov(s_ij, s_kl) = s_ik s_jl + s_il s_jk``, not written out.

    With ``S = L L'``, ``R x`` is ``sqrt(2) L'Q L`` for the symmetric ``Q`` of the covariances' part
    (:func:`functional`), off-diagonal elements times ``sqrt(2)``, and ``L'x`` for the means' part.

    Parameters
    ----------
    cov : ndarray (p, p)
        ``S``.
    means : bool

    References
    ----------
    Anderson (2003), An Introduction to Multivariate Statistical Analysis, 3rd ed., eq. 3.4.13; Browne (1974).
    """

    cov: FloatArray
    means: bool

    def times(self, x: FloatArray) -> FloatArray:
        """``R x`` for ``x (k, c)``."""
        p = len(self.cov)
        half = np.linalg.cholesky(self.cov)
        below = (x[p:] if self.means else x).T
        out = stack(half.T @ functional(below, p) @ half)
        rows, cols = places(p)
        out = (out * np.where(rows == cols, np.sqrt(2.0), 2.0)).T
        return np.concatenate([half.T @ x[:p], out]) if self.means else np.asarray(out)

    @property
    def matrix(self) -> FloatArray:
        """``R`` written out, ``(k, k)``."""
        p = len(self.cov)
        return self.times(np.eye(p * (p + 1) // 2 + (p if self.means else 0)))


def fitted_values(z: FloatArray, fixed: tuple[int, ...], weights: FloatArray | None = None) -> FloatArray:
    """What the regressions of centred columns ``z (n, p)`` on those at ``fixed`` predict, ``(n, p)``."""
    x = z[:, list(fixed)]
    root = np.ones((len(z), 1)) if weights is None else np.sqrt(weights)[:, None]
    return np.asarray(x @ np.linalg.lstsq(x * root, z * root, rcond=None)[0])


def influence(
    data: FloatArray, means: bool, fixed: tuple[int, ...] = (), weights: FloatArray | None = None
) -> FloatArray:
    """What each respondent adds to the moments, ``(n, k)``, with column means 0: ``Gamma`` is its mean square.

    ``z_i z_j - s_ij`` (and ``z_i``).  With fixed covariates, only what is left after their values are known:
    ``z_i z_j - f_i f_j`` with the fitted values ``f`` of the regressions on the covariates, again centred.  With
    sampling ``weights (n,)`` everything is centred and regressed under them.

    References
    ----------
    Browne (1984), British Journal of Mathematical and Statistical Psychology 37, 62-83, eq. 2.7; Satorra (1992),
    Sociological Methodology 22, 249-278 (moments given fixed covariates).
    """
    rows, cols = places(data.shape[1])
    z = data - np.average(data, axis=0, weights=weights)
    product = z[:, rows] * z[:, cols]
    level = z
    if fixed:
        fitted = fitted_values(z, fixed, weights)
        product = product - fitted[:, rows] * fitted[:, cols]
        level = z - fitted
    product = product - np.average(product, axis=0, weights=weights)
    return np.concatenate([level, product], axis=1) if means else np.asarray(product)
