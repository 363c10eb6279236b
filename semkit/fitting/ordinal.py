"""Models of ordinal and mixed indicators: two-step moments, weighted least squares, robust errors.

References
----------
Muthen (1984), Psychometrika 49, 115-132; Muthen, du Toit & Spisic (1997), Robust inference using weighted least
squares and quadratic estimating equations in latent variable modeling with categorical and continuous outcomes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, NotSupportedError, Problem
from semkit.estimate.categorical import Categorical
from semkit.estimate.discrepancy import Observed
from semkit.estimate.expressions import TableConstraints, make_constraints
from semkit.estimate.information import invert, sandwich, tangent
from semkit.estimate.latentresponse import ResponseModel, make_responses, response_layout, scales_of
from semkit.estimate.layout import Layout, make_layout
from semkit.estimate.leastsquares import LeastSquares, MomentGroup
from semkit.estimate.optimise import solve
from semkit.estimate.scaling import JointPieces, Pieces, root_of
from semkit.estimate.standardize import RowValues, row_values
from semkit.estimate.start import starting_values
from semkit.estimate.weights import Root, Weight
from semkit.fitting.bounds import bounded
from semkit.fitting.options import Options
from semkit.fitting.polychoric import pair_notes
from semkit.fitting.solution import Solution
from semkit.model import ParameterTable
from semkit.sample.arrays import GroupMoments, Sample

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class OrdinalSolution(Solution):
    """A model fitted to thresholds and correlations of latent responses.

    ``layout``, ``minimum.x`` and ``vcov`` hold the ``q`` parameters and after them the ``v`` residual variances that
    follow from them; ``basis``, ``expected``, ``bread`` and ``pieces`` are about the ``q`` parameters alone.

    Parameters
    ----------
    thresholds : mapping of str to int
        Number of thresholds of each ordinal variable.
    levels : mapping of str to tuple of str
        What the categories stand for.
    statistics : tuple of Categorical, one a group
    problem : LeastSquares
    """

    thresholds: Mapping[str, int]
    levels: Mapping[str, tuple[str, ...]]
    statistics: tuple[Categorical, ...]
    problem: LeastSquares

    @property
    def responses(self) -> ResponseModel:
        """The moments as functions of the parameters."""
        model = self.problem.model
        assert isinstance(model, ResponseModel)
        return model

    @property
    def parameters(self) -> FloatArray:
        """The different parameters without what follows from them, shape ``(q,)``."""
        return self.theta[: self.table.n_unique]

    @cached_property
    def constraints(self) -> TableConstraints | None:
        return plain_constraints(self.table)

    def _tangent(self, binding: bool) -> FloatArray:
        constraints = self.constraints
        if constraints is None:
            return np.eye(self.table.n_unique)
        _, jacobian = constraints.evaluate(self.parameters[None], np.arange(1))
        held = constraints.equality | (self.minimum.active[0] if binding else False)
        return tangent(jacobian[0][held])

    @cached_property
    def basis(self) -> FloatArray:
        return self._tangent(True)

    @cached_property
    def equality_basis(self) -> FloatArray:
        return self._tangent(False)

    @cached_property
    def equality_rank(self) -> int:
        return self.table.n_unique - int(self.equality_basis.shape[1])

    @property
    def n_free(self) -> int:
        return self.table.n_unique - self.equality_rank

    @cached_property
    def pieces(self) -> Pieces:
        """Derivatives, weights and the covariance matrix of the moments."""
        weights = tuple(group.weight for group in self.problem.groups)
        joint = any(group.spread is not None and group.spread.joint for group in self.statistics)
        return (JointPieces if joint else Pieces)(
            self.problem.slopes(self.parameters), weights, self.problem.shares, self.basis,
            lambda: tuple(moment_root(group.gamma) if group.spread is None else Root(group.spread.root)
                          for group in self.statistics))

    @cached_property
    def expected(self) -> FloatArray:
        return self.pieces.information

    @property
    def observed_information(self) -> FloatArray:
        return self.expected

    @property
    def information(self) -> FloatArray:
        return self.expected

    @cached_property
    def bread(self) -> FloatArray:
        return invert(self.expected, self.basis)

    @cached_property
    def small_vcov(self) -> FloatArray:
        """Covariance matrix of the ``q`` parameters."""
        if self.options.se == "none":
            return np.full((self.table.n_unique,) * 2, np.nan)
        if self.options.se == "robust.sem":
            return sandwich(self.bread, self.pieces.meat) / self.total
        return self.bread / self.total

    @cached_property
    def vcov(self) -> FloatArray:
        return self._with_followers(self.small_vcov)

    @cached_property
    def simple_vcov(self) -> FloatArray:
        """Of the same estimates if as many respondents had been drawn one by one with equal probability."""
        own = self.pieces
        simple = Pieces(own.slopes, own.weights, own.shares, own.basis, lambda: tuple(
            moment_root(group.spread.simple) for group in self.statistics if group.spread is not None))
        return self._with_followers(sandwich(self.bread, simple.meat) / self.total)

    def _with_followers(self, small: FloatArray) -> FloatArray:
        """The covariance matrix of parameters and of what follows from them."""
        if not self.layout.follower_rows:
            return small
        moves = self.responses.followers_slope(self.parameters[None])[0]
        whole = np.concatenate([np.eye(self.table.n_unique), moves])
        return np.asarray(whole @ small @ whole.T)

    @cached_property
    def df(self) -> int:
        return sum(len(group.vector) for group in self.statistics) - self.n_free

    @cached_property
    def scales(self) -> tuple[FloatArray, ...]:
        """Scales ``d (p,)`` of the outcomes of each group; under theta given the covariates."""
        out = []
        for group in self.responses.groups:
            from semkit.estimate.implied import imply

            implied = imply(group.block, self.minimum.x, self.responses.given)
            out.append(scales_of(group, implied.sigma[:, group.y, group.y], self.parameters[None])[0])
        return tuple(out)

    @cached_property
    def rows(self) -> RowValues:
        """Values of all rows of the table; response scales that follow have no derivatives."""
        found = row_values(self.table, self.layout, self.minimum.x, self.given)
        value = found.value.copy()
        for i in self.scale_rows:
            if self.table.free[i] == 0 and np.isnan(self.table.value[i]):
                g = int(self.table.block[i]) - 1
                value[0, i] = self.scales[g][self.outcomes.index(self.table.lhs[i])]
        return RowValues(value, found.slope)

    @cached_property
    def scale_rows(self) -> list[int]:
        """Rows of response scales."""
        return [i for i in range(len(self.table)) if self.table.op[i] == "~*~"]

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Observed variables other than covariates."""
        covariates = self.table.variables.ov_x
        return tuple(name for name in self.table.variables.ov if name not in covariates)

    def settle(self, rows: Mapping[str, RowValues]) -> Mapping[str, RowValues]:
        """What follows has no error of its own in raw units; a standardised response has the scale 1."""
        out = {}
        for kind, values in rows.items():
            value, slope = values.value.copy(), values.slope.copy()
            if kind == "raw":
                slope[:, list(self.layout.follower_rows)] = 0.0
            elif kind != "std_lv":
                value[:, self.scale_rows] = 1.0
                slope[:, self.scale_rows] = 0.0
            out[kind] = RowValues(value, slope)
        return out

    def posterior_moments(self) -> list[tuple[FloatArray, FloatArray]]:
        """Posterior modes of the factors and inverse curvatures, ``(n, m)`` each, by group."""
        from semkit.fitting.ordinalscores import modal_scores

        values, errors = modal_scores(self)
        return [(value, error**2) for value, error in zip(values, errors, strict=True)]

    @cached_property
    def pair_notes(self) -> tuple[Note, ...]:
        """Empty cells and correlations without an estimate."""
        labels = self.table.groups if self.table.n_groups > 1 else ("",)
        return tuple(note for label, group in zip(labels, self.statistics, strict=True)
                     for note in pair_notes(group, self.outcomes, label))


