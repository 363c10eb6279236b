"""Wald and score statistics of restrictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def wald_statistic(value: FloatArray, slope: FloatArray, vcov: FloatArray) -> tuple[float, int]:
    """``r' (R V R')^- r`` and the rank of ``R V R'``.

    Parameters
    ----------
    value : ndarray (k,)
        Restrictions at the estimates, zero under the hypothesis.
    slope : ndarray (k, q)
        Their derivatives.
    vcov : ndarray (q, q)

    References
    ----------
    Wald (1943), Transactions of the American Mathematical Society 54, 426-482; Buse (1982), The American
    Statistician 36, 153-157.
    """
    inner = slope @ vcov @ slope.T
    size = np.sqrt(np.maximum(np.diagonal(inner), 1e-300))
    scaled = inner / np.outer(size, size)
    rank = int(np.linalg.matrix_rank(scaled, tol=1e-9, hermitian=True))
    return float((value / size) @ np.linalg.pinv(scaled, rcond=1e-9, hermitian=True) @ (value / size)), rank


def score_statistic(gradient: FloatArray, information: FloatArray, basis: FloatArray, total: float) -> float:
    """``N s'Z (Z'IZ)^- Z's``: gain from moving along the directions ``Z``.

    Parameters
    ----------
    gradient : ndarray (q,)
        Derivatives of the log-likelihood per respondent at the restricted estimates.
    information : ndarray (q, q)
        Per respondent.
    basis : ndarray (q, r)
        Directions that the remaining restrictions allow.
    total : float

    References
    ----------
    Rao (1948), Proceedings of the Cambridge Philosophical Society 44, 50-57; Aitchison & Silvey (1958), Annals of
    Mathematical Statistics 29, 813-828; Bentler & Dijkstra (1985), in Krishnaiah, Multivariate Analysis VI, 9-42.
    """
    inner, slope = basis.T @ information @ basis, basis.T @ gradient
    size = np.sqrt(np.maximum(np.diagonal(inner), 1e-300))
    scaled = inner / np.outer(size, size)
    return float(total * (slope / size) @ np.linalg.pinv(scaled, rcond=1e-10, hermitian=True) @ (slope / size))
