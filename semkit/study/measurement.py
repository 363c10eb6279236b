"""The measurement part of a model, on the respondents the model used: fit, omega, HTMT, spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from semkit.errors import SemkitError
from semkit.study.columns import with_design
from semkit.study.expansion import Expansion

if TYPE_CHECKING:
    import pandas as pd

    from semkit.sample import Design

NAN = float("nan")


@dataclass(frozen=True)
class Measurement:
    """Figures of the gates G3, G4, G5 and G7.

    Parameters
    ----------
    text : str
        The factor model that was fitted: the ``=~`` lines of the model, factors covarying.
    omega : mapping of factor to omega
        ``(sum of loadings)^2 phi / ((sum of loadings)^2 phi + sum of residual variances)`` from that model
        (McDonald 1999, Test Theory, eq. 6.20).
    htmt : mapping of factor pair to HTMT of their indicators
    ranks : mapping of factor to its indicators, the most reliable (largest standardised loading) first
    sd : mapping of factor to the standard deviation of the mean of its indicators
    cfi, rmsea, srmr : float
        Robust versions where there are any; NaN without degrees of freedom.
    problem : str
        Why the factor model could not be fitted; empty when it was.
    fit : Fit or None
    """

    text: str
    omega: Mapping[str, float] = field(default_factory=dict)
    htmt: Mapping[tuple[str, str], float] = field(default_factory=dict)
    sd: Mapping[str, float] = field(default_factory=dict)
    ranks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cfi: float = NAN
    rmsea: float = NAN
    srmr: float = NAN
    problem: str = ""
    fit: Any = None


def measure(
    expansion: Expansion, whole: pd.DataFrame, rows: np.ndarray, estimator: str, design: Design | None = None,
    missing: str = "listwise",
) -> Measurement:
    """Fit the measurement part of an expanded model and measure its gates' figures.

    Parameters
    ----------
    expansion : Expansion
    whole : DataFrame
    rows : ndarray of bool
        Respondents the model used; the others remain part of the sampling design only.
    estimator : str
    design : Design, optional
    missing : {"listwise", "fiml"}
    """
    from semkit.fitting import cfa
    from semkit.model import parse
    from semkit.validation.distinctness import htmt

    frame = whole.loc[rows]
    blocks: dict[str, list[str]] = {}
    for term in parse(expansion.text).terms:
        if term.op == "=~":
            blocks.setdefault(term.lhs, []).append(term.rhs)
    if not blocks:
        return Measurement("")
    text = "\n".join(f"{factor} =~ {' + '.join(items)}" for factor, items in blocks.items())
    observed = {factor: items for factor, items in blocks.items() if all(item not in blocks for item in items)}
    names = list(dict.fromkeys(item for items in observed.values() for item in items))
    values = frame[names].to_numpy(dtype=float)
    sds = {factor: float(frame[items].mean(axis=1).std(ddof=1)) for factor, items in observed.items()}
    with np.errstate(all="ignore"):
        corr = _correlations(values)
    place = {name: number for number, name in enumerate(names)}
    pairs = {
        (one, two): htmt(corr, [place[i] for i in observed[one]], [place[i] for i in observed[two]])
        for one, two in combinations(observed, 2)
        if len(observed[one]) > 1 and len(observed[two]) > 1 and not set(observed[one]) & set(observed[two])
    }
    try:
        data = frame[names]
        if design is not None:
            columns = with_design(whole, names, design)
            data = columns.assign(**{name: columns[name].where(rows) for name in names})
        fit = cfa(text, data, estimator=estimator, design=design, missing=missing)
        omegas = {factor: omega_of(fit.estimates, factor) for factor, items in observed.items() if len(items) > 1}
        measures = {str(key): float(value) for key, value in fit.fit_measures.items()}
    except SemkitError as error:
        unknown = {factor: NAN for factor, items in observed.items() if len(items) > 1}
        return Measurement(text, unknown, pairs, sds, problem=f"the measurement part failed: {error.problems[0].what}")
    problem = "" if fit.converged else "the measurement part did not converge"
    return Measurement(
        text,
        omegas,
        pairs,
        sds,
        {factor: _ranked(fit.estimates, factor) for factor in observed},
        cfi=_robust(measures, "cfi"),
        rmsea=_robust(measures, "rmsea"),
        srmr=_robust(measures, "srmr"),
        problem=problem,
        fit=fit,
    )


def _correlations(values: np.ndarray) -> np.ndarray:
    """Correlations ``(p, p)``; of incomplete answers by full information (saturated model)."""
    from semkit.numerics.em import make_patterns, saturated

    if len(values) <= 2:
        return np.full((values.shape[1],) * 2, NAN)
    if not np.isnan(values).any():
        return np.asarray(np.corrcoef(values, rowvar=False))
    _, cov, found = saturated(make_patterns(values[~np.isnan(values).all(axis=1)]))
    sd = np.sqrt(np.diagonal(cov))
    return np.asarray(cov / np.outer(sd, sd)) if found else np.full(cov.shape, NAN)


def _ranked(estimates: pd.DataFrame, factor: str) -> tuple[str, ...]:
    loading = estimates[(estimates["op"] == "=~") & (estimates["lhs"] == factor)]
    order = loading.assign(size=loading["std_all"].abs()).sort_values("size", ascending=False, kind="stable")
    return tuple(str(name) for name in order["rhs"])


def omega_of(estimates: pd.DataFrame, factor: str) -> float:
    """Omega of one factor from a table of estimates."""
    loading = estimates[(estimates["op"] == "=~") & (estimates["lhs"] == factor)]
    variances = estimates[(estimates["op"] == "~~") & (estimates["lhs"] == estimates["rhs"])].set_index("lhs")["est"]
    share = float(loading["est"].sum()) ** 2 * float(variances[factor])
    rest = float(sum(variances[item] for item in loading["rhs"]))
    return share / (share + rest) if share + rest > 0 else NAN


def _robust(measures: Mapping[str, float], name: str) -> float:
    """The robust version of a measure where it exists; NaN for a saturated part, which cannot misfit."""
    if float(measures.get("df", NAN)) == 0:
        return NAN
    for key in (f"{name}.robust", name):
        value = float(measures.get(key, NAN))
        if np.isfinite(value):
            return value
    return NAN
