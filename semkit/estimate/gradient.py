"""The gradient alone, for many draws: by whole matrices instead of by the columns of every parameter.

    dF = tr(Q dSigma) - 2 (W d)' dmu,    Q = W - W T W,    W = Sigma^-1,    T = S + d d',    d = m - mu

so that the derivatives by whole matrices are ``2 Q M`` (lambda), ``2 G'Q M`` (beta), ``G'Q G`` (psi) and ``Q`` (theta),
twice that off the diagonal (``G = Lambda A``, ``M = G Psi A'``).

References
----------
Joreskog (1970), Biometrika 57, 239-251 (derivatives by matrices); Lee & Jennrich (1979), Psychometrika 44, 99-113
(expected second derivatives).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import Observed
from semkit.estimate.implied import Implied, frame, imply, mean_factor
from semkit.estimate.layout import Block, Layout
from semkit.numerics.inverse import inverses

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def slope(
    layout: Layout, theta: FloatArray, observed: tuple[Observed, ...], given: FloatArray, bent: FloatArray | None = None
) -> FloatArray:
    """Gradient of the normal-theory discrepancy ``(B, q)``; nothing is said about positive definiteness.

    Parameters
    ----------
    theta : ndarray (B, q)
        Or ``(1, q)`` with one row of ``given``: the same for all draws.
    bent : ndarray (B, q), optional
        Where :func:`curvature` at the same point is added.
    """
    out = np.zeros((len(observed[0].cov), theta.shape[1]))
    for block, data in zip(layout.blocks, observed, strict=True):
        implied = imply(block, theta, given)
        w = inverses(implied.sigma)
        target, left = data.cov, None
        if block.means:
            gap = data.mean - implied.mu
            target = target + gap[:, :, None] * gap[:, None, :]
            left = (gap[:, None, :] @ w)[:, 0, :]
        q = w @ target @ w
        np.subtract(w, q, out=q)
        slope_from(block, implied, q, left, out, data.weight)
        if bent is not None:
            _bend(block, implied, w, data.weight, bent)
    return out


def slope_from(
    block: Block, implied: Implied, q: FloatArray, left: FloatArray | None, out: FloatArray, weight: float = 1.0
) -> None:
    """Add a group's gradient to ``out (B, q)``, from the derivatives ``Q (B, p, p)`` and ``-2 W d (B, p)``.

    ``left`` is ``W d``; None without a mean structure.
    """
    by_cell = np.zeros((len(q), len(block.free)))
    turned = implied.g.swapaxes(1, 2)
    by_cross = q @ implied.cross
    loadings, slopes, covariances, residuals = block.slope_positions
    _pick(by_cell, loadings, by_cross)
    _pick(by_cell, residuals, q)
    if len(slopes[0]):
        _pick(by_cell, slopes, turned @ by_cross)
    if len(covariances[0]):
        _pick(by_cell, covariances, turned @ (q @ implied.g))
    u, _, scale = block.factors
    by_cell *= 2.0 * weight * scale
    if left is not None:
        both = np.concatenate([left, (left[:, None, :] @ implied.g)[:, 0, :]], axis=1)
        by_cell -= (2.0 * weight) * mean_factor(block, implied) * both[:, u]
    _add(out, block, by_cell)


def _pick(by_cell: FloatArray, positions: tuple[IntArray, IntArray], part: FloatArray) -> None:
    """The entries of ``part (B, i, j)`` that belong to some of the cells ``(B, c)``."""
    by_cell[:, positions[0]] = part.reshape(len(part), -1)[:, positions[1]]


def _add(total: FloatArray, block: Block, part: FloatArray) -> None:
    """Add what belongs to the cells ``(B, c)`` to the parameters they hold ``(B, q)``."""
    if block.ordered and total.shape[1] == part.shape[1]:
        total += part
    elif block.single:
        total[:, block.free.source] += part
    else:
        np.add.at(total.T, block.free.source, part.T)


def curvature(layout: Layout, theta: FloatArray, shares: tuple[float, ...], given: FloatArray) -> FloatArray:
    """Expected second derivative by each cell alone, summed over the cells of a parameter, ``(B, q)``.

    ``tr(W Sigma_k W Sigma_k) + 2 mu_k' W mu_k = 2 s_k^2 [(u'Wu)(v'Wv) + (u'Wv)^2] + 2 t_k^2 u'Wu``: the units in which
    a draw measures its parameters.

    Parameters
    ----------
    theta : ndarray (B, q)
    shares : tuple of float
        Shares of the groups.
    """
    out = np.zeros_like(theta)
    for block, share in zip(layout.blocks, shares, strict=True):
        implied = imply(block, theta, given)
        _bend(block, implied, inverses(implied.sigma), share, out)
    return out


def _bend(block: Block, implied: Implied, w: FloatArray, share: float, out: FloatArray) -> None:
    """Add a group's curvature to ``out (B, q)``."""
    columns = frame(block, implied)
    by_w = columns.swapaxes(1, 2) @ (w @ columns)
    u, v, scale = block.factors
    own = by_w[:, u, u]
    by_cell = own * by_w[:, v, v]
    by_cell += by_w[:, u, v] ** 2
    by_cell *= 2.0 * share * scale**2
    if block.means:
        by_cell += (2.0 * share) * mean_factor(block, implied) ** 2 * own
    _add(out, block, by_cell)
