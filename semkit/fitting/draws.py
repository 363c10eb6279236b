"""Bootstrap draws as a record: intervals, p and errors of everything that was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import OptionError, Problem, suggest
from semkit.numerics.intervals import INTERVAL_KINDS, IntervalKind, interval, pvalue

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """What draws say of one number.

    Parameters
    ----------
    name : str
    est, bias, se : float
        Estimate; mean of the draws less the estimate; standard deviation of the draws.
    ci_lower, ci_upper, pvalue : float
        From the same draws by the same method: p is at most ``1 - level`` exactly when the interval leaves 0 out.
    kind : str
    level : float
    draws : int
        How many it rests on.
    """

    name: str
    est: float
    bias: float
    se: float
    ci_lower: float
    ci_upper: float
    pvalue: float
    kind: str
    level: float
    draws: int


@dataclass(frozen=True, eq=False)
class Draws:
    """Bootstrap draws of a fit.

    Parameters
    ----------
    est, std : ndarray (B, k)
        Estimates and standardised estimates of the draws that converged and were admissible.
    requested, failed, inadmissible : int
    seed : int
    kind : str
        How the draws were made (see :mod:`semkit.fitting.resampling`).
    ci : str
        Interval that tables show.
    level : float
    theta, given : ndarray (B, q), (B, d)
        Different parameters and data-dependent fixed values of the same draws.
    statistics : mapping of str to ndarray (C,)
        Fit measures of all draws that converged, inadmissible ones included, as a fit's own measures are.
    fit : Fit or None
        The fit that was bootstrapped.
    """

    est: FloatArray
    std: FloatArray
    requested: int
    failed: int
    inadmissible: int
    seed: int
    kind: str = "ordinary"
    ci: str = "percentile"
    level: float = 0.95
    theta: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    given: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    statistics: Mapping[str, FloatArray] = field(default_factory=dict)
    fit: Fit | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that was drawn: parameters, defined parameters, fit measures."""
        parameters = self.fit.names if self.fit is not None else ()
        return parameters + tuple(self.statistics)

    def interval(
        self, name: str, kind: str | None = None, *, level: float | None = None, standardized: bool | str = False
    ) -> Interval:
        """Estimate, bias, error, interval and p of one number.

        Parameters
        ----------
        name : str
            An entry of ``names``: a free or defined parameter, or a fit measure that was asked for.
        kind : {"percentile", "bc", "bca", "normal", "basic"}, optional
            Default: ``ci``.  The acceleration of ``bca`` comes from leaving out respondents one by one (in blocks when
            there are more than 1,000), refitted in one batched call.
        level : float, optional
        standardized : bool or {"std_all", "std_lv", "std_nox"}
            True is the metric of ``fit.std_est``.

        Raises
        ------
        OptionError
            ``fitting.unknown-name``, ``fitting.unknown-option-value``, ``fitting.too-few-draws``.

        References
        ----------
        Davison & Hinkley (1997), ch. 5; see :mod:`semkit.numerics.intervals` for the formulas.
        """
        if name not in self.names:
            raise OptionError(Problem("fitting.unknown-name", f'"{name}"', "was not drawn", ", ".join(self.names),
                                      suggest(name, self.names).strip() or "Fit measures are drawn by statistics=."))
        if name in self.statistics:
            return self._measure_rows([name], kind, level)[0]
        assert self.fit is not None
        column = int(self.fit._positions[self.fit.names.index(name)])
        return self._rows([name], np.array([column]), standardized, kind, level)[0]

    def table(
        self, kind: str | None = None, *, level: float | None = None, standardized: bool | str = False
    ) -> pd.DataFrame:
        """All intervals of one kind: ``name est bias se ci_lower ci_upper pvalue draws``."""
        import pandas as pd

        assert self.fit is not None
        rows = self._rows(list(self.fit.names), self.fit._positions, standardized, kind, level)
        rows += self._measure_rows(list(self.statistics), kind, level)
        columns = ("name", "est", "bias", "se", "ci_lower", "ci_upper", "pvalue", "draws")
        return pd.DataFrame({name: [getattr(row, name) for row in rows] for name in columns})

    def metric(self, standardized: bool | str = False) -> tuple[FloatArray, FloatArray, str]:
        """Draws ``(B, rows)`` and values ``(rows,)`` of all rows of the table in one metric, and its name."""
        from semkit.fitting.bootstrap import in_metric
        from semkit.fitting.tables import standard_kind

        assert self.fit is not None
        kind = standard_kind(standardized) if isinstance(standardized, str) else "result" if standardized else "raw"
        values = in_metric(self.fit, self.theta, self.given, kind)
        if kind in ("raw", "result"):  # as they were drawn
            values[:, self.fit._positions] = self.est if kind == "raw" else self.std
        return values, self.fit._all[kind].value[0], kind

    def columns(
        self, standardized: bool | str = False, rows: NDArray[np.int64] | None = None
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Errors, p and ends of rows of the table (default: all parameters) for the tables of estimates."""
        assert self.fit is not None
        at = self.fit._positions if rows is None else rows
        found = self._rows([self.fit.table.names[k] for k in at], at, standardized, None, None)
        se, p, low, high = (np.array([getattr(row, part) for row in found])
                            for part in ("se", "pvalue", "ci_lower", "ci_upper"))
        return se, p, low, high

    def _rows(
        self, names: list[str], at: NDArray[np.int64], standardized: bool | str, kind: str | None, level: float | None
    ) -> list[Interval]:
        values, estimates, metric = self.metric(standardized)
        speed = self._acceleration[metric][at] if (kind or self.ci) == "bca" else None
        return self._intervals(names, values[:, at], estimates[at], kind, level, speed)

    def _measure_rows(self, names: list[str], kind: str | None, level: float | None) -> list[Interval]:
        if not names:
            return []
        assert self.fit is not None
        own = np.array([float(self.fit.fit_measures[name]) for name in names])
        stacked = np.column_stack([self.statistics[name] for name in names])
        speed = np.array([self._acceleration[name][0] for name in names]) if (kind or self.ci) == "bca" else None
        return self._intervals(names, stacked, own, kind, level, speed)

    def _intervals(
        self, names: list[str], values: FloatArray, estimates: FloatArray, kind: str | None, level: float | None,
        speed: FloatArray | None,
    ) -> list[Interval]:
        chosen, share = interval_kind(kind or self.ci), checked_level(level if level is not None else self.level)
        if len(values) < 2:
            raise OptionError(Problem("fitting.too-few-draws", "bootstrap", f"{len(values)} draws were kept",
                                      "2 or more", "Ask for more draws; look at why they failed."))
        with np.errstate(all="ignore"):
            low, high = interval(values, estimates, chosen, share, speed)
            p = pvalue(values, estimates, chosen, 0.0, speed)
        bias, se = values.mean(axis=0) - estimates, values.std(axis=0, ddof=1)
        for part in (low, high, p):  # what is not defined in some draw has no distribution
            part[~np.isfinite(se)] = np.nan
        return [Interval(name, float(estimates[k]), float(bias[k]), float(se[k]), float(low[k]), float(high[k]),
                         float(p[k]), chosen, share, len(values)) for k, name in enumerate(names)]

    @cached_property
    def _acceleration(self) -> Mapping[str, FloatArray]:
        """``a`` of all rows of the table by metric, and of each fit measure."""
        from semkit.fitting.jackknife import accelerations

        return accelerations(self)


def interval_kind(kind: str) -> IntervalKind:
    """A checked kind of interval."""
    if kind not in INTERVAL_KINDS:
        raise OptionError(Problem("fitting.unknown-option-value", f"ci={kind!r}", "is not a known value",
                                  ", ".join(INTERVAL_KINDS), suggest(kind, INTERVAL_KINDS).strip() or "Choose one."))
    return kind  # type: ignore[return-value]


def checked_level(level: float) -> float:
    """A checked confidence level."""
    if not 0.0 < level < 1.0:
        raise OptionError(Problem("fitting.confidence-level", f"level={level!r}", "is not a confidence level",
                                  "between 0 and 1, for example .95", "Write level=.95."))
    return float(level)
