"""Score statistics and expected changes of parameters that are fixed or absent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SINGULAR = 1e-7


def released(
    gradient: FloatArray, information: FloatArray, basis: FloatArray, total: float, meat: FloatArray | None = None, *,
    singular: float = SINGULAR,
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Univariate score statistic and expected change of each of ``c`` parameters held fixed.

    With the score ``s_k`` of parameter ``k``, information ``I`` over free parameters and ``k``, and the directions
    ``Z`` that constraints leave to the free ones,

    ``V_k = I_kk - I_kt Z (Z' I_tt Z)^- Z' I_tk``,  ``MI = N s_k^2 / V_k``,  ``EPC = s_k / V_k``.

    ``( )^-`` is the generalised inverse: free parameters that are not identified do not matter as long as ``k`` is.

    Parameters
    ----------
    gradient : ndarray (q + c,)
        Derivatives of the log-likelihood per respondent; fixed parameters last.
    information : ndarray (q + c, q + c)
        Per respondent.
    basis : ndarray (q, r)
    total : float
        Number of respondents.
    meat : ndarray (q + c, q + c), optional
        Covariance matrix of the scores, where it is not the information: ``MI = N s_k^2 / (a'M a)`` with the row
        ``a`` of ``s_k = a's`` (Satorra 1989, Psychometrika 54, 131-151).
    singular : float
        Share of ``I_kk`` below which ``V_k`` counts as zero.

    Returns
    -------
    mi, epc : ndarray (c,)
        NaN where ``V_k`` is zero.
    defined : ndarray (c,) of bool

    References
    ----------
    Sorbom (1989), Psychometrika 54, 371-384, eq. 12; Saris, Satorra & Sorbom (1987), Sociological Methodology
    17, 105-129, eq. 6 (expected change).
    """
    q = basis.shape[0]
    inner = basis.T @ information[:q, :q] @ basis
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(inner), 1e-300))
    scaled = inner * scale[:, None] * scale[None, :]
    inside = np.linalg.pinv(scaled, rcond=1e-10, hermitian=True) * scale[:, None] * scale[None, :]
    across = basis.T @ information[:q, q:]
    own = np.diagonal(information)[q:]
    left = own - np.einsum("rc,rs,sc->c", across, inside, across)
    score = gradient[q:] - across.T @ (inside @ (basis.T @ gradient[:q]))
    spread = left
    if meat is not None:
        contrast = np.vstack([-(basis @ inside @ across), np.eye(len(own))])
        spread = np.einsum("ac,ab,bc->c", contrast, meat, contrast)
    defined = left > singular * np.maximum(own, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        mi = np.where(defined, total * score**2 / spread, np.nan)
        epc = np.where(defined, score / left, np.nan)
    return mi, epc, defined
