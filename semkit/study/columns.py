"""The columns a study may name, and those it makes: scores, composites and control variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semkit.errors import Note
from semkit.instrument import Instrument
from semkit.study.schema import CompositeModel, ControlModel, StudyFileModel

if TYPE_CHECKING:
    import pandas as pd

    from semkit.sample import Design


@dataclass(frozen=True)
class Known:
    """What the instruments of a study offer.

    Parameters
    ----------
    items : mapping of item to construct (scored items only)
    constructs : mapping of construct to scored items (first order)
    types : mapping of construct to "reflective", "composite" or "none"
    columns : frozenset of str
        Every analysis column: items, questions, dummies, derived variables, routing marks.
    choices : mapping of question to choice codes
    dummies : mapping of question to mapping of dummy column to choice code
    labels : mapping of name to English words
    """

    items: Mapping[str, str]
    constructs: Mapping[str, tuple[str, ...]]
    types: Mapping[str, str]
    columns: frozenset[str]
    choices: Mapping[str, tuple[str, ...]]
    dummies: Mapping[str, Mapping[str, str]]
    labels: Mapping[str, str]


def known_columns(instruments: Iterable[Instrument]) -> Known:
    """Collect what a study's instruments offer."""
    items: dict[str, str] = {}
    constructs: dict[str, tuple[str, ...]] = {}
    types: dict[str, str] = {}
    columns: set[str] = set()
    choices: dict[str, tuple[str, ...]] = {}
    dummies: dict[str, Mapping[str, str]] = {}
    labels: dict[str, str] = {}
    for form in instruments:
        for construct in form.constructs:
            types[construct.code] = construct.type
            labels[construct.code] = construct.label.en or construct.label.id
            if construct.items:
                constructs[construct.code] = construct.items
                items.update(dict.fromkeys(construct.items, construct.code))
        for item in form.items:
            columns.add(item.name)
            labels[item.name] = item.text.en or item.text.id
        for question in form.questions:
            columns.add(question.name)
            labels[question.name] = question.text.en or question.text.id
            if question.answer == "choice":
                choices[question.name] = tuple(choice.code for choice in question.choices)
                # a choice without a dummy column is the instrument's own base; another base may be wanted here
                dummies[question.name] = {
                    choice.dummy or f"{question.name}_{choice.code}": choice.code
                    for choice in question.choices
                    if not choice.ends
                }
                columns.update(question.dummies)
                labels.update(
                    {
                        choice.dummy: f"{question.name}: {choice.label.en or choice.label.id}"
                        for choice in question.choices
                        if choice.dummy
                    }
                )
        for derived in form.derived:
            columns.add(derived.name)
            labels[derived.name] = derived.label.en or derived.label.id
        columns.update(rule.name for rule in form.routing)
    return Known(items, constructs, types, frozenset(columns), choices, dummies, labels)


def sampling_design(file: StudyFileModel) -> Design | None:
    """The sampling design of a study, or None."""
    from semkit.sample import Design

    return None if file.design is None else Design(**file.design.model_dump())


def with_design(frame: pd.DataFrame, columns: Sequence[str], design: Design | None) -> pd.DataFrame:
    """Some columns of a frame, and those of the design."""
    more = [] if design is None else [design.weights, design.strata, design.cluster, design.fpc]
    return frame[list(dict.fromkeys([*columns, *(name for name in more if name in frame.columns)]))]


def around_means(frame: pd.DataFrame, columns: Sequence[str], rows: np.ndarray, weights: str | None) -> pd.DataFrame:
    """Columns less their means (weighted, under a design) among the respondents of a model."""
    columns = list(columns)
    if not columns or not rows.any():
        return frame
    used = frame.loc[rows, columns].to_numpy(dtype=float)
    mass = None if weights is None else frame.loc[rows, weights].to_numpy(dtype=float)
    return frame.assign(**{name: frame[name] - value for name, value in
                           zip(columns, np.average(used, axis=0, weights=mass), strict=True)})  # fmt: skip


