"""Structure after measurement: the measurement models first, then the structural model with latent products.

Step one fits the measurement model of every construct (constructs that share indicators or residual covariances
together; groups together, so that loadings may be held equal).  Step two maps the observed variables to moments of the
constructs and their products in each group (:mod:`semkit.interaction.mapping`) and fits the structural model to them by
maximum likelihood.  Standard errors come from the respondents' influence on both steps, whatever the distribution
(:mod:`semkit.fitting.steps`), with

    IF_2 = H^-1 (d gradient / d moments) [IF of moments given step one + (d moments / d theta_1) IF_1]

References
----------
Rosseel & Loh (2024), Psychological Methods 29, 561-588; Rosseel, Burghgraeve, Loh & Schermelleh-Engel (2025), Behavior
Research Methods 57.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from semkit import __version__
from semkit.errors import Note, NotSupportedError, Problem, SampleError
from semkit.estimate.implied import jacobian
from semkit.estimate.information import invert
from semkit.fitting.calls import make_table
from semkit.fitting.expansion import composite_column
from semkit.fitting.fit import Fit
from semkit.fitting.measurement import Parted, part, respondents, structural_options
from semkit.fitting.recipe import Recipe
from semkit.fitting.solution import Solution, fit_moments
from semkit.fitting.steps import (
    Averaged,
    Measured,
    Observed,
    Piece,
    bartlett,
    covariance,
    first_notes,
    fit_block,
    join,
    left_out_notes,
    moved,
    require_converged,
)
from semkit.fitting.tables import series
from semkit.interaction.mapping import Factors, Scores, map_moments
from semkit.model import ModelSpec, print_model
from semkit.result import Variable
from semkit.sample import GroupMoments, Sample

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

_HIGHEST = 3  # factors of a product: six scores in its variance


@dataclass(frozen=True, eq=False)
class CorrectedSolution(Solution):
    """A structural solution whose errors count both steps."""

    corrected: FloatArray = field(kw_only=True)

    @cached_property
    def vcov(self) -> FloatArray:
        return self.corrected


@dataclass(frozen=True, eq=False, repr=False)
class StructuralFit(Fit):
    """The structural model of a fit in two steps; ``measurement`` holds the fits of step one by their constructs.

    Parameters
    ----------
    measurement : mapping of str to Fit
    scores : tuple of Scores
        Bartlett scores of the respondents of each group with their errors.
    sample_used : Sample
    order : tuple of str
        Names of the scores.
    """

    measurement: Mapping[str, Fit] = field(default_factory=dict, kw_only=True)
    scores: tuple[Scores, ...] = field(kw_only=True)
    sample_used: Sample = field(kw_only=True)
    order: tuple[str, ...] = field(kw_only=True)

    @property
    def method(self) -> str:
        return "SAM" if self.sample_used.sampling is None else "SAM (sampling design)"

    @property
    def nobs_received(self) -> int:
        return self.sample_used.nobs_received

    @cached_property
    def binary(self) -> frozenset[str]:
        """Observed variables of equations that take the values 0 and 1 only."""
        return binary_columns(self.sample_used, [n for n in self.order if n in self.sample_used.names])

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Diagnoses of both steps."""
        return tuple(dict.fromkeys((*first_notes(dict(self.measurement), self.sample_used), *super().notes)))

    @cached_property
    def fit_measures(self) -> pd.Series[float]:
        """``npar df ntotal`` of the structural model; how the measurement models fit is in ``measurement``."""
        return series({"npar": self.solution.n_free, "df": self.solution.df, "ntotal": float(self.nobs)}, "value")

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """Moments of constructs with the respondents' Bartlett scores; observed variables in their own units."""
        crossed = {v for t in self.terms if len(t.factors) > 1 for v in t.factors}
        out: dict[str, Variable] = {}
        for g, (label, scores, group) in enumerate(zip(self.table.groups, self.scores, self.sample_used.groups,
                                                       strict=True)):
            cov = self.solution.moments[g].cov[0]
            for k, name in enumerate(self.table.variables.ov):
                if ":" in name:
                    continue
                seen = name in self.sample_used.names
                values = self.sample_used.column(name, g) if seen else scores.value[:, self.order.index(name)]
                mean = float(np.average(values, weights=group.weights))
                out.setdefault(f"{name}.g{g + 1}" if g else name, Variable(
                    name, "observed" if seen else "latent", mean, float(np.sqrt(cov[k, k])), float(values.min()),
                    float(values.max()), values, mean if seen and name in crossed else 0.0, name in self.binary, label))
        return out

    def predict(self, method: str = "bartlett", what: str = "lv") -> pd.DataFrame:
        """Bartlett scores of the constructs, or their standard errors (``what="se"``), one row a respondent used."""
        import pandas as pd

        if method != "bartlett" or what not in ("lv", "se"):
            raise NotSupportedError(Problem("fitting.not-with-sam", f"predict({method!r}, {what!r})",
                                            "is not offered after two steps", "method='bartlett', what='lv' or 'se'",
                                            "Ask the fits in fit.measurement."))
        pick = [k for k, name in enumerate(self.order) if name not in self.sample_used.names]
        rows = []
        for part_ in self.scores:
            error = np.sqrt(np.maximum(np.diagonal(part_.error, axis1=1, axis2=2), 0.0))
            found = part_.value if what == "lv" else np.broadcast_to(error, part_.value.shape)
            rows.append(found[:, pick])
        return pd.DataFrame(np.concatenate(rows), columns=[self.order[k] for k in pick])

    def residuals(self, type: str = "raw", group: int = 0) -> pd.DataFrame:
        """Moments of the constructs less those of the structural model: ``raw``, ``cor`` or ``cor.bentler``."""
        if type in ("normalized", "standardized"):
            self._refuse_test(f"residuals({type!r})", "residuals('cor')")
        return super().residuals(type, group)

    def bootstrap(self, draws: int = 2000, **options: Any) -> NoReturn:
        """Not offered for this method; its errors are robust already."""
        raise NotSupportedError(Problem("fitting.not-with-sam", "bootstrap()", "is not offered after two steps",
                                        "its own errors, which need no normal distribution",
                                        "Bootstrap a fit with interaction='product' or 'lms'."))

    def modification_indices(self) -> NoReturn:
        """Not offered: a score test would have to count the uncertainty of step one."""
        self._refuse_test("modification_indices()", "those of a fit with interaction='product' or 'lms'")

    def score_test(self) -> NoReturn:
        """Not offered, as modification indices."""
        self._refuse_test("score_test()", "wald(), whose errors count both steps")

    def _refuse_test(self, where: str, others: str) -> NoReturn:
        raise NotSupportedError(Problem(
            "fitting.not-with-sam", where, "would take moments of scores for moments observed without error", others,
            f"Take {others}; how the measurement models fit is in fit.measurement."))

    def to_lavaan(self, path: Any) -> NoReturn:
        """Not offered: no script of one model makes two steps."""
        self._refuse_export("to_lavaan()", "interaction='product'")

    def to_mplus(self, path: Any) -> NoReturn:
        """Not offered: no input of one model makes two steps."""
        self._refuse_export("to_mplus()", "interaction='lms' or 'product'")

    def _refuse_export(self, where: str, others: str) -> NoReturn:
        raise NotSupportedError(Problem("fitting.not-with-sam", where, "is not offered after two steps",
                                        "a fit in one step", f"Fit with {others}, or export a fit in fit.measurement."))

    def __repr__(self) -> str:
        hidden = ["std_lv", "std_nox", *(["group"] if self.table.n_groups == 1 else [])]
        shown = self.estimates.drop(columns=hidden)
        lines = [f"semkit sem fit: {self.method}, {self.nobs} respondents used, structural model after "
                 f"{len(self.measurement)} measurement models",
                 shown.to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep="")]
        return "\n".join([*lines, *(f"{note.severity}: {note}" for note in self.notes)])


