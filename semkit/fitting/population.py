"""A population: a model whose every parameter has a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import ModelError, NotSupportedError, OptionError, Problem, suggest
from semkit.estimate.implied import fill, imply, total_effects
from semkit.estimate.layout import PSI, THETA, Layout, make_layout
from semkit.model import ParameterTable, build_table, parse

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Population:
    """Moments of each group.

    Parameters
    ----------
    names : tuple of str (p,)
    groups : tuple of str
    mean, cov : tuple of ndarray (p,), (p, p)
    thresholds : mapping of str to tuple of float
        Cut points of ordered variables, in standard deviations from the mean.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    mean: tuple[FloatArray, ...]
    cov: tuple[FloatArray, ...]
    thresholds: Mapping[str, tuple[float, ...]]


def population_of(fit: Fit) -> Population:
    """What a fit estimates the population to be; without a mean structure the means are the sample's.

    Raises
    ------
    NotSupportedError
        ``fitting.not-supported``: products of variables; ordinal indicators with covariates or groups.
    """
    solution, table = fit.solution, fit.table
    crossed = any(":" in name for name in (*table.rhs, *table.lhs) if table.op)
    ordered = "|" in table.op
    if crossed or fit.recipe.products or (ordered and (table.variables.ov_x or table.n_groups > 1)):
        what = "covariates or groups of ordinal indicators" if ordered else "products of variables"
        raise NotSupportedError(Problem("fitting.not-supported", "simulate_model",
                                        f"does not draw from fits with {what}", "a fit without them",
                                        "Write the model as text with values."))
    mean = tuple(
        implied.mu[0] if block.means else own.mean[0]
        for block, implied, own in zip(solution.layout.blocks, solution.implied, solution.moments, strict=True)
    )
    cuts: dict[str, list[float]] = {}
    for i in range(len(table)):
        if table.op[i] == "|":
            k = table.variables.ov.index(table.lhs[i])
            spread = float(np.sqrt(solution.implied[0].sigma[0, k, k]))
            cuts.setdefault(table.lhs[i], []).append((float(fit._rows.value[0, i]) - float(mean[0][k])) / spread)
    return Population(table.variables.ov, table.groups, mean,
                      tuple(implied.sigma[0] for implied in solution.implied),
                      {name: tuple(sorted(part)) for name, part in cuts.items()})


def make_population(model: str, values: Mapping[str, Any] | None, groups: Sequence[str]) -> Population:
    """The population of a model text and values by name.

    Raises
    ------
    ModelError
        ``fitting.parameter-without-value``, ``fitting.impossible-population``.
    """
    spec = parse(model)
    if spec.products:
        raise NotSupportedError(Problem("fitting.not-supported", "simulate_model", "products of variables have no "
                                        "normal distribution with stated moments", "a model without a:b",
                                        "Draw the variables and add the product to the outcome yourself."))
    cuts = {(term.lhs, term.rhs): _cut(term) for term in spec.terms if term.op == "|"}
    plain = replace(spec, terms=tuple(term for term in spec.terms if term.op != "|"))
    table = build_table(plain, groups=tuple(groups), meanstructure=True, fixed_x=False, auto_fix_first=False)
    layout = make_layout(table)
    theta = _complete(table, layout, _values(table, values or {}))
    mean, cov, problems = [], [], []
    for block, label in zip(layout.blocks, groups, strict=True):
        implied = imply(block, theta[None], np.zeros((1, 0)))
        mean.append(implied.mu[0])
        cov.append(implied.sigma[0])
        lowest = float(np.linalg.eigvalsh(implied.sigma[0])[0])
        if not lowest > 1e-12:
            problems.append(Problem("fitting.impossible-population", f"group {label}" if label else "the model",
                                    "the implied covariance matrix is not positive definite",
                                    "values that variables can have", "Lower a loading, slope or covariance."))
    if problems:
        raise ModelError(*problems)
    names = tuple(dict.fromkeys(lhs for lhs, _ in cuts))
    thresholds = {name: tuple(sorted(v for (lhs, _), v in cuts.items() if lhs == name)) for name in names}
    return Population(table.variables.ov, tuple(groups), tuple(mean), tuple(cov), thresholds)


def _cut(term: Any) -> float:
    fixed = term.modifier("fixed")
    if fixed is None or fixed.values[0] is None:
        raise ModelError(Problem("fitting.parameter-without-value", f"{term.lhs} | {term.rhs}", "has no value",
                                 "for example x1 | -1*t1 + 0.5*t2", "Write the cut points in standard deviations."))
    return float(fixed.values[0])


