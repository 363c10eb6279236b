"""Composites and latent products written out, so that what is fitted is a plain model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from semkit.errors import Note, OptionError, Problem
from semkit.interaction import LMS, QML, SAM, FactorScores, ProductIndicators, TwoStageLeastSquares, expand
from semkit.interaction.hierarchy import with_lower_order
from semkit.model import ModelSpec, Modifier, Term, check, parse, print_model
from semkit.sample import Composite, Product


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model ready for its table.

    Parameters
    ----------
    spec : ModelSpec
    products : tuple of Product
    composites : mapping of str to Composite
        Those the model uses, by name.
    text : str
        The expanded model as text.
    notes : tuple of Note
    """

    spec: ModelSpec
    products: tuple[Product, ...]
    composites: Mapping[str, Composite]
    text: str
    notes: tuple[Note, ...]


def composite_column(name: str) -> str:
    """Name of the column that holds a composite."""
    return f"{name}.mean"


def prepare(
    model: str, interaction: Any, composites: Mapping[str, Composite], *, grouped: bool, std_lv: bool
) -> Prepared:
    """Read a model and write composites and products out.

    A composite ``g`` enters as ``g =~ 1*g.mean`` with a residual variance that is filled from the data.
    """
    option = chosen_method(interaction)
    spec = parse(model)
    check(spec)
    named = {part for name in spec.names for part in name.split(":")}
    used = {name: composite for name, composite in composites.items() if name in named}
    terms: list[Term] = []
    for name in used:
        column = composite_column(name)
        terms.append(Term(name, "=~", column, (Modifier("fixed", (1.0,)),)))
        terms.append(Term(column, "~~", column, (Modifier("fixed", (float("nan"),)),)))
    if terms:
        spec = spec.extend(terms)
    if isinstance(option, (ProductIndicators, LMS, SAM, FactorScores)):
        spec = with_lower_order(spec, option.lower_order, 9 if isinstance(option, LMS) else 3)
    if isinstance(option, (LMS, QML, SAM, FactorScores, TwoStageLeastSquares)):
        return Prepared(spec, (), used, _print(spec, tuple(used)) if terms else model, ())
    expansion = expand(spec, option, n_groups=2 if grouped else 1, std_lv=std_lv)
    text = _print(expansion.spec, tuple(used)) if terms or expansion.products else model
    return Prepared(expansion.spec, expansion.products, used, text, expansion.notes)


def _print(spec: ModelSpec, composites: tuple[str, ...]) -> str:
    """The model as text; error variances that come from the sample stand in comments."""
    columns = {composite_column(name) for name in composites}
    shown = tuple(term for term in spec.terms if not (term.op == "~~" and term.lhs in columns and term.lhs == term.rhs))
    notes = [f"# {column} ~~ (1 - rho)*s^2 from the sample" for column in sorted(columns)]
    return "\n".join([print_model(replace(spec, terms=shown)).rstrip("\n"), *notes])


def chosen_method(interaction: Any) -> ProductIndicators | LMS | QML | SAM | FactorScores | TwoStageLeastSquares:
    """The method an ``interaction=`` argument stands for."""
    if isinstance(interaction, (ProductIndicators, LMS, QML, SAM, FactorScores, TwoStageLeastSquares)):
        return interaction
    if interaction is None or interaction == "product":
        return ProductIndicators()
    if isinstance(interaction, str) and interaction.lower() == "lms":
        return LMS()
    if isinstance(interaction, str) and interaction.lower() == "qml":
        return QML()
    if isinstance(interaction, str) and interaction.lower() == "sam":
        return SAM()
    if isinstance(interaction, str) and interaction.lower() == "factor_score":
        return FactorScores()
    if isinstance(interaction, str) and interaction.lower() == "2sls":
        return TwoStageLeastSquares()
    raise OptionError(
        Problem(
            "fitting.unknown-option-value",
            f"interaction={interaction!r}",
            "is not a known value",
            "product, lms, qml, sam, factor_score, 2sls, ProductIndicators(...), LMS(...)",
            "Choose one of them.",
        )
    )
