"""Nested models compared: likelihood-ratio difference tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from semkit.errors import NotSupportedError, OptionError, Problem, suggest
from semkit.estimate.tests import Test, chi_square_p
from semkit.fitting import measures
from semkit.fitting.arguments import require_results
from semkit.fitting.difference import restriction_traces, shifted
from semkit.fitting.expansion import composite_column
from semkit.fitting.fit import Fit
from semkit.fitting.moderated import ModeratedSolution
from semkit.fitting.moderatedcomparison import moderated_rows
from semkit.fitting.ordinal import OrdinalSolution
from semkit.fitting.ordinalafter import difference_row, ordinal_row, reproduction
from semkit.fitting.solution import Solution, fit_moments
from semkit.sample import GroupMoments

if TYPE_CHECKING:
    import pandas as pd

_METHODS = ("auto", "standard", "satorra.bentler.2001", "satorra.bentler.2010", "satorra.2000", "satorra.2000.mean")
_NESTED = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Difference tests of models from the least to the most restricted.

    Parameters
    ----------
    frame : DataFrame
        One row a model: ``model df aic bic chisq chisq_diff df_diff pvalue scaling rmsea_diff reason``; the
        differences are from the row above.  With latent products by LMS or QML ``npar`` and ``logl`` stand in place
        of ``df``, ``chisq`` and ``rmsea_diff``.
    method : str
    """

    frame: pd.DataFrame
    method: str

    def __repr__(self) -> str:
        shown = self.frame if self.frame["reason"].any() else self.frame.drop(columns="reason")
        table = shown.to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep="")
        return f"difference tests: {self.method}\n{table}"

    def _repr_html_(self) -> str:
        from semkit.display import html

        return html(self)


def compare(*fits: Fit, method: str = "auto", names: tuple[str, ...] | list[str] = ()) -> Comparison:
    """Likelihood-ratio difference tests of nested models.

    Plain: ``T_0 - T_1`` on ``df_0 - df_1``.  Scaled (2001): ``(T_0 - T_1) / c`` with ``c = (df_0 c_0 - df_1 c_1) /
    (df_0 - df_1)``.  Scaled (2010): ``c_1`` is taken at the estimates of the restricted model, so ``c`` cannot be
    negative in large samples; those are the parameters with which the larger model reproduces the moments that the
    restricted one implies.  That the larger model can do so is the test of nesting.  Satorra (2000): the restriction's
    own ``U`` at the larger model, scaled and shifted (as in lavaan) or only divided by its mean; also where the models
    were tested with correction of the variance, or by unweighted least squares, whose difference is no chi-square.

    Parameters
    ----------
    *fits : Fit
        Two or more, in any order.
    method : {"auto", "standard", "satorra.bentler.2001", "satorra.bentler.2010", "satorra.2000", "satorra.2000.mean"}
        ``auto``: 2001 when every fit has a test corrected for its mean; ``satorra.2000`` when it is corrected for its
        variance too, or under unweighted least squares; else the plain difference.  Fits to ordinal indicators:
        ``satorra.2000`` with the correction of their own test.  Fits by LMS or QML, and linear ones beside them:
        ``satorra.2000.mean`` under ``mlr`` and designs (or ``satorra.bentler.2001``), else ``standard``; parameters
        that a model has not are 0 in the larger one.
    names : sequence of str
        One a fit; ``model 1`` ... by default.

    Returns
    -------
    Comparison

    Raises
    ------
    OptionError
        ``fitting.compare-too-few``, ``fitting.compare-other-data``, ``fitting.compare-not-nested``,
        ``fitting.compare-mixed-tests``, ``fitting.compare-same-df``, ``fitting.unknown-option-value``.

    References
    ----------
    Satorra & Bentler (2001), Psychometrika 66, 507-514; Satorra & Bentler (2010), Psychometrika 75, 243-248;
    Bentler & Satorra (2010), Psychological Methods 15, 111-123 (nesting); Satorra (2000), in Heijmans, Pollock &
    Satorra (eds), Innovations in Multivariate Statistical Analysis, 233-247.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semkit as sk
    >>> f = np.random.default_rng(1).normal(size=(300, 1))
    >>> e = np.random.default_rng(2).normal(size=(300, 4))
    >>> data = pd.DataFrame(0.8 * f + 0.6 * e, columns=["a", "b", "c", "d"])
    >>> free = sk.cfa("f =~ a + b + c + d", data)
    >>> equal = sk.cfa("f =~ 1*a + 1*b + 1*c + 1*d", data)
    >>> int(sk.compare(free, equal).frame["df_diff"].iloc[1])
    3
    """
    import pandas as pd

    require_results("compare()", fits)
    labels = _labels(fits, names)
    if any(isinstance(fit.solution, ModeratedSolution) for fit in fits):
        for k in range(1, len(fits)):
            _same_data(fits[0], fits[k], labels[0], labels[k])
        return Comparison(*_framed(moderated_rows(fits, labels, method)))
    ordinal = [isinstance(fit.solution, OrdinalSolution) for fit in fits]
    chosen = _ordinal_method(ordinal, method) if any(ordinal) else _method(fits, method)
    order = sorted(range(len(fits)), key=lambda k: fits[k].solution.df)
    for k in order[1:]:
        _same_data(fits[order[0]], fits[k], labels[order[0]], labels[k])
    rows = [_row(fits[order[0]], labels[order[0]])]
    for a, b in pairwise(order):
        rows.append(_row(fits[b], labels[b]) | _difference(fits[b], fits[a], chosen, labels[b], labels[a]))
    return Comparison(pd.DataFrame(rows), chosen)


