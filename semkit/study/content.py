"""From the records of a study to what its report prints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semkit.errors import Note, SemkitError
from semkit.report import content as page
from semkit.report import read_fit, read_flow, read_validation, read_verdicts
from semkit.study.analysis import ModelRun
from semkit.study.manifest import inputs, versions

if TYPE_CHECKING:
    from semkit.study.checking import Study
    from semkit.study.running import StudyResult

INVENTED = "Invented data; no respondent exists. Verdicts are statements about the generator."


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
        claims=read_verdicts(result.verdicts),
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


def _flow(result: StudyResult) -> page.Flow:
    """Received to analysed, and the respondents each model used."""
    branches = tuple(
        (f"{name}: {result.study.file.models[name].title or 'model'}", run.fit.nobs)
        for name, run in result.analysis.runs.items()
        if run.fit is not None
    )
    return read_flow(result.cleaned, branches)


def _quality(result: StudyResult) -> page.QualityPart | None:
    found = result.validation
    if found is None:
        return None
    part = read_validation(found)
    known = result.study.known.labels
    return replace(part, items=part.items.assign(label=[known.get(str(name), "") for name in part.items["item"]]))


def _model(result: StudyResult, run: ModelRun) -> page.ModelPart:
    spec = result.study.file.models[run.id]
    if run.fit is None:
        notes = tuple(
            Note("study.model-failed", "error", problem.what, problem.where, problem.allowed, problem.remedy)
            for problem in run.problems
        )
        return page.ModelPart(
            run.id, spec.title, text=run.expansion.text, converged=False, admissible=False, notes=notes
        )
    part = read_fit(
        run.fit,
        run.id,
        title=spec.title,
        text=run.expansion.text,
        probes=tuple(probe for name, probe in result.probes.items() if name.split(" ", 1)[0] == run.id),
        controls=run.expansion.controls,
        agreement=_agreement(run.fit) if spec.crosscheck else None,
    )
    return replace(part, notes=(*part.notes, *run.notes))


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