def binary_columns(sample: Sample, names: list[str]) -> frozenset[str]:
    """Those of some columns that hold 0 and 1 only."""
    out = []
    for name in names:
        values = np.concatenate([sample.column(name, g) for g in range(len(sample.groups))])
        if np.all((values == 0.0) | (values == 1.0) | np.isnan(values)):
            out.append(name)
    return frozenset(out)


def fit_sam(spec: ModelSpec, recipe: Recipe, data: Any) -> StructuralFit:
    """Fit a model in two steps.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-sam``, ``fitting.steps-not-apart``: what it cannot do.
    SampleError
        ``fitting.no-measurement``: a measurement model did not converge.
    """
    refuse(spec, recipe, "sam", moments=data is None)
    parted = part(spec)
    who = respondents(parted, recipe, data)
    averaged = {block.name: composite_column(block.name) for block in parted.blocks if block.name in recipe.composites}
    first = {block.name: fit_block(block, recipe, who) for block in parted.blocks if block.name not in averaged}
    require_converged(first)
    pieces: list[Piece] = [
        Averaged(block.name, averaged[block.name], who.sample) if block.name in averaged
        else Measured(block.scored, first[block.name], bartlett) for block in parted.blocks]
    if parted.observed:
        pieces.append(Observed(parted.observed, who.sample))
    order = (*parted.constructs, *parted.observed)
    products = product_factors(spec, order)
    names = (*order, *products)
    scores = join([piece.at(piece.theta) for piece in pieces])
    solution = _second(parted, recipe, who.sample, scores, products, names)
    influence = two_step_influence(solution, pieces, scores, tuple(products.values()), names, who.sample)
    vcov = covariance(influence, who.sample)
    found = CorrectedSolution(**{f.name: getattr(solution, f.name) for f in fields(Solution)}, corrected=vcov)
    provenance = {"semkit": __version__, "numpy": np.__version__, "call": recipe.options.call}
    return StructuralFit(found, replace(recipe, expanded=print_model(parted.structure)), None, provenance,
                         left_out_notes(who), measurement=first, scores=scores, sample_used=who.sample, order=order)


