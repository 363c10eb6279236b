"""Information matrices, case-wise scores, and the covariance matrix of the estimates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import inverse
from semkit.estimate.implied import frame, imply, mean_factor
from semkit.estimate.layout import Block, Layout

FloatArray = NDArray[np.float64]

_CLEAR = float(np.log(1e-8))  # log-determinant above which a matrix with a diagonal of ones is surely not singular


def scores(
    block: Block, theta: FloatArray, given: FloatArray, data: FloatArray, n_parameters: int,
    centre: FloatArray | None = None,
) -> FloatArray:
    """Case-wise derivatives of the log-likelihood at one parameter vector.

    ``dl_i/dtheta_k = s_k [(u_k'W z_i)(v_k'W z_i) - u_k'W v_k] + t_k u_k'W z_i`` with ``z_i = y_i - mu``; without a
    mean structure ``z_i`` is the deviation from the sample mean.

    Parameters
    ----------
    theta : ndarray (q,)
    given : ndarray (d,)
    data : ndarray (n, p)
    centre : ndarray (p,), optional
        What stands for the sample mean (a weighted one).

    Returns
    -------
    ndarray (n, q)
    """
    implied = imply(block, theta[None], given[None])
    w, _ = inverse(implied.sigma)
    columns = frame(block, implied)[0]
    u, v, scale = block.factors
    z = data - (implied.mu[0] if block.means else data.mean(axis=0) if centre is None else centre)
    across = z @ (w[0] @ columns)
    level = (columns.T @ w[0] @ columns)[u, v]
    by_cell = scale * (across[:, u] * across[:, v] - level)
    if block.means:
        by_cell += mean_factor(block, implied)[0] * across[:, u]
    out = np.zeros((len(data), n_parameters))
    for k, source in enumerate(block.free.source):
        out[:, source] += by_cell[:, k]
    return out


def first_order(layout: Layout, theta: FloatArray, given: FloatArray, data: tuple[FloatArray, ...]) -> FloatArray:
    """Mean outer product of the scores (per respondent), shape ``(q, q)``."""
    total = np.zeros((layout.n_parameters, layout.n_parameters))
    for block, part in zip(layout.blocks, data, strict=True):
        s = scores(block, theta, given, part, layout.n_parameters)
        total += s.T @ s
    return total / sum(len(part) for part in data)


def tangent(jacobian: FloatArray) -> FloatArray:
    """Orthonormal basis ``(q, q - r)`` of the directions in which binding constraints allow movement.

    Parameters
    ----------
    jacobian : ndarray (k, q)
        Derivatives of the binding constraints; may be empty.
    """
    q = jacobian.shape[1]
    if jacobian.shape[0] == 0:
        return np.eye(q)
    _, values, right = np.linalg.svd(jacobian)
    rank = int(np.sum(values > 1e-10 * max(float(values.max(initial=0.0)), 1e-300)))
    return np.asarray(right[rank:].T)


def invert(information: FloatArray, basis: FloatArray) -> FloatArray:
    """``Z (Z' I Z)^-1 Z'``: the inverse of the information along a constraint's tangent.

    Singular directions (a model that is not identified) give NaN.

    References
    ----------
    Aitchison & Silvey (1958), Annals of Mathematical Statistics 29, 813-828.
    """
    inner = basis.T @ information @ basis
    if inner.size == 0:
        return np.zeros_like(information)
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diagonal(inner)), 1e-300))
    scaled = inner * scale[:, None] * scale[None, :]
    found, logdet = inverse(scaled[None])
    # with a diagonal of ones the smallest eigenvalue is at least the determinant divided by e
    inside = found[0] if logdet[0] > _CLEAR else _checked_inverse(scaled)
    return np.asarray(basis @ (inside * scale[:, None] * scale[None, :]) @ basis.T)


def _checked_inverse(scaled: FloatArray) -> FloatArray:
    """Inverse of a symmetric matrix with a diagonal of ones; NaN if an eigenvalue is nothing but rounding error."""
    if not np.all(np.isfinite(scaled)):
        return np.full_like(scaled, np.nan)
    values = np.abs(np.linalg.eigvalsh(0.5 * (scaled + scaled.T)))
    if values.min() < 1e-11 * values.max():
        return np.full_like(scaled, np.nan)
    return np.asarray(np.linalg.inv(scaled))


def sandwich(bread: FloatArray, meat: FloatArray) -> FloatArray:
    """``A^-1 B A^-1`` from the inverse ``A^-1`` and ``B``.

    References
    ----------
    Huber (1967), Proc. Fifth Berkeley Symposium 1, 221-233; White (1982), Econometrica 50, 1-25;
    Yuan & Bentler (2000), Sociological Methodology 30, 165-200.
    """
    return np.asarray(bread @ meat @ bread)
