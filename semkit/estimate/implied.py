"""Parameters -> matrices -> implied moments and the columns their derivatives are made of.

Every array carries a leading batch axis ``B``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.layout import ALPHA, BETA, LAMBDA, NU, PSI, THETA, Block

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Matrices:
    """The six matrices of one group, each with a leading batch axis."""

    lambda_: FloatArray  # (B, p, m)
    beta: FloatArray  # (B, m, m)
    psi: FloatArray  # (B, m, m)
    theta: FloatArray  # (B, p, p)
    nu: FloatArray  # (B, p)
    alpha: FloatArray  # (B, m)


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """What a group implies.

    Parameters
    ----------
    matrices : Matrices
    a : ndarray (B, m, m)
        ``(I - B)^-1``.
    g : ndarray (B, p, m)
        ``Lambda A``.
    eta_cov : ndarray (B, m, m)
        ``A Psi A'``, covariances of eta.
    eta_mean : ndarray (B, m)
    cross : ndarray (B, p, m)
        ``M = G Psi A'``, covariances of y with eta.
    sigma : ndarray (B, p, p)
    mu : ndarray (B, p)
    """

    matrices: Matrices
    a: FloatArray
    g: FloatArray
    eta_cov: FloatArray
    eta_mean: FloatArray
    cross: FloatArray
    sigma: FloatArray
    mu: FloatArray

    def take(self, at: slice | NDArray[np.int64]) -> Implied:
        """The same of some draws."""
        x = self.matrices
        part = Matrices(x.lambda_[at], x.beta[at], x.psi[at], x.theta[at], x.nu[at], x.alpha[at])
        return Implied(part, self.a[at], self.g[at], self.eta_cov[at], self.eta_mean[at], self.cross[at],
                       self.sigma[at], self.mu[at])


def fill(block: Block, theta: FloatArray, given: FloatArray) -> Matrices:
    """Put parameters ``(B, q)`` and data-dependent values ``(B, d)`` into the matrices."""
    batch, p, m = theta.shape[0], block.p, block.m
    flat = np.empty((batch, block.fixed.shape[0]))
    flat[:] = block.fixed
    at, source = block.free_positions
    flat[:, at] = theta[:, source]
    if len(block.given):
        at, source = block.given_positions
        flat[:, at] = given[:, source]
    cut = block.offsets
    return Matrices(
        flat[:, cut[LAMBDA] : cut[LAMBDA + 1]].reshape(batch, p, m),
        flat[:, cut[BETA] : cut[BETA + 1]].reshape(batch, m, m),
        flat[:, cut[PSI] : cut[PSI + 1]].reshape(batch, m, m),
        flat[:, cut[THETA] : cut[THETA + 1]].reshape(batch, p, p),
        flat[:, cut[NU] : cut[NU + 1]],
        flat[:, cut[ALPHA] : cut[ALPHA + 1]],
    )


def total_effects(block: Block, beta: FloatArray) -> FloatArray:
    """``(I - B)^-1``, shape ``(B, m, m)``; a finite sum of powers where no slopes form a cycle."""
    eye = block.unit_eta
    if block.depth < 0:
        return np.asarray(np.linalg.inv(eye - beta))
    a = eye + beta
    for _ in range(block.depth - 1):
        a = eye + beta @ a
    return a


def imply(block: Block, theta: FloatArray, given: FloatArray) -> Implied:
    """Implied moments: ``Sigma = G Psi G' + Theta``, ``mu = nu + G alpha``.

    References
    ----------
    Bollen (1989), Structural Equations with Latent Variables, eqs. 4.7 and 8.4.
    """
    return moments_of(block, fill(block, theta, given))


def moments_of(block: Block, x: Matrices) -> Implied:
    """What filled matrices imply (see :func:`imply`)."""
    if block.any_beta:
        a = total_effects(block, x.beta)
        g = x.lambda_ @ a
    else:
        # numpy's broadcast_to costs as much as a product of matrices
        a = block.unit_eta[None] if len(x.beta) == 1 else np.broadcast_to(block.unit_eta, x.beta.shape)
        g = x.lambda_
    # a product with a transposed view of small matrices costs twice that with a copy
    eta_cov = a @ (x.psi @ a.swapaxes(-1, -2).copy()) if block.any_beta else x.psi
    cross = x.lambda_ @ eta_cov
    sigma = cross @ x.lambda_.swapaxes(-1, -2).copy()
    sigma += x.theta
    if block.means:
        eta_mean = (a @ x.alpha[..., None])[..., 0]
        mu = x.nu + (x.lambda_ @ eta_mean[..., None])[..., 0]
    else:
        eta_mean, mu = x.alpha, x.nu
    return Implied(x, a, g, eta_cov, eta_mean, cross, sigma, mu)


def frame(block: Block, implied: Implied) -> FloatArray:
    """The columns ``[I | G | M]``, shape ``(B, p, p + 2m)``, that u and v are taken from."""
    batch, p, m = implied.sigma.shape[0], block.p, block.m
    out = np.empty((batch, p, p + 2 * m))
    out[:, :, :p] = block.unit_observed
    out[:, :, p : p + m] = implied.g
    out[:, :, p + m :] = implied.cross
    return out


def mean_factor(block: Block, implied: Implied) -> FloatArray:
    """t of ``d mu / d theta_k = t_k u_k``, shape ``(B, c)``: the mean of eta_j, 1 for intercepts, else 0."""
    cells = block.free
    out = np.zeros((implied.mu.shape[0], len(cells)))
    if not block.means:
        return out
    slope = cells.kind <= BETA
    out[:, slope] = implied.eta_mean[:, cells.col[slope]]
    out[:, cells.kind >= NU] = 1.0
    return out


def jacobian(block: Block, implied: Implied) -> tuple[FloatArray, FloatArray]:
    """Derivatives of Sigma ``(B, c, p, p)`` and mu ``(B, c, p)`` by the free cells of a group."""
    u, v, scale = block.factors
    columns = frame(block, implied)
    left = columns[:, :, u].swapaxes(1, 2) * scale[:, None]
    right = columns[:, :, v].swapaxes(1, 2)
    outer = left[..., :, None] * right[..., None, :]
    by_mean = columns[:, :, u].swapaxes(1, 2) * mean_factor(block, implied)[..., None]
    return outer + outer.swapaxes(-1, -2), by_mean


def second_factors(block: Block, implied: Implied) -> tuple[FloatArray, FloatArray]:
    """How the columns u and v of every cell move with the free cells.

    ``d column_c / d theta_l = P_lc u_l + Q_lc v_l`` with, for ``l`` at row ``a``, column ``b`` of its matrix,

    - ``G_i``: ``P = A_bi`` for lambda and beta;
    - ``M_j``: ``P = C_bj`` for lambda and beta (``C = A Psi A'``), ``P = A_jb`` for psi; ``Q = A_ja`` for beta and psi.

    Returns
    -------
    P, Q : ndarray (B, c, 2c)
        By the columns that are u of the cells, then those that are v.
    """
    batch, m = implied.sigma.shape[0], block.m
    flat = np.empty((batch, 1 + 2 * m * m))
    flat[:, 0] = 0.0
    flat[:, 1 : 1 + m * m] = implied.a.reshape(batch, -1)
    flat[:, 1 + m * m :] = implied.eta_cov.reshape(batch, -1)
    first, second = block.motion
    shape = (batch, len(block.free), 2 * len(block.free))
    return np.take(flat, first, axis=1).reshape(shape), np.take(flat, second, axis=1).reshape(shape)
