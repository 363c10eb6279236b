"""Estimation of models with latent products by their likelihood: solution and diagnoses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note
from semkit.estimate.expressions import make_constraints
from semkit.estimate.implied import Implied
from semkit.estimate.information import invert
from semkit.estimate.standardize import Scales
from semkit.fitting.options import Options
from semkit.fitting.solution import Solution, fit_moments, given_values
from semkit.interaction.crossing import find_crossings, linear_layout, product_rows, without_products
from semkit.interaction.likelihood import MixtureObjective, make_parts
from semkit.interaction.method import LMS
from semkit.interaction.mixture import Evaluation, eta_moments
from semkit.interaction.total import total_implied, variances, variances_only
from semkit.model import ParameterTable
from semkit.numerics.newton import Minimum, minimise
from semkit.sample.arrays import GroupMoments, Sample

FloatArray = NDArray[np.float64]

_REPLACED = 4  # how often the points may be placed anew
_STILL = 1e-3  # change of an estimate, in standard errors, that more nodes or new points may make


@dataclass(frozen=True, eq=False)
class ModeratedSolution(Solution):
    """A model with latent products at its maximum.

    Parameters
    ----------
    objective : MixtureObjective
        With the points at which the maximum was found.
    linear : Solution
        The same model with all products left out.
    method : LMS
    """

    objective: MixtureObjective = field(kw_only=True)
    linear: Solution = field(kw_only=True)
    method: LMS = field(kw_only=True)

    @cached_property
    def final(self) -> Evaluation:
        """Log-likelihood, gradient, Hessian and outer products at the estimates."""
        return self.objective.at(self.theta)

    @property
    def logl(self) -> float:
        return self.final.logl

    @cached_property
    def implied(self) -> tuple[Implied, ...]:
        """Total moments of each group, products included."""
        return tuple(total_implied(p.model, self.theta, self.given[0], p.known) for p in self.objective.parts)

    @cached_property
    def scales(self) -> Scales:
        """Total standard deviations of all variables with derivatives."""
        sd, slope, names = [], [], []
        for part, block in zip(self.objective.parts, self.layout.blocks, strict=True):
            variance, by = variances(part.model, self.theta, self.given[0], part.known)
            with np.errstate(invalid="ignore", divide="ignore"):
                root = np.sqrt(np.where(variance > 0.0, variance, np.nan))
                sd.append(root)
                slope.append(by / (2.0 * root[:, None]))
            names.append(block.observed + block.eta)
        q = self.layout.n_parameters
        whole = np.concatenate([*sd, [1.0, np.nan]])
        moves = np.concatenate([*slope, np.zeros((2, q))])
        return Scales(tuple(names), whole[None], moves[None])

    def scales_at(self, theta: FloatArray, given: FloatArray, *, slopes: bool = True) -> Scales:
        if theta is self.minimum.x:
            return self.scales
        sd = [[np.sqrt(variances_only(p.model, one, self.given[0], p.known)) for p in self.objective.parts]
              for one in theta]
        whole = np.array([np.concatenate([*each, [1.0, np.nan]]) for each in sd])
        return Scales(self.scales.names, whole, np.zeros((*whole.shape, self.layout.n_parameters if slopes else 0)))

    def posterior_moments(self) -> list[tuple[FloatArray, FloatArray]]:
        """Posterior means and variances of the latent variables given the answers, ``(n, k)`` each."""
        out = []
        for part in self.objective.parts:
            mean, variance = eta_moments(part.model, self.theta, self.given[0], part.who, part.points)
            pick = [part.model.block.eta.index(name) for name in self.table.variables.lv]
            out.append((mean[:, pick], variance[:, pick]))
        return out

    @cached_property
    def observed_information(self) -> FloatArray:
        hessian = self.final.hessian
        assert hessian is not None
        information = -hessian / self.total
        constraints = self.constraints
        if constraints is not None:
            curve = constraints.curvature(self.minimum.x, np.arange(1), self.minimum.multiplier)[0]
            information = information + 0.5 * curve
        return np.asarray(information)

    @property
    def expected(self) -> FloatArray:
        """The observed information: expected information has no closed form here."""
        return self.observed_information

    @property
    def expected_with_gaps(self) -> FloatArray:
        return self.observed_information

    @cached_property
    def bread_observed(self) -> FloatArray:
        """Inverse observed information per respondent."""
        return invert(self.observed_information, self.basis)

    @cached_property
    def meat(self) -> FloatArray:
        assert self.final.outer is not None
        return self.final.outer / self.total


def fit_moderated(
    table: ParameterTable, options: Options, moments: tuple[GroupMoments, ...], sample: Sample, method: LMS,
    composites: tuple[str, ...] = (), start: FloatArray | None = None,
) -> ModeratedSolution:
    """Maximise the likelihood of a model with latent products.

    The linear model comes first; its estimates are the start, its posterior distributions place the points, which are
    placed anew where the maximum was found until that changes nothing.
    """
    layout = linear_layout(table)
    crossings = find_crossings(table, layout)
    plain = without_products(table)
    linear = fit_moments(plain, options, moments, sample, composites)
    given = given_values(table, layout, moments, composites, (1.0,) * len(moments))
    first = start_from(table, plain, linear.theta)
    data = tuple(group.data for group in sample.groups)
    parts = make_parts(layout, crossings, data, first, given[0], method.nodes, adaptive=method.adaptive)
    objective = MixtureObjective(parts, given[0], offset=covariate_density(linear))
    if start is not None:
        first = np.where(np.isfinite(start), start, first)
    objective = replace(objective, level=objective.at(first, "gradient").logl)
    constraints = make_constraints(table, layout, given)
    minimum = _climb(objective, first, constraints)
    for _ in range(_REPLACED):
        theta = minimum.x[0]
        again = objective.replaced(theta, method.nodes, adaptive=method.adaptive)
        if not minimum.converged[0] or not np.all(np.isfinite(theta)):
            break
        moved = _climb(again, theta, constraints, near=True)
        if not moved.converged[0]:
            break
        step = moved.x[0] - theta
        change = float(step @ moved.hessian[0] @ step) * objective.n / 2.0
        objective, minimum = again, moved
        if change < _STILL**2:
            break
    return ModeratedSolution(table, layout, options, sample, moments, linear.observed, given, minimum,
                             float(objective.n), None, objective=objective, linear=linear, method=method)


def _climb(objective: MixtureObjective, start: FloatArray, constraints: object, *, near: bool = False) -> Minimum:
    with np.errstate(all="ignore"):
        return minimise(objective, start[None], constraints=constraints,  # type: ignore[arg-type]
                        scoring_steps=0 if near else 1, max_iterations=100)


def start_from(table: ParameterTable, plain: ParameterTable, theta: FloatArray) -> FloatArray:
    """Estimates of the linear model in the places of the full one; coefficients of products 0 or as the text says."""
    known = {(plain.block[row], plain.lhs[row], plain.op[row], plain.rhs[row]): theta[plain.unique[k]]
             for k, row in enumerate(plain.free_rows)}
    out = np.zeros(table.n_unique)
    for k, row in enumerate(table.free_rows):
        key = (table.block[row], table.lhs[row], table.op[row], table.rhs[row])
        if key in known:
            out[table.unique[k]] = known[key]
        elif np.isfinite(table.start[row]):
            out[table.unique[k]] = table.start[row]
    return out


def covariate_density(linear: Solution) -> float:
    """Normal log-density of fixed covariates, by which a joint likelihood becomes a conditional one."""
    names = linear.table.variables.ov
    x = [names.index(name) for name in linear.table.variables.ov_x] if np.any(linear.table.exo) else []
    total = 0.0
    if x:
        for group in linear.moments:
            s = group.cov[0][np.ix_(x, x)]
            total -= 0.5 * group.nobs * (len(x) * (np.log(2 * np.pi) + 1.0) + float(np.linalg.slogdet(s)[1]))
    return total


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """What integration with more points changes: log-likelihood, and the largest change of an estimate in errors.

    Parameters
    ----------
    nodes : int
        Points for each variable that were compared with.
    logl : float
    shift : float
    parameter : str
        Whose estimate changes most.
    """

    nodes: int
    logl: float
    shift: float
    parameter: str


def check_nodes(solution: ModeratedSolution) -> NodeCheck | None:
    """One Newton step of the likelihood with half as many points more; None without integration.

    The change of the estimates is ``-H^-1 g`` with the finer gradient, along what constraints allow.
    """
    if all(part.model.d == 0 for part in solution.objective.parts):
        return None
    count = max(solution.method.nodes + 8, (3 * solution.method.nodes) // 2)
    finer = solution.objective.replaced(solution.theta, count, adaptive=True)
    found = finer.at(solution.theta, "gradient")
    step = solution.bread_observed @ (found.gradient - solution.final.gradient) / solution.total
    error = np.sqrt(np.maximum(np.diagonal(solution.bread_observed) / solution.total, 1e-300))
    size = np.abs(step) / error
    worst = int(np.nanargmax(size)) if np.isfinite(size).any() else 0
    row = int(solution.table.free_rows[int(np.flatnonzero(solution.table.unique == worst)[0])])
    return NodeCheck(count, found.logl - solution.logl, float(size[worst]), solution.table.names[row])


def node_notes(solution: ModeratedSolution) -> tuple[Note, ...]:
    """A warning with the measured effect when more nodes change the answer."""
    found = check_nodes(solution)
    if found is None or (abs(found.logl) < 0.01 and found.shift < 0.01):
        return ()
    return (Note(
        "fitting.too-few-nodes", "warning",
        f"with {found.nodes} nodes the log-likelihood changes by {found.logl:+.3g} and the estimate of "
        f"{found.parameter} by {found.shift:.2g} standard errors.", f"{solution.method.nodes} nodes",
        "The integral is not accurate: constructs are measured reliably, or the interaction is strong.",
        f"Use interaction=sk.LMS(nodes={found.nodes}).",
    ),)


def n_products(table: ParameterTable) -> int:
    """Number of free product coefficients."""
    rows = product_rows(table)
    return len({int(table.unique[k]) for k, row in enumerate(table.free_rows) if rows[row]})
