"""Structure after measurement: the measurement models first, then the structural model with latent products.

Step one fits the measurement model of every construct (constructs that share indicators or residual covariances
together).  Step two maps the observed variables to moments of the constructs and their products
(:mod:`semkit.interaction.mapping`) and fits the structural model to them by maximum likelihood.  Standard errors come
from the respondents' influence on both steps, whatever the distribution:

    IF_2 = H^-1 (d gradient / d moments) [IF of moments given step one + (d moments / d theta_1) IF_1]
    V = sum IF_2 IF_2' / N^2

References
----------
Rosseel & Loh (2024), Psychological Methods 29, 561-588; Rosseel, Burghgraeve, Loh & Schermelleh-Engel (2025), Behavior
Research Methods 57; Newey & McFadden (1994), Handbook of Econometrics 4, sec. 6 (two-step estimators).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, NotSupportedError, Problem, SampleError
from semkit.estimate.fiml import pattern_scores
from semkit.estimate.implied import imply, jacobian
from semkit.estimate.information import invert
from semkit.fitting.fit import Fit
from semkit.fitting.recipe import Recipe
from semkit.fitting.solution import Solution
from semkit.fitting.tables import series
from semkit.interaction.mapping import Mapped, Scores, map_moments
from semkit.model import ModelSpec, Term, print_model
from semkit.numerics.em import masked_inverse
from semkit.result import Variable
from semkit.sample import Moments, Sample, make_sample

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

_STEP = 1e-5


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
    scores : Scores
        Bartlett scores of the respondents with their errors.
    sample_used : Sample
    order : tuple of str
        Names of the scores.
    label : str
        Method, as headers print it.
    """

    measurement: Mapping[str, Fit] = field(default_factory=dict, kw_only=True)
    scores: Scores = field(kw_only=True)
    sample_used: Sample = field(kw_only=True)
    order: tuple[str, ...] = field(kw_only=True)
    label: str = field(default="SAM", kw_only=True)

    @property
    def method(self) -> str:
        return self.label

    @property
    def nobs_received(self) -> int:
        return self.sample_used.nobs_received

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Diagnoses of both steps."""
        first = [note for fit in self.measurement.values() for note in fit.notes]
        return tuple(dict.fromkeys((*self.sample_used.notes, *first, *super().notes)))

    @cached_property
    def fit_measures(self) -> pd.Series[float]:
        """``npar df ntotal`` of the structural model; how the measurement models fit is in ``measurement``."""
        return series({"npar": self.solution.n_free, "df": self.solution.df, "ntotal": float(self.nobs)}, "value")

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """Moments of the constructs, with the respondents' Bartlett scores."""
        latent = {name for fit in self.measurement.values() for name in fit.table.variables.lv}
        cov, out = self.solution.moments[0].cov[0], {}
        for k, name in enumerate(self.table.variables.ov):
            if ":" in name:
                continue
            at = self.order.index(name)
            values = self.scores.value[:, at]
            mean = float(np.mean(values))
            out[name] = Variable(name, "latent" if name in latent else "observed", mean, float(np.sqrt(cov[k, k])),
                                 float(values.min()), float(values.max()), values, 0.0, False, "")
        return out

    def bootstrap(self, draws: int = 2000, **options: Any) -> NoReturn:
        """Not offered for this method; its errors are robust already."""
        raise NotSupportedError(Problem("fitting.not-with-sam", "bootstrap()", "is not offered after two steps",
                                        "its own errors", "They need no normal distribution."))

    def __repr__(self) -> str:
        shown = self.estimates.drop(columns=["std_lv", "std_nox", "group"])
        lines = [f"semkit sem fit: {self.method}, {self.nobs} respondents used, structural model after "
                 f"{len(self.measurement)} measurement models",
                 shown.to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep="")]
        return "\n".join([*lines, *(f"{note.severity}: {note}" for note in self.notes)])


