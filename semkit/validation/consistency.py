"""Reliability as array functions: alpha with its interval, omega, composite reliability, variance extracted."""

from __future__ import annotations

import numpy as np

from semkit.result import FloatArray
from semkit.sample.composite import alpha, stratified_error_variance

__all__ = [
    "alpha",
    "alpha_error",
    "alpha_if_dropped",
    "alpha_interval",
    "average_variance_extracted",
    "composite_reliability",
    "item_rest",
    "mean_correlation",
    "omega",
    "standardised_alpha",
    "stratified_alpha",
]


def _correlations(cov: FloatArray) -> FloatArray:
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    return np.asarray(cov / sd[..., :, None] / sd[..., None, :])


def mean_correlation(cov: FloatArray) -> FloatArray:
    """Mean of the correlations between different items.

    Parameters
    ----------
    cov : ndarray (..., k, k)

    Returns
    -------
    ndarray (...)
    """
    corr = _correlations(cov)
    k = corr.shape[-1]
    return np.asarray((corr.sum(axis=(-2, -1)) - k) / (k * (k - 1)))


def standardised_alpha(cov: FloatArray) -> FloatArray:
    """Alpha of standardised items, ``k r / (1 + (k - 1) r)`` with their mean correlation r.

    Source: Cronbach (1951), in its Spearman-Brown form.

    Parameters
    ----------
    cov : ndarray (..., k, k)
    """
    k, r = cov.shape[-1], mean_correlation(cov)
    return np.asarray(k * r / (1.0 + (k - 1) * r))