def moment_root(gamma: FloatArray) -> Root:
    """``R`` with ``R'R = Gamma``: Cholesky's, or from eigenvalues where ``Gamma`` is singular."""
    try:
        return Root(np.asarray(np.linalg.cholesky(gamma).T))
    except np.linalg.LinAlgError:
        return root_of(gamma)


def plain_constraints(table: ParameterTable) -> TableConstraints | None:
    """Constraints as functions of the ``q`` parameters."""
    bounded = np.isfinite(table.lower[table.free_rows]) | np.isfinite(table.upper[table.free_rows])
    if not (table.equalities or table.inequalities or bounded.any()):
        return None
    layout = make_layout(table)
    return make_constraints(table, layout, np.zeros((1, len(layout.given_rows))))


def fit_categorical(
    table: ParameterTable, options: Options, sample: Sample, statistics: tuple[Categorical, ...],
    thresholds: Mapping[str, int], levels: Mapping[str, tuple[str, ...]], weights: tuple[Weight, ...],
    start: FloatArray | None = None,
) -> OrdinalSolution:
    """Estimate a model from two-step moments.

    Statistics are multiplied by ``N - G`` and group shares are ``(n_g - 1) / (N - G)``, as lavaan does for least
    squares.
    """
    described = tuple(_described(table, part, data.data, data.weights)
                      for part, data in zip(statistics, sample.groups, strict=True))
    table = _bounded(table, options, tuple(part[0] for part in described))
    layout = response_layout(table, thresholds)
    counts = [group.nobs - 1 for group in statistics]
    total = float(sum(counts))
    model = ResponseModel(make_responses(table, layout, thresholds), np.zeros((1, len(layout.given_rows))))
    groups = tuple(MomentGroup(part.vector[None], weight, count / total, part.gamma)
                   for part, weight, count in zip(statistics, weights, counts, strict=True))
    problem = LeastSquares(model, groups)
    starts = _starts(table, layout, model, statistics, described, start)
    minimum = solve(problem, starts, plain_constraints(table))
    given = _given(table, layout, described)
    observed = tuple(Observed(cov[None], mean[None], np.array([_logdet(cov)]), count / total)
                     for (cov, mean, _, _), count in zip(described, counts, strict=True))
    moments = tuple(GroupMoments(raw_mean[None], raw_cov[None], np.zeros((1, 0)), float(part.nobs))
                    for (_, _, raw_cov, raw_mean), part in zip(described, statistics, strict=True))
    return OrdinalSolution(
        table, layout, options, sample, moments, observed, given, replace(minimum, x=model.extend(minimum.x)), total,
        thresholds=thresholds, levels=levels, statistics=statistics, problem=problem,
    )


