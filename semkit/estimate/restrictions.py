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


def score_statistic(
    gradient: FloatArray, information: FloatArray, basis: FloatArray, total: float, meat: FloatArray | None = None,
    kept: FloatArray | None = None,
) -> float:
    """``N s'Z (Z'IZ)^- Z's``: gain from moving along the directions ``Z``.

    With a covariance matrix ``M`` of the scores that is not the information, ``N r'V^- r`` of the scores ``r`` of the
    new directions given the old ones, ``r = A s`` and ``V = A M A'`` (Satorra 1989, Psychometrika 54, 131-151).

    Parameters
    ----------
    gradient : ndarray (q,)
        Derivatives of the log-likelihood per respondent at the restricted estimates.
    information : ndarray (q, q)
        Per respondent.
    basis : ndarray (q, r)
        Directions that the remaining restrictions allow.
    total : float
    meat : ndarray (q, q), optional
        ``M``.
    kept : ndarray (q, r0), optional
        The directions that were free all along; needed with ``meat``.

    References
    ----------
    Rao (1948), Proceedings of the Cambridge Philosophical Society 44, 50-57; Aitchison & Silvey (1958), Annals of
    Mathematical Statistics 29, 813-828; Bentler & Dijkstra (1985), in Krishnaiah, Multivariate Analysis VI, 9-42.
    """
    if meat is not None and kept is not None:
        return _generalised(gradient, information, basis, total, meat, kept)
    inner, slope = basis.T @ information @ basis, basis.T @ gradient
    size = np.sqrt(np.maximum(np.diagonal(inner), 1e-300))
    scaled = inner / np.outer(size, size)
    return float(total * (slope / size) @ np.linalg.pinv(scaled, rcond=1e-10, hermitian=True) @ (slope / size))


def _generalised(
    gradient: FloatArray, information: FloatArray, basis: FloatArray, total: float, meat: FloatArray, kept: FloatArray
) -> float:
    old = kept.T @ information
    new = basis - kept @ (np.linalg.pinv(old @ kept, hermitian=True) @ (old @ basis))
    slope, inner = new.T @ gradient, new.T @ meat @ new
    size = np.sqrt(np.maximum(np.diagonal(inner), 1e-300))
    inverse = np.linalg.pinv(inner / np.outer(size, size), rcond=1e-9, hermitian=True)
    return float(total * (slope / size) @ inverse @ (slope / size))
