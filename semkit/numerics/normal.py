"""Moments of normal samples drawn without the samples, and transformations that give data stated moments."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def square_root(cov: FloatArray) -> FloatArray:
    """Symmetric square root ``(p, p)`` of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(cov)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def moved(data: FloatArray, mean: FloatArray, cov: FloatArray, new_mean: FloatArray, new_cov: FloatArray) -> FloatArray:
    """Rows ``(n, p)`` with moments ``mean, cov`` turned into rows with other moments.

    ``(y - m) S^{-1/2} T^{1/2} + t`` with symmetric roots; rows keep their shape and their outliers.

    References
    ----------
    Beran & Srivastava (1985), Annals of Statistics 13, 95-115; Bollen & Stine (1992), Sociological Methods & Research
    21, 205-229, eq. 15.
    """
    turn = np.linalg.solve(square_root(cov), square_root(new_cov))
    return np.asarray((data - mean) @ turn + new_mean)


def normal_moments(
    generators: Iterable[np.random.Generator], mean: FloatArray, cov: FloatArray, n: int
) -> tuple[FloatArray, FloatArray]:
    """Means ``(B, p)`` and covariances with divisor n ``(B, p, p)`` of normal samples of size ``n``.

    ``n S ~ Wishart(n - 1)`` by Bartlett's decomposition and ``m ~ N(mean, cov / n)``: the cost does not depend on n,
    which must be greater than p.

    References
    ----------
    Anderson (2003), An Introduction to Multivariate Statistical Analysis, 3rd ed., theorem 7.2.1 (Bartlett 1933).
    """
    p = len(mean)
    z, factors = _bartlett(generators, p, n - 1)
    root = np.linalg.cholesky(cov)
    half = root @ factors
    return mean + z @ root.T / np.sqrt(n), half @ half.swapaxes(1, 2) / n


def conditional_moments(
    generators: Iterable[np.random.Generator], mean: FloatArray, cov: FloatArray, n: int, fixed: list[int]
) -> tuple[FloatArray, FloatArray]:
    """The same with the moments of the columns ``fixed`` held at ``mean`` and ``cov`` in every sample.

    Given the covariates slopes are ``B + L_o Z L_x^-1 / sqrt(n)`` and n times the residual covariances
    ``Wishart(n - 1 - k)``.

    References
    ----------
    Anderson (2003), theorem 8.2.2.
    """
    p = len(mean)
    y = [k for k in range(p) if k not in fixed]
    k = len(fixed)
    xx = cov[np.ix_(fixed, fixed)]
    slopes = np.linalg.solve(xx, cov[np.ix_(fixed, y)]).T
    omega = cov[np.ix_(y, y)] - slopes @ cov[np.ix_(fixed, y)]
    root, x_root = np.linalg.cholesky(omega), np.linalg.cholesky(xx)
    listed = list(generators)
    z, factors = _bartlett(listed, len(y), n - 1 - k)
    noise = np.stack([g.standard_normal((len(y), k)) for g in listed])
    half = root @ factors
    drawn = slopes + root @ noise @ np.linalg.inv(x_root) / np.sqrt(n)
    out_mean = np.tile(mean, (len(listed), 1))
    out_mean[:, y] += z @ root.T / np.sqrt(n)
    out = np.empty((len(listed), p, p))
    out[:, np.array(fixed)[:, None], np.array(fixed)[None, :]] = xx
    cross = drawn @ xx
    out[:, np.array(y)[:, None], np.array(fixed)[None, :]] = cross
    out[:, np.array(fixed)[:, None], np.array(y)[None, :]] = cross.swapaxes(1, 2)
    out[:, np.array(y)[:, None], np.array(y)[None, :]] = (
        half @ half.swapaxes(1, 2) / n + cross @ drawn.swapaxes(1, 2)
    )
    return out_mean, out


def _bartlett(generators: Iterable[np.random.Generator], p: int, df: int) -> tuple[FloatArray, FloatArray]:
    """Standard normal vectors ``(B, p)`` and lower triangles ``(B, p, p)`` whose squares are Wishart(df, I)."""
    low, high = np.tril_indices(p, -1)
    means, factors = [], []
    for generator in generators:
        means.append(generator.standard_normal(p))
        factor = np.diag(np.sqrt(generator.chisquare(df - np.arange(p))))
        factor[low, high] = generator.standard_normal(len(low))
        factors.append(factor)
    return np.stack(means), np.stack(factors)
