"""Composites and latent products written out, so that what is fitted is plain model text."""

from __future__ import annotations

from typing import Any

from semkit.errors import NotSupportedError, OptionError, Problem
from semkit.model import ModelSpec, parse
from semkit.sample import Composite, Product

_LATER = ("lms", "qml", "sam", "factor_score", "2sls")


def expand(
    model: str, interaction: Any, composites: dict[str, Composite]
) -> tuple[ModelSpec, tuple[Product, ...], dict[str, Composite], str]:
    """Return the expanded spec, its product columns, the composites used, and the expanded text.

    A composite ``g`` enters as ``g =~ 1*g.mean`` with a residual variance that is filled from the data.
    """
    if isinstance(interaction, str) and interaction != "product":
        if interaction.lower() in _LATER:
            raise NotSupportedError(
                Problem("fitting.not-supported", f"interaction={interaction!r}", "is not offered",
                        "product, ProductIndicators(...)", "Use product indicators.")
            )
        raise OptionError(Problem("fitting.unknown-option-value", f"interaction={interaction!r}", "is not a known value",
                                  "product, ProductIndicators(...)", "Choose one of them."))
    spec = parse(model)
    text = model
    used = {name: composite for name, composite in composites.items() if name in _names(spec)}
    if used:
        lines = [f"{name} =~ 1*{name}.mean\n{name}.mean ~~ 0*{name}.mean" for name in used]
        text = model.rstrip() + "\n" + "\n".join(lines) + "\n"
        spec = parse(text)
    products: tuple[Product, ...] = ()
    if spec.products:
        from semkit.interaction import expand_products

        spec, products, text = expand_products(spec, interaction, tuple(used))
    return spec, products, used, text


def _names(spec: ModelSpec) -> set[str]:
    return {part for name in spec.names for part in name.split(":")}
