"""Which parameters are the same: shared labels, ``equal()``, and equality between groups."""

from __future__ import annotations

import numpy as np

from semkit.errors import ModelError, OptionError, Problem
from semkit.model.check import place
from semkit.model.composites import HIDDEN
from semkit.model.rows import Options, Row
from semkit.model.statements import ModelSpec, Modifier
from semkit.model.table import Variables

EQUALITIES = (
    "loadings", "intercepts", "means", "residuals", "residual.covariances",
    "lv.variances", "lv.covariances", "regressions", "composite.weights", "thresholds",
)  # fmt: skip


def share_referenced_labels(spec: ModelSpec, rows: list[Row], references: list[tuple[Row, str, Modifier]]) -> None:
    """``equal("a")`` and ``equal("f=~x1")``: take the label of the other row, or give it one."""
    for row, reference, modifier in references:
        target, number = _find_reference(rows, row, reference)
        if target is None:
            raise ModelError(
                place(spec, modifier.position, "model.unknown-label", f'equal("{reference}") names no parameter',
                      'a label, or a parameter such as equal("f=~x1")')
            )  # fmt: skip
        if not target.label:
            target.label = f".p{number}."
        row.label = target.label


def _find_reference(rows: list[Row], row: Row, reference: str) -> tuple[Row | None, int]:
    text = "".join(reference.split())
    for number, other in enumerate(rows, start=1):
        if other is row:
            continue
        if other.label == reference or (other.block == row.block and _shown(other) == text):
            return other, number
    return None, 0


def _shown(row: Row) -> str:
    return f"{row.lhs}{row.op}{row.rhs}"


def _class_of(row: Row, found: Variables) -> str:
    latents = set(found.lv)
    exogenous = set(found.ov_x)
    if row.op == "<~":
        return "composite.weights"
    composite = {*found.lv_c, *found.ov_c}
    if row.op in HIDDEN or (row.op == "~~" and row.lhs == row.rhs and row.lhs in composite):
        return ""
    if (row.op == "~1" and row.lhs in found.lv_c) or (row.op == "~~" and {row.lhs, row.rhs} <= set(found.ov_c)):
        return ""
    if row.op == "=~":
        return "loadings"
    if row.op == "~":
        return "regressions"
    if row.op in ("|", "~*~"):
        return "thresholds" if row.op == "|" else ""
    if row.op == "~1":
        return "means" if row.lhs in latents else ("" if row.lhs in exogenous else "intercepts")
    if row.lhs in exogenous and row.rhs in exogenous:
        return ""
    if row.lhs in latents and row.rhs in latents:
        return "lv.variances" if row.lhs == row.rhs else "lv.covariances"
    return "residuals" if row.lhs == row.rhs else "residual.covariances"


def hold_equal(
    rows: list[Row], found: Variables, wanted: tuple[str, ...], partial: tuple[str, ...], options: Options,
    apart: frozenset[str] = frozenset(),
) -> None:
    """Same label in every group for the classes of ``group_equal``; free what that identifies.

    Means and covariances of the variables ``apart`` (saturated correlates, random covariates) are never held equal.
    """
    exceptions = {"".join(text.split()) for text in partial}
    used: set[str] = set()
    first: dict[tuple[str, str, str], tuple[int, Row]] = {}
    for number, row in enumerate(rows, start=1):
        if _class_of(row, found) not in wanted or (row.op in ("~~", "~1") and {row.lhs, row.rhs} & apart):
            continue
        names = {_shown(row), f"{row.lhs}~1" if row.op == "~1" else _shown(row), row.label}
        if row.op == "~~":
            names.add(f"{row.rhs}~~{row.lhs}")
        if names & exceptions:
            used |= names & exceptions
            continue
        if row.block == 1:
            first[(row.lhs, row.op, row.rhs)] = (number, row)
            continue
        earlier = first.get((row.lhs, row.op, row.rhs)) or first.get((row.rhs, row.op, row.lhs))
        if earlier is None or not (earlier[1].free and row.free) or (row.label and row.label != earlier[1].label):
            continue
        if not earlier[1].label:
            earlier[1].label = f".p{earlier[0]}."
        row.label = earlier[1].label
    unknown = exceptions - used
    if unknown:
        raise OptionError(
            *(Problem("model.group-partial", f'group_partial="{text}"', "no such parameter among those held equal",
                      'for example "f=~x2" or "x1~1"') for text in sorted(unknown))
        )  # fmt: skip
    for row in rows:
        if row.block == 1 or row.user or row.free or row.lhs not in found.lv:
            continue
        frees_mean = row.op == "~1" and "intercepts" in wanted and "means" not in wanted
        frees_variance = (
            row.op == "~~" and row.lhs == row.rhs and options.std_lv and "loadings" in wanted
            and "lv.variances" not in wanted
        )  # fmt: skip
        frees_composite = (
            row.op == "~~" and row.lhs == row.rhs and row.lhs in found.lv_c and options.std_lv
            and "composite.weights" in wanted
        )  # fmt: skip
        if frees_mean or frees_variance or frees_composite:
            row.free, row.value = True, float("nan")


def settle_shared_labels(rows: list[Row]) -> None:
    """A free row with the label of a fixed row is fixed at its value."""
    fixed: dict[str, float] = {}
    for row in rows:
        if row.label and not row.free and not row.exo:
            known = fixed.setdefault(row.label, row.value)
            if known != row.value and not (np.isnan(known) and np.isnan(row.value)):
                raise ModelError(
                    Problem("model.label-conflict", f'label "{row.label}"',
                            f"it stands for {known:g} and for {row.value:g}", "one value for one label")
                )  # fmt: skip
    for row in rows:
        if row.free and row.label in fixed:
            row.fix(fixed[row.label])
