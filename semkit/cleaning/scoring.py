"""From answer codes to scores: array functions over respondents.

References
----------
Nunnally & Bernstein (1994), Psychometric Theory, ch. 7 (reverse keying, means of items).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def flip(codes: FloatArray, reverse: BoolArray, mirror: FloatArray) -> FloatArray:
    """Score of each item: ``mirror - answer`` for reverse items, the answer for the others.

    Parameters
    ----------
    codes : ndarray (n, p)
        Answers on the scale, NaN where missing.
    reverse : ndarray (p,) of bool
    mirror : ndarray (p,)
        Lowest plus highest code of each item's scale: points + 1 on 1 .. points.

    Examples
    --------
    >>> import numpy as np
    >>> flip(np.array([[2.0, 2.0]]), np.array([False, True]), np.array([6.0, 6.0])).tolist()
    [[2.0, 4.0]]
    """
    return np.where(reverse, mirror - codes, codes)


def scale_mean(scores: FloatArray, min_answered: float = 0.5) -> FloatArray:
    """Mean of the answered items of a construct, if at least ``min_answered`` of them were answered.

    Parameters
    ----------
    scores : ndarray (n, k)
        Item scores, reverse items flipped, NaN where missing.
    min_answered : float
        Share of the ``k`` items; one half by default.

    Returns
    -------
    ndarray (n,)
        NaN where too few were answered.

    Examples
    --------
    >>> import numpy as np
    >>> scale_mean(np.array([[4.0, 2.0, np.nan], [4.0, np.nan, np.nan]])).tolist()
    [3.0, nan]
    """
    answered = ~np.isnan(scores)
    count = answered.sum(axis=1)
    enough = (count >= min_answered * scores.shape[1] - 1e-9) & (count > 0)
    return np.where(enough, np.where(answered, scores, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def indicators(codes: NDArray[np.object_], levels: tuple[str, ...]) -> FloatArray:
    """0/1 indicators of the levels of a category, NaN in all of them where the answer is missing (None).

    Parameters
    ----------
    codes : ndarray (n,) of object
        Option codes, or None.
    levels : tuple of str (k,)

    Returns
    -------
    ndarray (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> indicators(np.array(["a", "b", None], dtype=object), ("b",)).tolist()
    [[0.0], [1.0], [nan]]
    """
    out = np.empty((codes.shape[0], len(levels)))
    known = np.array([code is not None for code in codes], dtype=bool)
    for place, level in enumerate(levels):
        out[:, place] = np.where(known, (codes == level).astype(np.float64), np.nan)
    return out


def standardised_mean(columns: FloatArray, reference: BoolArray, min_answered: float = 0.5) -> FloatArray:
    """Mean of standardised columns: ``mean_j (x_ij - m_j) / s_j``, with moments of the reference rows.

    A column that does not vary among the reference rows says nothing and is left out.

    Parameters
    ----------
    columns : ndarray (n, k)
    reference : ndarray (n,) of bool
        Rows whose mean and standard deviation (divisor N - 1) are used: the analysed respondents.
    min_answered : float
        Share of the columns that must be there.

    Returns
    -------
    ndarray (n,)

    Examples
    --------
    >>> import numpy as np
    >>> standardised_mean(np.array([[1.0], [3.0]]), np.array([True, True])).round(4).tolist()
    [-0.7071, 0.7071]
    """
    out = np.full_like(columns, np.nan)
    for place in range(columns.shape[1]):
        there = columns[reference, place]
        there = there[~np.isnan(there)]
        spread = float(there.std(ddof=1)) if there.size > 1 else 0.0
        if spread > 0.0:
            out[:, place] = (columns[:, place] - there.mean()) / spread
    return scale_mean(out, min_answered)
