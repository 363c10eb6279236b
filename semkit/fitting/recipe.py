"""Recipe: everything from which a fit can be made again, except the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from semkit.fitting.options import Options
from semkit.sample import Composite, Design, Product


@dataclass(frozen=True, eq=False)
class Recipe:
    """Frozen description of a fit.

    Parameters
    ----------
    model : str
        Model text as given.
    expanded : str
        The text that was fitted: product factors and composites written out.
    options : Options
    products : tuple of Product
    composites : mapping of str to Composite
        By the name of the composite in the model.
    interaction : Any
        ``"product"`` or a :class:`semkit.ProductIndicators`.
    design : Design or None
    """

    model: str
    expanded: str
    options: Options
    products: tuple[Product, ...] = ()
    composites: Mapping[str, Composite] = field(default_factory=dict)
    interaction: Any = "product"
    design: Design | None = None
