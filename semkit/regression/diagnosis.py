"""Diagnoses of a moderated regression, as notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from semkit.errors import Note
from semkit.numerics.codes import missing_code
from semkit.regression.outcome import RegressionRecipe
from semkit.result import FloatArray, Variable

VIF_LIMIT = 10.0
LEVERAGE_LIMIT = 0.5
TAIL_CASES = 10
CASES_PER_COEFFICIENT = 10


def _code_notes(variables: Mapping[str, Variable]) -> list[Note]:
    notes = []
    for name, variable in variables.items():
        code = None if variable.values is None else missing_code(variable.values)
        if code is not None and variable.values is not None:
            notes.append(
                Note(
                    "regression.missing-code",
                    "warning",
                    f"{int(np.sum(variable.values == code))} respondents have {code:g}, far from all other values.",
                    name,
                    "It looks like a code for a missing answer and counts as a number here.",
                    f"Set {code:g} to missing first.",
                )
            )
    return notes


def diagnose(
    recipe: RegressionRecipe,
    variables: Mapping[str, Variable],
    predictors: Sequence[str],
    vif: FloatArray,
    hat: FloatArray,
    nobs: int,
) -> tuple[Note, ...]:
    """Notes on collinearity, leverage, the moderator's tails, its scale, and the sample size.

    Parameters
    ----------
    predictors : sequence of str (k - 1,)
        Columns after the intercept.
    vif : ndarray (k,)
        NaN first.
    hat : ndarray (nobs,)
    """
    notes = _code_notes(variables)
    if nobs < CASES_PER_COEFFICIENT * len(vif):
        notes.append(
            Note(
                "regression.few-cases",
                "warning",
                f"{nobs} cases for {len(vif)} coefficients.",
                "data",
                f"Fewer than {CASES_PER_COEFFICIENT} cases per coefficient: estimates vary from sample to sample.",
                "Use fewer covariates, or read the intervals only.",
            )
        )
    for name, value in zip(predictors, vif[1:], strict=True):
        if value > VIF_LIMIT:
            notes.append(
                Note(
                    "regression.high-vif",
                    "warning",
                    f"variance inflation factor {value:.1f} (over {VIF_LIMIT:.0f}).",
                    name,
                    "Other predictors explain it almost wholly"
                    + ("; the product is not centred." if not recipe.center else "."),
                    "center=True." if not recipe.center else "Leave out or join predictors that say the same.",
                )
            )
    high = np.flatnonzero(hat > LEVERAGE_LIMIT)
    if high.size:
        notes.append(
            Note(
                "regression.high-leverage",
                "warning",
                f"{high.size} respondent(s) with leverage over {LEVERAGE_LIMIT} (largest {hat.max():.2f}).",
                "data",
                "One row alone decides where the surface lies there (Huber 1981).",
                "Check the row for a recording error; compare the results without it.",
            )
        )
    return (*notes, *_moderator_notes(recipe, variables[recipe.moderator]))


def _moderator_notes(recipe: RegressionRecipe, moderator: Variable) -> list[Note]:
    if moderator.values is None:
        return []
    if moderator.binary:
        counts = [int(np.sum(moderator.values == level)) for level in (0.0, 1.0)]
        return [
            Note(
                "regression.binary-moderator",
                "info",
                f"takes 0 ({counts[0]} respondents) and 1 ({counts[1]}) only.",
                recipe.moderator,
                "Simple slopes are those of the two groups; values between have no meaning.",
            )
        ]
    notes = []
    for side, count in (
        ("at or below mean - 1 SD", int(np.sum(moderator.values <= moderator.mean - moderator.sd))),
        ("at or above mean + 1 SD", int(np.sum(moderator.values >= moderator.mean + moderator.sd))),
    ):
        if count < TAIL_CASES:
            notes.append(
                Note(
                    "regression.few-in-tail",
                    "warning",
                    f"only {count} respondents lie {side}.",
                    recipe.moderator,
                    "The moderator is skewed, bounded, or the sample is small.",
                    'Probe at values people have: values="percentiles".',
                )
            )
    return notes
