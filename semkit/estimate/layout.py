"""Where every parameter stands: the parameter table as positions in matrices.

The representation is the all-y one of LISREL: ``y = nu + Lambda eta + eps``,
``eta = alpha + B eta + zeta``, ``Cov(zeta) = Psi``, ``Cov(eps) = Theta``.  An observed variable that
predicts, is predicted or covaries with one that does stands in ``eta`` too, with its loading fixed
at 1 and no residual.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.model import ParameterTable
from semkit.model.composites import INTERCEPT, LOADING, RESIDUAL, indicator_rows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LAMBDA, BETA, PSI, THETA, NU, ALPHA = range(6)
OUTSIDE = ("|", "~*~")  # thresholds and response scales stand in no matrix of the six


@dataclass(frozen=True, eq=False)
class Cells:
    """Positions of ``c`` matrix cells of one group.

    Parameters
    ----------
    kind : ndarray (c,)
        LAMBDA, BETA, PSI, THETA, NU or ALPHA.
    row, col : ndarray (c,)
    source : ndarray (c,)
        Index of the parameter (free cells) or of the given value (data-dependent cells).
    table_row : ndarray (c,)
        Row of the parameter table.
    """

    kind: IntArray
    row: IntArray
    col: IntArray
    source: IntArray
    table_row: IntArray

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, eq=False)
class Block:
    """The matrices of one group: ``p`` observed variables, ``m`` in ``eta``.

    Parameters
    ----------
    observed, eta : tuple of str
    fixed : ndarray (size,)
        The six matrices one after the other with their fixed numbers.
    free, given : Cells
        Cells filled from the parameter vector, and from the data of each draw.
    means : bool
    """

    observed: tuple[str, ...]
    eta: tuple[str, ...]
    fixed: FloatArray
    free: Cells
    given: Cells
    means: bool

    @property
    def p(self) -> int:
        return len(self.observed)

    @property
    def m(self) -> int:
        return len(self.eta)

    @cached_property
    def offsets(self) -> IntArray:
        """Start of each matrix in the flat vector, and its length at the end."""
        p, m = self.p, self.m
        return np.cumsum([0, p * m, m * m, m * m, p * p, p, m])

    def positions(self, cells: Cells) -> tuple[IntArray, IntArray]:
        """Flat positions of cells, symmetric twins added; and which cell each belongs to."""
        width = np.array([self.m, self.m, self.m, self.p, 1, 1])
        at = self.offsets[cells.kind] + cells.row * width[cells.kind] + cells.col
        twin = ((cells.kind == PSI) | (cells.kind == THETA)) & (cells.row != cells.col)
        other = self.offsets[cells.kind] + cells.col * width[cells.kind] + cells.row
        own = np.arange(len(cells))
        return np.concatenate([at, other[twin]]), np.concatenate([own, own[twin]])

    @cached_property
    def free_positions(self) -> tuple[IntArray, IntArray]:
        at, own = self.positions(self.free)
        return at, self.free.source[own]

    @cached_property
    def given_positions(self) -> tuple[IntArray, IntArray]:
        at, own = self.positions(self.given)
        return at, self.given.source[own]

    @cached_property
    def factors(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Columns of ``[I | G | M]`` that are u and v of each free cell, and the factor of u v' + v u'.

        ``lambda_ij``: e_i, M_j; ``beta_ij``: G_i, M_j; ``psi_ij``: G_i, G_j; ``theta_ij``: e_i, e_j, the last
        two halved on the diagonal; intercepts have no part in Sigma (factor 0).
        """
        cells, p, m = self.free, self.p, self.m
        kind, row, col = cells.kind, cells.row, cells.col
        u = row + np.array([0, p, p, 0, 0, p])[kind]
        v = col + np.array([p + m, p + m, p, 0, 0, 0])[kind]
        scale = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])[kind]
        scale[((kind == PSI) | (kind == THETA)) & (row == col)] = 0.5
        return u, v, scale

    @cached_property
    def single(self) -> bool:
        """Whether no two cells share a parameter."""
        return len(set(self.free.source.tolist())) == len(self.free)

    @cached_property
    def unit_eta(self) -> FloatArray:
        """Unit matrix ``(m, m)``."""
        return np.eye(self.m)

    @cached_property
    def unit_observed(self) -> FloatArray:
        """Unit matrix ``(p, p)``."""
        return np.eye(self.p)

    @cached_property
    def ordered(self) -> bool:
        """Whether cell ``c`` holds parameter ``c``."""
        return bool(np.array_equal(self.free.source, np.arange(len(self.free))))

    @cached_property
    def pairs(self) -> IntArray:
        """Flat positions in a ``(p + 2m, p + 2m)`` matrix of the entries (u, u), (u, v), (v, v) of all pairs."""
        u, v, _ = self.factors
        width = self.p + 2 * self.m
        return np.concatenate([(a[:, None] * width + b[None, :]).ravel() for a, b in ((u, u), (u, v), (v, v))])

    @cached_property
    def scale_square(self) -> FloatArray:
        """Products of the factors of all pairs of cells, ``(c, c)``."""
        scale = self.factors[2]
        return np.asarray(scale[:, None] * scale[None, :])

    @cached_property
    def motion(self) -> tuple[IntArray, IntArray]:
        """Positions in ``[0, A, A Psi A']`` (flat) of what moves the columns u, then v, of every cell with each cell.

        Flat arrays of ``c * 2c`` positions: those that multiply the moving cell's own u, and its own v.
        """
        cells, p, m = self.free, self.p, self.m
        u, v, _ = self.factors
        slope = np.flatnonzero(cells.kind <= BETA)
        psi = np.flatnonzero(cells.kind == PSI)
        own = np.flatnonzero((cells.kind == BETA) | (cells.kind == PSI))
        along, down = np.arange(m), np.arange(m) * m
        first = np.zeros((len(cells), p + 2 * m), dtype=np.int64)
        second = np.zeros_like(first)
        first[slope, p : p + m] = 1 + cells.col[slope, None] * m + along
        first[slope, p + m :] = 1 + m * m + cells.col[slope, None] * m + along
        first[psi, p + m :] = 1 + down + cells.col[psi, None]
        second[own, p + m :] = 1 + down + cells.row[own, None]
        both = np.concatenate([u, v])
        return first[:, both].ravel(), second[:, both].ravel()

    @cached_property
    def slope_positions(self) -> tuple[tuple[IntArray, IntArray], ...]:
        """Of each kind of cell that Sigma depends on: which free cells, and where their ``u'Qv`` stands.

        In the flattened ``Q M`` (lambda), ``G'Q M`` (beta), ``G'Q G`` (psi) and ``Q`` (theta).
        """
        cells = self.free
        found = []
        for kind, width in ((LAMBDA, self.m), (BETA, self.m), (PSI, self.m), (THETA, self.p)):
            at = np.flatnonzero(cells.kind == kind)
            found.append((at, cells.row[at] * width + cells.col[at]))
        return tuple(found)

    @cached_property
    def any_beta(self) -> bool:
        lo, hi = self.offsets[BETA], self.offsets[BETA + 1]
        return bool(np.any(self.fixed[lo:hi]) or np.any(self.free.kind == BETA) or np.any(self.given.kind == BETA))

    @cached_property
    def depth(self) -> int:
        """Length of the longest chain of slopes; -1 when the slopes form a cycle.

        With chains of at most ``d`` slopes ``(I - B)^-1 = I + B + ... + B^d`` exactly.
        """
        lo, hi = self.offsets[BETA], self.offsets[BETA + 1]
        pattern = (self.fixed[lo:hi] != 0.0).reshape(self.m, self.m)
        for cells in (self.free, self.given):
            pick = cells.kind == BETA
            pattern[cells.row[pick], cells.col[pick]] = True
        power, depth = pattern.copy(), 0
        while power.any():
            depth += 1
            if depth > self.m:
                return -1
            power = (power.astype(np.int64) @ pattern.astype(np.int64)) > 0
        return depth


