"""What a result rests on: hashes of inputs, versions, seeds, expanded models, every number of a verdict."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from semkit import __version__
from semkit.errors import Note
from semkit.study.analysis import Analysis, ModelRun, model_seed
from semkit.study.checking import Study
from semkit.verdict import Check, Evidence, GateCheck, Verdict
from semkit.writing import hash_bytes

if TYPE_CHECKING:
    from semkit.cleaning import Cleaned

PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "semopy", "pydantic", "jinja2", "matplotlib")


def versions() -> dict[str, str]:
    """Versions of semkit, Python and the packages numbers and pages come from."""
    found = {"semkit": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def inputs(study: Study, cleaned: Cleaned) -> list[dict[str, Any]]:
    """Every file that was read, with its hash."""
    from semkit.instrument.library import find
    from semkit.study.sections import instrument_source

    rows = [
        {"kind": "study", "name": study.document.label, "sha256": study.document.sha256},
        {"kind": "responses", "name": study.file.data.file, "sha256": cleaned.responses.sha256},
    ]
    for name, form in zip(study.file.instruments, study.instruments, strict=True):
        source = find(instrument_source(study.document.folder, name))
        rows.append({"kind": "instrument", "name": name, "version": form.version, "sha256": hash_bytes(source.content)})
    return rows


def describe(study: Study, cleaned: Cleaned, analysis: Analysis | None) -> dict[str, Any]:
    """The manifest of a run, without the hashes of its output."""
    content: dict[str, Any] = {
        "schema_version": 1,
        "study": {"id": study.id, "title": study.title},
        "synthetic": cleaned.synthetic,
        "inputs": inputs(study, cleaned),
        "versions": versions(),
        "seed": study.file.seed,
        "respondents": {
            str(step): int(remaining)
            for step, remaining in zip(cleaned.flow["step"], cleaned.flow["remaining"], strict=True)
        },
    }
    if analysis is None:
        return content
    content["models"] = {name: _model(study, run) for name, run in analysis.runs.items()}
    content["gates"] = {name: [_gate(check) for check in checks] for name, checks in analysis.gates.items()}
    content["alpha"] = analysis.verdicts.alpha
    content["families"] = dict(analysis.verdicts.families)
    content["verdicts"] = [_verdict(item) for item in analysis.verdicts]
    return content


def _model(study: Study, run: ModelRun) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "text": run.expansion.text,
        "sha256": hash_bytes(run.expansion.text.encode("utf-8")),
        "controls": list(run.expansion.controls),
        "problems": [str(problem) for problem in run.problems],
        "notes": [_note(note) for note in run.notes],
    }
    if run.fit is None:
        return entry
    fit = run.fit
    made = dict(fit.provenance)
    entry |= {
        "estimator": fit.method,
        "nobs_received": fit.nobs_received,
        "nobs": fit.nobs,
        "converged": bool(fit.converged),
        "admissible": bool(fit.admissible),
        "fit_measures": {str(key): float(value) for key, value in fit.fit_measures.items()},
        "estimates": {
            name: {"est": float(est), "std": float(std)}
            for name, est, std in zip(fit.names, fit.est, fit.std_est, strict=True)
        },
        "fit_notes": [_note(note) for note in fit.notes],
    }
    if study.file.models[run.id].bootstrap:
        entry["bootstrap"] = {
            "seed": model_seed(study, run.id),
            **{key: made.get(key) for key in ("draws_requested", "draws_failed", "draws_inadmissible")},
        }
    return entry


def _note(note: Note) -> dict[str, str]:
    return {"code": note.code, "severity": note.severity, "text": str(note)}


def _gate(check: GateCheck) -> dict[str, Any]:
    return {
        "gate": check.gate,
        "passed": bool(check.passed),
        "what": check.what,
        "about": check.about,
        "figure": check.figure,
        "limit": check.threshold,
        "caps": check.caps,
    }


def _evidence(found: Evidence | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "estimate": found.estimate,
        "se": found.se,
        "ci_lower": found.ci_lower,
        "ci_upper": found.ci_upper,
        "p": found.pvalue,
        "raw": found.raw,
        "method": found.method,
        "n": found.nobs,
        "attenuation": found.attenuation,
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "text": check.text,
        "verdict": check.verdict,
        "reason": check.reason,
        "evidence": _evidence(check.evidence),
    }


def _verdict(item: Verdict) -> dict[str, Any]:
    return {
        "claim": item.claim.id,
        "rule": item.claim.rule,
        "family": item.claim.family,
        "verdict": item.verdict,
        "reason": item.reason,
        "detail": item.detail,
        "sentence": item.sentence,
        "p": item.pvalue,
        "p_holm": item.p_holm,
        "n": item.nobs,
        "robustness": item.robustness,
        "parts": [
            {
                "id": entry.part.id,
                "model": entry.part.model,
                "parameter": str(entry.part.parameter),
                "direction": entry.part.direction,
                "delta": entry.part.delta,
                "primary": entry.part.primary,
                "verdict": entry.verdict,
                "reason": entry.reason,
                "evidence": _evidence(entry.evidence),
            }
            for entry in item.parts
        ],
        "lines": [
            {
                "id": line.line.id,
                "rule": line.line.rule,
                "verdict": line.verdict,
                "reason": line.reason,
                "p": line.pvalue,
            }
            for line in item.lines
        ],
        "checks": [_check(check) for check in item.checks],
    }