def fit_sam(spec: ModelSpec, recipe: Recipe, data: Any) -> StructuralFit:
    """Fit a model in two steps.

    Raises
    ------
    NotSupportedError
        ``fitting.not-with-sam``: groups, second-order factors, composites, products of three, what else it cannot do.
    SampleError
        ``fitting.no-measurement``: a measurement model did not converge.
    """
    from semkit.fitting.calls import sem

    options = recipe.options
    refuse(spec, recipe, "sam")
    blocks = measurement_blocks(spec)
    columns = tuple(dict.fromkeys(t.rhs for t in spec.terms if t.op == "=~"))
    inner = structural_names(spec)
    observed = tuple(name for name in inner if name not in spec.latents)
    sample = make_sample(data, (*columns, *observed), missing=options.missing)
    whole = _frame(sample)
    answered = np.all([whole[list(items)].notna().any(axis=1) for _, items, _ in blocks], axis=0)
    answered &= whole[list(observed)].notna().all(axis=1).to_numpy()
    frame = whole[answered]
    first = {", ".join(names): sem(text, frame[list(items)], missing=options.missing, meanstructure=True)
             for names, items, text in blocks}
    bad = [name for name, fit in first.items() if not fit.converged]
    if bad:
        raise SampleError(Problem("fitting.no-measurement", ", ".join(bad), "its measurement model did not converge",
                                  "measurement models that converge", "Look at it alone with sk.cfa."))
    order = (*(name for names, _, _ in blocks for name in names), *observed)
    rows = frame[list(observed)].to_numpy()
    pieces = [Piece(fit, block_scores) for fit in first.values()]
    scores = join([piece.at(piece.fit.solution.theta) for piece in pieces], rows)
    products = tuple((order.index(a), order.index(b)) for a, b in (name.split(":") for name in spec.products))
    mapped = map_moments(scores, products)
    names = (*order, *spec.products)
    text = structural_text(spec, inner)
    second = sem(text, moments=Moments(mapped.cov, None, len(frame), names, "n"), fixed_x=False)
    vcov = two_step_covariance(second, pieces, rows, products, mapped, names)
    solution = CorrectedSolution(**{f.name: getattr(second.solution, f.name) for f in fields(Solution)}, corrected=vcov)
    notes = _left_out(len(whole) - len(frame))
    return StructuralFit(solution, replace(recipe, expanded=text), None, second.provenance, notes, measurement=first,
                         scores=scores, sample_used=sample, order=order)


def _left_out(count: int) -> tuple[Note, ...]:
    """Respondents without any answer on some construct have no score on it."""
    if not count:
        return ()
    return (Note("fitting.no-scores", "warning",
                 f"{count} respondents answered nothing of a construct and are left out.", "",
                 "They have no score on it.",
                 "interaction='lms' with missing='fiml' uses them with what they answered."),)


def refuse(spec: ModelSpec, recipe: Recipe, method: str) -> None:
    """Refuse what two steps do not do, all at once."""
    options = recipe.options
    latents = set(spec.latents)
    wrong = [
        (options.group is not None or bool(spec.blocks), "groups"), (bool(recipe.composites), "composites"),
        (any(t.op == "=~" and t.rhs in latents for t in spec.terms), "second-order factors"),
        (any(name.count(":") > 1 for name in spec.products), "products of three"),
        (options.missing not in ("listwise", "fiml"), f"missing={options.missing!r}"),
        (options.estimator not in ("ml", "mlr"), f"estimator={options.estimator!r}"),
        (bool(options.auxiliary), "auxiliary="), (bool(options.bootstrap), "bootstrap="),
        (options.std_lv, "std_lv=True"), (recipe.design is not None and not recipe.design.trivial, "design="),
        (any(t.op == "~1" for t in spec.terms), "intercepts"),
        (any(f.op != ":=" for f in spec.formulas), "constraints"),
    ]
    found = [what for bad, what in wrong if bad]
    if found:
        raise NotSupportedError(Problem("fitting.not-with-sam", f"interaction={method!r}",
                                        f"does not do {', '.join(found)}",
                                        "one group, first-order constructs, products of two",
                                        "Use interaction='product' or 'lms'."))


def _frame(sample: Sample) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(sample.groups[0].data, columns=list(sample.names))


def structural_names(spec: ModelSpec) -> tuple[str, ...]:
    """Constructs, and observed variables in equations."""
    inside = [v for t in spec.terms if t.op == "~" for v in (t.lhs, *t.rhs.split(":"))]
    return tuple(dict.fromkeys((*spec.latents, *inside)))


def structural_text(spec: ModelSpec, inner: tuple[str, ...]) -> str:
    """The structural part as a model of the constructs themselves."""
    terms = [t for t in spec.terms if t.op == "~" or (t.op == "~~" and t.lhs in inner and t.rhs in inner)]
    return print_model(replace(spec, terms=tuple(terms)))


