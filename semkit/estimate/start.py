"""Starting values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.composites import composite_starts
from semkit.estimate.layout import ALPHA, BETA, LAMBDA, NU, PSI, THETA, Block, Layout
from semkit.model import ParameterTable

FloatArray = NDArray[np.float64]


def starting_values(
    table: ParameterTable, layout: Layout, moments: tuple[tuple[FloatArray, FloatArray], ...], *, simple: bool = False
) -> FloatArray:
    """One starting vector ``(q,)``.

    Loadings by instrumental variables within a factor's own indicators
    (``lambda_j = sum_k s_jk s_1k / sum_k s_1k^2``), factor variances from the same products,
    residuals from what is left; covariances of the factors from those of their indicators' weighted sums, slopes by
    least squares on them; the user's ``start()`` values win.

    Parameters
    ----------
    table : ParameterTable
    layout : Layout
    moments : tuple of (cov (p, p), mean (p,)), one a group
    simple : bool
        Loadings 1, half of each variance to the residual, nothing related: the second try after a failure.

    References
    ----------
    Hagglund (1982), Psychometrika 47, 209-222 (FABIN estimators).
    """
    theta = np.zeros(layout.n_parameters)
    composite: dict[int, float] = {}
    for g, (block, (cov, mean)) in enumerate(zip(layout.blocks, moments, strict=True), start=1):
        loading, variance = _factor_start(block, cov, simple)
        if "<~" in table.op:
            values, columns = composite_starts(table, g, block, cov, mean)
            composite |= values
            for name, (column, size) in columns.items():
                loading[:, block.eta.index(name)], variance[block.eta.index(name)] = column, size
        scale = _scale(block, variance)
        _fill(block, theta, cov, mean, loading, variance, scale)
        if not simple:
            _relate(block, theta, cov, loading, variance, scale)
    for k, row in enumerate(table.free_rows if composite else ()):
        if int(row) in composite:
            theta[table.unique[k]] = composite[int(row)]
    own = table.start[table.free_rows]
    wanted = np.isfinite(own)
    theta[table.unique[wanted]] = own[wanted]
    lower, upper = table.lower[table.free_rows], table.upper[table.free_rows]
    if np.isfinite(lower).any() or np.isfinite(upper).any():
        np.maximum.at(theta, table.unique, lower)
        np.minimum.at(theta, table.unique, upper)
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
    pattern = np.isnan(loading) | (loading != 0.0)
    count = pattern.sum(axis=0)
    alone = np.flatnonzero(count == 1)
    if len(alone):
        at = pattern.argmax(axis=0)[alone]
        unit_alone = np.where(np.isnan(loading[at, alone]), 1.0, loading[at, alone])
        loading[at, alone], variance[alone] = unit_alone, np.diagonal(cov)[at] / unit_alone**2
    many = np.flatnonzero(count > 1)
    if len(many):
        _several(loading, variance, pattern, many, cov, simple)
    return loading, variance


def _several(
    loading: FloatArray, variance: FloatArray, pattern: NDArray[np.bool_], many: NDArray[np.int64], cov: FloatArray,
    simple: bool,
) -> None:
    """Fill in loadings and variances of the factors ``many``, those with several indicators, all at once."""
    held, own = pattern[:, many], loading[:, many]
    fixed = held & ~np.isnan(own)
    marker = np.where(fixed.any(axis=0), fixed.argmax(axis=0), held.argmax(axis=0))
    each = np.arange(len(many))
    unit = np.where(np.isnan(own[marker, each]), 1.0, own[marker, each])
    ratio = np.where(held, _ratios(cov, held, marker, simple), 0.0)
    ratio[marker, each] = 1.0
    total = np.diagonal(cov)[marker]
    share = 0.5 * total
    if not simple:
        share = np.minimum(np.maximum(_common(cov, ratio, held), 0.15 * total), 0.85 * total)
    variance[many] = share / unit**2
    loading[:, many] = np.where(held & np.isnan(own), ratio * unit, own)


def _ratios(cov: FloatArray, held: NDArray[np.bool_], marker: NDArray[np.int64], simple: bool) -> FloatArray:
    """Loadings relative to the marker's, ``(p, f)``; by standard deviations where the others do not say."""
    sd = np.sqrt(np.diagonal(cov))
    plain = sd[:, None] / sd[marker]
    if simple:
        return plain
    off = cov.copy()
    np.fill_diagonal(off, 0.0)
    first = off[:, marker] * held
    square = first**2
    top, bottom = off @ first, square.sum(axis=0) - square
    with np.errstate(divide="ignore", invalid="ignore"):
        found = top / bottom
        usable = (bottom > 0) & (np.abs(found) > 0.1 * plain) & (held.sum(axis=0) >= 3)
    return np.where(usable, np.minimum(np.maximum(found, -5.0 * plain), 5.0 * plain), plain)


