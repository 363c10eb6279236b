"""Effects in a system of linear equations: total, direct, and along each path."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.implied import imply
from semkit.estimate.layout import BETA, LAMBDA, Block

FloatArray = NDArray[np.float64]


def find_paths(pattern: NDArray[np.bool_], source: int, target: int, limit: int = 1000) -> list[tuple[int, ...]]:
    """Every path from ``source`` to ``target`` that visits no variable twice, shortest first.

    Parameters
    ----------
    pattern : ndarray (m, m) of bool
        ``pattern[i, j]``: j points at i.
    limit : int
        At most so many are returned.
    """
    found: list[tuple[int, ...]] = []
    waiting: list[tuple[int, ...]] = [(source,)]
    while waiting and len(found) < limit:
        following: list[tuple[int, ...]] = []
        for path in waiting:
            for step in np.flatnonzero(pattern[:, path[-1]]).tolist():
                if step == target:
                    found.append((*path, step))
                elif step not in path:
                    following.append((*path, step))
        waiting = following
    return found[:limit]


def slopes_pattern(block: Block, indicators: tuple[str, ...] = ()) -> NDArray[np.bool_]:
    """Which slopes ``(m + k, m + k)`` a block has: those of eta, then the loadings of ``k`` indicators."""
    rows = [block.observed.index(name) for name in indicators]
    size = block.m + len(rows)
    out = np.zeros((size, size), dtype=bool)
    for kind, height, place in ((BETA, block.m, {j: j for j in range(block.m)}),
                                (LAMBDA, block.p, {row: block.m + k for k, row in enumerate(rows)})):
        lo, hi = block.offsets[kind], block.offsets[kind + 1]
        pattern = (block.fixed[lo:hi] != 0.0).reshape(height, block.m)
        for cells in (block.free, block.given):
            pick = cells.kind == kind
            pattern[cells.row[pick], cells.col[pick]] = True
        for row, at in place.items():
            out[at, :block.m] = pattern[row]
    return out


def path_effects(
    block: Block, theta: FloatArray, given: FloatArray, source: int, target: int, paths: list[tuple[int, ...]],
    indicators: tuple[str, ...] = (),
) -> tuple[FloatArray, FloatArray]:
    """Total, direct, indirect effect and the effect along each path, with derivatives.

    With slopes ``B``: total ``T = (I - B)^-1 - I``, direct ``B``, indirect ``T - B``; along a path the product of its
    slopes.  ``d(I - B)^-1 = (I - B)^-1 dB (I - B)^-1``.  Indicators stand below eta: their rows of ``B`` are loadings.

    Parameters
    ----------
    theta : ndarray (B, q)
    given : ndarray (B, d)
    source, target : int
        Positions in eta, or behind it among ``indicators``.
    paths : list of tuple of int
    indicators : tuple of str
        ``k`` observed variables that only measure.

    Returns
    -------
    value : ndarray (B, 3 + k)
    slope : ndarray (B, 3 + k, q)

    References
    ----------
    Bollen (1987), Sociological Methodology 17, 37-69, eqs. 9-12; Sobel (1982), Sociological Methodology 13, 290-312.
    """
    implied = imply(block, theta, given)
    batch, q = theta.shape
    rows = [block.observed.index(name) for name in indicators]
    m, size = block.m, block.m + len(rows)
    beta, a = np.zeros((2, batch, size, size))
    beta[:, :m, :m], beta[:, m:, :m] = implied.matrices.beta, implied.matrices.lambda_[:, rows]
    a[:, :m, :m], a[:, m:, :m] = implied.a, implied.matrices.lambda_[:, rows] @ implied.a
    a[:, range(m, size), range(m, size)] = 1.0
    value, slope = np.empty((batch, 3 + len(paths))), np.zeros((batch, 3 + len(paths), q))
    value[:, 0] = a[:, target, source] - (source == target)
    value[:, 1] = beta[:, target, source]
    value[:, 2] = value[:, 0] - value[:, 1]
    cells = block.free
    free = {(int(cells.row[k]), int(cells.col[k])): int(cells.source[k]) for k in np.flatnonzero(cells.kind == BETA)}
    free |= {(m + rows.index(int(cells.row[k])), int(cells.col[k])): int(cells.source[k])
             for k in np.flatnonzero(cells.kind == LAMBDA) if int(cells.row[k]) in rows}
    for (row, col), parameter in free.items():
        slope[:, 0, parameter] += a[:, target, row] * a[:, col, source]
        if (row, col) == (target, source):
            slope[:, 1, parameter] += 1.0
    slope[:, 2] = slope[:, 0] - slope[:, 1]
    for k, path in enumerate(paths, start=3):
        steps = list(zip(path[1:], path[:-1], strict=True))
        factors = np.stack([beta[:, row, col] for row, col in steps], axis=1)
        value[:, k] = factors.prod(axis=1)
        for j, step in enumerate(steps):
            if step in free:
                slope[:, k, free[step]] += np.delete(factors, j, axis=1).prod(axis=1)
    return value, slope
