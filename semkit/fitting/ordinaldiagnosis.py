"""Diagnoses of fits to ordinal indicators, as notes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note
from semkit.fitting import weighting
from semkit.fitting.admissibility import correlations, variances
from semkit.fitting.diagnosis import _sizes
from semkit.fitting.identification import confounded
from semkit.fitting.ordinal import OrdinalSolution

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def diagnose_ordinal(solution: OrdinalSolution) -> tuple[Note, ...]:
    """What a researcher must know about a solution before using it."""
    return (*_convergence(solution), *_sizes(solution), *_identification(solution),
            *variances(solution), *correlations(solution), *weighting.notes(solution))


def _convergence(solution: OrdinalSolution) -> list[Note]:
    if solution.converged:
        return []
    remedy = "Look at the model and at rare categories; simplify the model or give start values."
    if solution.options.parameterization == "theta":
        remedy += " Residual variances cannot be negative under theta: parameterization='delta' shows whether one is."
    return [Note("fitting.not-converged", "error",
                 f"the estimates did not converge: {solution.minimum.attempts} starts were tried (from the "
                 f"correlations, simple values, disturbed ones); the best ended with a discrepancy of "
                 f"{float(solution.minimum.f[0]):.3f}.",
                 cause="The model may be misspecified or not identified, or the sample too small for it.",
                 remedy=remedy)]


def _identification(solution: OrdinalSolution) -> list[Note]:
    """Parameters that can be traded for each other."""
    notes, table = [], solution.table
    if solution.df < 0:
        notes.append(Note("fitting.negative-df", "error", f"{-solution.df} more parameters than moments.",
                          cause="No data can determine them all.", remedy="Free fewer parameters, or add indicators."))
    first = {int(u): int(row) for u, row in reversed(list(zip(table.unique, table.free_rows, strict=True)))}
    for involved in confounded(solution.expected, solution.basis):
        by_model = _by_model(solution, involved)
        if not by_model and not solution.converged:
            continue  # where an estimation broke off says nothing of the model
        names = ", ".join(table.names[first[int(k)]] for k in involved[:8])
        names += f" and {len(involved) - 8} more" if len(involved) > 8 else ""
        if by_model:
            notes.append(Note(
                "fitting.not-identified", "error", "the data do not determine these parameters one by one.", names,
                "They can be traded for each other without changing the fit (a factor without scale, too few "
                "indicators, or thresholds, intercepts and scales that are all free).",
                "Fix one of them, for example a loading at 1 or an intercept at 0."))
        else:
            notes.append(Note(
                "fitting.empirically-not-identified", "error",
                "these data do not determine these parameters one by one, though others could.", names,
                "Something the model leans on is zero here.", "Make loadings equal, take another marker, or add an "
                "indicator."))
    return notes


def _by_model(solution: OrdinalSolution, involved: IntArray) -> bool:
    """Whether the derivatives by these parameters depend on each other at three random points."""
    generator = np.random.default_rng(1)
    theta = np.where(np.isfinite(solution.parameters), solution.parameters, 1.0)
    for _ in range(3):
        point = theta + generator.uniform(0.05, 0.2, theta.shape) * np.maximum(np.abs(theta), 0.2)
        with np.errstate(all="ignore"):
            found = solution.responses.moments(point[None], True)
        rows = [slope[0] for _, slope in found if slope is not None]
        if solution.constraints is not None:
            constraints = solution.constraints
            rows.append(constraints.evaluate(point[None], np.arange(1))[1][0][constraints.equality])
        part = np.vstack(rows)[:, involved]
        length = np.linalg.norm(part, axis=0)
        if not np.all(np.isfinite(length)):
            continue
        values = np.linalg.svd(part / np.where(length > 0.0, length, 1.0), compute_uv=False)
        if not np.any(length == 0.0) and len(values) == len(involved) and values[-1] > 1e-7 * values[0]:
            return False
    return True