def measurement_blocks(spec: ModelSpec) -> list[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """Constructs, indicators and text of every measurement model."""
    loads: dict[str, list[Term]] = {}
    for term in spec.terms:
        if term.op == "=~":
            loads.setdefault(term.lhs, []).append(term)
    home = {name: k for k, name in enumerate(loads)}
    owner: dict[str, str] = {}
    ties = []
    for name, terms in loads.items():
        for term in terms:
            ties += [(owner[term.rhs], name)] if term.rhs in owner else []
            owner[term.rhs] = name
    errors = [t for t in spec.terms if t.op == "~~" and t.lhs in owner and t.rhs in owner]
    ties += [(owner[t.lhs], owner[t.rhs]) for t in errors]
    for a, b in ties:
        old, new = home[b], home[a]
        home = {name: new if k == old else k for name, k in home.items()}
    out = []
    for k in dict.fromkeys(home.values()):
        names = tuple(name for name in loads if home[name] == k)
        own = [term for name in names for term in loads[name]]
        items = tuple(dict.fromkeys(term.rhs for term in own))
        own += [t for t in errors if t.lhs in items]
        out.append((names, items, print_model(ModelSpec(tuple(own)))))
    return out


def block_scores(fit: Fit, theta: FloatArray) -> Scores:
    """Bartlett scores of one measurement model at some parameters."""
    solution = fit.solution
    block = solution.layout.blocks[0]
    implied = imply(block, theta[None], solution.given)
    data = solution.data[0]
    seen = ~np.isnan(data)
    mask, index = np.unique(seen, axis=0, return_inverse=True)
    w, _ = masked_inverse(implied.sigma, mask)
    loads = implied.matrices.lambda_[0]
    inner = loads.T @ (w @ loads)
    known = np.linalg.matrix_rank(inner, hermitian=True) == loads.shape[1]
    inside = np.full_like(inner, np.nan)
    inside[known] = np.linalg.inv(inner[known])
    weight = inside @ loads.T @ w
    at = np.asarray(index).ravel()
    dev = np.where(seen, data - implied.matrices.nu[0], 0.0)
    value = np.einsum("nkp,np->nk", weight[at], dev) if len(mask) > 1 else dev @ weight[0].T
    return Scores(value, (inside - implied.eta_cov[0])[at])


def join(parts: list[Scores], observed: FloatArray) -> Scores:
    """Scores of all measurement models, then observed variables, whose errors are 0."""
    value = np.concatenate([*(part.value for part in parts), observed - np.mean(observed, axis=0)], axis=1)
    error = np.zeros((len(value), value.shape[1], value.shape[1]))
    start = 0
    for part in parts:
        stop = start + part.value.shape[1]
        error[:, start:stop, start:stop] = part.error
        start = stop
    return Scores(value, error)


def first_influence(fit: Fit) -> FloatArray:
    """Influence of each respondent on the parameters of a measurement model, ``(n, q)``."""
    solution = fit.solution
    block, data = solution.layout.blocks[0], solution.data[0]
    own = pattern_scores(block, solution.theta, solution.given[0], data, solution.layout.n_parameters)
    return np.asarray(own @ invert(solution.observed_information, solution.basis))


@dataclass(frozen=True, eq=False)
class Piece:
    """A measurement model and how its scores follow from its parameters."""

    fit: Fit
    rule: Callable[[Fit, FloatArray], Scores]

    def at(self, theta: FloatArray) -> Scores:
        return self.rule(self.fit, theta)


def two_step_covariance(
    second: Fit, pieces: list[Piece], observed: FloatArray, products: tuple[tuple[int, int], ...], mapped: Mapped,
    names: tuple[str, ...],
) -> FloatArray:
    """Covariance matrix of the structural parameters, both steps counted, ``(q, q)``."""
    parts = [piece.at(piece.fit.solution.theta) for piece in pieces]
    influence = mapped.influence.copy()
    for b, piece in enumerate(pieces):
        theta, own = piece.fit.solution.theta, first_influence(piece.fit)
        for k in range(len(theta)):
            step = np.zeros_like(theta)
            step[k] = _STEP * max(1.0, abs(theta[k]))
            both = []
            for sign in (1.0, -1.0):
                moved = [*parts[:b], piece.at(theta + sign * step), *parts[b + 1 :]]
                both.append(map_moments(join(moved, observed), products).cov)
            influence += own[:, k, None, None] * ((both[0] - both[1]) / (2.0 * step[k]))
    solution = second.solution
    block = solution.layout.blocks[0]
    pick = [names.index(name) for name in second.table.variables.ov]
    influence = influence[:, pick][:, :, pick]
    implied = imply(block, solution.minimum.x, solution.given)
    by_cell, _ = jacobian(block, implied)
    slope = np.zeros((solution.layout.n_parameters, *by_cell.shape[2:]))
    np.add.at(slope, block.free.source, by_cell[0])
    w = np.linalg.inv(implied.sigma[0])
    gradient = 0.5 * influence.reshape(len(influence), -1) @ (w @ slope @ w).reshape(len(slope), -1).T
    found = gradient @ invert(solution.observed_information, solution.basis)
    return np.asarray(found.T @ found / len(found) ** 2)
