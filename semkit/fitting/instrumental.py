"""Two-stage least squares for latent products: the quick look without iterations and without normality.

Equations are estimated one by one with model-implied instruments (:mod:`semkit.fitting.instruments`); markers are
centred at their means, so that slopes are those at average factors.  Errors are classical (constant variance of the
composite error; ``estimator="ml"``) or robust (``"mlr"``), where each respondent's influence also counts the means at
which markers were centred.  Products make the composite error's variance depend on the factors: classical errors and
the Sargan test are then approximate.

Standard deviations of constructs, which standardised effects need, come from one linear factor model of all constructs
(unrestricted covariances, no products); errors of standardised effects come from respondents' influence on
both the equation and that model, whatever the ``estimator``.

References
----------
Bollen (1995), Sociological Methodology 25, 223-251; Bollen (1996), Psychometrika 61, 109-121; Bollen & Paxton (1998),
Structural Equation Modeling 5, 267-293; Newey & McFadden (1994), Handbook of Econometrics 4, sec. 6.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, NotSupportedError, Problem
from semkit.estimate.implied import imply
from semkit.estimate.instrumental import TwoStage, two_stage
from semkit.fitting.fit import Fit
from semkit.fitting.instrumented import InstrumentedFit
from semkit.fitting.instruments import Equation, equations, fixed_at, markers
from semkit.fitting.recipe import Recipe
from semkit.fitting.sam import first_influence, refuse
from semkit.model import ModelSpec, print_model
from semkit.result import Term as ResultTerm
from semkit.result import Variable
from semkit.sample import make_sample

FloatArray = NDArray[np.float64]

_STEP = 1e-5
_MANY = 0.1  # instruments a respondent above which estimates lean towards least squares


def fit_two_stage(spec: ModelSpec, recipe: Recipe, data: Any) -> InstrumentedFit:
    """Estimate every structural equation by two-stage least squares.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-sam``, ``fitting.not-with-2sls``, ``fitting.too-few-instruments``.
    """
    import pandas as pd

    from semkit.fitting.calls import sem

    refuse(spec, recipe, "2sls")
    refuse_more(spec, recipe, moments=data is None)
    found = equations(spec)
    marker = markers(spec)
    items = tuple(dict.fromkeys(t.rhs for t in spec.terms if t.op == "=~"))
    inside = dict.fromkeys(v for e in found for name in (e.outcome, *e.predictors) for v in name.split(":"))
    observed = tuple(name for name in inside if name not in spec.latents)
    sample = make_sample(data, tuple(dict.fromkeys((*items, *observed))), missing="listwise")
    values = sample.groups[0].data
    frame = pd.DataFrame(values, columns=list(sample.names))
    centred = dict(zip(sample.names, (values - np.mean(values, axis=0)).T, strict=True))
    stages = [_estimate(e, centred, marker) for e in found]
    require_rank(found, stages)
    influence = np.concatenate([_influence(e, s, centred, marker) for e, s in zip(found, stages, strict=True)], axis=1)
    robust = recipe.options.se.startswith("robust")
    vcov = influence.T @ influence / len(values) ** 2 if robust else _classical(stages)
    text = print_model(ModelSpec(tuple(t for t in spec.terms if t.op == "=~" or (
        t.op == "~~" and {t.lhs, t.rhs} <= set(items)))))
    first = sem(text, frame[list(items)], meanstructure=True)
    spread = _spread(first, observed, centred) if first.converged and first.admissible else {}
    est = np.concatenate([s.coef[0, 1:] for s in stages])
    binary = {v for v in observed if set(np.unique(frame[v])) <= {0.0, 1.0}}
    parts = [_standardise(found, est, influence, spread, skip) for skip in (binary, set())]
    names = tuple(label or f"{e.outcome} ~ {p}" for e in found for p, label in zip(e.predictors, e.labels, strict=True))
    terms = tuple(ResultTerm(e.outcome, tuple(p.split(":")), name) for (e, p), name in zip(
        ((e, p) for e in found for p in e.predictors), names, strict=True))
    return InstrumentedFit(
        first.solution, recipe, None, first.provenance, _notes(found, len(values), spread, robust, bool(spec.products)),
        measurement=first, sample_used=sample, equations=found, stages=tuple(stages), own_names=names, own_terms=terms,
        own_est=est, own_vcov=vcov, claims=parts[0], full=parts[1],
        own_variables=_variables(first, inside, spread, frame, binary), robust=robust)


def refuse_more(spec: ModelSpec, recipe: Recipe, *, moments: bool) -> None:
    """Refuse what equation by equation does not do, all at once."""
    items = {t.rhs for t in spec.terms if t.op == "=~"}
    paths = [t for t in spec.terms if t.op == "~"]
    head = markers(spec)
    first = [next(t for t in spec.terms if t.op == "=~" and t.lhs == v and t.rhs == head[v]) for v in head]
    moved = {t.lhs for t in paths if ":" in t.rhs}
    labels = [m.values[0] for t in paths if (m := t.modifier("label"))]
    wrong = [
        (not spec.latents, "models without constructs"), (not paths, "models without an equation"),
        (moments, "moments="), (recipe.options.missing != "listwise", f"missing={recipe.options.missing!r}"),
        (bool(recipe.options.effect_coding), "effect_coding="),
        (any(t.modifiers and fixed_at(t) != 1.0 for t in first), "constructs without a marker (first loading 1)"),
        (any(t.lhs in items or set(t.rhs.split(":")) & items for t in paths), "equations of indicators"),
        (any(m.kind != "label" for t in paths for m in t.modifiers) or len(set(labels)) < len(labels),
         "slopes that are fixed, bounded or equal"),
        (bool(spec.formulas), "defined parameters"),
        (any(v in moved for t in paths if ":" in t.rhs for v in t.rhs.split(":")),
         "products of factors that a product moves"),
    ]
    found = [what for bad, what in wrong if bad]
    if found:
        raise NotSupportedError(Problem("fitting.not-with-2sls", "interaction='2sls'",
                                        f"does not do {', '.join(found)}",
                                        "free slopes between constructs with markers, complete data",
                                        "Use interaction='lms' or 'product'."))


def require_rank(found: tuple[Equation, ...], stages: list[TwoStage]) -> None:
    """Refuse equations that their instruments do not identify."""
    poor = [e for e, s in zip(found, stages, strict=True) if s.rank[0] < s.coef.shape[1]]
    if poor:
        raise NotSupportedError(*(
            Problem("fitting.too-few-instruments", e.outcome,
                    f"its {len(e.instruments)} model-implied instruments do not identify {len(e.predictors)} slopes",
                    "two indicators or more for every construct with error", "Add indicators, or use "
                    "interaction='lms'.") for e in poor))


def _column(name: str, centred: dict[str, FloatArray], marker: dict[str, str]) -> FloatArray:
    parts = [centred[marker.get(v, v)] for v in name.split(":")]
    return np.asarray(np.prod(parts, axis=0))


def _estimate(equation: Equation, centred: dict[str, FloatArray], marker: dict[str, str]) -> TwoStage:
    """One equation by its marker variables, with a constant."""
    y = _column(equation.outcome, centred, marker)
    one = np.ones_like(y)
    x = np.stack([one, *(_column(p, centred, marker) for p in equation.predictors)], axis=-1)
    w = np.stack([one, *(np.prod([centred[v] for v in names], axis=0) for names in equation.instruments)], axis=-1)
    return two_stage(y[None], x[None], w[None])


def _influence(
    equation: Equation, stage: TwoStage, centred: dict[str, FloatArray], marker: dict[str, str]
) -> FloatArray:
    """Influence of every respondent on the slopes ``(n, k)``: of slopes at a given centre, and of the centre.

    A slope at another centre is ``b_a + b_ab (c_b - c_b0)``, for a square ``b_a + 2 b_aa (c_a - c_a0)``.
    """
    out = stage.influence[0, :, 1:].copy()
    at = {name: k for k, name in enumerate(equation.predictors)}
    for name, k in at.items():
        if ":" not in name:
            continue
        a, b = name.split(":")
        for main, other in ((a, b), (b, a)):
            if main in at:
                out[:, at[main]] += stage.coef[0, 1 + k] * _column(other, centred, marker)
    return out


def _classical(stages: list[TwoStage]) -> FloatArray:
    """``s_ij A_i'A_j`` with ``A = X_hat (X_hat'X_hat)^-1``, ``s_ij`` over ``sqrt((n - k_i) (n - k_j))``."""
    n = stages[0].residual.shape[1]
    left = [s.weight[0, :, 1:] for s in stages]
    scaled = [s.residual[0] / np.sqrt(n - s.coef.shape[1]) for s in stages]
    return np.block([[float(u @ v) * (a.T @ b) for b, v in zip(left, scaled, strict=True)]
                     for a, u in zip(left, scaled, strict=True)])


def _spread(
    first: Fit, observed: tuple[str, ...], centred: dict[str, FloatArray]
) -> dict[str, tuple[float, FloatArray]]:
    """Standard deviation of every variable and the influence of every respondent on its logarithm."""
    solution = first.solution
    block, theta = solution.layout.blocks[0], solution.theta
    names = list(first.table.variables.lv)
    pick = [block.eta.index(name) for name in names]
    step = _STEP * np.maximum(1.0, np.abs(theta))
    batch = np.concatenate([theta[None], theta + np.diag(step), theta - np.diag(step)])
    given = np.repeat(solution.given, len(batch), axis=0)
    var = np.diagonal(imply(block, batch, given).eta_cov, axis1=1, axis2=2)[:, pick]
    q = len(theta)
    slope = (var[1 : 1 + q] - var[1 + q :]) / (2.0 * step[:, None])
    moved = first_influence(first) @ slope / (2.0 * var[0])
    out = {name: (float(np.sqrt(var[0, k])), np.asarray(moved[:, k])) for k, name in enumerate(names)}
    for name in observed:
        square = centred[name] ** 2
        out[name] = (float(np.sqrt(square.mean())), square / (2.0 * square.mean()) - 0.5)
    return out


def _standardise(
    found: tuple[Equation, ...], est: FloatArray, influence: FloatArray, spread: dict[str, tuple[float, FloatArray]],
    skip: set[str],
) -> tuple[FloatArray, FloatArray]:
    """``b prod(sd of factors) / sd(outcome)`` and its covariance matrix; NaN without standard deviations."""
    k = len(est)
    if not spread:
        return np.full(k, np.nan), np.full((k, k), np.nan)
    ratio, moved = np.ones(k), np.zeros_like(influence)
    rows = [(e.outcome, p) for e in found for p in e.predictors]
    for i, (outcome, predictor) in enumerate(rows):
        factors = [v for v in predictor.split(":") if v not in skip]
        ratio[i] = np.prod([spread[v][0] for v in factors]) / spread[outcome][0]
        moved[:, i] = sum((spread[v][1] for v in factors), -spread[outcome][1])
    whole = ratio * (influence + est * moved)
    return est * ratio, whole.T @ whole / len(whole) ** 2


def _variables(
    first: Fit, inside: dict[str, None], spread: dict[str, tuple[float, FloatArray]], frame: Any, binary: set[str]
) -> dict[str, Variable]:
    """Moments, range and values: regression scores of constructs, observed values of the rest."""
    scores = first.predict() if spread else None
    out = {}
    for name in inside:
        if name in frame:
            v = frame[name].to_numpy()
            out[name] = Variable(name, "observed", float(v.mean()), float(v.std()), float(v.min()), float(v.max()), v,
                                 float(v.mean()), name in binary)
        elif scores is not None:
            v = scores[name].to_numpy()
            out[name] = Variable(name, "latent", 0.0, spread[name][0], float(v.min()), float(v.max()), v)
        else:
            out[name] = Variable(name, "latent", 0.0, float("nan"))
    return out


def _notes(
    found: tuple[Equation, ...], n: int, spread: dict[str, tuple[float, FloatArray]], robust: bool, products: bool
) -> tuple[Note, ...]:
    out = []
    many = [e for e in found if len(e.instruments) > _MANY * n]
    out += [Note("fitting.many-instruments", "warning", f"{len(e.instruments)} instruments for {n} respondents.",
                 e.outcome, "With many instruments estimates lean towards those of least squares on the markers.",
                 "Use fewer indicators or parcels, or interaction='lms'.") for e in many]
    if not spread:
        out.append(Note("fitting.no-standardization", "warning", "Standardised effects are not given.", "",
                        "The linear factor model that gives the constructs' standard deviations did not converge or "
                        "is not admissible.", "Look at fit.measurement."))
    if products and not robust:
        out.append(Note("fitting.error-variance-of-products", "info",
                        "Errors take the composite error's variance as constant.", "",
                        "Products of factors measured with error make it vary.", "Use estimator='mlr'."))
    return tuple(out)
