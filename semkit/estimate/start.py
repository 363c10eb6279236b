"""Starting values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.layout import ALPHA, BETA, LAMBDA, NU, PSI, THETA, Block, Layout
from semkit.model import ParameterTable

FloatArray = NDArray[np.float64]


def starting_values(
    table: ParameterTable, layout: Layout, moments: tuple[tuple[FloatArray, FloatArray], ...], *, simple: bool = False
) -> FloatArray:
    """One starting vector ``(q,)``.

    Loadings by instrumental variables within a factor's own indicators
    (``lambda_j = sum_k s_jk s_1k / sum_k s_1k^2``), factor variances from the same products,
    residuals from what is left; slopes 0; the user's ``start()`` values win.

    Parameters
    ----------
    table : ParameterTable
    layout : Layout
    moments : tuple of (cov (p, p), mean (p,)), one a group
    simple : bool
        Loadings 1, half of each variance to the residual: the second try after a failure.

    References
    ----------
    Hagglund (1982), Psychometrika 47, 209-222 (FABIN estimators).
    """
    theta = np.zeros(layout.n_parameters)
    for block, (cov, mean) in zip(layout.blocks, moments, strict=True):
        loading, variance = _factor_start(block, cov, simple)
        _fill(block, theta, cov, mean, loading, variance)
    own = table.start[table.free_rows]
    wanted = np.isfinite(own)
    theta[table.unique[wanted]] = own[wanted]
    np.maximum.at(theta, table.unique, table.lower[table.free_rows])
    np.minimum.at(theta, table.unique, table.upper[table.free_rows])
    return theta


def _loadings(block: Block) -> FloatArray:
    """Fixed loadings with NaN at the free ones, shape ``(p, m)``; beta is left out."""
    table = block.fixed[: block.p * block.m].reshape(block.p, block.m).copy()
    free = block.free
    pick = free.kind == LAMBDA
    table[free.row[pick], free.col[pick]] = np.nan
    return table


def _factor_start(block: Block, cov: FloatArray, simple: bool) -> tuple[FloatArray, FloatArray]:
    """Loadings ``(p, m)`` and variances of eta ``(m,)``."""
    loading = _loadings(block)
    variance = np.full(block.m, np.nan)
    sd = np.sqrt(np.diagonal(cov))
    pattern = np.isnan(loading) | (loading != 0.0)
    count = pattern.sum(axis=0)
    alone = np.flatnonzero(count == 1)
    at = pattern.argmax(axis=0)[alone]
    unit_alone = np.where(np.isnan(loading[at, alone]), 1.0, loading[at, alone])
    loading[at, alone], variance[alone] = unit_alone, np.diagonal(cov)[at] / unit_alone**2
    for j in np.flatnonzero(count > 1):
        column = loading[:, j]
        rows = np.flatnonzero(pattern[:, j])
        fixed = rows[~np.isnan(column[rows])]
        marker = int(fixed[0]) if len(fixed) else int(rows[0])
        unit = float(column[marker]) if len(fixed) else 1.0
        between = cov[rows[:, None], rows[None, :]]
        ratio = np.zeros(block.p)
        ratio[rows] = _ratios(between, sd[rows] / sd[marker], int(np.flatnonzero(rows == marker)[0]), simple)
        common = _common(between, ratio[rows])
        total = cov[marker, marker]
        share = 0.5 * total if simple else float(min(max(common, 0.15 * total), 0.85 * total))
        variance[j] = share / unit**2
        loading[rows, j] = np.where(np.isnan(column[rows]), ratio[rows] * unit, column[rows])
    return loading, variance


def _ratios(cov: FloatArray, ratio: FloatArray, marker: int, simple: bool) -> FloatArray:
    """Loadings of one factor's indicators relative to the marker's, ``(r,)``; ``ratio`` is the fallback."""
    if not simple and len(ratio) >= 3:
        off = cov.copy()
        np.fill_diagonal(off, 0.0)
        first = off[marker]
        top = off @ first
        bottom = first @ first - first**2
        with np.errstate(divide="ignore", invalid="ignore"):
            found = top / bottom
        usable = (bottom > 0) & (np.abs(found) > 0.1 * ratio)
        ratio = np.where(usable, np.minimum(np.maximum(found, -5.0 * ratio), 5.0 * ratio), ratio)
    ratio[marker] = 1.0
    return ratio


def _common(cov: FloatArray, ratio: FloatArray) -> float:
    """Median of what every pair of indicators says the marker's common variance is."""
    lower = np.tri(len(ratio), k=-1, dtype=bool)
    values = np.sort((cov / (ratio[:, None] * ratio[None, :]))[lower])
    half = len(values) // 2
    return float(values[half] if len(values) % 2 else 0.5 * (values[half - 1] + values[half]))


def _fill(
    block: Block, theta: FloatArray, cov: FloatArray, mean: FloatArray, loading: FloatArray, variance: FloatArray
) -> None:
    cells = block.free
    has_psi = np.diagonal(_fixed(block, PSI)).copy()
    known = np.isfinite(variance)
    variance = np.where(known, variance, 0.5 * np.nanmean(np.where(known, variance, np.nan)) if known.any() else 1.0)
    # a latent whose variance is fixed (std.lv) takes its scale from there
    free_psi = set(cells.row[(cells.kind == PSI) & (cells.row == cells.col)].tolist())
    given_psi = set(block.given.row[(block.given.kind == PSI)].tolist())
    scale = np.ones(block.m)
    for j in range(block.m):
        if j not in free_psi and j not in given_psi and has_psi[j] > 0 and variance[j] > 0:
            scale[j] = np.sqrt(variance[j] / has_psi[j])
    common = np.nan_to_num(loading) ** 2 @ variance
    residual = np.maximum(np.diagonal(cov) - common, 0.2 * np.diagonal(cov))
    kind, row, col, at = cells.kind, cells.row, cells.col, cells.source
    own = row == col
    pick = kind == LAMBDA
    theta[at[pick]] = loading[row[pick], col[pick]] * scale[col[pick]]
    pick = kind == BETA
    if pick.any():
        theta[at[pick]] = np.where(_higher(block)[col[pick]], scale[col[pick]], 0.0)
    pick = (kind == PSI) & own
    theta[at[pick]] = variance[row[pick]]
    pick = (kind == THETA) & own
    theta[at[pick]] = residual[row[pick]]
    if block.means:
        pick = kind == NU
        theta[at[pick]] = mean[row[pick]]
        for c in np.flatnonzero(kind == ALPHA):
            name = block.eta[row[c]]
            theta[at[c]] = mean[block.observed.index(name)] if name in block.observed else 0.0


def _fixed(block: Block, kind: int) -> FloatArray:
    size = {BETA: block.m, PSI: block.m, THETA: block.p}[kind]
    return block.fixed[block.offsets[kind] : block.offsets[kind + 1]].reshape(size, size)


def _higher(block: Block) -> NDArray[np.bool_]:
    """Which of eta are latent without an indicator of their own: their slopes are loadings, ``(m,)``."""
    lam = _loadings(block)
    measured = np.any(np.isnan(lam) | (lam != 0.0), axis=0)
    latent = np.array([name not in block.observed for name in block.eta], dtype=bool)
    return np.asarray(latent & ~measured)
