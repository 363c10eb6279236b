"""A frame becomes arrays: columns, groups, weights, missing patterns.  The estimators see nothing else."""

from __future__ import annotations

from semkit.sample.arrays import Group, GroupMoments, Sample, group_moments
from semkit.sample.calibration import Calibration
from semkit.sample.composite import Composite
from semkit.sample.design import Design, Replicates
from semkit.sample.frame import group_labels, make_sample
from semkit.sample.moments import Moments
from semkit.sample.ordinal import OrdinalColumns, ordinal_columns
from semkit.sample.products import Product
from semkit.sample.sampling import Sampling

__all__ = [
    "Calibration",
    "Composite",
    "Design",
    "Group",
    "GroupMoments",
    "Moments",
    "OrdinalColumns",
    "Product",
    "Replicates",
    "Sample",
    "Sampling",
    "group_labels",
    "group_moments",
    "make_sample",
    "ordinal_columns",
]
