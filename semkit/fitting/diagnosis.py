"""Diagnoses of an estimated model, as notes: what was found, where, why, and what to do.

``docs/diagnoses.md`` shows each on a case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note
from semkit.estimate.layout import PSI, THETA
from semkit.fitting import weighting
from semkit.fitting.admissibility import correlations, variance_places, variances
from semkit.fitting.identification import identification
from semkit.numerics.codes import missing_code

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution

FloatArray = NDArray[np.float64]

SCALE_RATIO = 1000.0
SMALL_GROUP = 50


def diagnose(solution: Solution) -> tuple[Note, ...]:
    """What a researcher must know about a solution before using it."""
    return (
        *weighting.notes(solution),
        *_convergence(solution), *_codes(solution), *_scales(solution), *_sizes(solution), *identification(solution),
        *variances(solution), *correlations(solution),
    )


def _convergence(solution: Solution) -> list[Note]:
    if solution.converged:
        return []
    found = _runaways(solution)
    if found:
        cause = ("Away from all bounds the fit goes on getting better by ever smaller amounts: the likelihood has no "
                 f"maximum there ({'; '.join(' '.join(pair) for pair in found)}).")
        remedy = ("Look at the indicators named; take another marker or std_lv=True for a factor whose variance goes "
                  "to 0, estimate with bounds='standard', or get more respondents or indicators.")
    else:
        cause = "The model may be misspecified or not identified, or the sample too small for it."
        remedy = "Look at the model and the data; simplify the model or give start values."
    return [Note("fitting.not-converged", "error", f"the estimates did not converge. {solution.tried}",
                 ", ".join(name for name, _ in found), cause, remedy)]


def _runaways(solution: Solution) -> list[tuple[str, str]]:
    """Variances that left the range of the data, and where to: minus infinity, infinity, or zero."""
    table, out = solution.table, []
    where = dict(variance_places(table, solution.layout))
    for g, block in enumerate(solution.layout.blocks):
        scale = dict(zip(block.observed, np.diagonal(solution.moments[g].cov[0]), strict=True))
        total = solution.implied[g].eta_cov[0]
        cells = block.free
        for c in np.flatnonzero(((cells.kind == PSI) | (cells.kind == THETA)) & (cells.row == cells.col)):
            row = int(cells.table_row[c])
            if row not in where:  # what is left of an indicator of a composite
                continue
            name, value = table.lhs[row], float(solution.theta[where[row]])
            if name in scale:
                if value < -3.0 * scale[name]:
                    out.append((table.names[row], "goes to minus infinity"))
                continue
            marker = [scale[table.rhs[i]] for i in range(len(table)) if table.op[i] == "=~" and table.lhs[i] == name
                      and table.block[i] == g + 1 and table.free[i] == 0 and table.rhs[i] in scale]
            if marker and abs(value) > 10.0 * marker[0]:
                out.append((table.names[row], "goes to infinity" if value > 0 else "goes to minus infinity"))
            elif marker and abs(total[cells.row[c], cells.row[c]]) < 0.01 * marker[0]:
                out.append((table.names[row], "goes to 0 while loadings grow"))
    return out


def _codes(solution: Solution) -> list[Note]:
    """Columns as they were read that hold what looks like an undeclared code for a missing answer."""
    sample = solution.sample
    if sample is None:
        return []
    notes = []
    base = np.concatenate([group.base for group in sample.groups])
    for k, name in enumerate(sample.base_names):
        code = missing_code(base[:, k])
        if code is not None:
            notes.append(Note(
                "fitting.missing-code", "warning",
                f"{int(np.sum(base[:, k] == code))} respondents have {code:g}, far from all other values.", name,
                "It looks like a code for a missing answer and counts as a number here.",
                f"Set {code:g} to missing first.",
            ))
    return notes


def _scales(solution: Solution) -> list[Note]:
    """Columns whose variances differ by a factor of more than 1,000: rounding errors, and starts far from the end."""
    sample = solution.sample
    made = {product.name for product in sample.products} if sample is not None else set()
    names = solution.table.variables.ov
    keep = [k for k, name in enumerate(names) if name not in made]
    size = np.max([np.diagonal(part.cov[0])[keep] for part in solution.moments], axis=0)
    if not len(size) or size.max() <= SCALE_RATIO * size.min():
        return []
    wide, narrow = names[keep[int(size.argmax())]], names[keep[int(size.argmin())]]
    return [Note(
        "fitting.scale-ratio", "warning",
        f"the variance of {wide} ({size.max():.4g}) is {size.max() / size.min():,.0f} times that of {narrow} "
        f"({size.min():.4g}).", f"{wide}, {narrow}",
        "Columns in very different units: derivatives lose digits and starting values are far off.",
        f"Divide {wide} by a round number (thousands, millions); standardised results do not change.",
    )]


def _sizes(solution: Solution) -> list[Note]:
    """Fewer respondents than parameters; groups smaller than that, or than :data:`SMALL_GROUP`.

    References
    ----------
    Boomsma (1985), Psychometrika 50, 229-242 (non-convergence and improper solutions at N of 25 and 50).
    """
    table, notes = solution.table, []
    nobs = [round(part.nobs) for part in solution.moments]
    if sum(nobs) < solution.n_free:
        notes.append(Note(
            "fitting.few-respondents", "warning", f"{sum(nobs)} respondents for {solution.n_free} free parameters.",
            cause="Errors and tests rest on large samples; sandwich errors cannot even be of full rank.",
            remedy="Use fewer parameters (shorter scales, composites, equal loadings) or more respondents.",
        ))
    if table.n_groups == 1:
        return notes
    for g, count in enumerate(nobs):
        needed = len(set(table.unique[table.block[table.free_rows] == g + 1].tolist()))
        if count < max(needed, SMALL_GROUP):
            notes.append(Note(
                "fitting.small-group", "warning",
                f"{count} respondents for {needed} parameters of this group (a warning is given below "
                f"{max(needed, SMALL_GROUP)}).", f"group {table.groups[g]}",
                "Estimates of a group this small are unstable, and differences between groups rest on it.",
                "Join groups that mean the same, or leave the group out and say so.",
            ))
    return notes
