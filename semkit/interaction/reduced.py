"""The linear-normal part of a model with products, and what its products do to the observed variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem
from semkit.estimate.implied import Implied, Matrices
from semkit.estimate.layout import ALPHA, BETA, LAMBDA, NU, PSI, THETA, Block
from semkit.interaction.crossing import Crossing, ancestors

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_STEP = 1e-30


@dataclass(frozen=True, eq=False)
class Small:
    """Joint moments of the observed variables without products and of the factors of products, ``(B, ...)``.

    Parameters
    ----------
    mu : ndarray (B, p + x)
    sigma : ndarray (B, p + x, p + x)
    direction : ndarray (B, p, d)
        What varies with the products.
    load : ndarray (B, p, t)
        Effects of the products on the observed variables.
    centre : ndarray (x,)
        What is subtracted from each factor in its products.
    factors : int
    """

    mu: Any
    sigma: Any
    direction: Any
    load: Any
    centre: FloatArray
    factors: int


@dataclass(frozen=True, eq=False)
class Reduced:
    """One group's model with its products apart.

    Parameters
    ----------
    block : Block
        Products left out.
    crossings : tuple of Crossing
    factors : tuple of int
        Positions in eta of the factors of products.
    affected : tuple of int
        Positions in eta of all that products act on and that have indicators.
    pairs : ndarray (t, 2)
        Factors of each product, by position in ``factors``.
    centre : ndarray (x,)
        Sample means of factors that are observed, else 0.
    """

    block: Block
    crossings: tuple[Crossing, ...]
    factors: tuple[int, ...]
    affected: tuple[int, ...]
    pairs: IntArray
    centre: FloatArray

    @cached_property
    def parameters(self) -> IntArray:
        """Which of the different parameters the group's model has, ``(k,)``."""
        return np.unique([*self.block.free.source, *(c.parameter for c in self.crossings if c.parameter >= 0)])

    def with_factors(self, factors: tuple[int, ...]) -> Reduced:
        """The same with other variables of eta among what is conditioned."""
        centre = {f: self.centre[k] for k, f in enumerate(self.factors)}
        pairs = np.array([[factors.index(f) for f in c.factors] for c in self.crossings], dtype=np.int64)
        return replace(self, factors=factors, pairs=pairs.reshape(-1, 2),
                       centre=np.array([centre.get(f, 0.0) for f in factors]))

    def small(self, theta: Any, given: FloatArray) -> Small:
        """What the quasi-likelihood is made of."""
        x = matrices(self.block, theta, given)
        a, eta_mean, eta_cov = structural(x)
        cross = x.lambda_ @ eta_cov
        pick = list(self.factors)
        yy = cross @ x.lambda_.swapaxes(1, 2) + x.theta
        yx = cross[:, :, pick]
        top = np.concatenate([yy, yx], axis=2)
        low = np.concatenate([yx.swapaxes(1, 2), eta_cov[:, pick][:, :, pick]], axis=2)
        mu = np.concatenate([x.nu + (x.lambda_ @ eta_mean[..., None])[..., 0], eta_mean[:, pick]], axis=1)
        return Small(mu, np.concatenate([top, low], axis=1), x.lambda_[:, :, list(self.affected)],
                     x.lambda_ @ self.push(a, theta), self.centre, len(pick))

    def push(self, a: Any, theta: Any) -> Any:
        """Effects of the products on eta, ``(B, m, t)``."""
        columns = [a[:, :, c.outcome] * (theta[:, c.parameter, None] if c.parameter >= 0 else c.value)
                   for c in self.crossings]
        return np.stack(columns, axis=2)

    def totals(self, theta: Any, given: FloatArray) -> tuple[Any, Any, Matrices, Any]:
        """Means ``(B, m)`` and covariances ``(B, m, m)`` of eta with the products; the matrices, and ``(I - B)^-1``.

        With centred factors ``Cov(ab, e) = m_a Cov(b, e) + m_b Cov(a, e)`` and ``Cov(ab, cd)`` the sum over all ways to
        pair one of ``a, b`` with one of ``c, d`` (Isserlis' theorem), ``m`` means.

        References
        ----------
        Bohrnstedt & Goldberger (1969), Journal of the American Statistical Association 64, 1439-1442.
        """
        x = matrices(self.block, theta, given)
        a, mean, cov = structural(x)
        t = self.push(a, theta)
        at = np.array(self.factors, dtype=np.int64)[self.pairs]
        one, two = at[:, 0], at[:, 1]
        level = mean[:, list(self.factors)] - self.centre
        m1, m2 = level[:, self.pairs[:, 0]], level[:, self.pairs[:, 1]]
        inside = cov[:, one[:, None], one], cov[:, one[:, None], two], cov[:, two[:, None], one], \
            cov[:, two[:, None], two]
        aa, ab, ba, bb = inside
        nn = aa * bb + ab * ba
        nn = nn + m1[:, :, None] * m1[:, None, :] * bb + m1[:, :, None] * m2[:, None, :] * ba
        nn = nn + m2[:, :, None] * m1[:, None, :] * ab + m2[:, :, None] * m2[:, None, :] * aa
        ne = m1[:, :, None] * cov[:, two] + m2[:, :, None] * cov[:, one]
        both = t @ ne
        total = cov + both + both.swapaxes(1, 2) + t @ nn @ t.swapaxes(1, 2)
        expected = m1 * m2 + np.diagonal(ab, axis1=1, axis2=2)
        return mean + (t @ expected[..., None])[..., 0], total, x, a

    def implied(self, theta: FloatArray, given: FloatArray) -> Implied:
        """Total moments (batch of one)."""
        mean, cov, x, a = self.totals(theta[None], given)
        cross = x.lambda_ @ cov
        return Implied(x, a, x.lambda_ @ a, cov, mean, cross, cross @ x.lambda_.swapaxes(1, 2) + x.theta,
                       x.nu + (x.lambda_ @ mean[..., None])[..., 0])

    def covariances(self, theta: FloatArray, given: FloatArray) -> FloatArray:
        """Derivatives ``(q, p, p)`` of the total covariances of the observed variables by the parameters."""
        _, cov, x, _ = self.totals(theta + 1j * _STEP * np.eye(len(theta)), given)
        return np.asarray((x.lambda_ @ cov @ x.lambda_.swapaxes(1, 2) + x.theta).imag / _STEP)

    def variances(self, theta: FloatArray, given: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Total variances of observed variables and eta ``(p + m,)`` with derivatives ``(p + m, q)``."""
        _, cov, x, _ = self.totals(theta + 1j * _STEP * np.eye(len(theta)), given)
        sigma = x.lambda_ @ cov @ x.lambda_.swapaxes(1, 2) + x.theta
        both = np.concatenate(
            [np.diagonal(sigma, axis1=1, axis2=2), np.diagonal(cov, axis1=1, axis2=2)], axis=1)
        return np.asarray(both.real[0]), np.asarray(both.imag.T / _STEP)


def matrices(block: Block, theta: Any, given: FloatArray) -> Matrices:
    """The six matrices at real or complex parameters ``(B, q)``."""
    flat = np.empty((len(theta), len(block.fixed)), dtype=theta.dtype)
    flat[:] = block.fixed
    at, source = block.free_positions
    flat[:, at] = theta[:, source]
    if len(block.given):
        at, source = block.given_positions
        flat[:, at] = given[source]
    cut, m, p = block.offsets, block.m, block.p
    parts = [flat[:, cut[k] : cut[k + 1]] for k in (LAMBDA, BETA, PSI, THETA, NU, ALPHA)]
    return Matrices(parts[0].reshape(-1, p, m), parts[1].reshape(-1, m, m), parts[2].reshape(-1, m, m),
                    parts[3].reshape(-1, p, p), parts[4], parts[5])


def structural(x: Matrices) -> tuple[Any, Any, Any]:
    """``(I - B)^-1``, means and covariances of eta without products."""
    a = np.linalg.inv(np.eye(x.beta.shape[-1]) - x.beta)
    return a, (a @ x.alpha[..., None])[..., 0], a @ x.psi @ a.swapaxes(1, 2)


def reduce(block: Block, crossings: tuple[Crossing, ...], means: Mapping[str, float]) -> Reduced:
    """Set the products of a group apart.

    Parameters
    ----------
    means : mapping
        Sample means of observed variables.

    Raises
    ------
    NotSupportedError
        ``interaction.cycle``, ``interaction.three-way``, ``interaction.product-of-affected``.
    """
    reach = ancestors(block, crossings)
    outcomes = sorted({c.outcome for c in crossings})
    moved = sorted({*outcomes, *(j for j in range(block.m) if reach[j, outcomes].any())})
    problems = []
    for c in crossings:
        name = ":".join(block.eta[f] for f in c.factors)
        if len(c.factors) != 2:
            problems.append(Problem("interaction.three-way", f'"{name}"', "is not estimated by QML",
                                    "products of two, a:b", "Use interaction='lms'."))
        elif set(c.factors) & set(moved):
            problems.append(Problem("interaction.product-of-affected", f'"{name}"',
                                    "a factor is itself moved by a product, so that it is not normal",
                                    "products of variables that no product acts on", "Use interaction='lms'."))
    if problems:
        raise NotSupportedError(*problems)
    factors = tuple(sorted({f for c in crossings for f in c.factors}))
    pairs = np.array([[factors.index(f) for f in c.factors] for c in crossings], dtype=np.int64).reshape(-1, 2)
    lam = block.fixed[: block.p * block.m].reshape(block.p, block.m) != 0.0
    free = block.free.kind == LAMBDA
    lam[block.free.row[free], block.free.col[free]] = True
    centre = np.array([means.get(block.eta[f], 0.0) for f in factors])
    return Reduced(block, crossings, factors, tuple(j for j in moved if lam[:, j].any()), pairs, centre)
