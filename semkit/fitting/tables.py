"""Tables of a fit: estimates, standardised solutions, explained variance, moments, scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from semkit.errors import NotSupportedError, OptionError, Problem
from semkit.estimate.expressions import Quantities, evaluate, label_quantities
from semkit.estimate.standardize import Kind, RowValues, by_label, standardise
from semkit.fitting.scores import factor_scores
from semkit.fitting.solution import Solution
from semkit.model import ParameterTable
from semkit.model.composites import HIDDEN
from semkit.result import Variable

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]

_Z = float(ndtri(0.975))


def standard_kind(type: str) -> Kind:
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
    by = solution.scales_at(theta, given, slopes=slopes)
    out: dict[str, RowValues] = {}
    for kind in kinds:
        if kind == "raw":
            out[kind] = rows
        elif kind == "result":
            out[kind] = standardise(table, layout, rows, by, "std_all", binary)
        elif kind == "std_all" and not binary and "result" in out:
            out[kind] = out["result"]
        elif kind == "std_nox" and not table.variables.ov_x and "std_all" in out:
            out[kind] = out["std_all"]
        else:
            out[kind] = standardise(table, layout, rows, by, kind)  # type: ignore[arg-type]
    definitions = table.definitions
    if not definitions:
        return out
    claim = out.get("result") or standardise(table, layout, rows, by, "std_all", binary)
    std, std_slope = by_label(table, claim)
    sd, sd_slope = by.values(), by.slopes()
    for kind, values in out.items():
        value, slope = values.value.copy(), values.slope.copy()
        if kind == "raw":
            labels, label_slope = label_quantities(table, layout, theta, given)
            known = Quantities(labels, label_slope, sd, sd_slope, std, std_slope)
        else:
            one = dict.fromkeys(sd, np.ones(len(theta)))
            zero = dict.fromkeys(sd, np.zeros((len(theta), q)))
            known = Quantities(*by_label(table, values), one, zero, std, std_slope)
        defined, defined_slope = evaluate([e for _, e in definitions], known, q, len(theta))
        value[:, table.definition_rows], slope[:, table.definition_rows] = defined, defined_slope
        out[kind] = RowValues(value, slope)
    return out


def _errors(values: RowValues, vcov: FloatArray) -> FloatArray:
    """Delta-method standard errors of all rows."""
    slope = values.slope[0]
    with np.errstate(invalid="ignore"):  # a definition without a derivative there has no error
        variance = np.sum((slope @ vcov) * slope, axis=1)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def _shown(table: ParameterTable) -> NDArray[np.int64]:
    return np.array([i for i, (b, op) in enumerate(zip(table.block.tolist(), table.op, strict=True))
                     if (b > 0 and op not in HIDDEN) or op == ":="], dtype=np.int64)


def row_heads(table: ParameterTable) -> dict[str, Any]:
    """Columns ``lhs op rhs group label`` as arrays of text, in one conversion; the engine's own labels are left out."""
    import pandas as pd

    shown = _shown(table).tolist()
    columns = {name: [column[i] for i in shown]
               for name, column in (("lhs", table.lhs), ("op", table.op), ("rhs", table.rhs))}
    blocks = table.block.tolist()
    columns["group"] = [table.groups[blocks[i] - 1] if blocks[i] > 0 else "" for i in shown]
    columns["label"] = ["" if table.label[i].startswith(".") else table.label[i] for i in shown]
    text = pd.array([value for column in columns.values() for value in column], dtype="str")
    count = len(shown)
    return {name: text[k * count : (k + 1) * count] for k, name in enumerate(columns)}


