"""Two-stage estimation with missing values: saturated moments by EM, then complete-data maximum likelihood on them.

Errors and tests count the uncertainty of the first stage.  With ``Gamma`` the covariance matrix (times N) of the
saturated means and covariances, ``W`` the normal-theory weight of complete data at them and ``D`` the derivatives of
the model's moments,

- ``N Var = (D'WD)^-1 D'W Gamma W D (D'WD)^-1``
- the test is divided by ``tr(U Gamma) / df``, ``U = W - W D (D'WD)^-1 D'W``.

``two.stage``: ``Gamma`` is the inverse observed information of the saturated model (normal data);
``robust.two.stage``: its sandwich.

References
----------
Savalei & Bentler (2009), Structural Equation Modeling 16, 477-497; Savalei & Falk (2014), Structural Equation
Modeling 21, 280-302 (robust); Yuan & Bentler (2000), Sociological Methodology 30, 165-200.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.fiml import saturated_information, saturated_scores
from semkit.estimate.information import invert
from semkit.estimate.layout import Layout, make_layout
from semkit.fitting.gaps import complete_weight, moment_slopes
from semkit.numerics.em import make_patterns
from semkit.sample.arrays import GroupMoments

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]


def first_stage(
    data: tuple[FloatArray, ...], moments: tuple[GroupMoments, ...], keep: int, *, robust: bool
) -> tuple[FloatArray, ...]:
    """``Gamma`` of each group for the first ``keep`` variables (means, then the lower triangle row by row).

    Parameters
    ----------
    data : tuple of ndarray (n, p)
        With NaN; auxiliary variables come last.
    moments : tuple of GroupMoments
        Saturated moments of all ``p`` variables.
    keep : int
    robust : bool
    """
    out = []
    for part, own in zip(data, moments, strict=True):
        mean, cov = own.mean[0], own.cov[0]
        information = saturated_information(make_patterns(part), mean, cov, exact=True)
        gamma = np.linalg.inv(information)
        if robust:
            s = saturated_scores(part, mean, cov)
            gamma = gamma @ (s.T @ s / len(s)) @ gamma
        p = len(mean)
        rows, _ = np.tril_indices(p)
        at = np.concatenate([np.arange(keep), p + np.flatnonzero(rows < keep)])
        out.append(np.asarray(gamma[np.ix_(at, at)]))
    return tuple(out)


def leading(moments: tuple[GroupMoments, ...], keep: int) -> tuple[GroupMoments, ...]:
    """Moments of the first ``keep`` variables."""
    return tuple(
        GroupMoments(part.mean[:, :keep], part.cov[:, :keep, :keep], part.error, part.nobs) for part in moments
    )


def _opened(solution: Solution) -> tuple[Layout, FloatArray, FloatArray]:
    """Layout, parameters and given values with the moments of fixed covariates as parameters at the end.

    What is fixed at the sample's values varies from sample to sample together with the other moments, so that it has
    to move with them; the estimates of everything else are the same either way.
    """
    table, theta = solution.table, solution.minimum.x
    rows = np.flatnonzero(table.exo & (table.free == 0))
    if not len(rows):
        return solution.layout, theta, solution.given
    free = table.free.copy()
    free[rows] = table.n_free + 1 + np.arange(len(rows))
    layout = make_layout(table.replace(free=free, exo=np.zeros(len(table), dtype=bool)))
    at = {row: k for k, row in enumerate(solution.layout.given_rows)}
    values = solution.given[:, [at[int(row)] for row in rows]]
    given = solution.given[:, [at[row] for row in layout.given_rows]]
    return layout, np.concatenate([theta, values], axis=1), given


def _widened(basis: FloatArray, size: int) -> FloatArray:
    """A basis with free directions for the parameters added at the end."""
    q, r = basis.shape
    out = np.zeros((size, r + size - q))
    out[:q, :r] = basis
    out[q:, r:] = np.eye(size - q)
    return out


def covariance(solution: Solution) -> FloatArray:
    """Covariance matrix of the different parameters, ``(q, q)``."""
    assert solution.gamma is not None
    layout, theta, given = _opened(solution)
    size, q = layout.n_parameters, solution.layout.n_parameters
    bread, meat = np.zeros((size, size)), np.zeros((size, size))
    pieces = zip(solution.weights, solution.moments, solution.gamma, moment_slopes(layout, theta, given), strict=True)
    for share, own, gamma, d in pieces:
        right = complete_weight(own.cov[0]) @ d
        bread = bread + share * d.T @ right
        meat = meat + share * right.T @ gamma @ right
    inside = invert(bread, _widened(solution.basis, size))
    return np.asarray((inside @ meat @ inside / solution.total)[:q, :q])


def trace(solution: Solution) -> float:
    """``tr(U Gamma)`` of the model."""
    assert solution.gamma is not None
    layout, theta, given = _opened(solution)
    basis = _widened(solution.equality_basis, layout.n_parameters)
    weight = [complete_weight(own.cov[0]) for own in solution.moments]
    slopes = [d @ basis for d in moment_slopes(layout, theta, given)]
    return _trace(solution.weights, weight, list(solution.gamma), slopes)


def baseline_trace(solution: Solution) -> float:
    """``tr(U Gamma)`` of the independence model; covariates are saturated among themselves."""
    assert solution.gamma is not None
    names, x = solution.table.variables.ov, set(solution.table.variables.ov_x)
    rows, cols = np.tril_indices(len(names))
    among = [a == b or {names[a], names[b]} <= x for a, b in zip(rows, cols, strict=True)]
    apart = np.eye(len(names) + len(rows))[:, np.concatenate([np.ones(len(names), dtype=bool), among])]
    return sum(_trace((1.0,), [complete_weight(own.cov[0])], [gamma], [apart])
               for own, gamma in zip(solution.moments, solution.gamma, strict=True))


def _trace(
    shares: tuple[float, ...], weight: list[FloatArray], gamma: list[FloatArray], slopes: list[FloatArray]
) -> float:
    """``sum tr(W Gamma) - tr{(sum s D'WD)^-1 sum s D'W Gamma W D}``; parameters may be shared between groups."""
    size = slopes[0].shape[1]
    bread, meat, whole = np.zeros((size, size)), np.zeros((size, size)), 0.0
    for share, w, g, d in zip(shares, weight, gamma, slopes, strict=True):
        bread = bread + share * d.T @ w @ d
        meat = meat + share * d.T @ w @ g @ w @ d
        whole += float(np.sum(w * g))
    return whole - float(np.sum(np.linalg.pinv(bread) * meat))
