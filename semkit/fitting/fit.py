"""Fit: what an estimated model offers.  Numbers are computed when they are first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from semkit.errors import Note, OptionError, Problem
from semkit.estimate.expressions import Quantities, evaluate, label_quantities
from semkit.estimate.standardize import Kind, RowValues, row_values, scales, standardise
from semkit.estimate.tests import Test
from semkit.fitting import measures
from semkit.fitting.draws import Draws
from semkit.fitting.recipe import Recipe
from semkit.fitting.solution import Solution, diagnose
from semkit.model import ParameterTable
from semkit.result import Reference, Term, Variable, percentile_pvalue

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

_Z = float(ndtri(0.975))


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """An estimated model; keeps the contract of :class:`semkit.result.Result`.

    Parameters
    ----------
    solution : Solution
    recipe : Recipe
        From which the fit can be made again.
    bootstrap : Draws or None
    provenance : mapping
    extra_notes : tuple of Note
    """

    solution: Solution
    recipe: Recipe
    bootstrap_draws: Draws | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    extra_notes: tuple[Note, ...] = ()

    # --- parameters -------------------------------------------------------------------------

    @property
    def table(self) -> ParameterTable:
        """The parameter table the fit was made from."""
        return self.solution.table

    @property
    def method(self) -> str:
        """Estimator, as headers print it."""
        return self.solution.options.estimator.upper()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Free parameters (label or ``lhs op rhs``), then defined parameters."""
        return self.table.free_names + tuple(name for name, _ in self.table.definitions)

    @cached_property
    def _rows(self) -> RowValues:
        return row_values(self.table, self.solution.layout, self.solution.minimum.x, self.solution.given)

    @cached_property
    def _all(self) -> Mapping[str, RowValues]:
        """Values of all rows with definitions filled in: ``raw`` and each standardised kind."""
        return solution_rows(self.table, self.solution, self._rows, self.binary)

    @cached_property
    def binary(self) -> frozenset[str]:
        """Observed variables that take the values 0 and 1 only."""
        sample = self.solution.sample
        if sample is None:
            return frozenset()
        found = []
        for name in {*self.table.variables.ov_x, *self.table.variables.ov_y}:
            values = np.concatenate([sample.column(name, g) for g in range(len(sample.groups))])
            if np.all((values == 0.0) | (values == 1.0)):
                found.append(name)
        return frozenset(found)

    @cached_property
    def _positions(self) -> NDArray[np.int64]:
        """Table rows of ``names``."""
        return np.concatenate([self.table.free_rows, self.table.definition_rows]).astype(np.int64)

    @cached_property
    def est(self) -> FloatArray:
        """Estimates, shape ``(k,)``."""
        return self._all["raw"].value[0, self._positions]

    @cached_property
    def vcov(self) -> FloatArray:
        """Covariance matrix of ``est``, shape ``(k, k)``."""
        slope = self._all["raw"].slope[0, self._positions]
        return np.asarray(slope @ self.solution.vcov @ slope.T)

    @cached_property
    def std_est(self) -> FloatArray:
        """Fully standardised estimates; 0/1 predictors keep their unit."""
        return self._all["result"].value[0, self._positions]

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

    def standardized(self, type: str = "std_all") -> pd.DataFrame:
        """Standardised estimates with delta-method errors.

        Parameters
        ----------
        type : {"std_all", "std_lv", "std_nox"}
        """
        return standardized_table(self, _kind(type))

    @cached_property
    def _baseline(self) -> measures.Baseline:
        return measures.baseline(self.solution)

    @cached_property
    def tests(self) -> Mapping[str, Test]:
        """Tests of the model by name."""
        return measures.tests(self.solution, self._baseline)

    @cached_property
    def fit_measures(self) -> pd.Series[float]:
        """Fit measures under lavaan's dotted names."""
        import pandas as pd

        found = measures.fit_measures(self.solution, self.tests, self._baseline)
        return pd.Series(found, name="value", dtype=float)

    @cached_property
    def r2(self) -> pd.Series[float]:
        """Explained share of each indicator and outcome (first group; ``name.g2`` for later ones)."""
        return r_squared(self)

    @cached_property
    def implied(self) -> Mapping[str, Any]:
        """Model-implied ``cov`` and ``mean`` of the observed variables (lists by group if there are several)."""
        return moments_tables(self, "implied")

    @cached_property
    def sample_moments(self) -> Mapping[str, Any]:
        """Observed ``cov`` and ``mean`` in the metric the discrepancy used."""
        return moments_tables(self, "observed")

    @cached_property
    def cov_lv(self) -> pd.DataFrame:
        """Model-implied covariance matrix of the latent variables (first group)."""
        import pandas as pd

        block, implied = self.solution.layout.blocks[0], self.solution.implied[0]
        pick = [k for k, name in enumerate(block.eta) if name in self.table.variables.lv]
        names = [block.eta[k] for k in pick]
        return pd.DataFrame(implied.eta_cov[0][np.ix_(pick, pick)], index=names, columns=names)

    def residuals(self, type: str = "raw") -> pd.DataFrame:
        """Observed less implied covariances.

        Parameters
        ----------
        type : {"raw", "cor", "cor.bentler"}
            Raw; difference of correlations; raw over sample standard deviations.
        """
        return residual_table(self, type)

    def predict(self) -> pd.DataFrame:
        """Factor scores by the regression method, one row a respondent used.

        ``E(eta) + Cov(eta, y) Sigma^-1 (y - mu)`` (Thurstone 1935; Skrondal & Rabe-Hesketh 2004, eq. 7.3).
        """
        import pandas as pd

        names = list(self.table.variables.lv)
        parts = factor_scores(self)
        return pd.DataFrame(np.concatenate(parts), columns=names)

    # --- contract ---------------------------------------------------------------------------

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """Moments, range and values of every variable of the first group."""
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

    def __repr__(self) -> str:
        from semkit.fitting.text import summary

        return summary(self)

    def _repr_html_(self) -> str | None:
        from semkit.display import html

        return html(self)


