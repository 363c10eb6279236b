"""Two-stage least squares for latent products: the quick look without iterations and without normality.

Equations are estimated one by one, in every group, with model-implied instruments
(:mod:`semkit.fitting.instruments`); markers are centred at their means, so that slopes are those at average factors.
Errors are classical (constant variance of the composite error; ``estimator="ml"``) or robust (``"mlr"``, and always
under a sampling design), where each respondent's influence also counts the means at which markers were centred.
Products make the composite error's variance depend on the factors: classical errors and the Sargan test are then
approximate.  Fixed, equal and linearly restricted slopes are those of :mod:`semkit.fitting.slopes`.

Standard deviations of constructs, which standardised effects need, come from one linear factor model of all constructs
(unrestricted covariances, no products); errors of standardised effects come from respondents' influence on
both the equation and that model, whatever the ``estimator``.

References
----------
Bollen (1995), Sociological Methodology 25, 223-251; Bollen (1996), Psychometrika 61, 109-121; Bollen & Paxton (1998),
Structural Equation Modeling 5, 267-293; Nestler (2014), British Journal of Mathematical and Statistical Psychology 67,
353-369 (equality constraints); Newey & McFadden (1994), Handbook of Econometrics 4, sec. 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from semkit import __version__
from semkit.errors import Note, NotSupportedError, Problem
from semkit.estimate.instrumental import TwoStage, two_stage
from semkit.fitting.calls import fit_spec
from semkit.fitting.equations import EquationsFit
from semkit.fitting.fit import Fit
from semkit.fitting.instruments import Equation, equations, fixed_at, markers
from semkit.fitting.measurement import MeasurementBlock, block_options, part
from semkit.fitting.recipe import Recipe
from semkit.fitting.sam import binary_columns, refuse
from semkit.fitting.scoring import variables_of
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
from semkit.fitting.steps import covariance
from semkit.interaction.mapping import Scores
from semkit.model import ModelSpec, ParameterTable, print_model
from semkit.sample import Sample, make_sample

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
Columns = Mapping[str, FloatArray]

_MANY = 0.1  # instruments a respondent above which estimates lean towards least squares


@dataclass(frozen=True, eq=False)
class Stage:
    """One equation in one group.

    Parameters
    ----------
    equation : Equation
    group : int
    rows : list of int
        Its slopes among all.
    fitted : TwoStage
        Without restrictions; rows times the root of the sampling weights.
    y : ndarray (n,)
    x : ndarray (n, k)
        Outcome's and predictors' markers, centred; as they are.
    """

    equation: Equation
    group: int
    rows: list[int]
    fitted: TwoStage
    y: FloatArray
    x: FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class InstrumentedFit(EquationsFit):
    """Structural equations by two-stage least squares; ``measurement`` is the linear factor model beside them.

    Parameters
    ----------
    stages : tuple of Stage
    """

    stages: tuple[Stage, ...] = field(kw_only=True)

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """Equations with their instruments."""
        return tuple(dict.fromkeys(stage.equation for stage in self.stages))

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Of the sample, of the method, and equations whose instruments the Sargan test rejects at .05."""
        return (*self.sample_used.notes, *self.extra_notes, *(
            Note("fitting.instruments-rejected", "warning",
                 f"Sargan chi-square({row['df']}) = {row['stat']:.2f}, p = {row['pvalue']:.3f}.",
                 row["outcome"] + (f" (group {row['group']})" if row["group"] else ""),
                 "Not all instruments that the model implies are uncorrelated with the equation's error.",
                 "Look for error covariances or cross-loadings in the factor model: "
                 'fit.measurement["all"].modification_indices().')
            for row in self.sargan.to_dict("records") if row["pvalue"] < 0.05))

    @cached_property
    def sargan(self) -> pd.DataFrame:
        """Overidentification of every equation without restrictions: ``group outcome instruments stat df pvalue``.

        NaN without any, and under a sampling design, which the test does not know.
        """
        import pandas as pd

        rows = []
        for stage in self.stages:
            e = stage.equation
            df = len(e.instruments) - len(e.predictors)
            known = df > 0 and self.sample_used.sampling is None
            stat = float(stage.fitted.sargan[0]) if known else float("nan")
            rows.append((self.slopes.groups[stage.group], e.outcome, ", ".join("*".join(v) for v in e.instruments),
                         stat, df, float(chdtrc(df, stat)) if known else float("nan")))
        return pd.DataFrame(rows, columns=["group", "outcome", "instruments", "stat", "df", "pvalue"])

    def _more(self) -> list[str]:
        hidden = ["instruments", *(["group"] if self.slopes.n_groups == 1 else [])]
        return ["Sargan tests", self.sargan.drop(columns=hidden).to_string(
            index=False, float_format=lambda v: f"{v:.3f}", na_rep="")]


