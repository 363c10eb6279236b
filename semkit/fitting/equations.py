"""What a fit of equations one by one offers: slopes with errors, standardised effects, the contract of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, NotSupportedError, Problem
from semkit.fitting.fit import Fit
from semkit.fitting.slopes import Metric, slope_rows
from semkit.fitting.steps import first_notes
from semkit.fitting.tables import error_columns, series, standard_kind
from semkit.model import ParameterTable
from semkit.result import Term, Variable
from semkit.sample import Sample

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]


def _refused(what: str) -> Any:
    """A property that says that equations estimated one by one have no such thing."""

    def ask(self: Fit) -> Any:
        raise NotSupportedError(Problem("fitting.no-model-by-equations", what,
                                        "is not defined for equations estimated one by one",
                                        "estimates, standardized(), measurement",
                                        "Ask the fits in fit.measurement, or use interaction='lms'."))

    return property(ask, doc="Not offered: equations are estimated one by one.")


@dataclass(frozen=True, eq=False, repr=False)
class EquationsFit(Fit):
    """Structural equations estimated one by one; ``measurement`` holds the factor models beside them.

    Parameters
    ----------
    measurement : mapping of str to Fit
    sample_used : Sample
    slopes : ParameterTable
        Slopes and definitions.
    raw, claims, full : Metric
        Estimates as they are; standardised with 0/1 predictors in their own unit; all standardised.
    own_variables : mapping
        As in :class:`semkit.result.Result`.
    label : str
        Method, as headers print it.
    """

    measurement: Mapping[str, Fit] = field(kw_only=True)
    sample_used: Sample = field(kw_only=True)
    slopes: ParameterTable = field(kw_only=True)
    raw: Metric = field(kw_only=True)
    claims: Metric = field(kw_only=True)
    full: Metric = field(kw_only=True)
    own_variables: Mapping[str, Variable] = field(kw_only=True)
    label: str = field(kw_only=True)

    @property
    def method(self) -> str:
        return self.label if self.sample_used.sampling is None else f"{self.label} (sampling design)"

    @property
    def table(self) -> ParameterTable:
        """Slopes and definitions; there are no other parameters."""
        return self.slopes

    @cached_property
    def _shown(self) -> list[int]:
        """Rows of the table that have estimates, in the order of the metrics."""
        return [*slope_rows(self.slopes), *self.slopes.definition_rows.tolist()]

    @cached_property
    def _positions(self) -> NDArray[np.int64]:
        """Places of ``names`` among them."""
        wanted = [*self.slopes.free_rows.tolist(), *self.slopes.definition_rows.tolist()]
        return np.array([self._shown.index(row) for row in wanted], dtype=np.int64)

    def _picked(self, metric: Metric) -> FloatArray:
        return metric.vcov[np.ix_(self._positions, self._positions)]

    @cached_property
    def est(self) -> FloatArray:
        return self.raw.est[self._positions]

    @cached_property
    def vcov(self) -> FloatArray:
        return self._picked(self.raw)

    @cached_property
    def std_est(self) -> FloatArray:
        return self.claims.est[self._positions]

    @cached_property
    def std_vcov(self) -> FloatArray:
        return self._picked(self.claims)

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        return self.own_variables

    @cached_property
    def binary(self) -> frozenset[str]:
        return frozenset(name for name, variable in self.own_variables.items() if variable.binary)

    @property
    def nobs(self) -> int:
        return self.sample_used.nobs

    @property
    def nobs_received(self) -> int:
        return self.sample_used.nobs_received

    @property
    def converged(self) -> bool:
        """Always: there is nothing to iterate."""
        return True

    @property
    def admissible(self) -> bool:
        """Whether the estimates are finite numbers, and no diagnosis forbids to report them."""
        return bool(np.all(np.isfinite(self.est))) and not any(note.severity == "error" for note in self.notes)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Of the sample, of the method and of the factor models."""
        return (*first_notes(dict(self.measurement), self.sample_used), *self.extra_notes)

    @cached_property
    def row_heads(self) -> Mapping[str, Any]:
        import pandas as pd

        table = self.slopes
        labels = ["" if table.label[i].startswith(".") else table.label[i] for i in self._shown]
        groups = [table.groups[table.block[i] - 1] if table.block[i] > 0 else "" for i in self._shown]
        columns = {"lhs": [table.lhs[i] for i in self._shown], "op": [table.op[i] for i in self._shown],
                   "rhs": [table.rhs[i] for i in self._shown], "group": groups, "label": labels}
        return {name: pd.array(column, dtype="str") for name, column in columns.items()}

    def _columns(self, metric: Metric) -> dict[str, FloatArray]:
        with np.errstate(invalid="ignore"):
            return error_columns(metric.est, np.sqrt(np.maximum(np.diag(metric.vcov), 0.0)))

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One row a slope or definition, as in :class:`Fit`; intercepts are not reported."""
        import pandas as pd

        return pd.DataFrame({**self.row_heads, **self._columns(self.raw), "std_all": self.full.est})

    def standardized(self, type: str = "std_all") -> pd.DataFrame:
        """Standardised slopes with delta-method errors; only ``"std_all"``."""
        import pandas as pd

        if standard_kind(type) != "std_all":
            raise NotSupportedError(Problem("fitting.no-model-by-equations", f"standardized({type!r})",
                                            "is not offered by equations", "std_all", "Use type='std_all'."))
        columns = self._columns(self.full)
        return pd.DataFrame({**self.row_heads, **{("est_std" if k == "est" else k): v for k, v in columns.items()}})

    @cached_property
    def fit_measures(self) -> pd.Series[float]:
        """``npar ntotal``: equations have no fit of their own."""
        return series({"npar": float(self.slopes.n_unique), "ntotal": float(self.nobs)}, "value")

    @cached_property
    def r2(self) -> pd.Series[float]:
        """Empty: equations estimated one by one know slopes, not what is left of the outcome."""
        return series({}, "r2")

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        table = self.slopes
        return tuple(Term(table.lhs[i], tuple(table.rhs[i].split(":")), table.names[i],
                          table.groups[table.block[i] - 1]) for i in slope_rows(table))

    tests = _refused("tests")
    implied = _refused("implied")
    sample_moments = _refused("sample_moments")
    cov_lv = _refused("cov_lv")
    residuals = _refused("residuals()")
    residual_summary = _refused("residual_summary()")
    predict = _refused("predict()")
    predict_y = _refused("predict_y()")
    modification_indices = _refused("modification_indices()")
    wald = _refused("wald()")
    score_test = _refused("score_test()")
    effects = _refused("effects()")
    to_lavaan = _refused("to_lavaan()")
    to_mplus = _refused("to_mplus()")
    bootstrap = _refused("bootstrap()")
    cutoffs = _refused("cutoffs()")
    crosscheck = _refused("crosscheck()")
    diagram = _refused("diagram()")

    def __repr__(self) -> str:
        shown = self.estimates.drop(columns=[] if self.slopes.n_groups > 1 else ["group"])
        lines = [f"semkit sem fit: {self.method}, {self.nobs} respondents used of {self.nobs_received}",
                 shown.to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep=""), *self._more()]
        return "\n".join([*lines, *(f"{note.severity}: {note}" for note in self.notes)])

    def _more(self) -> list[str]:
        """Further lines of the text."""
        return []
