"""Model-implied variances of every variable, with derivatives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.implied import Implied, frame
from semkit.estimate.layout import BETA, PSI, Block

FloatArray = NDArray[np.float64]


def variances(
    block: Block, implied: Implied, *, slopes: bool = True, pick: tuple[int, ...] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Total variances of the observed variables and of eta, and their derivatives by the free cells.

    With ``C = A Psi A'``: ``dVar(y_i) = 2 s u_i v_i``; ``dVar(eta_j)`` is ``2 A_ja C_bj`` for ``beta_ab`` and
    ``2 s A_ja A_jb`` for ``psi_ab`` (``s`` is 1/2 on the diagonal).

    Parameters
    ----------
    pick : tuple of int, optional
        Positions among the ``p + m`` variables; all by default.

    Returns
    -------
    variance : ndarray (B, p + m)
    slope : ndarray (B, p + m, c)
    """
    cells, p = block.free, block.p
    batch = implied.sigma.shape[0]
    if pick is not None:
        return _picked(block, implied, pick)
    variance = np.concatenate(
        [np.diagonal(implied.sigma, axis1=1, axis2=2), np.diagonal(implied.eta_cov, axis1=1, axis2=2)], axis=1
    )
    if not slopes:
        return variance, np.zeros((batch, p + block.m, 0))
    u, v, scale = block.factors
    columns = frame(block, implied)
    slope = np.zeros((batch, p + block.m, len(cells)))
    slope[:, :p] = 2.0 * scale * columns[:, :, u] * columns[:, :, v]
    beta, psi = np.flatnonzero(cells.kind == BETA), np.flatnonzero(cells.kind == PSI)
    a, cov = implied.a, implied.eta_cov
    slope[:, p:, beta] = 2.0 * a[:, :, cells.row[beta]] * cov[:, :, cells.col[beta]]
    slope[:, p:, psi] = 2.0 * scale[psi] * a[:, :, cells.row[psi]] * a[:, :, cells.col[psi]]
    return variance, slope


def _picked(block: Block, implied: Implied, pick: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Variances of a few variables; those of eta need no observed column."""
    cells, p, batch = block.free, block.p, implied.sigma.shape[0]
    variance = np.empty((batch, len(pick)))
    slope = np.zeros((batch, len(pick), len(cells)))
    beta, psi = np.flatnonzero(cells.kind == BETA), np.flatnonzero(cells.kind == PSI)
    u, v, scale = block.factors
    for k, at in enumerate(pick):
        if at >= p:
            j = at - p
            a, cov = implied.a[:, j], implied.eta_cov[:, j]
            variance[:, k] = cov[:, j]
            slope[:, k, beta] = 2.0 * a[:, cells.row[beta]] * cov[:, cells.col[beta]]
            slope[:, k, psi] = 2.0 * scale[psi] * a[:, cells.row[psi]] * a[:, cells.col[psi]]
        else:
            row = frame(block, implied)[:, at]
            variance[:, k] = implied.sigma[:, at, at]
            slope[:, k] = 2.0 * scale * row[:, u] * row[:, v]
    return variance, slope


def deviations(
    block: Block, implied: Implied, n_parameters: int, names: tuple[str, ...] | None = None
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Standard deviations by variable name ``(B,)`` and their derivatives by the parameters ``(B, q)``.

    With ``n_parameters=0`` the derivatives are empty; ``names`` asks for some variables only.

    A variable with a variance that is not positive has NaN.
    """
    known = block.observed + block.eta
    # an observed variable in eta stands in both lists; its second entry is the cheaper one
    pick = None if names is None else tuple(len(known) - 1 - known[::-1].index(name) for name in names)
    variance, slope = variances(block, implied, slopes=n_parameters > 0, pick=pick)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(np.where(variance > 0.0, variance, np.nan))
        by_cell = slope / (2.0 * sd[..., None])
    by_parameter = np.zeros((sd.shape[0], sd.shape[1], n_parameters))
    if n_parameters:
        if block.single:
            by_parameter[:, :, block.free.source] = by_cell
        else:
            np.add.at(np.moveaxis(by_parameter, -1, 0), block.free.source, np.moveaxis(by_cell, -1, 0))
    order = {name: k for k, name in enumerate(known if names is None else names)}
    return ({name: sd[:, k] for name, k in order.items()}, {name: by_parameter[:, k] for name, k in order.items()})
