"""Ordinal answers: columns become categories 0, 1, 2 ... in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, Problem, SampleError, spelling
from semkit.numerics.codes import missing_code

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

MAX_CATEGORIES = 50


@dataclass(frozen=True, eq=False)
class OrdinalColumns:
    """A frame whose ordered columns hold categories from 0.

    Parameters
    ----------
    frame : DataFrame
        A copy; the other columns are as they were.
    levels : dict of str to tuple of str
        What each category stands for, by column.
    notes : tuple of Note
    """

    frame: pd.DataFrame
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def ordinal_columns(frame: Any, names: Sequence[str]) -> OrdinalColumns:
    """Number the categories of ordered columns.

    Numbers are ordered by size, an ordered ``Categorical`` by its own order; categories that nobody chose do not count.

    Parameters
    ----------
    frame : DataFrame or object with ``.frame``
    names : sequence of str
        Columns to be read as ordinal.

    Raises
    ------
    SampleError
        ``sample.missing-column``, ``sample.not-ordered``, ``sample.too-many-categories``, ``sample.constant``; all at
        once.
    """
    table = getattr(frame, "frame", frame)
    known = [str(column) for column in getattr(table, "columns", ())]
    problems, notes = [], []
    levels: dict[str, tuple[str, ...]] = {}
    codes: dict[str, FloatArray] = {}
    for name in dict.fromkeys(names):
        where = f'column "{name}"'
        if known.count(name) != 1:
            problems.append(Problem("sample.missing-column", where, "is not in the data", ", ".join(known[:60]),
                                    spelling(name, known)))
            continue
        found = _categories(table[name])
        if found is None:
            problems.append(Problem("sample.not-ordered", where, "holds text or unordered categories",
                                    "numbers, or an ordered Categorical",
                                    "Give the categories an order: pandas.Categorical(values, categories=[...], "
                                    "ordered=True)."))
            continue
        codes[name], levels[name], unused, code = found
        count = len(levels[name])
        if count > MAX_CATEGORIES:
            problems.append(Problem("sample.too-many-categories", where, f"{count} different values",
                                    f"at most {MAX_CATEGORIES} ordered categories",
                                    "Leave it out of ordered=, or join categories."))
        elif count < 2:
            what = f"every answer is {levels[name][0]}" if count else "no answer at all"
            problems.append(Problem("sample.constant", where, what, "two or more categories", "Leave it out."))
        if unused:
            notes.append(Note("sample.unused-category", "info", f"nobody chose {', '.join(unused)}: "
                              f"{count} categories are used.", name))
        if code is not None:
            notes.append(Note(
                "sample.code-as-category", "warning",
                f"{code:g} is far from all other answers and counts as the highest or lowest category.", name,
                "It looks like a code for a missing answer.", f"Set {code:g} to missing first.",
            ))
    if problems:
        raise SampleError(*problems)
    return OrdinalColumns(table.assign(**codes) if codes else table, levels, tuple(notes))


def _categories(column: Any) -> tuple[FloatArray, tuple[str, ...], list[str], float | None] | None:
    """Categories from 0 with NaN for gaps, their names, the unused ones and a suspicious code; None when unordered."""
    categories = getattr(getattr(column, "dtype", None), "categories", None)
    if categories is not None:
        if not column.dtype.ordered:
            return None
        given = np.asarray(column.cat.codes, dtype=np.int64)
        used = np.unique(given[given >= 0])
        place = np.full(len(categories) + 1, np.nan)
        place[used] = np.arange(len(used))
        unused = [str(categories[k]) for k in range(len(categories)) if k not in set(used.tolist())]
        return place[given], tuple(str(categories[k]) for k in used), unused, None
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        return None
    text = column.dtype == object and any(isinstance(value, str) for value in column)
    if text or np.isinf(values).any():
        return None
    seen = ~np.isnan(values)
    different, index = np.unique(values[seen], return_inverse=True)
    out = np.full(len(values), np.nan)
    out[seen] = index
    return out, tuple(f"{value:g}" for value in different), [], missing_code(values)


def empty_categories(codes: FloatArray, count: int) -> list[int]:
    """Categories of one group's column ``(n,)`` that nobody chose."""
    seen = codes[~np.isnan(codes)].astype(np.int64)
    return np.flatnonzero(np.bincount(seen, minlength=count) == 0).tolist()
