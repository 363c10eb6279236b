"""A second opinion: the same model in another engine, estimate by estimate.

The other engine gets text that semkit prints from its parameter table, with variables named
``v1 ... vk`` and parameters ``q1 ...``: nothing that a stranger wrote reaches a program that would
execute it (semopy evaluates ``CONSTRAINT(...)``).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import MissingExtraError, NotSupportedError, OptionError, Problem, suggest
from semkit.fitting.phantom import find_phantoms, print_phantoms
from semkit.model import neutral_names
from semkit.model.table import PARAMETER_OPERATORS, ParameterTable

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]

ENGINES = ("semopy",)
# Both engines reach the optimum to about 1e-5 of a standard error when semopy is told to go on until nothing changes;
# a wrong parameter differs by tenths.
TOLERANCE = 0.001


@dataclass(frozen=True, eq=False)
class Agreement:
    """What two engines say about the same parameters.

    Parameters
    ----------
    engine, version : str
    agrees : bool
        Whether every difference is at most ``tolerance`` standard errors.
    compared : int
        Number of parameters compared.
    largest : float
        Largest absolute difference, in standard errors.
    tolerance : float
    table : DataFrame
        ``name est other difference_se``, one row a free or defined parameter.
    remark : str
    text : str
        The model as the other engine read it.
    """

    engine: str
    version: str
    agrees: bool
    compared: int
    largest: float
    tolerance: float
    table: pd.DataFrame
    remark: str
    text: str

    def __repr__(self) -> str:
        verdict = "agree" if self.agrees else "DISAGREE"
        return (
            f"semkit and {self.engine} {self.version} {verdict}: {self.compared} parameters, largest difference "
            f"{self.largest:.2g} standard errors (allowed: {self.tolerance:g}). {self.remark}".strip()
        )


def crosscheck(fit: Fit, engine: str = "semopy", *, tolerance: float = TOLERANCE) -> Agreement:
    """Fit the model of a fit again with another engine and compare.

    Parameters
    ----------
    fit : Fit
        Maximum likelihood on complete data.
    engine : {"semopy"}
    tolerance : float
        Allowed difference of an estimate, in standard errors.

    Returns
    -------
    Agreement

    Raises
    ------
    OptionError
        ``fitting.unknown-engine``.
    NotSupportedError
        ``fitting.crosscheck-refused``: the other engine is known to be wrong for this model, or cannot
        express it; every reason is listed.
    MissingExtraError
        ``fitting.missing-semopy``.
    """
    if engine not in ENGINES:
        raise OptionError(
            Problem("fitting.unknown-engine", f"crosscheck({engine!r})", "is not a known engine", ", ".join(ENGINES),
                    suggest(str(engine), ENGINES).strip() or "Choose one of them.")
        )
    reasons = refusals(fit)
    if reasons:
        raise NotSupportedError(
            *(Problem("fitting.crosscheck-refused", f"crosscheck({engine!r})", reason,
                      "maximum likelihood on complete data, one group, no mean structure, equal labels only",
                      "Compare with lavaan instead, or check a simpler version of the model.") for reason in reasons)
        )
    values = np.asarray(fit._all["raw"].value[0], dtype=np.float64)
    text, variables = print_semopy(fit.table, values)
    found, version = run_semopy(text, *_moments(fit, variables))
    return compare(fit, found, engine, version, tolerance, text)


def refusals(fit: Fit) -> list[str]:
    """Why another engine's numbers would say nothing about this fit."""
    table, options = fit.table, fit.solution.options
    out = []
    if not fit.converged:
        out.append("the fit did not converge: there is nothing to compare")
    if table.n_groups > 1:
        out.append("the model has several groups, which semopy does not fit jointly")
    if fit.solution.sampling is not None:
        out.append("the sample has a design, which semopy does not know")
    if table.meanstructure:
        out.append("the model has a mean structure, where semopy's results are not right")
    if options.missing != "listwise":
        out.append("missing values are used by full information, where semopy's results are not right")
    if options.least_squares:
        out.append("the estimator is a kind of least squares, and semopy is asked for maximum likelihood")
    if options.likelihood != "normal":
        out.append("the likelihood is not the normal one with divisor N")
    if options.conditional_x:
        out.append("the covariates are conditioned on, which semopy does not do")
    if "<~" in table.op:
        out.append("the model has composites (<~), which semopy does not have")
    kinds: tuple[str, ...] = ("==", "<", ">")
    if table.equalities and table.n_groups == 1 and find_phantoms(table, fit._all["raw"].value[0]) is not None:
        kinds = ("<", ">")  # these constraints can be said with phantom variables
    constraints = [i for i in range(len(table)) if table.op[i] in kinds and ("<~" not in table.op or table.user[i])]
    shown = [f"{table.lhs[i]} {table.op[i]} {table.rhs[i]}" for i in constraints]
    if shown:
        more = f" (and {len(shown) - 1} more)" if len(shown) > 1 else ""
        kind = "non-linear constraint" if not all(e.linear for e in table.equalities) else "constraint"
        out.append(f"the model has a {kind} that semopy cannot be given safely: {shown[0]}{more}")
    finite = np.isfinite(table.lower) | np.isfinite(table.upper)
    if np.any(finite & (table.free > 0)):
        out.append("the model has bounds: " + ", ".join(table.names[i] for i in np.flatnonzero(finite)[:5]))
    return out


