"""Sample: what the estimators see of the data.  Groups, weights and patterns are axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note
from semkit.sample.composite import Composite, alpha, stratified_error_variance
from semkit.sample.moments import plain_moments, weighted_moments
from semkit.sample.products import Product, product_moments
from semkit.sample.sampling import Sampling

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Group:
    """The respondents of one group.

    Parameters
    ----------
    label : str
    data : ndarray (n, p)
        Model columns in the order of ``Sample.names``, derived ones included.
    base : ndarray (n, k)
        The columns derived ones are made of (``Sample.base_names``).
    items : ndarray (n, t)
        Items behind composites (``Sample.item_names``); NaN where not answered.
    weights : ndarray (n,)
        Sampling weights, scaled to sum to the number of respondents of all groups; ones without a design.
    pattern : ndarray (n,) of int
        Row of ``patterns`` each respondent has.
    patterns : ndarray (h, p) of bool
        Observed cells by missing pattern; one all-true row for complete data.
    rows : ndarray (n,) of int
        Row numbers in the frame that was given.
    cluster : ndarray (n,) of int
        Sampling unit of each respondent, counted over all groups; respondents are units of their own without clusters.
    """

    label: str
    data: FloatArray
    base: FloatArray
    items: FloatArray
    weights: FloatArray
    pattern: IntArray
    patterns: NDArray[np.bool_]
    rows: IntArray
    cluster: IntArray

    @property
    def nobs(self) -> int:
        return int(self.data.shape[0])


@dataclass(frozen=True, eq=False)
class Sample:
    """Data as arrays.

    Parameters
    ----------
    names : tuple of str (p,)
    groups : tuple of Group
    nobs_received, nobs : int
        Respondents given and respondents used.
    base_names, item_names : tuple of str
    products : tuple of Product
    composites : mapping of str to Composite
        By the name of the column that holds the composite.
    notes : tuple of Note
    sampling : Sampling or None
        The sampling design of the rows used; None when everyone counts once and on its own.
    """

    names: tuple[str, ...]
    groups: tuple[Group, ...]
    nobs_received: int
    nobs: int
    base_names: tuple[str, ...] = ()
    item_names: tuple[str, ...] = ()
    products: tuple[Product, ...] = ()
    composites: Mapping[str, Composite] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    sampling: Sampling | None = None

    def weights_of(self, group: int) -> FloatArray | None:
        """Sampling weights ``(n,)`` of a group; None when everyone counts once."""
        return None if self.sampling is None else self.groups[group].weights

    def column(self, name: str, group: int = 0) -> FloatArray:
        """One model column of one group, shape ``(n,)``."""
        return self.groups[group].data[:, self.names.index(name)]

    def leading(self, count: int) -> Sample:
        """The same respondents with the first ``count`` model columns only."""
        if count == len(self.names):
            return self
        groups = tuple(replace(part, data=part.data[:, :count], patterns=part.patterns[:, :count])
                       for part in self.groups)
        return replace(self, names=self.names[:count], groups=groups)


@dataclass(frozen=True, eq=False)
class GroupMoments:
    """What complete-data ML needs of one group, for ``B`` draws.

    Parameters
    ----------
    mean : ndarray (B, p)
    cov : ndarray (B, p, p)
        Divisor ``N``.
    error : ndarray (B, c)
        Error variance of each composite, in the order of ``Sample.composites``.
    nobs : float
    """

    mean: FloatArray
    cov: FloatArray
    error: FloatArray
    nobs: float


def group_moments(sample: Sample, group: int, weights: FloatArray | None = None) -> GroupMoments:
    """Moments of a group as it is (weighted if the design says so), or under ``B`` weight vectors, all derived anew.

    Parameters
    ----------
    sample : Sample
    group : int
    weights : ndarray (B, n), optional
        Resampling counts (times the sampling weights, if there are any), or replicate weights.
    """
    part = sample.groups[group]
    if weights is None:
        mean, cov = plain_moments(part.data, sample.weights_of(group))
        error = composite_errors(sample, group, part.weights[None])
        return GroupMoments(mean[None], cov[None], error, float(part.weights.sum()))
    base = list(sample.base_names)
    centre = part.base.mean(axis=0)
    mean, cov = product_moments(part.base - centre, weights, base, sample.products)
    mean[:, : len(base)] += centre
    order = [*base, *(product.name for product in sample.products)]
    pick = np.array([order.index(name) for name in sample.names])
    picked = cov[:, pick[:, None], pick[None, :]]
    error = composite_errors(sample, group, weights)
    return GroupMoments(mean[:, pick], picked, error, float(part.nobs))


def composite_errors(sample: Sample, group: int, weights: FloatArray) -> FloatArray:
    """Error variances of the composites, shape ``(B, c)``: ``(1 - rho) s^2`` in every draw.

    Alphas come from the respondents who answered all items of the part.
    """
    part = sample.groups[group]
    out = np.zeros((weights.shape[0], len(sample.composites)))
    for c, (column, composite) in enumerate(sample.composites.items()):
        if not isinstance(composite.reliability, str):
            values = part.base[:, [sample.base_names.index(column)]]
            _, cov = weighted_moments(values - values.mean(axis=0), weights)
            out[:, c] = (1.0 - float(composite.reliability)) * cov[:, 0, 0]
            continue
        parts = part.base[:, [sample.base_names.index(name) for name in composite.parts]]
        _, cov = weighted_moments(parts - parts.mean(axis=0), weights)
        alphas = np.empty((weights.shape[0], len(composite.parts)))
        for j, name in enumerate(composite.parts):
            items = part.items[:, [sample.item_names.index(item) for item in composite.items[name]]]
            full = ~np.isnan(items).any(axis=1)
            items = items[full]
            _, item_cov = weighted_moments(items - items.mean(axis=0), weights[:, full])
            alphas[:, j] = alpha(item_cov)
        out[:, c] = stratified_error_variance(np.diagonal(cov, axis1=1, axis2=2), alphas)
    return out
