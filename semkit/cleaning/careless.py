"""Screens for careless answering: array functions over respondents, one per indicator.

Every function takes raw answer codes as ``(n, p)`` arrays (respondents first, items in the
order of the questionnaire, NaN where there is no answer on the scale) and works on all
respondents at once.  None of them decides anything: decisions are rules of the plan.

References
----------
Curran, P. G. (2016). Methods for the detection of carelessly invalid responses in survey data.
Journal of Experimental Social Psychology, 66, 4-19.
Huang, J. L., Curran, P. G., Keeney, J., Poposki, E. M., & DeShon, R. P. (2012). Detecting and deterring
insufficient effort responding to surveys. Journal of Business and Psychology, 27, 99-114.
Meade, A. W., & Craig, S. B. (2012). Identifying careless responses in survey data. Psychological Methods, 17, 437-455.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def longest_run(codes: FloatArray) -> IntArray:
    """Length of the longest run of identical answers to consecutive items ("longstring").

    A missing answer ends a run: what was not answered was not answered alike.

    Parameters
    ----------
    codes : ndarray (n, p)
        Raw answers (reverse items not flipped) in the order they were asked.

    Returns
    -------
    ndarray (n,) of int
        0 for a respondent without any answer.

    References
    ----------
    Johnson (2005), Journal of Research in Personality 39, 103-129; Curran (2016), section 2.3.

    Examples
    --------
    >>> import numpy as np
    >>> longest_run(np.array([[3.0, 3.0, 3.0, 2.0, 2.0], [1.0, np.nan, 1.0, 2.0, 3.0]])).tolist()
    [3, 1]
    """
    rows, items = codes.shape
    best = np.zeros(rows, dtype=np.int64)
    run = np.zeros(rows, dtype=np.int64)
    before = np.full(rows, np.nan)
    for item in range(items):  # over items, never over respondents
        answer = codes[:, item]
        run = np.where(answer == before, run + 1, 1)
        run[np.isnan(answer)] = 0
        np.maximum(best, run, out=best)
        before = answer
    return best


def run_threshold(items: int, minimum: int = 8, share: float = 0.5) -> int:
    """Run length that flags a sequence of consecutive items on one scale: ``max(minimum, share * items)``.

    Parameters
    ----------
    items : int
        Items of the sequence.
    minimum : int
    share : float
        Rounded up to whole items.

    Examples
    --------
    >>> run_threshold(31), run_threshold(12)
    (16, 8)
    """
    return max(minimum, math.ceil(share * items - 1e-9))


def answer_variance(codes: FloatArray, reverse: BoolArray) -> FloatArray:
    """Variance of the raw answers over items of which some are reverse-worded.

    Whoever reads the items cannot agree with a statement and with its opposite, so a variance of
    zero over straight and reverse items together is a sign of not reading.

    Parameters
    ----------
    codes : ndarray (n, p)
        Raw answers to all items of the blocks that hold a reverse item, NaN where missing.
    reverse : ndarray (p,) of bool

    Returns
    -------
    ndarray (n,)
        Population variance; NaN where less than half of the items, or no reverse item, or no
        straight item was answered: then it says nothing.

    Examples
    --------
    >>> import numpy as np
    >>> answer_variance(np.array([[4.0, 4.0, 4.0], [4.0, 5.0, 2.0]]), np.array([False, False, True])).round(3).tolist()
    [0.0, 1.556]
    """
    answered = ~np.isnan(codes)
    count = answered.sum(axis=1)
    told = (2 * count >= codes.shape[1]) & answered[:, reverse].any(axis=1) & answered[:, ~reverse].any(axis=1)
    filled = np.where(answered, codes, 0.0)
    size = np.maximum(count, 1)
    mean = filled.sum(axis=1) / size
    spread = np.where(answered, codes - mean[:, None], 0.0)
    return np.where(told, (spread**2).sum(axis=1) / size, np.nan)


def reverse_gap(scores: FloatArray, reverse: BoolArray, span: float = 4.0) -> FloatArray:
    """Mean absolute difference between reversed and straight items of one construct.

    ``mean over pairs (r, s) of |x_r - x_s|`` with ``x_r`` already flipped, times ``4 / range`` so that every scale is
    measured in steps of a five-point one: 0 when the two ways of asking agree, 4 when they contradict each other fully.

    Parameters
    ----------
    scores : ndarray (n, p)
        Item scores of one construct, reverse items already flipped, NaN where missing.
    reverse : ndarray (p,) of bool
    span : float
        Highest minus lowest point of the scale; 4 on a five-point scale.

    Returns
    -------
    ndarray (n,)
        NaN where no pair was answered.

    References
    ----------
    Curran (2016), section on semantic antonyms; Meade & Craig (2012), within-person consistency.

    Examples
    --------
    >>> import numpy as np
    >>> reverse_gap(np.array([[5.0, 5.0, 1.0], [4.0, 3.0, 4.0]]), np.array([False, False, True])).tolist()
    [4.0, 0.5]
    """
    gaps = np.abs(scores[:, reverse][:, :, None] - scores[:, ~reverse][:, None, :]).reshape(scores.shape[0], -1)
    pairs = (~np.isnan(gaps)).sum(axis=1)
    return np.where(pairs > 0, 4.0 / span * np.nansum(gaps, axis=1) / np.maximum(pairs, 1), np.nan)


def missing_share(missing: BoolArray, exists: BoolArray) -> FloatArray:
    """Share of items without an answer among the items that exist for the respondent.

    Parameters
    ----------
    missing, exists : ndarray (n, p) of bool
        ``exists`` is False for items that routing took away from this respondent.

    Returns
    -------
    ndarray (n,)
        NaN where no item exists.

    Examples
    --------
    >>> import numpy as np
    >>> missing_share(np.array([[True, False, True, True]]), np.array([[True, True, False, False]])).tolist()
    [0.5]
    """
    asked = exists.sum(axis=1)
    return np.where(asked > 0, (missing & exists).sum(axis=1) / np.maximum(asked, 1), np.nan)


def checks_failed(codes: FloatArray, required: FloatArray) -> IntArray:
    """Number of attention checks answered on the scale, but not as they ask.

    An empty check is not a failed one (the question may not have been reached).

    Parameters
    ----------
    codes : ndarray (n, k)
    required : ndarray (k,)

    References
    ----------
    Meade & Craig (2012): instructed-response items.

    Examples
    --------
    >>> import numpy as np
    >>> checks_failed(np.array([[2.0, 1.0], [2.0, np.nan], [4.0, 4.0]]), np.array([2.0, 1.0])).tolist()
    [0, 0, 2]
    """
    failed: IntArray = (~np.isnan(codes) & (codes != required)).sum(axis=1)
    return failed


def least_duration(answered: IntArray, seconds_per_item: float = 2.0) -> FloatArray:
    """Shortest believable duration in seconds: ``seconds_per_item`` times the items answered.

    References
    ----------
    Huang et al. (2012): nobody reads and answers an item in less than two seconds.

    Examples
    --------
    >>> import numpy as np
    >>> least_duration(np.array([56, 10])).tolist()
    [112.0, 20.0]
    """
    return seconds_per_item * answered.astype(np.float64)


def available_moments(values: FloatArray) -> tuple[FloatArray, FloatArray, bool]:
    """Mean and covariance from the cells there are, made positive definite if need be.

    ``s_jk = sum_i (x_ij - m_j)(x_ik - m_k) / (n_jk - 1)`` over the ``n_jk`` respondents that answered both.

    Parameters
    ----------
    values : ndarray (n, p)

    Returns
    -------
    mean : ndarray (p,)
    cov : ndarray (p, p)
    repaired : bool
        True when eigenvalues below 1e-6 of the largest had to be raised to it.
    """
    there = ~np.isnan(values)
    count = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, values, 0.0).sum(axis=0) / count
    centred = np.where(there, values - mean, 0.0)
    weight = there.astype(np.float64)
    cov = (centred.T @ centred) / np.maximum(weight.T @ weight - 1.0, 1.0)
    roots, vectors = np.linalg.eigh((cov + cov.T) / 2.0)
    floor = 1e-6 * max(float(roots[-1]), 1e-12)
    repaired = bool(roots[0] < floor)
    if repaired:
        cov = (vectors * np.maximum(roots, floor)) @ vectors.T
    return mean, cov, repaired


def mahalanobis(
    values: FloatArray, mean: FloatArray, cov: FloatArray, *, chunk: int = 4096
) -> tuple[FloatArray, IntArray]:
    """Squared Mahalanobis distance of the answers each respondent gave.

    ``d2 = (x_o - m_o)' S_oo^-1 (x_o - m_o)`` over the observed cells ``o``; under normality chi-square with
    as many degrees of freedom as observed cells.  For few missing cells ``m`` it is computed from the
    precision ``P = S^-1`` of all cells as ``z'Pz - (Pz)_m' (P_mm)^-1 (Pz)_m`` with ``z = x - mean`` and
    ``z_m = 0``, which is the same number (minimum over ``z_m`` of the full distance) and needs only small
    systems, solved together for all respondents with equally many missing cells.

    Parameters
    ----------
    values : ndarray (n, p)
    mean : ndarray (p,)
    cov : ndarray (p, p)
        Positive definite.
    chunk : int
        Respondents per batch of systems.

    Returns
    -------
    d2 : ndarray (n,)
        NaN for a respondent without answers.
    observed : ndarray (n,) of int
        Degrees of freedom.

    References
    ----------
    Mahalanobis (1936); Curran (2016), section 2.5; Meade & Craig (2012).

    Examples
    --------
    >>> import numpy as np
    >>> d2, df = mahalanobis(np.array([[1.0, 2.0], [3.0, np.nan]]), np.zeros(2), np.eye(2))
    >>> d2.tolist(), df.tolist()
    ([5.0, 9.0], [2, 1])
    """
    there = ~np.isnan(values)
    observed = there.sum(axis=1)
    precision = np.linalg.inv(cov)
    centred = np.where(there, values - mean, 0.0)
    weighted = centred @ precision
    d2 = np.einsum("ij,ij->i", centred, weighted)
    absent = values.shape[1] - observed
    for size in np.unique(absent[(absent > 0) & (observed > 0)]):
        rows = np.flatnonzero(absent == size)
        places = np.argsort(there[rows], axis=1, kind="stable")[:, :size]  # False sorts first
        for start in range(0, rows.size, chunk):
            part, where = rows[start : start + chunk], places[start : start + chunk]
            pull = np.take_along_axis(weighted[part], where, axis=1)
            block = precision[where[:, :, None], where[:, None, :]]
            d2[part] -= np.einsum("ij,ij->i", pull, np.linalg.solve(block, pull[:, :, None])[:, :, 0])
    return np.where(observed > 0, d2, np.nan), observed.astype(np.int64)
