"""Inverses of many small positive definite matrices at once, by halves.

``X`` with ``X S X' = I``, the inverse of the Cholesky root, comes from those of two halves,

    S = [ A  C ],   X = [    Y         0 ],   Y A Y' = I,   P = Y C,   Z (D - P'P) Z' = I,
        [ C' D ]        [ -Z P'Y       Z ]

down to one or two variables, and ``S^-1 = X'X``.  Every operation is a product over the whole batch: for a dozen
variables that is twice as fast as LAPACK one after the other, two threads do not wait for each other as they do for
LAPACK's buffers, and a matrix that is not positive definite is NaN without disturbing the others.

References
----------
Golub & Van Loan (2013), Matrix Computations, 4th ed., sec. 4.2.9 (recursive block Cholesky); Higham (2002), Accuracy
and Stability of Numerical Algorithms, 2nd ed., ch. 14 (inverses of triangular matrices by blocks).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Below this many matrices of one variable (half as many of two, and so on) LAPACK costs less than the calls.
_FEW = 500


def whitening(matrices: FloatArray) -> FloatArray:
    """Lower triangular ``X`` with ``X S X' = I``; NaN, its last entry at least, where ``S`` is not positive definite.

    Parameters
    ----------
    matrices : ndarray (B, p, p)
        Symmetric.

    Returns
    -------
    ndarray (B, p, p)

    Examples
    --------
    >>> import numpy as np
    >>> whitening(np.array([[[4.0, 2.0], [2.0, 2.0]]]))
    array([[[ 0.5,  0. ],
            [-0.5,  1. ]]])
    """
    out = np.zeros(matrices.shape)
    with np.errstate(all="ignore"):
        _halves(matrices, out)
    return out


def _halves(matrices: FloatArray, out: FloatArray) -> None:
    """Fill ``out`` on and below the diagonal."""
    size = matrices.shape[1]
    if size == 1:
        np.divide(1.0, np.sqrt(matrices), out=out)
        return
    if size == 2:
        first = 1.0 / np.sqrt(matrices[:, 0, 0])
        across = first * matrices[:, 0, 1]
        last = 1.0 / np.sqrt(matrices[:, 1, 1] - across * across)
        out[:, 0, 0], out[:, 1, 1] = first, last
        out[:, 1, 0] = -last * across * first
        return
    cut = size // 2
    first, last = out[:, :cut, :cut], out[:, cut:, cut:]
    _halves(matrices[:, :cut, :cut], first)
    across = first @ matrices[:, :cut, cut:]
    # of a matrix and itself numpy makes a rank-k update: twice the product at this size, and threads wait for it
    rest = across.swapaxes(1, 2) @ across.copy()
    np.subtract(matrices[:, cut:, cut:], rest, out=rest)
    _halves(rest, last)
    np.negative(last @ (across.swapaxes(1, 2) @ first), out=out[:, cut:, :cut])


def positive_definite(matrices: FloatArray) -> BoolArray:
    """Which of ``(B, p, p)`` symmetric matrices are positive definite, shape ``(B,)``."""
    return np.asarray(np.isfinite(whitening(matrices)[:, -1, -1]))


def definite_inverses(matrices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Inverses ``(B, p, p)`` and log-determinants ``(B,)`` of symmetric matrices; NaN where not positive definite."""
    root = whitening(matrices)
    out = _square(root)
    with np.errstate(all="ignore"):
        logdet = -2.0 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    bad = ~np.isfinite(root[:, -1, -1])
    out[bad], logdet[bad] = np.nan, np.nan
    return out, np.asarray(logdet)


def _square(root: FloatArray) -> FloatArray:
    """``X'X``."""
    with np.errstate(all="ignore"):
        return np.asarray(root.swapaxes(1, 2) @ root.copy())


def inverses(matrices: FloatArray) -> FloatArray:
    """Inverses of symmetric matrices, positive definite or not, NaN where singular.

    Parameters
    ----------
    matrices : ndarray (B, p, p)

    Returns
    -------
    ndarray (B, p, p)

    Examples
    --------
    >>> import numpy as np
    >>> inverses(np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]]))[:, 1, 1]
    array([0.25,  nan])
    """
    if len(matrices) * matrices.shape[1] < _FEW:
        return _one_by_one(matrices)
    root = whitening(matrices)
    out = _square(root)
    bad = ~np.isfinite(root[:, -1, -1])
    if bad.any():
        out[bad] = _one_by_one(matrices[bad])
    return out


def _one_by_one(matrices: FloatArray) -> FloatArray:
    """The same by LAPACK."""
    try:
        return np.asarray(np.linalg.inv(matrices), dtype=np.float64)
    except np.linalg.LinAlgError:
        out = np.full(matrices.shape, np.nan)
        for k, matrix in enumerate(matrices):
            try:
                out[k] = np.linalg.inv(matrix)
            except np.linalg.LinAlgError:  # stays NaN, as documented
                continue
        return out