def control_names(control: ControlModel, known: Known) -> tuple[str, ...]:
    """Columns a control stands for before data are seen (the largest category is then the first)."""
    if control.dummies:
        offered = known.dummies.get(control.column, {})
        base = control.base if control.base in offered.values() else next(iter(offered.values()), "")
        return tuple(name for name, code in offered.items() if code != base)
    return (transformed(control),)


def transformed(control: ControlModel) -> str:
    """Name of the column a control enters as."""
    return f"{control.column}_{control.transform}" if control.transform != "none" else control.column


def score_items(name: str, file: StudyFileModel, known: Known) -> tuple[str, ...]:
    """Items a score is the mean of."""
    score = file.scores[name]
    return known.constructs.get(score.of, ()) if score.of else tuple(score.items)


def composite_items(composite: CompositeModel, file: StudyFileModel, known: Known) -> dict[str, tuple[str, ...]]:
    """Items behind each part of a composite."""
    return {part: score_items(part, file, known) for part in composite.parts if part in file.scores}


def add_scores(frame: pd.DataFrame, file: StudyFileModel, known: Known) -> pd.DataFrame:
    """Analysis frame with the study's scores and composites as columns (a composite: the mean of its parts)."""
    from semkit.cleaning.scoring import scale_mean

    made: dict[str, np.ndarray] = {}
    for name, score in file.scores.items():
        items = list(score_items(name, file, known))
        made[name] = scale_mean(frame[items].to_numpy(dtype=float), score.min_answered)
    for name, composite in file.composites.items():
        made[name] = np.mean([made[part] for part in composite.parts], axis=0)
    return frame.assign(**made)


@dataclass(frozen=True)
class ControlColumns:
    """Control variables as columns, and what was left out."""

    frame: pd.DataFrame
    sets: Mapping[str, tuple[str, ...]]
    notes: tuple[Note, ...]


def add_controls(frame: pd.DataFrame, file: StudyFileModel, known: Known) -> ControlColumns:
    """Analysis frame with the control columns; those that are constant in these data are left out and noted."""
    made: dict[str, np.ndarray] = {}
    sets: dict[str, tuple[str, ...]] = {}
    notes: list[Note] = []
    for name, controls in file.controls.items():
        columns: list[str] = []
        for control in controls.variables:
            if control.dummies:
                columns += _dummies(frame, control, known, made, notes)
            else:
                values = frame[control.column].to_numpy(dtype=float)
                made[transformed(control)] = np.log1p(values) if control.transform == "log1p" else values
                columns.append(transformed(control))
        sets[name] = tuple(dict.fromkeys(columns))
    result = frame.assign(**made)
    return ControlColumns(result, sets, tuple(notes))


def _dummies(
    frame: pd.DataFrame, control: ControlModel, known: Known, made: dict[str, np.ndarray], notes: list[Note]
) -> list[str]:
    """0/1 columns of a question's categories but the base; a category without a column is what the others leave."""
    offered = known.dummies[control.column]
    columns = {name: frame[name].to_numpy(dtype=float) for name in offered if name in frame}
    left = [name for name in offered if name not in columns]
    if len(left) == 1 and columns:
        columns[left[0]] = 1.0 - np.sum(list(columns.values()), axis=0)
    sizes = {name: float(np.nansum(values)) for name, values in columns.items()}
    wanted = next((name for name, code in offered.items() if code == control.base), "")
    base = wanted if control.base != "largest" else max(sizes, key=lambda name: sizes[name], default="")
    notes.append(
        Note("study.base-category", "info", f"base category is {offered.get(base, control.base)}", control.column)
    )
    kept = [name for name in offered if name in columns and name != base]
    made.update({name: columns[name] for name in kept})
    return kept


def varying(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Columns that vary among the rows, and those that do not."""
    good: list[str] = []
    constant: list[str] = []
    for name in columns:
        values = frame[name].to_numpy(dtype=float)
        values = values[np.isfinite(values)]
        (good if values.size > 1 and np.ptp(values) > 0 else constant).append(name)
    return good, constant