def print_semopy(table: ParameterTable, values: FloatArray) -> tuple[str, Mapping[str, str]]:
    """The model in semopy's syntax.

    Every free row carries a parameter name and every fixed row its number, so that none of the other
    engine's defaults fills a gap; covariances between exogenous latents that the model lacks are fixed at 0.

    Parameters
    ----------
    table : ParameterTable
    values : ndarray (k,)
        Value of every row (used for the fixed ones).

    Returns
    -------
    text : str
    variables : mapping of str to str
        Own name to neutral name.
    """
    neutral = neutral_names(table)
    plain = neutral.table
    phantoms = find_phantoms(table, values) if table.equalities else ()
    replaced = frozenset(row for phantom in phantoms or () for row in phantom.constrained)
    parameter = {int(row): f"q{int(table.unique[k]) + 1}" for k, row in enumerate(table.free_rows)}

    def weight(row: int) -> str:
        return parameter.get(row) or _decimal(float(values[row]))

    lines = []
    present: set[frozenset[str]] = set()
    for i in range(len(plain)):
        if plain.op[i] not in PARAMETER_OPERATORS or i in replaced:
            continue
        lines.append(f"{plain.lhs[i]} {plain.op[i]} {weight(i)}*{plain.rhs[i]}")
        if plain.op[i] == "~~":
            present.add(frozenset((plain.lhs[i], plain.rhs[i])))
    latents = plain.variables.lv
    for j, a in enumerate(latents):
        lines += [f"{a} ~~ 0*{b}" for b in latents[j + 1 :] if frozenset((a, b)) not in present]
    if phantoms:
        more, apart = print_phantoms(phantoms, weight, _decimal, neutral.variables)
        lines += more
        others = [*plain.variables.lv]
        for names in apart:
            lines += [f"{name} ~~ 0*{other}" for name in names for other in others]
            others += names
    return "\n".join(lines), neutral.variables


def _decimal(value: float) -> str:
    """A number without an exponent: the other parser would split at the plus of ``1e+05``."""
    return np.format_float_positional(value, unique=True, trim="-")


def _moments(fit: Fit, variables: Mapping[str, str]) -> tuple[pd.DataFrame | None, pd.DataFrame, int]:
    """Raw columns (if there are any), covariance matrix and N, under neutral names."""
    import pandas as pd

    names = [variables[name] for name in fit.table.variables.ov]
    cov = pd.DataFrame(fit.solution.observed[0].cov[0], index=names, columns=names)
    data = None
    if fit.solution.sample is not None:
        data = pd.DataFrame(fit.solution.sample.groups[0].data, columns=names)
    return data, cov, fit.nobs


