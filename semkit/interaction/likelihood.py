"""The likelihood of all groups: what is maximised, and what errors are made of."""

from __future__ import annotations

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
from semkit.interaction.total import total_implied, variances, variances_only
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
    known : ndarray (n, k)
        Centred values of the variables without error.
    points : Points
    """

    model: Conditioned
    who: Respondents
    known: FloatArray
    points: Points


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
            )
        return replace(total, logl=total.logl - self.offset)

    def implied(self, theta: FloatArray) -> tuple[Implied, ...]:
        """Total moments of each group, products included."""
        return tuple(total_implied(p.model, theta, self.given, p.known) for p in self.parts)

    def variances(self, theta: FloatArray, *, slopes: bool = True) -> list[tuple[FloatArray, FloatArray]]:
        """Total variances of observed variables and eta of each group, with derivatives."""
        if slopes:
            return [variances(p.model, theta, self.given, p.known) for p in self.parts]
        return [(variances_only(p.model, theta, self.given, p.known), np.zeros((0, 0))) for p in self.parts]

    def eta_moments(self, theta: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """Posterior means and variances of eta by group, ``(n, m)`` each."""
        return [eta_moments(p.model, theta, self.given, p.who, p.points) for p in self.parts]

    def reweighted(self, weights: list[FloatArray], given: FloatArray) -> MixtureObjective:
        """The same with a count for every respondent of each group, known values centred anew."""
        parts = []
        for part, weight in zip(self.parts, weights, strict=True):
            centre = weight @ part.known / weight.sum()
            drawn = np.repeat(part.known, weight.astype(np.int64), axis=0) if part.known.shape[1] else part.known
            model = replace(part.model, centre=part.model.centre + centre * _scale_of_known(part.model))
            parts.append(replace(part, model=model, who=part.who.weighted(weight, centre), known=drawn - centre))
        return replace(self, parts=tuple(parts), given=given)

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
    def eta_moments(self, theta: FloatArray) -> list[tuple[FloatArray, FloatArray]]: ...
    def reweighted(self, weights: list[FloatArray], given: FloatArray) -> Likelihood: ...


def make_quasi(
    layout: Layout, crossings: tuple[tuple[Crossing, ...], ...], data: tuple[FloatArray, ...], start: FloatArray,
    given: FloatArray, offset: float,
) -> QuasiObjective:
    """The quasi-likelihood of all groups."""
    parts: list[QuasiPart] = []
    for block, own, rows in zip(layout.blocks, crossings, data, strict=True):
        means = dict(zip(block.observed, np.nanmean(rows, axis=0).tolist(), strict=True))
        parts.append(make_patterns(reduce(block, own, means), rows, start, given))
    return QuasiObjective(tuple(parts), given, offset=offset)


def known_values(block: Block, roles: Roles, data: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centred values of the variables without error, ``(n, k)``, in their own metric, and means of their columns.

    A construct with one indicator without error has the values of the indicator over its loading; where its variance
    is fixed instead, the loading is the indicator's standard deviation over the construct's.

    Raises
    ------
    NotSupportedError
        ``interaction.known-with-gaps``, ``interaction.scale-of-known``.
    """
    shown = error_free(block)
    lam = block.fixed[: block.p * block.m].reshape(block.p, block.m)
    psi = block.fixed[block.offsets[PSI] : block.offsets[PSI + 1]].reshape(block.m, block.m)
    free = {(int(r), int(c)) for k, r, c in zip(block.free.kind, block.free.row, block.free.col, strict=True)
            if k == LAMBDA}
    out, centre, problems = [], [], []
    for j in roles.known:
        column = data[:, shown[j]]
        if np.isnan(column).any():
            problems.append(Problem(
                "interaction.known-with-gaps", f'"{block.eta[j]}"',
                "is a factor of a product, measured without error, and some respondents have no value",
                "values of every respondent for the factors of products that have no error",
                "Use missing='listwise', or give its indicator an error variance."))
        loading = lam[shown[j], j]
        if (shown[j], j) in free:
            loading = float(np.std(column)) / np.sqrt(psi[j, j])
            if j in roles.inner:
                problems.append(Problem(
                    "interaction.scale-of-known", f'"{block.eta[j]}"',
                    "is an outcome with one indicator without error, whose loading is free",
                    "a loading of 1", f"Write {block.eta[j]} =~ 1*{block.observed[shown[j]]}."))
        out.append((column - column.mean()) / loading)
        centre.append(float(column.mean()))
    if problems:
        raise NotSupportedError(*problems)
    return (np.column_stack(out) if out else np.zeros((len(data), 0))), np.array(centre)


def _scale_of_known(model: Conditioned) -> FloatArray:
    """Fixed loadings ``(k,)`` of the columns that show the known variables (1 where they are free)."""
    lam = model.block.fixed[: model.block.p * model.block.m].reshape(model.block.p, model.block.m)
    found = [lam[: model.p, j].sum() for j in model.roles.known]
    return np.array([value or 1.0 for value in found])


def make_parts(
    layout: Layout, crossings: tuple[tuple[Crossing, ...], ...], data: tuple[FloatArray, ...], start: FloatArray,
    given: FloatArray, count: int, *, adaptive: bool,
) -> tuple[Part, ...]:
    """Choose what is integrated out and place the points, from starting values.

    Parameters
    ----------
    start : ndarray (q,)
        Of the linear model, coefficients of products 0.
    """
    out = []
    for block, own, rows in zip(layout.blocks, crossings, data, strict=True):
        roles = choose_roles(block, own, _widths(block, own, layout.n_parameters, rows, start, given))
        known, centre = known_values(block, roles, rows)
        model = condition(block, own, roles, layout.n_parameters, centre)
        who = make_respondents(rows, known)
        if model.d:
            who = who.ordered(linear_posterior(model, start, given, who)[0][:, 0])
        out.append(Part(model, who, known, place(model, start, given, who, count, adaptive=adaptive)))
    return tuple(out)


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
