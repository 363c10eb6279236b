"""What goes wrong with rows and cells: careless answering, duplicates, break-off, missing answers.

The whole of the rows' damage is drawn first, from its own stream, whether or not the damaged block
is written.  Cell-level damage has one stream for each block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.planning.draws import FloatArray, IntArray, choose
from semkit.planning.streams import stream

CARELESS: tuple[str, ...] = ("", "straight_line", "random", "alternating")
CARELESS_SHARES = (0.940, 0.025, 0.025, 0.010)
SCREENED: tuple[str, ...] = ("", "consent", "scr_owner", "scr_active", "scr_region")
SCREENED_SHARES = (0.980, 0.004, 0.006, 0.006, 0.004)
DUPLICATE_SHARE = 0.01
BREAK_OFF_SHARE = 0.02
MODES: tuple[str, ...] = ("self", "enumerator", "phone")
MODE_SHARES = (0.70, 0.25, 0.05)

STRAIGHT_POINTS, STRAIGHT_SHARES = np.array([3, 4, 5, 2]), (0.40, 0.40, 0.10, 0.10)
ALTERNATING_PAIRS, ALTERNATING_SHARES = np.array([[1, 5], [2, 4], [4, 5]]), (0.40, 0.40, 0.20)

ITEM_MISSING, DONT_KNOW = 0.015, 0.01
MONEY_MISSING, MONEY_MISSING_MICRO = 0.06, 0.06
FAIL_CARELESS, FAIL_ATTENTIVE = 0.85, 0.03

EMPTY = int(np.iinfo(np.int64).min)
"""Marks an empty cell among whole-number answers; no answer can have this value."""


@dataclass(frozen=True, eq=False)
class RowDamage:
    """What is true of each row (n,) beside its firm.

    Parameters
    ----------
    careless : ndarray of int
        Index into :data:`CARELESS`.
    low, high : ndarray of int
        The point a straight-liner ticks (``low``), or the two points of an alternating pattern.
    screened : ndarray of int
        Index into :data:`SCREENED`: the question at which the interview ended, 0 for none.
    source : ndarray of int
        Row whose answers this row repeats; the row's own number if it is no duplicate.
    break_off : ndarray of bool
        Stopped before the last block of the full questionnaire.
    mode : ndarray of int
        Index into :data:`MODES`.
    pace : ndarray
        Time taken relative to a careful respondent's.
    """

    careless: IntArray
    low: IntArray
    high: IntArray
    screened: IntArray
    source: IntArray
    break_off: NDArray[np.bool_]
    mode: IntArray
    pace: FloatArray

    @property
    def duplicate(self) -> NDArray[np.bool_]:
        """Whether a row repeats an earlier one (n,)."""
        return np.asarray(self.source != np.arange(self.source.size))


def _modes(u: FloatArray, careless: NDArray[np.bool_]) -> IntArray:
    """Modes with the planted shares overall although careless rows are all self-filled."""
    share = sum(CARELESS_SHARES[1:])
    rest = ((MODE_SHARES[0] - share) / (1.0 - share), MODE_SHARES[1] / (1.0 - share), MODE_SHARES[2] / (1.0 - share))
    return np.where(careless, 0, choose(u, rest)).astype(np.int64)


def draw_rows(n: int, seed: int, study: str = "border") -> RowDamage:
    """Draw the damage of ``n`` rows of a study.

    Notes
    -----
    Careless rows take 25 to 60 per cent of a careful respondent's time.  A duplicate repeats a row
    chosen evenly among the earlier ones; a chosen row that is itself a duplicate gives way to the
    nearest original before it.
    """
    u = stream(seed, study, "damage").random((n, 10))
    careless = choose(u[:, 0], CARELESS_SHARES)
    pair = ALTERNATING_PAIRS[choose(u[:, 1], ALTERNATING_SHARES)]
    straight = STRAIGHT_POINTS[choose(u[:, 1], STRAIGHT_SHARES)]
    row = np.arange(n)
    repeats = (u[:, 3] < DUPLICATE_SHARE) & (row > 0)
    original = np.maximum.accumulate(np.where(repeats, 0, row))
    source = np.where(repeats, original[np.floor(u[:, 4] * row).astype(np.int64)], row)
    return RowDamage(
        careless=careless,
        low=np.where(careless == 3, pair[:, 0], straight).astype(np.int64),
        high=np.where(careless == 3, pair[:, 1], straight).astype(np.int64),
        screened=choose(u[:, 2], SCREENED_SHARES),
        source=source.astype(np.int64),
        break_off=u[:, 5] < BREAK_OFF_SHARE,
        mode=_modes(u[:, 6], careless > 0),
        pace=np.where(careless > 0, 0.25 + 0.35 * u[:, 7], 1.0),
    )


def answer_carelessly(
    answers: dict[str, IntArray], rows: RowDamage, seed: int, block: str, study: str = "border"
) -> dict[str, IntArray]:
    """Replace the answers of careless rows: one point throughout, any point, or two points by turns."""
    u = stream(seed, study, block, "careless").random((rows.careless.size, len(answers)))
    out: dict[str, IntArray] = {}
    for k, (name, careful) in enumerate(answers.items()):
        turn = rows.low if k % 2 == 0 else rows.high
        anything = 1 + np.floor(5.0 * u[:, k]).astype(np.int64)
        out[name] = np.where(rows.careless == 0, careful, np.where(rows.careless == 2, anything, turn)).astype(np.int64)
    return out


def draw_attention(rows: RowDamage, key: int, seed: int, block: str, study: str = "border") -> IntArray:
    """Answers to an instrument's attention check (n,): careless rows miss the key with probability .85, others .03.

    A straight-liner who misses it ticks the usual point (the next one if that is the key); others tick
    any of the other four points.
    """
    u = stream(seed, study, block, "attention").random((rows.careless.size, 2))
    fails = u[:, 0] < np.where(rows.careless > 0, FAIL_CARELESS, FAIL_ATTENTIVE)
    other = 1 + np.floor(4.0 * u[:, 1]).astype(np.int64)
    other = np.where(other >= key, other + 1, other)
    usual = np.where(rows.low == key, key + 1, rows.low)
    wrong = np.where(rows.careless == 1, usual, other)
    return np.where(fails, wrong, key).astype(np.int64)


def lose_items(
    answers: dict[str, IntArray], seed: int, block: str, study: str = "border", no_98: tuple[str, ...] = ()
) -> dict[str, IntArray]:
    """Leave 1.5 % of the answers empty and turn 1 % into 98 (don't know), completely at random.

    ``no_98`` are the blocks that offer no 98: there those answers stay.
    """
    if not answers:
        return {}
    n = next(iter(answers.values())).size
    u = stream(seed, study, block, "cells").random((n, len(answers)))
    lost = ITEM_MISSING
    known = [0.0 if name.startswith(tuple(f"{code}_" for code in no_98)) else DONT_KNOW for name in answers]
    return {
        name: np.where(u[:, k] < lost, EMPTY, np.where(u[:, k] < lost + known[k], 98, value)).astype(np.int64)
        for k, (name, value) in enumerate(answers.items())
    }


def refuses_money(u: FloatArray, micro: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether an amount is not given: 6 %, and 6 % more in micro firms."""
    return np.asarray(u < MONEY_MISSING + MONEY_MISSING_MICRO * micro)
