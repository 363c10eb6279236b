"""Tables of the instruments' quality, with marks at the thresholds the validation rules name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from semkit.report.content import QualityPart
from semkit.report.table import Table, Tone
from semkit.report.wording import name_of

Labels = Mapping[str, str]
Mark = tuple[Tone, str]
NAN = float("nan")


def low_mark(value: Any, good: float, minimum: float) -> Mark:
    """Mark of a quantity that should reach ``good``, and must reach ``minimum``."""
    x = float(value) if value is not None else NAN
    if not math.isfinite(x) or x >= good:
        return "", ""
    return ("warn", " ▲") if x >= minimum else ("fail", " ✕")


def high_mark(value: Any, good: float, maximum: float) -> Mark:
    """Mark of a quantity that should stay below ``good``, and must stay below ``maximum``."""
    x = float(value) if value is not None else NAN
    if not math.isfinite(x) or x < good:
        return "", ""
    return ("warn", " ▲") if x < maximum else ("fail", " ✕")


def quality_table(quality: QualityPart, labels: Labels) -> Table:
    """Reliability and convergent validity, one row a construct."""
    table = Table.of(
        [
            ("label", "Construct", "text"), ("items", "Items", "count"), ("n", "n", "count"),
            ("mean", "Mean", "number"), ("sd", "SD", "number"),
            ("missing", "Missing", "share"), ("alpha", "α", "std"), ("omega", "ω", "std"),
            ("cr", "CR", "std"), ("ave", "AVE", "std"),
        ],
        caption="Reliability and convergent validity",
    )  # fmt: skip
    for row in quality.constructs.to_dict("records"):
        marks = {key: low_mark(row.get(key), 0.70, 0.60) for key in ("alpha", "omega", "cr")}
        marks["ave"] = low_mark(row.get("ave"), 0.50, 0.0)
        label = row.get("label") or name_of(str(row.get("construct", "")), labels)
        table = table.add(marks, **{str(k): v for k, v in row.items()} | {"label": label})
    keep = tuple(
        c for c in table.columns
        if c.key in ("label", "alpha", "omega") or any(known(row.values.get(c.key)) for row in table.rows)
    )  # fmt: skip
    table = Table(keep, table.rows, table.caption, table.notes)
    return table.note(
        "α, coefficient alpha; ω, McDonald's omega; CR, composite reliability; AVE, average variance extracted. "
        "▲ α, ω, CR below .70, AVE below .50; ✕ below .60."
    )


def known(value: Any) -> bool:
    """Whether a value is there (neither None nor NaN)."""
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def htmt_table(quality: QualityPart, labels: Labels) -> Table:
    """Heterotrait-monotrait ratios: lower triangle."""
    frame = quality.htmt
    if {"construct", "label"} <= set(quality.constructs.columns):
        own = zip(quality.constructs["construct"], quality.constructs["label"], strict=True)
        labels = {str(code): str(text) for code, text in own if text} | dict(labels)
    names = [str(name) for name in frame.columns]
    numbered = [(f"c{i}", str(i + 1), "std") for i in range(len(names) - 1)]
    table = Table.of([("label", "Construct", "text"), *numbered],
                     caption="Discriminant validity: heterotrait–monotrait ratios")  # fmt: skip
    for i, name in enumerate(names):
        values: dict[str, Any] = {"label": f"{i + 1}. {name_of(name, labels)}"}
        marks: dict[str, Mark] = {}
        for j in range(i):
            pair = (frame.iloc[i, j], frame.iloc[j, i])
            value = next((float(str(v)) for v in pair if known(v)), NAN)
            values[f"c{j}"], marks[f"c{j}"] = value, high_mark(value, 0.85, 0.90)
        # An empty text, not a dash: the upper triangle is not missing, it is the same numbers.
        values |= {f"c{j}": "" for j in range(i, len(names) - 1)}
        table = table.add(marks, **values)
    return table.note("▲ .85 or more; ✕ .90 or more.")


def item_table(quality: QualityPart, labels: Labels) -> Table:
    """Items: distribution and loading, one row an item, a heading for each construct."""
    columns: list[tuple[str, str, str]] = [
        ("item", "Item", "code"), ("label", "Wording", "words"), ("n", "n", "count"), ("missing", "Missing", "share"),
        ("mean", "Mean", "number"), ("sd", "SD", "number"), ("floor", "Floor", "share"),
        ("ceiling", "Ceiling", "share"),
        ("item_rest", "Item–rest r", "std"), ("loading", "Loading", "std"),
    ]  # fmt: skip
    there = [c for c in columns if c[0] in quality.items.columns]
    table = Table.of(there, caption="Items")
    last = None
    for row in quality.items.to_dict("records"):
        construct = row.get("construct")
        if construct != last and construct is not None:
            table = table.heading(name_of(str(construct), labels))
            last = construct
        marks: dict[str, Mark] = {"loading": low_mark(row.get("loading"), 0.50, -9.0)}
        for end in ("floor", "ceiling"):
            marks[end] = high_mark(row.get(end), 0.20 + 1e-12, 9.0)
        table = table.add(marks, **{str(k): v for k, v in row.items()})
    return table.note("▲ loading below .50; floor or ceiling above 20 %.")


def measurement_fit_table(quality: QualityPart) -> Table:
    """Fit of the measurement models."""
    table = Table.of(
        [("model", "Model", "text"), ("n", "n", "count"), ("chisq", "χ²", "number"), ("df", "df", "count"),
         ("pvalue", "p", "p"), ("cfi", "CFI", "std3"), ("rmsea", "RMSEA", "std3"), ("srmr", "SRMR", "std3")],
        caption="Fit of the measurement models",
    )  # fmt: skip
    for row in quality.fit.to_dict("records"):
        marks = {
            "cfi": low_mark(row.get("cfi"), 0.95, 0.90),
            "rmsea": high_mark(row.get("rmsea"), 0.08 + 1e-12, 0.10),
            "srmr": high_mark(row.get("srmr"), 0.08 + 1e-12, 0.10),
        }
        table = table.add(marks, **{str(k): v for k, v in row.items()})
    return table.note("▲ CFI below .95, RMSEA or SRMR above .08; ✕ CFI below .90, RMSEA or SRMR .10 or more.")
