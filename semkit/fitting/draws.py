"""Bootstrap draws as a record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Draws:
    """Bootstrap draws of a fit.

    Parameters
    ----------
    est, std : ndarray (B, k)
        Estimates and standardised estimates of the draws that converged and were admissible.
    requested, failed, inadmissible : int
    seed : int
    """

    est: FloatArray
    std: FloatArray
    requested: int
    failed: int
    inadmissible: int
    seed: int
