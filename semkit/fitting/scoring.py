"""Regression on factor scores with products: the quick look.

The scores of predictors are their expectations given the answers to all predictors' indicators, from one measurement
model; those of outcomes are unbiased (Bartlett).  Under normality ``E(ab | answers)`` is the product of the two
expectations plus what is not known of their covariance (a constant where all answered the same questions), so that
slopes and interactions are consistent, which regressions on scores of one kind are not.  With gaps this takes that
nothing of the outcomes decides which answers are missing.  Errors count the measurement models
(:mod:`semkit.fitting.steps`), standardised effects the constructs' own standard deviations, which scores do not have.

References
----------
Skrondal & Laake (2001), Psychometrika 66, 563-575.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit import __version__
from semkit.errors import NotSupportedError, Problem
from semkit.estimate.implied import Implied
from semkit.fitting.equations import EquationsFit
from semkit.fitting.measurement import MeasurementBlock, Parted, part, respondents
from semkit.fitting.recipe import Recipe
from semkit.fitting.sam import binary_columns, product_factors, refuse
from semkit.fitting.slopes import (
    Restricted,
    Slopes,
    beside,
    observed_spread,
    raw_metric,
    restricted,
    restrictions,
    slope_rows,
    slope_table,
    spread_of,
    standard_metric,
)
from semkit.fitting.steps import (
    Measured,
    Observed,
    Piece,
    Rule,
    bartlett,
    covariance,
    exact,
    expected,
    fit_block,
    join,
    left_out_notes,
    moved,
    require_converged,
)
from semkit.interaction.mapping import Factors, Scores, column_moments
from semkit.model import ModelSpec, ParameterTable, Term, print_model
from semkit.result import Variable
from semkit.sample import Sample

FloatArray = NDArray[np.float64]


def fit_scores(spec: ModelSpec, recipe: Recipe, data: Any) -> EquationsFit:
    """Regress unbiased scores of the outcomes on expected scores of the predictors and their products.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-sam``, ``fitting.steps-not-apart``, ``fitting.only-slopes``,
        ``fitting.scores-of-mediators``: a construct that is outcome and predictor.
    """
    refuse(spec, recipe, "factor_score", moments=data is None)
    parted = part(spec)
    outcomes, predictors = _sides(parted)
    together = _together(parted, predictors)
    apart = tuple(block for block in parted.blocks if set(block.scored) & set(outcomes))
    plain = tuple(name for name in outcomes if name in parted.observed)
    inside = tuple(v for v in parted.observed if v in (*plain, *predictors))
    needed = Parted((*apart, together), inside, parted.structure)
    who = respondents(needed, recipe, data, scored=apart, complete=plain)
    table = slope_table(parted.structure, recipe.options, tuple(g.label for g in who.sample.groups), "factor_score")
    first = {block.name: fit_block(block, recipe, who) for block in (together, *apart)}
    require_converged(first)
    centred = [name in parted.observed for name in predictors]
    pieces: list[Piece] = [Measured(predictors, first[together.name], _centred(centred))]
    pieces += [Measured(block.scored, first[block.name], exact(bartlett)) for block in apart]
    pieces += [Observed(plain, who.sample)] if plain else []
    order = tuple(name for piece in pieces for name in piece.names)
    slopes = _slopes(table, pieces, order, product_factors(spec, order), who.sample)
    spread = spread_of(first[together.name], predictors) | observed_spread(who.sample, plain)
    for block in apart:
        spread |= spread_of(first[block.name], block.scored)
    binary = binary_columns(who.sample, [v for v in needed.observed if v not in plain])
    kept = Recipe(recipe.model, print_model(parted.structure), recipe.options, interaction=recipe.interaction,
                  design=recipe.design)
    provenance = {"semkit": __version__, "numpy": np.__version__, "call": recipe.options.call}
    scores = join([piece.at(piece.theta) for piece in pieces])
    full = standard_metric(slopes, spread, who.sample, frozenset())
    return EquationsFit(
        beside(first[together.name]), kept, None, provenance, left_out_notes(who), measurement=first,
        sample_used=who.sample, slopes=table, raw=raw_metric(slopes, spread, who.sample),
        claims=standard_metric(slopes, spread, who.sample, binary) if binary else full, full=full,
        own_variables=variables_of(table, who.sample, spread, order, scores, binary), label="factor scores")


def _sides(parted: Parted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Outcomes and predictors; no variable may be both."""
    paths = [t for t in parted.structure.terms if t.op == "~"]
    outcomes = tuple(dict.fromkeys(t.lhs for t in paths))
    predictors = tuple(dict.fromkeys(v for t in paths for v in t.rhs.split(":")))
    both = [name for name in predictors if name in outcomes]
    mixed = [block.name for block in parted.blocks
             if set(block.scored) & set(outcomes) and set(block.scored) & set(predictors)]
    problems = [Problem("fitting.scores-of-mediators", name, "outcome and predictor at once",
                        "predictors that nothing predicts", "Use interaction='lms' or 'sam'.") for name in both]
    problems += [Problem("fitting.steps-not-apart", name, "an outcome is measured together with a predictor",
                         "outcomes with indicators of their own", "Use interaction='sam' or 'lms'.")
                 for name in mixed if not both]
    if problems:
        raise NotSupportedError(*problems)
    return outcomes, predictors


