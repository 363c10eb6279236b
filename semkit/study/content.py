"""From the records of a study to what its report prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semkit.errors import SemkitError
from semkit.report import content as page
from semkit.study.analysis import ModelRun
from semkit.study.manifest import inputs, versions
from semkit.verdict import Check, GateCheck, PartVerdict, Verdict

if TYPE_CHECKING:
    from semkit.study.checking import Study
    from semkit.study.running import StudyResult

INVENTED = "Invented data; no respondent exists. Verdicts are statements about the generator."

_STEPS = {
    "received": "Received",
    "duplicates": "copies of a submission",
    "no consent": "no consent",
    "screening": "screened out",
    "careless": "careless answers",
    "analysed": "Analysed",
}


def write_report(result: StudyResult, folder: Path) -> Path:
    """Write ``report.html`` and, if the study wants them, the figures and tables as files."""
    from semkit.report.document import compose

    report = compose(make_content(result))
    report.save_tables(folder / "tables")
    if result.study.file.output.figures:
        report.save_figures(folder / "figures", formats=("svg", "png"))
    return report.save(folder / "report.html")


def make_content(result: StudyResult) -> page.ReportContent:
    """Fill the report's record; what was not computed stays empty."""
    study = result.study
    about = study.file.study
    return page.ReportContent(
        title=about.title.en,
        subtitle=about.title.id,
        authors=about.authors,
        date=about.date,
        synthetic=INVENTED if result.cleaned.synthetic else "",
        summary=about.summary,
        claims=tuple(_claim(item) for item in result.verdicts),
        flow=_flow(result),
        quality=_quality(result),
        models=tuple(_model(result, run) for run in result.analysis.runs.values()),
        labels=labels(study),
        notes=result.notes,
        provenance=_provenance(result),
    )


def labels(study: Study) -> dict[str, str]:
    """Words for variables: the instruments' own, then those of the study file."""
    words = {name: text for name, text in study.known.labels.items() if text}
    words |= {f"m_{code}": words[code] for code in study.known.constructs if code in words}
    words |= {name: text.en for name, text in study.file.labels.items()}
    for model in study.file.models.values():
        words |= {name: text.en for name, text in model.labels.items()}
    return words


def _claim(item: Verdict) -> page.Claim:
    caveat = " ".join(text for text in (item.sentence, item.claim.caveat) if text)
    return page.Claim(
        id=item.claim.id,
        statement=item.claim.statement.get("en", ""),
        verdict=item.verdict,
        reason=item.reason,
        statement_local=item.claim.statement.get("id", ""),
        caveat=caveat,
        family=item.claim.family,
        rule=item.claim.rule,
        pvalue=item.pvalue,
        p_holm=item.p_holm,
        parts=tuple(_part(item, part) for part in item.parts),
        readings=tuple(
            page.Reading(line.line.id, line.line.text, line.line.rule, line.verdict, line.reason, line.pvalue)
            for line in item.lines
        ),
        detail=item.detail,
        gates=tuple(_gate(check) for check in item.gates),
        robustness=item.robustness,
        checks=tuple(_check(item, check) for check in item.checks),
    )


def _part(item: Verdict, entry: PartVerdict) -> page.Evidence:
    found, part = entry.evidence, entry.part
    single = len(item.claim.primary) == 1 and part.primary
    numbers: dict[str, Any] = {}
    if found is not None:
        numbers = {
            "est": found.estimate,
            "se": found.se,
            "ci_lower": found.ci_lower,
            "ci_upper": found.ci_upper,
            "pvalue": found.pvalue,
            "raw_est": found.raw,
            "n": found.nobs,
            "method": found.method,
        }
    return page.Evidence(
        id=part.id,
        name=part.parameter,
        meaning=part.about,
        model=part.model,
        rule="R-PATH",
        direction=part.direction,
        delta=part.delta,
        p_holm=item.p_holm if single else float("nan"),
        verdict=entry.verdict,
        reason=entry.reason,
        decides=part.primary,
        **numbers,
    )


def _gate(check: GateCheck) -> page.Gate:
    place = f", {check.about}" if check.about else ""
    sign = "at least" if check.gate in ("G1", "G3", "G5") or check.what == "CFI" else "below"
    if check.gate == "G7" and check.what in ("RMSEA", "SRMR"):
        sign = "at most"
    if check.gate in ("G2", "G8"):
        return page.Gate(check.gate, check.what, check.passed, "")
    return page.Gate(
        check.gate, f"{check.what}{place}", check.passed, f"{check.figure:.4g} ({sign} {check.threshold:.4g})"
    )


