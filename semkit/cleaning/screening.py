"""Who leaves before quality is looked at: copies, no consent, screened out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semkit.cleaning.ledger import EXCLUDED, Ledger
from semkit.errors import Note
from semkit.instrument import Instrument, Question
from semkit.responses import Responses

BoolArray = NDArray[np.bool_]
IDENTIFIERS = ("_uuid", "_id", "KEY", "instanceID", "meta/instanceID")


def find_duplicates(keys: pd.DataFrame, device: pd.Series, answered: BoolArray) -> BoolArray:
    """Copies of an earlier row: same device and same answers; the first is kept.

    Parameters
    ----------
    keys : DataFrame (n, columns)
        All coded answers; empty cells equal empty cells.
    device : Series (n,)
        Device or submission identifier; rows without one cannot be told apart and are no copies.
    answered : ndarray (n,) of bool
        The row holds an answer to some item: two empty interviews from one device are no copies.

    Returns
    -------
    ndarray (n,) of bool

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [1.0, 1.0, 1.0]})
    >>> find_duplicates(answers, pd.Series(["d1", "d1", "d2"]), np.array([True, True, True])).tolist()
    [False, True, False]
    """
    known = device.notna().to_numpy() & (device.astype(str) != "").to_numpy() & answered
    known &= device.where(pd.Series(known, index=device.index)).duplicated(keep=False).to_numpy()  # others are alone
    table = keys.copy(deep=False)
    table.insert(0, "", device.astype(object).to_numpy())
    out = np.zeros(len(keys), dtype=bool)
    out[known] = table[known].duplicated(keep="first").to_numpy()
    return out


def mark_duplicates(responses: Responses, answered: BoolArray, ledger: Ledger) -> tuple[BoolArray, list[Note]]:
    """Find the copies among the received rows by device, or by the platform's own identifier."""
    keys, quality = responses.coded, responses.quality
    copies = find_duplicates(keys, quality["device_hash"], answered)
    ledger.add(copies, "duplicate", "same device, same answers", "first kept", EXCLUDED)
    for name in IDENTIFIERS:
        if name in responses.raw.columns:
            again = find_duplicates(keys, responses.raw[name].str.strip().replace("", None), answered) & ~copies
            ledger.add(again, "duplicate", f"same {name}, same answers", "first kept", EXCLUDED)
            copies |= again
    alike = keys.duplicated(keep="first").to_numpy() & answered & ~copies
    notes = []
    if alike.any() and quality["device_hash"].isna().all():
        notes.append(
            Note("cleaning.identical-answers", "info",
                 f"{int(alike.sum())} respondents gave the same answers as an earlier one and were kept", "",
                 "Without device_hash nobody can tell a copy from a coincidence.",
                 "Record device_hash, or look at these rows.")
        )  # fmt: skip
    return copies, notes


def mark_no_consent(
    responses: Responses, form: Instrument, waiting: BoolArray, ledger: Ledger
) -> tuple[BoolArray, list[Note]]:
    """Respondents who did not say yes to the consent question; an empty answer is no consent."""
    out = np.zeros(len(waiting), dtype=bool)
    notes: list[Note] = []
    for question in form.section("consent"):
        codes = responses.coded.get(question.name)
        if codes is None or bool(codes.isna().all()):
            notes.append(
                Note("cleaning.no-consent-column", "warning", "consent was not recorded, so nobody was excluded for it",
                     question.name, "", "Make sure that consent was given in another way.")
            )  # fmt: skip
            continue
        ends = {choice.code for choice in question.choices if choice.ends}
        hit = waiting & ~out & (codes.isna() | codes.isin(ends)).to_numpy()
        ledger.add(hit, "no consent", codes.to_numpy(dtype=object), "consent given", EXCLUDED, question.name)
        out |= hit
    return out, notes


def mark_screened(responses: Responses, form: Instrument, waiting: BoolArray, ledger: Ledger) -> BoolArray:
    """Respondents outside the population: a choice that ends the interview, or a number below the least required."""
    out = np.zeros(len(waiting), dtype=bool)
    for question in form.section("screening"):
        if question.name not in responses.coded.columns:
            continue
        column = responses.coded[question.name]
        for hit, threshold in _screens(question, column):
            hit = hit & waiting & ~out
            ledger.add(hit, "screening", column.to_numpy(dtype=object), threshold, EXCLUDED, question.name)
            out |= hit
    return out


def _screens(question: Question, column: pd.Series) -> list[tuple[BoolArray, str]]:
    screens = []
    ends = [choice.code for choice in question.choices if choice.ends]
    if ends:
        screens.append((column.isin(ends).to_numpy(), "ends the interview"))
    if question.min_required is not None and pd.api.types.is_numeric_dtype(column):
        low = column.to_numpy(dtype=float) < question.min_required
        screens.append((low, f"at least {question.min_required:g}"))
    return screens