def _framed(found: tuple[list[dict[str, Any]], str]) -> tuple[pd.DataFrame, str]:
    import pandas as pd

    return pd.DataFrame(found[0]), found[1]


def nested(*fits: Fit, names: tuple[str, ...] | list[str] = ()) -> pd.DataFrame:
    """Which models are restrictions of which.

    A model is nested in another of no more degrees of freedom if that one, fitted to the moments the first implies,
    reproduces them; with equal degrees of freedom the two are equivalent (for these data).

    Parameters
    ----------
    *fits : Fit
        Two or more, to the same data.
    names : sequence of str
        One a fit; ``model 1`` ... by default.

    Returns
    -------
    DataFrame
        ``"nested"`` where the row's model is a restriction of the column's, ``"equivalent"``, ``"no"``, or ``""``
        where the row has fewer degrees of freedom, and on the diagonal.

    Raises
    ------
    OptionError
        ``fitting.compare-too-few``, ``fitting.compare-names``, ``fitting.compare-other-data``.

    References
    ----------
    Bentler & Satorra (2010), Psychological Methods 15, 111-123.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semkit as sk
    >>> data = pd.DataFrame(np.random.default_rng(1).normal(size=(60, 3)), columns=["y", "x", "z"])
    >>> sk.nested(sk.sem("y ~ x + z", data), sk.sem("y ~ x + 0*z", data)).loc["model 2", "model 1"]
    'nested'
    """
    import pandas as pd

    require_results("nested()", fits)
    labels = _labels(fits, names)
    if any(isinstance(fit.solution, ModeratedSolution) for fit in fits):
        raise NotSupportedError(Problem("fitting.not-with-products", "nested()",
                                        "looks at implied moments, which do not say all of latent products",
                                        "compare()", "Use compare(), which looks at the parameters."))
    out = pd.DataFrame("", index=list(labels), columns=list(labels))
    for i, restricted in enumerate(fits):
        for j, larger in enumerate(fits):
            if i == j or restricted.solution.df < larger.solution.df:
                continue
            _same_data(fits[0], restricted, labels[0], labels[i])
            _same_data(fits[0], larger, labels[0], labels[j])
            if not _distance(larger, restricted) < _NESTED:
                out.iloc[i, j] = "no"
            else:
                out.iloc[i, j] = "equivalent" if restricted.solution.df == larger.solution.df else "nested"
    return out