def product_factors(spec: ModelSpec, order: tuple[str, ...]) -> dict[str, Factors]:
    """Positions of the factors of every product, by its name."""
    return {name: tuple(order.index(v) for v in name.split(":")) for name in spec.products}


def _second(
    parted: Parted, recipe: Recipe, sample: Sample, scores: tuple[Scores, ...], products: Mapping[str, Factors],
    names: tuple[str, ...],
) -> Solution:
    """The structural model fitted to the mapped moments of every group."""
    options = structural_options(recipe.options)
    table = make_table(parted.structure, options, tuple(group.label for group in sample.groups), ())
    pick = [names.index(name) for name in table.variables.ov]
    moments = []
    for g, (part_, group) in enumerate(zip(scores, sample.groups, strict=True)):
        mapped = map_moments(part_, tuple(products.values()), sample.weights_of(g), influence=False)
        cov = mapped.cov[np.ix_(pick, pick)]
        _require_moments(cov, table.variables.ov, group.label)
        moments.append(GroupMoments(mapped.mean[pick][None], cov[None], np.zeros((1, 0)), float(group.weights.sum())))
    return fit_moments(table, options, tuple(moments), None)


def _require_moments(cov: FloatArray, names: tuple[str, ...], label: str) -> None:
    """Refuse moments that are none once the errors of measurement are taken out."""
    sd = np.sqrt(np.maximum(np.diagonal(cov), 0.0))
    flat = [name for name, one in zip(names, sd, strict=True) if not one > 0.0]
    low = 0.0 if flat else float(np.linalg.eigvalsh(cov / np.outer(sd, sd))[0])
    if flat or not low > 0.0:
        what = f"no variance is left for {', '.join(flat)}" if flat else f"smallest eigenvalue {low:.3g}"
        raise SampleError(Problem("fitting.no-moments", f'group "{label}"' if label else "data",
                                  "the constructs' covariances are none once errors of measurement are taken out: "
                                  f"{what}", "constructs and products with variance of their own",
                                  "Few respondents or weak indicators: use interaction='lms', or drop a product."))


