"""Analysis variables from questions: numbers, categories, dummies, and what the instruments derive from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semkit.cleaning.conditions import holds
from semkit.cleaning.items import note_declared
from semkit.cleaning.ledger import Ledger
from semkit.cleaning.money import winsorise
from semkit.cleaning.plan import CleaningPlan
from semkit.cleaning.scoring import indicators, scale_mean, standardised_mean
from semkit.instrument import Band, Derived, Instrument, Question
from semkit.responses import Responses, looks_personal

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
ObjectArray = NDArray[np.object_]


@dataclass(eq=False)
class Variables:
    """Analysis columns of all received respondents, built up question by question.

    Parameters
    ----------
    responses : Responses
    form : Instrument
        The forms combined.
    plan : CleaningPlan
    analysed : ndarray (n,) of bool
        Respondents whose moments, quantiles and largest categories are used.
    ledger : Ledger
    """

    responses: Responses
    form: Instrument
    plan: CleaningPlan
    analysed: BoolArray
    ledger: Ledger
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    absent: dict[str, BoolArray] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    money: set[str] = field(default_factory=set)
    personal: list[str] = field(default_factory=list)

    def number(self, name: str) -> FloatArray:
        """An analysis column as numbers; NaN throughout when it has none."""
        values = self.columns.get(name)
        if values is None or values.dtype == object:
            return np.full(len(self.analysed), np.nan)
        return np.asarray(values, dtype=np.float64)


def make_variables(
    responses: Responses, form: Instrument, plan: CleaningPlan, analysed: BoolArray, ledger: Ledger
) -> Variables:
    """Make the analysis columns of all questions and derived variables.

    Numbers are multiplied by the question's factor; choices become their analysis values, or stay option codes
    where they have none; select-multiple questions become one 0/1 column per choice (``question_choice``); declared
    dummies are added; special codes are missing.  Free text, times and device fields are never made into columns.
    """
    variables = Variables(responses, form, plan, analysed, ledger)
    for question in form.questions:
        if question.section in ("quality", "consent"):
            continue
        if looks_personal(question.name):
            variables.personal.append(question.name)
            continue
        _question(question, variables)
    for rule in form.derived:
        _derive(rule, variables)
    return variables


def _question(question: Question, variables: Variables) -> None:
    coded = variables.responses.coded
    if question.answer == "multiple":
        for choice in question.choices:
            if f"{question.name}/{choice.code}" in coded.columns:
                ticks = coded[f"{question.name}/{choice.code}"].to_numpy(dtype=float)
                variables.columns[f"{question.name}_{choice.code}"] = ticks
                if choice.dummy:
                    variables.columns[choice.dummy] = ticks
        return
    if question.name not in coded.columns or question.answer in ("text", "time"):
        return
    raw = coded[question.name].to_numpy()
    special = _specials(question, raw, variables)
    if question.answer == "choice":
        _choice(question, emptied(raw, special), variables)
    else:
        variables.columns[question.name] = np.where(special, np.nan, raw.astype(np.float64)) * question.factor
        if question.answer == "amount" and question.factor == 1.0:
            variables.money.add(question.name)
    note_declared(variables.responses, question.name, variables.ledger)


def _specials(question: Question, raw: NDArray[Any], variables: Variables) -> BoolArray:
    """Cells with a special code; those not asked by routing are noted as not existing."""
    offered = set(question.special)
    otherwise = question.relevance.otherwise if question.relevance is not None else None
    if otherwise is not None:
        offered.add(otherwise)
    if not offered:
        return np.zeros(len(raw), dtype=bool)
    values = raw.astype(object)
    special: BoolArray = np.isin(
        np.array([str(value).removesuffix(".0") for value in values]), [str(c) for c in offered]
    )
    routed = np.zeros(len(raw), dtype=bool)
    if question.relevance is not None:
        truths = np.array(
            [holds(one, variables.responses.coded, variables.form) for one in question.relevance.conditions]
        )
        met = (truths == 1.0).any(axis=0) if question.relevance.match == "any" else (truths == 1.0).all(axis=0)
        failed = (truths == 0.0).all(axis=0) if question.relevance.match == "any" else (truths == 0.0).any(axis=0)
        routed = failed & ~met & (special | pd.isna(values))
        variables.absent[question.name] = routed
    variables.ledger.add(special & routed, "routing", values, None, "does not exist", question.name)
    variables.ledger.add(special & ~routed, "special code", values, None, "missing", question.name)
    return special


def _choice(question: Question, codes: ObjectArray, variables: Variables) -> None:
    values = {choice.code: choice.value for choice in question.choices}
    if question.choices and all(value is not None for value in values.values()):
        variables.columns[question.name] = np.array([_value(values.get(code)) for code in codes], dtype=np.float64)
    else:
        variables.columns[question.name] = codes
    if question.dummies:
        levels = tuple(question.dummies.values())
        table = indicators(codes, levels)
        for place, name in enumerate(question.dummies):
            variables.columns[name] = table[:, place]
    if question.base:
        variables.bases[question.name] = _base(question, codes[variables.analysed])


def emptied(values: NDArray[Any], mask: BoolArray) -> ObjectArray:
    """A copy as objects with None where the mask holds or nothing stands."""
    out: ObjectArray = values.astype(object)
    out[mask | np.asarray(pd.isna(values))] = None
    return out


def _value(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _base(question: Question, codes: ObjectArray) -> str:
    """Reference category: the declared one, or the largest among the analysed (the first of equals)."""
    if question.base != "largest":
        return question.base
    counts = [(int((codes == choice.code).sum()), -place) for place, choice in enumerate(question.choices)]
    return question.choices[-max(counts)[1]].code


def _derive(rule: Derived, variables: Variables) -> None:
    made = _RULES[rule.rule](rule, variables)
    if made is not None:
        variables.columns[rule.name] = made
        if rule.rule in ("copy", "first", "ratio") and set(rule.sources) & variables.money:
            variables.money.add(rule.name)


def _copy(rule: Derived, variables: Variables) -> NDArray[Any] | None:
    return variables.columns.get(rule.sources[0])


def _code(rule: Derived, variables: Variables) -> ObjectArray | None:
    coded = variables.responses.coded
    if rule.sources[0] not in coded.columns:
        return None
    values = coded[rule.sources[0]].to_numpy(dtype=object)
    specials = [str(special.code) for special in variables.form.specials]
    return emptied(values, np.isin(values.astype(str), specials))


def _chosen(rule: Derived, variables: Variables) -> FloatArray | None:
    coded = variables.responses.coded
    column = f"{rule.sources[0]}/{rule.choice}"
    if column in coded.columns:
        return coded[column].to_numpy(dtype=float)
    if rule.sources[0] not in coded.columns:
        return None
    codes = _code(rule, variables)
    return None if codes is None else np.where(pd.isna(codes), np.nan, (codes == rule.choice).astype(float))


def _bands(rule: Derived, variables: Variables) -> NDArray[Any]:
    values = variables.number(rule.sources[0])
    words = any(isinstance(band.value, str) for band in rule.bands)
    out: NDArray[Any] = np.full(values.size, None, dtype=object) if words else np.full(values.size, np.nan)
    for band in rule.bands:
        out[_inside(values, band)] = band.value
    return out


def _inside(values: FloatArray, band: Band) -> BoolArray:
    low = -np.inf if band.above is None else band.above
    high = np.inf if band.up_to is None else band.up_to
    out: BoolArray = (values > low) & (values <= high)
    return out


def _pulled(name: str, variables: Variables) -> FloatArray:
    """A source on its way to the log scale: money is winsorised first (and every pulled value entered)."""
    values = variables.number(name)
    if name not in variables.money:
        return np.where(values >= 0.0, values, np.nan)
    pulled, low, high = winsorise(values, *variables.plan.winsorise, reference=variables.analysed)
    for hit, limit in ((values < low, low), (values > high, high)):
        variables.ledger.add(hit, "winsorise", values, limit, f"set to {limit:.6g} in logarithms", name)
    return np.where(pulled >= 0.0, pulled, np.nan)


def _log1p(rule: Derived, variables: Variables) -> FloatArray:
    return np.log1p(_pulled(rule.sources[0], variables))


def _ratio(rule: Derived, variables: Variables) -> FloatArray:
    above, below = (variables.number(name) for name in rule.sources[:2])
    out = np.full(above.size, np.nan)
    np.divide(above, below, out=out, where=below > 0.0)
    return out


def _growth(rule: Derived, variables: Variables) -> FloatArray:
    return 100.0 * (_ratio(rule, variables) - 1.0)


def _index(rule: Derived, variables: Variables) -> FloatArray:
    columns = np.column_stack([np.log1p(_pulled(name, variables)) for name in rule.sources])
    return standardised_mean(columns, variables.analysed)


def _truths(rule: Derived, variables: Variables) -> FloatArray:
    """One row a condition: 1 true, 0 false, NaN unknown."""
    numbers = {name: variables.number(name) for name in variables.columns}
    return np.array([holds(one, variables.responses.coded, variables.form, numbers) for one in rule.conditions])


def _all_of(rule: Derived, variables: Variables) -> FloatArray:
    truths = _truths(rule, variables)
    return np.where((truths == 0.0).any(axis=0), 0.0, np.where((truths == 1.0).all(axis=0), 1.0, np.nan))


def _count(rule: Derived, variables: Variables) -> FloatArray:
    truths = _truths(rule, variables)
    known = ~np.isnan(truths)
    held = np.nan_to_num(truths).sum(axis=0)
    if rule.rule == "count":
        return np.where(known.all(axis=0), held, np.nan)
    enough = known.sum(axis=0) >= 0.5 * len(rule.conditions)
    return np.where(enough, held / np.maximum(known.sum(axis=0), 1), np.nan)


def _sum(rule: Derived, variables: Variables) -> FloatArray:
    out: FloatArray = np.sum([variables.number(name) for name in rule.sources], axis=0)
    return out


def _first(rule: Derived, variables: Variables) -> FloatArray:
    out = variables.number(rule.sources[0])
    for name in rule.sources[1:]:
        out = np.where(np.isnan(out), variables.number(name), out)
    return out


def _mean_z(rule: Derived, variables: Variables) -> FloatArray:
    columns = np.column_stack([variables.number(name) for name in rule.sources])
    return standardised_mean(columns, variables.analysed)


_RULES = {
    "copy": _copy,
    "value": _copy,
    "code": _code,
    "first": _first,
    "sum": _sum,
    "mean_z": _mean_z,
    "count": _count,
    "share": _count,
    "chosen": _chosen,
    "bands": _bands,
    "log1p": _log1p,
    "growth_pct": _growth,
    "ratio": _ratio,
    "mean_z_log1p": _index,
    "all_of": _all_of,
}


def construct_means(
    scores: FloatArray, blocks: Sequence[tuple[str, NDArray[np.int64], float]], absent: BoolArray
) -> tuple[dict[str, FloatArray], dict[str, BoolArray]]:
    """Means ``m_<code>`` of the constructs, and where they do not exist.

    Parameters
    ----------
    scores : ndarray (n, p)
    blocks : sequence of (code, columns, share of items needed)
    absent : ndarray (n, p) of bool
    """
    means = {f"m_{code}": scale_mean(scores[:, columns], needed) for code, columns, needed in blocks}
    gone = {f"m_{code}": np.asarray(absent[:, columns].all(axis=1)) for code, columns, _ in blocks}
    return means, gone