def fit_two_stage(spec: ModelSpec, recipe: Recipe, data: Any) -> InstrumentedFit:
    """Estimate every structural equation by two-stage least squares.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-sam``, ``fitting.not-with-2sls``, ``fitting.only-slopes``, ``fitting.too-few-instruments``.
    """
    refuse(spec, recipe, "2sls", moments=data is None)
    refuse_more(spec, recipe)
    parted, found, marker = part(spec), equations(spec), markers(spec)
    inside = tuple(dict.fromkeys(v for e in found for name in (e.outcome, *e.predictors) for v in name.split(":")))
    observed = tuple(name for name in inside if name not in spec.latents)
    sample = make_sample(data, tuple(dict.fromkeys((*parted.items, *observed))), group=recipe.options.group,
                         design=recipe.design)
    table = slope_table(parted.structure, recipe.options, tuple(g.label for g in sample.groups), "2sls")
    stages = tuple(_stages(found, table, sample, marker))
    require_rank(stages)
    robust = recipe.options.se.startswith("robust") or sample.sampling is not None
    slopes = _slopes(table, stages, sample, marker, robust=robust)
    first = _factor_model(spec, parted.items, observed, recipe, data)
    known = first.converged and first.admissible
    spread = observed_spread(sample, observed)
    spread |= spread_of(first, tuple(v for v in inside if v in spec.latents)) if known else {}
    binary = binary_columns(sample, list(observed))
    full = standard_metric(slopes, spread, sample, frozenset())
    kept = Recipe(recipe.model, print_model(parted.structure), recipe.options, interaction=recipe.interaction,
                  design=recipe.design)
    provenance = {"semkit": __version__, "numpy": np.__version__, "call": recipe.options.call}
    order = (*(v for v in inside if v in spec.latents), *observed)
    return InstrumentedFit(
        beside(first), kept, None, provenance, _notes(found, sample, known, robust, bool(spec.products)),
        measurement={"all": first}, sample_used=sample, slopes=table, raw=raw_metric(slopes, spread, sample),
        claims=standard_metric(slopes, spread, sample, binary) if binary else full, full=full,
        own_variables=variables_of(table, sample, spread, order, _scores(first, order, sample, known), binary),
        label="2SLS (robust)" if robust and sample.sampling is None else "2SLS", stages=stages)


def refuse_more(spec: ModelSpec, recipe: Recipe) -> None:
    """Refuse what equation by equation does not do, all at once."""
    items = {t.rhs for t in spec.terms if t.op == "=~"}
    paths = [t for t in spec.terms if t.op == "~"]
    head = markers(spec)
    first = [next(t for t in spec.terms if t.op == "=~" and t.lhs == v and t.rhs == head[v]) for v in head]
    moved = {t.lhs for t in paths if ":" in t.rhs}
    wrong = [
        (not spec.latents, "models without constructs"), (bool(spec.blocks), "group: blocks"),
        (recipe.options.missing != "listwise", f"missing={recipe.options.missing!r} (products of instruments need "
                                               "all answers)"),
        (any(t.rhs in spec.latents for t in spec.terms if t.op == "=~"), "second-order factors"),
        (any(name.count(":") > 1 for name in spec.products), "products of three"),
        (any(t.modifiers and fixed_at(t) != 1.0 for t in first), "constructs without a marker (first loading 1)"),
        (any(t.lhs in items or set(t.rhs.split(":")) & items for t in paths), "equations of indicators"),
        (any(v in moved for t in paths if ":" in t.rhs for v in t.rhs.split(":")),
         "products of factors that a product moves"),
    ]
    found = [what for bad, what in wrong if bad]
    if found:
        raise NotSupportedError(Problem("fitting.not-with-2sls", "interaction='2sls'",
                                        f"does not do {', '.join(found)}",
                                        "slopes between constructs with markers, complete data",
                                        "Use interaction='sam', 'lms' or 'product'."))


def require_rank(stages: tuple[Stage, ...]) -> None:
    """Refuse equations that their instruments do not identify."""
    poor = {s.equation: None for s in stages if s.fitted.rank[0] < s.fitted.coef.shape[1]}
    if poor:
        raise NotSupportedError(*(
            Problem("fitting.too-few-instruments", e.outcome,
                    f"its {len(e.instruments)} model-implied instruments do not identify {len(e.predictors)} slopes",
                    "two indicators or more for every construct with error", "Add indicators, or use "
                    "interaction='lms'.") for e in poor))


def _centred(sample: Sample, group: int) -> dict[str, FloatArray]:
    part_ = sample.groups[group]
    values = part_.data - np.average(part_.data, axis=0, weights=part_.weights)
    return dict(zip(sample.names, values.T, strict=True))


