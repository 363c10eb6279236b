"""Samples with missing values: who can be used, and whether every pair of columns meets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, Problem, SampleError
from semkit.sample.arrays import Group
from semkit.sample.dependence import dependent_columns, flat

FloatArray = NDArray[np.float64]


def usable(base: FloatArray, names: Sequence[str], complete: Sequence[str]) -> NDArray[np.bool_]:
    """Rows ``(n,)`` with any value, and with all values of the columns that must be complete."""
    seen = ~np.isnan(base)
    must = [names.index(name) for name in complete if name in names]
    return np.asarray(seen.any(axis=1) & seen[:, must].all(axis=1))


def empty_rows(base: FloatArray) -> tuple[Note, ...]:
    """A note on respondents without any value."""
    empty = int(np.isnan(base).all(axis=1).sum())
    if not empty:
        return ()
    return (Note("sample.all-missing-rows", "info",
                 f"{empty} of {len(base)} respondents have no value in any model column and are left out.",
                 cause="Empty lines of a spreadsheet, interviews that were never held, or columns named wrongly.",
                 remedy="Look at them; they carry no information under any method."),)


def gap_notes(
    base: FloatArray, codes: NDArray[np.int64], names: Sequence[str], complete: Sequence[str],
    used: NDArray[np.bool_], products: bool,
) -> tuple[Note, ...]:
    """Who was left out and why, and what full information rests on."""
    notes = [*empty_rows(base)]
    seen = ~np.isnan(base)
    received, nobs = len(base), int(used.sum())
    must = [names.index(name) for name in complete if name in names]
    without = int((seen.any(axis=1) & ~seen[:, must].all(axis=1)).sum())
    if without:
        notes.append(Note("sample.covariate-gap", "warning",
                          f"{without} of {received} respondents lack a fixed covariate and are left out.",
                          ", ".join(complete), "Nothing is assumed of the distribution of fixed covariates.",
                          "Use missing='fiml.x' to keep them, if the covariates may be taken as normal."))
    outside = int((codes < 0).sum())
    if outside:
        notes.append(Note("sample.no-group", "info", f"{outside} of {received} respondents belong to no group used."))
    if nobs and not seen[used].all():
        share = float((~seen[used]).mean())
        notes.append(Note("sample.full-information", "info",
                          f"{nobs} of {received} respondents are used, {share:.1%} of their values are missing.",
                          cause="Full information assumes that gaps depend on observed values only."))
        if products:
            notes.append(Note("sample.products-with-gaps", "warning",
                              "products of incomplete variables are missing whenever one factor is.",
                              cause="Full information is then biased unless values are missing completely at random.",
                              remedy="Compare with missing='listwise'."))
    return tuple(notes)


def check_overlap(groups: Sequence[Group], names: Sequence[str]) -> None:
    """Every column varies in every group, and any two have respondents in common.

    Raises
    ------
    SampleError
        ``sample.too-few``, ``sample.constant``, ``sample.never-together``.
    """
    problems = []
    for group in groups:
        where = f'group "{group.label}"' if group.label else "data"
        seen = ~np.isnan(group.data)
        n, p = group.data.shape
        if n <= p:
            problems.append(Problem("sample.too-few", where, f"{n} respondents for {p} variables",
                                    f"at least {p + 1}", "Use fewer variables or more respondents."))
            continue
        low = np.min(group.data, axis=0, where=seen, initial=np.inf)
        high = np.max(group.data, axis=0, where=seen, initial=-np.inf)
        constant = [names[k] for k in range(p) if not seen[:, k].any() or flat(low, high)[k]]
        if constant:
            problems.append(Problem("sample.constant", where, f"constant in this group: {', '.join(constant)}",
                                    "columns that vary", "Leave them out or join groups."))
        together = seen.T.astype(np.int64) @ seen.astype(np.int64)
        never = [f"{names[i]} and {names[j]}" for i in range(p) for j in range(i) if together[i, j] < 2]
        if never:
            problems.append(Problem("sample.never-together", where,
                                    f"hardly anyone answered both {'; '.join(never[:8])}",
                                    "2 or more respondents with both", "Leave one of the columns out."))
        if not constant:
            problems += dependent_columns(group.data, names, where)
    if problems:
        raise SampleError(*problems)
