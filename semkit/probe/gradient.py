"""What a slope and a prediction are made of: vectors g with quantity = g . est, in both metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from semkit.probe.equation import Equation, variable_of
from semkit.result import FloatArray, Result, Term

Values = Mapping[str, FloatArray]


def slope_rows(
    result: Result, terms: Iterable[Term], focal: str, given: Values, size: int, *, standardized: bool = False
) -> FloatArray:
    """Rows g with d outcome / d focal = g . est, at given values of other variables.

    A term ``b x^k m ...`` adds ``k x^(k-1) m ...``: every factor counts less its centre, a variable
    that is not given at its mean.  With ``standardized`` the rows belong to the standardised
    estimates and factors count in standard deviations (0/1 variables keep their unit).

    Parameters
    ----------
    terms : iterable of Term
        Of one outcome (and one group).
    given : Mapping of str to ndarray (size,)
        Values in the metric of the variables.

    Returns
    -------
    ndarray (size, k)
    """
    rows = np.zeros((size, len(result.names)))
    for term in terms:
        count = term.factors.count(focal)
        if count:
            weight = np.full(size, float(count))
            for name in rest(term, focal):
                weight = weight * _deviation(result, name, given, term.group, standardized)
            rows[:, result.names.index(term.name)] += weight
    return rows


def slope_coefficients(result: Result, equation: Equation, *, standardized: bool = False) -> FloatArray:
    """Rows c_d with slope(u) = sum_d (c_d . est) u^d, u = moderator minus its centre.

    With ``standardized`` the estimates are the standardised ones and u is in SDs of the
    moderator (a 0/1 moderator keeps its unit).

    Returns
    -------
    ndarray (degree + 1, k)
    """
    moderator = equation.moderator
    own = [term for term in equation.terms if equation.focal in term.factors]
    degree = max(rest(term, equation.focal).count(moderator) for term in own)
    out = np.zeros((degree + 1, len(result.names)))
    given = {name: np.array([value]) for name, value in equation.at.items()}
    for term in own:
        others = rest(term, equation.focal)
        weight = float(term.factors.count(equation.focal))
        for name in others:
            if name != moderator:
                weight *= float(_deviation(result, name, given, term.group, standardized)[0])
        out[others.count(moderator), result.names.index(term.name)] += weight
    return out


def rest(term: Term, focal: str) -> tuple[str, ...]:
    """Factors that are left when the focal variable is taken out once."""
    factors = list(term.factors)
    factors.remove(focal)
    return tuple(factors)


def _deviation(result: Result, name: str, given: Values, group: str, standardized: bool) -> FloatArray:
    variable = variable_of(result, name, group)
    value = given.get(name, np.array([variable.mean]))
    unit = variable.sd if standardized and not variable.binary else 1.0
    return np.asarray((value - variable.center) / unit)


def prediction_gradient(result: Result, equation: Equation, given: Values, size: int) -> tuple[FloatArray, float]:
    """Rows g with predicted outcome = g . est + constant, variables that are not given at their means.

    With an intercept among the result's quantities each term counts with its value.  Without
    one (latent outcomes, models without mean structure) each term counts with its deviation
    from its expectation and the constant is the outcome's mean: averaged over the respondents the
    prediction is the outcome's mean, as it must be.

    Parameters
    ----------
    given : Mapping of str to ndarray (size,)
        Values, in the metric of the variables.

    Returns
    -------
    gradient : ndarray (size, k)
    constant : float
    """
    gradient = np.zeros((size, len(result.names)))
    given = {**{name: np.full(size, value) for name, value in equation.at.items()}, **given}
    for term in equation.terms:
        value = np.ones(size)
        for name in term.factors:
            value = value * _deviation(result, name, given, term.group, False)
        mean = 0.0 if equation.intercept else expectation(result, term.factors, term.group)
        gradient[:, result.names.index(term.name)] += value - mean
    if equation.intercept:
        gradient[:, result.names.index(equation.intercept)] = 1.0
        return gradient, 0.0
    return gradient, variable_of(result, equation.outcome, equation.product.group).mean


def expectation(result: Result, factors: Sequence[str], group: str = "") -> float:
    """Expectation of a product of one to three deviations from the centres, third central moments taken as zero.

    ``E(a b) = m_a m_b + cov(a, b)`` and ``E(a b c) = m_a m_b m_c + m_a cov(b, c) + m_b cov(a, c) + m_c cov(a, b)``
    with m the mean less the centre (Isserlis 1918, Biometrika 12, 134-139).
    """
    found = [variable_of(result, name, group) for name in factors]
    means = [variable.mean - variable.center for variable in found]
    total = float(np.prod(means))
    for i, j in combinations(range(len(factors)), 2):
        others = [means[k] for k in range(len(factors)) if k not in (i, j)]
        total += float(np.prod(others)) * covariance(result, factors[i], factors[j], group)
    return total


def covariance(result: Result, first: str, second: str, group: str = "") -> float:
    """Covariance of two variables: the model's own parameter if it has one, else from their values, else 0."""
    a, b = variable_of(result, first, group), variable_of(result, second, group)
    if first == second:
        return a.sd**2
    groups = list(dict.fromkeys(term.group for term in result.terms))
    place = groups.index(group) if group in groups else 0
    suffix = f".g{place + 1}" if place else ""
    for name in (f"{first} ~~ {second}{suffix}", f"{second} ~~ {first}{suffix}"):
        endogenous = {term.outcome for term in result.terms}
        if name in result.names and not {first, second} & endogenous:
            return float(result.est[result.names.index(name)])
    if a.values is None or b.values is None or a.values.shape != b.values.shape:
        return 0.0
    keep = np.isfinite(a.values) & np.isfinite(b.values)
    return float(np.corrcoef(a.values[keep], b.values[keep])[0, 1] * a.sd * b.sd)