def _column(name: str, centred: Columns, marker: Mapping[str, str]) -> FloatArray:
    parts = [centred[marker.get(v, v)] for v in name.split(":")]
    return np.asarray(np.prod(parts, axis=0))


def _stages(
    found: tuple[Equation, ...], table: ParameterTable, sample: Sample, marker: Mapping[str, str]
) -> list[Stage]:
    """Every equation in every group by its marker variables, with a constant."""
    rows = slope_rows(table)
    at = {(int(table.block[row]) - 1, table.lhs[row], table.rhs[row]): k for k, row in enumerate(rows)}
    out = []
    for g, group in enumerate(sample.groups):
        centred, root = _centred(sample, g), np.sqrt(group.weights)
        for e in found:
            y = _column(e.outcome, centred, marker)
            x = np.stack([_column(p, centred, marker) for p in e.predictors], axis=-1)
            one = np.ones((len(y), 1))
            w = np.stack([np.prod([centred[v] for v in names], axis=0) for names in e.instruments], axis=-1) \
                if e.instruments else np.empty((len(y), 0))
            scaled = [np.concatenate([one, part_], axis=1) * root[:, None] for part_ in (x, w)]
            fitted = two_stage((y * root)[None], scaled[0][None], scaled[1][None])
            out.append(Stage(e, g, [at[g, e.outcome, p] for p in e.predictors], fitted, y, x))
    return out


def _slopes(
    table: ParameterTable, stages: tuple[Stage, ...], sample: Sample, marker: Mapping[str, str], *, robust: bool
) -> Slopes:
    """Estimates under the restrictions, respondents' influence, and classical or robust errors."""
    k = len(slope_rows(table))
    free, curvature = np.zeros(k), np.zeros((k, k))
    for s in stages:
        left = s.fitted.weight[0, :, 1:]
        variance = float(np.sum(s.fitted.residual[0] ** 2)) / (len(s.y) - s.fitted.coef.shape[1])
        free[s.rows] = s.fitted.coef[0, 1:]
        curvature[np.ix_(s.rows, s.rows)] = np.linalg.inv(left.T @ left) / variance
    found = restricted(restrictions(table), free, curvature)
    influence = np.zeros((sample.nobs, k))
    starts = np.cumsum([0, *(group.nobs for group in sample.groups)])
    for s in stages:
        here = slice(int(starts[s.group]), int(starts[s.group + 1]))
        influence[here] += _influence(s, found, sample, marker)
    vcov = covariance(influence, sample)
    if not robust:
        vcov = found.projection @ _classical(stages, found.est) @ found.projection.T
    return Slopes(table, found.est, influence, vcov)


def _residual(stage: Stage, slopes: FloatArray, weights: FloatArray) -> FloatArray:
    plain = stage.y - stage.x @ slopes
    return np.asarray(plain - np.average(plain, weights=weights))


def _influence(stage: Stage, found: Restricted, sample: Sample, marker: Mapping[str, str]) -> FloatArray:
    """Influence of a group's respondents on all slopes ``(n_g, k)``: of slopes at a given centre, and of the centre.

    A slope at another centre is ``b_a + b_ab (c_b - c_b0)``, for a square ``b_a + 2 b_aa (c_a - c_a0)``.
    """
    weights = sample.groups[stage.group].weights
    share = weights.sum() / sample.nobs
    left, slopes = stage.fitted.weight[0, :, 1:], found.est[stage.rows]
    # estimates are sums of weight'(root(w) y): the part of a respondent is weight root(w) u, its influence that over w
    residual = _residual(stage, slopes, weights)
    out = left * (residual / np.sqrt(weights))[:, None] * float(sample.nobs)
    out = out + _first_stage(stage, residual, weights, float(sample.nobs))
    centred = _centred(sample, stage.group)
    at = {name: k for k, name in enumerate(stage.equation.predictors)}
    turned = np.zeros((len(out), len(found.est)))
    for name, k in at.items():
        if ":" not in name:
            continue
        a, b = name.split(":")
        for main, other in ((a, b), (b, a)):
            if main in at:
                centre = _column(other, centred, marker) / share
                out[:, at[main]] += slopes[k] * centre
                # restrictions that do not hold: the criterion's curvature turns with the centre, too
                turned -= np.outer(centre, found.pull[stage.rows[at[main]]] * found.reach[:, stage.rows[k]])
    return found.influence(out, stage.rows, _log_variance(stage, weights) / share) + turned


