"""Inverses of many small positive definite matrices at once.

``S = L L'``, ``W = X' X`` with ``X = L^-1`` by halves:

    [ A  0 ]^-1   [  A^-1           0   ]
    [ B  C ]    = [ -C^-1 B A^-1   C^-1 ]

Products of blocks over the whole batch cost half of what LAPACK needs for one small matrix after the other.

References
----------
Golub & Van Loan (2013), Matrix Computations, 4th ed., sec. 3.1 and 4.2; Higham (2002), Accuracy and Stability of
Numerical Algorithms, 2nd ed., ch. 14 (triangular inverses by blocks are as accurate as by columns).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Below this many matrices LAPACK one by one costs less than the calls.
_FEW = 12


def triangular_inverse(root: FloatArray) -> FloatArray:
    """Inverses of lower triangular matrices.

    Parameters
    ----------
    root : ndarray (B, p, p)
        Zero above a diagonal without zeros.

    Returns
    -------
    ndarray (B, p, p)
    """
    out = np.zeros_like(root)
    at = np.arange(root.shape[-1])
    out[:, at, at] = 1.0 / root[:, at, at]
    _below(root, out, 0, root.shape[-1])
    return out


def _below(root: FloatArray, out: FloatArray, low: int, high: int) -> None:
    """Fill ``out`` below the diagonal of the square from ``low`` to ``high``."""
    size = high - low
    if size < 2:
        return
    if size == 2:
        out[:, low + 1, low] = -root[:, low + 1, low] * out[:, low, low] * out[:, low + 1, low + 1]
        return
    cut = low + size // 2
    _below(root, out, low, cut)
    _below(root, out, cut, high)
    product = out[:, cut:high, cut:high] @ (root[:, cut:high, low:cut] @ out[:, low:cut, low:cut])
    np.negative(product, out=out[:, cut:high, low:cut])


def definite_inverses(matrices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Inverses and Cholesky roots of positive definite matrices ``(B, p, p)``.

    Raises
    ------
    numpy.linalg.LinAlgError
        One of them is not positive definite.
    """
    root = np.asarray(np.linalg.cholesky(matrices), dtype=np.float64)
    if len(matrices) < _FEW:
        return np.asarray(np.linalg.inv(matrices), dtype=np.float64), root
    lower = triangular_inverse(root)
    # of a matrix and itself numpy would make a rank-k update, which costs twice the product at this size
    return np.asarray(lower.swapaxes(1, 2) @ lower.copy()), root


def inverses(matrices: FloatArray) -> FloatArray:
    """Inverses of symmetric matrices, NaN where singular; fast where all are positive definite.

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
    try:
        return definite_inverses(matrices)[0]
    except np.linalg.LinAlgError:  # not all of them are
        return _one_by_one(matrices)


def _one_by_one(matrices: FloatArray) -> FloatArray:
    """The same for matrices that need not be positive definite."""
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
