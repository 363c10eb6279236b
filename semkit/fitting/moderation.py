"""Fits of models with latent products by their likelihood: what such a result offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from semkit.errors import Note, NotSupportedError, Problem
from semkit.estimate import fitmeasures as fm
from semkit.estimate.tests import Test
from semkit.fitting.fit import Fit
from semkit.fitting.interacting import case_notes, variance_notes
from semkit.fitting.likelihoodratio import products_test, scaled_products_test
from semkit.fitting.maxima import maxima_notes
from semkit.fitting.measures import loglikelihoods
from semkit.fitting.moderated import ModeratedSolution, node_notes
from semkit.fitting.normality import normality_notes
from semkit.fitting.origin import origin_notes
from semkit.fitting.tables import series, variables_of
from semkit.result import Variable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class ModeratedFit(Fit):
    """A model with latent products, estimated by LMS or QML; a :class:`Fit` with the same tables.

    There is no saturated model for products, hence no chi-square of the model and no indices made of it:
    ``fit_measures`` has the log-likelihood, information criteria and the comparison with the model without products;
    ``linear`` is that model's own fit.  Means, variances and R2 are those of the whole model, products included.
    """

    @property
    def moderated(self) -> ModeratedSolution:
        """The solution with what only such models have."""
        assert isinstance(self.solution, ModeratedSolution)
        return self.solution

    @property
    def method(self) -> str:
        design = "" if self.solution.sampling is None else ", sampling design"
        return f"{self.moderated.method.name} ({self.solution.options.estimator.upper()}{design})"

    @cached_property
    def linear(self) -> Fit:
        """The model without its products, fitted by maximum likelihood to the same data."""
        return Fit(self.moderated.linear, replace(self.recipe, interaction=None), None, self.provenance)

    @cached_property
    def linear_test(self) -> Test:
        """Likelihood ratio test of all products: ``2 (logl - logl of the model without them)``.

        Both log-likelihoods are of the same data on the same scale.  Under ``mlr`` and sampling designs the statistic
        is corrected (:mod:`semkit.fitting.likelihoodratio`).
        """
        return list(self.tests.values())[-1]

    @cached_property
    def fit_measures(self) -> pd.Series[float]:
        """``npar logl aic bic bic2 ntotal`` and, for the model without products, ``*.linear`` and the test of both.

        ``fmin`` and indices that need a saturated model are not defined here.
        """
        own, total = self.moderated, float(self.nobs)
        out: dict[str, float] = {"npar": own.n_free, "logl": own.logl}
        aic, bic, bic2 = fm.information_criteria(own.logl, own.n_free, total)
        out |= {"aic": aic, "bic": bic, "bic2": bic2, "ntotal": total}
        logl = loglikelihoods(own.linear)[0]
        aic, bic, bic2 = fm.information_criteria(logl, own.linear.n_free, total)
        test = self.tests["likelihood.ratio"]
        out |= {"logl.linear": logl, "npar.linear": own.linear.n_free, "aic.linear": aic, "bic.linear": bic,
                "bic2.linear": bic2, "chisq.diff": test.stat, "df.diff": test.df, "pvalue.diff": test.pvalue}
        robust = self.tests.get("likelihood.ratio.scaled")
        if robust is not None:
            out |= {"chisq.diff.scaled": robust.stat, "pvalue.diff.scaled": robust.pvalue,
                    "chisq.diff.scaling.factor": robust.scaling_factor}
        return series(out, "value")

    @cached_property
    def tests(self) -> Mapping[str, Test]:
        """``likelihood.ratio`` of all products and, under ``mlr`` and sampling designs, ``likelihood.ratio.scaled``."""
        found = {"likelihood.ratio": products_test(self.moderated)}
        if self.solution.options.robust:
            found["likelihood.ratio.scaled"] = scaled_products_test(self.moderated)
        return found

    @cached_property
    def r2_change(self) -> pd.DataFrame:
        """R2 of every outcome with the products and in the model without them: ``name r2 r2_linear change``."""
        import pandas as pd

        both = pd.DataFrame({"r2": self.r2, "r2_linear": self.linear.r2})
        moved = {self.table.lhs[i] + (f".g{b}" if (b := int(self.table.block[i])) > 1 else "")
                 for i in range(len(self.table)) if self.table.op[i] == "~"}
        both = both.loc[[name for name in both.index if name in moved]]
        return both.assign(change=both["r2"] - both["r2_linear"]).rename_axis("name").reset_index()

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Diagnoses of data and solution, of the integration, and of what the method assumes."""
        found = (*super().notes,)
        if not self.converged:
            return found
        return (*found, *node_notes(self.moderated), *case_notes(self.moderated), *maxima_notes(self.moderated),
                *variance_notes(self.moderated), *normality_notes(self.moderated),
                *origin_notes(self.terms, self.variables))

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """As in :class:`Fit`; an observed outcome is centred in its products only where it is given by the data."""
        out = dict(variables_of(self))
        centred, known = self.moderated.centred, self.moderated.centres
        out = {name: replace(v, center=0.0) if v.kind == "observed" and v.name not in centred else v
               for name, v in out.items()}
        return out | {name: replace(out[name], center=value) for name, value in known.items()
                      if out[name].kind == "latent"}

    def predict(self, method: str = "regression", what: str = "lv") -> pd.DataFrame:
        """Posterior means of the latent variables, one row a respondent used (``what="se"``: standard deviations)."""
        if method in ("ebm", "empirical.bayes"):  # modes and means differ where the posterior is not normal
            self._refuse(f"predict(method={method!r})", "method='regression', posterior means")
        if what == "ov":
            self._refuse("predict(what='ov')", "what='lv', 'se' or 'reliability'")
        return super().predict(method, what)

    def predict_y(self, outcomes: Any, predictors: Any) -> NoReturn:
        """Not offered: the expected outcome is not linear in what was observed."""
        self._refuse("predict_y()", "fit.linear.predict_y()")

    def residuals(self, type: str = "raw", group: int = 0) -> pd.DataFrame:
        """Observed less implied covariances, products included, as in :meth:`Fit.residuals`.

        They do not say all of such a model: what products do to higher moments is not among them.  Errors are those
        of :mod:`semkit.fitting.moderatedmisfit`.
        """
        if type not in ("normalized", "standardized"):
            return super().residuals(type, group)
        from semkit.fitting.moderatedmisfit import residuals_over_errors

        return residuals_over_errors(self, type, group)

    def effects(self, predictor: str, outcome: str, group: int = 0) -> NoReturn:
        """Not offered: products make effects conditional."""
        self._refuse("effects()", "sk.probe, or conditional effects written with :=")

    def modification_indices(self) -> pd.DataFrame:
        """What freeing each fixed or absent parameter, or one more product of predictors, would gain.

        Score statistics with observed information (:mod:`semkit.fitting.moderatedmodification`); columns as in
        :meth:`Fit.modification_indices`.
        """
        from semkit.fitting.moderatedmodification import modification_indices

        return modification_indices(self)

    def score_test(self) -> pd.DataFrame:
        """What releasing each equality would gain, with observed information."""
        from semkit.fitting.moderatedmodification import score_test

        return score_test(self)

    def to_lavaan(self, path: Any) -> NoReturn:
        """Not offered: lavaan has no likelihood for latent products."""
        self._refuse("to_lavaan()", "fit.linear.to_lavaan(path), or interaction='product'")

    def crosscheck(self, engine: str = "semopy", **options: Any) -> NoReturn:
        """Not offered: the other engines have no likelihood for latent products."""
        self._refuse("crosscheck()", "fit.linear.crosscheck(), or interaction='product'")

    def bootstrap(
        self, draws: int = 2000, *, seed: int | None = None, kind: str = "ordinary", ci: str = "percentile",
        level: float = 0.95, statistics: Sequence[str] = (),
    ) -> ModeratedFit:
        """The same fit with draws of respondents (or of sampling units, ``kind="cluster"``), as :meth:`Fit.bootstrap`.

        Each draw is refitted by its own likelihood (:mod:`semkit.fitting.redraw`).
        """
        from semkit.fitting.redraw import with_draws

        if statistics:
            self._refuse("bootstrap(statistics=...)", "draws of parameters")
        return with_draws(self, draws, seed, kind=kind, ci=ci, level=level)

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise NotSupportedError(Problem("fitting.not-with-products", what,
                                        f"is not defined for latent products by {self.moderated.method.name}",
                                        instead, "Use one of these."))

    def __repr__(self) -> str:
        used = f"{self.nobs} respondents used"
        if self.nobs_received != self.nobs:
            used += f" of {self.nobs_received}"
        values, test = self.fit_measures, self.linear_test
        lines = [f"semkit {self.solution.options.call} fit: {self.method}, {used}, {self.table.n_free} parameters"]
        if not self.converged:
            lines.append("THE ESTIMATES DID NOT CONVERGE.")
        lines.append(
            f"logl = {values['logl']:.3f}  AIC = {values['aic']:.1f}  BIC = {values['bic']:.1f}   without products: "
            f"logl = {values['logl.linear']:.3f}, {'scaled ' if test.test.endswith('scaled') else ''}"
            f"chisq({test.df:.0f}) = {test.stat:.3f}, p = {test.pvalue:.4f}")
        shown = self.estimates.drop(columns=["std_lv", "std_nox"])
        if self.table.n_groups == 1:
            shown = shown.drop(columns="group")
        lines.append(shown.to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep=""))
        if self.bootstrap_draws is not None:
            d = self.bootstrap_draws
            lines.append(f"bootstrap: {d.requested} draws, {d.failed} failed, {d.inadmissible} inadmissible, "
                         f"seed {d.seed}")
        lines += [f"{note.severity}: {note}" for note in self.notes]
        return "\n".join(lines)

