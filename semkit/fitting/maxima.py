"""Where the likelihood of latent products is climbed from, and what is said when the starts end at different maxima.

The likelihood of a model with products may have several maxima, above all where constructs are measured badly, samples
are small and squares stand beside products.  The estimates of the linear model are the first start.  Where they lead
nowhere, or to a solution with a negative variance, and as often as ``starts`` asks, disturbed ones follow; the highest
maximum without a negative variance is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note
from semkit.estimate.start import starting_values
from semkit.interaction.crossing import product_rows
from semkit.model import ParameterTable

if TYPE_CHECKING:
    from semkit.fitting.moderated import ModeratedSolution
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]

RESCUE = 4
"""Starts when the first ends at no proper solution."""

_APART = 0.02  # log-likelihoods that differ by more are of different maxima,
_ERRORS = 0.1  # if a product's coefficient differs by so many of its standard errors too: points of the integral differ
_FAR = 10.0  # log-likelihood that avoiding a negative variance may cost
_SPREAD = 0.5
_SEED = 20261121


@dataclass(frozen=True, slots=True)
class Reached:
    """Where one start ended.

    Parameters
    ----------
    logl : float
    converged, proper : bool
        ``proper``: no estimated variance is negative.
    products : tuple of float
        Coefficients of the products.
    """

    logl: float
    converged: bool
    proper: bool
    products: tuple[float, ...] = ()


def choose(reached: Sequence[Reached]) -> int:
    """The highest maximum; a proper one is preferred unless it is far lower."""
    good = [k for k, r in enumerate(reached) if r.converged and np.isfinite(r.logl)]
    if not good:
        return max(range(len(reached)), key=lambda k: reached[k].logl if np.isfinite(reached[k].logl) else -np.inf)
    best = max(good, key=lambda k: reached[k].logl)
    near = [k for k in good if reached[k].proper and reached[k].logl > reached[best].logl - _FAR]
    return max(near, key=lambda k: reached[k].logl) if near else best


def is_proper(table: ParameterTable, theta: FloatArray) -> bool:
    """Whether no estimated variance is negative."""
    return bool(np.all(theta[table.unique[_variances(table)]] > -1e-10))


def _variances(table: ParameterTable) -> NDArray[np.bool_]:
    return np.array([table.op[row] == "~~" and table.lhs[row] == table.rhs[row] for row in table.free_rows], dtype=bool)


def plain_starts(linear: Solution) -> Iterator[FloatArray]:
    """Parameters of the linear model to begin with: its estimates where they are admissible, and plain guesses."""
    table, layout = linear.table, linear.layout
    proper = bool(np.all(linear.theta[table.unique[_variances(table)]] > 1e-8))
    for implied in linear.implied:
        proper = proper and bool(np.isfinite(implied.eta_cov).all()) and float(
            np.linalg.eigvalsh(implied.matrices.psi[0])[0]) > -1e-10
    if linear.converged and proper:
        yield linear.theta
    plain = tuple((data.cov[0], data.mean[0]) for data in linear.observed)
    yield starting_values(table, layout, plain)
    yield starting_values(table, layout, plain, simple=True)


def start_from(table: ParameterTable, plain: ParameterTable, theta: FloatArray) -> FloatArray:
    """Estimates of the linear model in the places of the full one; coefficients of products 0 or as the text says."""
    known = {(plain.block[row], plain.lhs[row], plain.op[row], plain.rhs[row]): theta[plain.unique[k]]
             for k, row in enumerate(plain.free_rows)}
    out = np.zeros(table.n_unique)
    for k, row in enumerate(table.free_rows):
        key = (table.block[row], table.lhs[row], table.op[row], table.rhs[row])
        if key in known:
            out[table.unique[k]] = known[key]
        elif np.isfinite(table.start[row]):
            out[table.unique[k]] = table.start[row]
    return out


def disturbed(table: ParameterTable, start: FloatArray, scale: FloatArray) -> Iterator[FloatArray]:
    """Starts away from one: variances and slopes by half and more of their size, products as large as slopes may be.

    Parameters
    ----------
    scale : ndarray (q,)
        Size of a standardised effect of one in the metric of each product's coefficient, 0 elsewhere.
    """
    rng = np.random.default_rng(_SEED)
    own = np.zeros(len(start), dtype=bool)
    own[table.unique[_variances(table)]] = True
    product = np.zeros(len(start), dtype=bool)
    product[table.unique[product_rows(table)[table.free_rows]]] = True
    while True:
        noise = _SPREAD * rng.standard_normal(len(start))
        moved = np.where(own, start * np.exp(noise), start * (1.0 + 0.5 * noise))
        yield np.where(product, noise * scale, moved)


def product_scale(table: ParameterTable, linear: Solution) -> FloatArray:
    """``sd(y) / prod sd(factors)`` of the linear model for the coefficient of every product, ``(q,)``; 0 elsewhere."""
    out = np.zeros(table.n_unique)
    for k, row in enumerate(table.free_rows):
        if table.op[row] == "~" and ":" in table.rhs[row]:
            g = int(table.block[row]) - 1
            names = linear.layout.blocks[g].eta
            sd = dict(zip(names, np.sqrt(np.maximum(np.diagonal(linear.implied[g].eta_cov[0]), 1e-12)), strict=True))
            size = [sd[name] for name in table.rhs[row].split(":") if name in sd]
            out[table.unique[k]] = float(sd.get(table.lhs[row], 1.0) / np.prod(size))
    return out


def products_of(table: ParameterTable, theta: FloatArray) -> tuple[float, ...]:
    """Free coefficients of products, each once."""
    return tuple(theta[_product_places(table)].tolist())


def _product_places(table: ParameterTable) -> NDArray[np.int64]:
    return np.unique(table.unique[product_rows(table)[table.free_rows]])


def different_maxima(solution: ModeratedSolution) -> tuple[Reached, ...]:
    """Maxima that differ in height and in a product's coefficient, highest first."""
    at = _product_places(solution.table)
    se = np.sqrt(np.maximum(np.diagonal(solution.vcov)[at], 0.0))
    se = np.where(np.isfinite(se), se, 0.0)
    out: list[Reached] = []
    for one in sorted((r for r in solution.reached if r.converged), key=lambda r: -r.logl):
        if not any(_same(one, other, se) for other in out):
            out.append(one)
    return tuple(out)


def _same(one: Reached, other: Reached, se: FloatArray) -> bool:
    near = np.abs(np.subtract(one.products, other.products)) <= _ERRORS * se
    return abs(one.logl - other.logl) <= _APART or bool(np.all(near))


def maxima_notes(solution: ModeratedSolution) -> tuple[Note, ...]:
    """A warning when different starts ended at different maxima, with their log-likelihoods."""
    found = different_maxima(solution)
    if len(found) < 2:
        return ()
    names = [solution.table.names[int(solution.table.free_rows[np.flatnonzero(solution.table.unique == at)[0]])]
             for at in _product_places(solution.table)]
    words = [f"{r.logl:.2f} ({names[0]} = {r.products[0]:.3g}{'' if r.proper else ', a negative variance'})"
             for r in found]
    return (Note(
        "fitting.local-optima", "warning",
        f"{len(solution.reached)} starts ended at {len(found)} maxima of the log-likelihood: {', '.join(words)}; that "
        f"at {solution.logl:.2f} is taken.", "",
        "The likelihood of products has several maxima: a small sample, constructs measured badly, many products.",
        "Look with more starts (sk.LMS(starts=20)), use fewer products, or compare with interaction='product'.",
    ),)
