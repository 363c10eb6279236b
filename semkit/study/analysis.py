"""One analysis of one frame: models are expanded and fitted, gates are measured, claims are judged.

The main analysis, its robustness checks and a simulation of power are this with other frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semkit.errors import Note, Problem, SampleError, SemkitError
from semkit.study.checking import Study
from semkit.study.columns import (
    add_controls,
    add_scores,
    around_means,
    composite_items,
    sampling_design,
    varying,
    with_design,
)
from semkit.study.expansion import Expansion, Vocabulary, expand
from semkit.study.measurement import Measurement, measure
from semkit.study.schema import ModelModel, PartModel
from semkit.verdict import (
    Claim,
    GateCheck,
    Index,
    Line,
    Part,
    Thresholds,
    Verdicts,
    distinctness,
    estimation,
    judge,
    measurement_fit,
    omitted,
    reliability,
    sample_size,
    unavailable,
    variation,
)

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class ModelRun:
    """One model on one frame: its fit, or why there is none.

    Parameters
    ----------
    id : str
    expansion : Expansion
        With the control columns of these data.
    fit : Fit or None
    problems : tuple of Problem
        Why there is no fit.
    measurement : Measurement or None
    rows : ndarray of bool
        Respondents with all variables of the model; with full information, those it uses.
    notes : tuple of Note
    """

    id: str
    expansion: Expansion
    fit: Any
    problems: tuple[Problem, ...]
    measurement: Measurement | None
    rows: np.ndarray
    notes: tuple[Note, ...] = ()

    @property
    def nobs(self) -> int:
        return int(self.rows.sum())


@dataclass(frozen=True, eq=False)
class Analysis:
    """What one frame says about the study's claims."""

    frame: pd.DataFrame
    runs: Mapping[str, ModelRun]
    gates: Mapping[str, tuple[GateCheck, ...]]
    verdicts: Verdicts
    notes: tuple[Note, ...]

    @property
    def fits(self) -> dict[str, Any]:
        """Fits of the models that could be estimated."""
        return {name: run.fit for name, run in self.runs.items() if run.fit is not None}


def prepare(study: Study, frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]], tuple[Note, ...]]:
    """Frame with scores, composites and control columns; the sets of controls; notes."""
    scored = add_scores(frame, study.file, study.known)
    controls = add_controls(scored, study.file, study.known)
    return controls.frame, dict(controls.sets), controls.notes


