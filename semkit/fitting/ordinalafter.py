"""After a fit to ordinal indicators: residuals, modification indices, difference tests; what is not offered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from semkit.errors import NotSupportedError, OptionError, Problem
from semkit.estimate.information import tangent
from semkit.estimate.latentresponse import ResponseModel, make_responses, response_layout
from semkit.estimate.layout import OUTSIDE
from semkit.estimate.leastsquares import LeastSquares, squares
from semkit.estimate.optimise import solve
from semkit.estimate.release import released
from semkit.estimate.scaling import CORRECTIONS
from semkit.estimate.standardize import Kind, RowValues, row_values, scales, standardise
from semkit.estimate.tests import Test
from semkit.fitting.arguments import require_group
from semkit.fitting.modification import CONFOUNDED, widened
from semkit.fitting.ordinal import OrdinalSolution
from semkit.fitting.ordinalmeasures import CORRECTED
from semkit.fitting.ordinaltables import response_moments
from semkit.numerics.newton import Minimum

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

_NESTED = 1e-6
RESIDUALS = ("raw", "cor", "normalized", "standardized")


def refuse(solution: object, where: str, instead: str) -> None:
    """Raise for what is not offered with ordinal indicators.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-ordinal``.
    """
    if isinstance(solution, OrdinalSolution):
        raise NotSupportedError(Problem("fitting.not-with-ordinal", where, "is not offered with ordinal indicators",
                                        "continuous indicators", instead))


def response_residuals(solution: OrdinalSolution, type: str, group: int) -> pd.DataFrame:
    """Observed less implied correlations (covariances) of the responses, ``(p, p)``.

    ``normalized``: over the standard errors of the observed correlations; ``standardized``: over those of the
    residuals, the square roots of the diagonal of ``(I - Delta E Delta'W) Gamma (I - Delta E Delta'W)' / N``.

    References
    ----------
    Muthen (1984), Psychometrika 49, 115-132; Maydeu-Olivares (2017), Psychometrika 82, 533-558 (residuals and their
    errors).
    """
    import pandas as pd

    kind = {"cor.bollen": "cor", "cor.bentler": "cor"}.get(type, type)
    if kind not in RESIDUALS:
        raise OptionError(Problem("fitting.unknown-option-value", f"type={type!r}", "is not a known value",
                                  ", ".join(RESIDUALS), "Choose one of them."))
    require_group(group, solution.table.n_groups)
    pair = [response_moments(solution, which)["cov"] for which in ("observed", "implied")]
    observed, implied = (part[group] if isinstance(part, list) else part for part in pair)
    values = observed.to_numpy() - implied.to_numpy()
    own = solution.statistics[group]
    if kind == "cor":
        s, i = (np.sqrt(np.diagonal(part.to_numpy())) for part in (observed, implied))
        values = observed.to_numpy() / np.outer(s, s) - implied.to_numpy() / np.outer(i, i)
    elif kind != "raw":
        unit = np.diagonal(own.gamma) / own.nobs
        variance = unit
        if kind == "standardized":  # errors count N respondents, as lavaan's do
            variance = solution.pieces.residual_variances[group] * solution.pieces.shares[group] / own.nobs
        p = len(values)
        cols, rows = np.triu_indices(p, 1)
        pairs = slice(len(unit) - len(rows), None)
        gap, left = values[rows, cols], variance[pairs]
        with np.errstate(divide="ignore", invalid="ignore"):
            # a pair that the model reproduces in every sample has no error to be divided by
            ratio = np.where(left > 1e-9 * unit[pairs], gap / np.sqrt(left), np.where(np.abs(gap) < 1e-8, 0.0, np.nan))
        values = np.zeros((p, p))
        values[rows, cols] = values[cols, rows] = ratio
    return pd.DataFrame(values, index=observed.index, columns=observed.columns)


def ordinal_modification_indices(solution: OrdinalSolution) -> pd.DataFrame:
    """What freeing each fixed or absent loading, covariance or slope would gain.

    The score statistic ``N s^2 / V`` with ``s`` the derivative of ``-F / 2`` and ``V`` from ``Delta'W Delta``: under
    diagonal weights it has no chi-square distribution, so that there is no p; it is for ordering.

    References
    ----------
    Sorbom (1989), Psychometrika 54, 371-384; Saris, Satorra & Sorbom (1987), Sociological Methodology 17, 105-129.
    """
    import pandas as pd

    table = solution.table
    wide, rows = widened(table)
    keep = np.array([_releasable(wide.lhs[i], wide.op[i], wide.rhs[i], solution) for i in rows], dtype=bool)
    drop = rows[~keep]
    value, free = wide.value.copy(), wide.free.copy()
    inside = drop[drop < len(table)]
    value[inside], free[drop] = table.value[inside], 0
    rows = rows[keep]
    free[rows] = table.n_free + 1 + np.arange(len(rows))
    wide = wide.replace(value=value, free=free)
    layout = response_layout(wide, solution.thresholds)
    model = ResponseModel(make_responses(wide, layout, solution.thresholds), solution.responses.given)
    old = rows < len(table)
    values = np.zeros(len(rows))
    values[old] = table.value[rows[old]]
    theta = np.concatenate([solution.parameters, values])[None]
    at = squares(model, theta, solution.problem.groups, "expected")
    assert at.gradient is not None and at.hessian is not None
    mi, epc, defined = released(-0.5 * at.gradient[0], 0.5 * at.hessian[0], solution.basis, solution.total)
    whole = model.extend(theta)
    by = scales(layout, whole, solution.given, slopes=False)
    plain = row_values(wide, layout, whole, solution.given, slopes=False)
    known = solution.options.estimator == "wls"
    data = {
        "lhs": [wide.lhs[i] for i in rows], "op": [wide.op[i] for i in rows], "rhs": [wide.rhs[i] for i in rows],
        "group": [wide.groups[wide.block[i] - 1] for i in rows], "mi": mi,
        "pvalue": chdtrc(1.0, mi) if known else np.full(len(mi), np.nan), "epc": epc,
    }
    kinds: tuple[Kind, ...] = ("std_lv", "std_all", "std_nox")
    for kind in kinds:
        changed = plain.value.copy()
        changed[0, rows] = epc
        data["sepc_" + kind.removeprefix("std_")] = standardise(
            wide, layout, RowValues(changed, plain.slope), by, kind).value[0, rows]
    data["reason"] = ["" if good else CONFOUNDED for good in defined]
    return pd.DataFrame(data)


def _releasable(lhs: str, op: str, rhs: str, solution: OrdinalSolution) -> bool:
    """Whether a parameter may be released: not what gives ordinal responses and factors their units."""
    if op in OUTSIDE or op == "~1":
        return False
    return not (op == "~~" and lhs == rhs)


def ordinal_difference(restricted: OrdinalSolution, larger: OrdinalSolution, same: Minimum | None = None) -> Test:
    """Difference test of nested models by weighted least squares, corrected as the models' own test is.

    ``T_0 - T_1`` has the distribution of a sum of chi-squares weighted by the eigenvalues of ``U_d Gamma``,
    ``U_d = W D (E_1 - K (K'D'WDK)^- K') D'W``: ``D`` the derivatives and ``E_1`` the inverse information of the larger
    model, ``K`` the directions in its parameters that keep to the restricted model, ``D* K = D_0 Z_0`` with its
    derivatives ``D*`` where it implies the restricted model's moments.

    References
    ----------
    Satorra (2000), in Heijmans, Pollock & Satorra (eds), Innovations in Multivariate Statistical Analysis, 233-247;
    Asparouhov & Muthen (2006), Robust chi-square difference testing with mean and variance adjusted test statistics.
    """
    df = restricted.df - larger.df
    name = next((one for one in restricted.options.test if one in CORRECTED), "")
    stat = restricted.stat - larger.stat
    own, other = larger.pieces, restricted.pieces
    found = reproduction(restricted, larger) if same is None else same
    inside = np.concatenate([d[at] for d, at in zip(other.slopes, _orders(larger, restricted), strict=True)])
    there = np.concatenate(LeastSquares(larger.responses, ()).slopes(found.x[0]))
    free = np.eye(there.shape[1])
    if larger.constraints is not None:
        _, jacobian = larger.constraints.evaluate(found.x, np.arange(1))
        free = tangent(jacobian[0][larger.constraints.equality | larger.minimum.active[0]])
    directions = free @ np.linalg.lstsq(there @ free, inside @ other.basis, rcond=None)[0]
    left, size, _ = np.linalg.svd(larger.basis @ (larger.basis.T @ directions), full_matrices=False)
    directions = left[:, size > 1e-8 * size.max(initial=1e-300)]
    inner = replace(own, basis=directions, make_roots=lambda: own.roots)
    kernel = inner.kernel - own.kernel
    gap = _Traces(float(np.trace(kernel)), float(np.sum(kernel**2)))
    return CORRECTIONS[name or "scaled.shifted"](stat, df, gap)


def _heads(solution: OrdinalSolution, group: int) -> list[frozenset[str] | tuple[str, ...]]:
    """What each moment of a group is about, in order."""
    own, names, covariates = solution.statistics[group], solution.outcomes, solution.table.variables.ov_x
    out: list[frozenset[str] | tuple[str, ...]] = [
        (name, str(t)) for name, level in zip(names, own.levels, strict=True) for t in range(len(level))]
    out += [(name, "on", x) for x in covariates for name in names]
    out += [(name, "variance") for name, count in zip(names, own.categories, strict=True) if not count]
    cols, rows = np.triu_indices(len(names), 1)
    return out + [frozenset((names[i], names[j])) for i, j in zip(rows, cols, strict=True)]


def _orders(larger: OrdinalSolution, restricted: OrdinalSolution) -> list[list[int]]:
    """Where the larger model's moments stand among the restricted one's, group by group."""
    out = []
    for g in range(larger.table.n_groups):
        place = {head: k for k, head in enumerate(_heads(restricted, g))}
        heads = _heads(larger, g)
        if len(place) != len(heads) or any(head not in place for head in heads):
            raise OptionError(Problem("fitting.compare-other-data", "compare()", "variables or their kinds differ",
                                      "fits to the same variables, ordinal in all or in none",
                                      "Fit all models with the same ordered=."))
        out.append([place[head] for head in heads])
    return out


@dataclass(frozen=True, slots=True)
class _Traces:
    """``tr(U_d Gamma)`` and ``tr(U_d Gamma U_d Gamma)``."""

    trace: float
    trace_of_square: float


def reproduction(restricted: OrdinalSolution, larger: OrdinalSolution) -> Minimum:
    """The larger model fitted to the moments that the restricted one implies; its minimum is 0 when they are nested.

    References
    ----------
    Bentler & Satorra (2010), Psychological Methods 15, 111-123.
    """
    implied = restricted.responses.moments(restricted.parameters[None], False)
    values = [value[:, at] for (value, _), at in zip(implied, _orders(larger, restricted), strict=True)]
    groups = tuple(replace(own, moments=value) for own, value in zip(larger.problem.groups, values, strict=True))
    starts = (start[None] for start in (larger.parameters, 0.9 * larger.parameters))
    return solve(LeastSquares(larger.responses, groups), starts, larger.constraints)


def ordinal_row(restricted: OrdinalSolution, larger: OrdinalSolution, name: str, other: str) -> dict[str, Any]:
    """One row of :func:`semkit.fitting.comparison.compare`.

    Raises
    ------
    OptionError
        ``fitting.compare-same-df``, ``fitting.compare-not-nested``, ``fitting.compare-mixed-tests``,
        ``fitting.compare-other-data``.
    """
    if restricted.options.estimator != larger.options.estimator or restricted.options.test != larger.options.test:
        raise OptionError(Problem("fitting.compare-mixed-tests", f"{name} and {other}", "estimators or tests differ",
                                  "the same for all", "Fit all models with the same options."))
    if restricted.df == larger.df:
        raise OptionError(Problem("fitting.compare-same-df", f"{name} and {other}", "they have the same df",
                                  "one model a restriction of the other", "Compare their fit indices instead."))
    pairs = zip(restricted.statistics, larger.statistics, _orders(larger, restricted), strict=True)
    if not all(np.allclose(np.diagonal(a.gamma)[at], np.diagonal(b.gamma), rtol=1e-8) for a, b, at in pairs):
        raise OptionError(Problem("fitting.compare-other-data", f"{name} and {other}", "sampling designs differ",
                                  "fits under the same design", "Fit all models with the same design=."))
    same = reproduction(restricted, larger)
    size = float(same.f[0])
    if not size < _NESTED:
        raise OptionError(Problem(
            "fitting.compare-not-nested", f"{name} and {other}",
            f"{name} is not shown to be a restriction of {other}: it implies moments that {other} does not reproduce "
            f"(discrepancy {size:.3g})", "nested models", "Compare their fit indices instead."))
    return difference_row(restricted, larger, same)


def difference_row(
    restricted: OrdinalSolution, larger: OrdinalSolution, same: Minimum | None = None
) -> dict[str, Any]:
    """The difference test of models known to be nested."""
    test = ordinal_difference(restricted, larger, same)
    excess = max(test.stat - test.df, 0.0) / (test.df * restricted.total)
    return {"chisq_diff": test.stat, "df_diff": float(test.df), "pvalue": test.pvalue, "scaling": test.scaling_factor,
            "rmsea_diff": float(np.sqrt(excess * restricted.table.n_groups)), "reason": ""}
