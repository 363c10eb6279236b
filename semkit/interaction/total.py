"""Means and covariances of all variables over the distribution of the non-linear ones, with derivatives.

``E(eta) = E[E(eta | v)]`` and ``Cov(eta) = E[Cov(eta | v)] + Cov[E(eta | v)]``, ``v`` the given variables.  Known
exogenous variables have their distribution in the sample, integrated exogenous ones are normal given these.  Given
variables that are outcomes follow one by one, causes before effects: given those before it, everything that acts on
such a variable is linear, so that it is normal with the linear model's conditional mean and variance.  Conditional
moments are polynomials in the last of the given variables, so that a few Gauss-Hermite points give its expectation
exactly, which is a polynomial in the one before it, and so on.  Derivatives are taken by a complex step, which has no
cancellation.

References
----------
Squire & Trapp (1998), SIAM Review 40, 110-112 (complex step).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.implied import Implied, Matrices
from semkit.estimate.layout import ALPHA, BETA, LAMBDA, NU, PSI, THETA
from semkit.interaction.conditioning import Conditioned
from semkit.numerics.quadrature import grid, hermite

FloatArray = NDArray[np.float64]

_STEP = 1e-30
_POINTS = 8  # exact for products of up to three steps: polynomials of degree 15
_CHUNK = 2_000_000


@dataclass(frozen=True, eq=False)
class Totals:
    """Moments of one group for ``B`` parameter vectors (complex when the parameters are).

    Parameters
    ----------
    eta_mean : ndarray (B, m)
    eta_cov : ndarray (B, m, m)
    mu : ndarray (B, p)
    sigma : ndarray (B, p, p)
    """

    eta_mean: Any
    eta_cov: Any
    mu: Any
    sigma: Any


def _matrices(model: Conditioned, theta: Any, given: FloatArray) -> list[Any]:
    """The six matrices without the rows of the integrated variables, ``(B, ...)``."""
    block = model.block
    flat = np.empty((len(theta), len(block.fixed)), dtype=theta.dtype)
    flat[:] = block.fixed
    at, source = block.free_positions
    flat[:, at] = theta[:, source]
    if len(block.given):
        at, source = block.given_positions
        flat[:, at] = given[source]
    cut, whole, m, p = block.offsets, block.p, block.m, model.p
    parts = [flat[:, cut[k] : cut[k + 1]] for k in (LAMBDA, BETA, PSI, THETA, NU, ALPHA)]
    return [parts[0].reshape(-1, whole, m)[:, :p], parts[1].reshape(-1, m, m), parts[2].reshape(-1, m, m),
            parts[3].reshape(-1, whole, whole)[:, :p, :p], parts[4][:, :p], parts[5]]


def _root(a: Any) -> Any:
    """Cholesky factor ``(B, d, d)`` of a matrix with complex parts that stand for derivatives."""
    d = a.shape[-1]
    out = np.zeros_like(a)
    for j in range(d):
        rest = a[:, j, j] - np.sum(out[:, j, :j] ** 2, axis=1)
        out[:, j, j] = np.sqrt(rest)
        for i in range(j + 1, d):
            out[:, i, j] = (a[:, i, j] - np.sum(out[:, i, :j] * out[:, j, :j], axis=1)) / out[:, j, j]
    return out


def distinct(known: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Different rows ``(u, k)`` of known values and the shares ``(u,)`` of the respondents who have them."""
    if not known.shape[1]:
        return known[:1], np.ones(1)
    rows, index = np.unique(known, axis=0, return_inverse=True)
    return rows, np.bincount(index.ravel(), weights=weight) / weight.sum()


def _values(
    model: Conditioned, psi: Any, alpha: Any, known: FloatArray, share: FloatArray
) -> tuple[Any, FloatArray]:
    """Values of the exogenous given variables ``(B, S, g)``, in the order of the roles, and their weights ``(S,)``."""
    inner = set(model.roles.inner)
    integrated, shown = ([j for j in role if j not in inner] for role in (model.roles.integrated, model.roles.known))
    u, log_weight = grid([hermite(_POINTS)] * len(integrated))
    weight = np.exp(log_weight - 0.5 * np.sum(u**2, axis=1) - 0.5 * len(integrated) * np.log(2 * np.pi))
    count = len(known)
    level = np.broadcast_to(alpha[:, None, integrated], (len(psi), count, len(integrated)))
    spread = psi[:, integrated][:, :, integrated]
    if shown and integrated:
        between = psi[:, integrated][:, :, shown]
        slope = between @ np.linalg.inv(psi[:, shown][:, :, shown])
        level = level + known @ slope.swapaxes(1, 2)
        spread = spread - slope @ between.swapaxes(1, 2)
    z = level[:, :, None, :] + (u @ _root(spread).swapaxes(1, 2))[:, None]
    x = np.broadcast_to(known[None, :, None, :], (len(psi), count, len(u), len(shown)))
    order = (*model.roles.integrated, *model.roles.known)
    both = np.zeros((len(psi), count, len(u), len(order)), dtype=z.dtype)  # 0 where an outcome stands
    both[..., [order.index(j) for j in integrated]] = z
    both[..., [order.index(j) for j in shown]] = x
    shares = np.repeat(share, len(u)) * np.tile(weight, count)
    return both.reshape(len(psi), count * len(u), -1), shares