def _together(parted: Parted, predictors: tuple[str, ...]) -> MeasurementBlock:
    """One measurement model of all predictors; observed ones covary with the constructs."""
    blocks = [block for block in parted.blocks if set(block.scored) & set(predictors)]
    latent = [name for block in blocks for name in block.scored]
    plain = [name for name in predictors if name in parted.observed]
    pairs = [(a, b) for a in latent for b in plain] + [(a, b) for k, a in enumerate(plain) for b in plain[k:]]
    kinds = parted.structure.blocks or ("",)
    terms = [t for block in blocks for t in block.spec.terms]
    terms += [Term(a, "~~", b, block=kind) for kind in kinds for a, b in pairs]
    order = {kind: k for k, kind in enumerate(kinds)}
    terms.sort(key=lambda t: order.get(t.block, 0))
    formulas = tuple(f for block in blocks for f in block.spec.formulas)
    items = tuple(dict.fromkeys([*(item for block in blocks for item in block.items), *plain]))
    return MeasurementBlock(predictors, items, ModelSpec(tuple(terms), formulas, parted.structure.blocks))


def _centred(observed: list[bool]) -> Rule:
    """Expected scores; observed variables as deviations from their means."""

    def rule(
        implied: Implied, pick: list[int], data: FloatArray, mask: NDArray[np.bool_], index: NDArray[np.int64]
    ) -> Scores:
        found = expected(implied, pick, data, mask, index)
        level = np.concatenate([implied.eta_mean[0], implied.mu[0]])[pick]
        return Scores(found.value - np.where(observed, level, 0.0), found.error)

    return rule


def _slopes(
    table: ParameterTable, pieces: list[Piece], order: tuple[str, ...], products: dict[str, Factors], sample: Sample
) -> Slopes:
    """Least squares of every equation in every group, with influence through the scores."""
    factors = tuple(products.values())
    names = (*order, *products)
    weights = [sample.weights_of(g) for g in range(len(sample.groups))]
    equations, allowed = _equations(table, names), restrictions(table)
    k = len(slope_rows(table))

    def columns(scores: tuple[Scores, ...]) -> list[tuple[FloatArray, FloatArray]]:
        found = [column_moments(one, factors, w) for one, w in zip(scores, weights, strict=True)]
        return [(values, mapped.cov) for values, mapped in found]

    def solved(covs: list[tuple[FloatArray, FloatArray]]) -> Restricted:
        free, curvature = np.zeros(k), np.zeros((k, k))
        for g, y, x, rows in equations:
            cov = covs[g][1]
            free[rows] = np.linalg.solve(cov[np.ix_(x, x)], cov[x, y])
            rest = cov[y, y] - free[rows] @ cov[x, y]
            curvature[np.ix_(rows, rows)] = cov[np.ix_(x, x)] * (float(sample.groups[g].weights.sum()) / rest)
        return restricted(allowed, free, curvature)

    now = columns(join([piece.at(piece.theta) for piece in pieces]))
    found = solved(now)
    influence = np.zeros((sample.nobs, k))
    starts = np.cumsum([0, *(group.nobs for group in sample.groups)])
    for g, y, x, rows in equations:
        values, cov = now[g]
        here = slice(int(starts[g]), int(starts[g + 1]))
        influence[here] += _own_influence(values, cov, (y, x, rows), found, sample, g)
    for own, step, above, below in moved(pieces):
        influence += own[:, None] * ((solved(columns(above)).est - solved(columns(below)).est) / (2.0 * step))
    return Slopes(table, found.est, influence, covariance(influence, sample))


def _own_influence(
    values: FloatArray, cov: FloatArray, equation: tuple[int, list[int], list[int]], found: Restricted, sample: Sample,
    g: int,
) -> FloatArray:
    """Influence of a group's respondents on all slopes through one equation, the scores taken as given."""
    y, x, rows = equation
    weights = sample.groups[g].weights
    share = weights.sum() / sample.nobs
    dev = values - np.average(values, axis=0, weights=weights)
    residual = dev[:, y] - dev[:, x] @ found.est[rows]
    own = np.linalg.solve(cov[np.ix_(x, x)], dev[:, x].T).T * residual[:, None]
    square = (dev[:, y] - dev[:, x] @ found.free[rows]) ** 2
    log_variance = square / np.average(square, weights=weights) - 1.0
    return np.asarray(found.influence(own, rows, log_variance) / share)


def _equations(table: ParameterTable, names: tuple[str, ...]) -> list[tuple[int, int, list[int], list[int]]]:
    """Group, column of the outcome, columns of the predictors and rows among the slopes of every equation."""
    found: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for k, row in enumerate(slope_rows(table)):
        found.setdefault((int(table.block[row]) - 1, table.lhs[row]), []).append((names.index(table.rhs[row]), k))
    return [(g, names.index(y), [x for x, _ in own], [k for _, k in own]) for (g, y), own in found.items()]


def variables_of(
    table: ParameterTable, sample: Sample, spread: Any, order: tuple[str, ...], scores: tuple[Scores, ...],
    binary: frozenset[str],
) -> dict[str, Variable]:
    """Moments and values of all variables of equations: scores of constructs, observed values of the rest."""
    crossed = {v for i in slope_rows(table) if ":" in table.rhs[i] for v in table.rhs[i].split(":")}
    out: dict[str, Variable] = {}
    for g, (label, group, own) in enumerate(zip(table.groups, sample.groups, scores, strict=True)):
        for k, name in enumerate(order):
            seen = name in sample.names
            values = sample.column(name, g) if seen else own.value[:, k]
            there = ~np.isnan(values)
            known = bool(there.any())
            mean = float(np.average(values[there], weights=group.weights[there])) if known else 0.0
            low, high = (float(np.nanmin(values)), float(np.nanmax(values))) if known else (float("nan"), float("nan"))
            sd = spread[g, name][0] if (g, name) in spread else float("nan")
            out.setdefault(f"{name}.g{g + 1}" if g else name, Variable(
                name, "observed" if seen else "latent", mean, sd, low, high,
                values if known else None, mean if seen and name in crossed else 0.0, name in binary, label))
    return out
