"""Diagnoses of an estimated model, as notes: what was found, where, why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from semkit.errors import Note
from semkit.numerics.codes import missing_code

if TYPE_CHECKING:
    from semkit.fitting.solution import Solution


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


def diagnose(solution: Solution) -> tuple[Note, ...]:
    """What a researcher must know about a solution before using it."""
    notes: list[Note] = []
    if not solution.converged:
        notes.append(Note(
            "fitting.not-converged", "error", "the estimates did not converge.",
            cause="The model may be misspecified or not identified, or the sample too small for it.",
            remedy="Look at the model and the data; simplify the model or give start() values.",
        ))
    notes += _codes(solution)
    notes += _identification(solution)
    for g, (block, implied) in enumerate(zip(solution.layout.blocks, solution.implied, strict=True)):
        suffix = f" (group {solution.table.groups[g]})" if solution.table.n_groups > 1 else ""
        notes += _variances(solution, g, suffix)
        latent = [k for k, name in enumerate(block.eta) if name in solution.table.variables.lv]
        if latent:
            cov = implied.eta_cov[0][np.ix_(latent, latent)]
            if np.all(np.isfinite(cov)) and np.linalg.eigvalsh(cov)[0] < -1e-8 * max(np.abs(cov).max(), 1e-300):
                names = ", ".join(block.eta[k] for k in latent)
                notes.append(Note(
                    "fitting.latent-covariance-not-positive-definite", "error",
                    "the covariance matrix of the latent variables is not positive definite.", names + suffix,
                    "Two of them may be the same thing, or one is a linear function of others.",
                    "Look at their correlations; join or drop one.",
                ))
    return tuple(notes)


def _variances(solution: Solution, g: int, suffix: str) -> list[Note]:
    table, notes = solution.table, []
    for k, row in enumerate(table.free_rows):
        if table.block[row] != g + 1 or table.op[row] != "~~" or table.lhs[row] != table.rhs[row]:
            continue
        value = float(solution.theta[table.unique[k]])
        if value < -1e-10:
            notes.append(Note(
                "fitting.negative-variance", "error", f"the estimated variance is negative ({value:.4g}).",
                f"{table.lhs[row]} ~~ {table.rhs[row]}{suffix}",
                "Often too small a sample, an indicator that measures something else, or two indicators only.",
                "Look at the indicator; a variance that is 0 within its error may be fixed at 0.",
            ))
    return notes


def _identification(solution: Solution) -> list[Note]:
    basis = solution.basis
    inner = basis.T @ solution.expected @ basis
    if inner.size == 0 or not np.all(np.isfinite(inner)):
        return []
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(inner), 1e-300))
    scaled = inner * scale[:, None] * scale[None, :]
    values, vectors = np.linalg.eigh(scaled)
    if values[0] > 1e-9 * values[-1]:
        if solution.df < 0:
            return [Note("fitting.negative-df", "error", f"{-solution.df} more parameters than moments.",
                         cause="The model is not identified.", remedy="Free fewer parameters.")]
        return []
    weight = np.abs(basis @ (scale * vectors[:, 0]))
    weight = weight * np.sqrt(np.maximum(np.diagonal(solution.expected), 0.0))
    table = solution.table
    involved = [k for k in range(solution.layout.n_parameters) if weight[k] > 0.1 * weight.max()]
    first = {int(u): int(row) for u, row in reversed(list(zip(table.unique, table.free_rows, strict=True)))}
    names = ", ".join(table.names[first[k]] for k in involved[:8])
    return [Note(
        "fitting.not-identified", "error", "the data do not determine these parameters one by one.", names,
        "They can be traded for each other without changing the fit (a factor without scale, or too few indicators).",
        "Fix one of them, for example a loading at 1, or add indicators.",
    )]
