"""Where the points of the integral lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.interaction.conditioning import Conditioned
from semkit.interaction.mixture import Points, Respondents, log_joint, posterior, states_of
from semkit.numerics.em import masked_inverse
from semkit.numerics.quadrature import grid, hermite, spacing, uniform

FloatArray = NDArray[np.float64]

_EMPTY = 1e-13  # a point that has less of every respondent's posterior is left out


def nothing() -> Points:
    """The one empty point of a model without variables to integrate out."""
    return Points(np.zeros((1, 0)), np.zeros(1))


def prior(model: Conditioned, theta: FloatArray, given: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean ``(d,)`` and covariance matrix ``(d, d)`` of the integrated variables without what products do to them."""
    implied = model.imply(theta, given, np.zeros((1, model.d + len(model.roles.known))))
    at = list(model.roles.integrated)
    return implied.eta_mean[0, at], implied.eta_cov[0][np.ix_(at, at)]


def hermite_points(model: Conditioned, theta: FloatArray, given: FloatArray, count: int) -> Points:
    """Gauss-Hermite points of the prior distribution."""
    mean, cov = prior(model, theta, given)
    root = np.linalg.cholesky(cov)
    u, weight = grid([hermite(count)] * model.d)
    return Points(mean + u @ root.T, weight + float(np.log(np.diagonal(root)).sum()))


def linear_posterior(
    model: Conditioned, theta: FloatArray, given: FloatArray, who: Respondents
) -> tuple[FloatArray, FloatArray]:
    """Posterior means ``(n, d)`` and covariances ``(n, d, d)`` as if there were no products."""
    p, d = model.p, model.d
    implied = model.imply(theta, given, np.zeros((1, d + len(model.roles.known))))
    mean, cov = np.zeros((who.n, d)), np.zeros((who.n, d, d))
    sigma, mu = implied.sigma[0], implied.mu[0]
    for bundle in who.bundles:
        w, _ = masked_inverse(sigma[None, :p, :p], bundle.mask)
        slope = sigma[None, p:, :p] @ w
        dev = np.where(bundle.mask[:, None, :], bundle.data - (mu[:p] - who.centre), 0.0)
        mean[bundle.rows] = mu[p:] + dev @ slope.swapaxes(1, 2)
        cov[bundle.rows] = (sigma[p:, p:] - slope @ sigma[:p, p:])[:, None]
    return mean, cov


def posterior_moments(
    model: Conditioned, theta: FloatArray, given: FloatArray, who: Respondents, points: Points
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Posterior means ``(n, d)``, covariances ``(n, d, d)``, and the largest weight of each point ``(K,)``."""
    d = model.d
    mean, cov, most = np.zeros((who.n, d)), np.zeros((who.n, d, d)), np.zeros(len(points.z))
    outer = (points.z[:, :, None] * points.z[:, None, :]).reshape(len(points.z), -1)
    for bundle in who.bundles:
        states = states_of(model, theta, given, bundle, points, who.centre)
        _, r = posterior(log_joint(model, states, bundle, points))
        mean[bundle.rows] = r @ points.z
        second = (r @ outer).reshape(*r.shape[:2], d, d)
        cov[bundle.rows] = second - mean[bundle.rows][..., :, None] * mean[bundle.rows][..., None, :]
        most = np.maximum(most, r.max(axis=(0, 1)))
    return mean, cov, most


def spread_points(
    model: Conditioned, theta: FloatArray, given: FloatArray, found: tuple[FloatArray, FloatArray], count: int
) -> Points:
    """Equally spaced points over the posterior distributions ``found`` (means and covariances), in prior units."""
    centre, cov = prior(model, theta, given)
    root = np.linalg.cholesky(cov)
    back = np.linalg.inv(root)
    mean = (found[0] - centre) @ back.T
    inside = back @ found[1] @ back.T
    sd = np.sqrt(np.maximum(np.diagonal(inside, axis1=1, axis2=2), 1e-12))
    narrow = np.sqrt(max(float(np.quantile(np.linalg.eigvalsh(inside)[:, 0], 0.05)), 1e-8))
    axes = []
    for j in range(model.d):
        h, tail = spacing(float(np.ptp(mean[:, j])), narrow, count)
        for _ in range(3):  # the tails are those of the respondents at the ends
            t = min(tail / narrow, 9.0)
            low, high = float(np.min(mean[:, j] - t * sd[:, j])), float(np.max(mean[:, j] + t * sd[:, j]))
            h = 0.5 * (h + (high - low) / (count - 1))
            tail = 2.0 * np.pi * narrow**2 / h
        axes.append(uniform(low, high, count))
    u, weight = grid(axes)
    return Points(centre + u @ root.T, weight + float(np.log(np.diagonal(root)).sum()))


def place(
    model: Conditioned, theta: FloatArray, given: FloatArray, who: Respondents, count: int, *, adaptive: bool,
    before: Points | None = None,
) -> Points:
    """Points for one group at these parameters.

    Parameters
    ----------
    before : Points, optional
        Points at which the posterior distributions are looked up; without them those of the linear model are taken.
    """
    if model.d == 0:
        return nothing()
    if not adaptive:
        return hermite_points(model, theta, given, count)
    if before is None:
        found = linear_posterior(model, theta, given, who)
    else:
        mean, cov, _ = posterior_moments(model, theta, given, who, before)
        found = (mean, cov)
    points = spread_points(model, theta, given, found, count)
    if model.d == 1:
        return points
    _, _, most = posterior_moments(model, theta, given, who, points)
    full = most > _EMPTY
    return Points(points.z[full], points.log_weight[full])