def analyse(
    study: Study,
    frame: pd.DataFrame,
    *,
    models: Iterable[str] | None = None,
    replace: Mapping[str, str] | None = None,
    most_draws: int | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """Fit the study's models to a frame and judge its claims.

    Parameters
    ----------
    study : Study
    frame : DataFrame
        Analysis columns of cleaning.
    models : iterable of str, optional
        Ids of the models to fit; all by default.
    replace : mapping of str to str, optional
        Model ids of claims -> ids that stand for them.
    most_draws : int, optional
        Upper limit of every model's bootstrap draws.
    progress : callable, optional
    """
    tell = progress or (lambda text: None)
    ready, sets, notes = prepare(study, frame)
    wanted = list(study.file.models if models is None else dict.fromkeys(models))
    runs: dict[str, ModelRun] = {}
    for name in wanted:
        draws = study.file.models[name].bootstrap
        draws = draws if most_draws is None else min(draws, most_draws)
        tell(f"model {name}" + (f", {draws} bootstrap draws" if draws else ""))
        runs[name] = run_model(study, name, ready, sets, draws)
    claims = make_claims(study, replace or {})
    gates = {name: gate_checks(study, run, ready) for name, run in runs.items()}
    results = {name: run.fit for name, run in runs.items() if run.fit is not None}
    verdicts = judge(claims, results, gates, alpha=study.file.alpha)
    return Analysis(ready, runs, gates, verdicts, notes)


def model_seed(study: Study, name: str) -> int:
    """Seed of a model's draws: spawned by its place, so that adding a model changes no other."""
    place = list(study.file.models).index(name)
    return int(np.random.SeedSequence(study.file.seed, spawn_key=(place,)).generate_state(1, np.uint32)[0])


def run_model(
    study: Study, name: str, frame: pd.DataFrame, sets: Mapping[str, tuple[str, ...]], draws: int
) -> ModelRun:
    """Expand and fit one model; a failure is part of the record and never stops the others."""
    from semkit.fitting import sem
    from semkit.sample import Composite

    model = study.file.models[name]
    nominal = study.expansions[name]
    rows = np.zeros(len(frame), dtype=bool)
    try:
        expansion, columns, rows, notes = _expand_for(study, name, frame, sets)
        composites = {
            key: Composite(
                tuple(spec.parts), composite_items(spec, study.file, study.known), spec.weights, spec.reliability
            )
            for key, spec in study.file.composites.items()
            if key in expansion.composites
        }
        design = sampling_design(study.file)
        measured = measure(expansion, frame, rows, model.estimator, design, model.missing)
        data = with_design(frame, columns, design)
        if model.interaction != "product":
            data = around_means(data, _covariates(expansion), rows, design.weights if design is not None else None)
        fit = sem(
            expansion.text,
            data,
            design=design,
            interaction=_interaction(model, expansion, measured),
            estimator=model.estimator,
            missing=model.missing,
            composites=composites or None,
            bootstrap=draws or None,
            seed=model_seed(study, name) if draws else None,
        )
    except SemkitError as error:
        return ModelRun(name, nominal, None, error.problems, None, rows)
    return ModelRun(name, expansion, fit, (), measured, rows, notes)


def _covariates(expansion: Expansion) -> list[str]:
    """Exogenous observed variables that no product holds.

    Methods without product indicators take latent variables from their zero: with covariates around their means that
    zero is the mean, and coefficients beside a product are slopes at average values, as with product indicators.
    """
    from semkit.model import classify, parse

    spec = parse(expansion.text)
    multiplied = {part for product in spec.products for part in product.split(":")}
    return [name for name in classify(spec.terms).ov_x if ":" not in name and name not in multiplied]


def _interaction(model: ModelModel, expansion: Expansion, measured: Measurement) -> Any:
    """The method of a model's latent products, with its options.

    Product indicators are matched by reliability rank, the best indicator of one factor with the best of the other,
    unless the file says otherwise.
    """
    from semkit.interaction import LMS, ProductIndicators
    from semkit.model import parse

    if model.interaction == "lms" and model.nodes is not None:
        return LMS(nodes=model.nodes)
    if model.interaction != "product":
        return model.interaction
    centering = model.centering or "double"
    if model.match is not None and model.match != "loading":
        return ProductIndicators(match=model.match, centering=centering)
    factors = {name for product in parse(expansion.text).products for name in product.split(":")}
    ranks = {name: measured.ranks[name] for name in factors if name in measured.ranks}
    return ProductIndicators(match="loading" if ranks else "order", ranks=ranks, centering=centering)


def _expand_for(
    study: Study, name: str, frame: pd.DataFrame, sets: Mapping[str, tuple[str, ...]]
) -> tuple[Expansion, list[str], np.ndarray, tuple[Note, ...]]:
    """The model with the controls that vary among the respondents it uses, its columns, and these respondents."""
    spec = study.file.models[name]
    text, composites = spec.text, tuple(study.file.composites)

    def attempt(given: Mapping[str, tuple[str, ...]]) -> tuple[Expansion, list[str]]:
        words = Vocabulary(study.known.constructs, composites, given, product_factors=spec.interaction == "product")
        expansion = expand(text, words, f'model "{name}"')
        return expansion, columns_of(study, expansion)

    expansion, columns = attempt(sets)
    lacking = [column for column in columns if column not in frame.columns]
    if lacking:
        raise SampleError(
            Problem(
                "study.no-column",
                f'model "{name}"',
                f"the data have no column {', '.join(lacking[:8])}",
                "a column for every variable of the model",
                "Add the column to the export, or remove the variable from the model.",
            )
        )
    needed = columns_of(study, expansion, items=False)
    rows = _used(frame, needed, expansion, full=study.file.models[name].missing == "fiml")
    _, constant = varying(frame.loc[rows], expansion.controls)
    notes: tuple[Note, ...] = ()
    if constant:
        expansion, columns = attempt({key: tuple(c for c in value if c not in constant) for key, value in sets.items()})
        notes = (
            Note(
                "study.control-dropped",
                "info",
                f"left out, constant among the respondents used: {', '.join(constant)}",
                f'model "{name}"',
            ),
        )
    dropped = [f"{column} ({reason}) from {outcome}" for outcome, column, reason in expansion.dropped]
    if dropped:
        notes += (Note("study.control-dropped", "info", "; ".join(dropped), f'model "{name}"'),)
    return expansion, columns, rows, notes


def _used(frame: pd.DataFrame, columns: list[str], expansion: Expansion, *, full: bool) -> np.ndarray:
    """Respondents with all columns; by full information those with any, and with all covariates."""
    from semkit.model import classify, parse

    seen = np.isfinite(frame[columns].to_numpy(dtype=float))
    if not full:
        return np.asarray(seen.all(axis=1))
    x = {part for name in classify(parse(expansion.text).terms).ov_x for part in name.split(":")}
    return np.asarray(seen.any(axis=1) & seen[:, [k for k, name in enumerate(columns) if name in x]].all(axis=1))


def columns_of(study: Study, expansion: Expansion, *, items: bool = True) -> list[str]:
    """Observed columns a model needs; a composite needs its parts, and (with ``items``) what these are means of.

    Respondents must have the parts; an item of a part may be missing, its reliability comes from complete answers.
    """
    from semkit.model import parse

    spec = parse(expansion.text)
    latents = set(spec.latents)
    names: dict[str, None] = {}
    for name in (part for entry in spec.names for part in entry.split(":")):
        if name in expansion.composites:
            parts = composite_items(study.file.composites[name], study.file, study.known)
            names.update(dict.fromkeys([*parts, *(item for part in parts.values() for item in part if items)]))
        elif name not in latents:
            names[name] = None
    return list(names)


def make_claims(study: Study, replace: Mapping[str, str]) -> tuple[Claim, ...]:
    """The file's claims as records of the verdict room."""
    claims = []
    for claim in study.file.claims:
        parts = tuple(
            Part(
                part.id,
                replace.get(part.model, part.model),
                _number(part),
                part.direction,
                part.delta,
                part.primary,
                part.about,
            )
            for part in claim.parts
        )
        lines = tuple(Line(line.id, line.rule, tuple(line.parts), line.text) for line in claim.lines)
        statement = {language: words for language, words in claim.statement.model_dump().items() if words}
        claims.append(
            Claim(claim.id, statement, claim.family, claim.rule, parts, lines, tuple(claim.robust_needs), claim.caveat)
        )
    return tuple(claims)


def _number(part: PartModel) -> str | Index:
    """What a part rests on: a label or an expression, or an index of moderated mediation."""
    return part.parameter or "" if part.index is None else Index(tuple(part.index.path), part.index.moderator)


def gate_checks(study: Study, run: ModelRun, frame: pd.DataFrame) -> tuple[GateCheck, ...]:
    """G1 to G5 and G7 of one model, on the respondents it used; G8 when a variable is missing."""
    limits = Thresholds(**study.file.gates.model_dump())
    if run.fit is None:
        reasons = "; ".join(problem.what for problem in run.problems) or "it could not be estimated"
        lacking = any(problem.code == "study.no-column" for problem in run.problems)
        return (omitted(reasons) if lacking else unavailable(reasons),)
    checks = [sample_size(int(run.fit.nobs), limits.n), *estimation(bool(run.fit.converged), bool(run.fit.admissible))]
    found = run.measurement
    if found is not None:
        checks += reliability(found.omega, limits.omega)
        checks += distinctness(found.htmt, limits.htmt)
        sds = dict(found.sd)
        for name in run.expansion.composites:
            parts = list(study.file.composites[name].parts)
            sds[name] = float(frame.loc[run.rows, parts].mean(axis=1).std(ddof=1))
        checks += variation(sds, limits.sd)
        checks += measurement_fit(found.cfi, found.rmsea, found.srmr, limits)
        if found.problem:
            checks.append(
                GateCheck("G7", False, float("nan"), limits.cfi, "fit", found.problem, "measurement part", caps=True)
            )
    return tuple(checks)
