"""Standardised solutions with derivatives, for delta-method standard errors and for draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.deviations import variances
from semkit.estimate.implied import Implied, imply
from semkit.estimate.layout import Block, Layout
from semkit.model import ParameterTable
from semkit.model.composites import HIDDEN

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Kind = Literal["std_lv", "std_all", "std_nox"]


@dataclass(frozen=True, eq=False)
class RowValues:
    """Values of the rows of a table as functions of the parameters.

    Parameters
    ----------
    value : ndarray (B, k)
        NaN for definitions and constraints.
    slope : ndarray (B, k, q)
    """

    value: FloatArray
    slope: FloatArray


@dataclass(frozen=True, eq=False)
class Scales:
    """Standard deviations of all variables, group after group, then a 1 and a NaN.

    Parameters
    ----------
    names : tuple of tuple of str
        Variables of each group.
    sd : ndarray (B, v + 2)
    slope : ndarray (B, v + 2, q)
    """

    names: tuple[tuple[str, ...], ...]
    sd: FloatArray
    slope: FloatArray

    def values(self) -> dict[str, FloatArray]:
        """Standard deviations by name, ``(B,)``; those of later groups as ``name.g2`` ..."""
        return {name: self.sd[:, k] for name, k in self._places().items()}

    def slopes(self) -> dict[str, FloatArray]:
        """Their derivatives ``(B, q)``."""
        return {name: self.slope[:, k] for name, k in self._places().items()}

    def _places(self) -> dict[str, int]:
        """Position by name; a variable that is really called ``x.g2`` goes before ``x`` of the second group."""
        out = {name: k for k, name in enumerate(self.names[0])}
        at = len(self.names[0])
        for g, names in enumerate(self.names[1:], start=2):
            for k, name in enumerate(names):
                if f"{name}.g{g}" not in self.names[0]:
                    out[f"{name}.g{g}"] = at + k
            at += len(names)
        return out


def scales(
    layout: Layout, theta: FloatArray, given: FloatArray, *, slopes: bool = True,
    implied: tuple[Implied, ...] | None = None,
) -> Scales:
    """Model-implied standard deviations of every variable of every group (derivatives empty if not wanted).

    A variable with a variance that is not positive has NaN.
    """
    q = layout.n_parameters if slopes else 0
    count = sum(block.p + block.m for block in layout.blocks)
    sd = np.ones((len(theta), count + 2))
    slope = np.zeros((len(theta), count + 2, q))
    sd[:, -1] = np.nan
    at = 0
    for g, block in enumerate(layout.blocks):
        here_implied = imply(block, theta, given) if implied is None else implied[g]
        variance, by_cell = variances(block, here_implied, slopes=slopes)
        here = slice(at, at + block.p + block.m)
        with np.errstate(invalid="ignore", divide="ignore"):
            sd[:, here] = np.sqrt(np.where(variance > 0.0, variance, np.nan))
            if slopes:
                _spread(slope[:, here], block, by_cell / (2.0 * sd[:, here, None]))
        at += block.p + block.m
    return Scales(tuple(block.observed + block.eta for block in layout.blocks), sd, slope)


def _spread(total: FloatArray, block: Block, by_cell: FloatArray) -> None:
    """Derivatives by cells become derivatives by parameters."""
    if block.single:
        total[:, :, block.free.source] = by_cell
    else:
        np.add.at(np.moveaxis(total, -1, 0), block.free.source, np.moveaxis(by_cell, -1, 0))


def row_values(
    table: ParameterTable, layout: Layout, theta: FloatArray, given: FloatArray, *, slopes: bool = True
) -> RowValues:
    """Unstandardised values of all rows (derivatives have no columns if not wanted)."""
    batch = theta.shape[0]
    value = np.full((batch, len(table)), np.nan)
    slope = np.zeros((batch, len(table), layout.n_parameters if slopes else 0))
    fixed = np.flatnonzero((table.block > 0) & (table.free == 0) & np.isfinite(table.value))
    value[:, fixed] = table.value[fixed]
    value[:, table.free_rows] = theta[:, table.unique]
    if slopes:
        slope[:, table.free_rows, table.unique] = 1.0
    if layout.given_rows:
        value[:, list(layout.given_rows)] = given[:, : len(layout.given_rows)]
    if layout.follower_rows:
        rows = list(layout.follower_rows)
        at = np.arange(layout.n_parameters - len(rows), layout.n_parameters)
        value[:, rows] = theta[:, at]
        if slopes:
            slope[:, rows, at] = 1.0
    return RowValues(value, slope)


@dataclass(frozen=True, eq=False)
class Plan:
    """What each row is multiplied by: powers of the standard deviations in :class:`Scales`.

    Parameters
    ----------
    power : ndarray (k, v + 2)
        Of the variable on the left, and of the indicator of a loading.
    predictor : ndarray (k, v + 2)
        Of the right sides of ``~``.
    names : tuple of str
        The variable of each column; empty for the last two.
    covariance : ndarray (c,)
        Rows of covariances.
    variance : ndarray (c, 2)
        Rows of the two (residual) variances, -1 where the model has none.
    pair : tuple of pairs of str
    """

    power: FloatArray
    predictor: FloatArray
    names: tuple[str, ...]
    covariance: IntArray
    variance: IntArray
    pair: tuple[tuple[str, str], ...]


@lru_cache(maxsize=16)
def make_plan(table: ParameterTable, names: tuple[tuple[str, ...], ...]) -> Plan:
    """Find the standard deviations of every row: a product ``a:b`` has those of its components, never its own."""
    k, total = len(table), sum(map(len, names))
    power, predictor = np.zeros((k, total + 2)), np.zeros((k, total + 2))
    starts = np.cumsum([0, *map(len, names)]).tolist()
    position = [{name: starts[g] + j for j, name in enumerate(group)} for g, group in enumerate(names)]
    blocks = table.block.tolist()
    own = {(blocks[i], table.lhs[i]): i for i in range(k) if table.op[i] == "~~" and table.lhs[i] == table.rhs[i]}
    covariance, variance, pair = [], [], []
    for i, (block, lhs, op, rhs) in enumerate(zip(blocks, table.lhs, table.op, table.rhs, strict=True)):
        if block == 0:
            continue
        if op == "~~" and lhs != rhs:
            covariance.append(i)
            variance.append([own.get((block, lhs), -1), own.get((block, rhs), -1)])
            pair.append((lhs, rhs))
            continue
        if op in HIDDEN:
            continue
        find = position[block - 1].get
        power[i, find(lhs, total + 1)] += 1.0 if op == "=~" else -2.0 if op == "~~" else -1.0
        if op == "=~":
            power[i, find(rhs, total + 1)] -= 1.0
        elif op == "<~":
            power[i, find(rhs, total + 1)] += 1.0
        elif op == "~":
            for name in rhs.split(":"):
                predictor[i, find(name, total + 1)] += 1.0
    shown = (*(name for group in names for name in group), "", "")
    return Plan(power, predictor, shown, np.array(covariance, dtype=np.int64),
                np.array(variance, dtype=np.int64).reshape(-1, 2), tuple(pair))


def standardise(
    table: ParameterTable, layout: Layout, rows: RowValues, by: Scales, kind: Kind = "std_all",
    binary: frozenset[str] = frozenset(),
) -> RowValues:
    """Standardised values of all rows.

    Loadings ``lambda sd(factor) / sd(indicator)``, slopes ``b sd(x) / sd(y)``, variances over total
    variances, intercepts over standard deviations; covariances become correlations of the two
    residuals (of the variables themselves when exogenous).  ``std_lv`` leaves observed variables,
    ``std_nox`` exogenous covariates in their own units, ``binary`` names predictors that keep theirs;
    the slope of a product is ``b sd(a) sd(b) / sd(y)``, of three factors ``b sd(a) sd(b) sd(c) / sd(y)``.

    References
    ----------
    Bollen (1989), pp. 123-126 and 349-351.
    """
    plan = make_plan(table, by.names)
    kept = frozenset(table.variables.ov) if kind == "std_lv" else frozenset(
        table.variables.ov_x if kind == "std_nox" else ())
    power = plan.power + plan.predictor
    if kept or binary:
        power = plan.power + np.where([name in binary for name in plan.names], 0.0, plan.predictor)
        power[:, [name in kept for name in plan.names]] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        # a product of powers is a sum of logarithms; what has no standard deviation loses the rows that need it
        known = by.sd > 0.0
        size = np.where(known, by.sd, 1.0)
        factor = np.exp(np.log(size) @ power.T)
        if not known[:, :-1].all() or power[:, -1].any():
            factor[(~known).astype(np.float64) @ (power != 0.0).T > 0.0] = np.nan
        value = rows.value * factor
        if rows.slope.shape[-1]:
            relative = power @ np.where(known[..., None], by.slope / size[..., None], 0.0)
            slope = rows.slope * factor[..., None]
            slope += value[..., None] * relative
        else:
            slope = rows.slope.copy()
        if len(plan.covariance):
            _correlate(plan, rows, value, slope, kept)
    return RowValues(value, slope)


def _correlate(plan: Plan, rows: RowValues, value: FloatArray, slope: FloatArray, kept: frozenset[str]) -> None:
    """Covariances divided by the residual standard deviations of their variables."""
    at, own = plan.covariance, plan.variance
    power = np.full(own.shape, -0.5)
    if kept:
        power[[[name in kept for name in pair] for pair in plan.pair]] = 0.0
    variance = rows.value[:, own]
    size = np.where((own >= 0) & (variance != 0.0), np.abs(variance), np.nan)
    factor = np.where(power != 0.0, size**power, 1.0).prod(axis=2)
    value[:, at] = rows.value[:, at] * factor
    if slope.shape[-1]:
        by = rows.slope[:, own] * (power / variance)[..., None]
        relative = np.where(power[..., None] != 0.0, by, 0.0).sum(axis=2)
        slope[:, at] = rows.slope[:, at] * factor[..., None] + value[:, at, None] * relative


def by_label(table: ParameterTable, rows: RowValues) -> tuple[Mapping[str, FloatArray], Mapping[str, FloatArray]]:
    """Values and derivatives of labelled rows."""
    return (
        {label: rows.value[:, row] for label, row in table.labelled_rows.items()},
        {label: rows.slope[:, row] for label, row in table.labelled_rows.items()},
    )
