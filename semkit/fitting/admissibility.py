"""Solutions that no population can have: negative variances, correlations beyond one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from semkit.errors import Note
from semkit.estimate.layout import PSI, THETA, Block, Layout
from semkit.model import ParameterTable

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]

_Z = 1.959963984540054


def boundary_pvalue(estimate: float, se: float) -> float:
    """p of a variance of 0 against one below 0: ``chi-bar-square = 1/2 chi2(0) + 1/2 chi2(1)`` of ``(est / se)^2``.

    Parameters
    ----------
    estimate, se : float
        For a positive estimate the test has nothing against the boundary: p is 1.

    References
    ----------
    Self & Liang (1987), Journal of the American Statistical Association 82, 605-610, case 5; Kolenikov & Bollen
    (2012), Sociological Methods & Research 41, 124-167 (tests of negative variances).

    Examples
    --------
    >>> round(boundary_pvalue(-1.6448536, 1.0), 6)
    0.05
    """
    if not se > 0.0:
        return float("nan")
    return 1.0 if estimate >= 0.0 else float(0.5 * erfc(-estimate / se / np.sqrt(2.0)))


def variance_places(table: ParameterTable, layout: Layout) -> list[tuple[int, int]]:
    """Row and place in the parameter vector of every variance that is estimated, or follows from estimates."""
    places = [(int(row), int(table.unique[k])) for k, row in enumerate(table.free_rows)]
    places += [(int(row), table.n_unique + k) for k, row in enumerate(layout.follower_rows)]
    return [(row, at) for row, at in places if table.op[row] == "~~" and table.lhs[row] == table.rhs[row]]


def _suffix(solution: Solution, g: int) -> str:
    return f" (group {solution.table.groups[g]})" if solution.table.n_groups > 1 else ""


def variances(solution: Solution) -> list[Note]:
    """Heywood cases: which variance is negative, its interval, whether chance explains it, the likely cause."""
    table, notes = solution.table, []
    for row, at in variance_places(table, solution.layout):
        value = float(solution.theta[at])
        if value >= -1e-10:
            continue
        spread = float(solution.vcov[at, at]) if solution.converged else float("nan")
        se = float(np.sqrt(spread)) if spread > 0.0 else float("nan")
        p = boundary_pvalue(value, se)
        if np.isfinite(p):
            figures = (f"{value:.4g}, 95 % interval {value - _Z * se:.4g} to {value + _Z * se:.4g}; boundary test: "
                       f"chi-bar-square {(value / se) ** 2:.3g}, {'p < .001' if p < 0.001 else f'p = {p:.3f}'}")
        else:
            figures = f"{value:.4g}, without a standard error"
        cause, remedy = _heywood(solution, row, p)
        notes.append(Note("fitting.negative-variance", "error", f"the estimated variance is negative ({figures}).",
                          f"{table.lhs[row]} ~~ {table.rhs[row]}{_suffix(solution, int(table.block[row]) - 1)}",
                          cause, remedy))
    return notes


def _heywood(solution: Solution, row: int, p: float) -> tuple[str, str]:
    """Likely cause and remedy of a negative variance."""
    table, name = solution.table, solution.table.lhs[row]
    if np.isnan(p):
        return ("It has no standard error (no minimum, or not identified): whether it is chance cannot be said.",
                "Look at the other notes first; read nothing into the size of this variance.")
    here = [i for i in range(len(table)) if table.op[i] == "=~" and table.block[i] == table.block[row]]
    if name in table.variables.lv:
        if p < 0.05:
            return (f"More than chance: the indicators of {name} hang together negatively or not at all.",
                    "Look at their correlations and for items that were not reversed.")
        return (f"{name} hardly varies, or what predicts it explains all of it: within chance of 0.",
                "Drop what the factor does not need; a variance within its error of 0 may be fixed at 0.")
    factors = [table.lhs[i] for i in here if table.rhs[i] == name]
    few = [f for f in factors if sum(table.lhs[i] == f for i in here) <= 2]
    if few:
        return (f"The factor {few[0]} has two indicators only: their loadings rest on its covariances with others.",
                "Make the two loadings equal, or add an indicator.")
    if p < 0.05:
        return ("More than chance: the model does not hold for this column (it shares something with another column "
                "that the model leaves out, or measures something else), or a few odd respondents make it so.",
                "Look at modification_indices() and at outlying respondents; do not just fix the variance at 0.")
    nobs = round(solution.moments[int(table.block[row]) - 1].nobs)
    return (f"Within chance of 0 at N = {nobs}: the column is almost the factor itself, or the sample is small.",
            "Fix the variance at 0, estimate with bounds, or use more respondents or indicators.")


def correlations(solution: Solution) -> list[Note]:
    """Latent correlations beyond one (which pair), residual ones, and latent matrices that cannot be."""
    notes: list[Note] = []
    for g, (block, implied) in enumerate(zip(solution.layout.blocks, solution.implied, strict=True)):
        latent = [k for k, name in enumerate(block.eta) if name in solution.table.variables.lv]
        cov = implied.eta_cov[0][np.ix_(latent, latent)]
        if not np.all(np.isfinite(cov)):
            continue
        names = [block.eta[k] for k in latent]
        pairs = beyond_one(cov)
        notes += [_latent_pair(names[i], names[j], r, _suffix(solution, g)) for i, j, r in pairs]
        own = np.diagonal(implied.matrices.psi[0])[latent]
        if latent and not pairs and np.all(own >= -1e-10):  # a negative variance has a note of its own
            values, vectors = np.linalg.eigh(cov)
            if values[0] < -1e-8 * np.abs(cov).max():
                notes.append(_not_positive_definite(names, vectors[:, 0], _suffix(solution, g)))
        notes += _residual_pairs(solution, g, block, {frozenset((names[i], names[j])) for i, j, _ in pairs})
    return notes


def beyond_one(cov: FloatArray) -> list[tuple[int, int, float]]:
    """Pairs with positive variances whose correlation is beyond one: positions and correlation."""
    out = []
    for i in range(len(cov)):
        for j in range(i):
            scale = cov[i, i] * cov[j, j]
            if cov[i, i] > 0.0 and cov[j, j] > 0.0 and cov[i, j] ** 2 > scale * (1.0 + 1e-8):
                out.append((j, i, float(cov[i, j] / np.sqrt(scale))))
    return out


def _latent_pair(a: str, b: str, r: float, suffix: str) -> Note:
    return Note(
        "fitting.latent-correlation", "error", f"the estimated correlation is {r:.3f}.", f"{a} ~~ {b}{suffix}",
        "The two factors are hardly distinct in these data, or their indicators share something that the model puts "
        "into the correlation (common wording, cross-loadings).",
        "Look at the indicators of both; join the two into one factor, or model what their indicators share.",
    )


def _not_positive_definite(names: list[str], vector: FloatArray, suffix: str) -> Note:
    weight = np.abs(vector)
    involved = ", ".join(names[k] for k in np.flatnonzero(weight > 0.1 * weight.max()))
    return Note(
        "fitting.latent-covariance-not-positive-definite", "error",
        "the covariance matrix of the latent variables is not positive definite.", involved + suffix,
        "No single correlation is beyond one, but one of these is more than a linear function of the others.",
        "Look at their correlations; join or drop one.",
    )


def _residual_pairs(solution: Solution, g: int, block: Block, known: set[frozenset[str]]) -> list[Note]:
    """Free covariances of residuals beyond what their variances allow."""
    table, matrices, notes = solution.table, solution.implied[g].matrices, []
    cells = block.free
    for c in np.flatnonzero(((cells.kind == PSI) | (cells.kind == THETA)) & (cells.row != cells.col)):
        matrix = (matrices.psi if cells.kind[c] == PSI else matrices.theta)[0]
        i, j = int(cells.row[c]), int(cells.col[c])
        row = int(cells.table_row[c])
        found = beyond_one(matrix[np.ix_([i, j], [i, j])])
        if {table.lhs[row], table.rhs[row]} & set(solution.options.auxiliary):
            continue  # what a saturated correlate shares with a factor stands in its covariances with residuals
        if found and frozenset((table.lhs[row], table.rhs[row])) not in known:
            notes.append(Note(
                "fitting.residual-correlation", "error",
                f"the estimated correlation of the residuals is {found[0][2]:.3f}.",
                f"{table.lhs[row]} ~~ {table.rhs[row]}{_suffix(solution, g)}",
                "The covariance takes up more than the two residuals have: the columns share more with each other than "
                "with their factors.",
                "Let them share a factor of their own, or leave one of the two out.",
            ))
    return notes
