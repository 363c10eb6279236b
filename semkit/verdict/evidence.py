"""From a result to the evidence on one part: standardised estimate, interval and p by one method."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semkit.errors import OptionError, Problem, ResultError, spelling
from semkit.result import Quantity, Result, quantity, summarise
from semkit.verdict.records import Evidence, Index

FloatArray = NDArray[np.float64]


def evidence(result: Result, parameter: str | Index, *, attenuation: float = 1.0, level: float = 0.95) -> Evidence:
    """Evidence on ``parameter``: a quantity of the result, an expression over its labels, or an index.

    A single path without a product is judged by its standard error (robust where the fit is robust).  Interactions
    and functions of several labels are judged by percentile intervals when the result has bootstrap draws: products
    and functions of normal estimates are skewed, and bias-corrected intervals are too liberal for indirect effects
    (Fritz, Taylor & MacKinnon 2012, Multivariate Behavioral Research 47, 61-87).

    Everything decided is on the standardised scale, because smallest effects of interest are; the raw estimate is
    carried for tables.

    Raises
    ------
    ResultError
        ``verdict.not-converged``.
    OptionError
        ``verdict.unknown-parameter``, ``verdict.no-index``.
    """
    if not result.converged:
        raise ResultError(
            Problem(
                "verdict.not-converged",
                f'parameter "{parameter}"',
                "the model did not converge",
                "a converged model",
                "Look at the model's notes; nothing is judged on it.",
            )
        )
    name = str(parameter).strip()
    if isinstance(parameter, Index):
        standard, raw = _index(result, parameter, level)
    elif name in result.names:
        method = "normal" if _plain_path(result, name) or result.draws is None else "draws"
        standard = quantity(result, name, standardized=True, method=method, level=level)  # type: ignore[arg-type]
        raw = float(result.est[result.names.index(name)])
    else:
        standard, raw = _expression(result, name, level)
    return Evidence(
        standard.est,
        standard.se,
        standard.ci_lower,
        standard.ci_upper,
        standard.pvalue,
        raw,
        standard.method,
        result.nobs,
        attenuation,
    )


def _plain_path(result: Result, name: str) -> bool:
    """Whether the quantity is one path without a product."""
    return any(term.name == name and len(term.factors) == 1 for term in result.terms)


def _index(result: Result, index: Index, level: float) -> tuple[Quantity, float]:
    """Index of moderated mediation, standardised per SD of the moderator; p and interval by one method.

    Other moderators of the path stand at their means; where one of them multiplies this one, there is no single index.
    """
    from semkit.probe import conditional_effects

    found = conditional_effects(result, index.path[0], index.path[-1], index.moderator, level=level).index
    rows = found[(found["path"] == " -> ".join(index.path)) & (found["at"] == "")] if len(found) else found
    if len(rows) != 1:
        known = [f"{row['path']} by {row['moderator']}" for row in found.to_dict("records") if row["at"] == ""]
        raise OptionError(
            Problem(
                "verdict.no-index",
                f'"{index}"',
                "the effect along this path is not linear in the moderator, or another moderator changes it",
                "; ".join(known) or "a path of which one step is moderated",
                "Judge a difference of conditional effects instead.",
            )
        )
    row = rows.iloc[0]
    est, se, raw = float(row["std_est"]), float(row["std_se"]), float(row["est"])
    if result.std_draws is None:
        return summarise(str(index), est, se, reference=result.reference, level=level), raw
    # the standardised index is the raw one times a positive number in every draw: both have one percentile p
    lower, upper, p = (float(row[name]) for name in ("std_ci_lower", "std_ci_upper", "pvalue"))
    return Quantity(str(index), est, se, lower, upper, p, "percentile", level), raw


def _expression(result: Result, text: str, level: float) -> tuple[Quantity, float]:
    from semkit.model import parse_expression

    expression = parse_expression(text)
    unknown = [name for name in expression.names if name not in result.names]
    if unknown:
        raise OptionError(
            Problem(
                "verdict.unknown-parameter",
                f'"{text}"',
                f'the model has no parameter "{unknown[0]}"',
                ", ".join(result.names),
                spelling(unknown[0], result.names),
            )
        )
    names = list(expression.names)
    index = [result.names.index(name) for name in names]
    ones = dict.fromkeys(result.variables, 1.0)
    sds = {name: variable.sd for name, variable in result.variables.items()}

    def value(numbers: FloatArray, sd: Mapping[str, float]) -> FloatArray:
        values = {name: numbers[..., position] for name, position in zip(names, index, strict=True)}
        std = {name: result.std_est[position] for name, position in zip(names, index, strict=True)}
        return np.asarray(expression.evaluate(values, sd=sd, std=std), dtype=float)

    est = float(value(result.std_est, ones))
    raw = float(value(result.est, sds))
    if result.std_draws is not None:
        return summarise(text, est, float("nan"), draws=value(result.std_draws, ones), level=level), raw
    gradient = _gradient(lambda numbers: float(value(numbers, ones)), result.std_est, index)
    vcov = np.asarray(result.std_vcov, dtype=float)[np.ix_(index, index)]
    se = float(np.sqrt(max(gradient @ vcov @ gradient, 0.0)))
    return summarise(text, est, se, reference=result.reference, level=level), raw


def _gradient(function: object, point: FloatArray, index: list[int]) -> FloatArray:
    """Central differences in the entries ``index`` of ``point``."""
    assert callable(function)
    slopes = np.empty(len(index))
    for row, position in enumerate(index):
        step = 1e-6 * max(1.0, abs(float(point[position])))
        up, down = point.copy(), point.copy()
        up[position] += step
        down[position] -= step
        slopes[row] = (function(up) - function(down)) / (2.0 * step)
    return slopes
