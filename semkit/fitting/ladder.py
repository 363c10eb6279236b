"""The ladder of starting vectors: each is made and tried only when those before it led nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import Observed
from semkit.estimate.expressions import make_constraints
from semkit.estimate.layout import PSI, THETA, Layout, make_layout
from semkit.estimate.optimise import LikelihoodObjective
from semkit.estimate.start import starting_values
from semkit.fitting.bounds import bounded
from semkit.model import ParameterTable
from semkit.numerics.newton import minimise

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def starts(
    table: ParameterTable, layout: Layout, observed: tuple[Observed, ...], given: FloatArray, own: FloatArray | None
) -> Iterator[FloatArray]:
    """Starting vectors ``(1, q)`` in the order in which they are tried.

    The user's values; instrumental variables; the solution with factor variances of 1, put back into the units of the
    markers; solutions within bounds, from instrumental variables and from loadings of 1; loadings of 1, with small
    factor variances and with large ones; three vectors near the first.

    Parameters
    ----------
    table, layout : ParameterTable, Layout
    observed : tuple of Observed
    given : ndarray (1, d)
    own : ndarray (q,) or None
        The user's values, NaN where there is none.
    """
    plain = tuple((data.cov[0], data.mean[0]) for data in observed)
    whole = own is not None and bool(np.isfinite(own).all())
    if own is not None and whole:
        yield own[None]
    first = starting_values(table, layout, plain)
    if own is not None and not whole:
        yield np.where(np.isfinite(own), own, first)[None]
    yield first[None]
    simple = starting_values(table, layout, plain, simple=True)
    makers: tuple[Callable[[], FloatArray | None], ...] = (
        lambda: unmarked(table, observed, given), lambda: inside(table, layout, observed, given, first),
        lambda: inside(table, layout, observed, given, simple),
    )  # fmt: skip
    for make in makers:
        vector = make()
        if vector is not None:
            yield vector[None]
    yield _small(layout, simple, plain)[None]
    yield simple[None]
    for seed in range(3):
        yield _disturbed(first, plain, seed)[None]


def variance_parameters(table: ParameterTable) -> IntArray:
    """Parameters that are variances."""
    rows = [k for k, row in enumerate(table.free_rows) if table.op[row] == "~~" and table.lhs[row] == table.rhs[row]]
    return np.unique(table.unique[rows]) if rows else np.zeros(0, dtype=np.int64)


def inside(
    table: ParameterTable, layout: Layout, observed: tuple[Observed, ...], given: FloatArray, start: FloatArray
) -> FloatArray | None:
    """The complete-data solution within bounds ``(q,)``, a start from which the nearest minimum is found; or None.

    Where loadings and variances of a factor may run away together, a solution inside the region that makes sense is
    often near a minimum that is finite.

    References
    ----------
    De Jonckere & Rosseel (2022), Structural Equation Modeling 29, 412-427.
    """
    limited = bounded(table, "standard", tuple(data.cov[0] for data in observed))
    constraints = make_constraints(limited, layout, given)
    objective = LikelihoodObjective(layout, observed, given)
    with np.errstate(all="ignore"):
        found = minimise(objective, start[None], constraints=constraints, max_iterations=60)
    return found.x[0] if np.isfinite(found.x).all() and np.isfinite(found.f).all() else None


def _small(layout: Layout, start: FloatArray, plain: tuple[tuple[FloatArray, FloatArray], ...]) -> FloatArray:
    """A start with hardly any common variance and nothing related; residuals have half of each variance."""
    out = start.copy()
    for block, (cov, _) in zip(layout.blocks, plain, strict=True):
        cells, own = block.free, block.free.row == block.free.col
        size = float(np.mean(np.diagonal(cov)))
        psi, theta = cells.kind == PSI, cells.kind == THETA
        out[cells.source[psi]] = np.where(own[psi], 0.05 * size, 0.0)
        out[cells.source[theta]] = np.where(own[theta], 0.5 * np.diagonal(cov)[cells.row[theta]], 0.0)
    return out


def _disturbed(start: FloatArray, plain: tuple[tuple[FloatArray, FloatArray], ...], seed: int) -> FloatArray:
    """A start near the first one; the generator is fixed so that a fit is a function of its input."""
    generator = np.random.default_rng(seed)
    spread = 0.2 * np.maximum(np.abs(start), 0.1 * np.sqrt(np.mean(np.diagonal(plain[0][0]))))
    return np.asarray(start + spread * generator.standard_normal(start.shape))


def _marked(table: ParameterTable) -> dict[tuple[str, int], tuple[int, int]]:
    """Rows of marker and variance of every latent with one fixed loading and a free variance, by (name, block)."""
    out = {}
    shared = {label for label in table.label if label and table.label.count(label) > 1}
    for g in range(1, table.n_groups + 1):
        for name in table.variables.lv:
            variance = table.find(name, "~~", name, g)
            markers = [i for i in range(len(table)) if table.op[i] == "=~" and table.lhs[i] == name
                       and table.block[i] == g and table.free[i] == 0 and table.value[i] != 0.0]
            if variance is not None and len(markers) == 1 and table.free[variance] > 0 and (
                table.label[variance] not in shared and np.isfinite(table.value[markers[0]])
            ):
                out[name, g] = (markers[0], variance)
    return out


def unmarked(table: ParameterTable, observed: tuple[Observed, ...], given: FloatArray) -> FloatArray | None:
    """The complete-data solution with factor variances of 1 instead of markers, in the markers' units, ``(q,)``.

    A marker whose loading is near zero makes a factor's variance vanish and its other loadings grow without end on the
    way to a solution that is near in these units.  None where it does not apply (constraints, no markers) or fails.
    """
    marked = _marked(table)
    if not marked or table.equalities or table.inequalities:
        return None
    free, value = table.free.copy(), table.value.copy()
    for marker, variance in marked.values():
        free[marker], value[marker] = 1, np.nan
        free[variance], value[variance] = 0, 1.0
    at = np.flatnonzero(free > 0)
    free[at] = np.arange(1, len(at) + 1)
    other = table.replace(free=free, value=value, lower=np.full(len(table), -np.inf), upper=np.full(len(table), np.inf))
    layout = make_layout(other)
    plain = tuple((data.cov[0], data.mean[0]) for data in observed)
    objective = LikelihoodObjective(layout, observed, given)
    with np.errstate(all="ignore"):
        found = minimise(objective, starting_values(other, layout, plain)[None], max_iterations=100)
    if not found.converged[0]:
        return None
    number = np.array(value)
    number[other.free_rows] = found.x[0][other.unique]
    unit = {key: number[marker] / table.value[marker] for key, (marker, _) in marked.items()}
    if not all(abs(k) > 1e-8 for k in unit.values()):
        return None
    out = np.zeros(table.n_unique)
    for k, row in enumerate(table.free_rows):
        g = int(table.block[row])
        left, right = unit.get((table.lhs[row], g), 1.0), unit.get((table.rhs[row], g), 1.0)
        by = {"=~": right / left, "~": left / right, "~~": left * right, "~1": left}[table.op[row]]
        out[table.unique[k]] = number[row] * by
    return out
