"""Measurement invariance between groups: a ladder of models, each with more held equal, in one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from semkit.errors import Note, NotSupportedError, OptionError, Problem, spelling
from semkit.estimate.weights import MomentWeight
from semkit.fitting.auxiliary import saturate
from semkit.fitting.bounds import bounded
from semkit.fitting.calls import make_table, sem, sem_arguments
from semkit.fitting.comparison import nested_difference
from semkit.fitting.expansion import composite_column, prepare
from semkit.fitting.fit import Fit
from semkit.fitting.ordinal import OrdinalSolution, fit_categorical
from semkit.fitting.ordinalcalls import categorical_table
from semkit.fitting.solution import Solution, fit_moments
from semkit.model import ModelSpec, ParameterTable

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

# what each step adds to the steps before it
STEPS: dict[str, str] = {
    "configural": "", "thresholds": "thresholds", "metric": "loadings", "scalar": "intercepts", "strict": "residuals",
    "variances": "lv.variances", "covariances": "lv.covariances", "means": "means",
}
LADDER = ("configural", "metric", "scalar", "strict")
ORDINAL_LADDER = ("configural", "thresholds", "metric", "scalar", "strict")


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """How much worse a step may fit: drop of CFI, rise of RMSEA, rise of SRMR (metric step, later steps)."""

    cfi: float
    rmsea: float
    srmr_metric: float
    srmr: float


ADEQUATE = Cutoffs(0.010, 0.015, 0.030, 0.010)
SMALL = Cutoffs(0.005, 0.010, 0.025, 0.005)


@dataclass(frozen=True, eq=False, repr=False)
class Invariance:
    """A ladder of fits.

    Parameters
    ----------
    frame : DataFrame
        One row a step: ``step equal chisq df pvalue cfi rmsea srmr``, the differences from the row above
        ``chisq_diff df_diff pvalue_diff cfi_diff rmsea_diff srmr_diff``, and three verdicts: ``by_test``
        (``holds`` or ``fails`` by the difference test at ``level``), ``by_change`` (Chen's rules) and ``verdict``
        (``holds``, ``fails``, ``unclear`` where the two differ, or ``not converged``).
    fits : mapping of str to Fit
    cutoffs : Cutoffs
    level : float
    notes : tuple of Note
    """

    frame: pd.DataFrame
    fits: Mapping[str, Fit]
    cutoffs: Cutoffs
    level: float
    notes: tuple[Note, ...]

    @property
    def reached(self) -> str:
        """The last step before the first that fails or did not converge; empty when the first one did not."""
        good = ""
        for step, verdict in zip(self.frame["step"], self.frame["verdict"], strict=True):
            if verdict in ("fails", "not converged"):
                break
            good = str(step)
        return good

    def __repr__(self) -> str:
        table = self.frame.to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep="")
        return f"measurement invariance, reached: {self.reached or 'none'}\n{table}"

    def _repr_html_(self) -> str | None:
        from semkit.display import html

        return html(self)


def invariance(
    model: str, data: Any = None, *, group: str, steps: Sequence[str] | None = None,
    partial: Sequence[str] | Mapping[str, Sequence[str]] = (), level: float = 0.05, **options: Any,
) -> Invariance:
    """Test step by step what of a measurement model is the same in every group.

    Parameters
    ----------
    model : str
        Measurement model in lavaan's syntax.
    data : DataFrame or object with ``.frame``
    group : str
        Grouping column.
    steps : sequence of str, optional
        Some of ``configural metric scalar strict variances covariances means``, in this order; each holds loadings,
        intercepts, residual variances, factor variances, factor covariances, factor means equal besides all before.
        By default the first four.  With ordinal items (``ordered=``) ``thresholds`` come before ``metric``, and
        ``strict`` needs the theta parameterisation, which is then the default.
    partial : sequence of str, or mapping of step to such
        Parameters that stay free, ``"f=~x2"``, ``"x1~1"``, ``"x1~~x1"``: from the first step that would hold them
        equal, or from the step named.
    level : float
        Of the difference tests (scaled where the estimator is robust).
    **options
        As in :func:`semkit.sem`: ``estimator="mlr"``, ``missing="fiml"``, ``std_lv=True`` ...

    Returns
    -------
    Invariance

    Raises
    ------
    OptionError
        ``fitting.invariance-step``, ``fitting.invariance-groups``, ``fitting.invariance-partial``.

    References
    ----------
    Meredith (1993), Psychometrika 58, 525-543; Chen (2007), Structural Equation Modeling 14, 464-504 (changes of fit:
    the smaller ones below 300 respondents); Cheung & Rensvold (2002), Structural Equation Modeling 9, 233-255;
    Satorra & Bentler (2001), Psychometrika 66, 507-514; Wu & Estabrook (2016), Psychometrika 81, 1014-1045 (ordinal
    items).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semkit as sk
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=(400, 1))
    >>> data = pd.DataFrame(0.8 * f + 0.6 * rng.normal(size=(400, 4)), columns=["a", "b", "c", "d"])
    >>> data["g"] = np.repeat(["one", "two"], 200)
    >>> ladder = sk.invariance("f =~ a + b + c + d", data, group="g")
    >>> ladder.frame["df"].tolist(), ladder.reached
    ([4.0, 7.0, 10.0, 14.0], 'strict')
    """
    import pandas as pd

    asked = options.get("ordered", ())
    ordinal = asked is True or bool(asked) or "|" in model
    if ordinal:
        options = {"parameterization": "theta", **options}
    ladder = ORDINAL_LADDER if options.get("parameterization", "theta") == "theta" else ORDINAL_LADDER[:-1]
    chosen = _chosen_steps(steps if steps is not None else ladder if ordinal else LADDER, ordinal)
    sem_arguments(options)
    _refuse(options)
    first = sem(model, data, group=group, **options)
    if first.table.n_groups < 2:
        raise OptionError(Problem("fitting.invariance-groups", f'group="{group}"', "has one group only",
                                  "two or more groups", "Choose another column."))
    if type(first.solution) not in (Solution, OrdinalSolution):
        raise NotSupportedError(Problem("fitting.not-supported", "invariance()", "is not offered for latent products",
                                        "a measurement model", "Leave the structural part out."))
    exceptions = _exceptions(partial, chosen)
    fits: dict[str, Fit] = {}
    spec = prepare(model, first.recipe.interaction, first.recipe.composites, grouped=True,
                   std_lv=first.recipe.options.std_lv).spec
    chosen_options = first.recipe.options
    if chosen_options.auxiliary and chosen_options.fiml:
        spec = saturate(spec, chosen_options.auxiliary)
    previous = first
    for step in chosen:
        previous = _step(spec, first, previous, _equal(step, ordinal), exceptions[step])
        fits[step] = previous
    cutoffs = SMALL if first.nobs <= 300 else ADEQUATE
    return Invariance(pd.DataFrame(list(_rows(fits, cutoffs, level))), fits, cutoffs, level, first.notes)


def _chosen_steps(steps: Sequence[str], ordinal: bool) -> tuple[str, ...]:
    names = (steps,) if isinstance(steps, str) else tuple(steps)
    known = [name for name in STEPS if ordinal or name != "thresholds"]
    wrong = [name for name in names if name not in known]
    problems = [Problem("fitting.invariance-step", f'steps="{name}"', "no such step", ", ".join(known),
                        spelling(str(name), known)) for name in wrong]
    order = [list(STEPS).index(name) for name in names if name in STEPS]
    if not wrong and (not order or order != sorted(set(order))):
        problems.append(Problem("fitting.invariance-step", "steps=", "are not different steps in order",
                                ", ".join(STEPS), "Name each step once, from the least to the most restricted."))
    if problems:
        raise OptionError(*problems)
    return names


def _refuse(options: Mapping[str, Any]) -> None:
    refused = [name for name in ("group_equal", "group_partial") if options.get(name)]
    if refused:
        raise OptionError(*(Problem("arguments.unknown", f"{name}=", "is set by the steps",
                                    "steps=, partial=", "Use steps= and partial= instead.") for name in refused))
    if options.get("bootstrap") or options.get("moments") is not None:
        raise NotSupportedError(Problem("fitting.not-supported", "invariance()", "does not take bootstrap or moments",
                                        "data", "Fit the steps with sem(..., group_equal=) one by one."))


def _equal(step: str, ordinal: bool) -> tuple[str, ...]:
    names = [name for name in STEPS if ordinal or name != "thresholds"]
    return tuple(STEPS[name] for name in names[: names.index(step) + 1] if STEPS[name])


def _first_step(text: str) -> str:
    """The step that would hold a parameter equal for the first time."""
    plain = "".join(text.split())
    if "|" in plain:
        return "thresholds"
    if "=~" in plain:
        return "metric"
    if plain.endswith("~1"):
        return "scalar"
    left, _, right = plain.partition("~~")
    return "strict" if left == right else "covariances"


def _exceptions(
    partial: Sequence[str] | Mapping[str, Sequence[str]], steps: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Exceptions of each step: those named for it or for an earlier one."""
    order = list(STEPS)
    if isinstance(partial, Mapping):
        wrong = [name for name in partial if name not in steps]
        if wrong:
            raise OptionError(*(
                Problem("fitting.invariance-partial", f'partial["{name}"]', "is not a step of the ladder",
                        ", ".join(steps), spelling(str(name), steps)) for name in wrong))
        pairs = [(name, text) for name, texts in partial.items()
                 for text in ((texts,) if isinstance(texts, str) else texts)]
    else:
        texts = (partial,) if isinstance(partial, str) else tuple(partial)
        pairs = [(_first_step(text), text) for text in texts]
    return {step: tuple(dict.fromkeys(text for name, text in pairs if order.index(name) <= order.index(step)))
            for step in steps}