def error_columns(est: FloatArray, se: FloatArray) -> dict[str, FloatArray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(se > 1e-12 * np.maximum(np.abs(est), 1e-4), est / se, np.nan)
    se = np.where(np.isnan(z) & ~np.isnan(se), 0.0, se)
    return {"est": est, "se": se, "z": z, "pvalue": 2.0 * ndtr(-np.abs(z)), "ci_lower": est - _Z * se,
            "ci_upper": est + _Z * se}


def estimates_table(fit: Fit) -> pd.DataFrame:
    """The table behind :attr:`Fit.estimates`; with draws, errors, p and intervals come from them."""
    import pandas as pd

    shown = _shown(fit.table)
    raw = fit._all["raw"]
    columns = error_columns(raw.value[0], _errors(raw, fit.solution.vcov))
    if fit.draws is not None and len(fit.draws) > 1:
        assert fit.bootstrap_draws is not None
        at = fit._positions
        se, pvalue, lower, upper = fit.bootstrap_draws.columns()
        columns["se"][at], columns["z"][at], columns["pvalue"][at] = se, columns["est"][at] / se, pvalue
        columns["ci_lower"][at], columns["ci_upper"][at] = lower, upper
    data: dict[str, Any] = dict(fit.row_heads)
    data |= {name: values[shown] for name, values in columns.items()}
    data |= {kind: fit._all[kind].value[0, shown] for kind in ("std_lv", "std_all", "std_nox")}
    if fit.solution.sampling is not None and fit.solution.options.se != "none":
        simple = _errors(raw, fit.solution.simple_vcov)[shown]
        own = _errors(raw, fit.solution.vcov)[shown]
        deff = np.full(len(shown), np.nan)
        deff[own > 0.0] = (own[own > 0.0] / simple[own > 0.0]) ** 2
        data |= {"deff": deff, "n_eff": fit.nobs / deff}
    return pd.DataFrame(data, index=pd.RangeIndex(len(shown)))


def standardized_table(fit: Fit, kind: Kind) -> pd.DataFrame:
    """The table behind :meth:`Fit.standardized`."""
    import pandas as pd

    shown = _shown(fit.table)
    values = fit._all[kind]
    errors = _errors(values, fit.solution.vcov)
    table = fit.table
    errors[[i for i in range(len(table)) if table.op[i] == "~~" and table.lhs[i] == table.rhs[i]
            and table.lhs[i] in table.variables.ov_c]] = 0.0  # 1 by definition
    columns = error_columns(values.value[0], errors)
    drawn = fit.bootstrap_draws
    if drawn is not None and len(drawn.theta) > 1:
        se, pvalue, lower, upper = drawn.columns(kind, shown)
        moves = se > 1e-10
        at = shown[moves]
        columns["se"][at], columns["pvalue"][at] = se[moves], pvalue[moves]
        columns["z"][at] = columns["est"][at] / se[moves]
        columns["ci_lower"][at], columns["ci_upper"][at] = lower[moves], upper[moves]
    data: dict[str, Any] = dict(fit.row_heads)
    data |= {("est_std" if name == "est" else name): column[shown] for name, column in columns.items()}
    return pd.DataFrame(data, index=pd.RangeIndex(len(shown)))


@lru_cache(maxsize=32)
def _index(names: tuple[str, ...]) -> pd.Index[str]:
    """An index of names; making one costs more than the numbers it stands beside."""
    import pandas as pd

    return pd.Index(names, dtype=str)


def series(values: Mapping[str, float], name: str) -> pd.Series[float]:
    """Named numbers as a Series."""
    import pandas as pd

    return pd.Series(np.array(list(values.values()), dtype=np.float64), index=_index(tuple(values)), name=name)


def r_squared(fit: Fit) -> pd.Series[float]:
    """``1 - residual variance / total variance`` of everything that something points at."""
    table, values = fit.table, fit._rows.value[0].tolist()
    out: dict[str, float] = {}
    for g, (block, implied) in enumerate(zip(fit.solution.layout.blocks, fit.solution.implied, strict=True)):
        total = dict(zip(block.eta, np.diagonal(implied.eta_cov[0]).tolist(), strict=True))
        total |= dict(zip(block.observed, np.diagonal(implied.sigma[0]).tolist(), strict=True))
        rows = np.flatnonzero(table.block == g + 1).tolist()
        caused = {table.rhs[i] for i in rows if table.op[i] == "=~" and table.lhs[i] != table.rhs[i]}
        caused |= {table.lhs[i] for i in rows if table.op[i] == "~"}
        variance = {table.lhs[i]: values[i] for i in rows
                    if table.op[i] == "~~" and table.lhs[i] == table.rhs[i]}
        for name in (*table.variables.ov, *table.variables.lv):
            if name in caused and name in variance:
                suffix = f".g{g + 1}" if g else ""
                out[name + suffix] = 1.0 - variance[name] / total[name]
    return series(out, "r2")


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


def _latent_values(fit: Fit) -> list[FloatArray] | None:
    """Factor scores by group, None where there are no data, no factors or no scores for the model."""
    if fit.solution.sample is None or not fit.table.variables.lv:
        return None
    try:
        return factor_scores(fit)
    except NotSupportedError:
        return None


def variables_of(fit: Fit) -> Mapping[str, Variable]:
    """Everything known of each variable; factor scores are the values of latents, later groups are ``name.g2`` ..."""
    out: dict[str, Variable] = {}
    scores = _latent_values(fit)
    for g in range(fit.table.n_groups):
        for variable in _variables_of_group(fit, g, None if scores is None else scores[g]):
            out.setdefault(f"{variable.name}.g{g + 1}" if g else variable.name, variable)
    return out


def _variables_of_group(fit: Fit, g: int, scores: FloatArray | None) -> Iterator[Variable]:
    block, implied, sample = fit.solution.layout.blocks[g], fit.solution.implied[g], fit.solution.sample
    crossed = {name for i in range(len(fit.table)) if fit.table.op[i] == "~" and ":" in fit.table.rhs[i]
               for name in fit.table.rhs[i].split(":")}
    group, moments = fit.table.groups[g], fit.solution.moments[g]
    for k, name in enumerate(fit.table.variables.ov):
        mean, sd = float(moments.mean[0, k]), float(np.sqrt(moments.cov[0, k, k]))
        values = sample.column(name, g) if sample is not None else None
        low, high = (float(np.nanmin(values)), float(np.nanmax(values))) if values is not None else (np.nan, np.nan)
        yield Variable(name, "observed", mean, sd, low, high, values, mean if name in crossed else 0.0,
                       name in fit.binary, group)
    for k, name in enumerate(fit.table.variables.lv):
        at = block.eta.index(name)
        sd = float(np.sqrt(max(float(implied.eta_cov[0, at, at]), 0.0)))
        values = scores[:, k] if scores is not None else None
        low, high = (float(values.min()), float(values.max())) if values is not None else (np.nan, np.nan)
        yield Variable(name, "latent", float(implied.eta_mean[0, at]), sd, low, high, values, 0.0, False, group)


def latent_covariances(fit: Fit) -> list[pd.DataFrame]:
    """Model-implied covariances of the latent variables of each group."""
    import pandas as pd

    out = []
    for block, implied in zip(fit.solution.layout.blocks, fit.solution.implied, strict=True):
        pick = [k for k, name in enumerate(block.eta) if name in fit.table.variables.lv]
        names = [block.eta[k] for k in pick]
        out.append(pd.DataFrame(implied.eta_cov[0][np.ix_(pick, pick)], index=names, columns=names))
    return out