def _bounded(table: ParameterTable, options: Options, covs: tuple[FloatArray, ...]) -> ParameterTable:
    """The table with the bounds asked for, from the covariances of the responses.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-ordinal``: bounds from variances that are themselves estimated.
    """
    free = [table.lhs[i] for i in range(len(table)) if table.op[i] == "~*~" and table.free[i] > 0]
    if free and options.bounds in ("standard", "wide"):
        raise NotSupportedError(Problem("fitting.not-with-ordinal", f"bounds={options.bounds!r}", "with ordinal "
                                        f"indicators: the scales of {', '.join(dict.fromkeys(free))} are estimated, so "
                                        "that there is no variance to take bounds from", "none, pos.lv.var",
                                        "Use bounds='pos.lv.var', or lower() and upper() in the model text."))
    return bounded(table, options.bounds, covs)


def _logdet(cov: FloatArray) -> float:
    sign, value = np.linalg.slogdet(cov)
    return float(value) + len(cov) if sign > 0 else float("nan")


def _described(
    table: ParameterTable, part: Categorical, data: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Covariances and means of responses with covariates, and of the answers as they are."""
    names, covariates = table.variables.ov, table.variables.ov_x
    y = [k for k, name in enumerate(names) if name not in covariates]
    x = [names.index(name) for name in covariates]
    seen = (~np.isnan(data)).astype(np.float64)
    raw_mean = np.asarray(weights @ np.where(np.isnan(data), 0.0, data) / (weights @ seen))
    z = np.where(np.isnan(data), 0.0, data - raw_mean)
    raw_cov = (z.T @ (z * weights[:, None])) / np.maximum(seen.T @ (seen * weights[:, None]), 1e-300)
    cov, mean = raw_cov.copy(), raw_mean.copy()
    inner = raw_cov[np.ix_(x, x)] * (part.nobs / (part.nobs - 1.0))  # divisor N - 1, as lavaan has it here
    cov[np.ix_(x, x)] = inner
    cov[np.ix_(y, y)] = part.cov + part.slopes @ inner @ part.slopes.T
    cov[np.ix_(y, x)] = part.slopes @ inner
    cov[np.ix_(x, y)] = cov[np.ix_(y, x)].T
    level = np.array([0.0 if count else float(own[0]) for own, count in zip(part.levels, part.categories, strict=True)])
    mean[y] = level + part.slopes @ raw_mean[x]
    return cov, mean, raw_cov, raw_mean


def _given(
    table: ParameterTable, layout: Layout, described: tuple[tuple[FloatArray, ...], ...]
) -> FloatArray:
    """Moments of the covariates, for everything that is not conditional on them."""
    out = np.zeros((1, len(layout.given_rows)))
    names = table.variables.ov
    for k, row in enumerate(layout.given_rows):
        cov, mean = described[int(table.block[row]) - 1][:2]
        lhs = names.index(table.lhs[row])
        out[0, k] = mean[lhs] if table.op[row] == "~1" else cov[lhs, names.index(table.rhs[row])]
    return out


def _starts(
    table: ParameterTable, layout: Layout, model: ResponseModel, statistics: tuple[Categorical, ...],
    described: tuple[tuple[FloatArray, ...], ...], own: FloatArray | None,
) -> Iterator[FloatArray]:
    """Starting vectors ``(1, q)``: from the correlations of responses, simple ones, three near the first."""
    plain = tuple((part[0], part[1]) for part in described)
    count = table.n_unique

    def complete(simple: bool) -> FloatArray:
        theta = starting_values(table, layout, plain, simple=simple)[:count]
        for group, part in zip(model.groups, statistics, strict=True):
            free = group.scales.source >= 0
            theta[group.scales.source[free]] = 1.0
            cut = (group.thresholds.source >= 0) & group.ordinal[group.variable]
            theta[group.thresholds.source[cut]] = np.concatenate(part.levels)[cut]
        rows = table.free_rows
        wanted = np.isfinite(table.start[rows])
        theta[table.unique[wanted]] = table.start[rows][wanted]
        return theta

    first = complete(False)
    if own is not None:
        yield np.where(np.isfinite(own), own, first)[None]
    yield first[None]
    yield complete(True)[None]
    for seed in range(3):
        generator = np.random.default_rng(seed)
        yield (first + 0.2 * np.maximum(np.abs(first), 0.1) * generator.standard_normal(count))[None]
