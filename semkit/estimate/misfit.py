"""Sampling variances of moments and of residuals under normality."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.implied import imply, jacobian
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


def fitted_variance(
    layout: Layout, theta: FloatArray, given: FloatArray, vcov: FloatArray
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Variances of the implied covariances ``(p, p)`` and means ``(p,)`` of each group: ``D V D'`` (diagonal).

    Parameters
    ----------
    theta : ndarray (q,)
    given : ndarray (d,)
    vcov : ndarray (q, q)
        Covariance matrix of the estimates.

    References
    ----------
    Rao (1973), Linear Statistical Inference and Its Applications, section 6a.2 (delta method).
    """
    covs, means = [], []
    for block in layout.blocks:
        by_cov, by_mean = jacobian(block, imply(block, theta[None], given[None]))
        source = block.free.source
        inside = vcov[np.ix_(source, source)]
        slope = by_cov[0]
        covs.append(np.asarray(np.einsum("kij,kl,lij->ij", slope, inside, slope, optimize=True)))
        means.append(np.asarray(np.einsum("ki,kl,li->i", by_mean[0], inside, by_mean[0], optimize=True)))
    return covs, means