def alpha_interval(value: FloatArray, n: int, k: int, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Confidence limits ``1 - (1 - alpha) F`` with F quantiles of (n - 1, (n - 1)(k - 1)) degrees of freedom.

    Exact for normal items with equal variances and covariances, optimistic for skewed ones.
    Source: Feldt (1965), Psychometrika 30, 357-370.

    Parameters
    ----------
    value : ndarray (...)
        Alpha.
    n, k : int
        Respondents, items.

    Returns
    -------
    lower, upper : ndarray (...)
    """
    from scipy.special import fdtri

    df1, df2, tail = n - 1.0, (n - 1.0) * (k - 1.0), (1.0 - level) / 2.0
    rest = 1.0 - np.asarray(value, dtype=float)
    return 1.0 - rest * fdtri(df1, df2, 1.0 - tail), 1.0 - rest * fdtri(df1, df2, tail)


def alpha_error(values: FloatArray) -> FloatArray:
    """Standard error of alpha that assumes no distribution: from each respondent's influence on it.

    With the deviations d_i of respondent i, the trace t and the total T of the covariance matrix:
    ``psi_i = k / (k - 1) (t ((sum d_i)^2 - T) / T^2 - (sum d_i^2 - t) / T)``, error ``sqrt(sum psi_i^2) / (n - 1)``.
    ``alpha -/+ z`` errors hold their level with answers heaped at one end, where :func:`alpha_interval` is
    too short.  Source: Maydeu-Olivares, Coffman & Hartmann (2007), Psychological Methods 12, 157-176.

    Parameters
    ----------
    values : ndarray (..., n, k)
        Complete answers.

    Returns
    -------
    ndarray (...)
    """
    n, k = values.shape[-2:]
    deviation = values - values.mean(axis=-2, keepdims=True)
    own, whole = (deviation**2).sum(axis=-1), deviation.sum(axis=-1) ** 2
    trace, total = own.mean(axis=-1, keepdims=True), whole.mean(axis=-1, keepdims=True)
    influence = k / (k - 1.0) * (trace * (whole - total) / total**2 - (own - trace) / total)
    return np.asarray(np.sqrt((influence**2).sum(axis=-1)) / (n - 1.0))


def item_rest(cov: FloatArray) -> FloatArray:
    """Correlation of each item with the sum of the others (corrected item-total correlation).

    ``(c_i - s_i^2) / (s_i sqrt(C - 2 c_i + s_i^2))`` with row sum ``c_i`` and total ``C`` of the covariance matrix.
    Source: Henrysson (1963); Nunnally & Bernstein (1994), ch. 8.

    Parameters
    ----------
    cov : ndarray (..., k, k)

    Returns
    -------
    ndarray (..., k)
    """
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    row = cov.sum(axis=-1)
    rest = cov.sum(axis=(-2, -1))[..., None] - 2.0 * row + variance
    return np.asarray((row - variance) / np.sqrt(variance * rest))


def alpha_if_dropped(cov: FloatArray) -> FloatArray:
    """Alpha of the other items, for each item; NaN when fewer than two would be left.

    Parameters
    ----------
    cov : ndarray (..., k, k)

    Returns
    -------
    ndarray (..., k)
    """
    k = cov.shape[-1]
    if k < 3:
        return np.full(cov.shape[:-1], np.nan)
    kept = [np.delete(np.arange(k), i) for i in range(k)]
    return np.stack([alpha(cov[..., rows[:, None], rows]) for rows in kept], axis=-1)


def omega(loading: FloatArray, residual: FloatArray, variance: FloatArray | float = 1.0) -> FloatArray:
    """Reliability of the sum of congeneric items: ``(sum l)^2 v / ((sum l)^2 v + sum theta)``.

    Source: McDonald (1999), Test Theory, ch. 6.

    Parameters
    ----------
    loading, residual : ndarray (..., k)
        Unstandardised loadings and residual variances.
    variance : ndarray (...), default 1
        Variance v of the factor.

    Returns
    -------
    ndarray (...)
    """
    true = loading.sum(axis=-1) ** 2 * variance
    return np.asarray(true / (true + residual.sum(axis=-1)))


def composite_reliability(loading: FloatArray) -> FloatArray:
    """Omega of standardised items: ``(sum l)^2 / ((sum l)^2 + sum(1 - l^2))``.

    Source: Fornell & Larcker (1981), eq. 10; Joreskog (1971).

    Parameters
    ----------
    loading : ndarray (..., k)
        Fully standardised loadings.
    """
    return omega(loading, 1.0 - loading**2)


def average_variance_extracted(
    loading: FloatArray, residual: FloatArray | None = None, variance: FloatArray | float = 1.0
) -> FloatArray:
    """Share of the items' variance that the factor explains: ``sum l^2 v / (sum l^2 v + sum theta)``.

    With standardised loadings alone it is their mean square.  Unstandardised items with
    unequal variances give another value: each counts with its variance.
    Source: Fornell & Larcker (1981), eq. 11.

    Parameters
    ----------
    loading : ndarray (..., k)
    residual : ndarray (..., k), optional
        Default: ``1 - loading^2``.
    variance : ndarray (...), default 1
    """
    theta = 1.0 - loading**2 if residual is None else residual
    true = (loading**2).sum(axis=-1) * variance
    return np.asarray(true / (true + theta.sum(axis=-1)))


def stratified_alpha(part_cov: FloatArray, alphas: FloatArray) -> FloatArray:
    """Reliability of the equal-weight mean of parts: ``1 - sum_j s_j^2 (1 - alpha_j) / s^2``.

    ``s_j^2`` are the variances of the parts and ``s^2`` of their sum.
    Source: Cronbach, Schonemann & McKie (1965), Educational and Psychological Measurement 25, 291-312.

    Parameters
    ----------
    part_cov : ndarray (..., J, J)
        Covariance matrix of the parts.
    alphas : ndarray (..., J)

    Returns
    -------
    ndarray (...)
    """
    count = part_cov.shape[-1]
    error = stratified_error_variance(np.diagonal(part_cov, axis1=-2, axis2=-1), alphas)
    return np.asarray(1.0 - error / (part_cov.sum(axis=(-2, -1)) / count**2))
