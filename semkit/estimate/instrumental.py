r"""Two-stage least squares with instruments: :math:`b = (\hat X'\hat X)^{-1} \hat X'y`, :math:`\hat X = P_W X`.

References
----------
Bollen (1996), Psychometrika 61, 109-121 (latent variable equations); White (1982), Econometrica 50, 483-499 (robust
errors); Sargan (1958), Econometrica 26, 393-415.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TwoStage:
    """Estimates of ``B`` equations of one shape.

    Parameters
    ----------
    coef : ndarray (B, k)
    weight : ndarray (B, n, k)
        ``X_hat (X_hat'X_hat)^-1``: the estimates are ``weight'y``, errors follow from ``weight`` and ``residual``.
    residual : ndarray (B, n)
        ``y - X b``, with the predictors themselves.
    sargan : ndarray (B,)
        ``n u'P_W u / u'u``: chi-square with ``instruments - k`` degrees of freedom if all instruments are valid and
        the variance of ``u`` is constant.
    rank : ndarray (B,)
        Of ``X_hat``, its columns at unit length (tolerance 1e-8); below ``k`` the equation is not identified.
    """

    coef: FloatArray
    weight: FloatArray
    residual: FloatArray
    sargan: FloatArray
    rank: NDArray[np.int64]

    @property
    def influence(self) -> FloatArray:
        """What each respondent adds to the estimates, times n, ``(B, n, k)``."""
        n = self.residual.shape[-1]
        return np.asarray(n * self.weight * self.residual[..., None])


def two_stage(y: FloatArray, x: FloatArray, w: FloatArray) -> TwoStage:
    """Two-stage least squares of ``y`` ``(B, n)`` on ``x`` ``(B, n, k)`` with instruments ``w`` ``(B, n, m)``.

    ``x`` and ``w`` hold the constant when there is one.  Where ``x_hat`` is short of rank, estimates are those of
    smallest length and mean nothing.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.stack([np.ones(4), np.arange(4.0)], axis=-1)[None]
    >>> two_stage(1.0 + 2.0 * x[..., 1], x, x).coef.round(6).tolist()
    [[1.0, 2.0]]
    """
    basis, size, _ = np.linalg.svd(w / np.linalg.norm(w, axis=-2, keepdims=True), full_matrices=False)
    basis = basis * (size > 1e-10 * size[..., :1])[..., None, :]
    across = np.swapaxes(basis, -1, -2)
    fitted = basis @ (across @ x)
    length = np.linalg.norm(x, axis=-2)
    rank = np.linalg.matrix_rank(fitted / length[..., None, :], tol=1e-8)
    weight = np.swapaxes(np.linalg.pinv(fitted / length[..., None, :]), -1, -2) / length[..., None, :]
    coef = np.einsum("bnk,bn->bk", weight, y)
    residual = y - np.einsum("bnk,bk->bn", x, coef)
    inside = np.einsum("bmn,bn->bm", across, residual)
    with np.errstate(invalid="ignore", divide="ignore"):
        sargan = y.shape[-1] * np.sum(inside**2, axis=-1) / np.sum(residual**2, axis=-1)
    return TwoStage(coef, weight, residual, sargan, np.asarray(rank))