def _step(
    spec: ModelSpec, first: Fit, previous: Fit, equal: tuple[str, ...], partial: tuple[str, ...]
) -> Fit:
    """One model of the ladder: the first fit's sample and moments, starting where the step before ended."""
    if not equal:
        return first
    solution = first.solution
    options = replace(solution.options, group_equal=equal, group_partial=partial)
    if isinstance(solution, OrdinalSolution):
        responses = categorical_table(spec, options, solution.table.groups, solution.thresholds)
        weights = tuple(cast(MomentWeight, part.weight) for part in solution.problem.groups)
        assert solution.sample is not None
        again = fit_categorical(responses, options, solution.sample, solution.statistics, solution.thresholds,
                                solution.levels, weights, warm_start(responses, previous))
        return Fit(again, replace(first.recipe, options=options), None, first.provenance, first.extra_notes)
    composites = tuple(composite_column(name) for name in first.recipe.composites)
    table = make_table(spec, options, solution.table.groups, composites)
    table = bounded(table, options.bounds, tuple(part.cov[0] for part in solution.moments))
    found = fit_moments(table, options, solution.moments, solution.sample, composites,
                        warm_start(table, previous), solution.gamma)
    fit = Fit(found, replace(first.recipe, options=options), None, first.provenance, first.extra_notes)
    fit.__dict__["_baseline"] = first._baseline  # the same sample has the same independence model
    return fit


