"""Estimation of models with latent products by their likelihood: solution and diagnoses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note
from semkit.estimate.expressions import TableConstraints, make_constraints
from semkit.estimate.implied import Implied
from semkit.estimate.information import invert
from semkit.estimate.layout import Layout
from semkit.estimate.standardize import Scales
from semkit.fitting import weighting
from semkit.fitting.maxima import (
    RESCUE,
    Reached,
    choose,
    disturbed,
    is_proper,
    plain_starts,
    product_scale,
    products_of,
    start_from,
)
from semkit.fitting.options import Options
from semkit.fitting.solution import Solution, fit_moments, given_values
from semkit.interaction.crossing import Crossing, find_crossings, linear_layout, without_products
from semkit.interaction.likelihood import Likelihood, MixtureObjective, for_minimiser, make_parts, make_quasi
from semkit.interaction.method import LMS, QML
from semkit.interaction.mixture import Evaluation
from semkit.interaction.total import centres
from semkit.model import ParameterTable
from semkit.numerics.newton import Minimum, minimise
from semkit.numerics.quasi import descend
from semkit.sample import Sampling
from semkit.sample.arrays import GroupMoments, Sample

FloatArray = NDArray[np.float64]

_REPLACED = 4  # how often the points may be placed anew
_LEGS = 12  # Hessians computed at most
_LAST = 1e-10  # decrement of the discrepancy from which one Newton step is the last
_MOVED = 0.1  # squared distance in standard errors that estimates may have moved since the points were placed


@dataclass(frozen=True, eq=False)
class ModeratedSolution(Solution):
    """A model with latent products at its maximum.

    Parameters
    ----------
    objective : Likelihood
        LMS: with the points at which the maximum was found.
    linear : Solution
        The same model with all products left out.
    method : LMS or QML
    final : Evaluation
        At the last point but one, less than 1e-4 of a standard error away.
    reached : tuple of Reached
        Where each start ended.
    """

    objective: Likelihood = field(kw_only=True)
    linear: Solution = field(kw_only=True)
    method: LMS | QML = field(kw_only=True)
    final: Evaluation = field(kw_only=True)
    reached: tuple[Reached, ...] = field(default=(), kw_only=True)

    @property
    def by_moments(self) -> bool:
        return False

    @property
    def tried(self) -> str:
        return (f"{self.minimum.attempts} starts were tried (estimates of the model without products, simple values, "
                f"disturbed ones); the best ended with a log-likelihood of {self.logl:.2f}.")

    @property
    def logl(self) -> float:
        """Log-likelihood, conditional on fixed covariates."""
        return self.objective.level - 0.5 * self.total * float(self.minimum.f[0])

    @cached_property
    def implied(self) -> tuple[Implied, ...]:
        """Total moments of each group, products included."""
        return self.objective.implied(self.theta)

    @cached_property
    def scales(self) -> Scales:
        """Total standard deviations of all variables with derivatives."""
        sd, slope, names = [], [], []
        for (variance, by), block in zip(self.objective.variances(self.theta), self.layout.blocks, strict=True):
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
        sd = [np.concatenate([*(np.sqrt(v) for v, _ in self.objective.variances(one, slopes=False)), [1.0, np.nan]])
              for one in theta]
        names = tuple(block.observed + block.eta for block in self.layout.blocks)
        whole = np.array(sd)
        return Scales(names, whole, np.zeros((*whole.shape, self.layout.n_parameters if slopes else 0)))

    def posterior_moments(self) -> list[tuple[FloatArray, FloatArray]]:
        """Posterior means and variances of the latent variables given the answers, ``(n, k)`` each."""
        out = []
        for (mean, variance), block in zip(self.objective.eta_moments(self.theta), self.layout.blocks, strict=True):
            pick = [block.eta.index(name) for name in self.table.variables.lv]
            out.append((mean[:, pick], variance[:, pick]))
        return out

    @cached_property
    def observed_information(self) -> FloatArray:
        hessian = self.final.hessian
        if hessian is None or not self.converged:
            return np.full((self.layout.n_parameters,) * 2, np.nan)
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

    @property
    def centred(self) -> frozenset[str]:
        """Observed variables of the first group that are centred in their products."""
        objective, block = self.objective, self.layout.blocks[0]
        if isinstance(objective, MixtureObjective):
            return frozenset(block.eta[j] for j in objective.parts[0].model.roles.known)
        return frozenset(block.observed)

    @cached_property
    def centres(self) -> dict[str, float]:
        """What constructs that are outcomes without error are centred at in their products (``name.g2`` ...)."""
        out: dict[str, float] = {}
        if isinstance(self.objective, MixtureObjective):
            for g, part in enumerate(self.objective.parts):
                suffix = f".g{g + 1}" if g else ""
                found = centres(part.model, self.theta, self.given[0])
                out |= {part.model.block.eta[j] + suffix: value for j, value in found.items()}
        return out

    @cached_property
    def bread_observed(self) -> FloatArray:
        """Inverse observed information per respondent."""
        return invert(self.observed_information, self.basis)

    @cached_property
    def case_scores(self) -> FloatArray:
        if self.final.scores is None or not self.converged:
            return np.full((round(self.total), self.layout.n_parameters), np.nan)
        return self.final.scores

    def replicate_estimates(self, sampling: Sampling) -> FloatArray:
        from semkit.fitting.redraw import replicate_estimates

        return replicate_estimates(self, sampling)

    @cached_property
    def meat(self) -> FloatArray:
        if self.sampling is not None:
            return weighting.meat(self, self.sampling)
        return self.case_scores.T @ self.case_scores / self.total


def fit_moderated(
    table: ParameterTable, options: Options, moments: tuple[GroupMoments, ...], sample: Sample, method: LMS | QML,
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
    data = tuple((group.data, group.weights) for group in sample.groups)
    constraints = make_constraints(table, layout, given)
    ends: list[tuple[Likelihood, Summit]] = []
    reached: list[Reached] = []

    def climb(first: FloatArray, begin: FloatArray) -> None:
        likelihood, summit = _attempt(layout, crossings, data, given[0], first, begin, constraints, method,
                                      covariate_density(linear))
        ends.append((likelihood, summit))
        logl = likelihood.level - 0.5 * likelihood.n * float(summit.minimum.f[0])
        theta = summit.minimum.x[0]
        reached.append(Reached(logl, bool(summit.minimum.converged[0]), is_proper(table, theta),
                               products_of(table, theta)))

    for values in plain_starts(linear):
        first = start_from(table, plain, values)
        climb(first, first if start is None else np.where(np.isfinite(start), start, first))
        if reached[-1].converged:
            break
    usual = start_from(table, plain, next(plain_starts(linear)))
    good = any(one.converged and one.proper for one in reached)
    others = disturbed(table, usual, product_scale(table, linear))
    while len(reached) < (method.starts if good else max(method.starts, RESCUE)):
        try:
            climb(usual, next(others))
        except np.linalg.LinAlgError:  # the start is no possible model
            reached.append(Reached(float("nan"), False, False))
            ends.append(ends[0])
    objective, summit = ends[choose(reached)]
    minimum = replace(summit.minimum, attempts=len(reached))
    return ModeratedSolution(table, layout, options, sample, moments, linear.observed, given,
                             minimum, float(objective.n), None, objective=objective, linear=linear,
                             method=method, final=summit.final, reached=tuple(reached))


def _attempt(
    layout: Layout, crossings: tuple[tuple[Crossing, ...], ...], groups: tuple[tuple[FloatArray, FloatArray], ...],
    given: FloatArray, first: FloatArray, begin: FloatArray, constraints: TableConstraints | None, method: LMS | QML,
    offset: float,
) -> tuple[Likelihood, Summit]:
    """The maximum that one start leads to; ``groups`` have data and sampling weights."""
    data, weights = (tuple(part) for part in zip(*groups, strict=True))
    if isinstance(method, QML):
        quasi = make_quasi(layout, crossings, data, first, given, offset, weights)
        quasi = replace(quasi, level=quasi.at(begin, "gradient").logl)
        return quasi, _climb(quasi, begin, constraints, rough=True)
    parts = make_parts(layout, crossings, data, first, given, method.nodes, weights, adaptive=method.adaptive)
    mixture = MixtureObjective(parts, given, offset=offset)
    mixture = replace(mixture, level=mixture.at(begin, "gradient").logl)
    return _settle(mixture, begin, constraints, method)


def _settle(
    objective: MixtureObjective, start: FloatArray, constraints: TableConstraints | None, method: LMS
) -> tuple[MixtureObjective, Summit]:
    """The maximum, and again with the points placed where it was found until that moves it no more."""
    summit = _climb(objective, start, constraints)
    for _ in range(_REPLACED if objective.integrates else 0):
        theta = summit.minimum.x[0]
        if not summit.minimum.converged[0]:
            break
        try:
            again = objective.replaced(theta, method.nodes, adaptive=method.adaptive)
        except np.linalg.LinAlgError:  # a variance of an integrated variable is not positive
            break
        moved = _climb(again, theta, constraints)
        if not moved.minimum.converged[0]:
            break
        step = moved.minimum.x[0] - theta
        change = float(step @ moved.minimum.hessian[0] @ step) * objective.n / 2.0
        objective, summit = again, moved
        if change < _MOVED:
            break
    return objective, summit


@dataclass(frozen=True, eq=False)
class Summit:
    """A maximum: as the optimiser says it, and the log-likelihood with all derivatives next to it."""

    minimum: Minimum
    final: Evaluation


def _climb(
    objective: Likelihood, start: FloatArray, constraints: TableConstraints | None, *, rough: bool = False
) -> Summit:
    """Quasi-Newton steps with gradients, which cost a tenth of a Hessian, from one Hessian; Newton's last step.

    With constraints all steps are those of constrained Newton.
    """
    n = objective.n
    if constraints is not None:
        with np.errstate(all="ignore"):
            minimum = minimise(for_minimiser(objective), start[None], constraints=constraints, scoring_steps=1,
                               max_iterations=100)
        return Summit(minimum, objective.at(minimum.x[0]))

    def value(x: FloatArray) -> tuple[float, FloatArray]:
        found = objective.at(x, "gradient")
        return -2.0 / n * (found.logl - objective.level), -2.0 / n * found.gradient

    x, calls = start, 0
    if rough:  # outer products of scores are near enough to begin with
        here = objective.at(x, "outer")
        if here.outer is not None and np.all(np.isfinite(here.outer)):
            run = descend(value, x, 2.0 / n * here.outer, tolerance=1e-12, max_calls=150)
            x, calls = run.x, 1 + run.calls
    for _ in range(_LEGS):
        here = objective.at(x)
        calls += 1
        if here.hessian is None or here.outer is None or not np.all(np.isfinite(here.hessian)):
            break
        slope, curve = -2.0 / n * here.gradient, -2.0 / n * here.hessian
        step = -np.linalg.lstsq(curve, slope, rcond=None)[0]
        decrement = -float(slope @ step)
        inside = bool(np.all(np.linalg.eigvalsh(curve) > 0.0))
        if inside and decrement < _LAST:
            f = -2.0 / n * (here.logl - objective.level) - 0.5 * decrement
            return Summit(_ended(x + step, f, slope + curve @ step, curve, decrement, True, calls), here)
        run = descend(value, x, curve if inside else 2.0 / n * here.outer, tolerance=1e-13, max_calls=150)
        x, calls = run.x, calls + run.calls
    here = objective.at(x)
    hessian = np.full((len(x), len(x)), np.nan) if here.hessian is None else here.hessian
    f = -2.0 / n * (here.logl - objective.level)
    f = f if np.isfinite(f) else np.inf
    return Summit(_ended(x, f, -2.0 / n * here.gradient, -2.0 / n * hessian, np.inf, False, calls), here)


def _ended(
    x: FloatArray, f: float, gradient: FloatArray, hessian: FloatArray, decrement: float, converged: bool, calls: int
) -> Minimum:
    nothing = np.zeros((1, 0))
    return Minimum(x[None], np.array([f]), gradient[None], hessian[None], nothing, nothing.astype(bool),
                   np.array([decrement]), np.array([converged]), calls)


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
    objective, method = solution.objective, solution.method
    if isinstance(method, QML) or not isinstance(objective, MixtureObjective) or not objective.integrates:
        return None
    count = max(method.nodes + 8, (3 * method.nodes) // 2)
    try:
        finer = objective.replaced(solution.theta, count, adaptive=True)
    except np.linalg.LinAlgError:
        return None
    found = finer.at(solution.theta, "gradient")
    step = solution.bread_observed @ found.gradient / solution.total
    error = np.sqrt(np.maximum(np.diagonal(solution.bread_observed) / solution.total, 1e-300))
    size = np.abs(step) / error
    worst = int(np.nanargmax(size)) if np.isfinite(size).any() else 0
    row = int(solution.table.free_rows[int(np.flatnonzero(solution.table.unique == worst)[0])])
    return NodeCheck(count, found.logl - solution.logl, float(size[worst]), solution.table.names[row])


def node_notes(solution: ModeratedSolution) -> tuple[Note, ...]:
    """A warning with the measured effect when more nodes change the answer."""
    method = solution.method
    if isinstance(method, QML) or not method.check:
        return ()
    found = check_nodes(solution)
    if found is None or (abs(found.logl) < 0.01 and found.shift < 0.01):
        return ()
    return (Note(
        "fitting.too-few-nodes", "warning",
        f"with {found.nodes} nodes the log-likelihood changes by {found.logl:+.3g} and the estimate of "
        f"{found.parameter} by {found.shift:.2g} standard errors.", f"{method.nodes} nodes",
        "The integral is not accurate: constructs are measured reliably, or the interaction is strong.",
        f"Use interaction=sk.LMS(nodes={found.nodes}).",
    ),)
