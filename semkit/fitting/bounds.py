"""Bounds of parameters from the sample's variances: estimation inside the region that makes sense.

With ``s_i`` the variance of observed variable ``i`` and ``m`` the marker of a factor (the indicator whose loading
is fixed):

- residual variance of ``y_i``: 0 to ``s_i``; of a marker at most ``.9 s_m`` (its reliability is at least ``.1``)
- variance of an exogenous factor: ``.1 s_m`` to ``s_m``; of an endogenous one from ``.005``
- loading of ``y_i``: within ``sqrt(s_i / l)``, with ``l`` the factor's variance if fixed, else ``.1 s_m``
- covariances: within ``sqrt(u_a u_b)``, with the upper bounds ``u`` of the two variances

``standard`` multiplies the last by ``.998``; ``wide`` widens the ranges of residual variances by 5 % below and 20 %
above, of factor variances by 30 % above, of loadings by 10 % on either side.

References
----------
De Jonckere & Rosseel (2022), Structural Equation Modeling 29, 412-427.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.model import ParameterTable

FloatArray = NDArray[np.float64]

BOUNDS = ("none", "standard", "wide", "pos.var", "pos.ov.var", "pos.lv.var")
_RELIABILITY = 0.1
_ENDOGENOUS = 0.005


@dataclass(frozen=True, slots=True)
class _Widths:
    """How much the ranges are widened: shares of the range below and above."""

    residual_low: float
    residual_high: float
    factor_high: float
    loading: float
    covariance: float


_WIDTHS = {"standard": _Widths(0.0, 0.0, 0.0, 0.0, 0.998), "wide": _Widths(0.05, 0.2, 0.3, 0.1, 1.0)}


def bounded(table: ParameterTable, kind: str, covs: tuple[FloatArray, ...]) -> ParameterTable:
    """The table with bounds filled in; a bound of the user's stays.

    Parameters
    ----------
    table : ParameterTable
    kind : {"none", "standard", "wide", "pos.var", "pos.ov.var", "pos.lv.var"}
        The ``pos.`` kinds only keep variances from being negative.
    covs : tuple of ndarray (p, p)
        Sample covariances of each group.
    """
    if kind == "none":
        return table
    low, high = np.full(len(table), -np.inf), np.full(len(table), np.inf)
    for g, cov in enumerate(covs):
        rows = [i for i in range(len(table)) if table.block[i] == g + 1]
        if kind.startswith("pos."):
            for i in rows:
                if table.op[i] == "~~" and table.lhs[i] == table.rhs[i] and _meant(table, i, kind):
                    low[i] = 0.0
        else:
            _ranges(table, rows, dict(zip(table.variables.ov, np.diagonal(cov).tolist(), strict=True)),
                    _WIDTHS[kind], low, high)
    free = table.free > 0
    low = np.where(free & np.isinf(table.lower), low, table.lower)
    high = np.where(free & np.isinf(table.upper), high, table.upper)
    return table.replace(lower=low, upper=high)


def _meant(table: ParameterTable, row: int, kind: str) -> bool:
    latent = table.lhs[row] in table.variables.lv
    return kind == "pos.var" or latent == (kind == "pos.lv.var")


def _ranges(
    table: ParameterTable, rows: list[int], variance: dict[str, float], by: _Widths, low: FloatArray, high: FloatArray
) -> None:
    """Fill in the bounds of one group."""
    markers = _markers(table, rows)
    marking = {name for name, _ in markers.values()}
    smallest = dict.fromkeys(table.variables.lv, np.nan)
    largest: dict[str, float] = {}
    for i in rows:
        name = table.lhs[i]
        if table.op[i] != "~~" or name != table.rhs[i] or name in table.variables.lv_c + table.variables.ov_c:
            continue
        if table.free[i] == 0:
            smallest[name] = largest[name] = float(table.value[i])
            continue
        if name in variance:
            top = variance[name] * (1.0 - _RELIABILITY if name in marking else 1.0)
            low[i], high[i] = 0.0 - by.residual_low * top, top + by.residual_high * top
        else:
            low[i], high[i] = _factor_range(table, name, markers.get(name), variance, by)
            if name in markers:
                smallest[name] = _RELIABILITY * variance[markers[name][0]] / markers[name][1] ** 2
        largest[name] = high[i]
    for i in rows:
        lhs, rhs = table.lhs[i], table.rhs[i]
        if table.op[i] == "=~" and rhs in variance and smallest[lhs] > 0.0:
            size = np.sqrt(variance[rhs] / smallest[lhs])
            high[i] = size + by.loading * 2.0 * size
            low[i] = -high[i]
        elif table.op[i] == "~~" and lhs != rhs and lhs in largest and rhs in largest:
            inside = largest[lhs] * largest[rhs]
            if inside > 0.0:
                high[i] = by.covariance * np.sqrt(inside)
                low[i] = -high[i]


def _factor_range(
    table: ParameterTable, name: str, marker: tuple[str, float] | None, variance: dict[str, float], by: _Widths
) -> tuple[float, float]:
    """Bounds of a factor's (residual) variance; without an observed marker from 0 to the largest variance."""
    caused = any((table.op[i] == "~" and table.lhs[i] == name) or (table.op[i] == "=~" and table.rhs[i] == name)
                 for i in range(len(table)))
    top, bottom = max(variance.values()), 0.0
    if marker is not None:
        top = variance[marker[0]] / marker[1] ** 2
        bottom = _ENDOGENOUS if caused else _RELIABILITY * top
    return bottom, top + by.factor_high * (top - bottom)


def _markers(table: ParameterTable, rows: list[int]) -> dict[str, tuple[str, float]]:
    """First observed indicator of each factor whose loading is fixed and not 0, with the loading."""
    out: dict[str, tuple[str, float]] = {}
    for i in rows:
        fixed = table.op[i] == "=~" and table.free[i] == 0 and table.rhs[i] in table.variables.ov
        if fixed and table.value[i] != 0.0:
            out.setdefault(table.lhs[i], (table.rhs[i], float(table.value[i])))
    return out
