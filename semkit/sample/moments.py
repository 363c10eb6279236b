"""First and second moments of samples, one or many draws at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semkit.errors import Problem, SampleError, checked

FloatArray = NDArray[np.float64]


@checked
@dataclass(frozen=True, eq=False)
class Moments:
    """Covariance matrix, mean vector and number of respondents instead of raw data.

    Parameters
    ----------
    cov : DataFrame or ndarray (p, p)
        Covariance matrix.  A DataFrame brings its own names.
    mean : Series, ndarray (p,) or None
        Means; needed for models with a mean structure.
    nobs : int
        Number of respondents the moments were computed from.
    names : tuple of str, optional
        Variable names; taken from ``cov`` when it is a DataFrame.
    divisor : {"n", "n-1"}
        What the sums of squares were divided by.  Printed covariance matrices usually have
        ``N - 1``; maximum likelihood works with ``N``.
    sd : Series, ndarray (p,) or None
        Standard deviations (with the same divisor) when ``cov`` holds correlations.
    gamma : ndarray (k, k) or None
        ``N`` times the covariance matrix of the moments, for estimators and tests that need raw data otherwise: the
        means if there are any, then the lower triangle of ``cov`` column by column (lavaan's ``NACOV``).

    Examples
    --------
    >>> Moments([[1.0, 0.3], [0.3, 2.0]], nobs=100, names=("a", "b")).matrix.shape
    (2, 2)
    """

    cov: Any
    mean: Any = None
    nobs: int = 0
    names: tuple[str, ...] = ()
    divisor: str = "n-1"
    sd: Any = None
    gamma: Any = None

    def __post_init__(self) -> None:
        names = self.names or tuple(str(name) for name in getattr(self.cov, "columns", ()))
        object.__setattr__(self, "names", tuple(names))
        problems = []
        try:
            matrix = np.asarray(self.cov, dtype=np.float64)
        except (TypeError, ValueError):
            raise SampleError(Problem("sample.moments-shape", "cov", f"{type(self.cov).__name__} without numbers",
                                      "a square matrix of numbers", "Pass a DataFrame of covariances.")) from None
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] != len(names):
            problems.append(Problem("sample.moments-shape", "cov", f"shape {matrix.shape} with {len(names)} names",
                                    "a square matrix with one name a column", "Pass a DataFrame or names=."))
        elif not np.all(np.isfinite(matrix)) or not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-12):
            problems.append(Problem("sample.moments-not-symmetric", "cov", "the matrix is not finite and symmetric",
                                    "a covariance matrix", "Check how it was read."))
        if self.nobs < 2:
            problems.append(Problem("sample.moments-nobs", "nobs", f"{self.nobs}", "2 or more", "Pass nobs=."))
        if self.divisor not in ("n", "n-1"):
            problems.append(Problem("sample.moments-divisor", "divisor", repr(self.divisor), "n, n-1", "Choose one."))
        if not problems:
            problems += self._further_problems(matrix)
        if problems:
            raise SampleError(*problems)

    def _further_problems(self, matrix: FloatArray) -> list[Problem]:
        out, p = [], len(matrix)
        if self.sd is not None:
            sd = np.asarray(self.sd, dtype=np.float64).ravel()
            if len(sd) != p or not np.all(np.isfinite(sd)) or np.any(sd <= 0.0):
                out.append(Problem("sample.moments-sd", "sd", f"{len(sd)} numbers for {p} variables, or not positive",
                                   "one positive number a variable", "Check how they were read."))
            if not np.allclose(np.diagonal(matrix), 1.0, atol=1e-6):
                out.append(Problem("sample.moments-sd", "cov", "sd= is given, but the diagonal is not all ones",
                                   "a correlation matrix with sd=", "Leave sd= out for a covariance matrix."))
        if self.gamma is not None:
            gamma, k = np.asarray(self.gamma, dtype=np.float64), p * (p + 1) // 2 + (p if self.mean is not None else 0)
            if gamma.shape != (k, k) or not np.all(np.isfinite(gamma)) or not np.allclose(gamma, gamma.T, rtol=1e-6):
                out.append(Problem("sample.moments-gamma", "gamma", f"shape {gamma.shape}, or not symmetric",
                                   f"a symmetric matrix ({k}, {k}): means if given, lower triangle by columns",
                                   "Check the order and whether the means are part of it."))
        return out

    @property
    def is_correlation(self) -> bool:
        """Whether ``cov`` has a diagonal of ones and nobody said what the standard deviations are."""
        variances = np.diagonal(np.asarray(self.cov, dtype=np.float64))
        return self.sd is None and bool(np.allclose(variances, 1.0, atol=1e-6))

    @property
    def matrix(self) -> FloatArray:
        """The covariance matrix with divisor ``N``, shape ``(p, p)``."""
        matrix = np.asarray(self.cov, dtype=np.float64)
        if self.sd is not None:
            sd = np.asarray(self.sd, dtype=np.float64).ravel()
            matrix = matrix * np.outer(sd, sd)
        return matrix * ((self.nobs - 1) / self.nobs) if self.divisor == "n-1" else matrix.copy()

    @property
    def vector(self) -> FloatArray | None:
        """The means, shape ``(p,)``, or None."""
        return None if self.mean is None else np.asarray(self.mean, dtype=np.float64).ravel()


def weighted_moments(data: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Means and covariance matrices (divisor: sum of weights) under many weight vectors at once.

    One matrix product gives the means and one the raw second moments of all ``B`` draws.

    Parameters
    ----------
    data : ndarray (n, k)
        Best centred beforehand, for the sake of cancellation.
    weights : ndarray (B, n)
        Counts of a resample or case weights.

    Returns
    -------
    mean : ndarray (B, k)
    cov : ndarray (B, k, k)
    """
    k = data.shape[1]
    rows, cols = np.tril_indices(k)
    total = weights.sum(axis=1, keepdims=True)
    mean = (weights @ data) / total
    second = (weights @ (data[:, rows] * data[:, cols])) / total
    second -= mean[:, rows] * mean[:, cols]
    cov = np.empty((weights.shape[0], k, k))
    cov[:, rows, cols] = second
    cov[:, cols, rows] = second
    return mean, cov


def plain_moments(data: FloatArray, weights: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Mean ``(k,)`` and covariance matrix with divisor ``n`` ``(k, k)`` of complete data ``(n, k)``, or weighted."""
    if weights is not None:
        share = weights / weights.sum()
        gap = data - share @ data
        return share @ data, gap.T @ (gap * share[:, None])
    mean = data.mean(axis=0)
    centred = data - mean
    return mean, centred.T @ centred / data.shape[0]


def as_vector(values: ArrayLike) -> FloatArray:
    """A float vector (a copy)."""
    return np.array(values, dtype=np.float64).ravel()
