"""The likelihood of all groups: what is maximised, and what errors are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem
from semkit.estimate.implied import Implied
from semkit.estimate.layout import LAMBDA, PSI, Block, Layout
from semkit.interaction.conditioning import Conditioned, condition
from semkit.interaction.crossing import Crossing, Roles, choose_roles, error_free
from semkit.interaction.mixture import Evaluation, Points, Respondents, eta_moments, evaluate, make_respondents
from semkit.interaction.placing import linear_posterior, place
from semkit.interaction.quasi import QuasiPart, make_patterns
from semkit.interaction.quasilikelihood import QuasiObjective
from semkit.interaction.reduced import reduce
from semkit.interaction.total import covariances, distinct, total_implied, variances, variances_only
from semkit.numerics.newton import Objective

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Part:
    """One group: its conditional model, its respondents and the points of the integral.

    Parameters
    ----------
    model : Conditioned
    who : Respondents
    known : Known
        The variables without error.
    points : Points
    values, share : ndarray (u, k), (u,)
        Different rows of the centred values of exogenous ones, and the shares of the respondents who have them.
    """

    model: Conditioned
    who: Respondents
    known: Known
    points: Points
    values: FloatArray
    share: FloatArray

    def weighted(self, weight: FloatArray) -> Part:
        """The same with case weights ``(n,)``, known values centred anew."""
        own = self.known.under(weight)
        values, share = distinct(own[:, list(self.known.outer)], weight)
        return replace(self, model=replace(self.model, centre=self.known.level(weight)),
                       who=self.who.weighted(weight, own), values=values, share=share)


@dataclass(frozen=True, eq=False)
class MixtureObjective:
    """The log-likelihood of all groups at fixed points.

    Parameters
    ----------
    parts : tuple of Part
    given : ndarray (e,)
        Data-dependent fixed values.
    level : float
        A log-likelihood that the value is counted from, so that it is near zero.
    offset : float
        Log-density of fixed covariates, which is taken away.
    """

    parts: tuple[Part, ...]
    given: FloatArray
    level: float = 0.0
    offset: float = 0.0

    @property
    def n(self) -> int:
        return sum(part.who.n for part in self.parts)

    def at(self, theta: FloatArray, order: str = "exact") -> Evaluation:
        """Log-likelihood with derivatives, summed over groups."""
        with np.errstate(all="ignore"):
            found = [evaluate(p.model, theta, self.given, p.who, p.points, order=order) for p in self.parts]
        total = found[0]
        for one in found[1:]:
            total = Evaluation(
                total.logl + one.logl, total.gradient + one.gradient,
                None if one.hessian is None or total.hessian is None else total.hessian + one.hessian,
                None if one.outer is None or total.outer is None else total.outer + one.outer,
                None if one.scores is None or total.scores is None else np.concatenate([total.scores, one.scores]),
            )
        return replace(total, logl=total.logl - self.offset)

    def implied(self, theta: FloatArray) -> tuple[Implied, ...]:
        """Total moments of each group, products included."""
        return tuple(total_implied(p.model, theta, self.given, p.values, p.share) for p in self.parts)

    def variances(self, theta: FloatArray, *, slopes: bool = True) -> list[tuple[FloatArray, FloatArray]]:
        """Total variances of observed variables and eta of each group, with derivatives."""
        if slopes:
            return [variances(p.model, theta, self.given, p.values, p.share) for p in self.parts]
        return [(variances_only(p.model, theta, self.given, p.values, p.share), np.zeros((0, 0)))
                for p in self.parts]

    def covariances(self, theta: FloatArray) -> list[FloatArray]:
        """Derivatives ``(q, p, p)`` of each group's total covariances of observed variables."""
        return [covariances(p.model, theta, self.given, p.values, p.share) for p in self.parts]

    def eta_moments(self, theta: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """Posterior means and variances of eta by group, ``(n, m)`` each."""
        return [eta_moments(p.model, theta, self.given, p.who, p.points) for p in self.parts]

    def reweighted(self, weights: list[FloatArray], given: FloatArray) -> MixtureObjective:
        """The same with a weight for every respondent of each group, known values centred anew."""
        parts = tuple(part.weighted(weight) for part, weight in zip(self.parts, weights, strict=True))
        return replace(self, parts=parts, given=given)

    @property
    def integrates(self) -> bool:
        """Whether anything is integrated out."""
        return any(part.model.d for part in self.parts)

    def replaced(self, theta: FloatArray, count: int, *, adaptive: bool) -> MixtureObjective:
        """The same with points placed anew at these parameters."""
        parts = tuple(
            replace(part, points=place(part.model, theta, self.given, part.who, count, adaptive=adaptive,
                                       before=part.points if adaptive and len(part.points.z) else None))
            for part in self.parts
        )
        return replace(self, parts=parts)


def for_minimiser(likelihood: Likelihood) -> Objective:
    """``-2 / N`` times the log-likelihood less its level, with outer products of scores in place of a rough Hessian."""

    def value(x: FloatArray, rows: IntArray, exact: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        scale = -2.0 / likelihood.n
        values, slopes, curves = [], [], []
        for theta in x:
            found = likelihood.at(theta, "exact" if exact else "outer")
            curve = found.hessian if exact else found.outer
            empty = np.full((len(theta),) * 2, np.nan)
            values.append(scale * (found.logl - likelihood.level))
            slopes.append(scale * found.gradient)
            curves.append(empty if curve is None else (scale if exact else -scale) * curve)
        return np.array(values), np.array(slopes), np.array(curves)

    return value


class Likelihood(Protocol):
    """What a solution needs of the function it maximises."""

    @property
    def n(self) -> int: ...
    @property
    def level(self) -> float: ...
    @property
    def given(self) -> FloatArray: ...
    def at(self, theta: FloatArray, order: str = "exact") -> Evaluation: ...
    def implied(self, theta: FloatArray) -> tuple[Implied, ...]: ...
    def variances(self, theta: FloatArray, *, slopes: bool = True) -> list[tuple[FloatArray, FloatArray]]: ...
    def covariances(self, theta: FloatArray) -> list[FloatArray]: ...
    def eta_moments(self, theta: FloatArray) -> list[tuple[FloatArray, FloatArray]]: ...
    def reweighted(self, weights: list[FloatArray], given: FloatArray) -> Likelihood: ...


def make_quasi(
    layout: Layout, crossings: tuple[tuple[Crossing, ...], ...], data: tuple[FloatArray, ...], start: FloatArray,
    given: FloatArray, offset: float, weights: tuple[FloatArray, ...],
) -> QuasiObjective:
    """The quasi-likelihood of all groups."""
    parts: list[QuasiPart] = []
    for block, own, rows, weight in zip(layout.blocks, crossings, data, weights, strict=True):
        means = dict(zip(block.observed, np.nanmean(rows, axis=0).tolist(), strict=True))
        parts.append(make_patterns(reduce(block, own, means), rows, start, given).weighted(weight))
    return QuasiObjective(tuple(parts), given, offset=offset)


@dataclass(frozen=True, eq=False)
class Known:
    """Variables without error in one group, which the data show up to place and scale.

    A construct with one indicator without error has the values of the indicator over its loading; where its variance
    is fixed instead, the loading is the indicator's standard deviation over the construct's.

    Parameters
    ----------
    columns : ndarray (n, k)
        The indicators that show them.
    loading : ndarray (k,)
        The indicator's loading; NaN where the construct's variance is fixed instead.
    deviation : ndarray (k,)
        The construct's standard deviation where that is fixed, else NaN.
    outer : tuple of int
        Which of them are exogenous.
    """

    columns: FloatArray
    loading: FloatArray
    deviation: FloatArray
    outer: tuple[int, ...]

    def level(self, weight: FloatArray) -> FloatArray:
        """Means ``(k,)`` of the indicators under case weights ``(n,)``."""
        return np.asarray(weight @ self.columns / weight.sum())

    def under(self, weight: FloatArray) -> FloatArray:
        """Values ``(n, k)`` in the metric of the constructs, centred at the means under case weights ``(n,)``."""
        centred = self.columns - self.level(weight)
        spread = np.sqrt(weight @ centred**2 / weight.sum())
        return np.asarray(centred / np.where(np.isnan(self.loading), spread / self.deviation, self.loading))


def find_known(block: Block, roles: Roles, data: FloatArray) -> Known:
    """The variables without error that are given, from the indicators ``(n, p)`` of a group."""
    shown = error_free(block)
    lam = block.fixed[: block.p * block.m].reshape(block.p, block.m)
    psi = block.fixed[block.offsets[PSI] : block.offsets[PSI + 1]].reshape(block.m, block.m)
    free = {(int(r), int(c)) for k, r, c in zip(block.free.kind, block.free.row, block.free.col, strict=True)
            if k == LAMBDA}
    scaled = [(shown[j], j) in free for j in roles.known]
    _require_known(block, roles, shown, data, scaled)
    loading = [np.nan if by_variance else lam[shown[j], j] for j, by_variance in zip(roles.known, scaled, strict=True)]
    deviation = [np.sqrt(psi[j, j]) if by_variance else np.nan
                 for j, by_variance in zip(roles.known, scaled, strict=True)]
    outer = tuple(k for k, j in enumerate(roles.known) if j not in roles.inner)
    return Known(data[:, [shown[j] for j in roles.known]], np.array(loading), np.array(deviation), outer)


def _require_known(
    block: Block, roles: Roles, shown: Mapping[int, int], data: FloatArray, scaled: Sequence[bool]
) -> None:
    """Refuse variables without error that the data do not show; ``scaled`` says whose loadings are free."""
    problems = []
    for j, by_variance in zip(roles.known, scaled, strict=True):
        if np.isnan(data[:, shown[j]]).any():
            problems.append(Problem(
                "interaction.known-with-gaps", f'"{block.eta[j]}"',
                "is a factor of a product, measured without error, and some respondents have no value",
                "values of every respondent for the factors of products that have no error",
                "Use missing='listwise', or give its indicator an error variance."))
        if by_variance and j in roles.inner:
            problems.append(Problem(
                "interaction.scale-of-known", f'"{block.eta[j]}"',
                "is an outcome with one indicator without error, whose loading is free",
                "a loading of 1", f"Write {block.eta[j]} =~ 1*{block.observed[shown[j]]}."))
    if problems:
        raise NotSupportedError(*problems)


def make_parts(
    layout: Layout, crossings: tuple[tuple[Crossing, ...], ...], data: tuple[FloatArray, ...], start: FloatArray,
    given: FloatArray, count: int, weights: tuple[FloatArray, ...], *, adaptive: bool,
) -> tuple[Part, ...]:
    """Choose what is integrated out and place the points, from starting values.

    Parameters
    ----------
    start : ndarray (q,)
        Of the linear model, coefficients of products 0.
    weights : tuple of ndarray (n,)
        Case weights of each group.
    """
    out = []
    for block, own, rows, weight in zip(layout.blocks, crossings, data, weights, strict=True):
        roles = choose_roles(block, own, _widths(block, own, layout.n_parameters, rows, start, given))
        known = find_known(block, roles, rows)
        model = condition(block, own, roles, layout.n_parameters, known.level(weight))
        out.append(make_part(model, known, rows, weight, start, given, count, adaptive=adaptive))
    return tuple(out)


def make_part(
    model: Conditioned, known: Known, data: FloatArray, weight: FloatArray, start: FloatArray, given: FloatArray,
    count: int, *, adaptive: bool,
) -> Part:
    """One group of :func:`make_parts`, once it is known what is integrated out."""
    values = known.under(weight)
    who = make_respondents(data, values).weighted(weight, values)
    if model.d:
        who = who.ordered(linear_posterior(model, start, given, who)[0][:, 0])
    points = place(model, start, given, who, count, adaptive=adaptive)
    return Part(model, who, known, points, *distinct(values[:, list(known.outer)], weight))


def _widths(
    block: Block, crossings: tuple[Crossing, ...], q: int, data: FloatArray, start: FloatArray, given: FloatArray
) -> dict[int, float]:
    """Posterior over prior variance of every latent factor of a product, under the linear model."""
    latent = sorted({f for c in crossings for f in c.factors} - set(error_free(block)))
    if not latent:
        return {}
    model = condition(block, (), Roles(tuple(latent), ()), q)
    seen = data[~np.isnan(data).any(axis=1)]
    who = make_respondents((seen if len(seen) else data)[:1], np.zeros((1, 0)))
    _, cov = linear_posterior(model, start, given, who)
    prior = np.diagonal(model.imply(start, given, np.zeros((1, len(latent)))).eta_cov[0])
    return {j: float(cov[0, k, k] / prior[j]) for k, j in enumerate(latent)}
