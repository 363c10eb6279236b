"""Clusters that the errors of a fit ignore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from semkit.errors import OptionError, Problem
from semkit.fitting.fit import Fit
from semkit.sample.nesting import nesting_notes


def with_nesting(fit: Fit, data: Any, columns: Sequence[str]) -> Fit:
    """The fit with a note for every named column whose members answer alike (see :func:`nesting_notes` for the rule).

    The clusters of the design are not looked at: the errors know them.

    Raises
    ------
    OptionError
        ``fitting.no-raw-data``.
    SampleError
        ``sample.missing-column``.
    """
    sample = fit.solution.sample
    if sample is None:
        raise OptionError(Problem("fitting.no-raw-data", "nesting=", "needs the respondents, not moments",
                                  "data=frame", "Pass the data, or leave nesting out."))
    table = getattr(data, "frame", data)
    names = [name for name in sample.names if name not in {product.name for product in sample.products}]
    keep = [sample.names.index(name) for name in names]
    parts = [group.data[:, keep] for group in sample.groups]
    rows = [group.rows for group in sample.groups]
    design = fit.recipe.design
    ignored = [column for column in columns if design is None or column != design.cluster]
    notes = [note for column in ignored for note in nesting_notes(table, column, parts, rows, names)]
    return replace(fit, extra_notes=(*fit.extra_notes, *notes))
