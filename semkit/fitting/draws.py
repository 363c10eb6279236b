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
            values, estimate = self.statistics[name][:, None], self._measured([name])
            at = [name]
        else:
            assert self.fit is not None
            column = self.fit.names.index(name)
            every, estimates = self.metric(standardized)
            values, estimate = every[:, [column]], estimates[[column]]
            at = [f"{standardized}:{name}"]
        return self._intervals([name], values, estimate, kind, level, at)[0]

    def table(
        self, kind: str | None = None, *, level: float | None = None, standardized: bool | str = False
    ) -> pd.DataFrame:
        """All intervals of one kind: ``name est bias se ci_lower ci_upper pvalue draws``."""
        import pandas as pd

        assert self.fit is not None
        values, estimates = self.metric(standardized)
        names = list(self.fit.names)
        rows = self._intervals(names, values, estimates, kind, level, [f"{standardized}:{name}" for name in names])
        drawn = list(self.statistics)
        if drawn:
            stacked = np.column_stack([self.statistics[name] for name in drawn])
            rows += self._intervals(drawn, stacked, self._measured(drawn), kind, level, drawn)
        columns = ("name", "est", "bias", "se", "ci_lower", "ci_upper", "pvalue", "draws")
        return pd.DataFrame({name: [getattr(row, name) for row in rows] for name in columns})

    def metric(self, standardized: bool | str = False) -> tuple[FloatArray, FloatArray]:
        """Draws ``(B, k)`` and estimates ``(k,)`` of all parameters in one metric."""
        assert self.fit is not None
        if standardized is False:
            return self.est, self.fit.est
        if standardized is True:
            return self.std, self.fit.std_est
        from semkit.fitting.bootstrap import in_metric
        from semkit.fitting.tables import standard_kind

        kind = standard_kind(standardized)
        return in_metric(self.fit, self.theta, self.given, kind), self.fit._all[kind].value[0, self.fit._positions]

    def _measured(self, names: list[str]) -> FloatArray:
        assert self.fit is not None
        return np.array([float(self.fit.fit_measures[name]) for name in names])

    def _intervals(
        self, names: list[str], values: FloatArray, estimates: FloatArray, kind: str | None, level: float | None,
        at: list[str],
    ) -> list[Interval]:
        chosen, share = interval_kind(kind or self.ci), checked_level(level if level is not None else self.level)
        if len(values) < 2:
            raise OptionError(Problem("fitting.too-few-draws", "bootstrap", f"{len(values)} draws were kept",
                                      "2 or more", "Ask for more draws; look at why they failed."))
        speed = self._accelerations(at) if chosen == "bca" else None
        with np.errstate(all="ignore"):
            low, high = interval(values, estimates, chosen, share, speed)
            p = pvalue(values, estimates, chosen, 0.0, speed)
        bias, se = values.mean(axis=0) - estimates, values.std(axis=0, ddof=1)
        return [Interval(name, float(estimates[k]), float(bias[k]), float(se[k]), float(low[k]), float(high[k]),
                         float(p[k]), chosen, share, len(values)) for k, name in enumerate(names)]

    def columns(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Errors, p and ends ``(k,)`` of all parameters for the table of estimates."""
        assert self.fit is not None
        rows = self._intervals(list(self.fit.names), self.est, self.fit.est, None, None,
                               [f"False:{name}" for name in self.fit.names])
        se, p, low, high = (np.array([getattr(row, part) for row in rows])
                            for part in ("se", "pvalue", "ci_lower", "ci_upper"))
        return se, p, low, high

    def _accelerations(self, at: list[str]) -> FloatArray:
        return np.array([self._acceleration[name] for name in at])

    @cached_property
    def _acceleration(self) -> Mapping[str, float]:
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
