"""What mixed ordinal and continuous data say: thresholds, slopes, variances, correlations and their sampling errors.

Each variable is estimated on its own, then the correlation of each pair with the margins held; the asymptotic
covariance matrix comes from influence functions of both steps.  Order of the moments: thresholds (for a continuous
variable its intercept) variable by variable; slopes, covariate by covariate; variances of continuous variables;
covariances (correlations of ordinal variables) below the diagonal, column by column.

References
----------
Muthen (1984), Psychometrika 49, 115-132; Joreskog (1994), Psychometrika 59, 381-389 (asymptotic covariance matrix);
Muthen & Satorra (1995), Psychometrika 60, 489-503.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semkit.estimate.margins import Margin, continuous_margin, ordinal_margin
from semkit.numerics import polyserial as ps
from semkit.numerics.polychoric import Correlations, cell_scores, polychoric

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_BLOCK = 4_000_000  # numbers in one array of pairs by respondents


@dataclass(frozen=True, eq=False)
class Spread:
    """Variation of the moments of one group under a sampling design.

    Parameters
    ----------
    root : ndarray (r, s)
        ``R'R = gamma``.
    simple : ndarray (s, s)
        What ``gamma`` would be, had as many respondents been drawn one by one with equal probability.
    joint : bool
        Whether rows of ``root`` stand for the same units in all groups, so that moments of groups are correlated.
    """

    root: FloatArray
    simple: FloatArray
    joint: bool


@dataclass(frozen=True, eq=False)
class Categorical:
    """Moments of one group.

    Parameters
    ----------
    categories : tuple of int (p,)
        Number of categories; 0 for continuous variables.
    levels : tuple of ndarray
        Thresholds or intercept of each variable.
    slopes : ndarray (p, k)
    variance : ndarray (p,)
    cov : ndarray (p, p)
    gamma : ndarray (s, s)
        ``N`` times the covariance matrix of :attr:`vector`.
    nobs : float
        Respondents, or the sum of their weights.
    boundary : tuple of (int, int)
        Pairs whose correlation has no estimate inside (-1, 1).
    empty : tuple of (int, int, int)
        Ordinal pairs with empty cells, and how many.
    adjusted : tuple of (int, int)
        Pairs of binary variables whose table was adjusted for an empty cell.
    influence : ndarray (n, s) or None
        What each respondent moves :attr:`vector` by, sampling weight included; kept on demand.
    spread : Spread or None
        How the moments vary under a sampling design.
    """

    categories: tuple[int, ...]
    levels: tuple[FloatArray, ...]
    slopes: FloatArray
    variance: FloatArray
    cov: FloatArray
    gamma: FloatArray
    nobs: float
    boundary: tuple[tuple[int, int], ...] = ()
    empty: tuple[tuple[int, int, int], ...] = ()
    adjusted: tuple[tuple[int, int], ...] = ()
    influence: FloatArray | None = None
    spread: Spread | None = None

    @cached_property
    def vector(self) -> FloatArray:
        """All moments, shape ``(s,)``."""
        continuous = np.array(self.categories) == 0
        return np.concatenate([*self.levels, self.slopes.T.ravel(), self.variance[continuous],
                               self.cov.T[np.triu_indices(len(self.cov), 1)]])


def estimate_moments(
    data: FloatArray, categories: tuple[int, ...], covariates: FloatArray | None = None, *, gamma: bool = True,
    zero_add: float = 0.5, weights: FloatArray | None = None,
) -> Categorical:
    """Two-step moments of one group with their asymptotic covariance matrix.

    Sampling weights make both steps pseudo maximum likelihood (weights ``k`` are ``k`` copies of a respondent); then
    influence values are kept instead of ``gamma``, which only the design can give.

    Parameters
    ----------
    data : ndarray (n, p)
        Answers from 0 for ordinal variables; NaN for gaps (each moment uses the respondents who answered).
    categories : tuple of int (p,)
        Number of categories, 0 for continuous variables.
    covariates : ndarray (n, k), optional
        Complete.
    gamma : bool
        Whether to compute the asymptotic covariance matrix.
    zero_add : float
        Added to empty cells of 2 x 2 tables with the margins kept; larger tables stay as they are.
    weights : ndarray (n,), optional
        Sampling weights above 0.
    """
    n, p = data.shape
    x = np.zeros((n, 0)) if covariates is None else covariates
    margins = [ordinal_margin(data[:, j], c, x, weights) if c else continuous_margin(data[:, j], x, weights)
               for j, c in enumerate(categories)]
    second, first = (np.asarray(at, dtype=np.int64) for at in np.triu_indices(p, 1))
    pairs = _Pairs(margins, categories, x, first, second, zero_add, weights)
    pairs.run(gamma)
    variance = np.array([margin.variance for margin in margins])
    sd = np.sqrt(variance)
    cov = np.diag(variance)
    cov[first, second] = cov[second, first] = pairs.rho * sd[first] * sd[second]
    matrix, kept = np.zeros((0, 0)), None
    if gamma and weights is None:
        matrix = _gamma(margins, pairs, n, sd)
    elif gamma:
        kept = np.concatenate(list(_influences(margins, pairs, n, sd, weights)))
    edge = tuple((int(second[k]), int(first[k])) for k in np.flatnonzero(pairs.boundary))
    return Categorical(categories, tuple(margin.level for margin in margins),
                       np.array([margin.slopes for margin in margins]).reshape(p, x.shape[1]), variance, cov, matrix,
                       n if weights is None else float(weights.sum()), edge, tuple(pairs.empty), tuple(pairs.adjusted),
                       kept)


class _Pairs:
    """Correlations of all pairs, scores by correlation, and how those move with the margins.

    After :meth:`run`: ``rho (m,)``, ``boundary (m,)``, ``scores (n, m)``, ``cross (m, first-step parameters)`` and
    ``square (m,)``, the sums of score products.
    """

    def __init__(self, margins: list[Margin], categories: tuple[int, ...], x: FloatArray, first: IntArray,
                 second: IntArray, zero_add: float, weights: FloatArray | None) -> None:
        self.margins, self.categories, self.x = margins, categories, x
        self.first, self.second, self.zero_add, self.weights = first, second, zero_add, weights
        self.starts = np.cumsum([0, *(margin.size for margin in margins)])
        m, n = len(first), len(x)
        self.rho, self.boundary = np.zeros(m), np.zeros(m, dtype=bool)
        self.scores = np.zeros((n, 0))
        self.cross = np.zeros((m, int(self.starts[-1])))
        self.empty: list[tuple[int, int, int]] = []
        self.adjusted: list[tuple[int, int]] = []

    def run(self, scores: bool) -> None:
        """Estimate everything, kind by kind."""
        if scores:
            self.scores = np.zeros((len(self.x), len(self.first)))
        ordinal = np.array([margin.ordinal for margin in self.margins])
        one, two = ordinal[self.first], ordinal[self.second]
        both = np.flatnonzero(one & two)
        if len(both) and not self.x.shape[1]:
            self._tables(both, scores)
        elif len(both):
            self._blocks(both, scores, "ordinal")
        self._blocks(np.flatnonzero(one != two), scores, "mixed")
        self._blocks(np.flatnonzero(~one & ~two), scores, "continuous")

    # -- ordinal pairs without covariates

    def _tables(self, at: IntArray, scores: bool) -> None:
        i, j = self.first[at], self.second[at]
        widest = max(self.categories)
        margins = self.margins
        hot = np.stack([(margin.answer[:, None] == np.arange(widest)) & margin.seen[:, None] for margin in margins],
                       axis=1).astype(np.float64)
        n, p = len(self.x), len(margins)
        flat = hot.reshape(n, p * widest)
        weighted = flat if self.weights is None else flat * self.weights[:, None]
        everything = (flat.T @ weighted).reshape(p, widest, p, widest).transpose(0, 2, 1, 3)
        counts = everything[i, j]
        limits = np.full((p, widest + 1), np.inf)
        for k, margin in enumerate(margins):
            if margin.ordinal:
                limits[k, : len(margin.level) + 1] = np.concatenate([[-np.inf], margin.level])
        used = self._emptiness(at, counts)
        found = polychoric(used, limits[i], limits[j])
        self._keep(at, found)
        if scores:
            self._table_scores(at, counts, limits)

    def _emptiness(self, at: IntArray, counts: FloatArray) -> FloatArray:
        """Counts with an empty cell of a 2 x 2 table adjusted so that its margins stay."""
        sizes = np.array(self.categories)
        rows, cols = sizes[self.first[at]], sizes[self.second[at]]
        grid = np.arange(counts.shape[1])
        real = (grid[None, :, None] < rows[:, None, None]) & (grid[None, None, :] < cols[:, None, None])
        zero = real & (counts == 0.0)
        number = zero.sum(axis=(1, 2))
        for k in np.flatnonzero(number):
            self.empty.append((int(self.second[at[k]]), int(self.first[at[k]]), int(number[k])))
        square = (rows == 2) & (cols == 2) & (number == 1)
        if not square.any() or not self.zero_add:
            return counts
        out = counts.copy()
        for k in np.flatnonzero(square):
            a, b = (int(v[0]) for v in np.nonzero(zero[k]))
            own = (np.arange(2)[:, None] == a) == (np.arange(2)[None, :] == b)
            out[k, :2, :2] += np.where(own, self.zero_add, -self.zero_add)
            self.adjusted.append((int(self.second[at[k]]), int(self.first[at[k]])))
        return out

    def _table_scores(self, at: IntArray, counts: FloatArray, limits: FloatArray) -> None:
        i, j = self.first[at], self.second[at]
        cells = cell_scores(limits[i], limits[j], self.rho[at])
        weighted = counts * cells.rho
        widest = counts.shape[1]
        answer = np.stack([margin.answer for margin in self.margins])
        seen = np.stack([margin.seen for margin in self.margins])
        flat = cells.rho.reshape(len(at), -1)
        for some in _slices(len(at), len(self.x)):
            place = answer[i[some]] * widest + answer[j[some]]
            values = np.take_along_axis(flat[some], place, axis=1)
            if not seen.all():
                values = values * (seen[i[some]] & seen[j[some]])
            self.scores[:, at[some]] = values.T
        by_row = self._by_threshold(weighted * cells.upper_a, weighted * cells.lower_a, 2)
        by_col = self._by_threshold(weighted * cells.upper_b, weighted * cells.lower_b, 1)
        for who, part in ((i, by_row), (j, by_col)):
            for k in set(who.tolist()):
                rows = np.flatnonzero(who == k)
                t = self.categories[k] - 1
                self.cross[at[rows], self.starts[k] : self.starts[k] + t] = part[rows, :t]

    @staticmethod
    def _by_threshold(upper: FloatArray, lower: FloatArray, axis: int) -> FloatArray:
        """Sums over cells whose upper, and whose lower, limit is threshold t, ``(m, C - 1)``."""
        return np.asarray(upper.sum(axis=axis)[:, :-1] + lower.sum(axis=axis)[:, 1:])

    # -- pairs respondent by respondent

    def _blocks(self, at: IntArray, scores: bool, kind: str) -> None:
        for rows in _slices(len(at), len(self.x)):
            self._casewise(at[rows], scores, kind)

    def _casewise(self, at: IntArray, scores: bool, kind: str) -> None:
        i, j = self.first[at].copy(), self.second[at].copy()
        if kind == "mixed":  # the continuous one first
            turn = np.array([self.margins[k].ordinal for k in i])
            i[turn], j[turn] = self.second[at][turn], self.first[at][turn]
        seen = np.stack([margin.seen for margin in self.margins])
        both = (seen[i] & seen[j]).astype(np.float64)
        weight = both if self.weights is None else both * self.weights
        if kind == "continuous":
            z = np.stack([margin.z for margin in self.margins])
            found = ps.pearson(z[i], z[j], weight)
            values = ps.pearson_scores(z[i], z[j], found.rho, both) if scores else None
        elif kind == "mixed":
            z = np.stack([self.margins[k].z for k in i])
            found = ps.polyserial(z, self._intervals(j), weight)
            values = ps.polyserial_scores(z, self._intervals(j), found.rho, both) if scores else None
        else:
            one, two = self._intervals(i), self._intervals(j)
            found = ps.interval_correlations(one, two, weight)
            values = ps.interval_scores(one, two, found.rho, both) if scores else None
        self._keep(at, found)
        if values is None:
            return
        self.scores[:, at] = values.rho.T
        weighted = values.rho * weight
        for who, part in ((i, values.first), (j, values.second)):
            for k in set(who.tolist()):
                rows = np.flatnonzero(who == k)
                self.cross[at[rows], self.starts[k] : self.starts[k + 1]] = self._by_margin(
                    self.margins[k], weighted[rows], tuple(score[rows] for score in part))

    def _intervals(self, which: IntArray) -> ps.Intervals:
        return ps.Intervals(np.stack([self.margins[k].upper for k in which]),
                            np.stack([self.margins[k].lower for k in which]))

    def _by_margin(
        self, margin: Margin, rho: FloatArray, part: tuple[FloatArray, ...]
    ) -> FloatArray:
        """Sums of the weighted score by rho times the scores by the margin's parameters, ``(m, size)``."""
        if margin.ordinal:
            upper, lower = rho * part[0], rho * part[1]
            at = np.arange(len(margin.level))
            by_level = upper @ (margin.answer[:, None] == at).astype(np.float64)
            by_level += lower @ (margin.answer[:, None] == at + 1).astype(np.float64)
            return np.column_stack([by_level, -(upper + lower) @ self.x])
        product = rho * part[0]
        sd = np.sqrt(margin.variance)
        by_level = -(product @ np.column_stack([np.ones(len(self.x)), self.x])) / sd
        by_variance = -(product @ margin.z + rho.sum(axis=1)) / (2.0 * margin.variance)
        return np.column_stack([by_level, by_variance])

    def _keep(self, at: IntArray, found: Correlations) -> None:
        self.rho[at], self.boundary[at] = found.rho, found.boundary


