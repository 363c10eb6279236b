"""What a factor model may have left out, at sizes that are conventional: populations for simulated cut-offs.

References
----------
McNeish & Wolf (2023), Psychological Methods 28, 61-88 (several factors: omitted cross-loadings, after Hu & Bentler
1999); McNeish & Wolf (2023), Behavior Research Methods 55, 1157-1174 (one factor: omitted residual correlations).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
RESIDUAL_CORRELATION = 0.3


@dataclass(frozen=True, slots=True)
class Omission:
    """Something that the population has and the model has not.

    Parameters
    ----------
    kind : {"cross-loading", "residual correlation"}
    first, second : int
        Factor and item, or two items.
    size : float
        Standardised.
    """

    kind: str
    first: int
    second: int
    size: float


def single_items(loadings: FloatArray, residual: FloatArray) -> list[tuple[int, int]]:
    """Item and factor of every item with one loading and no residual correlation."""
    out = []
    for i, row in enumerate(loadings):
        factors = np.flatnonzero(row)
        others = np.delete(residual[i], i)
        if len(factors) == 1 and not others.any():
            out.append((i, int(factors[0])))
    return out


def reliability_h(loadings: FloatArray) -> FloatArray:
    """Coefficient H of each factor: ``1 / (1 + 1 / sum l^2 / (1 - l^2))`` (Hancock & Mueller 2001)."""
    square = np.minimum(loadings**2, 1.0 - 1e-10)
    total = np.sum(square / (1.0 - square), axis=0)
    return np.asarray(total / (1.0 + total))


def cross_loadings(loadings: FloatArray, factor_cor: FloatArray, residual: FloatArray) -> list[Omission]:
    """Cross-loadings of a model with F factors, F - 1 at most, the one of the weakest item first.

    Of each factor the item with the smallest loading; factors of three items or more come first, then smaller loadings.
    An item cross-loads on the factor of highest H that correlates with its own and was not paired with it before,
    with the size of its own loading ``l`` or, if that is less, ``.95 [sqrt(l^2 r^2 + 1 - l^2) - l r]``, which keeps
    its residual variance positive.

    Parameters
    ----------
    loadings : ndarray (p, F)
        Standardised.
    factor_cor : ndarray (F, F)
    residual : ndarray (p, p)
        Residual correlations in units of total variances.
    """
    counts = np.count_nonzero(loadings, axis=0)
    weakest: dict[int, int] = {}
    for item, factor in single_items(loadings, residual):
        best = weakest.get(factor)
        if best is None or abs(loadings[item, factor]) < abs(loadings[best, factor]):
            weakest[factor] = item
    order = sorted(weakest, key=lambda f: (counts[f] < 3, abs(loadings[weakest[f], f])))
    h = reliability_h(loadings)
    paired: set[frozenset[int]] = set()
    out: list[Omission] = []
    for factor in order[: loadings.shape[1] - 1]:
        partners = [g for g in range(loadings.shape[1])
                    if g != factor and factor_cor[factor, g] != 0.0 and frozenset((factor, g)) not in paired]
        if not partners:
            continue
        other = max(partners, key=lambda g: h[g])
        paired.add(frozenset((factor, other)))
        item = weakest[factor]
        own, r = float(loadings[item, factor]), float(factor_cor[factor, other])
        most = 0.95 * (float(np.sqrt(own**2 * r**2 + 1.0 - own**2)) - own * r)
        out.append(Omission("cross-loading", other, item, min(own, most)))
    return out


def residual_pairs(loadings: FloatArray, residual: FloatArray) -> list[Omission]:
    """Residual correlations of .30 between the items of a one-factor model, weakest two first, then the next two."""
    order = sorted((item for item, _ in single_items(loadings, residual)), key=lambda i: abs(loadings[i, 0]))
    if len(order) == 4:
        order = order[:2]
    return [Omission("residual correlation", a, b, RESIDUAL_CORRELATION)
            for a, b in zip(order[::2], order[1::2], strict=False)]


def levels(omissions: list[Omission], factors: int) -> list[list[Omission]]:
    """Cumulative sets: one more cross-loading a level; a third, two thirds and all of the residual correlations."""
    count = len(omissions)
    if factors > 1:
        return [omissions[: k + 1] for k in range(count)]
    sizes = [count // 3, 2 * count // 3, count] if count >= 3 else list(range(1, count + 1))
    return [omissions[:k] for k in sizes]


def population(
    loadings: FloatArray, factor_cor: FloatArray, residual: FloatArray, omissions: list[Omission]
) -> FloatArray:
    """Correlation matrix ``(p, p)`` of the items when the omissions are there."""
    full, errors = loadings.copy(), residual.copy()
    for one in omissions:
        if one.kind == "cross-loading":
            full[one.second, one.first] += one.size
    common = full @ factor_cor @ full.T
    unique = 1.0 - np.diagonal(common)
    for one in omissions:
        if one.kind != "cross-loading":
            size = one.size * np.sqrt(max(unique[one.first] * unique[one.second], 0.0))
            errors[one.first, one.second] = errors[one.second, one.first] = size
    out = common + errors
    np.fill_diagonal(out, 1.0)
    return np.asarray(out)
