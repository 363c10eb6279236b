"""Auxiliary variables: columns that say something of the gaps but are no part of the model.

Under full information they are saturated correlates: they covary with each other, with covariates and with the
residuals of everything else that is observed, so that the model itself is neither helped nor hurt.  After two stages
they belong to the first one only (:mod:`semkit.fitting.twostage`).

References
----------
Graham (2003), Structural Equation Modeling 10, 80-100 (saturated correlates); Savalei & Bentler (2009), Structural
Equation Modeling 16, 477-497 (two stages); Enders (2010), Applied Missing Data Analysis, sec. 5.9 (fit indices).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from semkit.errors import OptionError, Problem
from semkit.model import ModelSpec, Modifier, Term, build_table, classify

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution


def check_auxiliary(spec: ModelSpec, auxiliary: tuple[str, ...]) -> None:
    """Refuse auxiliary variables that the model has already.

    Raises
    ------
    OptionError
        ``fitting.auxiliary-in-model``.
    """
    known = set(spec.names)
    problems = [Problem("fitting.auxiliary-in-model", f'auxiliary="{name}"', "is a variable of the model",
                        "columns the model does not use", "Leave it out of auxiliary=.")
                for name in dict.fromkeys(auxiliary) if name in known]
    if problems:
        raise OptionError(*problems)


def saturate(spec: ModelSpec, auxiliary: tuple[str, ...]) -> ModelSpec:
    """The model with saturated correlates; covariates become random, since gaps are filled from their moments too."""
    terms: list[Term] = []
    names = tuple(dict.fromkeys(auxiliary))
    for block in spec.blocks or ("",):
        found = classify([term for term in spec.terms if term.block == block])
        pairs = [*combinations(names, 2), *((a, v) for a in names for v in found.ov)]
        pairs += [*((a, a) for a in names), *((x, x) for x in found.ov_x), *combinations(found.ov_x, 2)]
        terms += [Term(a, "~~", b, block=block) for a, b in pairs]
        terms += [Term(a, "~1", "", (Modifier("fixed", (None,)),), block) for a in (*names, *found.ov_x)]
    return spec.extend(terms)


def apart(spec: ModelSpec, auxiliary: tuple[str, ...]) -> tuple[str, ...]:
    """Saturated correlates and the covariates that became random: no part of what groups are compared in."""
    caused = {term.lhs for term in spec.terms if term.op == "~"} | {term.rhs for term in spec.terms if term.op == "=~"}
    predictors = {term.rhs for term in spec.terms if term.op == "~"}
    return (*auxiliary, *sorted(predictors - caused - set(spec.latents)))


@lru_cache(maxsize=8)
def baseline(solution: Solution) -> Solution:
    """The independence model with the same saturated correlates.

    What is no auxiliary variable is uncorrelated, covariates among themselves excepted; auxiliary variables covary
    with everything (Enders 2010).
    """
    from semkit.fitting.solution import fit_moments

    auxiliary = solution.options.auxiliary
    table = solution.table
    own = [name for name in table.variables.ov if name not in auxiliary]
    predicted = {table.lhs[i] for i in range(len(table)) if table.op[i] == "~"}
    predicted |= {table.rhs[i] for i in range(len(table)) if table.op[i] == "=~"}
    predictors = {table.rhs[i] for i in range(len(table)) if table.op[i] == "~"}
    x = [name for name in own if name in predictors and name not in predicted]
    pairs = [(v, v) for v in own] + list(combinations(x, 2))
    terms = [Term(a, "~~", b) for a, b in pairs]
    spec = saturate(ModelSpec(tuple(terms)), auxiliary)
    plain = build_table(spec, groups=table.groups, meanstructure=True)
    assert plain.variables.ov == table.variables.ov
    return fit_moments(plain, solution.options, solution.moments, solution.sample)


def substantive(solution: Solution) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Positions of the observed variables that are not auxiliary."""
    auxiliary = solution.options.auxiliary if solution.options.fiml else ()
    names = solution.table.variables.ov
    return np.array([k for k, name in enumerate(names) if name not in auxiliary], dtype=np.int64)

