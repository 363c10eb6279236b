"""From the records of other rooms to the parts of a report: one reader for each record, by its public names only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from semkit.errors import SemkitError
from semkit.report import rounding
from semkit.report.content import (
    Agreement,
    Check,
    Claim,
    Evidence,
    Flow,
    FlowStep,
    Gate,
    ModelPart,
    QualityPart,
    Reading,
)
from semkit.report.products import estimated_by, method_of, said_of_change, without_products
from semkit.result import quantity

NAN = float("nan")

STEP_WORDS = {
    "duplicates": ("Distinct submissions", "duplicate submission"),
    "no consent": ("With consent", "no consent"),
    "screening": ("Eligible", "screened out"),
    "careless": ("Attentive", "careless answers"),
}
"""Step of a cleaned flow -> who is left after it, why the others left."""


def read_fit(
    fit: Any, id: str = "", *, title: str = "", text: str = "", probes: Iterable[Any] = (),
    controls: Iterable[str] = (), agreement: Agreement | None = None,
) -> ModelPart:  # fmt: skip
    """Read a fit or a regression: any result with ``estimates`` and ``fit_measures`` beside the contract.

    Standardised values are those the contract gives (``std_est`` with its errors or draws), so that tables, diagram
    and verdicts print the same number: a product is in units of its factors' SDs, never of the product's own.
    """
    source = fit.provenance
    draws = fit.draws
    options = getattr(getattr(fit, "solution", None), "options", None)
    measures = _measures(fit)
    tests = getattr(options, "test", ()) if "chisq" in measures else ()
    return ModelPart(
        id=id or "model",
        title=title,
        estimates=standardised_estimates(fit),
        fit_measures=measures,
        r2=dict(pairs(getattr(fit, "r2", {}))),
        r2_linear=without_products(fit),
        interaction=estimated_by(fit),
        product_test=said_of_change(measures),
        nobs_received=fit.nobs_received,
        nobs=fit.nobs,
        method=method_words(fit.method, tests, draws is not None),
        converged=fit.converged,
        admissible=fit.admissible,
        text=text,
        probes=tuple(probes),
        agreement=agreement,
        notes=tuple(fit.notes),
        controls=tuple(controls),
        draws_requested=int(source.get("draws_requested", 0 if draws is None else len(draws))),
        draws_failed=int(source.get("draws_failed", 0)),
        draws_inadmissible=int(source.get("draws_inadmissible", 0)),
    )


def method_words(method: str, test: Iterable[str] = (), resampled: bool = False) -> str:
    """Estimator in words."""
    words = {
        "ML": "maximum likelihood",
        "MLR": "maximum likelihood with robust (sandwich) standard errors",
        **dict.fromkeys(("MLM", "MLMV", "MLMVS"), "maximum likelihood with robust standard errors"),
        "MLF": "maximum likelihood with first-order standard errors",
        "GLS": "generalised least squares",
        "ULS": "unweighted least squares",
        "WLS": "weighted (asymptotically distribution-free) least squares",
    }.get(method.upper()) or method_of(method) or method
    tests = {
        "yuan.bentler.mplus": "Yuan–Bentler scaled test", "yuan.bentler": "Yuan–Bentler scaled test",
        "satorra.bentler": "Satorra–Bentler scaled test", "scaled.shifted": "scaled and shifted test",
        "mean.var.adjusted": "mean- and variance-adjusted test", "browne.residual.nt": "Browne's residual test",
        "browne.residual.adf": "Browne's distribution-free residual test",
    }
    named = [tests[name] for name in test if name in tests]
    pieces = [words, *named, *(["percentile bootstrap intervals"] if resampled else [])]
    return ", ".join(pieces)


def pairs(value: Any) -> Iterable[tuple[str, float]]:
    """(name, number) pairs of a mapping or a series; a single number has no names and gives none."""
    return [(str(k), float(v)) for k, v in value.items()] if hasattr(value, "items") else []


def _measures(fit: Any) -> dict[str, float]:
    """Fit measures; without any when they cannot be computed (the model's other tables stay)."""
    try:
        return dict(pairs(fit.fit_measures))
    except SemkitError:
        return {}


def standardised_estimates(fit: Any) -> pd.DataFrame:
    """The fit's estimates with ``std_all``, ``std_se`` and its interval taken from the contract where it has them."""
    table: pd.DataFrame = fit.estimates.copy()
    for column in ("group", "label"):
        if column not in table:
            table[column] = ""
    columns = {"std_se": NAN, "std_ci_lower": NAN, "std_ci_upper": NAN}
    if hasattr(fit, "standardized"):
        other = fit.standardized()
        table["std_se"] = other["se"].to_numpy(dtype=float)
        table["std_ci_lower"] = other["ci_lower"].to_numpy(dtype=float)
        table["std_ci_upper"] = other["ci_upper"].to_numpy(dtype=float)
    for column, value in columns.items():
        if column not in table:
            table[column] = value
    if "std_all" not in table:
        table["std_all"] = NAN
    known = {name: position for position, name in enumerate(fit.names)}
    counts = table["label"].value_counts()
    values = {name: table[name].to_numpy(dtype=float).copy() for name in ("std_all", *columns)}
    for i, row in enumerate(table.to_dict("records")):
        label = str(row["label"] or "")
        plain = f"{row['lhs']} {row['op']} {row['rhs']}".strip()
        name = label if label in known and counts.get(label, 0) == 1 else plain
        if row["op"] == ":=":
            name = str(row["lhs"])
        if name not in known or not math.isfinite(fit.std_est[known[name]]):
            continue
        found = quantity(fit, name, standardized=True)
        for key, value in zip(values, (found.est, found.se, found.ci_lower, found.ci_upper), strict=True):
            values[key][i] = value
    done: pd.DataFrame = table.assign(**values)
    return done


def read_flow(cleaned: Any, models: Iterable[tuple[str, int]] = ()) -> Flow:
    """Read a ``Cleaned``: its flow table from received to analysed; ``models`` are (label, respondents used)."""
    steps: list[FlowStep] = []
    for row in cleaned.flow.to_dict("records"):
        step, removed, remaining = str(row["step"]), int(row["removed"]), int(row["remaining"])
        if not steps:
            steps.append(FlowStep("Records received", remaining + removed))
            if not removed:
                continue
        label, reason = STEP_WORDS.get(step, (_sentence(step), step.replace("_", " ")))
        if removed:
            why = _careless(cleaned, removed) if step == "careless" else ((reason, removed),)
            steps.append(FlowStep(label, remaining, why))
    if steps and len(steps) > 1:
        steps[-1] = FlowStep("Analysed", steps[-1].count, steps[-1].left)
    return Flow(tuple(steps), tuple(models))


def _careless(cleaned: Any, removed: int) -> tuple[tuple[str, int], ...]:
    """Careless respondents by the rule that excluded them, if the ledger tells it for all of them."""
    ledger = cleaned.ledger
    rows = ledger[(ledger["rule"] == "careless") & (ledger["action"] == "excluded")]
    if len(rows) != removed:
        return (("careless answers", removed),)
    counts = {"too many items missing": 0, "attention check failed and another flag": 0, "two or more other flags": 0}
    for value in rows["value"].astype(str):
        flags = value.split(" + ")
        missing, attention, _ = counts
        chosen = missing if "missing" in flags else attention if "attention" in flags else "two or more other flags"
        counts[chosen] += 1
    return tuple((reason, count) for reason, count in counts.items() if count)


def _sentence(text: str) -> str:
    text = text.replace("_", " ")
    return text[:1].upper() + text[1:]


def read_validation(validation: Any) -> QualityPart:
    """Read a ``Validation``; second-order composites follow the constructs with their stratified alpha."""
    constructs = validation.constructs
    composites = getattr(validation, "composites", None)
    if composites is not None and not composites.empty:
        rows = composites.rename(columns={"parts": "items", "stratified_alpha": "alpha"})
        rows = rows.assign(label=[f"{label} (composite of {n} parts)" for label, n in
                                  zip(rows["label"], rows["items"], strict=True)])  # fmt: skip
        constructs = pd.concat([constructs, rows], ignore_index=True)
    labels = getattr(validation, "labels", None)
    items = validation.items
    if labels is not None and "label" not in items:
        items = items.assign(label=[labels.get(name, "") for name in items["item"]])
    fit = validation.fit
    for name in ("cfi", "rmsea"):
        if f"{name}_robust" in fit and np.isfinite(fit[f"{name}_robust"].to_numpy(dtype=float)).all():
            fit = fit.assign(**{name: fit[f"{name}_robust"]})
    return QualityPart(constructs, validation.htmt, items, fit, tuple(validation.notes))


def read_verdicts(verdicts: Iterable[Any]) -> tuple[Claim, ...]:
    """Read ``Verdicts``, in their order."""
    return tuple(_claim(item) for item in verdicts)


def _claim(item: Any) -> Claim:
    claim = item.claim
    statement: Mapping[str, str] = claim.statement
    english = statement.get("en", "") or next(iter(statement.values()), "")
    other = next(((k, v) for k, v in statement.items() if k != "en" and v and v != english), ("", ""))
    return Claim(
        id=claim.id,
        statement=english,
        verdict=item.verdict,
        reason=item.reason,
        statement_local=other[1],
        local_language=other[0],
        caveat=" ".join(text for text in (item.sentence, claim.caveat) if text),
        family=claim.family,
        rule=claim.rule,
        pvalue=item.pvalue,
        p_holm=item.p_holm,
        parts=tuple(_evidence(part, claim.rule) for part in item.parts),
        readings=tuple(
            Reading(r.line.id, r.line.text, r.line.rule, r.verdict, r.reason, r.pvalue) for r in item.lines
        ),
        detail=item.detail,
        gates=_gates(item.gates),
        robustness=item.robustness,
        checks=tuple(_check(check, item.verdict) for check in item.checks),
    )  # fmt: skip


def _evidence(judged: Any, rule: str) -> Evidence:
    part, found = judged.part, judged.evidence
    numbers: dict[str, Any] = {}
    if found is not None:
        numbers = {
            "est": found.estimate, "se": found.se, "ci_lower": found.ci_lower, "ci_upper": found.ci_upper,
            "pvalue": found.pvalue, "raw_est": found.raw, "n": found.nobs, "method": found.method,
        }  # fmt: skip
    return Evidence(
        part.id, str(part.parameter), part.about, part.model, rule, part.direction, delta=part.delta,
        verdict=judged.verdict, reason=judged.reason, decides=part.primary, **numbers,
    )  # fmt: skip


def _gates(checks: Iterable[Any]) -> tuple[Gate, ...]:
    """Gates with their figure and limit in words."""
    out = []
    for check in checks:
        yes_no = check.threshold == 1.0 and check.figure in (0.0, 1.0)
        whole = float(check.threshold).is_integer() and check.threshold > 1
        show = rounding.count if whole else lambda value: rounding.number(value, 3, leading=False)
        # G4 and two of the fit measures set an upper limit; the others a lower one.
        upper = check.gate == "G4" or check.what in ("RMSEA", "SRMR")
        limit = "" if yes_no else f", {'at most' if upper else 'at least'} {show(check.threshold)}"
        about = f" ({check.about})" if check.about else ""
        value = ("yes" if check.passed else "no") if yes_no else show(check.figure)
        out.append(Gate(check.gate, f"{check.what}{about}{limit}", bool(check.passed), value))
    return tuple(out)


def _check(check: Any, verdict: str) -> Check:
    found = check.evidence
    numbers: dict[str, Any] = {}
    if found is not None:
        numbers = {
            "est": found.estimate, "ci_lower": found.ci_lower, "ci_upper": found.ci_upper, "pvalue": found.pvalue,
            "n": found.nobs,
        }  # fmt: skip
    applies = check.verdict != "not_testable"
    return Check(check.id, check.text, verdict=check.verdict, agrees=check.verdict == verdict if applies else None,
                 remark=check.detail, **numbers)  # fmt: skip
