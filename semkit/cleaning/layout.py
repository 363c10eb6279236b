"""Where the items of the forms stand in the arrays: the bridge from questionnaires to kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.instrument import Construct, Instrument, Item

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Layout:
    """Items of the combined forms in order, as arrays.

    Parameters
    ----------
    form : Instrument
        The forms combined.
    items : tuple of Item (p,)
        All items: scored, marker and attention checks.
    reverse, check, marker : ndarray (p,) of bool
    lowest, highest : ndarray (p,)
        Ends of each item's scale.
    """

    form: Instrument
    items: tuple[Item, ...]
    reverse: BoolArray
    check: BoolArray
    marker: BoolArray
    lowest: FloatArray
    highest: FloatArray

    @property
    def names(self) -> list[str]:
        return [item.name for item in self.items]

    @property
    def scored(self) -> BoolArray:
        """Items of the forms' own constructs."""
        out: BoolArray = ~self.check & ~self.marker
        return out

    def places(self, names: tuple[str, ...] | list[str]) -> IntArray:
        """Column numbers of items."""
        where = {item.name: number for number, item in enumerate(self.items)}
        return np.array([where[name] for name in names], dtype=np.int64)

    def block(self, construct: Construct) -> IntArray:
        """Column numbers of a construct's items."""
        return self.places(construct.items)

    def blocks(self) -> list[tuple[Construct, IntArray]]:
        """First-order constructs with items that form a scale, with their columns."""
        return [
            (construct, self.block(construct))
            for construct in self.form.constructs
            if construct.items and construct.order == 1 and construct.type != "none"
        ]


def make_layout(form: Instrument) -> Layout:
    """Lay out the items of a (combined) instrument."""
    items = form.items
    scales = [form.scale(item.scale) for item in items]
    return Layout(
        form,
        items,
        np.array([item.reverse for item in items], dtype=bool),
        np.array([item.is_check for item in items], dtype=bool),
        np.array([item.construct in form.marker for item in items], dtype=bool),
        np.array([scale.lowest for scale in scales], dtype=float),
        np.array([scale.highest for scale in scales], dtype=float),
    )


def segments(form: Instrument) -> list[list[str]]:
    """Sequences of consecutive scored items of one instrument on one scale, in the order of asking.

    Attention checks do not interrupt a sequence; they are no item of a construct.
    """
    parts: list[list[str]] = []
    before = None
    for item in form.scored_items:
        if item.scale != before:
            parts.append([])
        parts[-1].append(item.name)
        before = item.scale
    return parts


def mixed_items(form: Instrument) -> list[str]:
    """All items of those blocks of an instrument that hold a reverse item."""
    turned = {item.construct for item in form.scored_items if item.reverse}
    return [item.name for item in form.scored_items if item.construct in turned]
