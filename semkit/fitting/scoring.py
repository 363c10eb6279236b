"""Regression on factor scores with products: the quick look.

The scores of predictors are their expectations given all predictors' indicators, from one measurement model; those of
outcomes are unbiased (Bartlett).  Under normality ``E(ab | indicators)`` is the product of the two expectations and a
constant, so that slopes and interactions are consistent, which regressions on scores of one kind are not.  Errors
count the measurement models (:mod:`semkit.fitting.sam`).

References
----------
Skrondal & Laake (2001), Psychometrika 66, 563-575.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import NotSupportedError, Problem, SampleError
from semkit.estimate.implied import imply
from semkit.fitting.fit import Fit
from semkit.fitting.recipe import Recipe
from semkit.fitting.sam import (
    CorrectedSolution,
    Piece,
    StructuralFit,
    block_scores,
    join,
    measurement_blocks,
    refuse,
    structural_names,
    structural_text,
    two_step_covariance,
)
from semkit.fitting.solution import Solution
from semkit.interaction.mapping import Scores, map_moments
from semkit.model import ModelSpec, Term, print_model
from semkit.sample import Moments, make_sample

FloatArray = NDArray[np.float64]


def fit_scores(spec: ModelSpec, recipe: Recipe, data: Any) -> StructuralFit:
    """Regress unbiased scores of the outcomes on expected scores of the predictors and their products.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-sam``, ``fitting.scores-of-mediators``: a construct that is outcome and predictor;
        ``fitting.scores-need-complete-data``.
    """
    import pandas as pd

    from semkit.fitting.calls import sem

    refuse(spec, recipe, "factor_score")
    if recipe.options.missing != "listwise":
        raise NotSupportedError(Problem("fitting.scores-need-complete-data", f"missing={recipe.options.missing!r}",
                                        "regression on factor scores needs complete data", "missing='listwise'",
                                        "Use interaction='lms' with missing='fiml'."))
    outcomes = tuple(dict.fromkeys(t.lhs for t in spec.terms if t.op == "~"))
    inner = structural_names(spec)
    predictors = tuple(dict.fromkeys(v for t in spec.terms if t.op == "~" for v in t.rhs.split(":")))
    both = [name for name in predictors if name in outcomes]
    if both:
        raise NotSupportedError(Problem("fitting.scores-of-mediators", ", ".join(both), "outcome and predictor at once",
                                        "predictors that nothing predicts", "Use interaction='lms' or 'sam'."))
    items = tuple(dict.fromkeys(t.rhs for t in spec.terms if t.op == "=~"))
    observed = tuple(name for name in inner if name not in spec.latents)
    sample = make_sample(data, (*items, *observed), missing="listwise")
    frame = pd.DataFrame(sample.groups[0].data, columns=list(sample.names))
    pieces: list[Piece] = []
    order: list[str] = []
    text = predictor_text(spec, predictors)
    for names, columns, block in [(predictors, _columns(spec, predictors), text), *measurement_blocks(spec)]:
        if names is not predictors and not set(names) <= set(outcomes):
            continue
        fit = sem(block, frame[list(columns)], meanstructure=True, fixed_x=False)
        if not fit.converged:
            raise SampleError(Problem("fitting.no-measurement", ", ".join(names),
                                      "its measurement model did not converge",
                                      "measurement models that converge", "Look at it alone with sk.cfa."))
        pieces.append(Piece(fit, _expected(names) if names is predictors else block_scores))
        order += names
    rest = tuple(name for name in observed if name not in predictors)
    order += rest
    rows = frame[list(rest)].to_numpy()
    scores = join([piece.at(piece.fit.solution.theta) for piece in pieces], rows)
    scores = Scores(scores.value, np.zeros_like(scores.error))
    pieces = [Piece(piece.fit, _without_error(piece)) for piece in pieces]
    products = tuple((order.index(a), order.index(b)) for a, b in (name.split(":") for name in spec.products))
    mapped = map_moments(scores, products)
    names = (*order, *spec.products)
    written = structural_text(spec, inner)
    second = sem(written, moments=Moments(mapped.cov, None, len(frame), names, "n"), fixed_x=False)
    vcov = two_step_covariance(second, pieces, rows, products, mapped, names)
    solution = CorrectedSolution(**{f.name: getattr(second.solution, f.name) for f in fields(Solution)}, corrected=vcov)
    first = {", ".join(piece.fit.table.variables.lv): piece.fit for piece in pieces}
    return StructuralFit(solution, replace(recipe, expanded=written), None, second.provenance, (), measurement=first,
                         scores=scores, sample_used=sample, order=tuple(order), label="factor scores")


def _columns(spec: ModelSpec, predictors: tuple[str, ...]) -> tuple[str, ...]:
    items = [t.rhs for t in spec.terms if t.op == "=~" and t.lhs in predictors]
    return tuple(dict.fromkeys([*items, *(name for name in predictors if name not in spec.latents)]))


def predictor_text(spec: ModelSpec, predictors: tuple[str, ...]) -> str:
    """One measurement model of all predictors; observed ones covary with the constructs."""
    columns = set(_columns(spec, predictors))
    terms = [t for t in spec.terms if t.op == "=~" and t.lhs in predictors]
    terms += [t for t in spec.terms if t.op == "~~" and {t.lhs, t.rhs} <= columns]
    latent = [name for name in predictors if name in spec.latents]
    plain = [name for name in predictors if name not in spec.latents]
    terms += [Term(a, "~~", b) for a in latent for b in plain]
    terms += [Term(a, "~~", b) for k, a in enumerate(plain) for b in plain[k:]]
    return print_model(ModelSpec(tuple(terms)))


def _expected(names: tuple[str, ...]) -> Any:
    """Rule for the expectations of some variables given the indicators."""

    def rule(fit: Fit, theta: FloatArray) -> Scores:
        solution = fit.solution
        block = solution.layout.blocks[0]
        implied = imply(block, theta[None], solution.given)
        pick = [block.eta.index(name) for name in names]
        weight = np.linalg.solve(implied.sigma[0], implied.cross[0][:, pick])
        value = (solution.data[0] - implied.mu[0]) @ weight
        return Scores(value, np.zeros((len(value), len(names), len(names))))

    return rule


def _without_error(piece: Piece) -> Any:
    """The piece's rule with its scores taken as they are."""

    def rule(fit: Fit, theta: FloatArray) -> Scores:
        found = piece.rule(fit, theta)
        return Scores(found.value, np.zeros_like(found.error))

    return rule
