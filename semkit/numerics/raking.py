"""Iterative proportional fitting of weights to known margins, many weight vectors at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Raked:
    """Raked weights ``(B, n)``, passes made, and the largest relative deviation from a margin of each row."""

    weights: FloatArray
    iterations: int
    deviation: FloatArray


def rake(
    weights: FloatArray, margins: tuple[IntArray, ...], targets: tuple[FloatArray, ...], *,
    bounds: tuple[float, float] | None = None, tolerance: float = 1e-10, max_iterations: int = 1000,
) -> Raked:
    """Multiply weights margin by margin until every weighted count is its target.

    Parameters
    ----------
    weights : ndarray (B, n)
    margins : tuple of ndarray (n,) of int
        Level of each row in each margin.
    targets : tuple of ndarray (k,)
        Population count of each level; the same total in every margin.
    bounds : (float, float), optional
        Smallest and largest weight as multiples of the mean weight; applied after every pass.
    tolerance : float
        Largest relative deviation from a target.
    max_iterations : int

    References
    ----------
    Deming & Stephan (1940), Annals of Mathematical Statistics 11, 427-444; Izrael, Battaglia & Frankel (2009), SAS
    Global Forum 247 (trimming within the iterations).
    """
    w = np.array(weights, dtype=np.float64)
    indicators = [np.eye(len(target))[codes] for codes, target in zip(margins, targets, strict=True)]
    mean = float(targets[0].sum()) / w.shape[1]
    deviation = np.full(len(w), np.inf)
    passes = 0
    while passes < max_iterations:
        passes += 1
        for codes, indicator, target in zip(margins, indicators, targets, strict=True):
            with np.errstate(divide="ignore", invalid="ignore"):
                w *= (target / (w @ indicator))[:, codes]
        if bounds is not None:
            np.clip(w, bounds[0] * mean, bounds[1] * mean, out=w)
        deviation = np.max([np.abs(w @ indicator / target - 1.0).max(axis=1)
                            for indicator, target in zip(indicators, targets, strict=True)], axis=0)
        if not np.isfinite(deviation).all() or deviation.max() <= tolerance:
            break
    return Raked(w, passes, deviation)
