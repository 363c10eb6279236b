"""The tidy frames of a probe, computed from one line: slope as a function of the moderator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from semkit.probe import neyman, simultaneous
from semkit.probe.equation import Equation, variable_of
from semkit.probe.gradient import prediction_gradient, slope_coefficients
from semkit.probe.simultaneous import Adjustment
from semkit.result import (
    FloatArray,
    Reference,
    Result,
    Variable,
    percentile_interval,
    percentile_pvalue,
    summarise,
)

GRID = 201
FOCAL_POINTS = 25
FEW, TESTED = 20, 1001
"""Up to so many distinct moderator values are tested each; else so many equal steps."""
REACH = 3.0
"""Grid and search reach, in SDs around the mean, when the moderator has no observed values."""


@dataclass(frozen=True, eq=False)
class Line:
    """slope(w) = sum_d (coefficients[d] . est) (w - center)^d, raw and standardised."""

    result: Result
    equation: Equation
    variable: Variable
    level: float
    coefficients: FloatArray
    std_coefficients: FloatArray
    adjust: Adjustment = "none"

    @classmethod
    def of(
        cls, result: Result, equation: Equation, variable: Variable, level: float, adjust: Adjustment = "none"
    ) -> Line:
        """Take the gradients from the result."""
        raw, std = (slope_coefficients(result, equation, standardized=kind) for kind in (False, True))
        return cls(result, equation, variable, level, raw, std, adjust)

    @property
    def method(self) -> Literal["normal", "t", "percentile"]:
        """Where intervals and p come from."""
        if self.result.draws is not None:
            return "percentile"
        return self.result.reference.kind if self.result.reference.kind == "t" else "normal"

    @cached_property
    def critical(self) -> float:
        """Two-sided critical value of the reference distribution."""
        return simultaneous.pointwise(self.result.reference, self.level)

    @cached_property
    def draws(self) -> FloatArray | None:
        """Draws (B, d + 1) of the line's coefficients."""
        return draws_of(self.coefficients, self.result.draws)

    @cached_property
    def regional(self) -> tuple[float, float]:
        """Critical value (NaN: percentile limits) and pointwise level of regions and bands."""
        draws, reference = self.draws, self.result.reference
        if self.adjust == "simultaneous":
            size = self.coefficients.shape[0]
            if draws is not None:
                return simultaneous.scheffe_of_draws(draws, self.level), self.level
            return simultaneous.scheffe(reference, self.level, size), self.level
        level = self.level
        if self.adjust == "fdr":
            level = simultaneous.discovery_level(self._pvalues(), self.level)
        if draws is not None:
            return float("nan"), level
        return simultaneous.pointwise(reference, level), level

    def _pvalues(self) -> FloatArray:
        gradient = self.gradient(self.tested())
        draws = draws_of(gradient, self.result.draws)
        if draws is not None:
            return percentile_pvalue(draws)
        value, se = combine(gradient, self.result.est, np.asarray(self.result.vcov, dtype=float))
        return two_sided(value / se, self.result.reference)

    def tested(self) -> FloatArray:
        """Moderator values a false discovery rate counts: the observed ones if few, else equal steps over the range."""
        values = self.variable.values
        if values is not None:
            distinct = np.unique(_known(values))
            if distinct.size <= FEW:
                return distinct
        return np.linspace(*self.search_range(), TESTED)

    @cached_property
    def spread(self) -> FloatArray:
        """Covariance matrix (d + 1, d + 1) of the line's coefficients: of the draws when there are any."""
        if self.draws is not None:
            return np.atleast_2d(np.cov(self.draws, rowvar=False))
        used = np.any(self.coefficients != 0.0, axis=0)
        part = self.coefficients[:, used]
        return np.asarray(part @ np.asarray(self.result.vcov, dtype=float)[np.ix_(used, used)] @ part.T)

    def gradient(self, value: FloatArray) -> FloatArray:
        """Rows (m, k) for raw slopes at moderator values (m,)."""
        return self._rows(value - self.variable.center, self.coefficients)

    def std_gradient(self, value: FloatArray) -> FloatArray:
        """Rows (m, k) for standardised slopes: the moderator in SDs, unless it is 0/1."""
        unit = 1.0 if self.variable.binary else self.variable.sd
        return self._rows((value - self.variable.center) / unit, self.std_coefficients)

    @staticmethod
    def _rows(u: FloatArray, coefficients: FloatArray) -> FloatArray:
        return np.asarray(np.vander(u, coefficients.shape[0], increasing=True) @ coefficients)

    def search_range(self) -> tuple[float, float]:
        """Observed range, or mean -/+ 3 SD without values."""
        variable = self.variable
        if np.isfinite(variable.minimum) and np.isfinite(variable.maximum):
            return variable.minimum, variable.maximum
        return variable.mean - REACH * variable.sd, variable.mean + REACH * variable.sd

    def roots(self) -> FloatArray:
        """Moderator values where significance changes.

        From the exact polynomial without percentile limits; with them, where a limit crosses
        zero within one range's width on either side of the observed range.
        """
        center = self.variable.center
        critical, level = self.regional
        if self.draws is not None and np.isnan(critical):
            low, high = self.search_range()
            width = high - low
            return neyman.draw_roots(self.draws, low - width - center, high + width - center, level) + center
        used = np.any(self.coefficients != 0.0, axis=0)
        # in SDs of the moderator, so that its unit does not decide which powers are small
        unit = self.variable.sd if self.variable.sd > 0 else 1.0
        powers = unit ** np.arange(len(self.coefficients))
        slope = powers * (self.coefficients[:, used] @ self.result.est[used])
        spread = np.outer(powers, powers) * self.spread
        return neyman.changing_roots(neyman.significance_polynomial(slope, spread, critical)) * unit + center


