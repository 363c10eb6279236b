"""The orchestrator of a probe: find the equation, choose the values, make the frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args, overload

import numpy as np
import pandas as pd

from semkit.errors import OptionError, Problem, ResultError
from semkit.probe import frames
from semkit.probe.diagnosis import diagnose
from semkit.probe.equation import find_equation, respondents, variable_of
from semkit.probe.joint import TwoModerators, both_equations, joint_tables
from semkit.probe.simultaneous import Adjustment
from semkit.probe.view import Probe
from semkit.result import FloatArray, Result, Variable

ValueRule = Literal["sd", "percentiles"]
ValueChoice = ValueRule | Sequence[float] | Mapping[str, ValueRule | Sequence[float]]
PERCENTILES = (16.0, 50.0, 84.0)
MAX_VALUES = 50


@overload
def probe(
    result: Result, focal: str, moderator: str, outcome: str | None = None,
    values: ValueRule | Sequence[float] = "sd", level: float = 0.95, group: str | None = None, *,
    at: Mapping[str, float] | None = None, adjust: Adjustment = "none",
) -> Probe: ...  # fmt: skip
@overload
def probe(
    result: Result, focal: str, moderator: tuple[str, str] | list[str], outcome: str | None = None,
    values: ValueChoice = "sd", level: float = 0.95, group: str | None = None, *,
    at: Mapping[str, float] | None = None, adjust: Adjustment = "none",
) -> TwoModerators: ...  # fmt: skip
def probe(
    result: Result,
    focal: str,
    moderator: str | tuple[str, str] | list[str],
    outcome: str | None = None,
    values: ValueChoice = "sd",
    level: float = 0.95,
    group: str | None = None,
    *,
    at: Mapping[str, float] | None = None,
    adjust: Adjustment = "none",
) -> Probe | TwoModerators:
    r"""Simple slopes and Johnson-Neyman regions of an interaction, for any result.

    The slope of the outcome on the focal variable at moderator value w is
    ``b_x + b_xw (w - center)`` with variance
    ``var(b_x) + 2 (w - center) cov(b_x, b_xw) + (w - center)^2 var(b_xw)`` (Aiken & West 1991,
    p. 26).  If the result has bootstrap draws, intervals, p and regions come from them.
    Further products of the focal variable count at the other factors' means, or at ``at``.  With
    the focal variable as its own moderator (a square ``x:x``) the slope is that of the curve:
    ``b_x + 2 b_xx (x - center)``.

    Parameters
    ----------
    result : Result
        A regression or a latent fit that converged.
    focal, moderator : str
        The two factors of the product; which is which is the reader's choice.  Two moderators, ``("w", "z")``,
        give the slopes at all combinations, with or without the product of all three.
    outcome : str, optional
        Needed when the product acts on several outcomes.
    values : {"sd", "percentiles"} or sequence of float, default "sd"
        Mean and mean -/+ 1 SD; the 16th, 50th and 84th percentile of the respondents' values;
        or values in the moderator's metric.  A 0/1 moderator is always probed at 0 and 1
        unless values are given.  For two moderators also a mapping of name to rule or values.
    level : float, default 0.95
    group : str, optional
        Needed when the result has several groups.
    at : Mapping of str to float, optional
        Values at which other predictors are held instead of their means (the focal variable
        itself when it also enters squared).
    adjust : {"none", "simultaneous", "fdr"}, default "none"
        What regions and bands promise: each moderator value for itself; all values at once
        (Potthoff's band, Bauer & Curran 2005); or that of the values called significant at most
        ``1 - level`` are false ones in expectation (Esarey & Sumner 2018).  Simple slopes at
        chosen values are never adjusted.

    Returns
    -------
    Probe, or TwoModerators

    Raises
    ------
    ResultError
        ``probe.not-converged``.
    OptionError
        Unknown product, ambiguous outcome; values, level, ``at`` or ``adjust`` that are not allowed.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from semkit.regression import moderated_regression
    >>> rng = np.random.default_rng(3)
    >>> x, w = rng.normal(size=(2, 200))
    >>> frame = pd.DataFrame({"x": x, "w": w, "y": 0.3 * x + 0.2 * x * w + rng.normal(size=200)})
    >>> found = probe(moderated_regression(frame, "y", "x", "w"), focal="x", moderator="w")
    >>> list(found.slopes["label"])
    ['mean - 1 SD', 'mean', 'mean + 1 SD']
    """
    if not isinstance(moderator, str):
        return _probe_two(result, focal, moderator, outcome, values, level, group, at or {}, adjust)
    check_options(result, values, level, adjust)
    return _probe_one(result, focal, moderator, outcome, values, level, group, at or {}, adjust)


def _probe_one(
    result: Result, focal: str, moderator: str, outcome: str | None, values: Any, level: float, group: str | None,
    at: Mapping[str, float], adjust: Adjustment,
) -> Probe:  # fmt: skip
    equation = find_equation(result, focal, moderator, outcome, group, at)
    variable = variable_of(result, moderator, equation.product.group)
    chosen, labels = choose_values(variable, values)
    line = frames.Line.of(result, equation, variable, level, adjust)
    roots = line.roots()
    slopes = frames.slope_table(line, chosen, labels)
    regions, root_table = frames.region_tables(line, roots)
    bands = frames.band_table(line, chosen)
    observed = (variable.minimum, variable.maximum)
    return Probe(
        outcome=equation.outcome,
        focal=focal,
        moderator=moderator,
        group=equation.product.group,
        slopes=slopes,
        johnson_neyman=regions,
        roots=root_table,
        case="changes" if len(roots) else ("always" if bool(regions["significant"].iloc[0]) else "never"),
        case_in_data=frames.case_in_data(regions, observed),
        bands=bands,
        lines=frames.line_table(line, chosen, labels),
        distribution=pd.DataFrame({"moderator": np.empty(0) if variable.values is None else variable.values}),
        observed=observed,
        level=level,
        method=line.method,
        critical=line.regional[0],
        adjust=adjust,
        nobs=respondents(result, equation.product.group),
        result_method=result.method,
        notes=diagnose(result, equation, variable, chosen, root_table),
    )


def _probe_two(
    result: Result, focal: str, moderators: Sequence[str], outcome: str | None, values: ValueChoice, level: float,
    group: str | None, at: Mapping[str, float], adjust: Adjustment,
) -> TwoModerators:  # fmt: skip
    check_options(result, "sd" if isinstance(values, Mapping) else values, level, adjust)
    if len(moderators) != 2 or len({*moderators, focal}) != 3:
        raise OptionError(Problem("probe.two-moderators", "moderator", f"{moderators!r:.80} given",
                                  "two different variables", 'For example moderator=("w", "z").'))
    first, second = moderators
    equation = both_equations(result, focal, (first, second), outcome, group, at)
    chosen = {name: values_of(result, name, values, equation.product.group) for name in (first, second)}
    slopes, differences, interactions = joint_tables(result, equation, (first, second), chosen, level)
    panels = tuple(
        _probe_one(result, focal, first, equation.outcome, chosen[first][0], level, group, here, adjust)
        for here in ({**at, second: value} for value in chosen[second][0].tolist())
    )
    panels = tuple(_named(panel, chosen[first][1]) for panel in panels)
    notes = tuple(dict.fromkeys(note for panel in panels for note in panel.notes))
    return TwoModerators(
        outcome=equation.outcome, focal=focal, moderators=(first, second), group=equation.product.group,
        three_way=any(sorted(term.factors) == sorted((focal, first, second)) for term in equation.terms),
        slopes=slopes, differences=differences, interactions=interactions, panels=panels,
        values=tuple(zip(chosen[second][0].tolist(), chosen[second][1], strict=True)), level=level,
        method=panels[0].method, nobs=panels[0].nobs, result_method=result.method, notes=notes,
    )  # fmt: skip


def _named(panel: Probe, labels: Sequence[str]) -> Probe:
    """The rule's words instead of the numbers that the panel was asked for."""
    points = panel.lines.groupby("moderator", sort=False).ngroups
    lines = panel.lines.assign(label=np.repeat(np.asarray(labels, dtype=object), len(panel.lines) // points))
    return replace(panel, slopes=panel.slopes.assign(label=list(labels)), lines=lines)


def values_of(result: Result, name: str, values: ValueChoice, group: str) -> tuple[FloatArray, list[str]]:
    """Values and labels of one of several moderators."""
    rule = values.get(name, "sd") if isinstance(values, Mapping) else values
    check_options(result, rule, 0.95)
    return choose_values(variable_of(result, name, group), rule)


def check_options(result: Any, values: Any, level: Any, adjust: Any = "none") -> None:
    """Refuse what cannot be probed: no result, no convergence, unknown rules."""
    if not isinstance(result, Result):
        raise OptionError(
            Problem(
                "probe.result",
                "result",
                f"a {type(result).__name__} was given",
                "a fit or a regression",
                "Pass what sem(), cfa() or moderated_regression() returned.",
            )
        )
    if not result.converged:
        raise ResultError(
            Problem(
                "probe.not-converged",
                f"result ({result.method})",
                "the estimation did not converge, so its numbers are not estimates",
                "a converged result",
                "Read result.notes for the cause.",
            )
        )
    problems = []
    if isinstance(values, str) and values not in get_args(ValueRule):
        problems.append(
            Problem("probe.values", "values", f'"{values}" is no rule', '"sd", "percentiles", or a list of numbers', "")
        )
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0.5 <= level < 1.0:
        problems.append(Problem("probe.level", "level", f"{level!r} given", "0.5 up to, not including, 1", "Use 0.95."))
    if adjust not in get_args(Adjustment):
        allowed = ", ".join(f'"{name}"' for name in get_args(Adjustment))
        problems.append(Problem("probe.adjust", "adjust", f"{adjust!r:.40} given", allowed, ""))
    if problems:
        raise OptionError(*problems)


def choose_values(variable: Variable, values: ValueRule | Sequence[float]) -> tuple[FloatArray, list[str]]:
    """Moderator values and their labels by a rule, or the given ones."""
    if not isinstance(values, str):
        return _given_values(values)
    if variable.binary:  # its own two values: 0 and 1, or these less their mean
        both = [variable.minimum, variable.maximum] if np.isfinite(variable.minimum) else [0.0, 1.0]
        return np.array(both), [f"{value:.4g}" for value in both]
    if values == "percentiles":
        if variable.values is None:
            raise OptionError(
                Problem(
                    "probe.no-values",
                    "values",
                    f'"percentiles" needs respondents\' values of {variable.name}, and the result has none',
                    '"sd" or a list of numbers',
                    'Use values="sd".',
                )
            )
        return np.nanpercentile(variable.values, PERCENTILES), [f"{p:.0f}th percentile" for p in PERCENTILES]
    return variable.mean + variable.sd * np.array([-1.0, 0.0, 1.0]), ["mean - 1 SD", "mean", "mean + 1 SD"]


def _given_values(values: Sequence[float]) -> tuple[FloatArray, list[str]]:
    try:
        chosen = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        chosen = np.empty(0)
    if chosen.ndim != 1 or not 1 <= chosen.size <= MAX_VALUES or not np.isfinite(chosen).all():
        raise OptionError(
            Problem(
                "probe.values",
                "values",
                f"{values!r:.80} given",
                f"1 to {MAX_VALUES} finite numbers in the moderator's metric",
                "For example values=[2, 3, 4].",
            )
        )
    return chosen, [f"{value:g}" for value in chosen]
