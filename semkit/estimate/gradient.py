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


def slope(layout: Layout, theta: FloatArray, observed: tuple[Observed, ...], given: FloatArray) -> FloatArray:
    """Gradient of the normal-theory discrepancy ``(B, q)``; nothing is said about positive definiteness."""
    out = np.zeros_like(theta)
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
    return out


def slope_from(
    block: Block, implied: Implied, q: FloatArray, left: FloatArray | None, out: FloatArray, weight: float = 1.0
) -> None:
    """Add a group's gradient to ``out (B, q)``, from the derivatives ``Q (B, p, p)`` and ``-2 W d (B, p)``.

    ``left`` is ``W d``; None without a mean structure.
    """
    right = np.concatenate([implied.g, implied.cross], axis=2)
    by_right = q @ right
    inner = implied.g.swapaxes(1, 2) @ by_right
    batch = len(q)
    everything = np.concatenate([by_right.reshape(batch, -1), inner.reshape(batch, -1), q.reshape(batch, -1)], axis=1)
    u, _, scale = block.factors
    by_cell = everything[:, block.slope_positions] * (2.0 * scale)
    if left is not None:
        both = np.concatenate([left, (left[:, None, :] @ implied.g)[:, 0, :]], axis=1)
        by_cell -= 2.0 * mean_factor(block, implied) * both[:, u]
    _add(out, block, weight * by_cell)


def _add(total: FloatArray, block: Block, part: FloatArray) -> None:
    """Add what belongs to the cells ``(B, c)`` to the parameters they hold ``(B, q)``."""
    if block.single:
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
        columns = frame(block, implied)
        by_w = columns.swapaxes(1, 2) @ (inverses(implied.sigma) @ columns)
        u, v, scale = block.factors
        own = by_w[:, u, u]
        by_cell = own * by_w[:, v, v]
        by_cell += by_w[:, u, v] ** 2
        by_cell *= 2.0 * scale**2
        if block.means:
            by_cell += 2.0 * mean_factor(block, implied) ** 2 * own
        _add(out, block, share * by_cell)
    return out
