"""Joint sampling covariances of residual moments, and the SRMR with its error.

Moments stand as means, then the lower triangle of the covariance matrix row by row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def normal_covariance(cov: FloatArray, fixed: list[int], means: bool) -> FloatArray:
    """``N`` times the covariance matrix of sample moments under normality, ``(k, k)``.

    ``N Cov(s_ij, s_kl) = s_ik s_jl + s_il s_jk``; given fixed covariates what their own moments explain is taken off.

    References
    ----------
    Anderson (2003), An Introduction to Multivariate Statistical Analysis, 3rd ed., eq. 3.4.13.
    """
    p = len(cov)
    row, col = np.tril_indices(p)
    out = cov[np.ix_(row, row)] * cov[np.ix_(col, col)] + cov[np.ix_(row, col)] * cov[np.ix_(col, row)]
    if means:
        whole = np.zeros((p + len(row),) * 2)
        whole[:p, :p], whole[p:, p:] = cov, out
        out = whole
    if fixed:
        held = np.flatnonzero(held_moments(p, fixed, means))
        inner = np.linalg.pinv(out[np.ix_(held, held)])
        out = out - out[:, held] @ inner @ out[held]
    return np.asarray(out)


def held_moments(p: int, fixed: list[int], means: bool) -> NDArray[np.bool_]:
    """Which moments are among fixed covariates only, ``(k,)``."""
    inside = np.isin(np.arange(p), fixed)
    row, col = np.tril_indices(p)
    pairs = inside[row] & inside[col]
    return np.concatenate([inside, pairs]) if means else pairs


def projected(
    gammas: list[FloatArray], weights: list[FloatArray], slopes: list[FloatArray], bread: FloatArray,
    shares: tuple[float, ...],
) -> list[FloatArray]:
    """``N Cov(s - sigma(theta))`` of each group ``(k, k)``: ``Q Gamma Q'``, ``Q = I - D E D'V``.

    Parameters
    ----------
    gammas, weights : list of ndarray (k, k)
        ``N_g`` times the covariance matrix of the moments, and the estimator's weight matrix.
    slopes : list of ndarray (k, q)
        Derivatives of the implied moments.
    bread : ndarray (q, q)
        ``(sum_g share_g D'V D)^-1`` along the constraints.
    shares : tuple of float

    References
    ----------
    Browne (1984), British Journal of Mathematical and Statistical Psychology 37, 62-83, proposition 4.
    """
    pulls = [w @ d @ bread for w, d in zip(weights, slopes, strict=True)]
    middle = sum(share * pull.T @ g @ pull for share, pull, g in zip(shares, pulls, gammas, strict=True))
    out = []
    for share, pull, g, d in zip(shares, pulls, gammas, slopes, strict=True):
        cross = g @ pull @ d.T
        out.append(np.asarray(g / share - cross - cross.T + d @ middle @ d.T, dtype=np.float64))
    return out


def bentler(cov: FloatArray, means: bool) -> FloatArray:
    """Divisors ``(k,)`` of residual moments: sample standard deviations (Bentler 1995)."""
    s = np.sqrt(np.diagonal(cov))
    row, col = np.tril_indices(len(cov))
    return np.concatenate([s, s[row] * s[col]]) if means else s[row] * s[col]


def correlation_turn(cov: FloatArray) -> FloatArray:
    """Derivatives ``(m, m)`` of correlations by covariances, lower triangles; rows of the diagonal are zero.

    ``d r_ij = d s_ij / (s_i s_j) - r_ij / 2 (d s_ii / s_ii + d s_jj / s_jj)``.

    References
    ----------
    Ogasawara (2001), British Journal of Mathematical and Statistical Psychology 54, 237-250.
    """
    p = len(cov)
    s = np.sqrt(np.diagonal(cov))
    row, col = np.tril_indices(p)
    off = np.flatnonzero(row != col)
    own = np.flatnonzero(row == col)  # in the order of the variables
    out = np.zeros((len(row), len(row)))
    out[off, off] = 1.0 / (s[row[off]] * s[col[off]])
    r = cov[row[off], col[off]] / (s[row[off]] * s[col[off]])
    out[off, own[row[off]]] = -0.5 * r / s[row[off]] ** 2
    out[off, own[col[off]]] = -0.5 * r / s[col[off]] ** 2
    return out


@dataclass(frozen=True, slots=True)
class RootMeanSquare:
    """Root mean square of standardised residuals, its tests, and its unbiased counterpart with interval.

    Parameters
    ----------
    value, se : float
        ``sqrt(e'e / t)`` and its error where the model holds exactly.
    exact_z, exact_pvalue : float
        Test of exact fit, one-sided.
    unbiased, unbiased_se, ci_lower, ci_upper : float
    close_z, close_pvalue : float
        Test that the population value is at most ``close``.
    close : float
    """

    value: float
    se: float
    exact_z: float
    exact_pvalue: float
    unbiased: float
    unbiased_se: float
    ci_lower: float
    ci_upper: float
    close: float
    close_z: float
    close_pvalue: float


def root_mean_square(
    residual: FloatArray, variance: FloatArray, count: int, level: float = 0.90, close: float = 0.05
) -> RootMeanSquare:
    """SRMR (or CRMR) with errors, from residuals ``e (k,)`` and their covariance matrix ``X (k, k)``.

    With ``t`` = ``count``, ``t1 = tr X``, ``t2 = tr X^2``:

    - under exact fit ``SRMR`` has mean ``sqrt(t1 / t) [1 - t2 / (4 t1^2)]`` and variance ``t2 / (2 t t1)``;
    - the unbiased one is ``sqrt(max(e'e - t1, 0) / t) / k``, ``k = 1 - (t2 + 2 e'X e) / (4 (e'e)^2)``, with variance
      ``(t2 + 2 e'X e) / (2 t e'e) / k^2``.

    References
    ----------
    Maydeu-Olivares (2017), Psychometrika 82, 533-558, eqs. 13-19; Maydeu-Olivares, Shi & Rosseel (2018), Structural
    Equation Modeling 25, 389-402.
    """
    square, trace = float(residual @ residual), float(np.trace(variance))
    second = float(np.sum(variance * variance))
    value = float(np.sqrt(square / count))
    nan = float("nan")
    if trace <= 1e-14 * max(square, 1.0):  # nothing can vary: the model reproduces these moments in every sample
        return RootMeanSquare(value, nan, nan, nan, value, nan, nan, nan, close, nan, nan)
    se = float(np.sqrt(second / (2.0 * count * trace)))
    exact = (value - float(np.sqrt(trace / count)) * (1.0 - second / (4.0 * trace**2))) / se
    spread = second + 2.0 * float(residual @ variance @ residual)
    scale = 1.0 - spread / (4.0 * square**2)
    unbiased = float(np.sqrt(max(square - trace, 0.0) / count)) / scale
    error = float(np.sqrt(spread / (2.0 * count * square))) / scale
    if scale <= 0.0:  # residuals so near zero that the expansion behind the correction does not hold
        return RootMeanSquare(value, se, exact, float(ndtr(-exact)), nan, nan, nan, nan, close, nan, nan)
    reach = float(ndtri(0.5 + 0.5 * level)) * error
    z = (unbiased - close) / error
    return RootMeanSquare(value, se, exact, float(ndtr(-exact)), unbiased, error, max(unbiased - reach, 0.0),
                          unbiased + reach, close, z, float(ndtr(-z)))