def _common(cov: FloatArray, ratio: FloatArray, held: NDArray[np.bool_]) -> FloatArray:
    """Median of what every pair of indicators says the marker's common variance is, ``(f,)``."""
    at = np.arange(len(cov))
    rows, cols = np.nonzero(at[:, None] > at)
    pair = held[rows] & held[cols]
    with np.errstate(divide="ignore", invalid="ignore"):
        says = np.sort(np.where(pair, cov[rows, cols][:, None] / (ratio[rows] * ratio[cols]), np.inf), axis=0)
    count, each = pair.sum(axis=0), np.arange(held.shape[1])
    return np.asarray(0.5 * (says[(count - 1) // 2, each] + says[count // 2, each]))


def _fill(
    block: Block, theta: FloatArray, cov: FloatArray, mean: FloatArray, loading: FloatArray, variance: FloatArray,
    scale: FloatArray,
) -> None:
    cells = block.free
    known = np.isfinite(variance)
    if not known.all():
        variance = np.where(known, variance, 0.5 * np.mean(variance[known]) if known.any() else 1.0)
    lam = np.where(np.isnan(loading), 0.0, loading)
    common = lam**2 @ variance
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


def _scale(block: Block, variance: FloatArray) -> FloatArray:
    """Standard deviations, ``(m,)``, of what has its own variance fixed (``std_lv``); else 1."""
    cells, has_psi = block.free, np.diagonal(_fixed(block, PSI))
    fixed = has_psi > 0
    for some in (cells, block.given):
        fixed[some.row[(some.kind == PSI) & (some.row == some.col)]] = False
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(np.where(fixed & (variance > 0), variance / has_psi, 1.0)))


def _relate(
    block: Block, theta: FloatArray, cov: FloatArray, loading: FloatArray, variance: FloatArray, scale: FloatArray
) -> None:
    """Start covariances and slopes among what has indicators: ``w'Sw`` with ``w_j = lambda_j / lambda_j'lambda_j``.

    Correlations are kept under .9 and drawn together until the smallest eigenvalue of their matrix is .1.
    """
    cells = block.free
    lam = np.where(np.isnan(loading), 0.0, loading)
    measured = np.isfinite(variance) & (variance > 0) & np.any(lam != 0.0, axis=0)
    own = cells.row == cells.col
    pairs = np.flatnonzero((cells.kind == PSI) & ~own)
    slopes = np.flatnonzero(cells.kind == BETA)
    caused = np.zeros(block.m, dtype=bool)
    caused[cells.row[slopes]] = True
    pairs, slopes = (at[measured[cells.row[at]] & measured[cells.col[at]]] for at in (pairs, slopes))
    if not len(pairs) + len(slopes):
        return
    sd = np.sqrt(np.where(measured, variance, 1.0))
    weight = lam / np.where(measured, np.sum(lam**2, axis=0), 1.0) / sd
    r = np.maximum(np.minimum(weight.T @ cov @ weight, 0.9), -0.9) * measured[:, None] * measured
    np.fill_diagonal(r, 1.0)
    lowest = float(np.linalg.eigvalsh(r)[0])
    if lowest < 0.1:
        r *= 0.9 / (1.0 - lowest)
        np.fill_diagonal(r, 1.0)
    sd = sd / scale
    both = pairs[~caused[cells.row[pairs]] & ~caused[cells.col[pairs]]]
    theta[cells.source[both]] = (r * sd[:, None] * sd)[cells.row[both], cells.col[both]]
    for a in set(cells.row[slopes].tolist()):
        mine = slopes[cells.row[slopes] == a]
        b = cells.col[mine]
        by = np.linalg.solve(r[b[:, None], b], r[b, a])
        theta[cells.source[mine]] = by * sd[a] / sd[b]
        left = cells.source[(cells.kind == PSI) & own & (cells.row == a)]
        theta[left] = theta[left] * max(1.0 - float(by @ r[b, a]), 0.1)


def _fixed(block: Block, kind: int) -> FloatArray:
    size = {BETA: block.m, PSI: block.m, THETA: block.p}[kind]
    return block.fixed[block.offsets[kind] : block.offsets[kind + 1]].reshape(size, size)


def _higher(block: Block) -> NDArray[np.bool_]:
    """Which of eta are latent without an indicator of their own: their slopes are loadings, ``(m,)``."""
    lam = _loadings(block)
    measured = np.any(np.isnan(lam) | (lam != 0.0), axis=0)
    latent = np.array([name not in block.observed for name in block.eta], dtype=bool)
    return np.asarray(latent & ~measured)