def warm_start(table: ParameterTable, fit: Fit) -> FloatArray:
    """Estimates of another model of the same variables as starting values, ``(q,)``; shared ones get their mean."""
    values = fit._rows.value[0]
    known = {(fit.table.lhs[i], fit.table.op[i], fit.table.rhs[i], int(fit.table.block[i])): float(values[i])
             for i in range(len(fit.table)) if fit.table.block[i] > 0}
    total, count = np.zeros(table.n_unique), np.zeros(table.n_unique)
    for k, row in enumerate(table.free_rows):
        value = known.get((table.lhs[row], table.op[row], table.rhs[row], int(table.block[row])))
        if value is not None and np.isfinite(value):
            total[table.unique[k]] += value
            count[table.unique[k]] += 1.0
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / count, np.nan)


def _rows(fits: Mapping[str, Fit], cutoffs: Cutoffs, level: float) -> Iterator[dict[str, Any]]:
    nothing = float("nan")
    before: tuple[Fit, dict[str, float]] | None = None
    for step, fit in fits.items():
        values = _indices(fit)
        row: dict[str, Any] = {"step": step, "equal": ", ".join(fit.solution.options.group_equal)} | values
        row |= dict.fromkeys(("chisq_diff", "df_diff", "pvalue_diff", "cfi_diff", "rmsea_diff", "srmr_diff"), nothing)
        row |= {"by_test": "", "by_change": "", "verdict": ""}
        if not fit.converged:
            row["verdict"] = "not converged"
        elif before is not None and before[0].converged and fit.solution.df > before[0].solution.df:
            row |= _change(fit, before[0], values, before[1], _limits(step, cutoffs), level)
        yield row
        before = fit, values


def _limits(step: str, cutoffs: Cutoffs) -> tuple[float, float, float]:
    return cutoffs.cfi, cutoffs.rmsea, cutoffs.srmr_metric if step == "metric" else cutoffs.srmr


def _indices(fit: Fit) -> dict[str, float]:
    """Statistic and indices of a fit, robust ones where it has them."""
    found = fit.fit_measures
    scaled = "chisq.scaled" in found.index
    out = {name: float(found[f"{name}.scaled" if scaled else name]) for name in ("chisq", "df", "pvalue")}
    for name in ("cfi", "rmsea"):
        robust = float(found.get(f"{name}.robust", np.nan))
        plain = float(found.get(f"{name}.scaled", found[name]))
        out[name] = robust if np.isfinite(robust) else plain
    return out | {"srmr": float(found["srmr"])}


def _change(
    fit: Fit, larger: Fit, now: Mapping[str, float], then: Mapping[str, float], limits: tuple[float, float, float],
    level: float,
) -> dict[str, Any]:
    """Differences from the step before and what they say."""
    difference = nested_difference(fit, larger)
    out = {"chisq_diff": difference["chisq_diff"], "df_diff": difference["df_diff"],
           "pvalue_diff": difference["pvalue"]}
    out |= {f"{name}_diff": now[name] - then[name] for name in ("cfi", "rmsea", "srmr")}
    tested = "holds" if out["pvalue_diff"] >= level else "fails"
    worse = -out["cfi_diff"] >= limits[0] and (out["rmsea_diff"] >= limits[1] or out["srmr_diff"] >= limits[2])
    changed = "fails" if worse else "holds"
    return out | {"by_test": tested, "by_change": changed, "verdict": tested if tested == changed else "unclear"}
