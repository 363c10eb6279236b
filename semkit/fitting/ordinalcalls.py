"""From model text and data with ordinal columns to a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit import __version__
from semkit.errors import Note, NotSupportedError, OptionError, Problem, SampleError, spelling
from semkit.estimate.categorical import Categorical, estimate_moments
from semkit.estimate.weights import MomentWeight
from semkit.fitting.fit import Fit
from semkit.fitting.options import Options
from semkit.fitting.ordinal import fit_categorical
from semkit.fitting.ordinaloptions import ORDINAL_ESTIMATORS, ORDINAL_ONLY
from semkit.fitting.recipe import Recipe
from semkit.fitting.samplingmoments import Answers, require_design_options, require_variation, under_design
from semkit.model import ModelSpec, ParameterTable, build_table, check, classify, parse
from semkit.sample import OrdinalColumns, Sample, group_labels, make_sample, ordinal_columns

FloatArray = NDArray[np.float64]


def asked_ordered(model: str, ordered: Sequence[str] | bool, estimator: str | None) -> tuple[str, ...]:
    """The ordinal variables that a call asks for; none when it asks for numbers.

    Raises
    ------
    OptionError
        ``fitting.no-ordered``: an estimator for ordinal indicators without any.
    """
    found = ordered_names(parse(model), ordered) if ordered is True or ordered or "|" in model or "~*~" in model else ()
    if not found and str(estimator).lower() in ORDINAL_ONLY:
        raise OptionError(Problem("fitting.no-ordered", f"estimator={estimator!r}", "needs ordinal indicators",
                                  "ordered=[...] or ordered=True",
                                  "Name the ordinal columns in ordered=, or use estimator='mlr'."))
    return found


def ordered_names(spec: ModelSpec, ordered: Sequence[str] | bool) -> tuple[str, ...]:
    """The ordinal variables of a model: those named, all outcomes (``True``), and those with thresholds in the text.

    Raises
    ------
    OptionError
        ``fitting.unknown-ordered``: a name that the model does not use.
    """
    own = tuple(dict.fromkeys(term.lhs for term in spec.terms if term.op in ("|", "~*~")))
    if isinstance(ordered, bool):
        named = classify(spec.terms).ov_nox if ordered else ()
    else:
        named = (ordered,) if isinstance(ordered, str) else tuple(str(name) for name in ordered)
        unknown = [name for name in named if name not in spec.observed]
        if unknown:
            raise OptionError(*(Problem("fitting.unknown-ordered", f'ordered="{name}"', "is not in the model",
                                        ", ".join(spec.observed), spelling(name, spec.observed))
                                for name in unknown))
    return tuple(dict.fromkeys((*named, *own)))


def fit_ordinal(
    spec: ModelSpec, recipe: Recipe, data: Any, start: Mapping[str, float] | None = None, notes: tuple[Note, ...] = ()
) -> Fit:
    """Fit a model with ordinal indicators.

    Raises
    ------
    SampleError
        ``sample.empty-category``: a category that nobody of a group chose; ``sample.singular-gamma``: more moments than
        respondents under full weights.
    NotSupportedError
        ``fitting.not-with-ordinal``.
    """
    options = recipe.options
    _refuse(recipe, spec, data)
    frame = getattr(data, "frame", data)
    check(spec, [str(name) for name in getattr(frame, "columns", ())])
    require_design_options(recipe.design, options)
    read = ordinal_columns(frame, options.ordered)
    labels = ("",) if options.group is None else group_labels(read.frame, options.group)
    thresholds = {name: len(levels) - 1 for name, levels in read.levels.items()}
    table = categorical_table(spec, options, labels, thresholds)
    sample = make_sample(read.frame, table.variables.ov, group=options.group,
                         missing="fiml" if options.missing == "pairwise" else "listwise",
                         complete=table.variables.ov_x, design=recipe.design)
    sample, levels, lost = _used_categories(sample, read)
    if lost:
        thresholds = {name: len(own) - 1 for name, own in levels.items()}
        table = categorical_table(spec, options, labels, thresholds)
    statistics = group_statistics(table, sample, thresholds)
    if sample.sampling is not None:
        outcomes = [name for name in table.variables.ov if name not in table.variables.ov_x]
        require_variation(statistics, sample, outcomes, table.variables.ov_x,
                          ORDINAL_ESTIMATORS[options.estimator].weight)
    weights = tuple(_weight(options, part, group.label) for part, group in zip(statistics, sample.groups, strict=True))
    solution = fit_categorical(table, options, sample, statistics, thresholds, levels, weights,
                               _start(table, start))
    provenance: dict[str, Any] = {"semkit": __version__, "numpy": np.__version__, "call": options.call}
    return Fit(solution, recipe, None, provenance, (*notes, *read.notes, *lost, *solution.pair_notes))


def _refuse(recipe: Recipe, spec: ModelSpec, data: Any) -> None:
    problems = [
        Problem("fitting.not-with-ordinal", where, "is not offered with ordinal indicators",
                "raw data of single items", fix)
        for where, fix, there in (
            ("moments=", "Pass data.", data is None),
            ("interaction", "Leave products out, or treat the items as numbers.",
             bool(recipe.products or spec.products)),
            ("composites=", "Use the items themselves.", bool(recipe.composites)),
            ("composites (<~) of ordinal variables", "Treat the items as numbers, or use a factor (=~).",
             any(term.op == "<~" and term.rhs in recipe.options.ordered for term in spec.terms)),
        ) if there
    ]
    if problems:
        raise NotSupportedError(*problems)


def categorical_table(
    spec: ModelSpec, options: Options, groups: tuple[str, ...], thresholds: Mapping[str, int]
) -> ParameterTable:
    """The parameter table of a model with ordinal variables under the options."""
    growth = options.call == "growth"
    return build_table(
        spec, groups=groups, meanstructure=True, fixed_x=True, std_lv=options.std_lv, orthogonal=options.orthogonal,
        int_ov_free=not growth, int_lv_free=growth, group_equal=options.group_equal,
        group_partial=options.group_partial, effect_coding=options.effect_coding, thresholds=thresholds,
        parameterization=options.parameterization,
    )


def group_statistics(
    table: ParameterTable, sample: Sample, thresholds: Mapping[str, int]
) -> tuple[Categorical, ...]:
    """Two-step moments of each group with their covariance matrix, under the sampling design if there is one.

    Raises
    ------
    SampleError
        ``sample.covariates-separate``, ``fitting.replicates-failed``.
    """
    found = weighted_moments(table, sample, thresholds, gamma=True)
    if sample.sampling is None:
        return found
    return tuple(under_design(found, _answers(table, sample, thresholds), sample.sampling))


def _answers(table: ParameterTable, sample: Sample, thresholds: Mapping[str, int]) -> list[Answers]:
    """Outcomes, their categories and covariates of each group."""
    names, covariates = table.variables.ov, table.variables.ov_x
    y = [k for k, name in enumerate(names) if name not in covariates]
    x = [names.index(name) for name in covariates]
    categories = tuple(thresholds[names[k]] + 1 if names[k] in thresholds else 0 for k in y)
    return [Answers(group.data[:, y], categories, group.data[:, x] if x else None) for group in sample.groups]


def weighted_moments(
    table: ParameterTable, sample: Sample, thresholds: Mapping[str, int], *, gamma: bool = False
) -> tuple[Categorical, ...]:
    """Two-step moments of each group; with ``gamma`` their covariance matrix, or influence values under a design.

    Raises
    ------
    SampleError
        ``sample.covariates-separate``.
    """
    out, covariates = [], table.variables.ov_x
    for g, (group, own) in enumerate(zip(sample.groups, _answers(table, sample, thresholds), strict=True)):
        try:
            out.append(estimate_moments(own.outcomes, own.categories, own.covariates, gamma=gamma,
                                        weights=sample.weights_of(g)))
        except np.linalg.LinAlgError:
            raise SampleError(Problem(
                "sample.covariates-separate", f'group "{group.label}"' if group.label else "data",
                f"the covariates tell the categories of a column apart without error: {', '.join(covariates)}",
                "columns that overlap", "Leave a covariate out, join categories, or use more respondents.",
            )) from None
    return tuple(out)


def _used_categories(
    sample: Sample, read: OrdinalColumns
) -> tuple[Sample, dict[str, tuple[str, ...]], tuple[Note, ...]]:
    """Categories that lost all their respondents are dropped everywhere; one empty in some groups only is an error."""
    levels, notes, problems = dict(read.levels), [], []
    changed = [group.data for group in sample.groups]
    for name, own in read.levels.items():
        at = sample.names.index(name)
        counts = np.array([np.bincount(group.data[~np.isnan(group.data[:, at]), at].astype(np.int64),
                                       minlength=len(own)) for group in sample.groups])
        empty = counts == 0
        nowhere = empty.all(axis=0)
        for g, k in np.argwhere(empty & ~nowhere):
            problems.append(Problem(
                "sample.empty-category", f'column "{name}", group "{sample.groups[g].label}"',
                f"nobody chose {own[k]}, which others did", "the same categories in every group",
                f"Join {own[k]} with its neighbour in all groups, or leave the group out."))
        if nowhere.any():
            keep = np.flatnonzero(~nowhere)
            place = np.full(len(own) + 1, np.nan)
            place[keep] = np.arange(len(keep))
            for g, group in enumerate(sample.groups):
                if changed[g] is group.data:
                    changed[g] = group.data.copy()
                codes = np.where(np.isnan(group.data[:, at]), len(own), group.data[:, at]).astype(np.int64)
                changed[g][:, at] = place[codes]
            levels[name] = tuple(own[k] for k in keep)
            gone = ", ".join(own[k] for k in np.flatnonzero(nowhere))
            notes.append(Note("sample.category-lost", "warning", f"nobody is left in category {gone}.", name,
                              "All who chose it lack another answer or a group, or have weight 0.",
                              "Use missing='pairwise', or join the category with its neighbour."))
    if problems:
        raise SampleError(*problems)
    groups = tuple(replace(group, data=data) for group, data in zip(sample.groups, changed, strict=True))
    kept = tuple(note for note in sample.notes if note.code not in ("sample.full-information",))
    if any(np.isnan(data).any() for data in changed):
        share = float(np.mean(np.concatenate([np.isnan(data).ravel() for data in changed])))
        kept += (Note("sample.pairwise", "info", f"{sample.nobs} of {sample.nobs_received} respondents are used, "
                      f"{share:.1%} of their values are missing; each correlation rests on those who answered both.",
                      cause="Right when values are missing completely at random."),)
    return replace(sample, groups=groups, notes=kept), levels, tuple(notes)


def _weight(options: Options, part: Categorical, label: str) -> MomentWeight:
    """Weights of the moments of one group.

    Raises
    ------
    SampleError
        ``sample.singular-gamma``.
    """
    kind = ORDINAL_ESTIMATORS[options.estimator].weight
    if kind == "none":
        return MomentWeight(np.ones((1, len(part.gamma))))
    if kind == "diagonal":
        return MomentWeight(1.0 / np.diagonal(part.gamma)[None])
    values = np.linalg.eigvalsh(part.gamma)
    if values[0] <= 1e-10 * values[-1]:
        where = f'group "{label}"' if label else "estimator='wls'"
        raise SampleError(Problem("sample.singular-gamma", where,
                                  f"{part.nobs:.0f} respondents for {len(part.gamma)} thresholds and correlations: "
                                  "their covariance matrix cannot be inverted", "clearly more respondents than moments",
                                  "Use estimator='wlsmv'."))
    return MomentWeight(np.asarray(np.linalg.inv(part.gamma), dtype=np.float64)[None])


def _start(table: ParameterTable, start: Mapping[str, float] | None) -> FloatArray | None:
    from semkit.fitting.calls import _start as vector

    return vector(table, start)
