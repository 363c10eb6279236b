"""Modification indices and score tests of models with latent products, products that could be added among them.

The likelihood with one more parameter has at the estimates its own score and observed information, whatever has to be
integrated out for it; what freeing the parameter would gain follows from these as for linear models
(:mod:`semkit.estimate.release`).  Under ``mlr`` and sampling designs the score's variance is that of the respondents'
scores.  Parameters that need the same integral are looked at together.

References
----------
Sorbom (1989), Psychometrika 54, 371-384; Satorra (1989), Psychometrika 54, 131-151.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from semkit.errors import NotSupportedError, OptionError, Problem
from semkit.estimate.information import tangent
from semkit.estimate.layout import Layout
from semkit.estimate.release import released
from semkit.estimate.restrictions import score_statistic
from semkit.estimate.standardize import Scales
from semkit.fitting.modification import CONFOUNDED, Row, absent, framed, freed, held
from semkit.fitting.restrictions import equalities
from semkit.interaction.conditioning import condition
from semkit.interaction.crossing import Crossing, Roles, choose_roles, find_crossings, linear_layout
from semkit.interaction.likelihood import Likelihood, MixtureObjective, find_known, make_part, make_quasi
from semkit.interaction.method import LMS
from semkit.interaction.mixture import Evaluation
from semkit.interaction.reduced import reduce
from semkit.model import ParameterTable

if TYPE_CHECKING:
    import pandas as pd

    from semkit.fitting.moderated import ModeratedSolution
    from semkit.fitting.moderation import ModeratedFit

FloatArray = NDArray[np.float64]

_TOGETHER = 40  # parameters freed in one likelihood
_SINGULAR = 1e-5  # integrals and differences leave more than rounding where nothing is left of the information


@dataclass(frozen=True)
class Candidate:
    """A parameter that could be free: a row of the table, or a new one."""

    group: int
    row: int  # -1: new
    text: Row


def candidates(table: ParameterTable) -> tuple[Candidate, ...]:
    """Fixed parameters, what :func:`absent` names, and products of the predictors of each outcome."""
    out = [Candidate(int(table.block[i]), int(i), (table.lhs[i], table.op[i], table.rhs[i])) for i in held(table)]
    for g in range(1, table.n_groups + 1):
        plain = [row for row in absent(table, g) if ":" not in row[0]]
        out += [Candidate(g, -1, row) for row in dict.fromkeys([*plain, *_products(table, g)])]
    return tuple(out)


def _products(table: ParameterTable, group: int) -> Iterator[Row]:
    """Products of two predictors, squares too, that an equation has not."""
    rows = [i for i in range(len(table)) if table.block[i] == group and table.op[i] == "~"]
    present = {(table.lhs[i], frozenset(table.rhs[i].split(":")), table.rhs[i].count(":")) for i in rows}
    for outcome in dict.fromkeys(table.lhs[i] for i in rows):
        plain = [table.rhs[i] for i in rows if table.lhs[i] == outcome and ":" not in table.rhs[i]]
        for a, b in combinations_with_replacement(plain, 2):
            if (outcome, frozenset((a, b)), 1) not in present:
                yield outcome, "~", f"{a}:{b}"


def modification_indices(fit: ModeratedFit) -> pd.DataFrame:
    """The table behind :meth:`ModeratedFit.modification_indices`."""
    solution = fit.moderated
    chosen = candidates(fit.table)
    mi, epc = np.full((2, len(chosen)), np.nan)
    reason = [CONFOUNDED] * len(chosen)
    classes: dict[tuple[tuple[Roles, ...], int], list[int]] = {}
    # slopes both ways at once would be feedback, which QML refuses
    apart = not isinstance(solution.objective, MixtureObjective)
    for k, one in enumerate(chosen):
        try:
            roles = _roles(solution, _free(fit.table, [one])[0])
            classes.setdefault((roles, k if apart and one.text[1] == "~" else -1), []).append(k)
        except NotSupportedError as error:
            reason[k] = "; ".join(problem.what for problem in error.problems)
    for (roles, _), members in classes.items():
        for start in range(0, len(members), _TOGETHER):
            at = members[start : start + _TOGETHER]
            found = _freed(solution, [chosen[k] for k in at], roles)
            mi[at], epc[at] = found[:2]
            for k, good in zip(at, found[2], strict=True):
                reason[k] = "" if good else CONFOUNDED
    wide, order = _free(fit.table, list(chosen))
    theta = np.concatenate([solution.theta, _values(fit.table, chosen)])[None]
    by = solution.scales_at(theta[:, : len(solution.theta)], solution.given, slopes=False)
    by = Scales(by.names, by.sd, np.zeros((*by.sd.shape, 0)))
    return framed(wide, linear_layout(wide), order, theta, solution.given, by, (mi, epc, reason))


def _free(table: ParameterTable, chosen: list[Candidate]) -> tuple[ParameterTable, NDArray[np.int64]]:
    """The table with these free as well (rows there are come first), and where they stand."""
    fixed = np.array([one.row for one in chosen if one.row >= 0], dtype=np.int64)
    return freed(table, fixed, [(one.group, one.text) for one in chosen if one.row < 0])


def _values(table: ParameterTable, chosen: list[Candidate] | tuple[Candidate, ...]) -> FloatArray:
    """What they are now."""
    return np.array([table.value[one.row] if one.row >= 0 else 0.0 for one in chosen])


def _roles(solution: ModeratedSolution, wide: ParameterTable) -> tuple[Roles, ...]:
    """What is integrated out in each group, the fit's own choice where that will do."""
    layout = linear_layout(wide)
    crossings = find_crossings(wide, layout)
    if not isinstance(solution.objective, MixtureObjective):
        for block, part in zip(layout.blocks, crossings, strict=True):
            reduce(block, part, {})
        return ()
    own = [part.model.roles for part in solution.objective.parts]
    return tuple(choose_roles(block, part, dict.fromkeys(roles.integrated, 2.0))
                 for block, part, roles in zip(layout.blocks, crossings, own, strict=True))


