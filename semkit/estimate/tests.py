"""Test statistics of the model and of its baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from semkit.estimate.discrepancy import inverse
from semkit.estimate.implied import Implied, frame, mean_factor
from semkit.estimate.layout import Layout

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Test:
    """One test of the model.

    Parameters
    ----------
    test : str
    stat : float
    df : float
        Whole, except under ``mean.var.adjusted``.
    pvalue : float
        NaN with 0 degrees of freedom, and where the statistic has no known distribution.
    scaling_factor : float
        1 for unscaled statistics.
    trace : float
        ``tr(U Gamma)`` behind the scaling factor; NaN for unscaled statistics.
    label : str
    trace2 : float
        ``tr(U Gamma U Gamma)`` where the variance is corrected too.
    shift : float
        What ``scaled.shifted`` adds.
    """

    __test__ = False

    test: str
    stat: float
    df: float
    pvalue: float
    scaling_factor: float = 1.0
    trace: float = float("nan")
    label: str = ""
    trace2: float = float("nan")
    shift: float = 0.0


def chi_square_p(stat: float, df: float) -> float:
    """Upper tail of the chi-square distribution; NaN without degrees of freedom."""
    return float(chdtrc(df, max(stat, 0.0))) if df > 0 else float("nan")


def standard(stat: float, df: int) -> Test:
    """The likelihood ratio statistic ``N F``."""
    return Test("standard", stat, df, chi_square_p(stat, df), label="Standard")


def scaled(stat: float, df: int, trace: float, name: str, label: str) -> Test:
    """``T / c`` with ``c = trace / df``."""
    if df == 0:
        return Test(name, stat, df, float("nan"), float("nan"), trace, label)
    factor = trace / df
    return Test(name, stat / factor, df, chi_square_p(stat / factor, df), factor, trace, label)


def residual_nt(
    layout: Layout, implied: tuple[Implied, ...], observed: tuple[tuple[FloatArray, FloatArray], ...],
    weights: tuple[float, ...], information: FloatArray, basis: FloatArray,
) -> float:
    """Browne's residual-based statistic under normal theory, weighted by the implied moments.

    ``e'[V - V D (D'V D)^-1 D'V] e`` with residuals ``e``, derivatives ``D`` and
    ``V = 1/2 K'(Sigma^-1 x Sigma^-1)K`` (and Sigma^-1 for means); per respondent, to be multiplied by N.

    Parameters
    ----------
    implied : tuple of Implied, one a group (batch of one)
    observed : tuple of (cov (p, p), mean (p,)), one a group
    weights : tuple of float
        Shares of the groups.
    information : ndarray (q, q)
        Expected information per respondent, ``D'V D``.
    basis : ndarray (q, r)
        Directions that constraints allow.

    References
    ----------
    Browne (1984), British Journal of Mathematical and Statistical Psychology 37, 62-83, eq. 2.20b.
    """
    total = 0.0
    slope = np.zeros(layout.n_parameters)
    for block, part, (cov, mean), weight in zip(layout.blocks, implied, observed, weights, strict=True):
        w = inverse(part.sigma)[0][0]
        residual = cov - part.sigma[0]
        columns = frame(block, part)[0]
        u, v, scale = block.factors
        middle = w @ residual @ w
        total += weight * 0.5 * float(np.sum(middle * residual))
        by_cell = scale * (columns.T @ middle @ columns)[u, v]
        if block.means:
            gap = mean - part.mu[0]
            total += weight * float(gap @ w @ gap)
            by_cell = by_cell + mean_factor(block, part)[0] * (gap @ w @ columns)[u]
        np.add.at(slope, block.free.source, weight * by_cell)
    inside, inner = basis.T @ slope, basis.T @ information @ basis
    try:
        return total - float(inside @ np.linalg.solve(inner, inside))
    except np.linalg.LinAlgError:  # not identified: residuals off the model's tangent count all the same
        return total - float(inside @ np.linalg.pinv(inner) @ inside)


def saturated_trace(data: FloatArray, n_fixed: int, means: bool) -> float:
    """``tr(A^-1 B)`` of the saturated model, for data whose last ``n_fixed`` columns are fixed covariates.

    Without covariates ``1/2 (mean d_i^2 - p)`` with Mahalanobis distances ``d_i`` (half of Mardia's excess
    plus its parameters); with covariates the saturated model is the regression on them with free residual
    covariances: ``mean(d_i h_i) + 1/2 (mean d_i^2 - p)`` where ``h_i = x_i' Sxx^-1 x_i``.  Means add ``p``.

    Parameters
    ----------
    data : ndarray (n, p + n_fixed)
    n_fixed : int
    means : bool

    References
    ----------
    Yuan & Bentler (2000), Sociological Methodology 30, 165-200; Mardia (1970), Biometrika 57, 519-530.
    """
    z = data - data.mean(axis=0)
    n, p = z.shape[0], z.shape[1] - n_fixed
    y = z[:, :p]
    extra = 0.0
    if n_fixed:
        x = z[:, p:]
        xx = np.linalg.inv(x.T @ x / n)
        y = y - x @ (xx @ (x.T @ y / n))
        leverage = np.einsum("ni,ij,nj->n", x, xx, x)
    w = np.linalg.inv(y.T @ y / n)
    d = np.einsum("ni,ij,nj->n", y, w, y)
    if n_fixed:
        extra = float(np.mean(d * leverage))
    return extra + 0.5 * float(np.mean(d * d) - p) + (p if means else 0)


def independence_trace(data: FloatArray, means: bool) -> float:
    """``tr(A^-1 B)`` of the independence model: ``sum_i (kurtosis_i - 1)/2``, plus ``p`` for means."""
    z = data - data.mean(axis=0)
    second = np.mean(z**2, axis=0)
    fourth = np.mean(z**4, axis=0)
    return float(np.sum(0.5 * (fourth / second**2 - 1.0))) + (data.shape[1] if means else 0)
