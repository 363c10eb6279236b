"""Diagnoses of a probe, as notes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semkit.errors import Note
from semkit.probe.equation import Equation
from semkit.result import FloatArray, Result, Variable


def diagnose(
    result: Result, equation: Equation, variable: Variable, chosen: FloatArray, roots: pd.DataFrame
) -> tuple[Note, ...]:
    """Notes on the result, the moderator's values and what lies outside them.

    Parameters
    ----------
    variable : Variable
        The moderator.
    chosen : ndarray (m,)
        Probed values.
    roots : DataFrame
        As in :class:`semkit.probe.Probe`.
    """
    notes = []
    if not result.admissible:
        notes.append(
            Note(
                "probe.inadmissible",
                "warning",
                "the result has inadmissible estimates; its slopes are shown but should not be relied on.",
                result.method,
                remedy="Read result.notes for the parameter.",
            )
        )
    if equation.held:
        notes.append(
            Note(
                "probe.other-products",
                "info",
                f"{equation.focal} is also multiplied by {', '.join(equation.held)}: held at the mean.",
                equation.moderator,
                remedy="Choose other values with at={...}, or probe along two moderators at once.",
            )
        )
    return (*notes, *_scale_notes(variable), *_reach_notes(variable, chosen, roots))


def _scale_notes(variable: Variable) -> list[Note]:
    notes = []
    if variable.values is None:
        what = "the result has no respondents' values; shares are not known."
        notes.append(Note("probe.no-values", "info", what, variable.name))
    elif variable.kind == "latent":
        what = "shares of respondents count factor scores, which vary less than the latent variable itself."
        notes.append(Note("probe.factor-scores", "info", what, variable.name))
    if variable.binary:
        what = "takes 0 and 1 only; values between have no meaning."
        notes.append(Note("probe.binary-moderator", "info", what, variable.name))
    return notes


def _reach_notes(variable: Variable, chosen: FloatArray, roots: pd.DataFrame) -> list[Note]:
    notes = []
    outside = chosen[(chosen < variable.minimum) | (chosen > variable.maximum)]
    if outside.size:
        notes.append(
            Note(
                "probe.value-outside-data",
                "warning",
                f"no respondent reaches {', '.join(f'{value:.4g}' for value in outside)}"
                f" (observed {variable.minimum:.4g} to {variable.maximum:.4g}).",
                variable.name,
                "The slope there is extrapolated.",
                'Probe at values people have: values="percentiles".',
            )
        )
    if len(roots) and not roots["inside_data"].all() and np.isfinite(variable.minimum):
        far = ", ".join(f"{value:.4g}" for value in roots.loc[~roots["inside_data"], "value"])
        what = f"significance also changes at {far}, outside the observed data."
        notes.append(Note("probe.region-outside-data", "info", what, variable.name))
    return notes
