"""Two moderators at once: simple slopes at combinations, slope differences, conditional interactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from semkit.errors import Note
from semkit.probe.equation import Equation, find_equation, variable_of
from semkit.probe.gradient import slope_rows
from semkit.probe.summary import Estimates, Values, both_metrics, linear, text_of, with_heads
from semkit.probe.view import Probe
from semkit.result import FloatArray, Result

Chosen = Mapping[str, tuple[FloatArray, list[str]]]


@dataclass(frozen=True, eq=False)
class TwoModerators:
    """Slopes of a focal variable at combinations of two moderators.

    Parameters
    ----------
    outcome, focal, group : str
    moderators : tuple of str
        First and second.
    three_way : bool
        Whether the model has the product of all three.
    slopes : DataFrame
        label, value_1, value_2, slope, se, stat, pvalue, ci_lower, ci_upper, std_slope, std_se, std_ci_lower,
        std_ci_upper: one row a combination.
    differences : DataFrame
        first, second and the numbers: slope at ``first`` less slope at ``second`` for the six pairs of the four
        combinations of highest and lowest values.
    interactions : DataFrame
        label, value (of the second moderator) and the numbers: how the slope changes with one unit of the first
        moderator there (one SD where standardised).
    panels : tuple of Probe
        Along the first moderator, one for each value of the second: lines, bands, Johnson-Neyman regions.
    values : tuple of (float, str)
        Value of the second moderator of each panel, and its name.
    level : float
    method : str
    nobs : int
    result_method : str
    notes : tuple of Note

    References
    ----------
    Aiken & West (1991), Multiple Regression, ch. 4; Dawson & Richter (2006), Journal of Applied Psychology 91, 917-926.
    """

    outcome: str
    focal: str
    moderators: tuple[str, str]
    group: str
    three_way: bool
    slopes: pd.DataFrame
    differences: pd.DataFrame
    interactions: pd.DataFrame
    panels: tuple[Probe, ...]
    values: tuple[tuple[float, str], ...]
    level: float
    method: str
    nobs: int
    result_method: str
    notes: tuple[Note, ...] = ()

    def plot(self, **options: Any) -> Any:
        """Draw the simple slopes, one panel for each value of the second moderator.

        Options are those of :func:`semkit.display.plot`.
        """
        from semkit.display import plot

        return plot(self, **options)

    def __repr__(self) -> str:
        std = ("std_se", "std_ci_lower", "std_ci_upper")
        return "\n".join([
            f"Simple slopes of {self.outcome} on {self.focal} at values of {' and '.join(self.moderators)}"
            f" ({self.result_method}, N = {self.nobs}, {self.method} intervals)",
            text_of(self.slopes, std),
            "Slope differences", text_of(self.differences, std),
            f"{self.focal} x {self.moderators[0]} at values of {self.moderators[1]}", text_of(self.interactions, std),
            *(f"{note.severity}: {note}" for note in self.notes),
        ])  # fmt: skip

    def _repr_html_(self) -> str:
        from semkit.display import html

        return html(self)


def both_equations(
    result: Result, focal: str, moderators: tuple[str, str], outcome: str | None, group: str | None,
    at: Mapping[str, float],
) -> Equation:  # fmt: skip
    """Check that the focal variable is multiplied by each moderator in one equation."""
    first, second = moderators
    equation = find_equation(result, focal, first, outcome, group, at)
    find_equation(result, focal, second, equation.outcome, group, at)
    return equation


def joint_tables(
    result: Result, equation: Equation, moderators: tuple[str, str], chosen: Chosen, level: float
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Frames ``slopes``, ``differences`` and ``interactions`` of :class:`TwoModerators`."""
    metrics = Estimates.of(result), Estimates.of(result, standardized=True)
    reference = result.reference

    def slopes(at: Sequence[tuple[float, float]]) -> tuple[Values, Values]:
        given = {name: np.full(len(at), value) for name, value in equation.at.items()}
        given |= {name: np.array([pair[i] for pair in at]) for i, name in enumerate(moderators)}
        raw, std = (
            linear(slope_rows(result, equation.terms, equation.focal, given, len(at), standardized=kind), of)
            for kind, of in zip((False, True), metrics, strict=True)
        )
        return raw, std

    (v1, l1), (v2, l2) = (chosen[name] for name in moderators)
    grid = list(product(v1.tolist(), v2.tolist()))
    labels = [f"{moderators[0]} {a}, {moderators[1]} {b}" for a, b in product(l1, l2)]
    table = with_heads(
        both_metrics(*slopes(grid), reference, level, "slope"),
        {"label": labels, "value_1": [a for a, _ in grid], "value_2": [b for _, b in grid]},
    )
    # Dawson and Richter's order: (1) high, high (2) high, low (3) low, high (4) low, low
    ends = list(product((int(np.argmax(v1)), int(np.argmin(v1))), (int(np.argmax(v2)), int(np.argmin(v2)))))
    ends = list(dict.fromkeys(ends))
    pairs = list(combinations(range(len(ends)), 2))
    weights = np.zeros((len(pairs), len(ends)))
    for row, (i, j) in enumerate(pairs):
        weights[row, i], weights[row, j] = 1.0, -1.0
    raw, std = slopes([(float(v1[i]), float(v2[j])) for i, j in ends])
    words = [f"{moderators[0]} {l1[i]}, {moderators[1]} {l2[j]}" for i, j in ends]
    differences = with_heads(
        both_metrics(raw.combined(weights, metrics[0].vcov), std.combined(weights, metrics[1].vcov), reference, level),
        {"first": [words[i] for i, _ in pairs], "second": [words[j] for _, j in pairs]},
    )
    return table, differences, _interactions(result, equation, moderators, (v2, l2), slopes, metrics, level)


def _interactions(
    result: Result, equation: Equation, moderators: tuple[str, str], second: tuple[FloatArray, list[str]],
    slopes: Any, metrics: tuple[Estimates, Estimates], level: float,
) -> pd.DataFrame:  # fmt: skip
    """Change of the slope with one unit (one SD) of the first moderator at each value of the second."""
    variable = variable_of(result, moderators[0], equation.product.group)
    n, made = second[0].size, []
    for kind in (0, 1):
        unit = variable.sd if kind and not variable.binary else 1.0
        points = [(variable.center + step * unit, value) for step in (0.0, 1.0) for value in second[0].tolist()]
        weights = np.hstack([-np.eye(n), np.eye(n)])
        made.append(slopes(points)[kind].combined(weights, metrics[kind].vcov))
    heads = {"label": [f"{moderators[1]} {label}" for label in second[1]], "value": second[0].tolist()}
    return with_heads(both_metrics(made[0], made[1], result.reference, level), heads)