def _check(item: Verdict, check: Check) -> page.Check:
    found = check.evidence
    numbers: dict[str, Any] = {}
    if found is not None:
        numbers = {
            "est": found.estimate,
            "ci_lower": found.ci_lower,
            "ci_upper": found.ci_upper,
            "pvalue": found.pvalue,
            "n": found.nobs,
        }
    applies = check.verdict != "not_testable"
    return page.Check(
        check.id,
        check.text,
        verdict=check.verdict,
        agrees=check.verdict == item.verdict if applies else None,
        remark=check.detail,
        **numbers,
    )


def _flow(result: StudyResult) -> page.Flow:
    """Received to analysed, and the respondents each model used."""
    table = result.cleaned.flow
    rows = [
        (str(step), int(removed), int(remaining))
        for step, removed, remaining in table[["step", "removed", "remaining"]].itertuples(index=False)
    ]
    left = tuple((_STEPS.get(step, step), removed) for step, removed, _ in rows if removed)
    steps = (page.FlowStep("Received", rows[0][2]), page.FlowStep("Analysed", rows[-1][2], left))
    branches = tuple(
        (f"{name}: {result.study.file.models[name].title or 'model'}", run.nobs)
        for name, run in result.analysis.runs.items()
        if run.fit is not None
    )
    return page.Flow(steps, branches)


def _quality(result: StudyResult) -> page.QualityPart | None:
    found = result.validation
    if found is None:
        return None
    known = result.study.known.labels
    items = found.items.assign(label=[known.get(str(name), "") for name in found.items["item"]])
    return page.QualityPart(found.constructs, found.htmt, items, found.fit, tuple(found.notes))


def _model(result: StudyResult, run: ModelRun) -> page.ModelPart:
    spec = result.study.file.models[run.id]
    if run.fit is None:
        from semkit.errors import Note

        notes = tuple(
            Note("study.model-failed", "error", problem.what, problem.where, problem.allowed, problem.remedy)
            for problem in run.problems
        )
        return page.ModelPart(
            run.id, spec.title, text=run.expansion.text, converged=False, admissible=False, notes=notes
        )
    fit = run.fit
    made: Mapping[str, Any] = fit.provenance
    draws = {key: int(made.get(key) or 0) for key in ("draws_requested", "draws_failed", "draws_inadmissible")}
    method = fit.method + (f", percentile bootstrap ({draws['draws_requested']} draws)" if spec.bootstrap else "")
    return page.ModelPart(
        run.id,
        spec.title,
        estimates=fit.estimates,
        fit_measures=fit.fit_measures.to_dict(),
        r2=fit.r2.to_dict(),
        nobs_received=fit.nobs_received,
        nobs=fit.nobs,
        method=method,
        converged=bool(fit.converged),
        admissible=bool(fit.admissible),
        text=run.expansion.text,
        probes=tuple(probe for name, probe in result.probes.items() if name.split(" ", 1)[0] == run.id),
        agreement=_agreement(fit) if spec.crosscheck else None,
        notes=(*fit.notes, *run.notes),
        controls=run.expansion.controls,
        **draws,
    )


def _agreement(fit: Any) -> page.Agreement:
    """A second engine's numbers; that it cannot run is said and takes nothing away."""
    try:
        found = fit.crosscheck("semopy")
    except SemkitError as error:
        return page.Agreement("semopy", remark=str(error.problems[0]))
    return page.Agreement(
        engine=str(getattr(found, "engine", "semopy")),
        version=str(getattr(found, "version", "")),
        agrees=getattr(found, "agrees", None),
        compared=int(getattr(found, "compared", 0)),
        largest=float(getattr(found, "largest", float("nan"))),
        tolerance=float(getattr(found, "tolerance", float("nan"))),
        table=found.table,
        remark=str(getattr(found, "remark", "")),
    )


def _provenance(result: StudyResult) -> dict[str, dict[str, str]]:
    study = result.study
    files = {f"{row['kind']} {row['name']}": f"sha256 {row['sha256']}" for row in inputs(study, result.cleaned)}
    limits = {key: f"{value:g}" for key, value in study.file.gates.model_dump().items()}
    return {
        "Inputs": files,
        "Versions": versions(),
        "Settings": {"seed": str(study.file.seed), "alpha": f"{study.file.alpha:g}"},
        "Gates": limits,
    }