def _values(table: ParameterTable, values: Mapping[str, Any]) -> FloatArray:
    """Values of the free rows ``(q,)``; NaN where none is given.  A name without ``.g2`` stands for all groups."""
    names = table.free_names
    plain = [name.rsplit(".g", 1)[0] if ".g" in name and name.rsplit(".g", 1)[1].isdigit() else name for name in names]
    unknown = [name for name in values if name not in names and name not in plain]
    if unknown:
        raise OptionError(*(Problem("fitting.unknown-parameter", f'values["{name}"]',
                                    "the model has no such free parameter", ", ".join(names),
                                    suggest(name, names).strip() or "What the text fixes is not asked for.")
                            for name in unknown))
    out = table.start[table.free_rows].copy()
    for k, (name, general) in enumerate(zip(names, plain, strict=True)):
        given = values.get(name, values.get(general))
        if given is not None:
            out[k] = float(given)
    return out


def _complete(table: ParameterTable, layout: Layout, given: FloatArray) -> FloatArray:
    """Different parameters ``(q,)``: given ones, a marker's 1, means and covariances of 0, variances to sum to 1."""
    value, rest = given.copy(), []
    for k, row in enumerate(table.free_rows):
        lhs, op, rhs = table.lhs[row], table.op[row], table.rhs[row]
        if not np.isnan(value[k]):
            continue
        if op == "=~" and _first(table, int(row)):
            value[k] = 1.0
        elif op == "~1" or (op == "~~" and lhs != rhs):
            value[k] = 0.0
        elif op == "~~":
            rest.append(k)
    missing = [table.free_names[k] for k in np.flatnonzero(np.isnan(value)) if k not in rest]
    if missing:
        raise ModelError(*(Problem("fitting.parameter-without-value", name, "has no value", "a number",
                                   "Write it into the text (f =~ 0.7*x2) or into values=.") for name in missing))
    theta = np.zeros(layout.n_parameters)
    theta[table.unique] = np.where(np.isnan(value), 0.0, value)
    for g, block in enumerate(layout.blocks):
        own = [k for k in rest if table.block[table.free_rows[k]] == g + 1]
        _variances(table, block, theta, own)
    return theta


def _first(table: ParameterTable, row: int) -> bool:
    """Whether a loading is the first of its latent variable in its group."""
    same = [i for i in range(len(table)) if table.op[i] == "=~" and table.lhs[i] == table.lhs[row]
            and table.block[i] == table.block[row]]
    return same[0] == row


def _variances(table: ParameterTable, block: Any, theta: FloatArray, rest: list[int]) -> None:
    """Give variances without a value what makes the variable's total variance 1, causes before effects."""
    kinds = {int(row): (int(kind), int(at)) for row, kind, at in
             zip(block.free.table_row, block.free.kind, block.free.row, strict=True)}
    latent = {kinds[int(table.free_rows[k])][1]: k for k in rest if kinds[int(table.free_rows[k])][0] == PSI}
    observed = {kinds[int(table.free_rows[k])][1]: k for k in rest if kinds[int(table.free_rows[k])][0] == THETA}
    problems = []
    if latent and block.depth < 0:
        raise ModelError(Problem("fitting.parameter-without-value", "variances", "cannot be completed in a cycle",
                                 "every variance", "Give the residual variances of the cycle."))
    for at in sorted(latent, key=lambda i: _rank(block, theta, i)):
        explained = float(imply(block, theta[None], np.zeros((1, 0))).eta_cov[0, at, at])
        problems += _fill(table, theta, latent[at], explained)
    for at in observed:
        explained = float(imply(block, theta[None], np.zeros((1, 0))).sigma[0, at, at])
        problems += _fill(table, theta, observed[at], explained)
    if problems:
        raise ModelError(*problems)


def _rank(block: Any, theta: FloatArray, at: int) -> int:
    """How many variables lie upstream of one."""
    a = total_effects(block, fill(block, theta[None], np.zeros((1, 0))).beta)[0]
    reach = np.abs(a) > 0.0
    return int(reach[at].sum())


def _fill(table: ParameterTable, theta: FloatArray, k: int, explained: float) -> list[Problem]:
    if explained >= 1.0:
        name = table.free_names[k]
        return [Problem("fitting.impossible-population", name, f"what explains it has variance {explained:.4g}",
                        "less than 1, or a residual variance of your own", f'Give values={{"{name}": ...}}.')]
    theta[table.unique[k]] = 1.0 - explained
    return []
