"""Paper forms typed in twice: the cells in which the two entries differ, and the answers once all are decided."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from semkit.errors import Problem, ResponseError
from semkit.instrument import Instrument
from semkit.responses.numbers import Decimal, whole
from semkit.responses.reading import read_responses
from semkit.responses.records import Limits, Responses
from semkit.responses.sheet import place
from semkit.responses.targets import fold
from semkit.writing import write_csv

KEY, TYPIST = "respondent_id", "entered_by"
COLUMNS = ("respondent_id", "column", "first", "second", "row_first", "row_second", "decision")
_COMPARED = ("item", "question", "option", "quality")


@dataclass(frozen=True, eq=False)
class Reconciliation:
    """What two entries of the same forms agree and differ on.

    Parameters
    ----------
    differences : DataFrame
        One row a cell that differs and is not decided: ``respondent_id``, ``column``, ``first``, ``second``, their
        rows, ``decision`` (empty, to be filled in).
    only_first, only_second : tuple of str
        Respondents that only one of the two entries has.
    compared : int
        Cells that were compared.
    responses : Responses or None
        The answers, when every cell agrees or is decided and nobody is missing on one side; else None.
    """

    differences: pd.DataFrame
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    compared: int
    responses: Responses | None

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the differing cells as CSV; fill in ``decision`` from the paper form and give the file back."""
        return write_csv(path, COLUMNS, self.differences.to_numpy(dtype=object).tolist())

    def __repr__(self) -> str:
        alone = len(self.only_first) + len(self.only_second)
        return (
            f"<Reconciliation: {self.compared} cells compared, {len(self.differences)} differ, "
            f"{alone} respondents entered once, {'complete' if self.responses is not None else 'not complete'}>"
        )


def reconcile(
    first: str | os.PathLike[str] | pd.DataFrame,
    second: str | os.PathLike[str] | pd.DataFrame | None,
    forms: Instrument | Sequence[Instrument],
    *,
    decisions: str | os.PathLike[str] | None = None,
    decimal: Decimal | None = None,
    limits: Limits | None = None,
) -> Reconciliation:
    """Compare two entries of the same paper forms cell by cell; nothing is guessed.

    Parameters
    ----------
    first, second : path or DataFrame
        Data-entry workbooks (or CSV files) with ``respondent_id``.  ``second`` None: both entries stand in ``first``
        and ``entered_by`` tells them apart.
    forms : Instrument or sequence of Instrument
    decisions : path, optional
        The list written by :meth:`Reconciliation.write` with ``decision`` filled in.
    decimal : {".", ","}, optional
        Decimal sign of numbers in CSV files, for both entries and for decisions; see :func:`read_responses`.
    limits : Limits, optional

    Returns
    -------
    Reconciliation

    Raises
    ------
    ResponseError
        ``responses.bad-entry`` (no or doubled respondent numbers, not two typists, unknown decisions) and what
        :func:`read_responses` says of either file.

    Examples
    --------
    >>> from semkit import load_instrument
    >>> form = load_instrument("government_role")
    >>> one = pd.DataFrame({"respondent_id": ["7"]} | {item.name: ["4"] for item in form.items})
    >>> found = reconcile(one, one.assign(gr_fac_2="5"), form)
    >>> found.differences[["column", "first", "second"]].to_numpy().tolist(), found.responses is None
    ([['gr_fac_2', '4', '5']], True)
    """
    one, two = _both(first, second, forms, decimal, limits)
    wrong = [problem for side in (one, two) for problem in _keys(side)]
    if wrong:
        raise ResponseError(*wrong)
    left, right = one.raw.set_index(KEY, drop=False), two.raw.set_index(KEY, drop=False)
    common = [name for name in left.index if name in set(right.index)]
    columns = _compared(one, two)
    differences, cells = _differences(left, right, common, columns, one, two)
    decided = _decisions(decisions, differences, limits) if decisions is not None else {}
    open_ = differences[[pair not in decided for pair in _pairs(differences)]].reset_index(drop=True)
    only_first = tuple(str(name) for name in left.index if name not in set(right.index))
    only_second = tuple(str(name) for name in right.index if name not in set(left.index))
    answers = None
    if not len(open_) and not only_first and not only_second:
        final = left.copy()
        for (respondent, column), value in decided.items():
            final.loc[respondent, column] = value
        # what was read without a declared sign has a point, if any: workbooks store numbers, commas were refused
        answers = read_responses(final.reset_index(drop=True), forms, decimal=decimal or ".", limits=limits)
    return Reconciliation(open_, only_first, only_second, cells, answers)