def _kind(type: str) -> Kind:
    allowed: dict[str, Kind] = {"std_all": "std_all", "std_lv": "std_lv", "std_nox": "std_nox",
                                "std.all": "std_all", "std.lv": "std_lv", "std.nox": "std_nox"}
    if type not in allowed:
        raise OptionError(Problem("fitting.unknown-option-value", f"type={type!r}", "is not a known value",
                                  "std_all, std_lv, std_nox", "Choose one of them."))
    return allowed[type]


def solution_rows(
    table: ParameterTable, solution: Solution, rows: RowValues, binary: frozenset[str],
    theta: FloatArray | None = None, given: FloatArray | None = None,
    kinds: tuple[str, ...] = ("raw", "result", "std_all", "std_lv", "std_nox"), *, slopes: bool = True,
) -> Mapping[str, RowValues]:
    """All rows, unstandardised and standardised, definitions evaluated in each metric.

    ``"result"`` is the metric of claims: fully standardised, 0/1 predictors in their own unit, and
    definitions over those with ``sd(v) = 1``.
    """
    theta = solution.minimum.x if theta is None else theta
    given = solution.given if given is None else given
    layout = solution.layout
    q = layout.n_parameters if slopes else 0
    by = scales(layout, theta, given, slopes=slopes)
    out: dict[str, RowValues] = {}
    for kind in kinds:
        if kind == "raw":
            out[kind] = rows
        elif kind == "result":
            out[kind] = standardise(table, layout, rows, by, "std_all", binary) if binary else standardise(
                table, layout, rows, by, "std_all")
        else:
            out[kind] = standardise(table, layout, rows, by, kind)  # type: ignore[arg-type]
    definitions = table.definitions
    if not definitions:
        return out
    claim = out.get("result") or standardise(table, layout, rows, by, "std_all", binary)
    std = {label: claim.value[:, row] for label, row in table.labelled_rows.items()}
    std_slope = {label: claim.slope[:, row] for label, row in table.labelled_rows.items()}
    for kind, values in out.items():
        value, slope = values.value.copy(), values.slope.copy()
        if kind == "raw":
            labels, label_slope = label_quantities(table, layout, theta, given)
            known = Quantities(labels, label_slope, by.sd[0], by.slope[0], std, std_slope)
        else:
            one = {name: np.ones(len(theta)) for name in by.sd[0]}
            zero = {name: np.zeros((len(theta), q)) for name in by.sd[0]}
            known = Quantities(
                {label: value[:, row] for label, row in table.labelled_rows.items()},
                {label: slope[:, row] for label, row in table.labelled_rows.items()}, one, zero, std, std_slope,
            )
        defined, defined_slope = evaluate([e for _, e in definitions], known, q, len(theta))
        value[:, table.definition_rows], slope[:, table.definition_rows] = defined, defined_slope
        out[kind] = RowValues(value, slope)
    return out


