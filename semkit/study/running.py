"""The stages of a study, one after another: read, clean, validate, fit, probe, judge, report."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semkit.errors import Note, SemkitError
from semkit.study import output as out
from semkit.study.analysis import Analysis, Progress, analyse
from semkit.study.checking import Study, check_document
from semkit.study.manifest import describe
from semkit.study.probing import file_stem, run_probes, tables_of
from semkit.study.reading import read_document
from semkit.study.robustness import run_checks
from semkit.verdict import Verdicts, with_checks
from semkit.writing import inside

if TYPE_CHECKING:
    import pandas as pd

    from semkit.cleaning import Cleaned
    from semkit.validation import Validation


@dataclass(frozen=True, eq=False)
class StageResult:
    """What a single stage wrote and has to say."""

    lines: tuple[str, ...]
    files: tuple[Path, ...] = ()

    def summary(self) -> tuple[str, ...]:
        return self.lines


@dataclass(frozen=True, eq=False)
class StudyResult:
    """A study that was run.

    Parameters
    ----------
    study : Study
    cleaned : Cleaned
    validation : Validation or None
        None when the validation failed; the reason is among ``notes``.
    analysis : Analysis
        Models, gates and verdicts of the main analysis.
    verdicts : Verdicts
        With robustness checks and tags.
    probes : Mapping of str to Probe, TwoModerators, ConditionalEffects or ResponseSurface
        By ``"model focal:moderator"``, ``"model focal->outcome"``.
    regressions : Mapping of str to regression results
    folder : Path
    notes : tuple of (stage, Note)
    """

    study: Study
    cleaned: Cleaned
    validation: Validation | None
    analysis: Analysis
    verdicts: Verdicts
    probes: Mapping[str, Any]
    regressions: Mapping[str, Any]
    folder: Path
    notes: tuple[tuple[str, Note], ...]

    @property
    def fits(self) -> dict[str, Any]:
        """Fits by model id; models that could not be estimated are absent."""
        return self.analysis.fits

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    def summary(self) -> tuple[str, ...]:
        """One line a claim."""
        lines = ["Synthetic data: invented, no respondent exists."] if self.cleaned.synthetic else []
        for item in self.verdicts:
            p = f", p (Holm) = {item.p_holm:.4g}" if item.p_holm == item.p_holm else ""
            tag = f", {item.robustness}" if item.robustness else ""
            lines.append(f"{item.claim.id}: {item.verdict} ({item.reason}){p}, n = {item.nobs}{tag}")
            if item.sentence:
                lines.append(f"  {item.sentence}")
            elif item.verdict != "supported":
                lines.append(f"  {item.detail}")
        return tuple(lines)

    def __repr__(self) -> str:
        told = ", ".join(f"{item.claim.id} {item.verdict}" for item in self.verdicts)
        return f"<StudyResult {self.study.id}: {told}; {self.folder}>"

    def _repr_html_(self) -> str:
        from semkit.writing import table

        columns = ["claim", "part", "verdict", "reason", "estimate", "ci_lower", "ci_upper", "p", "p_holm", "n"]
        frame = self.verdicts.frame[columns]
        rows = [tuple("" if cell != cell else cell for cell in row) for row in frame.itertuples(index=False)]
        banner = (
            "<p><strong>Synthetic data: invented, no respondent exists.</strong></p>" if self.cleaned.synthetic else ""
        )
        return f'<div class="semkit">{banner}{table(tuple(columns), rows)}</div>'


def _silent(text: str) -> None:
    """Progress that nobody watches."""


def run(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> StudyResult:
    """Run every stage of a study and write its results.

    Parameters
    ----------
    path : path
        The study file.
    output : path, optional
        Folder for the results, replaced as a whole; by default the one the study file names, inside its folder.
    progress : callable, optional
        Called with a line of text when a stage begins.

    Returns
    -------
    StudyResult

    Raises
    ------
    FileError, StudyFileError
        The study cannot be read; every problem at once.
    ResponseError, SampleError
        The data cannot answer.  A model that cannot be estimated makes its claims ``not_testable`` instead.

    Examples
    --------
    >>> import semkit as sk
    >>> result = sk.run("examples/border_collaboration/study.toml", output="results")  # doctest: +SKIP
    >>> result.verdicts["H-B2"].verdict  # doctest: +SKIP
    'supported'
    """
    tell = progress or _silent
    study, target = _open(path, output, tell)
    cleaned = clean_study(study, tell)
    notes: list[tuple[str, Note]] = [("cleaning", note) for note in cleaned.notes]
    validation = _validate(cleaned, tell, notes)
    analysis = analyse(study, cleaned.frame, progress=tell)
    notes += [("data", note) for note in analysis.notes]
    notes += [(name, note) for name, model in analysis.runs.items() for note in model.notes]
    probes = run_probes(study, analysis, tell, notes)
    checks = run_checks(study, cleaned, analysis, tell)
    verdicts = with_checks(analysis.verdicts, checks.by_claim)
    result = StudyResult(
        study, cleaned, validation, replace(analysis, verdicts=verdicts), verdicts, probes, checks.regressions, target,
        tuple(notes),
    )  # fmt: skip
    tell("report")
    with out.results_folder(target) as folder:
        _write(result, folder)
    return result


def _open(path: str | os.PathLike[str], output: str | os.PathLike[str] | None, tell: Progress) -> tuple[Study, Path]:
    tell("study file")
    study = check_document(read_document(path))
    target = Path(output) if output is not None else inside(study.document.folder, study.file.output.folder)
    out.check_target(target)
    return study, target


def clean_study(study: Study, tell: Progress = _silent) -> Cleaned:
    """Read and clean the responses of a study by the rules of its file."""
    from semkit.cleaning import CleaningPlan, clean
    from semkit.responses import read_responses

    data = study.file.data
    tell(f"responses {data.file}")
    mapping: dict[str | int, str | None] = dict.fromkeys(data.set_aside)
    mapping.update(data.mapping)
    responses = read_responses(
        inside(study.document.folder, data.file),
        study.instruments,
        mapping=mapping or None,
        lang=data.lang,
        missing=tuple(data.missing_codes),
        decimal=data.decimal,
        encoding=data.encoding,
        delimiter=data.delimiter,
        sheet=data.sheet,
    )
    tell("cleaning")
    values = study.file.cleaning.model_dump()
    values["attention_modes"] = tuple(values["attention_modes"])
    values["winsorise"] = tuple(values["winsorise"])
    return clean(responses, CleaningPlan(**values))


def _validate(cleaned: Cleaned, tell: Progress, notes: list[tuple[str, Note]]) -> Validation | None:
    """Quality of the instruments; a validation that fails is noted and takes nothing else away."""
    from semkit.validation import validate

    tell("validation")
    try:
        found = validate(cleaned)
    except SemkitError as error:
        notes.append(("validation", Note("study.validation-failed", "warning", str(error.problems[0]))))
        return None
    notes += [("validation", note) for note in found.notes]
    return found


def _write(result: StudyResult, folder: Path) -> None:
    """Everything into a fresh folder, the manifest last."""
    from semkit.study.content import write_report

    cleaned, analysis = result.cleaned, result.analysis
    out.write_frame(folder / "verdicts.csv", result.verdicts.frame)
    out.write_frame(folder / "ledger.csv", cleaned.ledger)
    out.write_frame(folder / "flow.csv", cleaned.flow)
    for name, run_ in analysis.runs.items():
        if run_.fit is not None:
            write_model(folder / "models", name, run_.fit, run_.expansion.text)
    if result.validation is not None:
        write_validation(folder / "validation", result.validation)
    for name, found in result.probes.items():
        for key, table in tables_of(found).items():
            out.write_frame(folder / "probes" / f"{file_stem(name)}_{key}.csv", table)
    write_report(result, folder)
    out.write_manifest(folder, describe(result.study, cleaned, analysis))


def write_model(folder: Path, name: str, fit: Any, text: str) -> list[Path]:
    """Estimates, fit measures and the expanded text of one model."""
    from semkit.writing import write_text

    measures = fit.fit_measures.rename_axis("measure").reset_index(name="value")
    return [
        out.write_frame(folder / f"{name}_estimates.csv", fit.estimates),
        out.write_frame(folder / f"{name}_fit.csv", measures),
        write_text(folder / f"{name}.lav", text + "\n"),
    ]


def write_validation(folder: Path, found: Validation) -> list[Path]:
    """Tables of a validation."""
    tables: dict[str, pd.DataFrame] = {
        "constructs": found.constructs, "items": found.items, "htmt": found.htmt, "fit": found.fit,
        "composites": found.composites,
    }  # fmt: skip
    return [
        out.write_frame(folder / f"{name}.csv", table, index=name == "htmt")
        for name, table in tables.items()
        if len(table)
    ]


def run_cleaning(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> StageResult:
    """Read and clean; with ``output`` the cleaned columns, the ledger and the flow are written."""
    tell = progress or _silent
    study, cleaned, target = _start(path, output, tell)
    lines = _flow_lines(cleaned)
    if target is None:
        return StageResult((*lines, "nothing was written; give a folder with -o"))
    with out.results_folder(target) as folder:
        names = [
            out.write_frame(folder / "cleaned.csv", cleaned.frame, index=True),
            out.write_frame(folder / "ledger.csv", cleaned.ledger),
            out.write_frame(folder / "flow.csv", cleaned.flow),
        ]
        out.write_manifest(folder, describe(study, cleaned, None))
    return StageResult(lines, _moved(names, folder, target))


def run_validation(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> StageResult:
    """Read, clean and validate; with ``output`` the tables are written."""
    from semkit.validation import validate

    tell = progress or _silent
    study, cleaned, target = _start(path, output, tell)
    tell("validation")
    found = validate(cleaned)
    table = found.constructs
    lines = (
        *_flow_lines(cleaned),
        *(
            f"{row['construct']}: {row['items']} items, alpha {row['alpha']:.3f}, omega {row['omega']:.3f}"
            for _, row in table.iterrows()
        ),
        *(str(note) for note in found.notes),
    )
    if target is None:
        return StageResult(lines)
    with out.results_folder(target) as folder:
        names = write_validation(folder, found)
        out.write_manifest(folder, describe(study, cleaned, None))
    return StageResult(lines, _moved(names, folder, target))


def run_fitting(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> StageResult:
    """Read, clean and fit; with ``output`` estimates and fit measures are written."""
    tell = progress or _silent
    study, cleaned, target = _start(path, output, tell)
    analysis = analyse(study, cleaned.frame, progress=tell)
    lines = []
    for name, run_ in analysis.runs.items():
        if run_.fit is None:
            lines.append(f"{name}: not estimated: {run_.problems[0].what}")
            continue
        measures = run_.fit.fit_measures
        state = "converged" if run_.fit.converged else "did not converge"
        lines.append(
            f"{name}: {state}, n = {run_.fit.nobs}, chi-square {float(measures['chisq']):.2f} "
            f"on {int(measures['df'])} degrees of freedom"
        )
    if target is None:
        return StageResult(tuple(lines))
    names: list[Path] = []
    with out.results_folder(target) as folder:
        for name, run_ in analysis.runs.items():
            if run_.fit is not None:
                names += write_model(folder, name, run_.fit, run_.expansion.text)
        out.write_manifest(folder, describe(study, cleaned, analysis))
    return StageResult(tuple(lines), _moved(names, folder, target))


def _start(
    path: str | os.PathLike[str], output: str | os.PathLike[str] | None, tell: Progress
) -> tuple[Study, Cleaned, Path | None]:
    tell("study file")
    study = check_document(read_document(path))
    target = None if output is None else Path(output)
    if target is not None:
        out.check_target(target)
    return study, clean_study(study, tell), target


def _flow_lines(cleaned: Cleaned) -> tuple[str, ...]:
    return tuple(
        f"{step}: {int(remaining)}" + (f" ({int(removed)} removed)" if removed else "")
        for step, removed, remaining in cleaned.flow[["step", "removed", "remaining"]].itertuples(index=False)
    )


def _moved(names: list[Path], folder: Path, target: Path) -> tuple[Path, ...]:
    return tuple(target / name.relative_to(folder) for name in names)