def _freed(
    solution: ModeratedSolution, chosen: list[Candidate], roles: tuple[Roles, ...]
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Score statistics and expected changes of parameters that need the same integral."""
    wide, _ = _free(solution.table, chosen)
    theta = np.concatenate([solution.theta, _values(solution.table, chosen)])
    gradient, information, meat = score_of(solution, wide, theta, roles)
    return released(gradient, information, solution.basis, solution.total, meat, singular=_SINGULAR)


def score_of(
    solution: ModeratedSolution, wide: ParameterTable, theta: FloatArray, roles: tuple[Roles, ...]
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Score, observed information and, where tests are robust, the scores' covariance matrix, per respondent.

    Parameters
    ----------
    wide : ParameterTable
        With more free parameters, which come last.
    theta : ndarray (q',)
    roles : tuple of Roles
        Of each group.
    """
    layout = linear_layout(wide)
    found = _likelihood(solution, layout, find_crossings(wide, layout), theta, roles).at(theta)
    assert found.hessian is not None
    return found.gradient / solution.total, -found.hessian / solution.total, _meat(solution, found)


def _meat(solution: ModeratedSolution, found: Evaluation) -> FloatArray | None:
    if not solution.options.robust or found.scores is None:
        return None
    if solution.sampling is not None:
        return solution.sampling.covariance(found.scores, small_sample=False) / solution.total
    return found.scores.T @ found.scores / solution.total


def _likelihood(
    solution: ModeratedSolution, layout: Layout, crossings: tuple[tuple[Crossing, ...], ...], theta: FloatArray,
    roles: tuple[Roles, ...],
) -> Likelihood:
    """The likelihood of a table with more free parameters; points stay where they are unless others are needed."""
    assert solution.sample is not None
    given, objective = solution.given[0], solution.objective
    groups = solution.sample.groups
    if not isinstance(objective, MixtureObjective):
        return make_quasi(layout, crossings, solution.data, theta, given, 0.0, tuple(g.weights for g in groups))
    assert isinstance(solution.method, LMS)
    nodes, adaptive = solution.method.nodes, solution.method.adaptive
    parts, moved = [], False
    for block, own, role, old, group in zip(layout.blocks, crossings, roles, objective.parts, groups, strict=True):
        known = find_known(block, role, group.data)
        model = condition(block, own, role, layout.n_parameters, known.level(group.weights))
        if role == old.model.roles:
            parts.append(replace(old, model=model))
        else:
            parts.append(make_part(model, known, group.data, group.weights, theta, given, nodes, adaptive=adaptive))
            moved = True
    whole = MixtureObjective(tuple(parts), given)
    return whole.replaced(theta, nodes, adaptive=adaptive) if moved else whole


def score_test(fit: ModeratedFit) -> pd.DataFrame:
    """What releasing each equality constraint would gain (:func:`semkit.fitting.restrictions.score_test`)."""
    import pandas as pd

    solution, table = fit.moderated, fit.table
    names, jacobian = equalities(fit)
    if not names:
        raise OptionError(Problem("fitting.no-equalities", "score_test()", "the model has no equality constraint",
                                  "shared labels, group_equal or ==", "Use modification_indices() for fixed ones."))
    loose = table.replace(label=tuple("" for _ in table.label))
    roles = (tuple(part.model.roles for part in solution.objective.parts)
             if isinstance(solution.objective, MixtureObjective) else ())
    gradient, information, meat = score_of(solution, loose, solution.theta[table.unique], roles)
    kept = tangent(jacobian)
    rows = []
    for k in range(len(names) + 1):
        basis = tangent(np.delete(jacobian, k, axis=0) if k < len(names) else jacobian[:0])
        lhs, rhs = names[k] if k < len(names) else ("total", "")
        stat = score_statistic(gradient, information, basis, solution.total, meat, kept)
        rows.append((lhs, "==" if rhs else "", rhs, stat, basis.shape[1] - kept.shape[1]))
    out = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "stat", "df"])
    with np.errstate(invalid="ignore"):
        out["pvalue"] = np.where(out["df"] > 0, chdtrc(np.maximum(out["df"], 1), out["stat"]), np.nan)
    return out