@dataclass(frozen=True, eq=False)
class Layout:
    """All groups of a model.

    Parameters
    ----------
    blocks : tuple of Block
    n_parameters : int
        Different free parameters (equal labels merged).
    expand : ndarray (q,)
        ``theta_free = theta[expand]``: from different parameters to free rows of the table.
    given_rows : tuple of int
        Table rows with data-dependent values, in the order of the given vector.
    follower_rows : tuple of int
        Fixed table rows whose values are the last parameters: they follow from the others (residual variances of
        ordinal variables).
    """

    blocks: tuple[Block, ...]
    n_parameters: int
    expand: IntArray
    given_rows: tuple[int, ...]
    follower_rows: tuple[int, ...] = ()


def make_layout(table: ParameterTable) -> Layout:
    """Find the place of every row of a parameter table."""
    unique_of_row = dict(zip(table.free_rows.tolist(), table.unique.tolist(), strict=True))
    from_data = np.flatnonzero((table.block > 0) & (table.free == 0) & np.isnan(table.value)).tolist()
    given_rows = tuple(i for i in from_data if table.op[i] not in OUTSIDE)
    given_of_row = {row: k for k, row in enumerate(given_rows)}
    blocks = tuple(_block(table, g + 1, unique_of_row, given_of_row) for g in range(table.n_groups))
    return Layout(blocks, table.n_unique, table.unique, given_rows)


