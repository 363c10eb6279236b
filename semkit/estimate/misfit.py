"""Sampling variances of moments and of residuals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import inverse
from semkit.estimate.implied import imply, jacobian
from semkit.estimate.information import scores
from semkit.estimate.layout import Layout

FloatArray = NDArray[np.float64]


def covariance_variance(cov: FloatArray) -> FloatArray:
    """``N Var(s_ij) = s_ii s_jj + s_ij^2`` under normality, ``(p, p)``.

    References
    ----------
    Anderson (2003), An Introduction to Multivariate Statistical Analysis, 3rd ed., eq. 3.4.13.
    """
    spread = np.diagonal(cov)
    return np.asarray(spread[:, None] * spread[None, :] + cov**2)


def empirical_variance(data: FloatArray) -> FloatArray:
    """``N Var(s_ij)`` without normality: the variance of ``z_i z_j``, ``(p, p)``.

    References
    ----------
    Browne (1984), British Journal of Mathematical and Statistical Psychology 37, 62-83, eq. 2.7.
    """
    z = data - data.mean(axis=0)
    square = z * z
    return np.asarray(square.T @ square / len(z) - (z.T @ z / len(z)) ** 2)


def residual_variance(
    layout: Layout, theta: FloatArray, given: FloatArray, covs: tuple[FloatArray, ...], weights: tuple[float, ...],
    bread: FloatArray,
) -> list[FloatArray]:
    """``N Var(s_ij - sigma_ij)`` of each group under normality, ``(p, p)``.

    The residuals are ``Q e`` with ``Q = I - D E D'V``, so their covariance matrix is ``Q Gamma Q'``, where ``Gamma``
    is the sampling covariance matrix at the observed moments and ``V`` the weight at the implied ones.  Its diagonal is
    ``Gamma - 2 D E D'V Gamma + D E (D'V Gamma V D) E D'``; ``Gamma V d`` is ``S W d W S`` as a matrix.

    Parameters
    ----------
    theta : ndarray (q,)
    given : ndarray (d,)
    covs : tuple of ndarray (p, p), one a group
        Observed.
    weights : tuple of float
        Shares of the groups.
    bread : ndarray (q, q)
        ``E``, the inverse expected information per respondent along the constraints.

    References
    ----------
    Browne (1984), British Journal of Mathematical and Statistical Psychology 37, 62-83, proposition 4; Ogasawara
    (2001), British Journal of Mathematical and Statistical Psychology 54, 237-250 (standardised residuals).
    """
    q = layout.n_parameters
    middle = np.zeros((q, q))
    parts = []
    for block, cov, weight in zip(layout.blocks, covs, weights, strict=True):
        implied = imply(block, theta[None], given[None])
        w = inverse(implied.sigma)[0][0]
        by_cov, by_mean = jacobian(block, implied)
        slope = np.zeros((q, block.p, block.p))
        np.add.at(slope, block.free.source, by_cov[0])
        projected = w @ slope @ w
        moved = cov @ projected @ cov
        middle += weight * 0.5 * np.einsum("kij,lij->kl", projected, moved, optimize=True)
        if block.means:
            level = np.zeros((q, block.p))
            np.add.at(level, block.free.source, by_mean[0])
            middle += weight * level @ (w @ cov @ w) @ level.T
        parts.append((slope, moved, covariance_variance(cov) / weight))
    outer = bread @ middle @ bread
    return [
        own - 2.0 * np.einsum("kij,kl,lij->ij", moved, bread, slope, optimize=True)
        + np.einsum("kij,kl,lij->ij", slope, outer, slope, optimize=True)
        for slope, moved, own in parts
    ]


def residual_variance_robust(
    layout: Layout, theta: FloatArray, given: FloatArray, data: tuple[FloatArray, ...], bread: FloatArray
) -> list[FloatArray]:
    """``N Var(s_ij - sigma_ij)`` without normality: mean squares of the residuals' influence functions.

    A respondent moves residual ``ij`` of the own group by ``(z_i z_j - s_ij) / w - d_ij' E g`` and of other groups by
    ``- d_ij' E g``, with score ``g`` and ``E`` the inverse information.

    References
    ----------
    Hampel (1974), Journal of the American Statistical Association 69, 383-393; Browne (1984), proposition 4.
    """
    total = sum(len(part) for part in data)
    moves = [scores(block, theta, given, part, layout.n_parameters) @ bread
             for block, part in zip(layout.blocks, data, strict=True)]
    square = np.asarray(sum(move.T @ move for move in moves)) / total
    out = []
    for block, part, move in zip(layout.blocks, data, moves, strict=True):
        by_cov, _ = jacobian(block, imply(block, theta[None], given[None]))
        slope = np.zeros((layout.n_parameters, block.p, block.p))
        np.add.at(slope, block.free.source, by_cov[0])
        z = part - part.mean(axis=0)
        across = np.einsum("ni,nj,nk->kij", z, z, move, optimize=True) / len(z)
        across -= move.mean(axis=0)[:, None, None] * (z.T @ z / len(z))
        out.append(
            empirical_variance(part) * (total / len(part)) - 2.0 * np.einsum("kij,kij->ij", slope, across)
            + np.einsum("kij,kl,lij->ij", slope, square, slope, optimize=True)
        )
    return out