def two_sided(stat: FloatArray, reference: Reference) -> FloatArray:
    """Two-sided p of z or t statistics."""
    from scipy.special import ndtr, stdtr

    if reference.kind == "t" and reference.df is not None:
        return np.asarray(2.0 * stdtr(reference.df, -np.abs(stat)))
    return np.asarray(2.0 * ndtr(-np.abs(stat)))


def combine(gradient: FloatArray, est: FloatArray, vcov: FloatArray) -> tuple[FloatArray, FloatArray]:
    """``g . est`` and its delta-method error for each row; entries g does not use may be NaN."""
    used = np.any(gradient != 0.0, axis=0)
    part = gradient[:, used]
    variance = np.einsum("mi,ij,mj->m", part, vcov[np.ix_(used, used)], part)
    return part @ est[used], np.sqrt(np.maximum(variance, 0.0))


def draws_of(gradient: FloatArray, draws: FloatArray | None) -> FloatArray | None:
    """Draws (B, m) of the quantities whose rows are given."""
    if draws is None:
        return None
    used = np.any(gradient != 0.0, axis=0)
    return np.asarray(draws[:, used] @ gradient[:, used].T)


def _limits(
    value: FloatArray, se: FloatArray, draws: FloatArray | None, critical: float, level: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Error, lower and upper limit for each row: percentile ones when there are draws."""
    if draws is None:
        return se, value - critical * se, value + critical * se
    lower, upper = percentile_interval(draws, level)
    return draws.std(axis=0, ddof=1), lower, upper


def slope_table(line: Line, values: FloatArray, labels: Sequence[str]) -> pd.DataFrame:
    """One row for each moderator value; columns as documented in :class:`semkit.probe.Probe`."""
    result = line.result
    raw_gradient, std_gradient = line.gradient(values), line.std_gradient(values)
    raw = combine(raw_gradient, result.est, np.asarray(result.vcov, dtype=float))
    std = combine(std_gradient, result.std_est, np.asarray(result.std_vcov, dtype=float))
    raw_draws, std_draws = draws_of(raw_gradient, result.draws), draws_of(std_gradient, result.std_draws)
    rows = []
    for i, (value, label) in enumerate(zip(values, labels, strict=True)):
        slope, scaled = (
            summarise(
                label,
                float(both[0][i]),
                float(both[1][i]),
                draws=None if draws is None else draws[:, i],
                reference=result.reference,
                level=line.level,
            )
            for both, draws in ((raw, raw_draws), (std, std_draws))
        )
        rows.append(
            {
                "value": float(value), "label": label, "share_below": share_below(line.variable, float(value)),
                "slope": slope.est, "se": slope.se,
                "stat": float("nan") if slope.method == "percentile" or slope.se == 0 else slope.est / slope.se,
                "pvalue": slope.pvalue, "ci_lower": slope.ci_lower, "ci_upper": slope.ci_upper,
                "std_slope": scaled.est, "std_se": scaled.se,
                "std_ci_lower": scaled.ci_lower, "std_ci_upper": scaled.ci_upper,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def share_below(variable: Variable, value: float) -> float:
    """Share of respondents at or below a moderator value; NaN without values."""
    return float("nan") if variable.values is None else float(np.mean(_known(variable.values) <= value))


def _known(values: FloatArray) -> FloatArray:
    """Values without gaps."""
    return np.asarray(values[np.isfinite(values)])


def region_tables(line: Line, roots: FloatArray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Regions between neighbouring roots, and the roots, with shares of respondents."""
    variable = line.variable
    low, high = variable.minimum, variable.maximum
    edges = np.concatenate([[-np.inf], roots, [np.inf]])
    inside = _band(line, neyman.between(roots) if roots.size else np.array([variable.mean]))
    rows = []
    for i, (left, right) in enumerate(pairwise(edges)):
        significant = bool(inside["significant"].iloc[i])
        sign = ("positive" if inside["slope"].iloc[i] > 0 else "negative") if significant else ""
        values = variable.values
        n = float("nan") if values is None else float(np.sum((values > left) & (values <= right)))
        known = float("nan") if values is None else float(_known(values).size)
        rows.append(
            {
                "lower": float(left), "upper": float(right), "significant": significant, "sign": sign, "n": n,
                "share": n / known,
                "inside_data": bool(left < high and right > low) if np.isfinite(low) else True,
            }
        )  # fmt: skip
    below = [share_below(variable, float(root)) for root in roots]
    root_table = pd.DataFrame(
        {
            "value": roots,
            "share_below": np.asarray(below, dtype=float),
            "share_above": 1.0 - np.asarray(below, dtype=float),
            "inside_data": (roots >= low) & (roots <= high),
        }
    )
    return pd.DataFrame(rows), root_table


def case_in_data(
    regions: pd.DataFrame, observed: tuple[float, float]
) -> Literal["always", "never", "changes", "unknown"]:
    """Whether the slope is significant at every, no or some values that people have."""
    if not np.isfinite(observed[0]):
        return "unknown"
    found = set(regions.loc[regions["inside_data"], "significant"])
    if len(found) > 1:
        return "changes"
    return "always" if True in found else "never"


def _band(line: Line, values: FloatArray) -> pd.DataFrame:
    gradient = line.gradient(values)
    slope, error = combine(gradient, line.result.est, np.asarray(line.result.vcov, dtype=float))
    draws = draws_of(gradient, line.result.draws)
    critical, level = line.regional
    if draws is not None and np.isfinite(critical):
        se = draws.std(axis=0, ddof=1)
        lower, upper = slope - critical * se, slope + critical * se
    else:
        se, lower, upper = _limits(slope, error, draws, critical, level)
    return pd.DataFrame(
        {
            "moderator": values, "slope": slope, "se": se, "lower": lower, "upper": upper,
            "significant": (lower > 0.0) | (upper < 0.0),
        }
    )  # fmt: skip


def band_table(line: Line, chosen: FloatArray) -> pd.DataFrame:
    """Slope with limits on a grid over the observed range, widened to the chosen values."""
    low, high = line.search_range()
    table = _band(line, np.linspace(min(low, chosen.min()), max(high, chosen.max()), GRID))
    observed = (table["moderator"] >= line.variable.minimum) & (table["moderator"] <= line.variable.maximum)
    return table.assign(inside_data=observed)


def line_table(line: Line, chosen: FloatArray, labels: Sequence[str]) -> pd.DataFrame:
    """Predicted outcome over the focal variable's range, one line for each moderator value.

    Without an intercept among the result's quantities the errors are those of the deviation
    from the outcome's mean.
    """
    result, equation = line.result, line.equation
    focal = variable_of(result, equation.focal, equation.product.group)
    known = np.isfinite(focal.minimum) and np.isfinite(focal.maximum)
    low, high = (
        (focal.minimum, focal.maximum) if known else (focal.mean - REACH * focal.sd, focal.mean + REACH * focal.sd)
    )
    grid = np.array([low, high]) if focal.binary else np.linspace(low, high, FOCAL_POINTS)
    if equation.focal == equation.moderator:  # a curve: the slopes belong to places on one line
        chosen, labels = chosen[:1], [""]
    x, w = np.tile(grid, chosen.size), np.repeat(chosen, grid.size)
    given = {equation.moderator: w, equation.focal: x}
    gradient, constant = prediction_gradient(result, equation, given, x.size)
    deviation, error = combine(gradient, result.est, np.asarray(result.vcov, dtype=float))
    predicted = deviation + constant
    draws = draws_of(gradient, result.draws)
    se, lower, upper = _limits(predicted, error, None if draws is None else draws + constant, line.critical, line.level)
    return pd.DataFrame(
        {
            "moderator": w, "label": np.repeat(np.asarray(labels, dtype=object), grid.size), "focal": x,
            "predicted": predicted, "se": se, "lower": lower, "upper": upper,
        }
    )  # fmt: skip
