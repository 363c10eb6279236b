"""Sampling variances of moments and of residuals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import inverse
from semkit.estimate.implied import imply, jacobian
from semkit.estimate.information import scores
from semkit.estimate.layout import Layout
from semkit.estimate.weights import fitted_values

FloatArray = NDArray[np.float64]


def explained(cov: FloatArray, fixed: tuple[int, ...]) -> FloatArray:
    """Covariances of what covariates explain, ``S_yx S_xx^-1 S_xy``, ``(p, p)``; zeros without covariates."""
    at = list(fixed)
    return np.asarray(cov[:, at] @ np.linalg.solve(cov[np.ix_(at, at)], cov[at])) if at else np.zeros_like(cov)


def covariance_variance(cov: FloatArray, fixed: tuple[int, ...] = ()) -> FloatArray:
    """``N Var(s_ij) = s_ii s_jj + s_ij^2`` under normality, ``(p, p)``; given covariates less what they explain.

    References
    ----------
    Anderson (2003), An Introduction to Multivariate Statistical Analysis, 3rd ed., eq. 3.4.13; Satorra (1992),
    Sociological Methodology 22, 249-278 (moments given fixed covariates).
    """
    whole, part = (np.diagonal(m)[:, None] * np.diagonal(m) + m**2 for m in (cov, explained(cov, fixed)))
    return np.asarray(whole - part)


def empirical_variance(data: FloatArray, fixed: tuple[int, ...] = ()) -> FloatArray:
    """``N Var(s_ij)`` without normality: the variance of ``z_i z_j``, ``(p, p)``.

    Given fixed covariates that of ``z_i z_j - f_i f_j`` with the values ``f`` they predict.

    References
    ----------
    Browne (1984), British Journal of Mathematical and Statistical Psychology 37, 62-83, eq. 2.7; Satorra (1992).
    """
    z = data - data.mean(axis=0)
    square = z * z
    fourth, second = square.T @ square, z.T @ z
    if fixed:
        f = fitted_values(z, fixed)
        mixed, square = z * f, f * f
        fourth, second = fourth - 2.0 * mixed.T @ mixed + square.T @ square, second - f.T @ f
    return np.asarray(fourth / len(z) - (second / len(z)) ** 2)


def residual_variance(
    layout: Layout, theta: FloatArray, given: FloatArray, covs: tuple[FloatArray, ...], weights: tuple[float, ...],
    bread: FloatArray, fixed: tuple[int, ...] = (),
) -> list[FloatArray]:
    """``N Var(s_ij - sigma_ij)`` of each group under normality, ``(p, p)``.

    The residuals are ``Q e`` with ``Q = I - D E D'V``, so their covariance matrix is ``Q Gamma Q'``, where ``Gamma``
    is the sampling covariance matrix at the observed moments and ``V`` the weight at the implied ones.  Its diagonal is
    ``Gamma - 2 D E D'V Gamma + D E (D'V Gamma V D) E D'``; ``Gamma V d`` is ``S W d W S`` as a matrix.  Moments of
    fixed covariates have no variance: with ``C = S_yx S_xx^-1`` it is ``M - C M_xx C'`` of that ``M``.

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
    fixed : tuple of int
        Positions of fixed covariates.

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
        spread = cov - explained(cov, fixed)
        if fixed:
            at = list(fixed)
            by_x = np.linalg.solve(cov[np.ix_(at, at)], cov[at])
            moved = moved - by_x.T @ moved[:, at][:, :, at] @ by_x
        middle += weight * 0.5 * np.einsum("kij,lij->kl", projected, moved, optimize=True)
        if block.means:
            level = np.zeros((q, block.p))
            np.add.at(level, block.free.source, by_mean[0])
            middle += weight * level @ (w @ spread @ w) @ level.T
        parts.append((slope, moved, covariance_variance(cov, fixed) / weight))
    outer = bread @ middle @ bread
    return [
        own - 2.0 * np.einsum("kij,kl,lij->ij", moved, bread, slope, optimize=True)
        + np.einsum("kij,kl,lij->ij", slope, outer, slope, optimize=True)
        for slope, moved, own in parts
    ]


def residual_variance_robust(
    layout: Layout, theta: FloatArray, given: FloatArray, data: tuple[FloatArray, ...], bread: FloatArray,
    fixed: tuple[int, ...] = (),
) -> list[FloatArray]:
    """``N Var(s_ij - sigma_ij)`` without normality: mean squares of the residuals' influence functions.

    A respondent moves residual ``ij`` of the own group by ``(z_i z_j - s_ij) / w - d_ij' E g`` and of other groups by
    ``- d_ij' E g``, with score ``g`` and ``E`` the inverse information.  Given fixed covariates only what they do not
    predict of ``z_i z_j`` moves (:func:`semkit.estimate.weights.influence`).

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
        second = z.T @ z
        if fixed:
            f = fitted_values(z, fixed)
            across -= np.einsum("ni,nj,nk->kij", f, f, move, optimize=True) / len(z)
            second = second - f.T @ f
        across -= move.mean(axis=0)[:, None, None] * (second / len(z))
        out.append(
            empirical_variance(part, fixed) * (total / len(part)) - 2.0 * np.einsum("kij,kij->ij", slope, across)
            + np.einsum("kij,kl,lij->ij", slope, square, slope, optimize=True)
        )
    return out
