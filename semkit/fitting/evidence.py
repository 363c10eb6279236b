"""What a fit is made from: the sample, its moments, and what two stages say of their covariances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.fitting import twostage
from semkit.fitting.gaps import saturated_moments
from semkit.fitting.recipe import Recipe
from semkit.model import ParameterTable
from semkit.sample import Composite, GroupMoments, Sample, group_moments, make_sample

FloatArray = NDArray[np.float64]


def gather(
    data: Any, table: ParameterTable, recipe: Recipe, columns: Mapping[str, Composite]
) -> tuple[Sample, tuple[GroupMoments, ...], tuple[FloatArray, ...] | None]:
    """The sample, the moments the model is fitted to, and what two stages say of their covariances."""
    options, names = recipe.options, table.variables.ov
    gaps = options.fiml or options.two_stage
    more = tuple(name for name in options.auxiliary if name not in names)
    complete = table.variables.ov_x if options.fixed_x and options.missing != "fiml.x" else ()
    sample = make_sample(data, (*names, *more), group=options.group, missing="fiml" if gaps else "listwise",
                         design=recipe.design, products=recipe.products, composites=columns, complete=complete)
    if not gaps:
        return sample, tuple(group_moments(sample, g) for g in range(len(sample.groups))), None
    parts, rows = saturated_moments(sample), tuple(group.data for group in sample.groups)
    if not options.two_stage:
        return sample, parts, None
    gamma = twostage.first_stage(rows, parts, len(names), robust=options.missing == "robust.two.stage")
    return sample.leading(len(names)), twostage.leading(parts, len(names)), gamma