def run_semopy(text: str, data: pd.DataFrame | None, cov: pd.DataFrame, nobs: int) -> tuple[dict[str, float], str]:
    """Maximum likelihood by semopy: estimates by parameter name, and its version."""
    try:
        import semopy
    except ImportError as error:
        raise MissingExtraError(
            Problem("fitting.missing-semopy", "crosscheck", "the package semopy is not installed", "",
                    'Install it with: pip install "semkit[semopy]"')
        ) from error
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model = semopy.Model(text)
            _give_starting_columns(model, text)
            stop = {"ftol": 1e-12, "maxiter": 2000}
            if data is not None:
                model.fit(data, obj="MLW", solver="SLSQP", options=stop)
            else:
                model.fit(None, cov=cov, n_samples=nobs, obj="MLW", solver="SLSQP", options=stop)
    finally:
        logging.disable(level)
    active = [name for name, parameter in model.parameters.items() if parameter.active]
    return dict(zip(active, map(float, model.param_vals), strict=True)), str(semopy.__version__)


def _add_phantoms(fit: Fit, found: Mapping[str, float], other: list[float]) -> None:
    """Residual variances and covariances of products with what phantom variables stand for."""
    table = fit.table
    phantoms = find_phantoms(table, fit._all["raw"].value[0]) if table.equalities else ()
    parameter = {int(row): f"q{int(table.unique[k]) + 1}" for k, row in enumerate(table.free_rows)}

    def value(row: int) -> float:
        return found[parameter[row]] if row in parameter else float(fit._all["raw"].value[0, row])

    place = {int(row): k for k, row in enumerate(table.free_rows)}
    for phantom in phantoms or ():
        extra = phantom.extra(value)
        for product, more in extra.items():
            row = table.find(product, "~~", product)
            if row is not None and row in place:
                other[place[row]] += more
        for row in phantom.constrained:
            one, two = phantom.loading[table.lhs[row]], phantom.loading[table.rhs[row]]
            other[place[row]] = extra[table.lhs[row]] * value(two) / value(one)


def _give_starting_columns(model: Any, text: str) -> None:
    """Without a loading fixed at a number semopy looks for starting values forever: name it a column."""
    for line in text.splitlines():
        latent, operator, term = line.split(" ")
        if operator == "=~" and model.first_manifs.get(latent) is None:
            model.first_manifs[latent] = term.rsplit("*", 1)[1]


def compare(
    fit: Fit, found: Mapping[str, float], engine: str, version: str, tolerance: float, text: str
) -> Agreement:
    """Differences of all free parameters, and of definitions that need nothing but labels."""
    import pandas as pd

    table = fit.table
    other: list[float] = []
    by_label: dict[str, float] = {}
    for k, row in enumerate(table.free_rows):
        other.append(found.get(f"q{int(table.unique[k]) + 1}", float("nan")))
        if table.label[row]:
            by_label[table.label[row]] = other[-1]
    _add_phantoms(fit, found, other)
    for label, row in table.labelled_rows.items():
        by_label.setdefault(label, float(fit._all["raw"].value[0, row]))
    for _, expression in table.definitions:
        usable = not (expression.sd_names or expression.std_names)
        other.append(float(expression.evaluate(by_label)) if usable else float("nan"))
    se = np.sqrt(np.maximum(np.diagonal(fit.vcov), 0.0))
    theirs = np.asarray(other)
    with np.errstate(all="ignore"):
        difference = np.where(se > 0.0, (fit.est - theirs) / se, np.nan)
    frame: Any = pd.DataFrame({"name": fit.names, "est": fit.est, "other": theirs, "difference_se": difference})
    frame = frame[~np.isnan(theirs)].reset_index(drop=True)
    missing = int(np.isnan(theirs).sum())
    largest = float(np.abs(frame["difference_se"]).max())
    remark = f"{missing} defined parameter(s) need implied moments and were not compared." if missing else ""
    agrees = bool(np.isfinite(largest) and largest <= tolerance)
    return Agreement(engine, version, agrees, len(frame), largest, tolerance, frame, remark, text)
