"""What a fit by two-stage least squares offers: slopes with errors, the Sargan test, standardised effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from semkit.errors import Note, NotSupportedError, Problem
from semkit.estimate.instrumental import TwoStage
from semkit.fitting.fit import Fit
from semkit.fitting.instruments import Equation
from semkit.fitting.tables import error_columns, series
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
                                        "estimates, sargan, standardized(), measurement",
                                        "Ask fit.measurement, or use interaction='lms'."))

    return property(ask, doc="Not offered: equations are estimated one by one.")


@dataclass(frozen=True, eq=False, repr=False)
class InstrumentedFit(Fit):
    """Structural equations by two-stage least squares; ``measurement`` is the linear factor model beside them.

    Parameters
    ----------
    measurement : Fit
        Gives the standard deviations of the constructs and their scores, nothing else.
    sample_used : Sample
    equations : tuple of Equation
        With the instruments of each.
    stages : tuple of TwoStage
    own_names, own_terms, own_est, own_vcov, own_variables
        As in :class:`semkit.result.Result`.
    claims, full : tuple of ndarray
        Standardised estimates and their covariance matrix; 0/1 predictors in their own unit, and all standardised.
    robust : bool
    """

    measurement: Fit = field(kw_only=True)
    sample_used: Sample = field(kw_only=True)
    equations: tuple[Equation, ...] = field(kw_only=True)
    stages: tuple[TwoStage, ...] = field(kw_only=True)
    own_names: tuple[str, ...] = field(kw_only=True)
    own_terms: tuple[Term, ...] = field(kw_only=True)
    own_est: FloatArray = field(kw_only=True)
    own_vcov: FloatArray = field(kw_only=True)
    claims: tuple[FloatArray, FloatArray] = field(kw_only=True)
    full: tuple[FloatArray, FloatArray] = field(kw_only=True)
    own_variables: Mapping[str, Variable] = field(kw_only=True)
    robust: bool = field(kw_only=True)

    @property
    def method(self) -> str:
        return "2SLS (robust)" if self.robust else "2SLS"

    @cached_property
    def names(self) -> tuple[str, ...]:
        return self.own_names

    @cached_property
    def est(self) -> FloatArray:
        return self.own_est

    @cached_property
    def vcov(self) -> FloatArray:
        return self.own_vcov

    @cached_property
    def std_est(self) -> FloatArray:
        return self.claims[0]

    @cached_property
    def std_vcov(self) -> FloatArray:
        return self.claims[1]

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        return self.own_terms

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        return self.own_variables

    @property
    def nobs(self) -> int:
        return len(self.stages[0].residual[0])

    @property
    def nobs_received(self) -> int:
        return self.sample_used.nobs_received

    @property
    def converged(self) -> bool:
        """Always: there is nothing to iterate."""
        return True

    @property
    def admissible(self) -> bool:
        """Whether the estimates are finite numbers."""
        return bool(np.all(np.isfinite(self.own_est)))

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Of the sample, of the method, and equations whose instruments the Sargan test rejects at .05."""
        table = self.sargan
        tests = zip(self.equations, table["df"].to_numpy(), table["stat"].to_numpy(), table["pvalue"].to_numpy(),
                    strict=True)
        return (*self.sample_used.notes, *self.extra_notes, *(
            Note("fitting.instruments-rejected", "warning",
                 f"Sargan chi-square({df}) = {stat:.2f}, p = {pvalue:.3f}.", equation.outcome,
                 "Not all instruments that the model implies are uncorrelated with the equation's error.",
                 "Look for error covariances or cross-loadings in fit.measurement.modification_indices().")
            for equation, df, stat, pvalue in tests if pvalue < 0.05))

    @cached_property
    def sargan(self) -> pd.DataFrame:
        """Test of overidentification of every equation: ``outcome instruments stat df pvalue``; NaN without any."""
        import pandas as pd

        rows = []
        for e, s in zip(self.equations, self.stages, strict=True):
            df = len(e.instruments) - len(e.predictors)
            stat = float(s.sargan[0]) if df else float("nan")
            rows.append((e.outcome, ", ".join("*".join(v) for v in e.instruments), stat, df,
                         float(chdtrc(df, stat)) if df else float("nan")))
        return pd.DataFrame(rows, columns=["outcome", "instruments", "stat", "df", "pvalue"])

    @cached_property
    def row_heads(self) -> Mapping[str, Any]:
        import pandas as pd

        rows = [(e.outcome, "~", p, "", label) for e in self.equations
                for p, label in zip(e.predictors, e.labels, strict=True)]
        columns = zip(*rows, strict=True)
        return {name: pd.array(list(column), dtype="str")
                for name, column in zip(("lhs", "op", "rhs", "group", "label"), columns, strict=True)}

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One row a slope, as in :class:`Fit`; intercepts are not reported."""
        import pandas as pd

        columns = error_columns(self.own_est, np.sqrt(np.diag(self.own_vcov)))
        return pd.DataFrame({**self.row_heads, **columns, "std_all": self.full[0]})

    def standardized(self, type: str = "std_all") -> pd.DataFrame:
        """Standardised slopes with delta-method errors; only ``"std_all"``."""
        import pandas as pd

        if type not in ("std_all", "std.all"):
            raise NotSupportedError(Problem("fitting.no-model-by-equations", f"standardized({type!r})",
                                            "is not offered by 2SLS", "std_all", "Use type='std_all'."))
        columns = error_columns(self.full[0], np.sqrt(np.diag(self.full[1])))
        return pd.DataFrame({**self.row_heads, **{("est_std" if k == "est" else k): v for k, v in columns.items()}})

    @cached_property
    def fit_measures(self) -> pd.Series[float]:
        """``npar ntotal``: equations have no fit of their own beyond ``sargan``."""
        return series({"npar": float(len(self.own_est)), "ntotal": float(self.nobs)}, "value")

    table = _refused("table")
    tests = _refused("tests")
    r2 = _refused("r2")
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
        shown = self.estimates.drop(columns=["group"])
        lines = [f"semkit sem fit: {self.method}, {self.nobs} respondents used of {self.nobs_received}",
                 shown.to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep=""), "Sargan tests",
                 self.sargan.drop(columns="instruments").to_string(index=False, float_format=lambda v: f"{v:.3f}")]
        return "\n".join([*lines, *(f"{note.severity}: {note}" for note in self.notes)])

    def _repr_html_(self) -> str | None:
        return None
