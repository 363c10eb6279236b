"""Products in the equations of a model, and which variables have to be known for the rest to be linear.

Given the values of some variables, ``b a c`` is the slope ``b a`` on ``c``: the model is linear again.  A variable
without error is known from the data; a latent one is integrated out.  Every product needs all of its factors but
one, and the fewest latent ones are taken.  They may be outcomes of other variables and of products themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem
from semkit.estimate.layout import BETA, LAMBDA, PSI, THETA, Block, Layout, make_layout
from semkit.model import ParameterTable
from semkit.model.table import Variables

FloatArray = NDArray[np.float64]

MAX_DIMENSIONS = 3


@dataclass(frozen=True, slots=True)
class Crossing:
    """One product in one equation of one group.

    Parameters
    ----------
    row : int
        Row of the parameter table.
    outcome : int
        Position in ``eta``.
    factors : tuple of int
        Positions in ``eta``, repeated for powers.
    parameter : int
        Index of the coefficient among the different parameters, -1 where it is fixed.
    value : float
        The fixed coefficient.
    """

    row: int
    outcome: int
    factors: tuple[int, ...]
    parameter: int
    value: float


@dataclass(frozen=True)
class Roles:
    """Which variables are given: positions in ``eta``.

    Parameters
    ----------
    integrated : tuple of int
        Latent variables that are integrated out.
    known : tuple of int
        Variables whose values the data say.
    inner : tuple of int
        Those of both that are outcomes, causes before effects.
    """

    integrated: tuple[int, ...]
    known: tuple[int, ...]
    inner: tuple[int, ...] = ()

    def held(self, crossing: Crossing) -> tuple[tuple[int, ...], int]:
        """Places of the given factors in ``(*integrated, *known)``, and the factor that stays a variable (or -1)."""
        order = (*self.integrated, *self.known)
        rest = [factor for factor in crossing.factors if factor not in order]
        return tuple(order.index(f) for f in crossing.factors if f in order), rest[0] if rest else -1


def without_columns(table: ParameterTable, products: tuple[str, ...]) -> ParameterTable:
    """The table without moments of product columns: a product of variables is no variable of its own.

    Parameters
    ----------
    table : ParameterTable
        Built with products taken as observed columns.
    products : tuple of str

    Raises
    ------
    NotSupportedError
        ``interaction.product-moments``: the text sets a moment of a product.
    """
    names = set(products)
    drop = np.zeros(len(table), dtype=bool)
    wrong = []
    for i in range(len(table)):
        if table.op[i] in ("~~", "~1") and (table.lhs[i] in names or table.rhs[i] in names):
            drop[i] = True
            if table.user[i]:
                wrong.append(f"{table.lhs[i]} {table.op[i]} {table.rhs[i]}".strip())
        elif (table.lhs[i] in names and table.op[i] in ("=~", "~")) or (table.rhs[i] in names and table.op[i] == "=~"):
            wrong.append(f"{table.lhs[i]} {table.op[i]} {table.rhs[i]}")
    if wrong:
        raise NotSupportedError(*(
            Problem("interaction.product-moments", text, "a product has no moments or indicators of its own here",
                    "products as predictors only", "Leave the line out, or use interaction='product'.")
            for text in wrong))
    old = table.variables
    pick = {field: tuple(v for v in getattr(old, field) if v not in names) for field in Variables.__slots__}
    return take_rows(table, np.flatnonzero(~drop)).replace(variables=Variables(**pick))


def take_rows(table: ParameterTable, keep: NDArray[np.int64]) -> ParameterTable:
    """Some rows of a table, free parameters numbered anew."""
    free = table.free[keep]
    expressions = {int(np.searchsorted(keep, i)): e for i, e in table._expressions.items() if i in set(keep.tolist())}
    columns = {name: tuple(getattr(table, name)[i] for i in keep) for name in ("lhs", "op", "rhs", "label")}
    arrays = {name: getattr(table, name)[keep] for name in ("block", "start", "value", "lower", "upper", "exo", "user")}
    return table.replace(**columns, **arrays, free=np.where(free > 0, np.cumsum(free > 0), 0).astype(np.int64),
                         _expressions=expressions)


def without_products(table: ParameterTable) -> ParameterTable:
    """The linear model: product rows left out, with the definitions and constraints that name their coefficients."""
    gone = product_rows(table)
    labels = {table.label[i] for i in np.flatnonzero(gone)} - {""}
    labels -= {table.label[i] for i in range(len(table)) if not gone[i] and table.block[i] > 0}
    for i, expression in table._expressions.items():
        if labels & {*expression.names, *expression.std_names}:
            gone[i] = True
    return take_rows(table, np.flatnonzero(~gone))


def linear_layout(table: ParameterTable) -> Layout:
    """Places of all rows but products."""
    masked = np.where(product_rows(table), 0, table.block)
    return make_layout(table.replace(block=masked))


def product_rows(table: ParameterTable) -> NDArray[np.bool_]:
    """Which rows are coefficients of products, ``(k,)``."""
    return np.array([op == "~" and ":" in rhs for op, rhs in zip(table.op, table.rhs, strict=True)], dtype=bool)


def find_crossings(table: ParameterTable, layout: Layout) -> tuple[tuple[Crossing, ...], ...]:
    """Products of each group; those whose coefficient is fixed at 0 are none.

    Raises
    ------
    NotSupportedError
        ``interaction.factor-not-in-model``: a factor that stands nowhere else in the model.
    """
    unique = {int(row): int(table.unique[k]) for k, row in enumerate(table.free_rows)}
    out: list[list[Crossing]] = [[] for _ in layout.blocks]
    problems: dict[str, Problem] = {}
    for row in np.flatnonzero(product_rows(table)).tolist():
        block = layout.blocks[int(table.block[row]) - 1]
        names = table.rhs[row].split(":")
        for name in (*names, table.lhs[row]):
            if name not in block.eta:
                problems[name] = Problem(
                    "interaction.factor-not-in-model", f"{table.lhs[row]} ~ {table.rhs[row]}",
                    f'"{name}" stands in no other equation', "factors that are predictors themselves",
                    f"Add {name} to the equation of {table.lhs[row]}.")
        if problems or (row not in unique and table.value[row] == 0.0):
            continue
        at = tuple(block.eta.index(name) for name in names)
        out[int(table.block[row]) - 1].append(
            Crossing(row, block.eta.index(table.lhs[row]), at, unique.get(row, -1), float(table.value[row])))
    if problems:
        raise NotSupportedError(*problems.values())
    return tuple(tuple(group) for group in out)


def _filled(block: Block, kind: int, height: int, width: int) -> NDArray[np.bool_]:
    """Which cells of a matrix are not fixed at zero."""
    lo, hi = block.offsets[kind], block.offsets[kind + 1]
    pattern = (block.fixed[lo:hi] != 0.0).reshape(height, width)
    for cells in (block.free, block.given):
        pick = cells.kind == kind
        pattern[cells.row[pick], cells.col[pick]] = True
        if kind in (PSI, THETA):
            pattern[cells.col[pick], cells.row[pick]] = True
    return np.asarray(pattern)


def error_free(block: Block) -> Mapping[int, int]:
    """Variables of ``eta`` that one observed column shows without error: position -> column."""
    loads = _filled(block, LAMBDA, block.p, block.m)
    noisy = np.diagonal(_filled(block, THETA, block.p, block.p))
    found = {}
    for j in range(block.m):
        for i in np.flatnonzero(loads[:, j] & ~noisy):
            if loads[i].sum() == 1:
                found[j] = int(i)
    return found


def ancestors(block: Block, crossings: tuple[Crossing, ...]) -> NDArray[np.bool_]:
    """Which variable acts on which, directly or through others, ``(m, m)``: row is moved by column.

    Raises
    ------
    NotSupportedError
        ``interaction.cycle``: a variable acts on itself.
    """
    direct = _filled(block, BETA, block.m, block.m)
    for crossing in crossings:
        direct[crossing.outcome, list(crossing.factors)] = True
    reach = direct.copy()
    for _ in range(block.m):
        reach = reach | ((reach.astype(np.int64) @ direct.astype(np.int64)) > 0)
    loops = np.flatnonzero(np.diagonal(reach))
    if len(loops) and crossings:
        names = ", ".join(block.eta[j] for j in loops)
        raise NotSupportedError(Problem("interaction.cycle", names, "act on themselves through others",
                                        "models without feedback", "Use interaction='product'."))
    return np.asarray(reach)


def choose_roles(block: Block, crossings: tuple[Crossing, ...], width: Mapping[int, float] | None = None) -> Roles:
    """The fewest variables to integrate out; among equals exogenous ones, and those the data leave most uncertain.

    Exogenous variables without error are known.  Outcomes without error (observed mediators) are known only where a
    product has two of them: elsewhere they stay variables, so that they may have gaps.

    Parameters
    ----------
    block : Block
    crossings : tuple of Crossing
    width : mapping, optional
        Posterior over prior variance of latent variables, by position; wide posteriors need fewer points.

    Raises
    ------
    NotSupportedError
        ``interaction.cycle``, ``interaction.too-many-dimensions``.
    """
    if not crossings:
        return Roles((), ())
    reach = ancestors(block, crossings)
    before = reach.sum(axis=1)
    shown = error_free(block)
    used = {factor for crossing in crossings for factor in crossing.factors}
    wide = width or {}
    for exact in (used & {j for j in shown if not before[j]}, used & set(shown)):
        known = tuple(sorted(exact))
        open_ = [tuple(f for f in crossing.factors if f not in exact) for crossing in crossings]
        candidates = sorted(used - set(shown))
        for size in range(min(MAX_DIMENSIONS, len(candidates)) + 1):
            fitting = [pick for pick in itertools.combinations(candidates, size)
                       if all(sum(f not in pick for f in factors) <= 1 for factors in open_)]
            if fitting:
                best = max(fitting, key=lambda pick: (
                    -sum(int(before[j]) for j in pick), sum(np.log(max(wide.get(j, 1.0), 1e-12)) for j in pick)))
                inner = sorted((j for j in (*best, *known) if before[j]), key=lambda j: int(before[j]))
                return Roles(best, known, tuple(inner))
    raise NotSupportedError(Problem(
        "interaction.too-many-dimensions", "model", f"more than {MAX_DIMENSIONS} latent variables to integrate out",
        f"products that share at most {MAX_DIMENSIONS} latent factors",
        "Use interaction='product', or test the interactions in several models."))