def totals(model: Conditioned, theta: Any, given: FloatArray, known: FloatArray, share: FloatArray) -> Totals:
    """Unconditional moments.

    Parameters
    ----------
    theta : ndarray (B, q), real or complex
    given : ndarray (e,)
    known, share : ndarray (u, k), (u,)
        What :func:`distinct` finds; ``(1, 0)`` for no known variable.
    """
    lam, _, psi, noise, nu, alpha = matrices = _matrices(model, theta, given)
    values, weight = _values(model, psi, alpha, known, share)
    eta = values + _shift(model, alpha)
    for k in range(len(model.roles.inner)):
        values, eta, weight = _follow(model, theta, matrices, values, eta, weight, k)
    batch, states, m = len(theta), len(weight), model.block.m
    mean = np.zeros((batch, m), dtype=theta.dtype)
    second = np.zeros((batch, m, m), dtype=theta.dtype)
    width = max(1, _CHUNK // (batch * m * m))
    order = [*model.roles.integrated, *model.roles.known]
    for start in range(0, states, width):
        at = slice(start, start + width)
        a, b = _given(model, theta, matrices, values[:, at], order, eta[:, at])
        w = weight[at]
        mean += np.einsum("s,bsi->bi", w, a)
        second += np.einsum("s,bsij->bij", w, b) + np.einsum("s,bsi,bsj->bij", w, a, a)
    cov = second - mean[:, :, None] * mean[:, None, :]
    mu = nu + (lam @ mean[..., None])[..., 0]
    return Totals(mean, cov, mu, lam @ cov @ lam.swapaxes(1, 2) + noise)


def _shift(model: Conditioned, alpha: Any) -> Any:
    """What is added to the values of given exogenous variables to have eta, ``(B, 1, g)``: known ones are centred."""
    out = np.zeros((len(alpha), 1, model.d + len(model.roles.known)), dtype=alpha.dtype)
    for k, j in enumerate(model.roles.known, start=model.d):
        if j not in model.roles.inner:
            out[:, 0, k] = alpha[:, j]
    return out


def _follow(
    model: Conditioned, theta: Any, matrices: list[Any], values: Any, eta: Any, weight: FloatArray, k: int
) -> tuple[Any, Any, FloatArray]:
    """Values, eta and weights with the ``k``-th given outcome, normal given those before it; 8 states for each one."""
    roles = model.roles
    order = [*roles.integrated, *roles.known]
    j = roles.inner[k]
    before = [i for i in order if i not in roles.inner[k:]]
    at = [order.index(i) for i in before]
    u, log_weight = grid([hermite(_POINTS)])
    share = np.exp(log_weight - 0.5 * u[:, 0] ** 2 - 0.5 * np.log(2 * np.pi))
    batch, states = values.shape[:2]
    drawn = np.empty((batch, states, _POINTS), dtype=values.dtype)
    width = max(1, _CHUNK // (batch * model.block.m**2))
    for start in range(0, states, width):
        pick = slice(start, start + width)
        mean, cov = _given(model, theta, matrices, values[:, pick], before, eta[:, pick][..., at])
        drawn[:, pick] = mean[..., j, None] + np.sqrt(cov[..., j, j])[..., None] * u[:, 0]
    place = order.index(j)
    more, whole = np.repeat(values, _POINTS, axis=1), np.repeat(eta, _POINTS, axis=1)
    whole[..., place] = drawn.reshape(batch, -1)
    more[..., place] = whole[..., place] - _centre(model, matrices, j)[:, None]
    return more, whole, np.repeat(weight, _POINTS) * np.tile(share, states)


def _centre(model: Conditioned, matrices: list[Any], j: int) -> Any:
    """What is subtracted from a given outcome in its products, ``(B,)``: its mean in the sample if it is known."""
    lam, nu = matrices[0], matrices[4]
    if j not in model.roles.known:
        return np.zeros(len(nu), dtype=nu.dtype)
    i = int(np.argmax(np.abs(lam[0, :, j])))
    return (model.centre[model.roles.known.index(j)] - nu[:, i]) / lam[:, i, j]


def _given(
    model: Conditioned, theta: Any, matrices: list[Any], values: Any, order: list[int], eta: Any
) -> tuple[Any, Any]:
    """Means ``(B, S, m)`` and covariances ``(B, S, m, m)`` of eta given some variables.

    Parameters
    ----------
    values : ndarray (B, S, g)
        Of all given variables in their products.
    order : list of int
        The variables that are given, and ``eta (B, S, o)`` their values.
    """
    _, beta, psi, _, _, alpha = matrices
    m, states = model.block.m, values.shape[1]
    slopes = np.repeat(beta[:, None], states, axis=1)
    level = np.repeat(alpha[:, None], states, axis=1)
    for crossing in model.crossings:
        held, carrier = model.roles.held(crossing)
        size = theta[:, crossing.parameter, None] if crossing.parameter >= 0 else crossing.value
        moved = size * values[:, :, list(held)].prod(axis=2)
        if carrier >= 0:
            slopes[:, :, crossing.outcome, carrier] += moved
        else:
            level[:, :, crossing.outcome] += moved
    a = np.linalg.inv(np.eye(m) - slopes)
    if set(order) & set(model.roles.inner):
        mean, cov = (a @ level[..., None])[..., 0], a @ psi[:, None] @ a.swapaxes(2, 3)
        forward = cov[..., order] @ np.linalg.inv(cov[..., order, :][..., order])
        mean = mean + (forward @ (eta - mean[..., order])[..., None])[..., 0]
        return mean, cov - forward @ cov[..., order, :]
    rest = psi
    if order:  # disturbances of exogenous variables are known when they are
        inside = np.linalg.inv(psi[:, order][:, :, order])
        forward = psi[:, :, order] @ inside
        level = level + (eta - alpha[:, None, order]) @ forward.swapaxes(1, 2)
        rest = psi - forward @ psi[:, order]
    return (a @ level[..., None])[..., 0], a @ rest[:, None] @ a.swapaxes(2, 3)


def centres(model: Conditioned, theta: FloatArray, given: FloatArray) -> dict[int, float]:
    """What is subtracted from known outcomes in their products, by position in eta."""
    matrices = _matrices(model, theta[None], given)
    return {j: float(_centre(model, matrices, j)[0]) for j in model.roles.known if j in model.roles.inner}


def total_implied(
    model: Conditioned, theta: FloatArray, given: FloatArray, known: FloatArray, share: FloatArray
) -> Implied:
    """Totals in the shape of implied moments (batch of one); ``a`` and ``g`` are those at the means."""
    found = totals(model, theta[None], given, known, share)
    lam, beta, psi, noise, nu, alpha = _matrices(model, theta[None], given)
    a = np.linalg.inv(np.eye(model.block.m) - beta)
    return Implied(Matrices(lam, beta, psi, noise, nu, alpha), a, lam @ a, found.eta_cov, found.eta_mean,
                   lam @ found.eta_cov, found.sigma, found.mu)


def variances(
    model: Conditioned, theta: FloatArray, given: FloatArray, known: FloatArray, share: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Total variances of the observed variables and of eta ``(p + m,)``, and their derivatives ``(p + m, q)``."""
    steps = theta + 1j * _STEP * np.eye(len(theta))
    found = totals(model, steps, given, known, share)
    both = np.concatenate(
        [np.diagonal(found.sigma, axis1=1, axis2=2), np.diagonal(found.eta_cov, axis1=1, axis2=2)], axis=1
    )
    return np.asarray(both.real[0]), np.asarray(both.imag.T / _STEP)


def variances_only(
    model: Conditioned, theta: FloatArray, given: FloatArray, known: FloatArray, share: FloatArray
) -> FloatArray:
    """Total variances as in :func:`variances`, without derivatives."""
    found = totals(model, theta[None], given, known, share)
    return np.concatenate([np.diagonal(found.sigma[0]), np.diagonal(found.eta_cov[0])])


def covariances(
    model: Conditioned, theta: FloatArray, given: FloatArray, known: FloatArray, share: FloatArray
) -> FloatArray:
    """Derivatives ``(q, p, p)`` of the total covariances of the observed variables by the parameters."""
    steps = theta + 1j * _STEP * np.eye(len(theta))
    return np.asarray(totals(model, steps, given, known, share).sigma.imag / _STEP)
