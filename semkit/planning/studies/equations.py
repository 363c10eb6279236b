"""Structural equations as data, and the population that follows from them.

An endogenous variable is the sum of its terms and a normal residual with variance 1 - Var(sum), so its variance is 1.
A term is ``coefficient x gate x (product of factors - its mean in the population)``; a gate is a group, 0 or 1.
Variances and means are constants of each study, found once from draws of 4,000,000 and checked by a test, so that every
machine makes the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from semkit.errors import OptionError, Problem
from semkit.planning.damage import RowDamage
from semkit.planning.draws import FloatArray, IntArray
from semkit.planning.objective import Answers
from semkit.planning.population import Population
from semkit.planning.streams import stream

Groups = dict[str, IntArray]
Latents = dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Term:
    """``coef x gate x (product of factors - center)``.

    Parameters
    ----------
    coef : float
    factors : tuple of str
        Latent variables (or what :attr:`Study.prepare` made of groups).
    center : float
        Mean of the product in the population; 0 for one factor.
    gate : str
        A 0/1 group, or empty.
    """

    coef: float
    factors: tuple[str, ...]
    center: float = 0.0
    gate: str = ""


@dataclass(frozen=True)
class Equation:
    """One endogenous latent variable: its terms and the variance of their sum."""

    name: str
    terms: tuple[Term, ...]
    variance: float


@dataclass(frozen=True)
class Regression:
    """One equation of a study's model, fitted to the latent variables of a large draw.

    Parameters
    ----------
    outcome : str
    labels : Mapping of label to term
        ``"a"``, ``"a:b"``; every labelled term is in the equation.
    controls : tuple of str
        Further terms.
    """

    outcome: str
    labels: Mapping[str, str]
    controls: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Study:
    """A study's population and questionnaire.

    Parameters
    ----------
    name, instrument : str
    n, seed : int
        Submissions received and root seed of the committed file.
    exogenous : tuple of str
        Latent variables that are drawn, unit normal.
    correlations : Mapping of pair to float
        Pairs that are not named have 0.
    equations : tuple of Equation
        In an order in which every factor is known.
    groups : callable (u (n, 12)) -> groups
    prepare : callable (groups, latents) -> None
        Adds what the equations need beside the exogenous variables: shifts, centred groups.
    screening, profile, objective : callables (population, rows) -> answers
    route : callable (population, items) -> items
        Writes 97 where an item is not asked.
    money : tuple of str
        Amounts that some refuse.
    offsets : Mapping of construct to float
        Added to the tendencies, solved for the stated means.
    models : Mapping of model to regressions
    derived : Mapping of label to (model, sum of products of labels)
        ``("M1", (("a1", "b1"), ("a2", "b2")))`` is ``a1*b1 + a2*b2``.
    rows_of : Mapping of model to group
        The group that is 1 for the respondents of whom a model speaks; all, when it is not named.
    claims : Mapping of claim to (model, label)
    no_98 : tuple of str
        Blocks that offer no "don't know".
    seconds : float
        Median time of the interview.
    weight : callable (population) -> ndarray (n,), optional
        Design weights, written as the column ``weight``.
    """

    name: str
    instrument: str
    n: int
    seed: int
    exogenous: tuple[str, ...]
    correlations: Mapping[tuple[str, str], float]
    equations: tuple[Equation, ...]
    groups: Callable[[FloatArray], Groups]
    prepare: Callable[[Groups, Latents], None]
    screening: Callable[[Population, RowDamage], Answers]
    profile: Callable[[Population], Answers]
    objective: Callable[[Population], Answers]
    route: Callable[[Population, dict[str, IntArray]], dict[str, IntArray]]
    money: tuple[str, ...] = ()
    offsets: Mapping[str, float] = field(default_factory=dict)
    models: Mapping[str, tuple[Regression, ...]] = field(default_factory=dict)
    derived: Mapping[str, tuple[str, tuple[tuple[str, ...], ...]]] = field(default_factory=dict)
    rows_of: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    no_98: tuple[str, ...] = ()
    seconds: float = 600.0
    weight: Callable[[Population], FloatArray] | None = None


def correlation_root(study: Study) -> FloatArray:
    """Lower Cholesky factor (k, k) of the correlations of the exogenous variables."""
    matrix = np.eye(len(study.exogenous))
    for (a, b), value in study.correlations.items():
        i, j = study.exogenous.index(a), study.exogenous.index(b)
        matrix[i, j] = matrix[j, i] = value
    return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)


def systematic(equation: Equation, latents: Latents, groups: Groups) -> FloatArray:
    """Sum of an equation's terms (n,)."""
    total = np.zeros(next(iter(latents.values())).size)
    for term in equation.terms:
        value = latents[term.factors[0]]
        for name in term.factors[1:]:
            value = value * latents[name]
        part = term.coef * (value - term.center)
        total = total + (part * groups[term.gate] if term.gate else part)
    return total


def draw_study(study: Study, n: int, seed: int) -> Population:
    """Draw groups and latent variables of ``n`` respondents.

    Parameters
    ----------
    study : Study
    n, seed : int

    Raises
    ------
    OptionError
        ``planning.bad-size``, ``planning.bad-seed``.

    Examples
    --------
    >>> from semkit.planning.studies import STUDIES
    >>> draw_study(STUDIES["governance"], 4, 20260104).latents["cg_pcm"].shape
    (4,)
    """
    if n < 1:
        raise OptionError(
            Problem("planning.bad-size", "n", f"{n} respondents", "a whole number from 1 up", "Give a larger n.")
        )
    groups = study.groups(stream(seed, study.name, "groups").random((n, 12)))
    free, paths = len(study.exogenous), len(study.equations)
    z = stream(seed, study.name, "latents").standard_normal((n, free + paths + 2))
    root = correlation_root(study)
    latents: Latents = {}
    for i, name in enumerate(study.exogenous):  # sums in a fixed order, so that every machine makes the same bits
        value = np.zeros(n)
        for j in range(i + 1):
            if root[i, j] != 0.0:
                value = value + root[i, j] * z[:, j]
        latents[name] = value
    study.prepare(groups, latents)
    for k, equation in enumerate(study.equations):
        rest = np.sqrt(max(1.0 - equation.variance, 0.0))
        latents[equation.name] = systematic(equation, latents, groups) + rest * z[:, free + k]
    latents["method"], latents["style"] = z[:, -2], z[:, -1]
    return Population(study.name, n, seed, groups, latents)
