"""Difference tests that correct for mean and variance: Satorra's test of a restriction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.scaling import Pieces
from semkit.estimate.weights import places
from semkit.fitting.quadratic import normal_pieces
from semkit.fitting.regressed import positions

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]


def restriction_traces(larger: Fit, restricted: Fit, same: Solution) -> tuple[float, float]:
    """``tr(U Gamma)`` and ``tr(U Gamma U Gamma)`` of the restriction that makes one model of the other.

    ``U = W D P^-1 A'(A P^-1 A')^-1 A P^-1 D'W`` at the larger model's estimates, with its derivatives ``D``,
    ``P = D'WD`` and the restriction's derivatives ``A``.  ``A`` is not asked for: with the directions ``B`` that it
    leaves, the middle is ``P^-1 - B (B'P B)^-1 B'``.  ``B`` solves ``D* B = D_0`` with the derivatives ``D_0`` of the
    restricted model and ``D*`` of the larger one *where it implies the same moments*: only there is the solution exact.
    (lavaan's default solves ``D B = D_0`` by least squares at the larger model's own estimates, which depends on the
    variables' units; its ``A.method = "exact"`` takes ``A`` from constraints and agrees.)

    Parameters
    ----------
    larger, restricted : Fit
    same : Solution
        The larger model at the moments that the restricted one implies.

    References
    ----------
    Satorra (2000), in Heijmans, Pollock & Satorra (eds), Innovations in Multivariate Statistical Analysis, 233-247.
    """
    pieces = pieces_of(larger.solution)
    there = np.concatenate(same.pieces.slopes) @ same.basis
    other = restricted.solution
    inside = np.concatenate([slope[_order(larger, restricted)] for slope in other.pieces.slopes]) @ other.basis
    by = pieces.basis.T @ (same.basis @ np.linalg.lstsq(there, inside, rcond=None)[0])
    information = pieces.basis.T @ pieces.information @ pieces.basis
    middle = np.linalg.pinv(information) - by @ np.linalg.pinv(by.T @ information @ by) @ by.T
    left = np.concatenate([np.sqrt(c) * a @ pieces.basis for c, a in zip(pieces.shares, pieces.pulled, strict=True)])
    kernel = left @ middle @ left.T
    return float(np.trace(kernel)), float(np.sum(kernel**2))


def pieces_of(solution: Solution) -> Pieces:
    """The pieces of a solution; unweighted least squares without robust errors take moments to be normal."""
    plain = solution.options.estimator == "uls" and solution.options.se != "robust.sem"
    return normal_pieces(solution) if plain else solution.pieces


def _order(larger: Fit, restricted: Fit) -> NDArray[np.int64]:
    """Where the larger model's moments stand among the restricted one's, whose variables may be in another order."""
    a, b = larger.table.variables.ov, restricted.table.variables.ov
    if larger.solution.options.conditional_x:
        return _given_order(larger, restricted)
    at = np.array([b.index(name) for name in a])
    rows, cols = places(len(a))
    number = np.zeros((len(a), len(a)), dtype=np.int64)
    number[rows, cols] = number[cols, rows] = np.arange(len(rows))
    below = number[at[rows], at[cols]]
    return np.concatenate([at, len(a) + below]) if larger.table.meanstructure else below


def _given_order(larger: Fit, restricted: Fit) -> NDArray[np.int64]:
    """The same for coefficients and residual covariances given covariates."""
    (y, x), (other_y, other_x) = positions(larger.solution), positions(restricted.solution)
    a, b = larger.table.variables.ov, restricted.table.variables.ov
    level = int(larger.table.meanstructure)
    of_y = np.array([[b[k] for k in other_y].index(a[k]) for k in y], dtype=np.int64)
    of_x = np.array([[b[k] for k in other_x].index(a[k]) for k in x], dtype=np.int64)
    width = level + len(x)
    within = np.concatenate([np.zeros(level, dtype=np.int64), level + of_x])
    rows, cols = places(len(y))
    number = np.zeros((len(y), len(y)), dtype=np.int64)
    number[rows, cols] = number[cols, rows] = np.arange(len(rows))
    first = (of_y[:, None] * width + within).ravel()
    return np.concatenate([first, len(y) * width + number[of_y[rows], of_y[cols]]])


def shifted(stat: float, df: int, traces: tuple[float, float]) -> float:
    """``a T + df - a tr(U Gamma)`` with ``a = sqrt(df / tr(U Gamma U Gamma))`` (Asparouhov & Muthen 2010)."""
    a = float(np.sqrt(df / traces[1]))
    return a * stat + df - a * traces[0]