def _log_variance(stage: Stage, weights: FloatArray) -> FloatArray:
    """Influence ``(n_g,)`` on the logarithm of the error's variance: ``(u^2 - 2 E(u x)'IF_b) / s^2 - 1``."""
    plain = stage.fitted.residual[0] / np.sqrt(weights)
    variance = float(np.average(plain**2, weights=weights))
    slopes = stage.fitted.weight[0, :, 1:] * (plain / np.sqrt(weights))[:, None] * weights.sum()
    across = np.average(stage.x * plain[:, None], axis=0, weights=weights)
    return np.asarray((plain**2 - 2.0 * slopes @ across) / variance - 1.0)


def _first_stage(stage: Stage, residual: FloatArray, weights: FloatArray, nobs: float) -> FloatArray:
    """What restrictions that do not hold in one equation add: instruments then covary with the error they leave.

    With ``gap`` the free less the restricted coefficients: ``(X_hat'X_hat)^-1 (x - x_hat) (x_hat'gap)``.
    """
    weight, root = stage.fitted.weight[0], np.sqrt(weights)
    inverse = weight.T @ weight
    x = np.concatenate([np.ones((len(root), 1)), stage.x], axis=1) * root[:, None]
    fitted = np.linalg.solve(inverse, weight.T).T
    gap = np.linalg.lstsq(x, residual * root - stage.fitted.residual[0], rcond=None)[0]  # u_r - u = X gap
    part_ = ((x - fitted) * (fitted @ gap)[:, None]) @ inverse
    return np.asarray(part_[:, 1:] * nobs / weights[:, None])


def _classical(stages: tuple[Stage, ...], est: FloatArray) -> FloatArray:
    """``s_ij A_i'A_j`` with ``A = X_hat (X_hat'X_hat)^-1``, ``s_ij`` over ``sqrt((n - k_i) (n - k_j))``."""
    out = np.zeros((len(est), len(est)))
    for one in stages:
        for two in stages:
            if one.group != two.group:
                continue
            u, v = (_residual(s, est[s.rows], np.ones(len(s.y))) / np.sqrt(len(s.y) - s.fitted.coef.shape[1])
                    for s in (one, two))
            across = one.fitted.weight[0, :, 1:].T @ two.fitted.weight[0, :, 1:]
            out[np.ix_(one.rows, two.rows)] = float(u @ v) * across
    return out


def _factor_model(
    spec: ModelSpec, items: tuple[str, ...], observed: tuple[str, ...], recipe: Recipe, data: Any
) -> Fit:
    """The linear factor model of all constructs, of the respondents used."""
    own = tuple(t for t in spec.terms if t.op == "=~" or (t.op == "~~" and {t.lhs, t.rhs} <= set(items)))
    block = MeasurementBlock(spec.latents, items, ModelSpec(own))
    table = getattr(data, "frame", data)
    frame = table
    if observed:  # nothing answered by those whose covariates are missing
        gaps = table[list(observed)].isna().any(axis=1).to_numpy()
        if gaps.any():
            frame = table.copy()
            for name in items:
                frame[name] = np.where(gaps, np.nan, np.asarray(frame[name].to_numpy(np.float64, na_value=np.nan)))
    text = print_model(block.spec)
    return fit_spec(block.spec, Recipe(text, text, block_options(recipe.options, block), design=recipe.design), frame,
                    None)


def _scores(first: Fit, order: tuple[str, ...], sample: Sample, known: bool) -> tuple[Scores, ...]:
    """Regression scores of the constructs by group; NaN where the factor model gives none."""
    out, start = [], 0
    found = first.predict() if known else None
    for group in sample.groups:
        values = np.full((group.nobs, len(order)), np.nan)
        for k, name in enumerate(order):
            if found is not None and name in found:
                values[:, k] = found[name].to_numpy()[start : start + group.nobs]
        start += group.nobs
        out.append(Scores(values, np.zeros((1, len(order), len(order)))))
    return tuple(out)


def _notes(
    found: tuple[Equation, ...], sample: Sample, known: bool, robust: bool, products: bool
) -> tuple[Note, ...]:
    least = min(group.nobs for group in sample.groups)
    many = [e for e in found if len(e.instruments) > _MANY * least]
    out = [Note("fitting.many-instruments", "warning", f"{len(e.instruments)} instruments for {least} respondents.",
                e.outcome, "With many instruments estimates lean towards those of least squares on the markers.",
                "Use fewer indicators or parcels, or interaction='lms'.") for e in many]
    if not known:
        out.append(Note("fitting.no-standardization", "warning", "Standardised effects are not given.", "",
                        "The linear factor model that gives the constructs' standard deviations did not converge or "
                        "is not admissible.", "Look at fit.measurement."))
    if products and not robust:
        out.append(Note("fitting.error-variance-of-products", "info",
                        "Errors take the composite error's variance as constant.", "",
                        "Products of factors measured with error make it vary.", "Use estimator='mlr'."))
    return tuple(out)
