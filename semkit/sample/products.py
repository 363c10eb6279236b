"""Product columns and their moments under many weight vectors."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.sample.moments import weighted_moments

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Product:
    """A product column ``(x - mean x)(z - mean z)``, or of three columns, centred in one of three ways.

    Parameters
    ----------
    name : str
        Name of the new column.
    left, right : str
        Columns that are multiplied.
    centering : {"double", "mean", "residual"}
        The product minus its own mean; as it is; its residual from the regression on ``on``.
    on : tuple of str
        For ``"residual"``: the first-order indicators; for a product of three also product columns of two that stand
        before it.
    third : str
        The third column, empty for a product of two.

    References
    ----------
    Lin, Wen, Marsh & Lin (2010), Structural Equation Modeling 17, 374-391 (double mean centring); Marsh, Wen & Hau
    (2004), Psychological Methods 9, 275-300; Little, Bovaird & Widaman (2006), Structural Equation Modeling 13,
    497-519 (residual centring; regressed on the indicators, products of raw and of centred ones have one residual).
    """

    name: str
    left: str
    right: str
    centering: str = "double"
    on: tuple[str, ...] = ()
    third: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The columns that are multiplied."""
        return (self.left, self.right, self.third) if self.third else (self.left, self.right)


def mean_of(values: FloatArray, weights: FloatArray | None) -> float:
    """Mean of the values there are, weighted if there are weights; NaN when there are none."""
    seen = ~np.isnan(values)
    if not seen.any() or (weights is not None and not weights[seen].any()):
        return float("nan")
    return float(np.average(values[seen], weights=None if weights is None else weights[seen]))


def residual_of(values: FloatArray, columns: Sequence[FloatArray], weights: FloatArray | None) -> FloatArray:
    """Residual of a column from its (weighted) regression on others, all of them complete."""
    design = np.column_stack([np.ones(len(values)), *(column - column.mean() for column in columns)])
    root = np.ones(len(values)) if weights is None else np.sqrt(weights)
    found = np.linalg.lstsq(design * root[:, None], values * root, rcond=None)[0]
    return np.asarray(values - design @ found)


def product_column(product: Product, columns: Mapping[str, FloatArray], weights: FloatArray | None) -> FloatArray:
    """Values ``(n,)`` of a product, from columns that have those of the products before it too."""
    values = np.ones_like(columns[product.left])
    for name in product.parts:
        values = values * (columns[name] - mean_of(columns[name], weights))
    if product.centering == "double":
        return np.asarray(values - mean_of(values, weights))
    if product.centering == "residual":
        return residual_of(values, [columns[name] for name in product.on], weights)
    return np.asarray(values)


def product_moments(
    data: FloatArray, weights: FloatArray, base: Sequence[str], products: Sequence[Product]
) -> tuple[FloatArray, FloatArray]:
    """Means ``(B, k + r)`` and covariances of ``k`` columns and their ``r`` products, derived anew under each weight.

    Products are centred at each draw's own means ``m``: ``(x - m_x)(z - m_z)`` is ``xz - m_x z - m_z x`` and a
    constant, ``(x - m_x)(z - m_z)(w - m_w)`` a sum over all subsets of its columns of what is left with the means of
    the others, so that all moments follow from those of columns and plain products.

    Parameters
    ----------
    data : ndarray (n, k)
        Columns near their means.
    weights : ndarray (B, n)
    """
    places = [tuple(base.index(name) for name in product.parts) for product in products]
    plain: dict[tuple[int, ...], int] = {(j,): j for j in range(len(base))}
    for at in places:
        for size in range(2, len(at) + 1):
            for subset in itertools.combinations(at, size):
                plain.setdefault(tuple(sorted(subset)), len(plain))
    mean, cov = weighted_moments(
        np.column_stack([data[:, list(subset)].prod(axis=1) for subset in plain]) if products else data, weights)
    if not products:
        return mean, cov
    k, draws = len(base), len(weights)
    move = np.zeros((draws, k + len(products), len(plain)))
    move[:, np.arange(k), np.arange(k)] = 1.0
    level = np.zeros((draws, k + len(products)))
    for r, at in enumerate(places, start=k):
        for size in range(len(at) + 1):
            for kept in itertools.combinations(range(len(at)), size):
                rest = [at[i] for i in range(len(at)) if i not in kept]
                factor = (-mean[:, rest]).prod(axis=1)
                if kept:
                    move[:, r, plain[tuple(sorted(at[i] for i in kept))]] += factor
                else:
                    level[:, r] += factor
    centre = level + (move @ mean[..., None])[..., 0]
    centre[:, k:] *= [product.centering == "mean" for product in products]
    cov = move @ cov @ move.swapaxes(1, 2)
    _orthogonalise(cov, [*base, *(product.name for product in products)], products)
    return centre, cov


def _orthogonalise(cov: FloatArray, names: list[str], products: Sequence[Product]) -> None:
    """Covariances ``(B, k, k)`` of residual-centred products in place of those of the products."""
    by_columns: dict[tuple[str, ...], list[int]] = {}
    for product in products:
        if product.centering == "residual":
            by_columns.setdefault(product.on, []).append(names.index(product.name))
    for columns, places in by_columns.items():
        on = [names.index(name) for name in columns]
        slope = np.linalg.solve(cov[:, on][:, :, on], cov[:, on][:, :, places])  # (B, c, r)
        move = np.zeros((cov.shape[0], cov.shape[1], cov.shape[1]))
        move[:] = np.eye(cov.shape[1])
        move[:, np.array(places)[:, None], np.array(on)] -= slope.swapaxes(1, 2)
        cov[:] = move @ cov @ move.swapaxes(1, 2)
