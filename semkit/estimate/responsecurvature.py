"""Second derivatives of the moments of latent responses, weighted and summed: what Newton's method needs.

With raw quantities ``c = Sigma_ij``, ``d`` (scales), ``s = Sigma_ii`` and ``e = tau - mu`` a covariance is
``d_i d_j c`` and a threshold ``d_i e``.  For weights ``b`` of the moments the sum of second derivatives is

    D'CD + D'Y + Y'D + sum_k b_k d_i d_j d2c_k + sum_t b_t d_i d2e_t + sum_i g_i d2d_i

with ``D = dd``, ``C_ij = b_ij c_ij``, ``Y_i = sum_j b_ij d_j dc_ij + sum_t b_t de_t`` and ``g_i`` the derivative of
the sum by ``d_i``; under theta ``d2d = 3/4 s^-5/2 ds ds' - 1/2 s^-3/2 d2s``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import bend
from semkit.estimate.implied import Implied, frame, imply, mean_factor
from semkit.estimate.latentresponse import Responses, Slopes, scales_of
from semkit.estimate.layout import BETA, NU

FloatArray = NDArray[np.float64]


def group_curvature(
    group: Responses, whole: FloatArray, theta: FloatArray, given: FloatArray, by: FloatArray
) -> FloatArray:
    """``sum_k by_k d2 sigma_k``, ``(B, q, q)``, of one group.

    Parameters
    ----------
    whole : ndarray (B, q + v)
        Parameters and residual variances that follow, which must be those of indicators.
    theta : ndarray (B, q)
    given : ndarray (1, d)
    by : ndarray (B, k)
    """
    implied = imply(group.block, whole, given)
    y, p, q = group.y, len(group.y), theta.shape[1]
    mu, variance = implied.mu[:, y], implied.sigma[:, y, y]
    scale = scales_of(group, variance, theta)
    cols, rows = np.triu_indices(p, 1)
    c = implied.sigma[:, y[rows], y[cols]]
    at, cut = group.variable, group.ordinal[group.variable]
    sign = np.where(cut, -1.0, 1.0)
    e = np.where(cut, group.thresholds.at(theta) - mu[:, at], mu[:, at])
    numeric = np.flatnonzero(~group.ordinal)
    n_levels, n_pi = len(at), p * len(group.x)
    b_level, b_pair = by[:, :n_levels], by[:, n_levels + n_pi + len(numeric) :]
    b_variance = by[:, n_levels + n_pi : n_levels + n_pi + len(numeric)]
    b_pi = by[:, n_levels : n_levels + n_pi].reshape(len(theta), len(group.x), p)
    slopes = Slopes(group, implied, whole.shape[1])
    d_move, s_move = _moves(group, slopes, scale, theta)
    batch = len(theta)
    grid = np.zeros((batch, p, p))  # b_ij d_j, what a pair's covariance is multiplied by for i
    grid[:, rows, cols], grid[:, cols, rows] = b_pair * scale[:, cols], b_pair * scale[:, rows]
    own = np.zeros((batch, p))
    np.add.at(own.T, at, (b_level * e).T)
    full = implied.sigma[:, y[:, None], y[None, :]]
    own += np.einsum("bij,bij->bi", grid, full)
    own += np.einsum("bxi,bix->bi", b_pi, implied.g[:, y][:, :, group.x_eta])
    out = np.zeros((batch, whole.shape[1], whole.shape[1]))
    if group.follow or np.any(group.scales.source >= 0):
        both = np.zeros((batch, p, p))
        both[:, rows, cols] = both[:, cols, rows] = b_pair * c
        across = _moved_values(group, slopes, implied, sign, scale, (b_level, b_pi, b_pair))
        mixed = d_move.swapaxes(1, 2) @ across
        out += d_move.swapaxes(1, 2) @ (both @ d_move) + mixed + mixed.swapaxes(1, 2)
    inner = 0.5 * grid * scale[:, :, None]
    diagonal = np.zeros((batch, p))
    diagonal[:, numeric] = b_variance
    if group.follow and s_move is not None:
        weight = np.where(group.ordinal, 0.75 * own * scale**5, 0.0)
        out += s_move.swapaxes(1, 2) @ (weight[..., None] * s_move)
        diagonal += np.where(group.ordinal, -0.5 * own * scale**3, 0.0)
    inner[:, np.arange(p), np.arange(p)] += diagonal
    level = np.zeros((batch, p))
    np.add.at(level.T, at, (b_level * sign * scale[:, at]).T)
    columns = frame(group.block, implied)[:, y]
    bent = bend(group.block, implied, columns.swapaxes(1, 2) @ (inner @ columns),
                (level[:, None, :] @ columns)[:, 0, :], mean_factor(group.block, implied))
    bent += _slopes_on_covariates(group, implied, columns, b_pi * scale[:, None, :])
    source = group.block.free.source
    np.add.at(np.moveaxis(out, 0, -1), (source[:, None], source[None, :]), np.moveaxis(bent, 0, -1))
    return out[:, :q, :q]


def _moved_values(
    group: Responses, slopes: Slopes, implied: Implied, sign: FloatArray, scale: FloatArray,
    by: tuple[FloatArray, FloatArray, FloatArray],
) -> FloatArray:
    """``Y_i``: derivatives of what each scale multiplies, weighted and summed, ``(B, p, .)``."""
    b_level, b_pi, b_pair = by
    batch, p, at = len(scale), len(group.y), group.variable
    cols, rows = np.triu_indices(p, 1)
    dc, de = slopes.sigma(rows, cols), sign[:, None] * slopes.mu()[:, at]
    free = np.flatnonzero(group.thresholds.source >= 0)
    de[:, free, group.thresholds.source[free]] += 1.0
    across = np.zeros((batch, p, slopes.width))
    by_variable = np.moveaxis(across, 1, 0)
    np.add.at(by_variable, rows, np.moveaxis((b_pair * scale[:, cols])[..., None] * dc, 1, 0))
    np.add.at(by_variable, cols, np.moveaxis((b_pair * scale[:, rows])[..., None] * dc, 1, 0))
    np.add.at(by_variable, at, np.moveaxis(b_level[..., None] * de, 1, 0))
    if len(group.x):
        by_pi = slopes.pi(implied.a, group.x_eta).reshape(batch, len(group.x), p, -1)
        across += np.einsum("bxi,bxiq->biq", b_pi, by_pi)
    return across


def _slopes_on_covariates(
    group: Responses, implied: Implied, columns: FloatArray, weight: FloatArray
) -> FloatArray:
    """``sum_x weight_xi d2 G_ix``, ``(B, c, c)``: as for means, with column x of ``(I - B)^-1`` for means of eta."""
    cells = group.block.free
    out = np.zeros((len(columns), len(cells), len(cells)))
    slope = cells.kind <= BETA
    nothing = np.zeros((len(columns), columns.shape[2], columns.shape[2]))
    for k, x in enumerate(group.x_eta):
        passed = implied.a[:, :, x]
        t = np.where(slope, passed[:, np.where(slope, cells.col, 0)], 0.0)
        level = (weight[:, k, None, :] @ columns)[:, 0, :]
        out += bend(group.block, replace(implied, eta_mean=passed), nothing, level, t)
    still = cells.kind >= NU  # intercepts move no slope
    out[:, still] = 0.0
    out[:, :, still] = 0.0
    return out


def _moves(
    group: Responses, slopes: Slopes, scale: FloatArray, theta: FloatArray
) -> tuple[FloatArray, FloatArray | None]:
    """Derivatives of scales and, under theta, of variances, ``(B, p, .)``."""
    every = np.arange(len(group.y))
    move = np.zeros((len(theta), len(every), slopes.width))
    if group.follow:
        by_variance = slopes.sigma(every, every)
        move[:, group.ordinal] = (-0.5 * scale**3)[:, group.ordinal, None] * by_variance[:, group.ordinal]
        return move, by_variance
    free = np.flatnonzero(group.scales.source >= 0)
    move[:, free, group.scales.source[free]] = 1.0
    return move, None
