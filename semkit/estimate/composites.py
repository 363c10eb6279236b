"""Starting values of composites: the weights that agree best with everything outside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.layout import Block
from semkit.model import ParameterTable
from semkit.model.composites import INTERCEPT, LOADING, RESIDUAL

FloatArray = NDArray[np.float64]


def composite_weights(cov: FloatArray, inside: list[int]) -> FloatArray:
    """First canonical weights of some variables with all others, scaled so that the first is 1 or -1.

    Parameters
    ----------
    cov : ndarray (p, p)
    inside : list of int

    References
    ----------
    Hotelling (1936), Biometrika 28, 321-377.
    """
    outside = [k for k in range(len(cov)) if k not in inside]
    s = cov[np.ix_(inside, inside)]
    w = 1.0 / np.sqrt(np.diagonal(s))
    if outside:
        cross = cov[np.ix_(inside, outside)]
        half = np.linalg.inv(np.linalg.cholesky(s))
        other = np.linalg.inv(np.linalg.cholesky(cov[np.ix_(outside, outside)]))
        left, _, _ = np.linalg.svd(half @ cross @ other.T)
        w = half.T @ left[:, 0]
    if abs(w[0]) * np.sqrt(s[0, 0]) < 0.05 * np.max(np.abs(w) * np.sqrt(np.diagonal(s))):
        w = w + np.sign(w[0] or 1.0) * 0.05 / np.sqrt(np.diagonal(s))
    return np.asarray(w / abs(w[0]) * np.sign(w[0]))


def composite_starts(
    table: ParameterTable, group: int, block: Block, cov: FloatArray, mean: FloatArray
) -> tuple[dict[int, float], dict[str, tuple[FloatArray, float]]]:
    """Values of the table's rows, and loadings ``(p,)`` and variance of each composite by name.

    With ``S`` the covariances of the indicators: ``lambda = S w / w'Sw``, ``Theta = S - lambda lambda' w'Sw``.
    """
    rows = [i for i in range(len(table)) if table.block[i] == group]
    names = list(dict.fromkeys(table.lhs[i] for i in rows if table.op[i] == "<~"))
    values: dict[int, float] = {}
    found: dict[str, tuple[FloatArray, float]] = {}
    for name in names:
        own = [i for i in rows if table.op[i] == "<~" and table.lhs[i] == name]
        at = [block.observed.index(table.rhs[i]) for i in own]
        w = composite_weights(cov, at)
        fixed = [k for k, i in enumerate(own) if table.free[i] == 0]
        variance = table.find(name, "~~", name, group)
        s = cov[np.ix_(at, at)]
        if fixed and w[fixed[0]] != 0.0:
            w = w * table.value[own[fixed[0]]] / w[fixed[0]]
            w[fixed] = table.value[[own[k] for k in fixed]]
        elif variance is not None and table.free[variance] == 0:
            w = w * np.sqrt(max(float(table.value[variance]), 1e-8) / float(w @ s @ w))
        size = float(w @ s @ w)
        loading = s @ w / size
        level = float(w @ mean[at])
        column = np.zeros(block.p)
        column[at] = loading
        found[name] = column, size
        values |= dict(zip(own, w.tolist(), strict=True))
        position = {block.observed[k]: j for j, k in enumerate(at)}
        residual = s - size * np.outer(loading, loading)
        for i in rows:
            lhs, op, rhs = table.lhs[i], table.op[i], table.rhs[i]
            if op == LOADING and lhs == name:
                values[i] = float(loading[position[rhs]])
            elif op == "~~" and lhs in position:
                values[i] = float(s[position[lhs], position[rhs]])
            elif op == "~1" and lhs in position:
                values[i] = float(mean[at[position[lhs]]])
            elif op == RESIDUAL and lhs in position:
                values[i] = float(residual[position[lhs], position[rhs]])
            elif op == INTERCEPT and lhs in position:
                values[i] = float(mean[at[position[lhs]]] - loading[position[lhs]] * level)
            elif op == "~1" and lhs == name:
                values[i] = level
    return values, found
