"""Robustness checks: the same rule on another analysis of the same claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semkit.errors import SemkitError
from semkit.study.analysis import Analysis, Progress, analyse
from semkit.study.checking import Study
from semkit.study.columns import composite_items, sampling_design, score_items
from semkit.study.schema import CheckModel, ClaimModel, PartModel
from semkit.verdict import Check, Evidence, Verdict, evidence, path

if TYPE_CHECKING:
    import pandas as pd

    from semkit.cleaning import Cleaned

_TEXT = {
    "all_in": "all respondents, careless ones included",
    "routed": "blocks that were not asked scored at the lowest point",
    "regression": "moderated regression on means",
    "model": "another model",
}


@dataclass(frozen=True, eq=False)
class Checks:
    """Checks by claim, and the regressions among them."""

    by_claim: Mapping[str, tuple[Check, ...]]
    regressions: Mapping[str, Any]


def run_checks(study: Study, cleaned: Cleaned, main: Analysis, progress: Progress) -> Checks:
    """Run the file's checks; a check that cannot run is left out of the tag, with its reason in ``detail``."""
    found: dict[str, list[Check]] = {}
    regressions: dict[str, Any] = {}
    analyses: dict[tuple[str, ...], Analysis] = {}
    for spec in study.file.checks:
        if main.verdicts[spec.claim].verdict == "not_testable":
            continue
        if spec.kind == "regression":
            progress(f"check {spec.id} of {spec.claim}: moderated regression")
            check, result = _regression(study, spec, main)
            if result is not None:
                regressions[f"{spec.id} {spec.claim}"] = result
        else:
            check = _again(study, spec, cleaned, main, analyses, progress)
        found.setdefault(spec.claim, []).append(check)
    return Checks({claim: tuple(entries) for claim, entries in found.items()}, regressions)


def _again(
    study: Study,
    spec: CheckModel,
    cleaned: Cleaned,
    main: Analysis,
    analyses: dict[tuple[str, ...], Analysis],
    progress: Progress,
) -> Check:
    """The claim on another frame or with other models; each such analysis runs once for all its claims."""
    key = (spec.kind, *(f"{old}={new}" for old, new in sorted(spec.models.items())))
    if key not in analyses:
        progress(f"check {spec.id}: {_TEXT[spec.kind]}")
        claims = {check.claim for check in study.file.checks if check.kind == spec.kind and check.models == spec.models}
        wanted = [
            spec.models.get(part.model, part.model)
            for claim in study.file.claims
            if claim.id in claims
            for part in claim.parts
            if part.primary
        ]
        frame = main.frame if spec.kind == "model" else _frame(spec.kind, cleaned)
        analyses[key] = analyse(
            study, frame, models=wanted, replace=spec.models, most_draws=spec.bootstrap, progress=progress
        )
    return _check(spec, analyses[key].verdicts[spec.claim])


def _frame(kind: str, cleaned: Cleaned) -> pd.DataFrame:
    if kind == "all_in":
        return cleaned.frame_all
    from dataclasses import replace

    from semkit.cleaning import clean

    return clean(cleaned.responses, replace(cleaned.plan, score_routed=True)).frame


def _check(spec: CheckModel, verdict: Verdict) -> Check:
    text = spec.text or _TEXT[spec.kind]
    return Check(spec.id, text, verdict.verdict, verdict.reason, verdict.detail, verdict.evidence)


def _regression(study: Study, spec: CheckModel, main: Analysis) -> tuple[Check, Any]:
    """RC3: the part's rule on the product of a moderated regression of composites, at its own p."""
    from semkit.regression import moderated_regression

    text = spec.text or _TEXT[spec.kind]
    claim = next(entry for entry in study.file.claims if entry.id == spec.claim)
    part = _part(claim, spec)
    columns, outcome, focal, moderator = _regression_columns(study, spec, main)
    design = sampling_design(study.file)
    try:
        result = moderated_regression(
            main.frame, outcome=outcome, focal=focal, moderator=moderator, covariates=columns,
            se=spec.se if design is None else None, design=design,
        )  # fmt: skip
        shrink = attenuation(study, main.frame, (outcome, focal, moderator))
        found: Evidence = evidence(result, f"{outcome} ~ {focal}:{moderator}", attenuation=shrink)
    except SemkitError as error:
        return Check(spec.id, text, "not_testable", "no_model", str(error.problems[0].what)), None
    judged = path(found, part.direction, part.delta, found.pvalue, study.file.alpha)
    return Check(spec.id, text, judged.verdict, judged.reason, judged.detail, found), result


def _part(claim: ClaimModel, spec: CheckModel) -> PartModel:
    primary = [part for part in claim.parts if part.primary]
    return next((part for part in claim.parts if part.id == spec.part), primary[0])


def _regression_columns(study: Study, spec: CheckModel, main: Analysis) -> tuple[list[str], str, str, str]:
    """Covariates that vary among complete cases, and the three names (their presence was checked with the file)."""
    from semkit.study.analysis import prepare
    from semkit.study.columns import varying

    outcome, focal, moderator = str(spec.outcome), str(spec.focal), str(spec.moderator)
    _, sets, _ = prepare(study, main.frame)
    names = [column for name in spec.covariates for column in sets.get(name, (name,))]
    names = [name for name in dict.fromkeys(names) if name not in (outcome, focal, moderator)]
    complete = main.frame[[outcome, focal, moderator, *names]].dropna()
    return varying(complete, names)[0], outcome, focal, moderator


def attenuation(study: Study, frame: pd.DataFrame, names: tuple[str, ...]) -> float:
    """``sqrt(rho_1 ... rho_k)``: how much measurement error shrinks a coefficient between these columns.

    ``sqrt(rho_x rho_y)`` for a path, ``sqrt(rho_x rho_w rho_y)`` for a two-way interaction of independent variables
    (Busemeyer & Jones 1983, Psychological Bulletin 93, 549-562).  NaN when a reliability is not known.
    """
    product = 1.0
    for name in names:
        product *= _reliability(study, frame, name)
    return float(np.sqrt(product)) if np.isfinite(product) and product > 0 else float("nan")


def _reliability(study: Study, frame: pd.DataFrame, name: str) -> float:
    """Stratified alpha of a composite, alpha of a score, the stated reliability, 1 for an objective 0/1 column."""
    from semkit.sample.composite import alpha, stratified_error_variance

    if name in study.file.scores:
        items = list(score_items(name, study.file, study.known))
        if len(items) < 2:
            return float("nan")
        return float(alpha(np.cov(frame[items].dropna().to_numpy(dtype=float), rowvar=False)))
    if name not in study.file.composites:
        values = frame[name].dropna().unique()
        return 1.0 if set(values) <= {0.0, 1.0} else float("nan")
    composite = study.file.composites[name]
    if not isinstance(composite.reliability, str):
        return float(composite.reliability)
    parts = composite_items(composite, study.file, study.known)
    rows = frame[[*parts, *(item for items in parts.values() for item in items)]].dropna()
    alphas = [alpha(np.cov(rows[list(items)].to_numpy(dtype=float), rowvar=False)) for items in parts.values()]
    variances = rows[list(parts)].var(ddof=1).to_numpy(dtype=float)
    error = float(stratified_error_variance(variances, np.array(alphas, dtype=float)))
    return 1.0 - error / float(rows[list(parts)].mean(axis=1).var(ddof=1))
