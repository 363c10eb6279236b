r"""Moments of latent variables and of their products from mapped observed variables.

Scores :math:`f = M (y - \nu) = \eta + e` with :math:`M = (L'WL)^{-1} L'W`, :math:`W = \Sigma^{-1}` of what was
answered, have errors :math:`e` with covariance :math:`\Xi = (L'WL)^{-1} - Cov(\eta)`, normal and independent of
:math:`\eta`.  Taking out of each product of scores what the errors add leaves an unbiased value of the same product of
latent variables.  With :math:`H()` of no variable equal to 1,

.. math:: H(a, b, c, \ldots) = f_a H(b, c, \ldots) - \Xi_{ab} H(c, \ldots) - \Xi_{ac} H(b, \ldots) - \ldots,

for example :math:`f_a f_b - \Xi_{ab}` and :math:`f_a f_b f_c - f_a \Xi_{bc} - f_b \Xi_{ac} - f_c \Xi_{ab}`: the
products' expectations under the errors' normal distribution inverted (Wick's formula; Hermite polynomials).  Moments of
products of two take four scores, of products of three six.

References
----------
Rosseel & Loh (2024), Psychological Methods 29, 561-588 (local SAM); Rosseel, Burghgraeve, Loh & Schermelleh-Engel
(2025), Behavior Research Methods 57 (products); Wall & Amemiya (2003), British Journal of Mathematical and Statistical
Psychology 56, 47-63 (method of moments); Isserlis (1918), Biometrika 12, 134-139.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Factors = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of ``k`` variables and the covariance matrices of their errors.

    Parameters
    ----------
    value : ndarray (n, k)
    error : ndarray (n, k, k) or (1, k, k)
        One for everybody where all answered the same questions.
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
        What each respondent adds to ``cov``, the scores taken as given; the (weighted) average is 0.
    """

    mean: FloatArray
    cov: FloatArray
    influence: FloatArray


class _Products:
    """Unbiased values of products of latent variables, each computed once."""

    def __init__(self, scores: Scores) -> None:
        self._f, self._xi = scores.value, scores.error
        self._known: dict[Factors, FloatArray] = {(): np.ones(len(scores.value))}

    def __call__(self, factors: Factors) -> FloatArray:
        at = tuple(sorted(factors))
        if at not in self._known:
            first, rest = at[0], at[1:]
            out = self._f[:, first] * self(rest)
            for k, other in enumerate(rest):
                out = out - self._xi[:, first, other] * self(rest[:k] + rest[k + 1 :])
            self._known[at] = out
        return self._known[at]


def map_moments(
    scores: Scores, products: tuple[Factors, ...], weights: FloatArray | None = None, *, influence: bool = True
) -> Mapped:
    """Means and covariances of variables and products of some of them, errors taken out.

    Parameters
    ----------
    scores : Scores
    products : tuple of tuple of int
        Positions of the factors of each product.
    weights : ndarray (n,), optional
        Sampling weights.
    influence : bool
        Whether respondents' influence is wanted; empty otherwise.
    """
    made = _Products(scores)
    terms = [*((a,) for a in range(scores.value.shape[1])), *products]
    first = np.stack([made(term) for term in terms], axis=1)
    share = np.full(len(first), 1.0 / len(first)) if weights is None else weights / weights.sum()
    size = len(terms)
    mean = share @ first
    second = np.empty((size, size))
    whole = np.empty((len(first), size, size)) if influence else np.empty((0, size, size))
    for i in range(size):
        for j in range(i + 1):
            both = made(terms[i] + terms[j])
            second[i, j] = second[j, i] = share @ both
            if influence:
                whole[:, i, j] = whole[:, j, i] = both
    if influence:
        dev = first - mean
        whole = whole - second - dev[:, :, None] * mean - mean[:, None] * dev[:, None, :]
    return Mapped(mean, second - np.outer(mean, mean), whole)


def column_moments(
    scores: Scores, products: tuple[Factors, ...], weights: FloatArray | None = None
) -> tuple[FloatArray, Mapped]:
    """Variables and unbiased products as columns ``(n, k + t)``, and the moments of these columns as they are."""
    made = _Products(scores)
    columns = np.stack([made(term) for term in [*((a,) for a in range(scores.value.shape[1])), *products]], axis=1)
    plain = Scores(columns, np.zeros((1, columns.shape[1], columns.shape[1])))
    return columns, map_moments(plain, (), weights, influence=False)
