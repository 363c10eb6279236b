"""Products of three need the terms below them: without them what they find is not an interaction."""

from __future__ import annotations

import itertools

from semkit.errors import ModelError, OptionError, Problem, suggest
from semkit.model import ModelSpec, Term

LOWER_ORDER = ("required", "add")


def require_lower_order(value: str, owner: str) -> None:
    """Refuse an unknown rule.

    Raises
    ------
    OptionError
        ``interaction.unknown-lower-order``.
    """
    if value not in LOWER_ORDER:
        raise OptionError(Problem("interaction.unknown-lower-order", f"{owner}.lower_order", f"{value!r}",
                                  ", ".join(LOWER_ORDER), suggest(str(value), LOWER_ORDER).strip() or "Choose one."))


def with_lower_order(spec: ModelSpec, lower_order: str, most: int = 3) -> ModelSpec:
    """The model with all terms below products of three or more, required or added.

    The coefficient of ``a:b:c`` is that of an interaction only beside ``a``, ``b``, ``c``, ``a:b``, ``a:c`` and
    ``b:c``; else it takes up what they leave, and changes when the origin of a scale is moved.  A term fixed at 0
    (``0*a:b``) counts as written.

    Parameters
    ----------
    spec : ModelSpec
    lower_order : {"required", "add"}
    most : int
        Products of more factors are left to the method to refuse.

    Raises
    ------
    ModelError
        ``interaction.lower-order``.

    References
    ----------
    Cohen (1978), Psychological Bulletin 85, 858-866.
    """
    spelt = {tuple(sorted(name.split(":"))): name for name in reversed(spec.products)}
    missing: dict[tuple[str, str], list[str]] = {}
    for block, outcome in dict.fromkeys((term.block, term.lhs) for term in spec.terms if term.op == "~"):
        own = [t.rhs for t in spec.terms if t.op == "~" and (t.block, t.lhs) == (block, outcome)]
        there = {tuple(sorted(name.split(":"))) for name in own}
        for name in own:
            factors = name.split(":")
            for size in range(1, len(factors) if 2 < len(factors) <= most else 1):
                for subset in itertools.combinations(factors, size):
                    key = tuple(sorted(subset))
                    if key not in there:
                        there.add(key)
                        missing.setdefault((block, outcome), []).append(spelt.get(key, ":".join(subset)))
    if lower_order == "add":
        return spec.extend([Term(outcome, "~", name, block=block)
                            for (block, outcome), names in missing.items() for name in names])
    if missing:
        raise ModelError(*(
            Problem("interaction.lower-order", f"{outcome} ~", f"has a product of three without {', '.join(names)}",
                    "all terms below a product of three in the same equation",
                    f"Write {outcome} ~ {' + '.join(names)} too, or have them added: "
                    "interaction=sk.LMS(lower_order='add'), sk.ProductIndicators(lower_order='add').")
            for (_, outcome), names in missing.items()))
    return spec
