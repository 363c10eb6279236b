"""What follows from the weights of composites: loadings, residual covariances, variances and means.

With weights ``w`` and, of the indicators, covariances ``T`` and means ``m``:

    v = w'Tw,   lambda = T w / v,   Theta = T - v lambda lambda',   nu = m - lambda w'm,

and the composite has variance ``v`` and mean ``w'm``; what the model explains of either is left out of its residual
variance and intercept.  A step of the optimiser ends where this holds, so that the constraints of composites need no
steps of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.implied import imply
from semkit.estimate.layout import Block, Layout
from semkit.model import ParameterTable
from semkit.model.composites import INTERCEPT, LOADING, RESIDUAL

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Source:
    """Where numbers come from: a parameter, a given value, or a fixed number; arrays of any one shape."""

    parameter: IntArray
    given: IntArray
    number: FloatArray

    def read(self, x: FloatArray, given: FloatArray) -> FloatArray:
        """Shape ``(B, ...)``."""
        out = np.where(self.parameter >= 0, x[:, self.parameter], self.number)
        return out if not given.shape[1] else np.where(self.given >= 0, given[:, self.given], out)


@dataclass(frozen=True, eq=False)
class _Composite:
    """Places of one composite of one group; parameters that follow from its weights."""

    eta: int
    weights: _Source  # (k,)
    cov: _Source  # (k, k)
    mean: _Source | None  # (k,)
    loading: IntArray  # (k,)
    residual: IntArray  # (k, k)
    intercept: IntArray  # (k,)
    variance: int  # -1: it is fixed
    level: int
    unit: float  # the variance that all weights, free, are scaled to; NaN where one of them is fixed


@dataclass(frozen=True, eq=False)
class Composition:
    """The composites of all groups, with the block of each."""

    groups: tuple[tuple[Block, tuple[_Composite, ...]], ...]

    def settle(self, x: FloatArray, given: FloatArray) -> FloatArray:
        """Parameters ``(B, q)`` with what follows from the weights filled in."""
        x = x.copy()
        for block, composites in self.groups:
            variances, levels = [], []
            for one in composites:
                size, level = _fill(one, x, given)
                variances.append(size)
                levels.append(level)
            for _ in composites:  # what is explained is known once the composites before it are right
                implied = imply(block, x, given)
                for one, size, level in zip(composites, variances, levels, strict=True):
                    if one.variance >= 0:
                        x[:, one.variance] += size - implied.eta_cov[:, one.eta, one.eta]
                    if one.level >= 0:
                        x[:, one.level] += level - implied.eta_mean[:, one.eta]
        return x


def _fill(one: _Composite, x: FloatArray, given: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fill in loadings, residual covariances and intercepts; variance and mean of the composite, ``(B,)``."""
    w, cov = one.weights.read(x, given), one.cov.read(x, given)
    size = np.einsum("bi,bij,bj->b", w, cov, w)
    if one.unit > 0.0:
        w = w * np.sqrt(one.unit / size)[:, None]
        x[:, one.weights.parameter], size = w, np.full_like(size, one.unit)
    loading = (cov @ w[..., None])[..., 0] / size[:, None]
    x[:, one.loading] = loading
    x[:, one.residual] = cov - size[:, None, None] * loading[:, :, None] * loading[:, None, :]
    if one.mean is None:
        return size, np.zeros_like(size)
    mean = one.mean.read(x, given)
    level = np.einsum("bi,bi->b", w, mean)
    x[:, one.intercept] = mean - loading * level[:, None]
    return size, level


def make_composition(table: ParameterTable, layout: Layout) -> Composition | None:
    """The composites of a table; None where there are none, or where more than weights settles one."""
    if "<~" not in table.op:
        return None
    parameter = {int(row): int(table.unique[k]) for k, row in enumerate(table.free_rows)}
    given = {row: k for k, row in enumerate(layout.given_rows)}
    rows = {(int(block), lhs, op, rhs): i for i, (block, lhs, op, rhs) in enumerate(
        zip(table.block, table.lhs, table.op, table.rhs, strict=True))}

    def source(found: list[int], shape: tuple[int, ...]) -> _Source:
        value = [float(table.value[i]) if i not in parameter and i not in given else 0.0 for i in found]
        return _Source(np.array([parameter.get(i, -1) for i in found]).reshape(shape),
                       np.array([given.get(i, -1) for i in found]).reshape(shape), np.array(value).reshape(shape))

    groups = []
    for g, block in enumerate(layout.blocks, start=1):
        if block.depth < 0:
            return None
        own = []
        for name in dict.fromkeys(lhs for at, lhs, op, _ in rows if op == "<~" and at == g):
            items = [rhs for at, lhs, op, rhs in rows if (at, lhs, op) == (g, name, "<~")]
            k = len(items)
            weights = source([rows[g, name, "<~", x] for x in items], (k,))
            pairs = [rows.get((g, a, "~~", b), rows.get((g, b, "~~", a), -1)) for a in items for b in items]
            inner = [rows.get((g, a, RESIDUAL, b), rows.get((g, b, RESIDUAL, a), -1)) for a in items for b in items]
            row = rows[g, name, "~~", name]
            variance, unit = parameter.get(row, -1), np.nan
            if (weights.parameter >= 0).all():
                unit = 1.0 if variance >= 0 else float(table.value[row])
                shared = any(np.sum(table.unique == one) > 1 for one in weights.parameter)
                named = any(not table.label[rows[g, name, "<~", x]].startswith(".") for x in items)
                if shared or named:
                    return None
            if variance < 0 and not (unit > 0.0 and name in table.variables.lv_x):
                return None
            means = (g, items[0], INTERCEPT, "") in rows
            own.append(_Composite(
                block.eta.index(name), weights, source(pairs, (k, k)),
                source([rows[g, x, "~1", ""] for x in items], (k,)) if means else None,
                np.array([parameter[rows[g, name, LOADING, x]] for x in items]),
                np.array([parameter[i] for i in inner]).reshape(k, k),
                np.array([parameter[rows[g, x, INTERCEPT, ""]] for x in items] if means else [], dtype=np.int64),
                variance, parameter.get(rows[g, name, "~1", ""], -1) if means else -1, unit,
            ))
        groups.append((block, tuple(own)))
    return Composition(tuple(groups))
