"""Respondents who belong together: intraclass correlation and what ignoring it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from semkit.errors import Note, Problem, SampleError, spelling

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEVEL = 0.001
LEAST_EFFECT = 1.1


@dataclass(frozen=True, slots=True, eq=False)
class Intraclass:
    """One-way analysis of variance of ``p`` columns over the same clusters.

    Parameters
    ----------
    icc : ndarray (p,)
        ``(MSB - MSW) / (MSB + (n0 - 1) MSW)``.
    pvalue : ndarray (p,)
        F test of no difference between clusters.
    effect : ndarray (p,)
        Design effect of a mean, ``1 + (b - 1) icc`` with ``b = sum n_i^2 / N``; errors are too small by its root.
    clusters : int
    size : float
        ``b``.
    """

    icc: FloatArray
    pvalue: FloatArray
    effect: FloatArray
    clusters: int
    size: float


def intraclass(values: FloatArray, codes: IntArray) -> Intraclass:
    """Intraclass correlations of columns.

    Parameters
    ----------
    values : ndarray (n, p)
        NaN where not answered; such answers are left out of their column.
    codes : ndarray (n,) of int
        Cluster of each row, from 0.

    References
    ----------
    Donner (1986), International Statistical Review 54, 67-82 (analysis-of-variance estimator, eq. 2.2);
    Kish (1965), Survey Sampling, sec. 5.4 (design effect).

    Examples
    --------
    >>> import numpy as np
    >>> found = intraclass(np.array([[1.0], [1.0], [5.0], [5.0], [3.0], [3.0]]), np.array([0, 0, 1, 1, 2, 2]))
    >>> float(found.icc[0]), float(found.effect[0])
    (1.0, 2.0)
    """
    k = int(codes.max()) + 1
    member = np.zeros((k, len(codes)))
    member[codes, np.arange(len(codes))] = 1.0
    seen = ~np.isnan(values)
    count = member @ seen
    total = count.sum(axis=0)
    filled = np.where(seen, values - np.nanmean(values, axis=0), 0.0)
    sums = member @ filled
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(count > 0, sums**2 / count, 0.0).sum(axis=0)
        used = (count > 0).sum(axis=0)
        between = (inside - filled.sum(axis=0) ** 2 / total) / (used - 1.0)
        within = ((filled**2).sum(axis=0) - inside) / (total - used)
        square = (count**2).sum(axis=0) / total
        n0 = (total - square) / (used - 1.0)
        icc = (between - within) / (between + (n0 - 1.0) * within)
        pvalue = fdtrc(used - 1.0, total - used, between / within)
    return Intraclass(icc, np.asarray(pvalue), 1.0 + (square - 1.0) * icc, k, float(square.mean()))


def nesting_notes(table: Any, column: str, data: Sequence[FloatArray], rows: Sequence[IntArray],
                  names: Sequence[str]) -> tuple[Note, ...]:
    """A note when respondents of the same cluster answer alike and the errors ignore it.

    The rule: some column's F test has ``p < .001`` after Bonferroni's correction for the number of columns, and its
    design effect is 1.1 or more (errors too small by 5 % or more).

    Parameters
    ----------
    table : DataFrame
    column : str
        Column that says who belongs together.
    data : sequence of ndarray (n_g, p)
        Model columns of the respondents used, by group.
    rows : sequence of ndarray (n_g,) of int
        Their rows in ``table``.
    names : sequence of str (p,)

    Raises
    ------
    SampleError
        ``sample.missing-column``.
    """
    known = [str(name) for name in table.columns]
    if known.count(column) != 1:
        raise SampleError(Problem("sample.missing-column", f'nesting "{column}"', "is not in the data once",
                                  ", ".join(known[:60]), spelling(column, known)))
    at = np.concatenate([np.asarray(part) for part in rows])
    cells = table[column].astype(object).to_numpy()[at]
    own = table[column].notna().to_numpy(dtype=bool)[at]
    _, codes = np.unique(np.array([str(v) for v in cells[own]], dtype=object).astype(str), return_inverse=True)
    values = np.concatenate(list(data))[own]
    if not len(codes) or codes.max() < 1 or codes.max() + 1 >= len(codes):
        return ()
    found = intraclass(values, codes.astype(np.int64))
    high = (found.pvalue * len(names) < LEVEL) & (found.effect >= LEAST_EFFECT)
    if not high.any():
        return ()
    order = [int(k) for k in np.argsort(-found.effect) if high[k]]
    text = ", ".join(f"{names[k]} {found.icc[k]:.2f}" for k in order[:6])
    top = float(found.effect[order[0]])
    return (Note(
        "sample.ignored-nesting", "warning",
        f"respondents of the same {column} answer alike: intraclass correlation {text}; design effect up to "
        f"{top:.2f} ({found.clusters} clusters of {found.size:.1f} on average).", column,
        f"They are taken as independent, so that errors are too small by a factor of up to {np.sqrt(top):.2f}.",
        f"Use design=Design(cluster={column!r}) for cluster-robust errors and tests.",
    ),)
