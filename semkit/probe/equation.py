"""Finding the interaction in a result: which coefficients make the slope, in which metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semkit.errors import ModelError, NotSupportedError, OptionError, Problem, suggest
from semkit.result import FloatArray, Result, Term, Variable


@dataclass(frozen=True, eq=False)
class Equation:
    """The equation of one outcome, seen from one focal variable and one moderator.

    Parameters
    ----------
    outcome, focal, moderator : str
    terms : tuple of Term
        All terms of the outcome (of one group).
    main, product : Term
        Those of the focal variable and of the product.
    intercept : str or None
        Name of the intercept, if it is a quantity of the result.
    held : tuple of str
        Other variables in products with the focal one; held at their means.
    """

    outcome: str
    focal: str
    moderator: str
    terms: tuple[Term, ...]
    main: Term
    product: Term
    intercept: str | None
    held: tuple[str, ...]


def find_equation(
    result: Result, focal: str, moderator: str, outcome: str | None = None, group: str | None = None
) -> Equation:
    """Find the terms that make the slope of the outcome on the focal variable.

    Raises
    ------
    OptionError
        ``probe.unknown-product``, ``probe.which-outcome``, ``probe.which-group``.
    ModelError
        ``probe.no-main-effect``: the product is there, the focal variable is not.
    NotSupportedError
        ``probe.three-way``: the focal variable stands in a product of three.
    """
    terms = _terms_of_group(result, group)
    pair = frozenset((focal, moderator))
    fitting = [term for term in terms if len(term.factors) == 2 and frozenset(term.factors) == pair]
    if outcome is not None:
        fitting = [term for term in fitting if term.outcome == outcome]
    if focal == moderator or not fitting:
        raise OptionError(_unknown_product(terms, focal, moderator, outcome))
    outcomes = sorted({term.outcome for term in fitting})
    if len(outcomes) > 1:
        raise OptionError(
            Problem(
                "probe.which-outcome",
                "outcome",
                f"{focal}:{moderator} acts on {len(outcomes)} outcomes",
                ", ".join(outcomes),
                f'Say which, for example outcome="{outcomes[0]}".',
            )
        )
    own = tuple(term for term in terms if term.outcome == outcomes[0])
    return _check(result, own, fitting[0], focal, moderator)


def _check(result: Result, terms: tuple[Term, ...], product: Term, focal: str, moderator: str) -> Equation:
    outcome = product.outcome
    higher = [term for term in terms if focal in term.factors and len(term.factors) > 2]
    if higher:
        raise NotSupportedError(
            Problem(
                "probe.three-way",
                f"{outcome} ~ {':'.join(higher[0].factors)}",
                "the slope depends on two moderators at once",
                "products of two variables",
                "Probe a model without the three-way product, or define the slope yourself with :=.",
            )
        )
    main = [term for term in terms if term.factors == (focal,)]
    if not main:
        raise ModelError(
            Problem(
                "probe.no-main-effect",
                f"{outcome} ~ {':'.join(product.factors)}",
                f"{focal} itself has no free coefficient in this equation",
                "both factors of a product as predictors",
                f"Add {focal} to the equation of {outcome}: without it the slope depends on where zero is.",
            )
        )
    held = tuple(
        next(name for name in term.factors if name != focal)
        for term in terms
        if len(term.factors) == 2
        and focal in term.factors
        and moderator not in term.factors
        and len(set(term.factors)) == 2
    )
    if any(term.factors == (focal, focal) for term in terms):
        raise NotSupportedError(
            Problem(
                "probe.quadratic",
                f"{outcome} ~ {focal}:{focal}",
                "the slope also depends on the focal variable itself",
                "equations without a square of the focal variable",
                "Define the slope at a chosen value yourself with :=.",
            )
        )
    candidates = (f"{outcome} ~1", f"{outcome}~1")
    intercept = next((name for name in candidates if name in result.names and not product.group), None)
    return Equation(outcome, focal, moderator, terms, main[0], product, intercept, held)


def _terms_of_group(result: Result, group: str | None) -> tuple[Term, ...]:
    groups = list(dict.fromkeys(term.group for term in result.terms)) or [""]
    if group is None and len(groups) > 1:
        raise OptionError(
            Problem(
                "probe.which-group",
                "group",
                f"the result has {len(groups)} groups",
                ", ".join(groups),
                f'Say which, for example group="{groups[0]}".',
            )
        )
    if group is not None and group not in groups:
        raise OptionError(
            Problem(
                "probe.which-group", "group", f'no group "{group}"', ", ".join(groups), suggest(group, groups).strip()
            )
        )
    # a fixed coefficient is no quantity of the result; it has neither error nor place in the gradient
    return tuple(term for term in result.terms if term.name in result.names and term.group == (group or groups[0]))


def _unknown_product(terms: Sequence[Term], focal: str, moderator: str, outcome: str | None) -> Problem:
    products = [f"{term.outcome} ~ {':'.join(term.factors)}" for term in terms if len(term.factors) == 2]
    asked = f"{outcome} ~ {focal}:{moderator}" if outcome else f"{focal}:{moderator}"
    return Problem(
        "probe.unknown-product",
        "focal, moderator" if outcome is None else "focal, moderator, outcome",
        f"the result has no product {asked}",
        ", ".join(products) or "none: the model has no product term",
        suggest(asked, products).strip() or "Name two variables whose product is in the model.",
    )


def variable_of(result: Result, name: str, group: str = "") -> Variable:
    """Return what the result knows of a variable (of a group, where names carry the group)."""
    own = (v for v in result.variables.values() if v.name == name and v.group == group)
    found = next(own, None) or result.variables.get(name)
    if found is None:
        raise ModelError(
            Problem(
                "probe.no-variable",
                f'variable "{name}"',
                "the result does not describe it",
                ", ".join(result.variables),
                "Name a variable of the model.",
            )
        )
    if found.group != group:
        raise NotSupportedError(
            Problem(
                "probe.no-group-moments",
                f'group "{group}"',
                f'the result describes {name} in group "{found.group}" only',
                f'group="{found.group}"',
                "Fit this group alone to probe it.",
            )
        )
    return found


def slope_gradients(result: Result, equation: Equation, *, standardized: bool = False) -> tuple[FloatArray, FloatArray]:
    """Vectors g0, g1 with slope(u) = (g0 + u g1) . est, u = moderator minus its centre.

    With ``standardized`` the estimates are the standardised ones and u is in SDs of the
    moderator (a 0/1 moderator keeps its unit).

    Returns
    -------
    tuple of ndarray (k,)
    """
    base, change = np.zeros(len(result.names)), np.zeros(len(result.names))
    base[result.names.index(equation.main.name)] += 1.0
    change[result.names.index(equation.product.name)] += 1.0
    for term in equation.terms:
        other = next((name for name in equation.held if frozenset(term.factors) == {equation.focal, name}), None)
        if other is not None:
            variable = variable_of(result, other, term.group)
            unit = variable.sd if standardized and not variable.binary else 1.0
            base[result.names.index(term.name)] += (variable.mean - variable.center) / unit
    return base, change


def prediction_gradient(
    result: Result, equation: Equation, focal: FloatArray, moderator: FloatArray
) -> tuple[FloatArray, float]:
    """Rows g with predicted outcome = g . est + constant, other predictors at their means.

    With an intercept among the result's quantities each term counts with its value.  Without
    one (latent outcomes, models without mean structure) each term counts with its deviation
    from its expectation, ``E[(x - c)(w - c)] = cov(x, w) + (E x - c)(E w - c)`` for the product,
    and the constant is the outcome's mean: the lines then pass through the outcome's mean as they must.

    Parameters
    ----------
    focal, moderator : ndarray (m,)
        Values, in the metric of the variables.

    Returns
    -------
    gradient : ndarray (m, k)
    constant : float
    """
    given = {equation.focal: focal, equation.moderator: moderator}
    gradient = np.zeros((focal.size, len(result.names)))
    for term in equation.terms:
        value, expected = np.ones(focal.size), 1.0
        for name in term.factors:
            variable = variable_of(result, name, term.group)
            value = value * (given.get(name, np.full(focal.size, variable.mean)) - variable.center)
            expected *= variable.mean - variable.center
        if term is equation.product:
            expected += covariance(result, equation.focal, equation.moderator, term.group)
        gradient[:, result.names.index(term.name)] += value - (0.0 if equation.intercept else expected)
    if equation.intercept:
        gradient[:, result.names.index(equation.intercept)] = 1.0
        return gradient, 0.0
    return gradient, variable_of(result, equation.outcome, equation.product.group).mean


def covariance(result: Result, first: str, second: str, group: str = "") -> float:
    """Covariance of two variables: the model's own parameter if it has one, else from their values, else 0."""
    for name in (f"{first} ~~ {second}", f"{second} ~~ {first}"):
        if name in result.names and not group:
            return float(result.est[result.names.index(name)])
    a, b = variable_of(result, first, group), variable_of(result, second, group)
    if a.values is None or b.values is None or a.values.shape != b.values.shape:
        return 0.0
    return float(np.corrcoef(a.values, b.values)[0, 1] * a.sd * b.sd)
