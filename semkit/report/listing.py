"""Which tables a report has: from its parts to :class:`~semkit.report.table.Table`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from semkit.report import rounding
from semkit.report.content import Agreement, Claim, ModelPart
from semkit.report.quality import Labels, Mark, high_mark, known, low_mark
from semkit.report.table import Table
from semkit.report.wording import deciding, name_of, parameter_of

NAN = float("nan")

SECTIONS = (
    "Paths", "Defined quantities", "Loadings", "Controls", "Product indicators", "Covariances", "Variances",
    "Intercepts", "Constraints",
)  # fmt: skip
MAIN_SECTIONS = ("Paths", "Defined quantities", "Loadings")


def verdict_table(claims: Iterable[Claim]) -> Table:
    """One row a claim: verdict, the deciding estimate, p before and after Holm."""
    table = Table.of(
        [
            ("id", "Claim", "text"), ("statement", "Statement", "words"), ("verdict", "Verdict", "verdict"),
            ("est", "Estimate", "std"), ("ci", "95 % CI", "std_interval"), ("p", "p", "p"), ("p_holm", "p (Holm)", "p"),
            ("n", "n", "count"), ("robustness", "Robustness", "text"),
        ],
        caption="Verdicts at a glance",
    )  # fmt: skip
    several = False
    for claim in claims:
        part = deciding(claim)
        several |= sum(p.decides for p in claim.parts) > 1
        table = table.add(
            id=claim.id, statement=claim.statement, verdict=claim.verdict,
            est=part.est if part else NAN, ci=(part.ci_lower, part.ci_upper) if part else (NAN, NAN),
            p=claim.pvalue if math.isfinite(claim.pvalue) else (part.pvalue if part else NAN), p_holm=claim.p_holm,
            n=part.n if part else None, robustness=claim.robustness or rounding.ABSENT,
        )  # fmt: skip
    notes = ["Standardised estimates; interval and p come from the same method."]
    if several:
        notes.append("For a claim of several parts the row shows the part with the largest p.")
    return table.note(" ".join(notes))


def evidence_table(claim: Claim) -> Table:
    """One row a part of a claim."""
    table = Table.of(
        [
            ("id", "Part", "text"), ("meaning", "Quantity", "words"), ("name", "Model: parameter", "code"),
            ("est", "Estimate", "std"), ("ci", "95 % CI", "std_interval"), ("p", "p", "p"),
            ("delta", "Smallest", "std"),
            ("raw", "Raw", "raw3"), ("n", "n", "count"), ("verdict", "Verdict", "verdict"),
        ],
        caption=f"Evidence for {claim.id}",
    )  # fmt: skip
    for part in claim.parts:
        sign = "<" if part.direction == "-" else ">"
        name = f"{part.model}: {part.name}" if part.model else part.name
        table = table.add(
            id=part.id, meaning=f"{part.meaning or part.name}{rounding.BLANK}{sign}{rounding.BLANK}0", name=name,
            est=part.est, ci=(part.ci_lower, part.ci_upper), p=part.pvalue, delta=part.delta, raw=part.raw_est,
            n=part.n, verdict=part.verdict,
        )  # fmt: skip
    kinds = {"normal": "standard errors (normal)", "t": "standard errors (t)", "percentile": "bootstrap percentiles"}
    used = dict.fromkeys(kinds.get(part.method, part.method) for part in claim.parts if part.method)
    table = table.note(
        "Estimates are standardised. Smallest: smallest effect of interest. p is the part's own, uncorrected."
        + (f" Intervals and p from {' and '.join(used)}." if used else "")
    )
    if any(not part.decides for part in claim.parts):
        apart = ", ".join(part.id for part in claim.parts if not part.decides)
        table = table.note(f"Printed beside the claim, not part of its verdict: {apart}.")
    return table


def gate_table(claim: Claim) -> Table:
    """One row a gate."""
    table = Table.of(
        [
            ("id", "Gate", "text"),
            ("what", "Requires", "text"),
            ("value", "Found", "text"),
            ("passed", "Passed", "text"),
        ],
        caption=f"Gates of {claim.id}",
    )
    words: dict[bool | None, tuple[str, Mark]] = {
        True: ("yes", ("good", "")), False: ("no", ("fail", " ✕")), None: ("not applicable", ("soft", "")),
    }  # fmt: skip
    for gate in claim.gates:
        text, mark = words[gate.passed]
        table = table.add({"passed": mark}, id=gate.id, what=gate.what, value=gate.value, passed=text)
    return table


def check_table(claim: Claim) -> Table:
    """One row a robustness check."""
    table = Table.of(
        [
            ("id", "Check", "text"), ("label", "Analysis", "words"), ("est", "Estimate", "std"),
            ("ci", "95 % CI", "std_interval"), ("p", "p", "p"), ("n", "n", "count"), ("verdict", "Verdict", "verdict"),
            ("agrees", "Same verdict", "text"),
        ],
        caption=f"Robustness of {claim.id}",
    )  # fmt: skip
    for check in claim.checks:
        agrees = {True: "yes", False: "no", None: check.remark or "not run"}[check.agrees]
        mark: dict[str, Mark] = {"agrees": ("warn", " ▲")} if check.agrees is False else {}
        table = table.add(
            mark, id=check.id, label=check.label, est=check.est, ci=(check.ci_lower, check.ci_upper), p=check.pvalue,
            n=check.n, verdict=check.verdict or None, agrees=agrees,
        )  # fmt: skip
    return table


def fit_table(models: Iterable[ModelPart]) -> Table:
    """Fit measures, one row a model, a second one for the scaled and robust versions."""
    table = Table.of(
        [
            ("model", "Model", "text"), ("received", "N received", "count"), ("n", "N used", "count"),
            ("chisq", "χ²", "number"), ("df", "df", "count"), ("p", "p", "p"), ("cfi", "CFI", "std3"),
            ("tli", "TLI", "std3"), ("rmsea", "RMSEA", "std3"), ("ci", "90 % CI", "std3_interval"),
            ("srmr", "SRMR", "std3"),
        ],
        caption="Fit of the models",
    )  # fmt: skip
    for model in models:
        if "chisq" not in model.fit_measures:  # estimated without a saturated model to compare with
            continue
        for version, head in (("", model.id), ("robust", f"{model.id}, robust")):
            row = _fit_row(model.fit_measures, version)
            if version and not math.isfinite(row["chisq"]):
                continue
            marks = {
                "cfi": low_mark(row["cfi"], 0.95, 0.90),
                "rmsea": high_mark(row["rmsea"], 0.08 + 1e-12, 0.10),
                "srmr": high_mark(row["srmr"], 0.08 + 1e-12, 0.10),
            }
            table = table.add(marks, model=head, received=model.nobs_received, n=model.nobs, **row)
    return table.note(
        "Robust: scaled test statistic, robust CFI, TLI and RMSEA. "
        "▲ CFI below .95, RMSEA or SRMR above .08; ✕ CFI below .90, RMSEA or SRMR .10 or more."
    )


def _fit_row(fit: Mapping[str, float], version: str) -> dict[str, Any]:
    scaled, robust = (".scaled", ".robust") if version else ("", "")
    take = {name: float(fit.get(name, NAN)) for name in fit}

    def at(name: str) -> float:
        return take.get(name, NAN)

    return {
        "chisq": at("chisq" + scaled), "df": at("df" + scaled) if "df" + scaled in take else at("df"),
        "p": at("pvalue" + scaled), "cfi": at("cfi" + robust), "tli": at("tli" + robust), "rmsea": at("rmsea" + robust),
        "ci": (at("rmsea.ci.lower" + robust), at("rmsea.ci.upper" + robust)), "srmr": at("srmr"),
    }  # fmt: skip


def section_of(row: Mapping[Any, Any], controls: Iterable[str]) -> str:
    """Section of the estimates table a parameter belongs to."""
    op, lhs, rhs = str(row["op"]), str(row["lhs"]), str(row["rhs"])
    match op:
        case "~":
            return "Controls" if rhs in set(controls) else "Paths"
        case "=~":
            return "Product indicators" if ":" in lhs else "Loadings"
        case "~~":
            return "Variances" if lhs == rhs else "Covariances"
        case "~1":
            return "Intercepts"
        case ":=":
            return "Defined quantities"
        case _:
            return "Constraints"


def estimate_table(model: ModelPart, labels: Labels, *, sections: Iterable[str] = SECTIONS, caption: str = "") -> Table:
    """Estimates raw and standardised side by side, a heading for each kind of parameter."""
    frame = model.estimates
    grouped = not frame.empty and "group" in frame and frame["group"].nunique() > 1
    has = set(frame.columns)
    columns: list[tuple[str, ...]] = [("name", "Parameter", "words"), ("label", "Label", "code")]
    columns += [("group", "Group", "text")] if grouped else []
    columns += [("est", "b", "raw3", "Raw"), ("se", "SE", "raw3", "Raw"), ("ci", "95 % CI", "interval", "Raw"),
                ("pvalue", "p", "p", "Raw"), ("std_all", "β", "std", "Standardised")]  # fmt: skip
    if "std_se" in has:
        columns += [("std_se", "SE", "std", "Standardised"), ("std_ci", "95 % CI", "std_interval", "Standardised")]
    if "deff" in has:
        columns += [("deff", "Effect", "number", "Design"), ("n_eff", "Effective N", "count", "Design")]
    table = Table.of(columns, caption=caption or f"Estimates of model {model.id}")
    rows = [] if frame.empty else frame.to_dict("records")
    for section in sections:
        chosen = [row for row in rows if section_of(row, model.controls) == section and not _given(row, model)]
        if not chosen:
            continue
        table = table.heading(section)
        for row in chosen:
            table = table.add(**_estimate_row(row, labels))
    if any(_given(row, model) for row in rows):
        table = table.note("Means, variances and covariances of the controls are those of the sample; not printed.")
    return table.note(
        "β, completely standardised; a 0/1 predictor keeps its unit, a product has the units of its factors. "
        "– fixed or not estimated."
    )


def _given(row: Mapping[Any, Any], model: ModelPart) -> bool:
    """Whether a row is a sample moment of the controls, fixed and of no interest."""
    fixed = not known(row.get("se")) or float(row["se"]) == 0.0
    names = {str(row["lhs"]), str(row["rhs"])} - {""}
    return fixed and row["op"] in ("~~", "~1") and names <= set(model.controls)


def _estimate_row(row: Mapping[Any, Any], labels: Labels) -> dict[str, Any]:
    fixed = not known(row.get("se")) or float(row["se"]) == 0.0
    values: dict[str, Any] = {
        "name": parameter_of(str(row["lhs"]), str(row["op"]), str(row["rhs"]), labels),
        "label": "" if row["op"] == ":=" else row.get("label") or "",
        "group": row.get("group", ""), "est": row.get("est"),
        "se": NAN if fixed else row.get("se"),
        "ci": (NAN, NAN) if fixed else (row.get("ci_lower", NAN), row.get("ci_upper", NAN)),
        "pvalue": NAN if fixed else row.get("pvalue"), "std_all": row.get("std_all"),
    }  # fmt: skip
    if "deff" in row:
        values |= {"deff": row["deff"], "n_eff": row["n_eff"]}
    if "std_se" in row:
        se = float(row["std_se"]) if known(row["std_se"]) else NAN
        values["std_se"] = se if se != 0.0 else NAN
        if "std_ci_lower" in row:
            values["std_ci"] = (row["std_ci_lower"], row["std_ci_upper"])
        else:
            std = float(row.get("std_all", NAN))
            values["std_ci"] = (std - 1.959964 * values["std_se"], std + 1.959964 * values["std_se"])
    return values


def slope_table(probe: Any, labels: Labels) -> Table:
    """Simple slopes of a probe, raw and standardised."""
    table = Table.of(
        [
            ("label", f"{name_of(probe.moderator, labels)} at", "text"), ("value", "Value", "number"),
            ("share_below", "People at or below", "share"), ("slope", "Slope", "raw3", "Raw"),
            ("ci", "95 % CI", "interval", "Raw"), ("pvalue", "p", "p", "Raw"),
            ("std_slope", "Slope", "std", "Standardised"),
            ("std_ci", "95 % CI", "std_interval", "Standardised"),
        ],
        caption=f"Simple slopes of {name_of(probe.outcome, labels)} on {name_of(probe.focal, labels)}",
    )  # fmt: skip
    for row in probe.slopes.to_dict("records"):
        words = str(row["label"]).replace("-", rounding.MINUS)
        table = table.add(**row | {"label": words, "ci": (row["ci_lower"], row["ci_upper"]),
                                   "std_ci": (row["std_ci_lower"], row["std_ci_upper"])})  # fmt: skip
    return table


def agreement_table(agreement: Agreement, labels: Labels) -> Table:
    """Second engine beside the first, one row a parameter."""
    table = Table.of(
        [("name", "Parameter", "words"), ("est", "semkit", "raw3"), ("other", agreement.engine or "other", "raw3"),
         ("difference_se", "Difference in SE", "number")],
        caption=f"Estimates of semkit and {agreement.engine}",
    )  # fmt: skip
    rows: list[Any] = [] if agreement.table.empty else agreement.table.to_dict("records")
    for row in rows:
        values = {str(k): v for k, v in row.items()}
        if {"lhs", "op", "rhs"} <= set(values):
            values.setdefault("name", parameter_of(str(row["lhs"]), str(row["op"]), str(row["rhs"]), labels))
        table = table.add(**values)
    return table


def frame_table(frame: pd.DataFrame, caption: str = "") -> Table:
    """Any frame as a table: texts as they are, numbers with three decimals, counts whole."""
    columns = []
    for name in frame.columns:
        kind = "text"
        if pd.api.types.is_bool_dtype(frame[name]):
            kind = "text"
        elif pd.api.types.is_integer_dtype(frame[name]):
            kind = "count"
        elif pd.api.types.is_numeric_dtype(frame[name]):
            kind = "raw3"
        columns.append((str(name), str(name), kind))
    table = Table.of(columns, caption=caption)
    for row in frame.to_dict("records"):
        table = table.add(**{str(k): v for k, v in row.items()})
    return table
