"""Numbers that stand for a missing answer and were not declared as such."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MISSING_CODES = (-9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0)


def missing_code(values: FloatArray) -> float | None:
    """A value that looks like a code for 'missing': a usual code, at the end, farther off than the rest is wide.

    Parameters
    ----------
    values : ndarray (n,)
        NaN where missing.

    Examples
    --------
    >>> import numpy as np
    >>> missing_code(np.array([1.0, 5.0, 7.0, -99.0])), missing_code(np.array([95.0, 97.0, 99.0]))
    (-99.0, None)
    """
    found = np.unique(values[~np.isnan(values)])
    if found.size < 3:
        return None
    for code, rest, gap in (
        (found[0], found[1:], found[1] - found[0]),
        (found[-1], found[:-1], found[-1] - found[-2]),
    ):
        if code in MISSING_CODES and gap > np.ptp(rest):
            return float(code)
    return None
