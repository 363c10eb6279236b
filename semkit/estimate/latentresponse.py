"""What a model says of ordinal and mixed data: thresholds, slopes, variances and correlations of latent responses.

Latent responses ``y*`` follow the model of :mod:`semkit.estimate.implied`; an ordinal variable shows only which
interval between thresholds ``tau`` its response falls into, so that moments are those of ``D y*`` with scales ``D``:

    threshold t of i   d_i (tau_it - mu_i)      slopes   d_i Pi_ix      covariances   d_i d_j Sigma_ij

``d = 1`` for continuous variables (whose level is ``mu_i``).  Under *delta* ``d_i`` is a parameter and the residual
variances ``v`` of ordinal variables solve ``diag Sigma(v) = 1 / d^2`` (linear in ``v``); under *theta* residual
variances are parameters and ``d_i = Sigma_ii^-1/2``.  Given covariates ``x`` moments are conditional: ``Sigma`` and
``mu`` at ``x = 0``, ``Pi`` the reduced-form slopes.

References
----------
Muthen (1984), Psychometrika 49, 115-132; Muthen & Asparouhov (2002), Mplus Web Notes 4 (delta and theta).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.implied import Implied, frame, imply, mean_factor
from semkit.estimate.layout import BETA, PSI, Block, Layout, make_layout
from semkit.model import ParameterTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Entries:
    """Numbers that are parameters or fixed: ``source`` is the parameter or -1, ``value`` the fixed number."""

    source: IntArray
    value: FloatArray

    def at(self, theta: FloatArray) -> FloatArray:
        """Values ``(B, k)`` at ``theta (B, q)``."""
        return np.asarray(np.where(self.source >= 0, theta[:, self.source], self.value))


@dataclass(frozen=True, eq=False)
class Responses:
    """Latent responses of one group.

    Parameters
    ----------
    block : Block
        With the residual variances that follow as free cells (:func:`response_layout`).
    y, x : ndarray
        Positions of outcomes and of covariates among the observed variables.
    x_eta : ndarray
        Positions of the covariates in eta.
    ordinal : ndarray (p,) of bool
        Which outcomes are ordinal.
    variable : ndarray (t,)
        Outcome of each threshold or level, in the order of the moments.
    thresholds : Entries (t,)
        Of continuous outcomes: value 0.
    scales : Entries (p,)
    follow : bool
        Whether scales follow from variances (theta).
    followers, sources : ndarray (v,)
        Outcome of each residual variance that follows (delta), and its place after the ``q`` parameters.
    """

    block: Block
    y: IntArray
    x: IntArray
    x_eta: IntArray
    ordinal: NDArray[np.bool_]
    variable: IntArray
    thresholds: Entries
    scales: Entries
    follow: bool
    followers: IntArray
    sources: IntArray

    @cached_property
    def structural(self) -> bool:
        """Whether a residual variance that follows is that of a variable others depend on."""
        return bool(np.any(self.block.free.kind[self.cells] == PSI))

    @cached_property
    def cells(self) -> IntArray:
        """Free cells of the residual variances that follow, in the order of ``followers``."""
        return np.array([int(np.flatnonzero(self.block.free.source == source)[0]) for source in self.sources],
                        dtype=np.int64)


def response_layout(table: ParameterTable, ordinal: Collection[str]) -> Layout:
    """The layout of a table in which residual variances of ordinal variables without a value are parameters.

    They come after the others, in the order of the table.
    """
    follow = [i for i in range(len(table)) if table.op[i] == "~~" and table.lhs[i] == table.rhs[i] and not table.exo[i]
              and table.lhs[i] in ordinal and table.free[i] == 0 and np.isnan(table.value[i])]
    free = table.free.copy()
    free[follow] = table.n_free + 1 + np.arange(len(follow))
    return replace(make_layout(table.replace(free=free)), expand=table.unique, follower_rows=tuple(follow))


def make_responses(table: ParameterTable, layout: Layout, thresholds: Mapping[str, int]) -> tuple[Responses, ...]:
    """The latent responses of each group of a table whose ordinal variables have so many thresholds.

    Parameters
    ----------
    table : ParameterTable
    layout : Layout
        From :func:`response_layout`.
    thresholds : mapping of str to int
    """
    source = {int(row): int(table.unique[k]) for k, row in enumerate(table.free_rows)}
    names, covariates = table.variables.ov, table.variables.ov_x
    outcomes = [name for name in names if name not in covariates]
    out = []
    for g, block in enumerate(layout.blocks):
        at = {(table.lhs[i], table.op[i], table.rhs[i]): i for i in range(len(table)) if table.block[i] == g + 1}

        def entries(rows: list[int | None], at_none: float) -> Entries:
            found = np.array([-1 if row is None else source.get(row, -1) for row in rows], dtype=np.int64)
            return Entries(found, np.array([at_none if row is None else table.value[row] for row in rows]))

        variable: list[int] = []
        cuts: list[int | None] = []
        for k, name in enumerate(outcomes):
            own = [at[(name, "|", f"t{t + 1}")] for t in range(thresholds[name])] if name in thresholds else [None]
            variable += [k] * len(own)
            cuts += own
        scales = [at.get((name, "~*~", name)) for name in outcomes]
        first = table.n_unique
        own_rows = [(k, row) for k, row in enumerate(layout.follower_rows) if table.block[row] == g + 1]
        out.append(Responses(
            block, _positions(names, outcomes), _positions(names, covariates), _positions(block.eta, covariates),
            np.array([name in thresholds for name in outcomes], dtype=bool), np.array(variable, dtype=np.int64),
            entries(cuts, 0.0), entries(scales, 1.0),
            any(row is not None and row not in source and np.isnan(table.value[row]) for row in scales),
            np.array([outcomes.index(table.lhs[row]) for _, row in own_rows], dtype=np.int64),
            np.array([first + k for k, _ in own_rows], dtype=np.int64),
        ))
    return tuple(out)


def _positions(names: Sequence[str], wanted: Sequence[str]) -> IntArray:
    return np.array([names.index(name) for name in wanted], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class ResponseModel:
    """Moments of ordinal and mixed data as functions of the parameters (a ``MomentModel`` of least squares).

    Parameters
    ----------
    groups : tuple of Responses
    given : ndarray (1, d)
        Data-dependent fixed values with the moments of covariates at 0.
    """

    groups: tuple[Responses, ...]
    given: FloatArray

    @property
    def n_followers(self) -> int:
        return sum(len(group.followers) for group in self.groups)

    def extend(self, theta: FloatArray) -> FloatArray:
        """``(B, q + v)``: parameters and the residual variances that follow from them."""
        out = np.concatenate([theta, np.zeros((len(theta), self.n_followers))], axis=1)
        for group in self.groups:
            if len(group.followers):
                implied = imply(group.block, out, self.given)
                own = group.y[group.followers]
                target: FloatArray = group.scales.at(theta)[:, group.followers] ** -2.0 - implied.sigma[:, own, own]
                if group.structural:
                    target = np.asarray(np.linalg.solve(_shares(group, implied), target[..., None])[..., 0])
                out[:, group.sources] = target
        return out

    def moments(self, theta: FloatArray, slopes: bool) -> tuple[tuple[FloatArray, FloatArray | None], ...]:
        """``sigma (B, k)`` and ``Delta (B, k, q)`` of each group, in the order of the observed moments."""
        whole = self._for_moments(theta)
        return tuple(_group(group, whole, theta, self.given, slopes) for group in self.groups)

    def _for_moments(self, theta: FloatArray) -> FloatArray:
        """As :meth:`extend`; zeros where what follows moves no moment."""
        if any(group.structural for group in self.groups):
            return self.extend(theta)
        return np.concatenate([theta, np.zeros((len(theta), self.n_followers))], axis=1)

    def followers_slope(self, theta: FloatArray) -> FloatArray:
        """Derivatives ``(B, v, q)`` of the residual variances that follow."""
        whole = self.extend(theta)
        out = np.zeros((len(theta), self.n_followers, theta.shape[1]))
        for group in self.groups:
            if len(group.followers):
                implied = imply(group.block, whole, self.given)
                out[:, group.sources - theta.shape[1]] = _followers_slope(group, implied, theta, whole.shape[1])
        return out

    def curvature(self, theta: FloatArray, by: tuple[FloatArray, ...]) -> FloatArray:
        """Second derivatives weighted by ``by`` and summed, ``(B, q, q)``.

        Where a residual variance that follows moves other moments the steps are those of Gauss and Newton (zero).
        """
        from semkit.estimate.responsecurvature import group_curvature

        out = np.zeros((*theta.shape, theta.shape[1]))
        whole = self._for_moments(theta)
        for group, weight in zip(self.groups, by, strict=True):
            if not group.structural:
                out += group_curvature(group, whole, theta, self.given, weight)
        return out

    def take(self, rows: IntArray) -> ResponseModel:
        return self


def _shares(group: Responses, implied: Implied) -> FloatArray:
    """``d Sigma_ii / d v_k`` for the followers, ``(B, v, v)``."""
    count = len(group.followers)
    cells = group.block.free
    kind, row = cells.kind[group.cells], cells.row[group.cells]
    own = group.y[group.followers]
    out = np.zeros((len(implied.sigma), count, count))
    for k in range(count):
        out[:, :, k] = implied.g[:, own, row[k]] ** 2 if kind[k] == PSI else (own == row[k]).astype(np.float64)
    return out


class Slopes:
    """Derivatives by parameters and followers, spread from those by cells."""

    def __init__(self, group: Responses, implied: Implied, width: int) -> None:
        block = group.block
        u, v, scale = block.factors
        columns = frame(block, implied)[:, group.y]
        self.block, self.width = block, width
        self.left, self.right = columns[:, :, u], columns[:, :, v]  # (B, p, c)
        self.scale, self.mean = scale, mean_factor(block, implied)

    def _spread(self, by_cell: FloatArray) -> FloatArray:
        out = np.zeros((*by_cell.shape[:2], self.width))
        if self.block.single:
            out[:, :, self.block.free.source] = by_cell
        else:
            np.add.at(np.moveaxis(out, -1, 0), self.block.free.source, np.moveaxis(by_cell, -1, 0))
        return out

    def mu(self) -> FloatArray:
        return self._spread(self.left * self.mean[:, None, :])

    def sigma(self, rows: IntArray, cols: IntArray) -> FloatArray:
        by_cell = self.left[:, rows] * self.right[:, cols]
        by_cell += self.right[:, rows] * self.left[:, cols]
        by_cell *= self.scale
        return self._spread(by_cell)

    def pi(self, a: FloatArray, x_eta: IntArray) -> FloatArray:
        """Slopes on the covariates, covariate by covariate, ``(B, k p, .)``: ``d G_.x = u A_jx`` for slopes of j."""
        cells = self.block.free
        slope = cells.kind <= BETA
        parts = []
        for x in x_eta:
            passed = np.where(slope, a[:, np.where(slope, cells.col, 0), x], 0.0)
            parts.append(self._spread(self.left * passed[:, None, :]))
        return np.concatenate(parts, axis=1)


def _followers_slope(group: Responses, implied: Implied, theta: FloatArray, width: int) -> FloatArray:
    """``d v / d theta = M^-1 (d (1 / d^2) - d Sigma_ii)`` with ``v`` held in the last."""
    q = theta.shape[1]
    own = group.followers
    out = -Slopes(group, implied, width).sigma(own, own)[:, :, :q]
    sources = group.scales.source[own]
    free = np.flatnonzero(sources >= 0)
    out[:, free, sources[free]] += -2.0 * theta[:, sources[free]] ** -3.0
    return np.asarray(np.linalg.solve(_shares(group, implied), out)) if group.structural else out


def scales_of(group: Responses, variance: FloatArray, theta: FloatArray) -> FloatArray:
    """Scales ``d (B, p)`` at variances ``(B, p)`` of the responses."""
    if not group.follow:
        return group.scales.at(theta)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(group.ordinal, variance**-0.5, 1.0))


def _group(
    group: Responses, whole: FloatArray, theta: FloatArray, given: FloatArray, slopes: bool
) -> tuple[FloatArray, FloatArray | None]:
    implied = imply(group.block, whole, given)
    y, p, q = group.y, len(group.y), theta.shape[1]
    mu, variance = implied.mu[:, y], implied.sigma[:, y, y]
    scale = scales_of(group, variance, theta)
    cols, rows = np.triu_indices(p, 1)
    pairs = implied.sigma[:, y[rows], y[cols]]
    at, cut = group.variable, group.ordinal[group.variable]
    gap = np.where(cut, group.thresholds.at(theta) - mu[:, at], mu[:, at])
    pi = implied.g[:, y][:, :, group.x_eta].swapaxes(1, 2).reshape(len(theta), -1)
    wide = np.tile(np.arange(p), len(group.x))
    numeric = np.flatnonzero(~group.ordinal)
    value = np.concatenate([scale[:, at] * gap, scale[:, wide] * pi, variance[:, numeric],
                            scale[:, rows] * scale[:, cols] * pairs], axis=1)
    if not slopes:
        return value, None
    by = Slopes(group, implied, whole.shape[1])
    every = np.arange(p)
    by_variance = by.sigma(every, every) if group.follow or len(numeric) else None
    by_scale = np.zeros((len(theta), p, whole.shape[1]))
    if group.follow and by_variance is not None:
        by_scale[:, group.ordinal] = (-0.5 * scale**3)[:, group.ordinal, None] * by_variance[:, group.ordinal]
    else:
        free = np.flatnonzero(group.scales.source >= 0)
        by_scale[:, free, group.scales.source[free]] = 1.0
    by_mu = by.mu()
    by_gap = np.where(cut[:, None], -1.0, 1.0) * by_mu[:, at]
    own = np.flatnonzero(group.thresholds.source >= 0)
    by_gap[:, own, group.thresholds.source[own]] += 1.0
    parts = [scale[:, at, None] * by_gap + gap[..., None] * by_scale[:, at]]
    if len(group.x):
        parts.append(scale[:, wide, None] * by.pi(implied.a, group.x_eta) + pi[..., None] * by_scale[:, wide])
    if len(numeric) and by_variance is not None:
        parts.append(by_variance[:, numeric])
    parts.append((scale[:, rows] * scale[:, cols])[..., None] * by.sigma(rows, cols)
                 + (pairs * scale[:, cols])[..., None] * by_scale[:, rows]
                 + (pairs * scale[:, rows])[..., None] * by_scale[:, cols])
    everything = np.concatenate(parts, axis=1)
    slope = everything[:, :, :q]
    if group.structural:
        moves = _followers_slope(group, implied, theta, whole.shape[1])
        slope = slope + everything[:, :, group.sources] @ moves
    return value, slope
