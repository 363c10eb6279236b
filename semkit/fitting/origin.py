"""Where the zero of a product's factors lies: the coefficient beside a product is the slope at that zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from semkit.errors import Note
from semkit.result import Term, Variable

FAR = 0.1
"""Distance of zero from the mean, in standard deviations, that is worth a word."""


def origin_notes(terms: Iterable[Term], variables: Mapping[str, Variable]) -> tuple[Note, ...]:
    """A note for every latent factor of a product whose mean is not where the product has its zero.

    ``d y / d a = b_a + b_ab (b - c_b)``: with ``c_b`` away from the mean of ``b``, ``b_a`` is not the slope at average
    ``b``, and its error is that of the distance too.  A latent variable has its mean at 0 unless something with another
    mean predicts it.
    """
    found: dict[tuple[str, str], Note] = {}
    for term in terms:
        for name in term.factors if len(term.factors) > 1 else ():
            own = (v for v in variables.values() if v.name == name and v.group == term.group)
            factor = next(own, None)
            if factor is None or factor.kind != "latent" or not factor.sd > 0:
                continue
            away = (factor.mean - factor.center) / factor.sd
            if abs(away) > FAR:
                group = f" (group {term.group})" if term.group else ""
                found.setdefault((name, term.group), Note(
                    "fitting.product-origin", "info",
                    f"its mean is {factor.mean:.3g}, {away:.2f} standard deviations from the zero of its products: "
                    "what it multiplies has its coefficient at that zero, not at average values.", name + group,
                    "Observed variables that do not have mean 0 predict it.",
                    "Centre these variables to read coefficients, simple slopes and their errors at the mean.",
                ))  # fmt: skip
    return tuple(found.values())
