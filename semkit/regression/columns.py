"""A frame becomes the columns of a moderated regression; every problem is reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semkit.errors import Note, OptionError, Problem, SampleError, spelling
from semkit.result import FloatArray, Variable

MAX_LEVELS = 50


@dataclass(frozen=True, eq=False)
class Columns:
    """Complete cases of the variables of one regression.

    Parameters
    ----------
    names : tuple of str
        Outcome, focal, moderator, then covariates; a factor has one name per dummy, ``"region[Sambas]"``.
    values : ndarray (n, len(names))
    nobs_received : int
    notes : tuple of Note
    rows : ndarray (n,) of int
        Positions of the complete cases in the data.
    """

    names: tuple[str, ...]
    values: FloatArray
    nobs_received: int
    notes: tuple[Note, ...] = ()
    rows: NDArray[np.int64] | None = None

    def column(self, name: str) -> FloatArray:
        """Values of one column."""
        return np.asarray(self.values[:, self.names.index(name)])


def frame_of(data: Any) -> pd.DataFrame:
    """Return the DataFrame itself, or the ``.frame`` of a record that has one.

    Raises
    ------
    OptionError
        ``regression.data``.
    """
    frame = getattr(data, "frame", data)
    if not isinstance(frame, pd.DataFrame):
        raise OptionError(
            Problem(
                "regression.data",
                "data",
                f"a {type(data).__name__} was given",
                "a pandas DataFrame, or a record with a .frame",
                "Pass the cleaned data.",
            )
        )
    return frame


def _name_problems(frame: pd.DataFrame, roles: Mapping[str, Sequence[str]]) -> list[Problem]:
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    known = [str(name) for name in frame.columns]
    for role, names in roles.items():
        for name in names:
            if name in seen:
                problems.append(
                    Problem(
                        "regression.repeated-variable",
                        role,
                        f'"{name}" is already the {seen[name]}',
                        "each variable has one role",
                        "Name another column.",
                    )
                )
            elif known.count(name) == 0:
                problems.append(
                    Problem(
                        "regression.unknown-column",
                        role,
                        f'the data have no column "{name}"',
                        ", ".join(known[:30]),
                        spelling(str(name), known),
                    )
                )
            elif known.count(name) > 1:
                problems.append(
                    Problem(
                        "regression.duplicate-column",
                        role,
                        f'the data have {known.count(name)} columns "{name}"',
                        "one column of each name",
                        "Rename the columns.",
                    )
                )
            seen.setdefault(name, role)
    return problems


def _value_problem(series: pd.Series, name: str, role: str) -> Problem | None:
    if not (pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series)):
        return Problem(
            "regression.not-numeric",
            f'{role} "{name}"',
            f"values are of type {series.dtype}",
            "numbers",
            "Code the answers as numbers; a covariate of names belongs into factors=.",
        )
    if np.iscomplexobj(series.to_numpy()):
        return Problem("regression.not-numeric", f'{role} "{name}"', "complex numbers", "real numbers", "Recode.")
    if np.isinf(series.to_numpy(dtype=float, na_value=np.nan)).any():
        return Problem(
            "regression.infinite",
            f'{role} "{name}"',
            "has infinite values",
            "finite numbers or missing",
            "Set them to missing, or mend the division they come from.",
        )
    return None


def _dummies(series: pd.Series, name: str, reference: Any) -> tuple[list[str], FloatArray] | Problem:
    levels = sorted(series.dropna().unique(), key=lambda level: (str(type(level)), level))
    if not 2 <= len(levels) <= MAX_LEVELS:
        return Problem(
            "regression.levels",
            f'factor "{name}"',
            f"has {len(levels)} levels among the complete cases",
            f"2 to {MAX_LEVELS}",
            "Drop it, or join rare levels.",
        )
    if reference is None:
        reference = levels[0]
    if reference not in levels:
        return Problem(
            "regression.unknown-level",
            f'factor "{name}"',
            f'reference level "{reference}" does not occur',
            ", ".join(map(str, levels)),
            spelling(str(reference), map(str, levels)),
        )
    kept = [level for level in levels if level != reference]
    values = np.column_stack([(series == level).to_numpy(dtype=float) for level in kept])
    return [f"{name}[{level}]" for level in kept], values


def make_columns(
    data: Any,
    outcome: str,
    focal: str,
    moderator: str,
    covariates: Sequence[str],
    factors: Mapping[str, Any],
    weighted: NDArray[np.bool_] | None = None,
) -> Columns:
    """Check the names and values, drop incomplete rows and code the factors.

    Parameters
    ----------
    data : DataFrame, or anything with a ``.frame``
    outcome, focal, moderator : str
    covariates : sequence of str
        Numeric covariates and the names of factors, in the order of the table.
    factors : mapping of str to object
        Categorical covariates with their reference level (None: the first in order).
    weighted : ndarray (n,) of bool, optional
        Rows that count at all (sampling weight above 0).

    Raises
    ------
    OptionError
        Unknown, repeated or ambiguous names.
    SampleError
        Values that are no numbers, infinite or constant; factors without two levels.
    """
    frame = frame_of(data)
    every = [*covariates, *(name for name in factors if name not in covariates)]
    roles = {"outcome": [outcome], "focal": [focal], "moderator": [moderator], "covariate": every}
    problems = _name_problems(frame, roles)
    if problems:
        raise OptionError(*problems)
    labelled = frame.set_axis([str(name) for name in frame.columns], axis=1)
    chosen = labelled[[outcome, focal, moderator, *every]]
    for role, names in roles.items():
        for name in names:
            if name not in factors and (problem := _value_problem(chosen[name], name, role)):
                problems.append(problem)
    if problems:
        raise SampleError(*problems)
    complete = chosen.notna().all(axis=1).to_numpy()
    used = chosen[complete if weighted is None else complete & weighted]
    rows = np.flatnonzero(complete if weighted is None else complete & weighted)
    check_number(len(used), chosen.shape[1] + 1)  # less the outcome, plus product and intercept
    names, blocks = [], []
    for name in chosen.columns:
        coded = (
            _dummies(used[name], name, factors[name])
            if name in factors
            else ([name], used[[name]].to_numpy(dtype=float))
        )
        if isinstance(coded, Problem):
            problems.append(coded)
            continue
        names += coded[0]
        blocks.append(coded[1])
    if problems:
        raise SampleError(*problems)
    return Columns(tuple(names), np.column_stack(blocks), len(frame), _dropped_note(chosen, int(complete.sum())), rows)


def _dropped_note(chosen: pd.DataFrame, used: int) -> tuple[Note, ...]:
    if used == len(chosen):
        return ()
    missing = chosen.isna().sum().sort_values(ascending=False)
    most = ", ".join(f"{name} {count}" for name, count in missing[missing > 0].head(5).items())
    return (
        Note(
            "regression.listwise",
            "info",
            f"{len(chosen) - used} of {len(chosen)} respondents have a missing value and are left out ({most}).",
            remedy="Leaving them out does no harm when being incomplete does not depend on the outcome.",
        ),
    )


def check_number(cases: int, coefficients: int) -> None:
    """Raise ``regression.too-few`` unless two degrees of freedom are left."""
    if cases < coefficients + 2:
        raise SampleError(
            Problem(
                "regression.too-few",
                "data",
                f"{cases} complete cases for {coefficients} coefficients",
                f"at least {coefficients + 2}",
                "Use fewer covariates, or deal with the missing values.",
            )
        )


def check_design(design: FloatArray, names: Sequence[str], outcome: FloatArray, outcome_name: str) -> None:
    """Raise when least squares has no unique answer for these columns.

    Raises
    ------
    SampleError
        ``regression.too-few``, ``regression.constant``, ``regression.collinear``.
    """
    check_number(*design.shape)
    named = [*zip(names[1:], design[:, 1:].T, strict=True), (outcome_name, outcome)]
    constant = [name for name, column in named if np.ptp(column) <= 1e-12 * max(1.0, float(np.abs(column).max()))]
    # the product of a constant is constant, too: the variable is the cause to name
    causes = [name for name in constant if name != names[3]] or constant
    if causes:
        raise SampleError(
            *(
                Problem(
                    "regression.constant",
                    f'variable "{name}"',
                    "has the same value for every complete case",
                    "a variable that varies",
                    "Leave it out.",
                )
                for name in causes
            )
        )
    scaled = (design[:, 1:] - design[:, 1:].mean(axis=0)) / design[:, 1:].std(axis=0)
    _, singular, right = np.linalg.svd(scaled, full_matrices=False)
    if singular[-1] < 1e-7 * singular[0]:
        involved = [name for name, part in zip(names[1:], right[-1], strict=True) if abs(part) > 1e-4]
        raise SampleError(
            Problem(
                "regression.collinear",
                ", ".join(involved),
                "one of these is a linear function of the others",
                "linearly independent predictors",
                "Leave one of them out.",
            )
        )


def describe(values: FloatArray, name: str, center: float = 0.0, weights: FloatArray | None = None) -> Variable:
    """Return the moments (weighted if there are weights), range and values of one column."""
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    if weights is not None:
        mean = float(np.average(values, weights=weights))
        sd = float(np.sqrt(np.average((values - mean) ** 2, weights=weights) * len(values) / (len(values) - 1.0)))
    return Variable(
        name,
        "observed",
        mean,
        sd,
        float(values.min()),
        float(values.max()),
        values,
        center,
        bool(np.isin(values, (0.0, 1.0)).all()),
    )
