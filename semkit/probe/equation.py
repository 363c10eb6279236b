"""Finding the interaction in a result: which coefficients make the slope, in which metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semkit.errors import ModelError, NotSupportedError, OptionError, Problem, spelling, suggest
from semkit.result import Result, Term, Variable


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
    at : Mapping of str to float
        Values at which the reader holds other variables instead.
    """

    outcome: str
    focal: str
    moderator: str
    terms: tuple[Term, ...]
    main: Term
    product: Term
    intercept: str | None
    held: tuple[str, ...]
    at: Mapping[str, float] = field(default_factory=dict)


def find_equation(
    result: Result, focal: str, moderator: str, outcome: str | None = None, group: str | None = None,
    at: Mapping[str, float] | None = None,
) -> Equation:
    """Find the terms that make the slope of the outcome on the focal variable.

    Raises
    ------
    OptionError
        ``probe.unknown-product``, ``probe.which-outcome``, ``probe.which-group``, ``probe.at``.
    ModelError
        ``probe.no-main-effect``: the product is there, the focal variable is not.
    """
    terms = terms_of_group(result, group)
    pair = sorted((focal, moderator))
    fitting = [term for term in terms if sorted(term.factors) == pair]
    if outcome is not None:
        fitting = [term for term in fitting if term.outcome == outcome]
    if not fitting:
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
    return _check(result, own, fitting[0], focal, moderator, at or {})


def _check(
    result: Result, terms: tuple[Term, ...], product: Term, focal: str, moderator: str, at: Mapping[str, float]
) -> Equation:
    outcome = product.outcome
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
    _check_held(terms, at, {moderator})
    others: dict[str, None] = {}
    for term in terms:
        left = list(term.factors)
        if focal in left:
            left.remove(focal)
            others |= dict.fromkeys(name for name in left if name != moderator and name not in at)
    candidates = (f"{outcome} ~1", f"{outcome}~1")
    intercept = next((name for name in candidates if name in result.names and not product.group), None)
    return Equation(outcome, focal, moderator, terms, main[0], product, intercept, tuple(others), dict(at))


def _check_held(terms: tuple[Term, ...], at: Mapping[str, float], taken: set[str]) -> None:
    known = sorted({name for term in terms for name in term.factors} - taken)
    wrong = [name for name in at if name not in known]
    bad = [name for name in at if name in known and not _is_finite(at[name])]
    if wrong or bad:
        raise OptionError(
            *(Problem("probe.at", f'at["{name}"]', "cannot be held: no other predictor of this equation",
                      ", ".join(known) or "none", spelling(str(name), known)) for name in wrong),
            *(Problem("probe.at", f'at["{name}"]', f"{at[name]!r:.40} given", "a finite number",
                      "In the metric of the variable.") for name in bad),
        )  # fmt: skip


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def terms_of_group(result: Result, group: str | None) -> tuple[Term, ...]:
    """Free terms of one group; the group must be named when there are several."""
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
                "probe.which-group", "group", f'no group "{group}"', ", ".join(groups), spelling(group, groups)
            )
        )
    if any(note.code == "interaction.slopes-below" for note in result.notes):
        raise NotSupportedError(Problem(
            "probe.residual-centred", "result", "its product of three is residual centred: the slopes below it are "
            "averages, not those at the moderators' means", "products that are centred at means",
            "Fit with ProductIndicators(centering='double')."))
    # a fixed coefficient is no quantity of the result; it has neither error nor place in the gradient
    return tuple(term for term in result.terms if term.name in result.names and term.group == (group or groups[0]))


def _unknown_product(terms: Sequence[Term], focal: str, moderator: str, outcome: str | None) -> Problem:
    products = [f"{term.outcome} ~ {':'.join(term.factors)}" for term in terms if len(term.factors) >= 2]
    asked = f"{outcome} ~ {focal}:{moderator}" if outcome else f"{focal}:{moderator}"
    return Problem(
        "probe.unknown-product",
        "focal, moderator" if outcome is None else "focal, moderator, outcome",
        f"the result has no product {asked}",
        ", ".join(products) or "none: the model has no product term",
        suggest(asked, products).strip() or "Name two variables whose product is in the model.",
    )


def respondents(result: Result, group: str) -> int:
    """Respondents of one group, as far as the result has their values; all of them without groups."""
    sizes = [v.values.size for v in result.variables.values() if v.group == group and v.values is not None]
    return max(sizes) if group and sizes else result.nobs


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
