"""Columns that follow from others: duplicates, perfect correlations, exact linear functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Problem, SampleError

FloatArray = NDArray[np.float64]

_PERFECT = 1e-10  # distance of a squared correlation from one that counts as rounding
_JOINT = 10  # rows that must have both columns before a perfect correlation among them means anything
_LINEAR = 1e-10  # smallest eigenvalue of the correlation matrix that still counts as not singular

LARGEST = 1e30  # fourth powers of products must be representable
_ROUNDING = 1e-12  # spread relative to size that is no more than the noise of double precision


def flat(low: FloatArray, high: FloatArray) -> NDArray[np.bool_]:
    """Whether columns with these ends are constant, or vary in no more than the last digits of their numbers."""
    size = np.maximum(np.abs(low), np.abs(high))
    return np.asarray(high - low <= np.maximum(_ROUNDING * size, 1.0 / LARGEST))


def dependent_columns(data: FloatArray, names: Sequence[str], where: str) -> list[Problem]:
    """Problems with columns of which one follows from others; none when the correlation matrix is regular.

    Parameters
    ----------
    data : ndarray (n, p)
        Complete columns that vary, or columns with NaN (then pairs only are looked at).
    names : sequence of str (p,)
    where : str
        Place that the problems name.
    """
    if np.isnan(data).any():
        return _pairs(data, names, where, _correlations(data))
    standard = (data - data.mean(axis=0)) / data.std(axis=0)
    correlation = standard.T @ standard / data.shape[0]
    values, vectors = np.linalg.eigh(correlation)
    if values[0] > _LINEAR * len(names):
        return []
    found = _pairs(data, names, where, correlation)
    if found:
        return found
    weight = np.abs(vectors[:, 0])
    involved = ", ".join(names[k] for k in map(int, np.flatnonzero(weight > 1e-4 * weight.max())))
    return [Problem("sample.collinear", where, f"columns are exact linear functions of each other: {involved}",
                    "columns none of which follows from the others",
                    "Leave one of them out (a total and its parts, or all dummies of a factor).")]


def _correlations(data: FloatArray) -> FloatArray:
    """Correlations from the rows that have both, ``(p, p)``; 0 where they are not defined."""
    seen = ~np.isnan(data)
    here = seen.astype(np.float64)
    z = np.where(seen, data - np.nanmean(data, axis=0), 0.0)
    count = here.T @ here
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (z.T @ here) / count  # of the row's column among rows that have both
        square = ((z * z).T @ here) / count - mean**2
        cov = (z.T @ z) / count - mean * mean.T
        r = cov / np.sqrt(square * square.T)
    return np.where((count >= _JOINT) & np.isfinite(r), r, 0.0)


def _pairs(data: FloatArray, names: Sequence[str], where: str, correlation: FloatArray) -> list[Problem]:
    out = []
    near = np.argwhere(np.tril(np.abs(correlation) > 1.0 - 1e-7, k=-1))
    for i, j in near.tolist():
        both = ~np.isnan(data[:, i]) & ~np.isnan(data[:, j])
        x, y = data[both, j], data[both, i]
        if np.array_equal(x, y):
            out.append(Problem("sample.duplicate-columns", where, f"{names[j]} and {names[i]} hold the same numbers",
                               "each column once", f"Leave {names[i]} out, or look how it was copied."))
            continue
        x, y = x - x.mean(), y - y.mean()
        square = float(x @ x) * float(y @ y)
        if square > 0.0 and 1.0 - float(x @ y) ** 2 / square < _PERFECT:
            sign = "1" if x @ y > 0 else "-1"
            out.append(Problem(
                "sample.perfect-correlation", where,
                f"{names[j]} and {names[i]} correlate {sign}: one is the other in different units",
                "columns none of which follows from another", f"Leave {names[i]} out.",
            ))
    return out


def require_positive_definite(cov: FloatArray, names: Sequence[str]) -> None:
    """Refuse a covariance matrix that no complete data have, and say between which columns the trouble is.

    Raises
    ------
    SampleError
        ``sample.not-positive-definite``.
    """
    sd = np.sqrt(np.maximum(np.diagonal(cov), 0.0))
    if np.all(sd > 0.0):
        values, vectors = np.linalg.eigh(cov / np.outer(sd, sd))
        if values[0] > 0.0:
            return
        weight = np.abs(vectors[:, 0])
        involved = ", ".join(names[k] for k in map(int, np.flatnonzero(weight > 0.1 * weight.max())))
        what = f"the smallest eigenvalue of the correlations is {values[0]:.3g}, among {involved}"
    else:
        what = f"no variance: {', '.join(names[k] for k in map(int, np.flatnonzero(sd == 0.0)))}"
    raise SampleError(Problem(
        "sample.not-positive-definite", "moments.cov", f"the matrix is not positive definite: {what}",
        "a covariance matrix of full rank, from complete data",
        "Look for typing errors, duplicated columns, and correlations computed pair by pair from different "
        "respondents; pass the data with missing='fiml' instead.",
    ))