def _errors(values: RowValues, vcov: FloatArray) -> FloatArray:
    """Delta-method standard errors of all rows."""
    slope = values.slope[0]
    variance = np.einsum("kq,qr,kr->k", slope, vcov, slope) if slope.size else np.zeros(len(slope))
    return np.sqrt(np.maximum(variance, 0.0))


def _shown(table: ParameterTable) -> NDArray[np.int64]:
    return np.flatnonzero((table.block > 0) | (np.array(table.op) == ":="))


def _columns(est: FloatArray, se: FloatArray) -> dict[str, FloatArray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(se > 1e-12 * np.maximum(np.abs(est), 1e-4), est / se, np.nan)
    se = np.where(np.isnan(z) & ~np.isnan(se), 0.0, se)
    return {"est": est, "se": se, "z": z, "pvalue": 2.0 * ndtr(-np.abs(z)), "ci_lower": est - _Z * se,
            "ci_upper": est + _Z * se}


def estimates_table(fit: Fit) -> pd.DataFrame:
    """The table behind :attr:`Fit.estimates`; with draws, errors, p and intervals come from them."""
    import pandas as pd

    table, shown = fit.table, _shown(fit.table)
    raw = fit._all["raw"]
    columns = _columns(raw.value[0], _errors(raw, fit.solution.vcov))
    if fit.draws is not None and len(fit.draws) > 1:
        at, draws = fit._positions, fit.draws
        columns["se"][at] = draws.std(axis=0, ddof=1)
        columns["z"][at] = columns["est"][at] / columns["se"][at]
        columns["pvalue"][at] = percentile_pvalue(draws)
        columns["ci_lower"][at], columns["ci_upper"][at] = np.percentile(draws, [2.5, 97.5], axis=0)
    group = [table.groups[b - 1] if b > 0 else "" for b in table.block[shown]]
    head = {name: [getattr(table, name)[i] for i in shown] for name in ("lhs", "op", "rhs")}
    data: dict[str, Any] = {**head, "group": group, "label": [table.label[i] for i in shown]}
    data |= {name: values[shown] for name, values in columns.items()}
    data |= {kind: fit._all[kind].value[0, shown] for kind in ("std_lv", "std_all", "std_nox")}
    return pd.DataFrame(data)


def standardized_table(fit: Fit, kind: Kind) -> pd.DataFrame:
    """The table behind :meth:`Fit.standardized`."""
    import pandas as pd

    table, shown = fit.table, _shown(fit.table)
    values = fit._all[kind]
    columns = _columns(values.value[0], _errors(values, fit.solution.vcov))
    data: dict[str, Any] = {name: [getattr(table, name)[i] for i in shown] for name in ("lhs", "op", "rhs")}
    data["group"] = [table.groups[b - 1] if b > 0 else "" for b in table.block[shown]]
    data["label"] = [table.label[i] for i in shown]
    data |= {("est_std" if name == "est" else name): column[shown] for name, column in columns.items()}
    return pd.DataFrame(data)


def r_squared(fit: Fit) -> pd.Series[float]:
    """``1 - residual variance / total variance`` of everything that something points at."""
    import pandas as pd

    table = fit.table
    out: dict[str, float] = {}
    for g, (block, implied) in enumerate(zip(fit.solution.layout.blocks, fit.solution.implied, strict=True)):
        total = dict(zip(block.eta, np.diagonal(implied.eta_cov[0]), strict=True))
        total |= dict(zip(block.observed, np.diagonal(implied.sigma[0]), strict=True))
        rows = [i for i in range(len(table)) if table.block[i] == g + 1]
        caused = {table.rhs[i] for i in rows if table.op[i] == "=~"} | {table.lhs[i] for i in rows if table.op[i] == "~"}
        variance = {table.lhs[i]: float(fit._rows.value[0, i]) for i in rows
                    if table.op[i] == "~~" and table.lhs[i] == table.rhs[i]}
        for name in (*table.variables.ov, *table.variables.lv):
            if name in caused and name in variance:
                suffix = f".g{g + 1}" if g else ""
                out[name + suffix] = 1.0 - variance[name] / float(total[name])
    return pd.Series(out, dtype=float, name="r2")


def moments_tables(fit: Fit, which: str) -> Mapping[str, Any]:
    """Covariances and means as frames."""
    import pandas as pd

    names = list(fit.table.variables.ov)
    covs, means = [], []
    for group, implied in zip(fit.solution.observed, fit.solution.implied, strict=True):
        cov, mean = (implied.sigma[0], implied.mu[0]) if which == "implied" else (group.cov[0], group.mean[0])
        covs.append(pd.DataFrame(cov, index=names, columns=names))
        means.append(pd.Series(mean, index=names))
    out: dict[str, Any] = {"cov": covs[0] if len(covs) == 1 else covs}
    if fit.table.meanstructure:
        out["mean"] = means[0] if len(means) == 1 else means
    return out


def residual_table(fit: Fit, type: str) -> pd.DataFrame:
    """The matrix behind :meth:`Fit.residuals` (first group)."""
    import pandas as pd

    names = list(fit.table.variables.ov)
    cov, sigma = fit.solution.observed[0].cov[0], fit.solution.implied[0].sigma[0]
    s, i = np.sqrt(np.diagonal(cov)), np.sqrt(np.abs(np.diagonal(sigma)))
    if type == "raw":
        values = cov - sigma
    elif type in ("cor", "cor.bollen"):
        values = cov / np.outer(s, s) - sigma / np.outer(i, i)
    elif type == "cor.bentler":
        values = (cov - sigma) / np.outer(s, s)
    else:
        raise OptionError(Problem("fitting.unknown-option-value", f"type={type!r}", "is not a known value",
                                  "raw, cor, cor.bentler", "Choose one of them."))
    return pd.DataFrame(values, index=names, columns=names)


def factor_scores(fit: Fit) -> list[FloatArray]:
    """Regression scores of the latent variables by group."""
    if fit.solution.sample is None:
        raise OptionError(Problem("fitting.no-raw-data", "predict()", "the model was fitted to moments",
                                  "a fit to raw data", "Fit with data instead of moments."))
    out = []
    for block, implied, data in zip(fit.solution.layout.blocks, fit.solution.implied, fit.solution.data, strict=True):
        pick = [block.eta.index(name) for name in fit.table.variables.lv]
        weights = np.linalg.solve(implied.sigma[0], implied.cross[0][:, pick])
        centre = implied.mu[0] if block.means else data.mean(axis=0)
        level = implied.eta_mean[0][pick] if block.means else 0.0
        out.append(level + (data - centre) @ weights)
    return out


def variables_of(fit: Fit) -> Mapping[str, Variable]:
    """Everything known of each variable of the first group; factor scores are the values of latents."""
    block, implied = fit.solution.layout.blocks[0], fit.solution.implied[0]
    sample = fit.solution.sample
    out: dict[str, Variable] = {}
    crossed = {name for i in range(len(fit.table)) if fit.table.op[i] == "~" and ":" in fit.table.rhs[i]
               for name in fit.table.rhs[i].split(":")}
    group = fit.table.groups[0]
    moments = fit.solution.moments[0]
    for k, name in enumerate(fit.table.variables.ov):
        mean, sd = float(moments.mean[0, k]), float(np.sqrt(moments.cov[0, k, k]))
        values = sample.column(name) if sample is not None else None
        low, high = (float(values.min()), float(values.max())) if values is not None else (np.nan, np.nan)
        out[name] = Variable(name, "observed", mean, sd, low, high, values, mean if name in crossed else 0.0,
                             name in fit.binary, group)
    scores = factor_scores(fit)[0] if sample is not None and fit.table.variables.lv else None
    for k, name in enumerate(fit.table.variables.lv):
        at = block.eta.index(name)
        sd = float(np.sqrt(max(float(implied.eta_cov[0, at, at]), 0.0)))
        values = scores[:, k] if scores is not None else None
        low, high = (float(values.min()), float(values.max())) if values is not None else (np.nan, np.nan)
        out[name] = Variable(name, "latent", float(implied.eta_mean[0, at]), sd, low, high, values, 0.0, False, group)
    return out
