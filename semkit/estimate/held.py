"""Implied moments of the indicators of composites, tied to what the table says of them.

A row ``x1 ~~ x2`` of two indicators of one composite is the implied covariance itself, and ``x1 ~1`` the implied mean:
parameters, or numbers held at the sample's.  As constraints of the optimiser they are

    Sigma_ab(theta) - t_ab = 0,   mu_a(theta) - m_a = 0
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.discrepancy import bend
from semkit.estimate.implied import Implied, frame, imply, mean_factor
from semkit.estimate.layout import Block, Layout
from semkit.model import ParameterTable
from semkit.model.composites import indicator_rows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Group:
    """The rows of one group: positions of the variables among the observed (a mean has ``b = -1``), and targets.

    ``parameter`` and ``given`` say which parameter or given value each row is, -1 for neither.
    """

    block: Block
    a: IntArray
    b: IntArray
    parameter: IntArray
    given: IntArray

    @cached_property
    def means(self) -> BoolArray:
        return self.b < 0

    def values(self, implied: Implied, x: FloatArray, given: FloatArray) -> FloatArray:
        """Implied less told, ``(B, k)``."""
        found = np.where(self.means, implied.mu[:, self.a], implied.sigma[:, self.a, self.b])
        told = np.where(self.parameter >= 0, x[:, self.parameter], 0.0)
        if given.shape[1]:
            told = told + np.where(self.given >= 0, given[:, self.given], 0.0)
        return np.asarray(found - told)

    def slopes(self, implied: Implied, q: int) -> FloatArray:
        """Derivatives ``(B, k, q)``.

        ``d Sigma_ab / d theta_c = s_c (u_a v_b + u_b v_a)`` and ``d mu_a / d theta_c = t_c u_a`` with the columns u and
        v of the cell (:mod:`semkit.estimate.implied`).
        """
        block, batch = self.block, len(implied.sigma)
        u, v, scale = block.factors
        columns = frame(block, implied)
        first, second = columns[:, self.a], columns[:, self.b]
        cross = scale * (first[:, :, u] * second[:, :, v] + second[:, :, u] * first[:, :, v])
        by_cell = np.where(self.means[:, None], first[:, :, u] * mean_factor(block, implied)[:, None, :], cross)
        out = np.zeros((batch, len(self.a), q))
        np.add.at(np.moveaxis(out, -1, 0), block.free.source, np.moveaxis(by_cell, -1, 0))
        rows = np.flatnonzero(self.parameter >= 0)
        out[:, rows, self.parameter[rows]] -= 1.0
        return out

    def curvature(self, implied: Implied, weight: FloatArray, q: int) -> FloatArray:
        """Second derivatives of the weighted constraints, ``(B, q, q)``."""
        block, batch = self.block, len(weight)
        pull = np.zeros((batch, block.p, block.p))
        level = np.zeros((batch, block.p))
        np.add.at(level.T, self.a[self.means], weight[:, self.means].T)
        pairs = np.flatnonzero(~self.means)
        np.add.at(np.moveaxis(pull, 0, -1), (self.a[pairs], self.b[pairs]), weight[:, pairs].T)
        columns = frame(block, implied)
        by_q = columns.swapaxes(1, 2) @ (0.5 * (pull + pull.swapaxes(1, 2)) @ columns)
        t = mean_factor(block, implied) if block.means else None
        by_cell = bend(block, implied, by_q, (level[:, None] @ columns)[:, 0] if block.means else None, t)
        out = np.zeros((batch, q, q))
        source = block.free.source
        np.add.at(np.moveaxis(out, 0, -1), (source[:, None], source[None, :]), np.moveaxis(by_cell, 0, -1))
        return out


@dataclass(frozen=True, eq=False)
class HeldMoments:
    """Rows of all groups, in the order of the table within each."""

    groups: tuple[_Group, ...]

    @cached_property
    def from_data(self) -> BoolArray:
        """Which rows are held at the sample's values, ``(k,)``."""
        return np.concatenate([group.given >= 0 for group in self.groups])

    def evaluate(self, x: FloatArray, given: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values ``(B, k)`` and Jacobian ``(B, k, q)``."""
        found = [(group, imply(group.block, x, given)) for group in self.groups]
        return (np.concatenate([group.values(implied, x, given) for group, implied in found], axis=1),
                np.concatenate([group.slopes(implied, x.shape[1]) for group, implied in found], axis=1))

    def curvature(self, x: FloatArray, given: FloatArray, weight: FloatArray) -> FloatArray:
        """``sum_k weight_k * Hessian_k``, ``(B, q, q)``."""
        out, at = np.zeros((*x.shape, x.shape[1])), 0
        for group in self.groups:
            end = at + len(group.a)
            out += group.curvature(imply(group.block, x, given), weight[:, at:end], x.shape[1])
            at = end
        return out


def held_moments(table: ParameterTable, layout: Layout) -> HeldMoments | None:
    """What a table says of the indicators of its composites; None without composites."""
    rows = sorted(indicator_rows(table))
    if not rows:
        return None
    parameter = {int(row): int(table.unique[k]) for k, row in enumerate(table.free_rows)}
    given = {row: k for k, row in enumerate(layout.given_rows)}
    groups = []
    for g, block in enumerate(layout.blocks, start=1):
        own = [row for row in rows if table.block[row] == g]
        columns = np.array([
            (block.observed.index(table.lhs[row]), block.observed.index(table.rhs[row]) if table.rhs[row] else -1,
             parameter.get(row, -1), given.get(row, -1)) for row in own
        ], dtype=np.int64).reshape(-1, 4).T
        if len(own):
            groups.append(_Group(block, *columns))
    return HeldMoments(tuple(groups))
