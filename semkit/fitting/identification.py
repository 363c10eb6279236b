"""Which parameters the data do not determine one by one: the null space of the information."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note
from semkit.estimate.implied import imply, jacobian
from semkit.estimate.layout import LAMBDA, PSI

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NULL = 1e-9  # eigenvalues of the scaled information below this share of the largest count as zero


def identification(solution: Solution) -> list[Note]:
    """Notes on parameters that can be traded for each other, one note a set of them."""
    notes = []
    if solution.df < 0 and solution.by_moments:
        notes.append(Note("fitting.negative-df", "error", f"{-solution.df} more parameters than moments.",
                          cause="No data can determine them all.",
                          remedy="Free fewer parameters, or add indicators."))
    sets = confounded(solution.expected, solution.basis)
    if not sets:
        return notes
    table = solution.table
    first = {int(u): int(row) for u, row in reversed(list(zip(table.unique, table.free_rows, strict=True)))}
    for involved in sets:
        by_model = structural(solution, involved)
        if not by_model and not solution.converged:
            continue  # where an estimation broke off says nothing of the model
        names = ", ".join(table.names[first[int(k)]] for k in involved[:8])
        names += f" and {len(involved) - 8} more" if len(involved) > 8 else ""
        if by_model:
            cause, remedy = _reason(solution, involved)
            notes.append(Note("fitting.not-identified", "error",
                              "the data do not determine these parameters one by one.", names, cause, remedy))
        else:
            notes.append(Note(
                "fitting.empirically-not-identified", "error",
                "these data do not determine these parameters one by one, though others could.", names,
                "Something the model leans on is zero here, for example the correlation of a factor of two indicators "
                "with all else, or the loading of a marker.",
                "Make the two loadings equal, take another marker, or add an indicator.",
            ))
    return notes


def confounded(information: FloatArray, basis: FloatArray) -> list[IntArray]:
    """Sets of parameters that can be traded for each other without changing the fit.

    The null space of the information along ``basis``, in units that make its diagonal one, is projected on:
    parameters ``i`` and ``j`` belong together when ``P_ij`` is not zero.

    Parameters
    ----------
    information : ndarray (q, q)
    basis : ndarray (q, r)
        Directions that constraints allow.
    """
    inner = basis.T @ information @ basis
    if inner.size == 0 or not np.all(np.isfinite(inner)):
        return []
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(inner), 1e-300))
    values, vectors = np.linalg.eigh(inner * scale[:, None] * scale[None, :])
    null = values <= _NULL * values[-1]
    if not null.any():
        return []
    directions = basis @ (scale[:, None] * vectors[:, null])
    diagonal = np.diagonal(information)
    size = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    root, values, _ = np.linalg.svd(size[:, None] * directions, full_matrices=False)
    root = root[:, values > 1e-8 * values[0]]
    projector = root @ root.T
    share = np.sqrt(np.maximum(np.diagonal(projector), 0.0))
    open_ones = [int(k) for k in np.flatnonzero(share > 0.1 * share.max())]
    out = []
    while open_ones:
        part, front = [], [open_ones.pop(0)]
        while front:
            k = front.pop()
            part.append(k)
            near = [j for j in open_ones if abs(projector[k, j]) > 0.01]
            open_ones = [j for j in open_ones if j not in near]
            front += near
        out.append(np.array(sorted(part), dtype=np.int64))
    return out


def structural(solution: Solution, involved: IntArray) -> bool:
    """Whether the model itself confounds these parameters: their derivatives depend on each other at any values.

    The rank of the derivatives of all moments by these parameters is taken at three random points; a model that is
    identified almost everywhere has full rank there (Wald 1950; Bekker, Merckens & Wansbeek 1994, ch. 2).
    """
    generator = np.random.default_rng(1)
    theta = np.where(np.isfinite(solution.theta), solution.theta, 1.0)
    typical = float(np.median(np.abs(theta))) or 1.0
    constraints = solution.constraints
    for _ in range(3):
        point = generator.uniform(0.5, 1.5, theta.shape) * np.clip(np.abs(theta), 0.2 * typical, 5.0 * typical)
        rows = []
        for block in solution.layout.blocks:
            with np.errstate(all="ignore"):
                by_cov, by_mean = jacobian(block, imply(block, point[None], solution.given[:1]))
            low = np.tril_indices(block.p)
            cells = np.column_stack([by_mean[0], by_cov[0][:, low[0], low[1]]])
            slopes = np.zeros((cells.shape[1], len(theta)))
            np.add.at(slopes.T, block.free.source, cells)
            rows.append(slopes)
        if constraints is not None:
            q = constraints.layout.n_parameters
            slopes = np.zeros((int(constraints.equality.sum()), len(theta)))
            slopes[:, :q] = constraints.evaluate(point[None, :q], np.arange(1))[1][0][constraints.equality]
            rows.append(slopes)
        part = np.vstack(rows)[:, involved]
        length = np.linalg.norm(part, axis=0)
        if not np.all(np.isfinite(length)):
            continue
        values = np.linalg.svd(part / np.where(length > 0.0, length, 1.0), compute_uv=False)
        if not np.any(length == 0.0) and len(values) == len(involved) and values[-1] > 1e-8 * values[0]:
            return False
    return True


def _reason(solution: Solution, involved: IntArray) -> tuple[str, str]:
    """Likely cause and remedy from what the confounded parameters are."""
    table = solution.table
    for g, block in enumerate(solution.layout.blocks):
        for j, name in enumerate(block.eta):
            if name not in table.variables.lv:
                continue
            own = [i for i in range(len(table)) if table.op[i] == "=~" and table.lhs[i] == name
                   and table.block[i] == g + 1]
            cells = block.free
            touched = ((cells.kind == LAMBDA) & (cells.col == j)) | (
                (cells.kind == PSI) & (cells.row == j) & (cells.col == j))
            if not set(cells.source[touched].tolist()) & set(involved.tolist()):
                continue
            variance = table.find(name, "~~", name, g + 1)
            scaled = any(table.free[i] == 0 and table.value[i] != 0.0 for i in own)
            if not scaled and own and variance is not None and table.free[variance] > 0:
                return (f"The factor {name} has no scale: all its loadings and its variance are free.",
                        "Fix one loading at 1, or the variance at 1 (std_lv=True).")
            if len(own) == 1:
                return (f"The factor {name} has one indicator: its variance and the residual's are one number.",
                        "Fix the residual variance, for example at (1 - reliability) times the indicator's variance.")
            if len(own) == 2:
                return (f"The factor {name} has two indicators and nothing else to lean on.",
                        "Make the two loadings equal, let the factor correlate with others, or add an indicator.")
    return ("They can be traded for each other without changing the fit (a factor without scale, too few indicators, "
            "or too many covariances and paths between the same variables).",
            "Fix one of them, for example a loading at 1 or a covariance at 0, or add indicators.")
