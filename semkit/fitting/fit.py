"""Fit: what an estimated model offers.  Numbers are computed when they are first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note
from semkit.estimate.standardize import RowValues, row_values
from semkit.estimate.tests import Test
from semkit.fitting import measures
from semkit.fitting.baseline import Baseline, baseline
from semkit.fitting.corrections import further_tests
from semkit.fitting.diagnosis import diagnose
from semkit.fitting.draws import Draws
from semkit.fitting.misfit import residual_table
from semkit.fitting.ordinal import OrdinalSolution
from semkit.fitting.ordinalafter import ordinal_modification_indices, refuse, response_residuals
from semkit.fitting.ordinaldiagnosis import diagnose_ordinal
from semkit.fitting.ordinalmeasures import ordinal_measures, ordinal_tests
from semkit.fitting.ordinaltables import response_moments
from semkit.fitting.recipe import Recipe
from semkit.fitting.solution import Solution
from semkit.fitting.tables import (
    estimates_table,
    latent_covariances,
    moments_tables,
    r_squared,
    row_heads,
    series,
    solution_rows,
    standard_kind,
    standardized_table,
    variables_of,
)
from semkit.model import ParameterTable
from semkit.result import Reference, Term, Variable

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.cutoffs import Cutoffs

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """An estimated model; keeps the contract of :class:`semkit.result.Result`.

    Parameters
    ----------
    solution : Solution
    recipe : Recipe
        From which the fit can be made again.
    bootstrap_draws : Draws or None
    provenance : mapping
    extra_notes : tuple of Note
    test_draws : Draws or None
        Draws of the Bollen-Stine test, when that was asked for.
    """

    solution: Solution
    recipe: Recipe
    bootstrap_draws: Draws | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    extra_notes: tuple[Note, ...] = ()
    test_draws: Draws | None = None

    # --- parameters -------------------------------------------------------------------------

    @property
    def table(self) -> ParameterTable:
        """The parameter table the fit was made from."""
        return self.solution.table

    @property
    def method(self) -> str:
        """Estimator, as headers print it."""
        name = self.solution.options.estimator.upper()
        return name if self.solution.sampling is None else f"{name} (sampling design)"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Free parameters (label or ``lhs op rhs``), then defined parameters."""
        free = self.table.free_names
        return (*(free[k] for k in self.table.reported), *(name for name, _ in self.table.definitions))

    @cached_property
    def _rows(self) -> RowValues:
        if isinstance(self.solution, OrdinalSolution):
            return self.solution.rows
        return row_values(self.table, self.solution.layout, self.solution.minimum.x, self.solution.given)

    @cached_property
    def _all(self) -> Mapping[str, RowValues]:
        """Values of all rows with definitions filled in: ``raw`` and each standardised kind."""
        found = solution_rows(self.table, self.solution, self._rows, self.binary)
        return self.solution.settle(found) if isinstance(self.solution, OrdinalSolution) else found

    @cached_property
    def binary(self) -> frozenset[str]:
        """Observed variables that take the values 0 and 1 only, also where their mean was taken off."""
        sample = self.solution.sample
        if sample is None:
            return frozenset()
        found = []
        for name in {*self.table.variables.ov_x, *self.table.variables.ov_y}:
            values = np.concatenate([sample.column(name, g) for g in range(len(sample.groups))])
            values = values[~np.isnan(values)]
            low = float(values.min(initial=0.0))
            if -1.0 < low <= 0.0 and np.all((values == low) | (np.abs(values - low - 1.0) < 1e-12)):
                found.append(name)
        return frozenset(found)

    @cached_property
    def _positions(self) -> NDArray[np.int64]:
        """Table rows of ``names``."""
        return np.concatenate([self.table.free_rows[self.table.reported], self.table.definition_rows]).astype(np.int64)

    @cached_property
    def est(self) -> FloatArray:
        """Estimates, shape ``(k,)``."""
        return np.asarray(self._all["raw"].value[0, self._positions])

    @cached_property
    def vcov(self) -> FloatArray:
        """Covariance matrix of ``est``, shape ``(k, k)``."""
        slope = self._all["raw"].slope[0, self._positions]
        return np.asarray(slope @ self.solution.vcov @ slope.T)

    @cached_property
    def std_est(self) -> FloatArray:
        """Fully standardised estimates; 0/1 predictors keep their unit."""
        return np.asarray(self._all["result"].value[0, self._positions])

    @cached_property
    def std_vcov(self) -> FloatArray:
        """Covariance matrix of ``std_est`` (delta method)."""
        slope = self._all["result"].slope[0, self._positions]
        return np.asarray(slope @ self.solution.vcov @ slope.T)

    @property
    def draws(self) -> FloatArray | None:
        """Bootstrap draws of ``est`` ``(B, k)``: converged and admissible ones."""
        return None if self.bootstrap_draws is None else self.bootstrap_draws.est

    @property
    def std_draws(self) -> FloatArray | None:
        """Bootstrap draws of ``std_est``."""
        return None if self.bootstrap_draws is None else self.bootstrap_draws.std

    @property
    def reference(self) -> Reference:
        return Reference("z")

    # --- state ------------------------------------------------------------------------------

    @property
    def nobs_received(self) -> int:
        sample = self.solution.sample
        return sample.nobs_received if sample is not None else self.nobs

    @property
    def nobs(self) -> int:
        return round(sum(group.nobs for group in self.solution.moments))

    @property
    def converged(self) -> bool:
        return self.solution.converged

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Diagnoses of data and solution."""
        first = self.solution.sample.notes if self.solution.sample is not None else ()
        if isinstance(self.solution, OrdinalSolution):
            return (*first, *self.extra_notes, *diagnose_ordinal(self.solution))
        return (*first, *self.extra_notes, *diagnose(self.solution))

    @property
    def admissible(self) -> bool:
        """Converged, identified, no negative variance, latent covariance matrix positive definite."""
        return self.converged and not any(note.severity == "error" for note in self.notes)

    # --- tables -----------------------------------------------------------------------------

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One row a parameter: estimate, error, z, p, interval and standardised values."""
        return estimates_table(self)

    @cached_property
    def row_heads(self) -> Mapping[str, Any]:
        """The text columns that every table of parameters begins with."""
        return row_heads(self.table)

    def standardized(self, type: str = "std_all") -> pd.DataFrame:
        """Standardised estimates with delta-method errors.

        Parameters
        ----------
        type : {"std_all", "std_lv", "std_nox"}
        """
        return standardized_table(self, standard_kind(type))

    @cached_property
    def _baseline(self) -> Baseline:
        return baseline(self.solution)

    @cached_property
    def tests(self) -> Mapping[str, Test]:
        """Tests of the model by name; with fewer than 200 respondents corrected for small samples, too."""
        if isinstance(self.solution, OrdinalSolution):
            return ordinal_tests(self.solution)
        return further_tests(self, measures.tests(self.solution, self._baseline))

    @cached_property
    def fit_measures(self) -> pd.Series[float]:
        """Fit measures under lavaan's dotted names."""
        if isinstance(self.solution, OrdinalSolution):
            return series(ordinal_measures(self.solution, self.tests), "value")
        return series(measures.fit_measures(self.solution, self.tests, self._baseline), "value")

    @cached_property
    def r2(self) -> pd.Series[float]:
        """Explained share of each indicator and outcome (first group; ``name.g2`` for later ones)."""
        return r_squared(self)

    @cached_property
    def implied(self) -> Mapping[str, Any]:
        """Model-implied ``cov`` and ``mean`` of the observed variables (lists by group if there are several)."""
        if isinstance(self.solution, OrdinalSolution):
            return response_moments(self.solution, "implied")
        return moments_tables(self, "implied")

    @cached_property
    def sample_moments(self) -> Mapping[str, Any]:
        """Observed ``cov`` and ``mean`` in the metric the discrepancy used."""
        if isinstance(self.solution, OrdinalSolution):
            return response_moments(self.solution, "observed")
        return moments_tables(self, "observed")

    @cached_property
    def cov_lv(self) -> Any:
        """Model-implied covariance matrix of the latent variables (a list by group if there are several)."""
        found = latent_covariances(self)
        return found[0] if len(found) == 1 else found

    def residuals(self, type: str = "raw", group: int = 0) -> pd.DataFrame:
        """Observed less implied covariances.

        Parameters
        ----------
        type : {"raw", "cor", "cor.bentler", "normalized", "standardized"}
            Raw; difference of correlations; raw over sample standard deviations; over the standard errors of the
            observed covariances; over those of the residuals (Ogasawara 2001).
        group : int
            Counted from 0.

        Returns
        -------
        DataFrame (p, p)
            NaN where a residual has no variance; 0 where the model always reproduces the moment.
        """
        if isinstance(self.solution, OrdinalSolution):
            return response_residuals(self.solution, type, group)
        return residual_table(self, type, group)

    def residual_summary(self, type: str = "srmr", *, level: float = 0.90, close: float = 0.05) -> pd.DataFrame:
        """SRMR with its error: as it is, unbiased with interval, tests of exact and of close fit.

        Parameters
        ----------
        type : {"srmr", "crmr"}
            Residuals over sample standard deviations, or differences of correlations without the diagonal.
        level : float
            Of the interval of the unbiased value.
        close : float
            Largest population value that counts as close fit.

        Returns
        -------
        DataFrame
            ``group part value se exact_z exact_pvalue unbiased unbiased_se ci_lower ci_upper close close_z
            close_pvalue``; ``part`` is ``cov``, and with a mean structure also ``mean`` and ``total``.

        References
        ----------
        Maydeu-Olivares (2017), Psychometrika 82, 533-558.
        """
        from semkit.fitting.residuals import residual_summary

        return residual_summary(self, type, level=level, close=close)

    def predict(self, method: str = "regression", what: str = "lv") -> pd.DataFrame:
        """Factor scores, or what the model predicts; one row a respondent used, with gaps or without.

        Parameters
        ----------
        method : {"regression", "bartlett"}
            Of the factor scores: :mod:`semkit.fitting.scores`; ``"ebm"`` (empirical Bayes) is the regression method.
        what : {"lv", "se", "reliability", "ov"}
            Factor scores, their standard errors, their reliabilities (squared correlations with the factor), or
            predicted values of the observed variables given the regression scores.
        """
        from semkit.fitting.scores import predicted

        if what == "ov":
            refuse(self.solution, "predict(what='ov')", "Use factor scores: predict().")

        return predicted(self, method, what)

    def predict_y(self, outcomes: str | Sequence[str], predictors: str | Sequence[str]) -> pd.DataFrame:
        """What the model expects of some observed variables given others.

        Parameters
        ----------
        outcomes, predictors : str or sequence of str
            Observed variables (:func:`semkit.fitting.scores.predicted_outcomes`); predictors may have gaps.
        """
        from semkit.fitting.scores import predicted_outcomes

        refuse(self.solution, "predict_y()", "Treat the items as numbers with estimator='mlr'.")

        given = ((v,) if isinstance(v, str) else tuple(v) for v in (outcomes, predictors))
        return predicted_outcomes(self, *given)

    def modification_indices(self) -> pd.DataFrame:
        """What freeing each fixed or absent parameter would gain.

        Returns
        -------
        DataFrame
            ``lhs op rhs group mi pvalue epc sepc_lv sepc_all sepc_nox reason``: score statistic (1 degree of freedom),
            expected change, raw and standardised; NaN with a ``reason`` where they are not defined.

        References
        ----------
        Sorbom (1989), Psychometrika 54, 371-384; Saris, Satorra & Sorbom (1987), Sociological Methodology 17, 105-129.
        """
        from semkit.fitting.modification import modification_indices

        if isinstance(self.solution, OrdinalSolution):
            return ordinal_modification_indices(self.solution)
        return modification_indices(self)

    def wald(self, hypothesis: str) -> Test:
        """Wald test of restrictions such as ``"a == b; c == 0"`` (:func:`semkit.fitting.restrictions.wald`)."""
        from semkit.fitting.restrictions import wald

        return wald(self, hypothesis)

    def score_test(self) -> pd.DataFrame:
        """What releasing each equality would gain (:func:`semkit.fitting.restrictions.score_test`)."""
        from semkit.fitting.restrictions import score_test

        refuse(self.solution, "score_test()", "Compare the models with and without the equality: compare().")

        return score_test(self)

    def effects(self, predictor: str, outcome: str, group: int = 0) -> pd.DataFrame:
        """Total, direct and indirect effects and every path (:func:`semkit.fitting.effects.effects`)."""
        from semkit.fitting.effects import effects

        return effects(self, predictor, outcome, group)

    def to_lavaan(self, path: Any) -> Any:
        """R script and data for the same analysis in lavaan (:func:`semkit.fitting.lavaan.to_lavaan`)."""
        from semkit.fitting.lavaan import to_lavaan


        return to_lavaan(self, path)

    def to_mplus(self, path: Any) -> Any:
        """Input and data for the same analysis in Mplus (:func:`semkit.fitting.mplus.to_mplus`)."""
        from semkit.fitting.mplus import to_mplus

        return to_mplus(self, path)

    def bootstrap(
        self, draws: int = 2000, *, seed: int | None = None, kind: str = "ordinary", ci: str = "percentile",
        level: float = 0.95, statistics: Sequence[str] = (),
    ) -> Fit:
        """The same fit with bootstrap draws: errors, intervals and p come from them (``fit.bootstrap_draws``).

        Parameters
        ----------
        draws : int
        seed : int, optional
            Drawn from the system when not given; kept in ``provenance``.
        kind : {"ordinary", "cluster", "bollen.stine", "noncentral", "parametric"}
            How draws are made (:mod:`semkit.fitting.resampling`).
        ci : {"percentile", "bc", "bca", "normal", "basic"}
            Interval shown in ``estimates``; any other by ``fit.bootstrap_draws.interval(name, kind)``.
        level : float
        statistics : sequence of str
            Fit measures to be drawn too, for example ``("rmsea", "cfi", "srmr")``.
        """
        from semkit.fitting.bootstrap import with_draws

        return with_draws(self, draws, seed, kind=kind, ci=ci, level=level, statistics=statistics)

    def cutoffs(self, draws: int = 500, *, seed: int | None = None) -> Cutoffs:
        """Cut-offs of SRMR, RMSEA and CFI for this model and sample size, beside the fixed ones of Hu and Bentler.

        Factor models: normal samples from the model, and from populations that have something it misses (omitted
        cross-loadings; residual correlations of .30 with one factor).  Other models: only what exact fit lets expect.

        Parameters
        ----------
        draws : int
            Samples of each population.
        seed : int, optional
            Drawn from the system when not given; kept in the record.

        References
        ----------
        McNeish & Wolf (2023), Psychological Methods 28, 61-88; McNeish & Wolf (2023), Behavior Research Methods 55,
        1157-1174.
        """
        from semkit.fitting.cutoffs import cutoffs

        return cutoffs(self, draws, seed=seed)

    def crosscheck(self, engine: str = "semopy", **options: Any) -> Any:
        """Estimate the same model in another engine and compare (see :mod:`semkit.fitting.crosscheck`)."""
        from semkit.fitting.crosscheck import crosscheck

        refuse(self.solution, "crosscheck()", "Compare with lavaan's WLSMV.")

        return crosscheck(self, engine, **options)

    def diagram(self, **options: Any) -> Any:
        """Path diagram (SVG) with the moderation drawn onto the path it moderates (:func:`semkit.display.diagram`)."""
        from semkit.display import diagram

        return diagram(self, **options)

    # --- contract ---------------------------------------------------------------------------

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """Moments, range and values of every variable; those of later groups as ``name.g2`` ..."""
        return variables_of(self)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """Terms of the structural equations; products by their factors."""
        out = []
        for i in range(len(self.table)):
            if self.table.op[i] == "~" and self.table.block[i] > 0:
                group = self.table.groups[self.table.block[i] - 1]
                factors = tuple(self.table.rhs[i].split(":"))
                out.append(Term(self.table.lhs[i], factors, self.table.names[i], group))
        return tuple(out)

    # --- text -------------------------------------------------------------------------------

    def summary(self, *, cutoffs: int = 0, seed: int | None = None) -> str:
        """The fit as text; with ``cutoffs`` samples of each population also the cut-offs of its fit measures."""
        text = repr(self)
        return f"{text}\n{self.cutoffs(cutoffs, seed=seed)!r}" if cutoffs else text

    def __repr__(self) -> str:
        from semkit.fitting.text import summary

        return summary(self)

    def _repr_html_(self) -> str | None:
        from semkit.display import html

        return html(self)
