r"""Moments of latent variables and of their products from mapped observed variables.

Scores :math:`f = M (y - \nu) = \eta + e` with :math:`M = (L'WL)^{-1} L'W`, :math:`W = \Sigma^{-1}` of what was
answered, have errors :math:`e` with covariance :math:`\Xi = (L'WL)^{-1} - Cov(\eta)`, normal and independent of
:math:`\eta`.  Taking out of each product of scores what the errors add leaves moments of the latent variables:

- :math:`f_a f_b - \Xi_{ab}`;
- :math:`f_a f_b f_c` less :math:`f_a \Xi_{bc}` for each of the three;
- :math:`f_a f_b f_c f_d` less :math:`f_a f_b \Xi_{cd}` for each of the six pairs, plus
  :math:`\Xi_{ab} \Xi_{cd}` for each of the three ways to make two pairs.

References
----------
Rosseel & Loh (2024), Psychological Methods 29, 561-588 (local SAM); Rosseel, Burghgraeve, Loh & Schermelleh-Engel
(2025), Behavior Research Methods 57 (products); Wall & Amemiya (2003), British Journal of Mathematical and Statistical
Psychology 56, 47-63 (method of moments).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of ``k`` variables and the covariance matrices of their errors.

    Parameters
    ----------
    value : ndarray (n, k)
    error : ndarray (n, k, k)
    """

    value: FloatArray
    error: FloatArray


@dataclass(frozen=True, eq=False)
class Mapped:
    """Moments of the variables and of their products.

    Parameters
    ----------
    mean : ndarray (k + t,)
    cov : ndarray (k + t, k + t)
    influence : ndarray (n, k + t, k + t)
        What each respondent adds to ``cov``, the scores taken as given; averages to 0.
    """

    mean: FloatArray
    cov: FloatArray
    influence: FloatArray


def map_moments(scores: Scores, products: tuple[tuple[int, int], ...]) -> Mapped:
    """Means and covariances of variables and products of two of them, errors taken out."""
    f, xi = scores.value, scores.error
    n, k = f.shape
    size = k + len(products)
    first = np.concatenate([f, np.stack([f[:, a] * f[:, b] - xi[:, a, b] for a, b in products], axis=1)], axis=1) \
        if products else f
    second = np.empty((n, size, size))
    second[:, :k, :k] = f[:, :, None] * f[:, None, :] - xi
    for t, (a, b) in enumerate(products):
        for c in range(k):
            third = f[:, a] * f[:, b] * f[:, c] - f[:, a] * xi[:, b, c] - f[:, b] * xi[:, a, c] - f[:, c] * xi[:, a, b]
            second[:, k + t, c] = second[:, c, k + t] = third
        for u, (c, d) in enumerate(products):
            second[:, k + t, k + u] = _fourth(f, xi, (a, b, c, d))
    mean = first.mean(axis=0)
    cov = second.mean(axis=0) - np.outer(mean, mean)
    dev = first - mean
    influence = second - second.mean(axis=0) - dev[:, :, None] * mean - mean[:, None] * dev[:, None, :]
    return Mapped(mean, cov, influence)


def _fourth(f: FloatArray, xi: FloatArray, at: tuple[int, int, int, int]) -> FloatArray:
    """Product of four scores with what errors add taken out, ``(n,)``."""
    out = f[:, at[0]] * f[:, at[1]] * f[:, at[2]] * f[:, at[3]]
    for p, q in itertools.combinations(range(4), 2):
        r, s = (j for j in range(4) if j not in (p, q))
        out = out - f[:, at[p]] * f[:, at[q]] * xi[:, at[r], at[s]]
        if p == 0:  # each way to make two pairs once
            out = out + xi[:, at[p], at[q]] * xi[:, at[r], at[s]]
    return out
