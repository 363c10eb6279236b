"""Expressions of the model text as functions of the parameter vector, with exact derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.composition import Composition, make_composition
from semkit.estimate.deviations import deviations
from semkit.estimate.held import HeldMoments, held_moments
from semkit.estimate.implied import imply
from semkit.estimate.layout import Layout
from semkit.model import Expression, ParameterTable
from semkit.model.monomials import Monomials, compile_monomials

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Quantities:
    """Values ``(B,)`` and derivatives ``(B, q)`` of everything an expression may name."""

    value: Mapping[str, FloatArray]
    slope: Mapping[str, FloatArray | int | None]  # an index: unit vector; None: constant
    sd: Mapping[str, FloatArray] = field(default_factory=dict)
    sd_slope: Mapping[str, FloatArray] = field(default_factory=dict)
    std: Mapping[str, FloatArray] = field(default_factory=dict)
    std_slope: Mapping[str, FloatArray] = field(default_factory=dict)


def label_quantities(
    table: ParameterTable, layout: Layout, theta: FloatArray, given: FloatArray
) -> tuple[dict[str, FloatArray], dict[str, FloatArray | int | None]]:
    """Labels of free, fixed and data-dependent rows."""
    value: dict[str, FloatArray] = {}
    slope: dict[str, FloatArray | int | None] = {}
    unique_of_row = {int(row): int(table.unique[k]) for k, row in enumerate(table.free_rows)}
    for label, row in table.labelled_rows.items():
        if row in unique_of_row:
            value[label], slope[label] = theta[:, unique_of_row[row]], unique_of_row[row]
        elif row in layout.given_rows:
            value[label], slope[label] = given[:, layout.given_rows.index(row)], None
        else:
            value[label], slope[label] = np.full(theta.shape[0], table.value[row]), None
    return value, slope


def evaluate(
    expressions: Sequence[Expression], quantities: Quantities, n_parameters: int, batch: int
) -> tuple[FloatArray, FloatArray]:
    """Values ``(B, k)`` and derivatives ``(B, k, q)`` of ``k`` expressions (only values when ``q`` is 0)."""
    values = np.zeros((batch, len(expressions)))
    slopes = np.zeros((batch, len(expressions), n_parameters))
    for i, expression in enumerate(expressions):
        if n_parameters == 0:
            values[:, i] = expression.evaluate(quantities.value, quantities.sd, quantities.std)
            continue
        values[:, i], partials = expression.linearise(quantities.value, quantities.sd, quantities.std)
        for atom, partial in partials.items():
            weight = np.broadcast_to(np.asarray(partial, dtype=np.float64), (batch,))
            if atom.kind == "label":
                inner = quantities.slope[atom.name]
            else:
                inner = (quantities.sd_slope if atom.kind == "sd" else quantities.std_slope)[atom.name]
            if inner is None:
                continue
            if isinstance(inner, int):
                slopes[:, i, inner] += weight
            else:
                slopes[:, i] += weight[:, None] * inner
    return values, slopes


@dataclass(frozen=True, eq=False)
class TableConstraints:
    """``==``, ``<``, ``>`` rows and bounds of a table as constraints of the optimiser.

    Parameters
    ----------
    table : ParameterTable
    layout : Layout
    given : ndarray (B, d)
    """

    table: ParameterTable
    layout: Layout
    given: FloatArray
    bounds: tuple[tuple[int, float, float], ...]  # parameter, sign, limit: sign * (theta - limit) >= 0
    equality: BoolArray
    linear: bool
    held: HeldMoments | None = None  # equalities too, after the bounds
    composition: Composition | None = None

    @cached_property
    def from_data(self) -> BoolArray:
        """Which constraints hold moments of composites' indicators at the sample's, ``(k,)``."""
        out = np.zeros(len(self.equality), dtype=bool)
        if self.held is not None:
            out[len(out) - len(self.held.from_data) :] = self.held.from_data
        return out

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """Equalities, then inequalities."""
        return (*self.table.equalities, *self.table.inequalities)

    @cached_property
    def deviating(self) -> tuple[str, ...]:
        """Variables whose standard deviations the constraints name."""
        return tuple(dict.fromkeys(name for expression in self.expressions for name in expression.sd_names))

    @cached_property
    def sources(self) -> tuple[tuple[str, int | None, int | None, float], ...]:
        """Label, parameter or given value it stands for, and its number if it is fixed."""
        used = {name for expression in self.expressions for name in expression.names}
        parameter = {int(row): int(self.table.unique[k]) for k, row in enumerate(self.table.free_rows)}
        given = {row: k for k, row in enumerate(self.layout.given_rows)}
        return tuple(
            (label, parameter.get(row), given.get(row), float(self.table.value[row]))
            for label, row in self.table.labelled_rows.items() if label in used
        )

    def labels(
        self, x: FloatArray, given: FloatArray
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray | int | None]]:
        """What :func:`label_quantities` says of the labels that the constraints name."""
        value: dict[str, FloatArray] = {}
        slope: dict[str, FloatArray | int | None] = {}
        for label, parameter, at, number in self.sources:
            slope[label] = parameter
            if parameter is not None:
                value[label] = x[:, parameter]
            else:
                value[label] = given[:, at] if at is not None else np.full(len(x), number)
        return value, slope

    @cached_property
    def monomials(self) -> Monomials | None:
        """The expressions as sums of products of powers, if they all are."""
        if not self.expressions or any(expression.std_names for expression in self.expressions):
            return None
        return compile_monomials(self.expressions)

    def _atom_slopes(
        self, slope: Mapping[str, FloatArray | int | None], sd_slope: Mapping[str, FloatArray], batch: int, q: int
    ) -> FloatArray:
        """Derivatives of the atoms by the parameters, ``(B, n, q)``."""
        assert self.monomials is not None
        out = np.zeros((batch, len(self.monomials.atoms), q))
        for k, atom in enumerate(self.monomials.atoms):
            if atom.kind == "sd":
                out[:, k] = sd_slope[atom.name]
                continue
            parameter = slope[atom.name]
            if isinstance(parameter, int):
                out[:, k, parameter] = 1.0
        return out

    def _deviations(
        self, x: FloatArray, given: FloatArray, wanted: tuple[str, ...]
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Standard deviations by name, those of later groups as ``name.g2`` ..., with their derivatives."""
        values: dict[str, FloatArray] = {}
        slopes: dict[str, FloatArray] = {}
        known = {name for block in self.layout.blocks[:1] for name in block.observed + block.eta}
        for g, block in enumerate(self.layout.blocks, start=1):
            suffix = f".g{g}"
            own = {name: name for name in wanted if name in known} if g == 1 else {
                name.removesuffix(suffix): name for name in wanted if name not in known and name.endswith(suffix)}
            if own:
                sd, slope = deviations(block, imply(block, x, given), self.layout.n_parameters, tuple(own))
                values |= {own[name]: value for name, value in sd.items()}
                slopes |= {own[name]: value for name, value in slope.items()}
        return values, slopes

    def evaluate(self, x: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Values ``(b, k)`` and Jacobian ``(b, k, q)``."""
        given = self._given(x, rows)
        values, slopes = self._written(x, given)
        if self.held is not None:
            more, slope_of_more = self.held.evaluate(x, given)
            values, slopes = np.concatenate([values, more], axis=1), np.concatenate([slopes, slope_of_more], axis=1)
        return values, slopes

    def settle(self, x: FloatArray, rows: IntArray) -> FloatArray:
        """Parameters ``(b, q)`` with what follows from the weights of composites filled in."""
        return x if self.composition is None else self.composition.settle(x, self._given(x, rows))

    def _given(self, x: FloatArray, rows: IntArray) -> FloatArray:
        return self.given[rows] if len(self.given) > 1 else np.repeat(self.given, len(x), axis=0)

    def _written(self, x: FloatArray, given: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Expressions and bounds."""
        expressions, wanted = self.expressions, self.deviating
        q = self.layout.n_parameters
        value, slope = self.labels(x, given)
        sd: dict[str, FloatArray] = {}
        sd_slope: dict[str, FloatArray] = {}
        if wanted:
            sd, sd_slope = self._deviations(x, given, wanted)
        if self.monomials is None:
            values, slopes = evaluate(expressions, Quantities(value, slope, sd, sd_slope), q, len(x))
        else:
            atoms = self.monomials.atoms
            found = [value[a.name] if a.kind == "label" else sd[a.name] for a in atoms]
            values, by_atom = self.monomials.evaluate(np.stack(found, axis=1))
            slopes = by_atom @ self._atom_slopes(slope, sd_slope, len(x), q)
        if not expressions:
            values, slopes = np.zeros((len(x), 0)), np.zeros((len(x), 0, q))
        if self.bounds:
            at = [b[0] for b in self.bounds]
            sign = np.array([b[1] for b in self.bounds])
            limit = np.array([b[2] for b in self.bounds])
            values = np.concatenate([values, sign * (x[:, at] - limit)], axis=1)
            extra = np.zeros((len(x), len(at), q))
            extra[:, np.arange(len(at)), at] = sign
            slopes = np.concatenate([slopes, extra], axis=1)
        return values, slopes

    def curvature(self, x: FloatArray, rows: IntArray, weight: FloatArray) -> FloatArray:
        """Second derivatives of the weighted constraints, those of expressions by differences of exact gradients.

        The error is about 1e-6 of the curvature: steps and errors of estimates need less.
        """
        given = self._given(x, rows)
        if self.held is None:
            return self._bent(x, given, weight)
        count = weight.shape[1] - len(self.held.from_data)
        return self._bent(x, given, weight[:, :count]) + self.held.curvature(x, given, weight[:, count:])

    def _bent(self, x: FloatArray, given: FloatArray, weight: FloatArray) -> FloatArray:
        q = x.shape[1]
        out = np.zeros((len(x), q, q))
        if self.linear:
            return out
        _, slopes = self._written(x, given)
        used = np.flatnonzero(np.any(slopes != 0.0, axis=(0, 1)))
        if not len(used):
            return out
        # All shifted points in one call: (parameters shifted, draws, q).
        step = 1e-6 * np.maximum(1.0, np.abs(x[:, used].T))
        points = np.broadcast_to(x, (len(used), *x.shape)).copy()
        points[np.arange(len(used)), :, used] += step
        _, shifted = self._written(points.reshape(-1, q), np.tile(given, (len(used), 1)))
        shifted = shifted.reshape(len(used), len(x), -1, q)
        with np.errstate(invalid="ignore", over="ignore"):  # a power of a negative number has no derivative
            change = np.einsum("bk,ubkq->buq", weight, shifted - slopes) / step.T[:, :, None]
        out[:, :, used] = change.swapaxes(1, 2)
        return 0.5 * (out + out.swapaxes(1, 2))


def make_constraints(table: ParameterTable, layout: Layout, given: FloatArray) -> TableConstraints | None:
    """Constraints of a table, or None when it has none."""
    bounds: list[tuple[int, float, float]] = []
    lower, upper = table.lower[table.free_rows], table.upper[table.free_rows]
    for k in np.flatnonzero(np.isfinite(lower) | np.isfinite(upper)):
        if np.isfinite(lower[k]):
            bounds.append((int(table.unique[k]), 1.0, float(lower[k])))
        if np.isfinite(upper[k]):
            bounds.append((int(table.unique[k]), -1.0, float(upper[k])))
    bounds = list(dict.fromkeys(bounds))
    n_equal, n_more = len(table.equalities), len(table.inequalities)
    if n_equal + n_more + len(bounds) == 0:
        return None
    held = held_moments(table, layout)
    n_held = 0 if held is None else len(held.from_data)
    equality = np.array([True] * n_equal + [False] * (n_more + len(bounds)) + [True] * n_held)
    linear = all(e.linear for e in (*table.equalities, *table.inequalities))
    return TableConstraints(table, layout, given, tuple(bounds), equality, linear, held,
                            make_composition(table, layout) if held is not None else None)