def _slices(count: int, width: int) -> Iterator[slice]:
    """Slices of ``count`` rows of ``width`` numbers each that fit into a block of bounded size."""
    step = max(1, _BLOCK // max(width, 1))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def _gamma(margins: list[Margin], pairs: _Pairs, n: int, sd: FloatArray) -> FloatArray:
    """``N`` times the covariance matrix of the moments: sums of squares of their influence functions."""
    total: FloatArray | float = 0.0
    for influence in _influences(margins, pairs, n, sd, None):
        total = total + influence.T @ influence
    return np.asarray(n * total)


def _influences(
    margins: list[Margin], pairs: _Pairs, n: int, sd: FloatArray, weights: FloatArray | None
) -> Iterator[FloatArray]:
    """What respondents move the moments by, ``(b, s)``, block after block.

    First step ``S_1 A_11^-1``; second ``(S_rho - S_1 A_11^-1 A_21') / a_22`` with sums of score products ``A``; a
    covariance moves with its correlation and both variances.  Weights multiply scores and the terms of the sums.
    """
    weighted = [margin.scores if weights is None else margin.scores * weights[:, None] for margin in margins]
    first = np.concatenate([own @ np.linalg.inv(margin.scores.T @ own)
                            for margin, own in zip(margins, weighted, strict=True)], axis=1)
    scores = pairs.scores if weights is None else pairs.scores * weights[:, None]
    square = np.einsum("nm,nm->m", scores, pairs.scores)
    levels, slopes, variances = [], [], {}
    for k, margin in enumerate(margins):
        at, t = int(pairs.starts[k]), len(margin.level)
        levels.append(np.arange(at, at + t))
        slopes.append(np.arange(at + t, at + t + len(margin.slopes)))
        if not margin.ordinal:
            variances[k] = at + t + len(margin.slopes)
    by_slope = np.array(slopes, dtype=np.int64).reshape(len(margins), -1).T.ravel()
    own = np.concatenate([np.concatenate(levels), by_slope, np.array(list(variances.values()), dtype=np.int64)])
    size = len(own) + len(pairs.rho)
    i, j = pairs.first, pairs.second
    for rows in _slices(n, size):
        second = (scores[rows] - first[rows] @ pairs.cross.T) / np.maximum(square, 1e-300)
        if variances:
            second *= sd[i] * sd[j]
            for k, at in variances.items():
                own_pairs = np.flatnonzero((i == k) | (j == k))
                other = np.where(i[own_pairs] == k, j[own_pairs], i[own_pairs])
                second[:, own_pairs] += first[rows, at, None] * (pairs.rho[own_pairs] * sd[other] / (2.0 * sd[k]))
        yield np.concatenate([first[rows][:, own], second], axis=1)