def structural_observed(table: ParameterTable, block: int) -> tuple[str, ...]:
    """Observed variables that stand in ``eta``: those in regressions and those tied to them."""
    observed = set(table.variables.ov)
    rows = np.flatnonzero(table.block == block).tolist()
    inside = {v for i in rows if table.op[i] == "~" for v in (table.lhs[i], table.rhs[i]) if v in observed}
    inside |= {table.lhs[i] for i in rows if table.op[i] == "=~" and table.lhs[i] in observed}
    latent = set(table.variables.lv)
    pairs = [(table.lhs[i], table.rhs[i]) for i in rows if table.op[i] == "~~" and table.lhs[i] != table.rhs[i]]
    while True:
        more = set()
        for a, b in pairs:
            if a in observed and (b in latent or b in inside):
                more.add(a)
            if b in observed and (a in latent or a in inside):
                more.add(b)
        if more <= inside:
            return tuple(v for v in table.variables.ov if v in inside)
        inside |= more


def _block(
    table: ParameterTable, block: int, unique_of_row: dict[int, int], given_of_row: dict[int, int]
) -> Block:
    observed = table.variables.ov
    eta = table.variables.lv + structural_observed(table, block)
    p, m = len(observed), len(eta)
    in_y = {name: k for k, name in enumerate(observed)}
    in_eta = {name: k for k, name in enumerate(eta)}
    sizes = np.cumsum([0, p * m, m * m, m * m, p * p, p, m]).tolist()
    width = (m, m, m, p, 1, 1)
    fixed = np.zeros(sizes[-1])
    for name in eta[len(table.variables.lv) :]:
        fixed[in_y[name] * m + in_eta[name]] = 1.0
    free: list[tuple[int, int, int, int, int]] = []
    given: list[tuple[int, int, int, int, int]] = []
    values, implied = table.value.tolist(), indicator_rows(table)
    for i in np.flatnonzero(table.block == block).tolist():
        if table.op[i] in OUTSIDE or table.op[i] == "<~" or i in implied:
            continue
        kind, row, col = _place(table.lhs[i], table.op[i], table.rhs[i], in_y, in_eta)
        if i in unique_of_row:
            free.append((kind, row, col, unique_of_row[i], i))
        elif i in given_of_row:
            given.append((kind, row, col, given_of_row[i], i))
        else:
            fixed[sizes[kind] + row * width[kind] + col] = values[i]
            if kind in (PSI, THETA):
                fixed[sizes[kind] + col * width[kind] + row] = values[i]
    return Block(observed, eta, fixed, _cells(free), _cells(given), table.meanstructure)


def _cells(rows: list[tuple[int, int, int, int, int]]) -> Cells:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    return Cells(*columns)


def _place(lhs: str, op: str, rhs: str, in_y: dict[str, int], in_eta: dict[str, int]) -> tuple[int, int, int]:
    """Matrix, row and column of one row of the table."""
    if op == LOADING:
        return LAMBDA, in_y[rhs], in_eta[lhs]
    if op == RESIDUAL:
        return THETA, in_y[lhs], in_y[rhs]
    if op == INTERCEPT:
        return NU, in_y[lhs], 0
    if op == "=~":
        if rhs in in_eta:
            return BETA, in_eta[rhs], in_eta[lhs]
        return LAMBDA, in_y[rhs], in_eta[lhs]
    if op == "~":
        return BETA, in_eta[lhs], in_eta[rhs]
    if op == "~1":
        return (ALPHA, in_eta[lhs], 0) if lhs in in_eta else (NU, in_y[lhs], 0)
    if lhs in in_eta and rhs in in_eta:
        return PSI, in_eta[lhs], in_eta[rhs]
    return THETA, in_y[lhs], in_y[rhs]