def refuse(spec: ModelSpec, recipe: Recipe, method: str, *, moments: bool) -> None:
    """Refuse what two steps do not do, all at once."""
    options = recipe.options
    wrong = [
        (moments, "moments="), (bool(recipe.composites) and method != "sam", "composites="),
        (bool(recipe.composites) and options.missing != "listwise", f"composites= with missing={options.missing!r}"),
        (_tied_composites(spec, recipe), "composites with further indicators or error covariances"),
        (bool(options.ordered), "ordered="),
        (any(t.op == "<~" for t in spec.terms), "composites with free weights"),
        (not any(t.op == "~" for t in spec.terms), "models without an equation"),
        (any(name.count(":") >= _HIGHEST for name in spec.products), "products of four"),
        (options.missing not in ("listwise", "fiml"), f"missing={options.missing!r}"),
        (options.estimator not in ("ml", "mlr"), f"estimator={options.estimator!r}"),
        (options.likelihood != "normal", f"likelihood={options.likelihood!r}"),
        (options.se not in ("standard", "robust.huber.white"), f"se={options.se!r}"),
        (options.information == "first.order", "information='first.order'"),
        *((name not in ("standard", "none", "yuan.bentler.mplus"), f"test={name!r}") for name in options.test),
        (bool(options.auxiliary), "auxiliary="), (bool(options.bootstrap), "bootstrap="),
        (options.std_lv, "std_lv=True"), (options.orthogonal, "orthogonal=True"),
        (bool(options.effect_coding), "effect_coding="), (options.conditional_x, "conditional_x=True"),
        (options.bounds != "none", f"bounds={options.bounds!r}"), (options.call == "growth", "growth models"),
        *((name in options.group_equal, f"group_equal={name!r}")
          for name in ("means", "lv.variances", "lv.covariances", "thresholds", "composite.weights")),
    ]
    found = [what for bad, what in wrong if bad]
    if found:
        raise NotSupportedError(Problem("fitting.not-with-sam", f"interaction={method!r}",
                                        f"does not do {', '.join(found)}",
                                        "raw data, constructs with indicators, products of two or three",
                                        "Use interaction='product' or 'lms'."))


def _tied_composites(spec: ModelSpec, recipe: Recipe) -> bool:
    """Whether a composite is more than its mean with an error of its own."""
    columns = {composite_column(name) for name in recipe.composites}
    return any((t.op == "=~" and (t.lhs in recipe.composites) != (t.rhs in columns)) or
               (t.op == "~~" and t.lhs != t.rhs and {t.lhs, t.rhs} & columns) for t in spec.terms)


def two_step_influence(
    solution: Solution, pieces: list[Piece], scores: tuple[Scores, ...], products: tuple[Factors, ...],
    names: tuple[str, ...], sample: Sample,
) -> FloatArray:
    """Influence of every respondent on the structural parameters, both steps counted, ``(n, q)``.

    Of a group's gradient ``(n_g / N) tr(W (d Sigma / d theta) W dS_g) / 2``.
    """
    pick = [names.index(name) for name in solution.table.variables.ov]
    weights = [sample.weights_of(g) for g in range(len(sample.groups))]
    slopes = []
    for block, implied in zip(solution.layout.blocks, solution.implied, strict=True):
        by_cell, _ = jacobian(block, implied)
        slope = np.zeros((solution.layout.n_parameters, *by_cell.shape[2:]))
        np.add.at(slope, block.free.source, by_cell[0])
        w = np.linalg.inv(implied.sigma[0])
        slopes.append(0.5 * (w @ slope @ w).reshape(len(slope), -1))
    own = []
    for part_, by, weight, seen, implied in zip(scores, slopes, weights, solution.observed, solution.implied,
                                                strict=True):
        mapped = map_moments(part_, products, weight).influence[:, pick][:, :, pick]
        mapped += seen.cov[0] - implied.sigma[0]  # how many are in a group is random, as in all sums over respondents
        own.append(mapped.reshape(len(mapped), -1) @ by.T)  # N / n_g of the moments, n_g / N of the gradient
    gradient = np.concatenate(own)
    shares = [moments.weight for moments in solution.observed]
    for influence, step, above, below in moved(pieces):
        change = np.zeros(len(gradient[0]))
        for up, down, by, share, weight in zip(above, below, slopes, shares, weights, strict=True):
            cov = [map_moments(one, products, weight, influence=False).cov for one in (up, down)]
            change += share * (by @ (cov[0] - cov[1])[np.ix_(pick, pick)].ravel()) / (2.0 * step)
        gradient = gradient + influence[:, None] * change
    return np.asarray(gradient @ invert(solution.observed_information, solution.basis))
