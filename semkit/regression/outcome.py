"""What a moderated regression returns: a record that keeps the Result contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from semkit.errors import Note
from semkit.result import FloatArray, Reference, Term, Variable, quantity
from semkit.sample import Design


@dataclass(frozen=True, slots=True)
class RegressionRecipe:
    """Everything but the data: :func:`moderated_regression` makes the same result from it."""

    outcome: str
    focal: str
    moderator: str
    covariates: tuple[str, ...] = ()
    se: str = "HC3"
    center: bool = True
    factors: tuple[tuple[str, Any], ...] = ()
    bootstrap: int = 0
    seed: int = 1
    design: Design | None = None


@dataclass(frozen=True, slots=True)
class InteractionTest:
    r"""What the product adds.

    Parameters
    ----------
    delta_r2 : float
        R2 of the model minus R2 of the model without the product.
    f, df1, df2, pvalue : float
        ``F = delta_r2 / ((1 - R2) / df2)``, the classical test; assumes equal error variances.
    f_robust, pvalue_robust : float
        Wald F ``b^2 / var(b)`` with the chosen covariance matrix (equal to ``f`` for ``"classical"``).
    f2 : float
        Cohen's ``delta_r2 / (1 - R2)`` (Cohen 1988, eq. 9.2.3; Aiken & West 1991, p. 157).
    """

    delta_r2: float
    f: float
    df1: int
    df2: int
    pvalue: float
    f_robust: float
    pvalue_robust: float
    f2: float


@dataclass(frozen=True, eq=False)
class RegressionResult:
    """A moderated regression; keeps :class:`semkit.result.Result`.

    Beyond the contract it has ``r2``, ``adj_r2``, ``sigma`` (residual SD), ``df_residual``,
    ``interaction`` (:class:`InteractionTest`), ``vif`` (one per name, NaN for the intercept),
    ``fitted``, ``residuals`` and ``leverage`` (nobs,).  Under a sampling design R2 and ``sigma`` are weighted,
    ``df_residual`` is that of the design less the slopes, the classical F test is NaN, and ``deff`` (k,) holds the
    design effects: variance over that of a simple random sample of as many respondents.
    """

    method: str
    names: tuple[str, ...]
    est: FloatArray
    vcov: FloatArray
    std_est: FloatArray
    std_vcov: FloatArray
    reference: Reference
    variables: Mapping[str, Variable]
    terms: tuple[Term, ...]
    nobs_received: int
    nobs: int
    recipe: RegressionRecipe
    r2: float
    adj_r2: float
    sigma: float
    df_residual: int
    interaction: InteractionTest
    vif: FloatArray
    fitted: FloatArray
    residuals: FloatArray
    leverage: FloatArray
    deff: FloatArray | None = None
    draws: FloatArray | None = None
    std_draws: FloatArray | None = None
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    converged: bool = True
    admissible: bool = True

    @property
    def product(self) -> str:
        """Name of the product's coefficient."""
        return next(term.name for term in self.terms if len(term.factors) == 2)

    @property
    def estimates(self) -> pd.DataFrame:
        """One row a coefficient: raw and standardised, with errors and 95 % intervals.

        ``stat`` is t; with bootstrap draws it is NaN and interval and p come from the draws.
        The intercept has no standardised value (NaN).  Under a sampling design ``deff`` and ``n_eff`` (respondents
        over design effect) stand beside.
        """
        rows = []
        for index, name in enumerate(self.names):
            raw = quantity(self, name)
            std = quantity(self, name, standardized=True) if np.isfinite(self.std_est[index]) else None
            intercept = name.endswith("~1")
            nan = float("nan")
            rows.append(
                {
                    "lhs": self.recipe.outcome,
                    "op": "~1" if intercept else "~",
                    "rhs": "" if intercept else name.split(" ~ ", 1)[1],
                    "est": raw.est,
                    "se": raw.se,
                    "stat": raw.est / raw.se if raw.method == "t" else nan,
                    "df": float(self.df_residual) if raw.method == "t" else nan,
                    "pvalue": raw.pvalue,
                    "ci_lower": raw.ci_lower,
                    "ci_upper": raw.ci_upper,
                    "std_all": std.est if std else nan,
                    "std_se": std.se if std else nan,
                    "std_ci_lower": std.ci_lower if std else nan,
                    "std_ci_upper": std.ci_upper if std else nan,
                    "vif": float(self.vif[index]),
                }
            )
        table = pd.DataFrame(rows)
        return table if self.deff is None else table.assign(deff=self.deff, n_eff=self.nobs / self.deff)

    @property
    def fit_measures(self) -> pd.Series:
        """R2, adjusted R2, residual SD and the product's tests, as raw floats."""
        test = self.interaction
        return pd.Series(
            {
                "r2": self.r2,
                "adj_r2": self.adj_r2,
                "sigma": self.sigma,
                "df_residual": float(self.df_residual),
                "delta_r2": test.delta_r2,
                "f": test.f,
                "df1": float(test.df1),
                "df2": float(test.df2),
                "pvalue": test.pvalue,
                "f_robust": test.f_robust,
                "pvalue_robust": test.pvalue_robust,
                "f2": test.f2,
            },
            dtype=float,
        )

    def __repr__(self) -> str:
        test = self.interaction
        table = self.estimates.drop(columns=["lhs", "df"]).to_string(
            index=False, na_rep="", float_format=lambda value: f"{value:.4f}"
        )
        lines = [
            f"Moderated regression of {self.recipe.outcome}: {self.method}",
            f"N used {self.nobs} of {self.nobs_received}; R2 {self.r2:.4f}, adjusted {self.adj_r2:.4f}; "
            f"residual df {self.df_residual}",
            table,
            f"Product: delta R2 {test.delta_r2:.4f}, f2 {test.f2:.4f}; {_tests(test)}",
            *(f"{note.severity}: {note}" for note in self.notes),
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from semkit.display import html

        return html(self)


def _tests(test: InteractionTest) -> str:
    """The product's tests in one line; under a sampling design there is only the Wald test."""
    robust = f"= {test.f_robust:.3f}, p = {test.pvalue_robust:.4f}"
    if not np.isfinite(test.f):
        return f"F({test.df1}, {test.df2}) {robust}"
    return f"F({test.df1}, {test.df2}) = {test.f:.3f}, p = {test.pvalue:.4f}; robust F {robust}"
