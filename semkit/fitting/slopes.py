"""Slopes of equations estimated one by one: restrictions, standardised effects, defined parameters, their errors.

Everything follows from respondents' influence: on the slopes, and on the logarithms of the standard deviations.

- Fixed, equal and linearly restricted slopes ``b = c + K g`` minimise the sum of the equations' criteria, each divided
  by the variance of its error, which moves the free estimates ``b_u`` by a projection:
  ``b = c + P (b_u - c)``, ``P = K (K'AK)^-1 K'A`` with ``A`` the curvature; influence is projected likewise, and the
  estimated variances of the errors are counted.
- Standardised: ``b prod(sd of factors) / sd(outcome)`` with influence
  ``ratio (IF_b + b (sum IF_log sd(x) - IF_log sd(y)))``.

References
----------
Theil (1971), Principles of Econometrics, sec. 6.9 (restrictions); Newey & McFadden (1994), Handbook of Econometrics 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem
from semkit.estimate.implied import imply
from semkit.fitting.calls import make_table
from semkit.fitting.fit import Fit
from semkit.fitting.measurement import structural_options
from semkit.fitting.options import Options
from semkit.fitting.solution import Solution
from semkit.fitting.steps import Measured, bartlett, covariance
from semkit.model import Expression, ModelSpec, ParameterTable
from semkit.sample import Sample

FloatArray = NDArray[np.float64]
Spread = Mapping[tuple[int, str], tuple[float, FloatArray]]

_STEP = 1e-5
_ALIKE = 1e-8


@dataclass(frozen=True, eq=False)
class Slopes:
    """Slopes of all equations in all groups.

    Parameters
    ----------
    table : ParameterTable
        Rows ``~``, in its order, and definitions.
    est : ndarray (k,)
        Of all ``~`` rows; fixed ones have their value.
    influence : ndarray (n, k)
    vcov : ndarray (k, k)
    """

    table: ParameterTable
    est: FloatArray
    influence: FloatArray
    vcov: FloatArray


@dataclass(frozen=True, eq=False)
class Metric:
    """Estimates in one metric with their covariance matrix: ``~`` rows, then definitions."""

    est: FloatArray
    vcov: FloatArray


def slope_table(structure: ModelSpec, options: Options, groups: tuple[str, ...], method: str) -> ParameterTable:
    """The slopes of a structural model as a parameter table, with its definitions and equalities.

    Raises
    ------
    NotSupportedError
        ``fitting.only-slopes``: labels of variances in formulas, inequalities, bounds, non-linear restrictions.
    """
    whole = make_table(structure, structural_options(options), groups, ())
    keep = [i for i, op in enumerate(whole.op) if op in ("~", ":=", "==")]
    known = {whole.label[i] for i in keep if whole.op[i] == "~"}
    wrong = []
    for i, expression in whole._expressions.items():
        other = [name for name in (*expression.names, *expression.std_names) if name not in known]
        shown = f"{whole.lhs[i]} {whole.op[i]} {whole.rhs[i]}"
        if other:
            wrong.append((shown, f"{', '.join(other)} is no slope"))
        elif whole.op[i] in ("<", ">"):
            wrong.append((shown, "is an inequality"))
        elif whole.op[i] == "==" and not expression.linear:
            wrong.append((shown, "is not linear"))
    bounded = [i for i in keep if np.isfinite(whole.lower[i]) or np.isfinite(whole.upper[i])]
    wrong += [(whole.names[i], "has a bound") for i in bounded]
    if wrong:
        raise NotSupportedError(*(Problem("fitting.only-slopes", where, f"{what}: interaction={method!r} estimates "
                                          "slopes only", "labels of slopes, linear restrictions",
                                          "Use interaction='sam' or 'lms'.") for where, what in wrong))
    at = np.array(keep)
    free = np.where(whole.free[at] > 0, np.cumsum(whole.free[at] > 0), 0)
    expressions = {new: whole._expressions[old] for new, old in enumerate(keep) if old in whole._expressions}
    return replace(
        whole, lhs=tuple(whole.lhs[i] for i in keep), op=tuple(whole.op[i] for i in keep),
        rhs=tuple(whole.rhs[i] for i in keep), label=tuple(whole.label[i] for i in keep), block=whole.block[at],
        free=free, start=whole.start[at], value=whole.value[at], lower=whole.lower[at], upper=whole.upper[at],
        exo=whole.exo[at], user=whole.user[at], _expressions=expressions)


def beside(fit: Fit) -> Solution:
    """The solution of a factor model that stands beside equations: its tests are not theirs."""
    return replace(fit.solution, options=replace(fit.solution.options, test=("standard",)))


def slope_rows(table: ParameterTable) -> list[int]:
    """Rows of slopes."""
    return [i for i, op in enumerate(table.op) if op == "~"]


def restrictions(table: ParameterTable) -> tuple[FloatArray, FloatArray]:
    """``c (k,)`` and ``K (k, f)`` of the slopes ``c + K g`` that the table allows.

    Raises
    ------
    NotSupportedError
        ``fitting.only-slopes``: restrictions that contradict each other.
    """
    rows = slope_rows(table)
    constant = np.where(table.free[rows] > 0, 0.0, table.value[rows])
    own = np.zeros((len(rows), table.n_unique))
    for k, row in enumerate(rows):
        if table.free[row]:
            own[k, table.unique[table.free[row] - 1]] = 1.0
    left, right = [], []
    for expression in table.equalities:
        zero = dict.fromkeys(expression.names, 0.0)
        value, by = expression.linearise(zero)
        slope, level = np.zeros(own.shape[1]), float(value)
        for atom, weight in by.items():
            k = rows.index(table.labelled_rows[atom.name])
            slope += float(weight) * own[k]
            level += float(weight) * constant[k]
        left.append(slope)
        right.append(-level)
    if not left:
        return constant, own
    matrix, target = np.array(left), np.array(right)
    start = np.linalg.lstsq(matrix, target, rcond=None)[0]
    if np.max(np.abs(matrix @ start - target)) > _ALIKE * max(1.0, float(np.max(np.abs(target)))):
        raise NotSupportedError(Problem("fitting.only-slopes", "constraints", "contradict each other",
                                        "restrictions that can hold together", "Leave one of them out."))
    _, size, vt = np.linalg.svd(matrix)
    rank = int(np.sum(size > _ALIKE * size.max()))
    return constant + own @ start, own @ vt[rank:].T


@dataclass(frozen=True, eq=False)
class Restricted:
    """Slopes under restrictions: ``c + P (b - c)``.

    Parameters
    ----------
    free : ndarray (k,)
        Without restrictions.
    est : ndarray (k,)
    projection : ndarray (k, k)
    reach : ndarray (k, k)
        ``K (K'AK)^-1 K'``.
    pull : ndarray (k,)
        ``A (b - est)``: how much the free estimates pull at the restricted ones; 0 without restrictions.
    """

    free: FloatArray
    est: FloatArray
    projection: FloatArray
    reach: FloatArray
    pull: FloatArray

    def influence(self, own: FloatArray, rows: list[int], log_variance: FloatArray) -> FloatArray:
        """Influence on all slopes ``(n, k)`` from that on one equation's.

        Parameters
        ----------
        own : ndarray (n, j)
            On the free slopes ``rows``, residuals taken at the restricted ones.
        rows : list of int
        log_variance : ndarray (n,)
            On the logarithm of the variance of the equation's error, by which it is weighted against others.
        """
        gap = self.free[rows] - self.est[rows]
        return np.asarray((own - np.outer(log_variance, gap)) @ self.projection[:, rows].T)


def restricted(allowed: tuple[FloatArray, FloatArray], free: FloatArray, curvature: FloatArray) -> Restricted:
    """Slopes under the restrictions ``(c, K)``."""
    constant, directions = allowed
    k = len(free)
    if directions.shape[1] == k:
        return Restricted(free, free, np.eye(k), np.asarray(np.linalg.inv(curvature), dtype=np.float64), np.zeros(k))
    reach: FloatArray = np.zeros((k, k))
    if directions.shape[1]:
        reach = np.asarray(directions @ np.linalg.solve(directions.T @ curvature @ directions, directions.T))
    est = constant + reach @ curvature @ (free - constant)
    return Restricted(free, est, reach @ curvature, reach, curvature @ (free - est))


def spread_of(fit: Fit, names: tuple[str, ...]) -> dict[tuple[int, str], tuple[float, FloatArray]]:
    """Standard deviations of variables of a factor model by group, and respondents' influence on their logarithms."""
    solution = fit.solution
    theta, q = solution.theta, len(solution.theta)
    influence = Measured(names, fit, bartlett).influence
    step = _STEP * np.maximum(1.0, np.abs(theta))
    batch = np.concatenate([theta[None], theta + np.diag(step), theta - np.diag(step)])
    given = np.repeat(solution.given, len(batch), axis=0)
    out = {}
    for g, block in enumerate(solution.layout.blocks):
        implied, places = imply(block, batch, given), (*block.eta, *block.observed)
        var = np.concatenate([np.diagonal(one, axis1=1, axis2=2) for one in (implied.eta_cov, implied.sigma)], axis=1)
        for name in names:
            own = var[:, places.index(name)]
            slope = (own[1 : 1 + q] - own[1 + q :]) / (2.0 * step)
            out[g, name] = (float(np.sqrt(own[0])), np.asarray(influence @ slope / (2.0 * own[0])))
    return out


def observed_spread(sample: Sample, names: tuple[str, ...]) -> dict[tuple[int, str], tuple[float, FloatArray]]:
    """The same of observed variables."""
    out, start = {}, 0
    for g, group in enumerate(sample.groups):
        rows = slice(start, start + group.nobs)
        start += group.nobs
        share = group.weights.sum() / sample.nobs
        for name in names:
            values = sample.column(name, g)
            square = (values - np.average(values, weights=group.weights)) ** 2
            var = float(np.average(square, weights=group.weights))
            influence = np.zeros(sample.nobs)
            influence[rows] = (square / (2.0 * var) - 0.5) / share
            out[g, name] = (float(np.sqrt(var)), influence)
    return out


def raw_metric(slopes: Slopes, spread: Spread, sample: Sample) -> Metric:
    """Slopes and definitions as they are."""
    table = slopes.table
    if not table.definitions:
        return Metric(slopes.est, slopes.vcov)
    scaled = [e for _, e in table.definitions if e.sd_names or e.std_names]
    labels = _by_label(table, slopes.est)
    if scaled:  # standard deviations are estimated too: one source of errors for all
        std, std_influence = _standardised(slopes, spread, frozenset())
        value, influence = _defined(table, slopes.est, slopes.influence, spread, std, std_influence)
        whole = np.concatenate([slopes.influence, influence], axis=1)
        return Metric(np.concatenate([slopes.est, value]), covariance(whole, sample))
    rows, out, values = slope_rows(table), np.zeros((len(table.definitions), len(slopes.est))), []
    for d, (_, expression) in enumerate(table.definitions):
        value, by = expression.linearise(labels)
        values.append(float(value))
        for atom, weight in by.items():
            out[d, rows.index(table.labelled_rows[atom.name])] += float(weight)
    turn = np.concatenate([np.eye(len(slopes.est)), out])
    return Metric(np.concatenate([slopes.est, values]), turn @ slopes.vcov @ turn.T)


def standard_metric(slopes: Slopes, spread: Spread, sample: Sample, kept: frozenset[str]) -> Metric:
    """Standardised slopes, and definitions of them; predictors in ``kept`` stay in their own unit.

    NaN where a standard deviation is not known.
    """
    est, influence = _standardised(slopes, spread, kept)
    full, full_influence = (est, influence) if not kept else _standardised(slopes, spread, frozenset())
    ones = {place: (1.0, np.zeros(len(influence))) for place in spread}
    value, moved = _defined(slopes.table, est, influence, ones, full, full_influence)
    return Metric(np.concatenate([est, value]), covariance(np.concatenate([influence, moved], axis=1), sample))


def _standardised(slopes: Slopes, spread: Spread, kept: frozenset[str]) -> tuple[FloatArray, FloatArray]:
    table = slopes.table
    est, influence = slopes.est.copy(), slopes.influence.copy()
    for k, row in enumerate(slope_rows(table)):
        g = int(table.block[row]) - 1
        factors = [v for v in table.rhs[row].split(":") if v not in kept]
        if any((g, v) not in spread for v in (*factors, table.lhs[row])):
            est[k], influence[:, k] = np.nan, np.nan
            continue
        outcome = spread[g, table.lhs[row]]
        ratio = float(np.prod([spread[g, v][0] for v in factors])) / outcome[0]
        log = sum((spread[g, v][1] for v in factors), -outcome[1])
        est[k] = slopes.est[k] * ratio
        influence[:, k] = ratio * (slopes.influence[:, k] + slopes.est[k] * log)
    return est, influence


def _by_label(table: ParameterTable, est: FloatArray) -> dict[str, float]:
    rows = slope_rows(table)
    return {label: float(est[rows.index(row)]) for label, row in table.labelled_rows.items() if row in rows}


def _defined(
    table: ParameterTable, est: FloatArray, influence: FloatArray, spread: Spread, std: FloatArray,
    std_influence: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Values ``(d,)`` of the definitions and respondents' influence ``(n, d)``."""
    rows = slope_rows(table)
    labels, standard = _by_label(table, est), _by_label(table, std)
    sd = {(f"{name}.g{g + 1}" if g else name): value for (g, name), (value, _) in spread.items()}
    moved_sd = {(f"{name}.g{g + 1}" if g else name): value * log for (g, name), (value, log) in spread.items()}
    values, out = [], np.zeros((len(influence), len(table.definitions)))
    for d, (_, expression) in enumerate(table.definitions):
        _require_known(expression, sd)
        value, by = expression.linearise(labels, sd, standard)
        values.append(float(value))
        for atom, weight in by.items():
            if atom.kind == "sd":
                out[:, d] += float(weight) * moved_sd[atom.name]
                continue
            column = rows.index(table.labelled_rows[atom.name])
            out[:, d] += float(weight) * (influence if atom.kind == "label" else std_influence)[:, column]
    return np.array(values), out


def _require_known(expression: Expression, sd: Mapping[str, float]) -> None:
    """Refuse standard deviations that equations do not know."""
    unknown = [name for name in expression.sd_names if name not in sd]
    if unknown:
        raise NotSupportedError(Problem("fitting.only-slopes", str(expression),
                                        f"no standard deviation of {', '.join(unknown)}", ", ".join(sd) or "none",
                                        "Use interaction='sam' or 'lms'."))