def _distance(larger: Fit, restricted: Fit) -> float:
    """Discrepancy of the larger model from the moments that the restricted one implies; infinite without a fit."""
    if isinstance(restricted.solution, OrdinalSolution) and isinstance(larger.solution, OrdinalSolution):
        return float(reproduction(restricted.solution, larger.solution).f[0])
    same = reproduce(larger, restricted)
    return float("inf") if same is None else float(same.minimum.f[0])


def _labels(fits: tuple[Fit, ...], names: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Names of two or more fits."""
    if len(fits) < 2:
        raise OptionError(Problem("fitting.compare-too-few", "compare()", f"{len(fits)} fit", "two or more fits",
                                  "Pass the fits one after the other."))
    labels = tuple(names) or tuple(f"model {k + 1}" for k in range(len(fits)))
    if len(labels) != len(fits):
        raise OptionError(Problem("fitting.compare-names", "names=", f"{len(labels)} names for {len(fits)} fits",
                                  "one name a fit", "Name every fit or none."))
    return labels


def _ordinal_method(ordinal: list[bool], method: str) -> str:
    """The difference test of fits to ordinal indicators: Satorra (2000), corrected as their own test is."""
    if not all(ordinal):
        raise OptionError(Problem("fitting.compare-mixed-tests", "compare()",
                                  "some fits have ordinal indicators, others none", "the same for all",
                                  "Fit all models with the same ordered=."))
    if str(method).lower() not in ("auto", "satorra.2000"):
        raise OptionError(Problem("fitting.unknown-option-value", f"method={method!r}",
                                  "is not offered with ordinal indicators", "auto, satorra.2000", "Leave it out."))
    return "satorra.2000"


def _row(fit: Fit, name: str) -> dict[str, Any]:
    values, nothing = fit.fit_measures, float("nan")
    return {"model": name, "df": fit.solution.df, "aic": float(values.get("aic", nothing)),
            "bic": float(values.get("bic", nothing)), "chisq": fit.solution.stat, "chisq_diff": nothing,
            "df_diff": nothing, "pvalue": nothing, "scaling": nothing, "rmsea_diff": nothing, "reason": ""}


def _method(fits: tuple[Fit, ...], method: str) -> str:
    text = {"sb2001": _METHODS[2], "sb2010": _METHODS[3]}.get(str(method).lower(), str(method).lower())
    if text not in _METHODS:
        raise OptionError(Problem("fitting.unknown-option-value", f"method={method!r}", "is not a known value",
                                  ", ".join(_METHODS), suggest(text, _METHODS).strip() or "Choose one of them."))
    scaled = [_scaled_name(fit) for fit in fits]
    plain = text.startswith("satorra.bentler") and scaled[0] == ""
    if len(set(scaled)) > 1 or len({fit.solution.options.least_squares for fit in fits}) > 1 or plain:
        shown = ", ".join(name or "standard" for name in scaled)
        raise OptionError(Problem("fitting.compare-mixed-tests", "compare()", f"the fits have these tests: {shown}",
                                  "the same estimator for all, a scaled one for a scaled difference",
                                  "Fit all models with the same estimator, for example 'mlr'."))
    if len({fit.solution.options.likelihood for fit in fits}) > 1:
        raise OptionError(Problem("fitting.compare-mixed-tests", "compare()", "the fits have different likelihoods",
                                  "the same likelihood for all", "Fit all models with the same options."))
    bare = [fit for fit in fits if fit.solution.sample is None and fit.solution.nacov is None]
    if any(fit.solution.options.estimator != "uls" for fit in bare) and text.startswith("satorra.2"):
        raise OptionError(Problem("fitting.no-raw-data", f"method={method!r}", "the models were fitted to moments",
                                  "fits to raw data", "Use method='standard'."))
    if any(fit.solution.patterns is not None for fit in fits) and text.startswith("satorra.2"):
        raise NotSupportedError(Problem("fitting.not-with-fiml", f"method={method!r}",
                                        "with missing='fiml': needs complete data", "satorra.bentler.2001",
                                        "Use method='satorra.bentler.2001'."))
    if text != "auto":
        return text
    if scaled[0] in ("mean.var.adjusted", "scaled.shifted") or fits[0].solution.options.estimator == "uls":
        return "satorra.2000"
    return _METHODS[2] if scaled[0] else "standard"


def _scaled_name(fit: Fit) -> str:
    return fit.solution.options.scaled


def _same_data(first: Fit, second: Fit, name: str, other: str) -> None:
    """The same variables, groups and moments; fixed covariates the same."""
    where = f"{name} and {other}"
    a, b = first.table.variables, second.table.variables
    allowed, remedy = "fits to the same variables of the same respondents", "Fit all models to the same data."
    if set(a.ov) != set(b.ov) or first.table.groups != second.table.groups:
        raise OptionError(Problem("fitting.compare-other-data", where, "variables or groups differ", allowed, remedy))
    if first.solution.options.conditional_x != second.solution.options.conditional_x or {
        name for name in a.ov_x if np.any(first.table.exo)} != {name for name in b.ov_x if np.any(second.table.exo)}:
        raise OptionError(Problem("fitting.compare-other-data", where, "fixed covariates differ", allowed,
                                  "Fit all with fixed_x=False."))
    pick = [b.ov.index(name) for name in a.ov]
    for mine, other_group in zip(first.solution.moments, second.solution.moments, strict=True):
        cov, mean = other_group.cov[0][np.ix_(pick, pick)], other_group.mean[0][pick]
        spread = np.sqrt(np.diagonal(mine.cov[0]))
        near = np.abs(cov - mine.cov[0]) <= 1e-9 * np.outer(spread, spread)
        level = np.abs(mean - mine.mean[0]) <= 1e-9 * (spread + np.abs(mean))
        if mine.nobs != other_group.nobs or not near.all() or not level.all():
            raise OptionError(Problem("fitting.compare-other-data", where,
                                      f"respondents or moments differ ({mine.nobs:g} and {other_group.nobs:g})",
                                      allowed, remedy))


def reproduce(larger: Fit, restricted: Fit) -> Solution | None:
    """The larger model fitted to the moments that the restricted one implies; its discrepancy is 0 when nested.

    None where those moments leave the larger model's parameters undetermined, so that it cannot be fitted.
    """
    names = larger.table.variables.ov
    pick = [restricted.table.variables.ov.index(name) for name in names]
    moments = []
    both = zip(restricted.solution.implied, larger.solution.moments, larger.solution.observed,
               restricted.solution.layout.blocks, strict=True)
    for implied, own, seen, block in both:
        ratio = own.cov[0][0, 0] / seen.cov[0][0, 0] if larger.solution.least is None else 1.0
        mean = implied.mu[0][pick][None] if block.means else own.mean
        cov = implied.sigma[0][np.ix_(pick, pick)][None] * ratio
        moments.append(GroupMoments(mean, cov, own.error, own.nobs))
    composites = tuple(composite_column(name) for name in larger.recipe.composites)
    # nesting has nothing to do with how misfit is measured: likelihood needs no weights
    options = larger.solution.options
    if larger.solution.least is not None:
        options = replace(options, estimator="ml", test=("standard",))
    try:
        return fit_moments(larger.table, options, tuple(moments), None, composites, larger.solution.theta)
    except np.linalg.LinAlgError:
        return None


def _difference(restricted: Fit, larger: Fit, method: str, name: str, other: str) -> dict[str, Any]:
    if isinstance(restricted.solution, OrdinalSolution) and isinstance(larger.solution, OrdinalSolution):
        return ordinal_row(restricted.solution, larger.solution, name, other)
    df = restricted.solution.df - larger.solution.df
    if df == 0:
        raise OptionError(Problem("fitting.compare-same-df", f"{name} and {other}", "they have the same df",
                                  "one model a restriction of the other", "Compare them by AIC or BIC instead."))
    same = reproduce(larger, restricted)
    if same is None or not float(same.minimum.f[0]) < _NESTED:
        size = "it could not be fitted to them" if same is None else f"discrepancy {float(same.minimum.f[0]):.3g}"
        raise OptionError(Problem(
            "fitting.compare-not-nested", f"{name} and {other}",
            f"{name} is not shown to be a restriction of {other}: it implies moments that {other} does not "
            f"reproduce ({size})", "nested models", "Compare them by AIC or BIC instead."))
    return _tested(restricted, larger, method, same)


def nested_difference(restricted: Fit, larger: Fit) -> dict[str, Any]:
    """The difference test of models known to be nested; the 2010 scaling where that of 2001 is not positive."""
    if isinstance(restricted.solution, OrdinalSolution) and isinstance(larger.solution, OrdinalSolution):
        return difference_row(restricted.solution, larger.solution)
    method = _method((larger, restricted), "auto")
    found = _tested(restricted, larger, method, reproduce(larger, restricted) if "2000" in method else None)
    if found["reason"]:
        same = reproduce(larger, restricted)
        return found if same is None else _tested(restricted, larger, _METHODS[3], same)
    return found


def _tested(restricted: Fit, larger: Fit, method: str, same: Solution | None) -> dict[str, Any]:
    """Statistic, degrees of freedom, p, scaling factor and RMSEA of the difference."""
    df = restricted.solution.df - larger.solution.df
    plain = restricted.solution.stat - larger.solution.stat
    scaling, reason = 1.0, ""
    if method.startswith("satorra.2000"):
        return _by_restriction(restricted, larger, plain, df, method, same)
    if method != "standard":
        test = _scaled_name(restricted)
        inside = larger.tests[test] if same is None or method.endswith("2001") else _moved(larger, same, test)
        scaling = (restricted.tests[test].trace - inside.trace) / df
        if scaling <= 0:
            scaling, reason = float("nan"), "the scaling factor of the difference is not positive; try the 2010 method"
    stat = plain / scaling
    excess = max(plain - scaling * df, 0.0) / (df * larger.nobs)
    return {"chisq_diff": stat, "df_diff": float(df), "pvalue": chi_square_p(stat, df) if not reason else scaling,
            "scaling": scaling, "rmsea_diff": float(np.sqrt(excess * larger.table.n_groups)), "reason": reason}


def _by_restriction(
    restricted: Fit, larger: Fit, plain: float, df: int, method: str, same: Solution | None
) -> dict[str, Any]:
    """Satorra's (2000) difference test."""
    if same is None:
        nan = float("nan")
        return {"chisq_diff": nan, "df_diff": float(df), "pvalue": nan, "scaling": nan, "rmsea_diff": nan,
                "reason": "the larger model could not be fitted to the moments that the restricted one implies"}
    traces = restriction_traces(larger, restricted, same)
    scaling = traces[0] / df
    stat = shifted(plain, df, traces) if method == "satorra.2000" else plain / scaling
    excess = max(plain - scaling * df, 0.0) / (df * larger.nobs)
    return {"chisq_diff": stat, "df_diff": float(df), "pvalue": chi_square_p(stat, df), "scaling": scaling,
            "rmsea_diff": float(np.sqrt(excess * larger.table.n_groups)), "reason": ""}


def _moved(larger: Fit, same: Solution, test: str) -> Test:
    """The larger model's scaled test at the parameters that reproduce the restricted model."""
    solution = larger.solution
    theta = same.minimum.x
    moved = replace(solution, minimum=replace(solution.minimum, x=theta))
    return measures.tests(moved, larger._baseline)[test]
