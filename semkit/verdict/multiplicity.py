"""Holm's step-down correction over the claims of a family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def holm(pvalues: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm-adjusted p values; NaN entries stand outside the family and stay NaN.

    With ``m`` finite p values in ascending order the ``i``-th (from 1) becomes
    ``max over j <= i of min(1, (m - j + 1) p_(j))``.

    Parameters
    ----------
    pvalues : array_like (k,)

    Returns
    -------
    ndarray (k,)

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics,
    6, 65-70.
    """
    p = np.asarray(pvalues, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    if known.size == 0:
        return adjusted
    order = known[np.argsort(p[known], kind="stable")]
    weights = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(weights * p[order]))
    return adjusted