def _both(
    first: str | os.PathLike[str] | pd.DataFrame,
    second: str | os.PathLike[str] | pd.DataFrame | None,
    forms: Instrument | Sequence[Instrument],
    decimal: Decimal | None,
    limits: Limits | None,
) -> tuple[Responses, Responses]:
    if second is not None:
        read = []
        problems: list[Problem] = []
        for side in (first, second):
            try:
                read.append(read_responses(side, forms, decimal=decimal, limits=limits))
            except ResponseError as error:
                problems += error.problems
        if problems:
            raise ResponseError(*problems)
        return read[0], read[1]
    whole_entry = read_responses(first, forms, decimal=decimal, limits=limits)
    typists = whole_entry.raw[TYPIST].str.strip() if TYPIST in whole_entry.raw else pd.Series(dtype=object)
    known = [name for name in dict.fromkeys(typists) if name]
    if len(known) != 2 or bool((typists == "").any()):
        raise ResponseError(
            Problem("responses.bad-entry", f'column "{TYPIST}"', f"{len(known)} typists, or rows without one",
                    "two typists, one named in each row", "Fill in entered_by, or give the two files.")
        )  # fmt: skip
    one, two = (whole_entry.raw[typists == name].reset_index(drop=True) for name in known)
    sign = decimal or "."
    return (
        read_responses(one, forms, decimal=sign, limits=limits),
        read_responses(two, forms, decimal=sign, limits=limits),
    )


def _keys(side: Responses) -> list[Problem]:
    where = side.path.name if side.path is not None else "entry"
    if KEY not in side.raw.columns:
        return [Problem("responses.bad-entry", where, f'there is no column "{KEY}"', f"a column {KEY}",
                        "Use the data-entry workbook.")]  # fmt: skip
    keys = side.raw[KEY].str.strip()
    problems = []
    checks = (
        (keys == "", "the respondent number is empty"),
        (keys.ne("") & keys.duplicated(keep=False), "a respondent number stands there twice"),
    )
    for wrong, what in checks:
        if bool(wrong.any()):
            rows = side.raw.index[wrong.to_numpy()].to_numpy()
            problems.append(
                Problem("responses.bad-entry", f'{where}, column "{KEY}", {place(rows)}', what,
                        "each respondent once", "Compare with the paper forms.")
            )  # fmt: skip
    return problems


def _compared(one: Responses, two: Responses) -> list[str]:
    """Columns that hold answers in both entries; free text stays out of the list, it may say who somebody is."""
    text = {q.name for form in one.forms for q in form.questions if q.answer in ("text", "time")}
    used = {s.header for side in (one, two) for s in side.sources if s.kind in _COMPARED and s.target not in text}
    return [name for name in one.raw.columns if name in used and name in two.raw.columns]


def _same(a: str, b: str) -> bool:
    if fold(a) == fold(b):
        return True
    number = whole(a)
    return number is not None and number == whole(b)


def _differences(
    left: pd.DataFrame,
    right: pd.DataFrame,
    common: Sequence[str],
    columns: Sequence[str],
    one: Responses,
    two: Responses,
) -> tuple[pd.DataFrame, int]:
    names = list(columns)
    a, b = (side.reindex(list(common))[names].to_numpy() for side in (left, right))
    rows_a = pd.Series(one.raw.index, index=left.index)
    rows_b = pd.Series(two.raw.index, index=right.index)
    found = [
        (common[i], columns[j], a[i, j], b[i, j], int(rows_a[common[i]]), int(rows_b[common[i]]), "")
        for i, j in np.argwhere(np.asarray(a != b, dtype=bool)).tolist()
        if not _same(str(a[i, j]), str(b[i, j]))
    ]
    return pd.DataFrame(found, columns=list(COLUMNS)), int(a.size)


def _pairs(differences: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(differences["respondent_id"].astype(str), differences["column"].astype(str), strict=True))


def _decisions(
    path: str | os.PathLike[str], differences: pd.DataFrame, limits: Limits | None
) -> Mapping[tuple[str, str], str]:
    """Decisions by respondent and column; one that decides nothing is a problem."""
    from semkit.responses.delimited import read_delimited
    from semkit.responses.mapping import read_bytes
    from semkit.responses.workbook import read_workbook

    path = Path(path)
    content = read_bytes(path, limits or Limits())
    if path.suffix.casefold() == ".xlsx":
        table = read_workbook(content, path.name, limits or Limits())
    else:
        table = read_delimited(content, path.name, limits or Limits(), known=lambda name: name in COLUMNS)
    lacking = [name for name in ("respondent_id", "column", "decision") if name not in table.header]
    if lacking:
        raise ResponseError(
            Problem("responses.bad-entry", f"{path.name}, row 1", f"no column {', '.join(lacking)}", ", ".join(COLUMNS),
                    "Use the list that Reconciliation.write wrote.")
        )  # fmt: skip
    cells = [table.cells[table.header.index(name)] for name in ("respondent_id", "column", "decision")]
    open_ = set(_pairs(differences))
    decided, odd = {}, []
    for row, respondent, column, decision in zip(table.rows, *cells, strict=True):
        pair = (respondent.strip(), column.strip())
        if not decision.strip():
            continue
        if pair not in open_ or pair in decided:
            odd.append(int(row))
        decided[pair] = decision.strip()
    if odd:
        raise ResponseError(
            Problem("responses.bad-entry", f"{path.name}, {place(odd)}", "it does not differ, or is decided twice",
                    "one decision for each differing cell", "Write the list again.")
        )  # fmt: skip
    return decided
