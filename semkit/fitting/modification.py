"""Modification indices: what freeing one more parameter would gain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from semkit.estimate.layout import Layout, make_layout
from semkit.estimate.release import released
from semkit.estimate.standardize import Kind, RowValues, Scales, row_values, scales, standardise
from semkit.fitting.quadratic import score_of
from semkit.model import ParameterTable, Variables

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]
Row = tuple[str, str, str]

CONFOUNDED = "freeing it leaves the model unidentified: the free parameters already do what it would do"


def absent(table: ParameterTable, block: int) -> tuple[Row, ...]:
    """Loadings, covariances and slopes a model could have and a block has not, in lavaan's order.

    Every factor on every endogenous observed variable that is no outcome; covariances among endogenous observed
    variables and among factors; slopes among everything that stands in an equation.
    """
    rows = [i for i in range(len(table)) if table.block[i] == block]
    present = {(table.lhs[i], table.op[i], table.rhs[i]) for i in rows}
    present |= {(b, op, a) for a, op, b in present if op == "~~"}
    variables = table.variables
    return tuple(row for row in _possible(table, rows) if row not in present and row[0] not in variables.ov_x)


def _possible(table: ParameterTable, rows: list[int]) -> Iterator[Row]:
    variables = without_composites(table)
    outcomes = tuple(dict.fromkeys(table.lhs[i] for i in rows if table.op[i] == "~"))
    predictors = tuple(dict.fromkeys(table.rhs[i] for i in rows if table.op[i] == "~"))
    for factor in variables.lv:
        yield from ((factor, "=~", name) for name in variables.ov_nox if name not in outcomes)
    yield from ((a, "~~", b) for a, b in combinations(variables.ov_nox, 2))
    yield from ((a, "~~", b) for a, b in combinations(variables.lv, 2))
    inside = tuple(dict.fromkeys((*outcomes, *predictors)))
    loads = {(table.lhs[i], table.rhs[i]) for i in rows if table.op[i] == "=~"}
    for a in inside:
        yield from ((a, "~", b) for b in inside if a != b and (b, a) not in loads and (a, b) not in loads)


def without_composites(table: ParameterTable) -> Variables:
    """The variables without indicators of composites, which have no parameters of their own."""
    held = {rhs for op, rhs in zip(table.op, table.rhs, strict=True) if op == "<~"}
    if not held:
        return table.variables
    return replace(table.variables, ov_nox=tuple(v for v in table.variables.ov_nox if v not in held))


def held(table: ParameterTable) -> NDArray[np.int64]:
    """Rows that are fixed at a number and could be free."""
    fixed = np.flatnonzero((table.block > 0) & (table.free == 0) & np.isfinite(table.value) & ~table.exo)
    return fixed[[table.op[i] != "<~" for i in fixed]]  # a composite's fixed weight is its scale


def widened(table: ParameterTable) -> tuple[ParameterTable, NDArray[np.int64]]:
    """The table with every fixed and absent parameter free at its present value, and the rows of those."""
    return freed(table, held(table), [(g, row) for g in range(1, table.n_groups + 1) for row in absent(table, g)])


def freed(
    table: ParameterTable, fixed: NDArray[np.int64], extra: list[tuple[int, Row]]
) -> tuple[ParameterTable, NDArray[np.int64]]:
    """The table with some fixed rows free and some more free rows (with their groups), and where these stand."""
    n, k = len(table), len(extra)
    rows = np.concatenate([fixed, np.arange(n, n + k)]).astype(np.int64)
    free = np.concatenate([table.free, np.zeros(k, dtype=np.int64)])
    free[rows] = table.n_free + 1 + np.arange(len(rows))
    label = [*table.label, *[""] * k]
    for row in fixed:
        label[row] = ""
    value = np.concatenate([table.value, np.full(k, np.nan)])
    value[rows] = np.nan
    nothing = np.full(k, np.nan)
    wide = table.replace(
        lhs=table.lhs + tuple(row[0] for _, row in extra), op=table.op + tuple(row[1] for _, row in extra),
        rhs=table.rhs + tuple(row[2] for _, row in extra),
        block=np.concatenate([table.block, np.array([g for g, _ in extra], dtype=np.int64)]), free=free,
        label=tuple(label), start=np.concatenate([table.start, nothing]), value=value,
        lower=np.concatenate([table.lower, np.full(k, -np.inf)]),
        upper=np.concatenate([table.upper, np.full(k, np.inf)]),
        exo=np.concatenate([table.exo, np.zeros(k, dtype=bool)]),
        user=np.concatenate([table.user, np.zeros(k, dtype=np.int64)]),
    )
    return wide, rows


def modification_indices(fit: Fit) -> pd.DataFrame:
    """The table behind :meth:`Fit.modification_indices`."""
    solution, table = fit.solution, fit.table
    wide, rows = widened(table)
    layout = make_layout(wide)
    old = rows < len(table)
    values = np.zeros(len(rows))
    values[old] = table.value[rows[old]]
    theta = np.concatenate([solution.theta, values])[None]
    gradient, information, meat = score_of(solution, layout, theta[0])
    mi, epc, defined = released(gradient, information, solution.basis, solution.total, meat)
    by = scales(layout, theta, solution.given, slopes=False)
    reason = ["" if good else CONFOUNDED for good in defined]
    return framed(wide, layout, rows, theta, solution.given, by, (mi, epc, reason))


def framed(
    wide: ParameterTable, layout: Layout, rows: NDArray[np.int64], theta: FloatArray, given: FloatArray, by: Scales,
    found: tuple[FloatArray, FloatArray, list[str]],
) -> pd.DataFrame:
    """The table of indices, expected changes and reasons ``found`` for some rows, changes standardised."""
    import pandas as pd

    mi, epc, reason = found
    plain = row_values(wide, layout, theta, given, slopes=False)
    data = {
        "lhs": [wide.lhs[i] for i in rows], "op": [wide.op[i] for i in rows], "rhs": [wide.rhs[i] for i in rows],
        "group": [wide.groups[wide.block[i] - 1] for i in rows], "mi": mi, "pvalue": chdtrc(1.0, mi), "epc": epc,
    }
    variance = np.array([wide.op[i] == "~~" and wide.lhs[i] == wide.rhs[i] for i in rows], dtype=bool)
    kinds: tuple[Kind, ...] = ("std_lv", "std_all", "std_nox")
    for kind in kinds:
        column = np.empty(len(rows))
        # variances are the units of covariances, so their own changes are standardised apart
        for part in (variance, ~variance):
            changed = plain.value.copy()
            changed[0, rows[part]] = epc[part]
            column[part] = standardise(wide, layout, RowValues(changed, plain.slope), by, kind).value[0, rows[part]]
        data["sepc_" + kind.removeprefix("std_")] = column
    data["reason"] = reason
    return pd.DataFrame(data)
