"""Standardised solutions with derivatives, for delta-method standard errors and for draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.deviations import deviations
from semkit.estimate.implied import imply
from semkit.estimate.layout import Layout
from semkit.model import ParameterTable

FloatArray = NDArray[np.float64]
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
    """Standard deviations by group and variable, with derivatives."""

    sd: tuple[dict[str, FloatArray], ...]
    slope: tuple[dict[str, FloatArray], ...]


def scales(layout: Layout, theta: FloatArray, given: FloatArray, *, slopes: bool = True) -> Scales:
    """Model-implied standard deviations of every variable of every group (derivatives empty if not wanted)."""
    parts = [deviations(block, imply(block, theta, given), layout.n_parameters if slopes else 0)
             for block in layout.blocks]
    return Scales(tuple(part[0] for part in parts), tuple(part[1] for part in parts))


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
    return RowValues(value, slope)


def powers(
    table: ParameterTable, row: int, kind: Kind, binary: frozenset[str] = frozenset()
) -> tuple[tuple[str, float], ...]:
    """Which standard deviations a row is multiplied by, and to which power.

    A product term ``a:b`` counts the standard deviations of its components, never its own; predictors
    in ``binary`` keep their unit.
    """
    latent, exogenous = set(table.variables.lv), set(table.variables.ov_x)

    def unit(name: str) -> bool:
        if kind == "std_lv":
            return name in latent
        return not (kind == "std_nox" and name in exogenous)

    lhs, op, rhs = table.lhs[row], table.op[row], table.rhs[row]
    if op == "=~":
        parts = [(lhs, 1.0), (rhs, -1.0)]
    elif op == "~":
        parts = [(lhs, -1.0), *((name, 1.0) for name in rhs.split(":") if name not in binary)]
    elif op == "~~" and lhs == rhs:
        parts = [(lhs, -2.0)]
    elif op == "~1":
        parts = [(lhs, -1.0)]
    else:
        parts = []
    return tuple((name, power) for name, power in parts if unit(name))


def standardise(
    table: ParameterTable, layout: Layout, rows: RowValues, by: Scales, kind: Kind = "std_all",
    binary: frozenset[str] = frozenset(),
) -> RowValues:
    """Standardised values of all rows.

    Loadings ``lambda sd(factor) / sd(indicator)``, slopes ``b sd(x) / sd(y)``, variances over total
    variances, intercepts over standard deviations; covariances become correlations of the two
    residuals (of the variables themselves when exogenous).  ``std_lv`` leaves observed variables,
    ``std_nox`` exogenous covariates in their own units; the slope of a product is ``b sd(a) sd(b) / sd(y)``.

    References
    ----------
    Bollen (1989), pp. 123-126 and 349-351.
    """
    value, slope = rows.value.copy(), rows.slope.copy()
    variance_row = {
        (int(table.block[i]), table.lhs[i]): i
        for i in range(len(table)) if table.op[i] == "~~" and table.lhs[i] == table.rhs[i]
    }
    for i in range(len(table)):
        block = int(table.block[i])
        if block == 0:
            continue
        sd, sd_slope = by.sd[block - 1], by.slope[block - 1]
        for name, power in powers(table, i, kind, binary):
            if name not in sd:
                value[:, i], slope[:, i] = np.nan, np.nan
                continue
            factor = sd[name] ** power
            relative = power * sd_slope[name] / sd[name][:, None]
            slope[:, i] = (slope[:, i] + value[:, i, None] * relative) * factor[:, None]
            value[:, i] = value[:, i] * factor
        if table.op[i] == "~~" and table.lhs[i] != table.rhs[i]:
            _correlate(i, table, rows, value, slope, variance_row, kind)
    return RowValues(value, slope)


def _correlate(
    i: int, table: ParameterTable, rows: RowValues, value: FloatArray, slope: FloatArray,
    variance_row: Mapping[tuple[int, str], int], kind: Kind,
) -> None:
    """A covariance divided by the residual standard deviations of its variables."""
    latent, exogenous = set(table.variables.lv), set(table.variables.ov_x)
    for name in (table.lhs[i], table.rhs[i]):
        if (kind == "std_lv" and name not in latent) or (kind == "std_nox" and name in exogenous):
            continue
        row = variance_row.get((int(table.block[i]), name))
        if row is None:
            value[:, i], slope[:, i] = np.nan, np.nan
            return
        variance = np.abs(rows.value[:, row])
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(variance > 0, variance, np.nan) ** -0.5
            relative = -0.5 * np.sign(rows.value[:, row])[:, None] * rows.slope[:, row] / variance[:, None]
        slope[:, i] = (slope[:, i] + value[:, i, None] * relative) * factor[:, None]
        value[:, i] = value[:, i] * factor
