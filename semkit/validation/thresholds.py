"""What counts as good: the thresholds, and the notes that come of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from semkit.errors import Note


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits of the quality notes.

    Parameters
    ----------
    reliability_good, reliability_minimum : float
        Alpha and omega (Nunnally & Bernstein 1994, p. 265; .60 for new scales: Robinson, Shaver & Wrightsman 1991).
    loading : float
        Smallest standardised loading (Hair et al. 2019).
    ave : float
        Average variance extracted of reflective constructs (Fornell & Larcker 1981).
    htmt_warn, htmt_fail : float
        Henseler, Ringle & Sarstedt (2015).
    cfi_good, cfi_minimum, rmsea, srmr : float
        Hu & Bentler (1999); Browne & Cudeck (1993).
    ends : float
        Share of answers at one end of the scale (McHorney & Tarlov 1995).
    """

    reliability_good: float = 0.70
    reliability_minimum: float = 0.60
    loading: float = 0.50
    ave: float = 0.50
    htmt_warn: float = 0.85
    htmt_fail: float = 0.90
    cfi_good: float = 0.95
    cfi_minimum: float = 0.90
    rmsea: float = 0.08
    srmr: float = 0.08
    ends: float = 0.20


def construct_notes(constructs: pd.DataFrame, limits: Thresholds) -> Iterator[Note]:
    """Notes on alpha, omega and AVE; only reflective constructs are judged."""
    least, good = limits.reliability_minimum, limits.reliability_good
    look = "Look at item_rest and alpha_if_dropped."
    cause = "The items share little, or one is not reversed, or there are few."
    for row in constructs[constructs["reflective"].astype(bool)].to_dict("records"):
        where = str(row["construct"])
        alpha, omega, ave = (float(row[name]) for name in ("alpha", "omega", "ave"))
        fair = f"between {least:.2f} and {good:.2f}: fair for a new scale."
        if alpha < least:
            yield Note(
                "validation.low-alpha", "warning", f"alpha {alpha:.3f} is below {least:.2f}.", where, cause, look
            )
        elif alpha < good:
            yield Note("validation.fair-alpha", "info", f"alpha {alpha:.3f} is {fair}", where, "", look)
        if omega < least:
            yield Note(
                "validation.low-omega", "warning", f"omega {omega:.3f} is below {least:.2f}.", where, cause, look
            )
        elif omega < good:
            yield Note("validation.fair-omega", "info", f"omega {omega:.3f} is {fair}", where, "", look)
        if ave < limits.ave:
            yield Note(
                "validation.low-ave",
                "warning",
                f"average variance extracted {ave:.3f} is below {limits.ave:.2f}.",
                where,
                "The items hold more error than construct.",
                "Look at the smallest loadings.",
            )


def item_notes(items: pd.DataFrame, limits: Thresholds) -> Iterator[Note]:
    """Notes on variation, direction and loading of the items, and on the ends of the scale."""
    for row in items.to_dict("records"):
        where = str(row["item"])
        if float(row["n"]) > 0 and float(row["sd"]) == 0.0:
            yield Note(
                "validation.constant-item",
                "warning",
                "everybody gave the same answer.",
                where,
                "The item tells nobody apart.",
                "It is left out of reliability and factor models.",
            )
        if row["reflective"]:
            yield from _scaling_notes(where, float(row["item_rest"]), float(row["loading"]), limits)
        cause = "Differences among these people cannot be seen."
        over = f"(over {limits.ends:.0%})."
        floor, ceiling = float(row["floor"]), float(row["ceiling"])
        if floor > limits.ends:
            yield Note("validation.floor", "info", f"{floor:.1%} of the answers are the lowest {over}", where, cause)
        if ceiling > limits.ends:
            yield Note(
                "validation.ceiling", "info", f"{ceiling:.1%} of the answers are the highest {over}", where, cause
            )


def _scaling_notes(where: str, rest: float, loading: float, limits: Thresholds) -> Iterator[Note]:
    if rest < 0.0:
        yield Note(
            "validation.negative-item",
            "warning",
            f"correlates {rest:.3f} with the rest of its construct.",
            where,
            "A reverse item was not scored as one, or people misread it.",
            "Check the item's reverse key in the instrument.",
        )
    if loading < limits.loading:
        yield Note(
            "validation.low-loading",
            "warning",
            f"standardised loading {loading:.3f} is below {limits.loading:.2f}.",
            where,
            remedy="Read its wording again; report results with and without it.",
        )


def distinctness_notes(htmt: pd.DataFrame, limits: Thresholds) -> Iterator[Note]:
    """Notes on pairs of constructs that may be one."""
    codes, values = [str(code) for code in htmt.columns], htmt.to_numpy(dtype=float)
    for j, i in itertools.combinations(range(len(codes)), 2):
        value, where = float(values[i, j]), f"{codes[j]}, {codes[i]}"
        if value >= limits.htmt_fail:
            yield Note(
                "validation.htmt-fail",
                "warning",
                f"HTMT {value:.3f} reaches {limits.htmt_fail:.2f}: the two cannot be told apart.",
                where,
                "Items of both ask for the same thing.",
                "Test no claim that needs both apart; join them or drop the overlapping items.",
            )
        elif value >= limits.htmt_warn:
            yield Note(
                "validation.htmt-warn",
                "warning",
                f"HTMT {value:.3f} reaches {limits.htmt_warn:.2f}.",
                where,
                "Items of both ask for similar things.",
                "Look for the closest pair of items.",
            )


def fit_notes(fit: pd.DataFrame, limits: Thresholds) -> Iterator[Note]:
    """Notes on the fit of the factor models; robust CFI and RMSEA where there are any."""
    cause, look = "The items do not follow the assumed factors.", "Look at HTMT and at the smallest loadings."
    least, good = limits.cfi_minimum, limits.cfi_good
    for row in fit.to_dict("records"):
        where = str(row["model"])
        cfi, rmsea, srmr = (preferred(row, name) for name in ("cfi", "rmsea", "srmr"))
        if cfi < least:
            yield Note("validation.poor-cfi", "warning", f"CFI {cfi:.3f} is below {least:.2f}.", where, cause, look)
        elif cfi < good:
            yield Note("validation.fair-cfi", "info", f"CFI {cfi:.3f} is between {least:.2f} and {good:.2f}.", where)
        if rmsea > limits.rmsea:
            what = f"RMSEA {rmsea:.3f} is over {limits.rmsea:.2f}."
            yield Note("validation.poor-rmsea", "warning", what, where, cause, look)
        if srmr > limits.srmr:
            what = f"SRMR {srmr:.3f} is over {limits.srmr:.2f}."
            yield Note("validation.poor-srmr", "warning", what, where, cause, look)


def preferred(row: Mapping[Any, Any], name: str) -> float:
    """The robust version of a fit measure, or the plain one when there is none."""
    robust = float(row.get(f"{name}_robust", math.nan))
    return float(row[name]) if math.isnan(robust) else robust
