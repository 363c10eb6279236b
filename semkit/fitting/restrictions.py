"""Restrictions tested after the fit: Wald tests, and score tests of equalities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from semkit.errors import NotSupportedError, OptionError, Problem, suggest
from semkit.estimate.expressions import Quantities, evaluate, label_quantities, make_constraints
from semkit.estimate.information import tangent
from semkit.estimate.layout import make_layout
from semkit.estimate.restrictions import score_statistic, wald_statistic
from semkit.estimate.tests import Test, chi_square_p
from semkit.fitting.arguments import require_text
from semkit.fitting.quadratic import score_of
from semkit.model import Expression, parse_expression

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.fit import Fit

FloatArray = NDArray[np.float64]


def wald(fit: Fit, hypothesis: str) -> Test:
    """Wald test of one or several restrictions.

    Parameters
    ----------
    fit : Fit
    hypothesis : str
        Equations over labels and defined parameters, ``"a == b"``; several are divided by ``;`` or new lines and
        tested together.  Read by the safe grammar of the model language.

    Returns
    -------
    Test
        ``W = r'(R V R')^- r``; its df are the restrictions that are not repetitions of others.

    Raises
    ------
    OptionError
        ``fitting.wald-no-equation``, ``fitting.unknown-label``.
    ModelSyntaxError
        The text cannot be read.

    References
    ----------
    Wald (1943), Transactions of the American Mathematical Society 54, 426-482.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semkit as sk
    >>> x = np.random.default_rng(1).normal(size=(60, 3))
    >>> fit = sk.sem("y ~ a*x + b*z", pd.DataFrame(x, columns=["y", "x", "z"]))
    >>> fit.wald("a == b").df
    1
    """
    require_text("wald()", hypothesis)
    solution, table = fit.solution, fit.table
    expressions = [_equation(fit, line) for line in hypothesis.replace(";", "\n").splitlines() if line.strip()]
    if not expressions:
        raise OptionError(Problem("fitting.wald-no-equation", "wald()", "there is no equation",
                                  '"label == label" or "label == number"', "Write for example \"a == b\"."))
    x, given = solution.minimum.x, solution.given
    by = solution.scales_at(x, given)
    known = Quantities(*label_quantities(table, solution.layout, x, given), by.values(), by.slopes())
    value, slope = evaluate(expressions, known, solution.layout.n_parameters, 1)
    stat, df = wald_statistic(value[0], slope[0], solution.vcov)
    return Test("wald", stat, df, chi_square_p(stat, df), label=hypothesis)


def _equation(fit: Fit, line: str) -> Expression:
    """``left - right`` over labels only."""
    sides = line.split("==")
    if len(sides) != 2:
        raise OptionError(Problem("fitting.wald-no-equation", f'wald("{line.strip()}")', "is not one equation",
                                  '"label == label" or "label == number"', "Write one == in each equation."))
    left, right = (parse_expression(side.strip(), "wald") for side in sides)
    whole = (left - right).substitute(dict(fit.table.definitions))
    known = fit.table.labelled_rows
    allowed = [*known, *(name for name, _ in fit.table.definitions)]
    variables = fit.solution.scales_at(fit.solution.minimum.x, fit.solution.given).values()
    wrong = [name for name in whole.names if name not in known]
    wrong += [f"sd({name})" for name in whole.sd_names if name not in variables]
    wrong += [f"std({name})" for name in whole.std_names]
    if wrong:
        raise OptionError(*(Problem("fitting.unknown-label", f'wald("{line.strip()}")', f"{name} is not known",
                                    ", ".join(allowed) or "labels given in the model text",
                                    suggest(name, allowed).strip() or "Give the parameter a label in the model.")
                            for name in wrong))
    return whole


def score_test(fit: Fit) -> pd.DataFrame:
    """What releasing each equality constraint would gain, one by one and all together.

    Equalities are ``==`` rows and shared labels (those of ``group_equal`` too); with expected information.

    Returns
    -------
    DataFrame
        ``lhs op rhs stat df pvalue``; the last row, ``total``, releases all.

    Raises
    ------
    OptionError
        ``fitting.no-equalities``.
    NotSupportedError
        ``fitting.no-score-test``: composites.

    References
    ----------
    Aitchison & Silvey (1958), Annals of Mathematical Statistics 29, 813-828.
    """
    import pandas as pd

    solution, table = fit.solution, fit.table
    if table.variables.lv_c:
        raise NotSupportedError(Problem(
            "fitting.no-score-test", "score_test()", "is not offered with composites (<~)", "models of factors",
            "Compare the models with and without the equality: compare()."))
    names, jacobian = equalities(fit)
    if not names:
        raise OptionError(Problem("fitting.no-equalities", "score_test()", "the model has no equality constraint",
                                  "shared labels, group_equal or ==", "Use modification_indices() for fixed ones."))
    loose = table.replace(label=tuple("" for _ in table.label))
    layout = make_layout(loose)
    gradient, information, meat = score_of(solution, layout, solution.theta[solution.layout.expand])
    own = tangent(jacobian).shape[1]
    rows: list[tuple[str, str, str, float, int]] = []
    for k in range(len(names) + 1):
        kept = np.delete(jacobian, k, axis=0) if k < len(names) else jacobian[:0]
        basis = tangent(kept)
        lhs, rhs = names[k] if k < len(names) else ("total", "")
        stat = score_statistic(gradient, information, basis, solution.total, meat, tangent(jacobian))
        rows.append((lhs, "==" if rhs else "", rhs, stat, basis.shape[1] - own))
    out = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "stat", "df"])
    with np.errstate(invalid="ignore"):
        out["pvalue"] = np.where(out["df"] > 0, chdtrc(np.maximum(out["df"], 1), out["stat"]), np.nan)
    return out


def equalities(fit: Fit) -> tuple[list[tuple[str, str]], FloatArray]:
    """Names of both sides and derivatives ``(k, n_free)`` of every equality, over free rows counted one by one."""
    solution, table = fit.solution, fit.table
    first: dict[int, int] = {}
    names: list[tuple[str, str]] = []
    rows: list[FloatArray] = []
    plain = table.replace(label=tuple("" for _ in table.label)).names
    for k, source in enumerate(table.unique.tolist()):
        if source in first:
            row = np.zeros(table.n_free)
            row[first[source]], row[k] = 1.0, -1.0
            rows.append(row)
            names.append((plain[table.free_rows[first[source]]], plain[table.free_rows[k]]))
        first.setdefault(source, k)
    constraints = make_constraints(table, solution.layout, solution.given)
    if constraints is not None and len(table.equalities):
        _, slope = constraints.evaluate(solution.minimum.x, np.arange(1))
        texts = [(table.lhs[i], table.rhs[i]) for i, op in enumerate(table.op) if op == "=="]
        for text, line in zip(texts, slope[0][constraints.equality], strict=True):
            row = np.zeros(table.n_free)
            for source, k in first.items():
                row[k] = line[source]
            rows.append(row)
            names.append(text)
    return names, np.array(rows).reshape(-1, table.n_free)


__all__ = ["score_test", "wald"]
