"""Nested models with latent products compared by their likelihood."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import OptionError, Problem, suggest
from semkit.estimate.expressions import make_constraints
from semkit.estimate.tests import chi_square_p
from semkit.fitting.likelihoodratio import score_trace
from semkit.fitting.measures import loglikelihoods
from semkit.fitting.moderated import ModeratedSolution

if TYPE_CHECKING:
    from semkit.fitting.fit import Fit
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]
Key = tuple[int, str, str, str]

METHODS = ("auto", "standard", "satorra.2000.mean", "satorra.bentler.2001")
_SAME = 1e-6


def moderated_rows(
    fits: tuple[Fit, ...], labels: tuple[str, ...], method: str
) -> tuple[list[dict[str, Any]], str]:
    """Rows of the difference tests from the model with most parameters to the one with fewest, and the method.

    Parameters
    ----------
    fits : tuple of Fit
        By LMS or QML, and linear ones of the same variables with a mean structure.
    labels : tuple of str
    method : {"auto", "standard", "satorra.2000.mean", "satorra.bentler.2001"}

    Raises
    ------
    OptionError
        ``fitting.compare-mixed-tests``, ``fitting.compare-not-nested``, ``fitting.compare-same-df``,
        ``fitting.unknown-option-value``.
    """
    chosen = _method(fits, method)
    order = sorted(range(len(fits)), key=lambda k: -fits[k].solution.n_free)
    rows = [_row(fits[order[0]], labels[order[0]])]
    for a, b in pairwise(order):
        found = _difference(fits[b].solution, fits[a].solution, chosen, labels[b], labels[a])
        rows.append(_row(fits[b], labels[b]) | found)
    return rows, chosen


def _method(fits: tuple[Fit, ...], method: str) -> str:
    text = str(method).lower()
    if text not in METHODS:
        raise OptionError(Problem("fitting.unknown-option-value", f"method={method!r}",
                                  "is not offered for latent products", ", ".join(METHODS),
                                  suggest(text, METHODS).strip() or "Leave it out."))
    wrong = []
    names = {fit.solution.method.name for fit in fits if isinstance(fit.solution, ModeratedSolution)}
    if len(names) > 1:
        wrong.append((f"some fits are by {' and some by '.join(sorted(names))}", "one method for all",
                      "Fit all models with the same interaction=."))
    robust = {fit.solution.options.robust for fit in fits}
    if len(robust) > 1 or (text.startswith("satorra") and robust == {False}):
        wrong.append(("not all fits have robust tests", "the same estimator for all, robust for a scaled difference",
                      "Fit all models with estimator='mlr'."))
    if any(fit.recipe.design != fits[0].recipe.design for fit in fits):
        wrong.append(("the fits have different sampling designs", "one design for all", "Pass the same design=."))
    if any(not fit.table.meanstructure for fit in fits):
        wrong.append(("a fit has no means, products have", "a mean structure in all",
                      "Use fit.linear, or meanstructure=True."))
    if wrong:
        raise OptionError(*(Problem("fitting.compare-mixed-tests", "compare()", what, allowed, fix)
                            for what, allowed, fix in wrong))
    return text if text != "auto" else "satorra.2000.mean" if robust == {True} else "standard"


def log_likelihood(solution: Solution) -> float:
    """Conditional on fixed covariates, whether there are products or not."""
    return solution.logl if isinstance(solution, ModeratedSolution) else loglikelihoods(solution)[0]


def _row(fit: Fit, name: str) -> dict[str, Any]:
    values, nothing = fit.fit_measures, float("nan")
    return {"model": name, "npar": fit.solution.n_free, "logl": log_likelihood(fit.solution), "aic": values["aic"],
            "bic": values["bic"], "chisq_diff": nothing, "df_diff": nothing, "pvalue": nothing, "scaling": nothing,
            "reason": ""}


def _difference(restricted: Solution, larger: Solution, method: str, name: str, other: str) -> dict[str, Any]:
    df = larger.n_free - restricted.n_free
    if df == 0:
        raise OptionError(Problem("fitting.compare-same-df", f"{name} and {other}",
                                  "they have as many parameters", "one model a restriction of the other",
                                  "Compare them by AIC or BIC instead."))
    fixed = ", ".join(_outside(restricted, larger)[:5])
    if fixed:
        raise OptionError(Problem(
            "fitting.compare-not-nested", f"{name} and {other}",
            f"{name} is not shown to be a restriction of {other}, which cannot have its {fixed}",
            "nested models with the same scaling of latent variables", "Compare them by AIC or BIC instead."))
    stat = 2.0 * (log_likelihood(larger) - log_likelihood(restricted))
    scaling, reason = 1.0, ""
    if method != "standard":
        scaling = _scaling(restricted, larger, method) / df
    if not scaling > 0.0:
        scaling, reason = float("nan"), "the scaling factor of the difference is not positive; try satorra.2000.mean"
    elif stat < -1e-6:
        reason = f"{other} has the lower log-likelihood: it stopped at a local maximum; try other starts"
    shown = stat / scaling
    return {"chisq_diff": shown, "df_diff": float(df), "scaling": scaling, "reason": reason,
            "pvalue": float("nan") if reason else chi_square_p(shown, df)}


def _scaling(restricted: Solution, larger: Solution, method: str) -> float:
    """Trace by which the mean of the difference exceeds that of a chi-square, times its degrees of freedom."""
    both = larger.observed_information, larger.meat
    whole = score_trace(*both, larger.basis)
    if method == "satorra.2000.mean":
        inside = spread(restricted, larger) @ restricted.basis
        return whole - score_trace(*both, inside)
    return whole - score_trace(restricted.observed_information, restricted.meat, restricted.basis)


def _key(solution: Solution, row: int) -> Key:
    table = solution.table
    a, op, b = table.lhs[row], table.op[row], table.rhs[row]
    return (int(table.block[row]), *((min(a, b), op, max(a, b)) if op == "~~" else (a, op, b)))


def values_of(solution: Solution) -> dict[Key, tuple[float, int]]:
    """Value of every parameter of the model, and which of the different parameters it is (-1: fixed)."""
    table = solution.table
    given = dict(zip(solution.layout.given_rows, solution.given[0], strict=True))
    unique = {int(row): int(table.unique[k]) for k, row in enumerate(table.free_rows)}
    out = {}
    for row in np.flatnonzero(table.block > 0).tolist():
        at = unique.get(row, -1)
        value = float(solution.theta[at]) if at >= 0 else float(given.get(row, table.value[row]))
        out[_key(solution, row)] = (value, at)
    return out


def mapped(restricted: Solution, larger: Solution) -> FloatArray:
    """Parameters ``(q,)`` of the larger model that make it the restricted one; what that has not is 0."""
    known, out = values_of(restricted), np.zeros(larger.layout.n_parameters)
    for k, row in enumerate(larger.table.free_rows):
        out[larger.table.unique[k]] = known.get(_key(larger, int(row)), (0.0, -1))[0]
    return out


def spread(restricted: Solution, larger: Solution) -> FloatArray:
    """Derivatives ``(q, q_0)`` of :func:`mapped` by the parameters of the restricted model."""
    known = values_of(restricted)
    out = np.zeros((larger.layout.n_parameters, restricted.layout.n_parameters))
    for k, row in enumerate(larger.table.free_rows):
        at = known.get(_key(larger, int(row)), (0.0, -1))[1]
        if at >= 0:
            out[larger.table.unique[k], at] = 1.0
    return out


def _outside(restricted: Solution, larger: Solution) -> list[str]:
    """Parameters of the restricted model that the larger one cannot have: absent, fixed elsewhere, or constrained."""
    theirs, own = values_of(larger), values_of(restricted)
    theta, wrong = mapped(restricted, larger), []
    for key, (value, at) in own.items():
        text = f"{key[1]} {key[2]} {key[3]}".strip()
        there, place = theirs.get(key, (0.0, -1))
        moves = at >= 0 or value != 0.0
        if place < 0 and moves and (at >= 0 or abs(value - there) > _SAME * max(1.0, abs(there))):
            wrong.append(text)
        elif place >= 0 and abs(theta[place] - value) > _SAME * max(1.0, abs(value)):
            wrong.append(f"{text} (equal to another)")
    for key, (value, at) in theirs.items():
        if key not in own and at < 0 and value not in (0.0,) and np.isfinite(value):
            wrong.append(f"{key[1]} {key[2]} {key[3]} (fixed there)".strip())
    limits = make_constraints(larger.table, larger.layout, larger.given)
    if limits is not None:
        found, _ = limits.evaluate(theta[None], np.arange(1))
        broken = np.where(limits.equality, np.abs(found[0]), -found[0]) > _SAME
        if np.any(broken):
            wrong.append("parameters under its constraints")
    return wrong
