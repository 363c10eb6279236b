"""What can be wrong with the factors of latent products: hardly any variance, few respondents for the integral."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note
from semkit.interaction.crossing import error_free, find_crossings
from semkit.interaction.likelihood import MixtureObjective

if TYPE_CHECKING:
    from semkit.fitting.moderated import ModeratedSolution

FloatArray = NDArray[np.float64]

_ERRORS = 2.0  # a variance below so many of its standard errors
_SHARE = 0.1  # the most that the factor explains of any observed variable
_CASES = 5  # respondents for each point along a dimension
_POINTS = 24  # more points than these need no more respondents: they only make the integral more exact


def variance_notes(solution: ModeratedSolution) -> tuple[Note, ...]:
    """A warning for every latent factor of a product that hardly varies or that nothing measures.

    A product of factors of which one has a variance near 0 has itself hardly any: its coefficient is undetermined, and
    its likelihood flat.  Named are exogenous factors whose variance is less than two standard errors from 0, and
    factors that explain less than a tenth of every observed variable.
    """
    notes = []
    table = solution.table
    crossings = find_crossings(table, solution.layout)
    place = {(int(table.block[row]), table.lhs[row]): int(table.unique[k]) for k, row in enumerate(table.free_rows)
             if table.op[row] == "~~" and table.lhs[row] == table.rhs[row]}
    for g, (block, own, implied) in enumerate(
            zip(solution.layout.blocks, crossings, solution.implied, strict=True)):
        moved = {block.eta[j] for j in range(block.m) if _is_outcome(table, g + 1, block.eta[j])}
        suffix = f" (group {table.groups[g]})" if table.n_groups > 1 else ""
        for j in sorted({f for c in own for f in c.factors} - set(error_free(block))):
            name, variance = block.eta[j], float(implied.eta_cov[0, j, j])
            share = float(np.max(implied.cross[0][:, j] ** 2 / (variance * np.diagonal(implied.sigma[0]))))
            at = place.get((g + 1, name)) if name not in moved else None
            se = float("nan") if at is None else float(np.sqrt(max(solution.vcov[at, at], 0.0)))
            if not (variance < _ERRORS * se or share < _SHARE):
                continue
            error = f" (standard error {se:.3g})" if np.isfinite(se) else ""
            notes.append(Note(
                "fitting.factor-without-variance", "warning",
                f"its variance is {variance:.3g}{error}, and it explains at most {100 * share:.0f} % of an observed "
                "variable.", name + suffix,
                "Its indicators hardly hang together or the respondents hardly differ, so that its products have "
                "next to no variance and their coefficients are undetermined.",
                "Do not interpret the interaction; look at the indicators, or use respondents who differ more."))
    return tuple(notes)


def _is_outcome(table: object, block: int, name: str) -> bool:
    rows = zip(table.block, table.lhs, table.op, table.rhs, strict=True)  # type: ignore[attr-defined]
    return any(b == block and ((op == "~" and lhs == name) or (op == "=~" and rhs == name))
               for b, lhs, op, rhs in rows)


def case_notes(solution: ModeratedSolution) -> tuple[Note, ...]:
    """A warning with fewer than five respondents for each point along the integrated variables.

    Counted are at most 24 points for each variable (that more are used for accuracy asks for no more respondents).  A
    rule of thumb: curvature is seen along these points, and with fewer respondents a handful at the ends decides it;
    robust errors of LMS are too small there (docs/interaction-methods.md, table of simulations).
    """
    objective = solution.objective
    if not isinstance(objective, MixtureObjective):
        return ()
    notes = []
    for g, part in enumerate(objective.parts):
        points = min(solution.method.nodes, _POINTS) * part.model.d  # type: ignore[union-attr]
        if part.model.d and part.who.n < _CASES * points:
            where = f"group {solution.table.groups[g]}" if solution.table.n_groups > 1 else ""
            dims = "one variable" if part.model.d == 1 else f"{part.model.d} variables"
            notes.append(Note(
                "fitting.few-cases-per-node", "warning",
                f"{part.who.n} respondents for {points} points along {dims}: {part.who.n / points:.1f} each (a warning "
                f"is given below {_CASES}).", where,
                "A few respondents at the ends of the scale decide the interaction, and its standard errors tend to be "
                "too small.",
                "Take bootstrap intervals, compare with interaction='product' or 'sam', or get more respondents."))
    return tuple(notes)
