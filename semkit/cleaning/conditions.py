"""Conditions of routing and derived variables, answered for all respondents at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semkit.instrument import Condition, Instrument

FloatArray = NDArray[np.float64]


def truth(value: NDArray[np.bool_], known: NDArray[np.bool_]) -> FloatArray:
    """1 true, 0 false, NaN unknown."""
    return np.where(known, value.astype(np.float64), np.nan)


def holds(
    condition: Condition, coded: pd.DataFrame, form: Instrument, made: Mapping[str, FloatArray] | None = None
) -> FloatArray:
    """Whether a condition holds: 1, 0, or NaN where the answer is missing.

    Parameters
    ----------
    condition : Condition
    coded : DataFrame (n, columns)
        Codes as read; select-multiple questions as ``question/choice``.
    form : Instrument
    made : mapping of str to ndarray (n,), optional
        Numbers that take precedence over ``coded`` (analysis values without special codes).
    """
    name = condition.question
    size = len(coded)
    if condition.unanswered:
        return _unanswered(name, coded, form)
    ticks = [f"{name}/{code}" for code in condition.any_of if f"{name}/{code}" in coded.columns]
    if ticks:
        table = coded[ticks].to_numpy(dtype=float)
        return truth((np.nan_to_num(table) == 1.0).any(axis=1), ~np.isnan(table).all(axis=1))
    if condition.any_of:
        if name not in coded.columns:
            return np.full(size, np.nan)
        codes = coded[name].to_numpy(dtype=object)
        specials = {str(special.code) for special in form.specials}
        known = np.array(
            [code is not None and code == code and str(code) not in specials for code in codes], dtype=bool
        )
        return truth(np.isin(codes.astype(str), condition.any_of), known)
    if made is not None and name in made:
        values = made[name]
    elif name in coded.columns and pd.api.types.is_numeric_dtype(coded[name]):
        values = coded[name].to_numpy(dtype=float)
    else:
        return np.full(size, np.nan)
    low = -np.inf if condition.at_least is None else condition.at_least
    high = np.inf if condition.at_most is None else condition.at_most
    return truth((values >= low) & (values <= high), ~np.isnan(values))


def _unanswered(name: str, coded: pd.DataFrame, form: Instrument) -> FloatArray:
    """1 where the cell is empty or holds a special code, 0 where an answer stands; NaN when the column is not there."""
    if name not in coded.columns:
        return np.full(len(coded), np.nan)
    codes = coded[name].to_numpy(dtype=object)
    offered = {str(code) for code in form.question(name).special}
    empty = np.array([code is None or code != code or str(code).removesuffix(".0") in offered for code in codes])
    return truth(empty.astype(bool), np.ones(len(codes), dtype=bool))
