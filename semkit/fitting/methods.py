"""The same interaction by several methods, side by side."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semkit.errors import Note, OptionError, Problem, SemkitError
from semkit.fitting.calls import sem, sem_arguments
from semkit.fitting.fit import Fit
from semkit.interaction import LMS, QML, SAM, FactorScores, ProductIndicators, TwoStageLeastSquares
from semkit.model import ModelSpec, parse
from semkit.sample import group_labels

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("method", "group", "outcome", "product", "est", "se", "ci_lower", "ci_upper", "pvalue", "std_est", "std_se",
           "n", "seconds", "notes")
METHODS = ("product", "lms", "qml", "sam", "factor_score", "2sls")
Place = tuple[str, str, str]
_ALIKE = 0.5  # differences of two methods below this share of the larger standard error are none
_CHANCE = 1.959963984540054


@dataclass(frozen=True, eq=False, repr=False)
class MethodComparison:
    """Estimates of every product by every method.

    Parameters
    ----------
    frame : DataFrame
        One row a product, method and group: ``method group outcome product est se ci_lower ci_upper pvalue std_est
        std_se n seconds notes``; NaN with the reason in ``notes`` where a method cannot estimate the model or did not
        converge.
    fits : mapping of str to Fit
        By method; those that failed are not there.
    notes : tuple of Note
    """

    frame: pd.DataFrame
    fits: Mapping[str, Fit]
    notes: tuple[Note, ...] = ()

    def __repr__(self) -> str:
        shown = self.frame.drop(columns=[c for c in ("group",) if not self.frame["group"].any()])
        table = shown.to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep="")
        return "\n".join(["interactions by method", table, *(f"{note.severity}: {note}" for note in self.notes)])

    def _repr_html_(self) -> str | None:
        from semkit.display import html

        return html(self)


def compare_methods(
    model: str, data: Any, methods: Sequence[Any] = METHODS, **options: Any
) -> MethodComparison:
    """Fit a model with latent products by several methods and put the products side by side.

    Parameters
    ----------
    model : str
    data : DataFrame or object with ``.frame``
    methods : sequence
        What ``interaction=`` of :func:`semkit.sem` takes, or tuned objects such as ``LMS(nodes=32)``.  Default all of
        them: ``"product"``, ``"lms"``, ``"qml"``, ``"sam"``, ``"factor_score"``, ``"2sls"``.
    **options
        As in :func:`semkit.sem`, the same for all methods: ``group``, ``design``, ``missing``, ``estimator`` ...

    Returns
    -------
    MethodComparison
        A method that cannot do the model has a row that says why and takes nothing from the others.

    Raises
    ------
    OptionError
        ``fitting.no-products``, ``fitting.no-methods``.

    References
    ----------
    Marsh, Wen & Hau (2004), Psychological Methods 9, 275-300 (product indicators); Klein & Moosbrugger (2000),
    Psychometrika 65, 457-474 (LMS); Klein & Muthén (2007), Multivariate Behavioral Research 42, 647-673 (QML); Rosseel
    et al. (2025), Behavior Research Methods 57 (SAM); Skrondal & Laake (2001), Psychometrika 66, 563-575 (factor
    scores); Bollen & Paxton (1998), Structural Equation Modeling 5, 267-293 (2SLS).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semkit as sk
    >>> rng = np.random.default_rng(1)
    >>> x, z = rng.normal(size=(2, 200))
    >>> y = 0.4 * x + 0.3 * z + 0.3 * x * z + rng.normal(size=200)
    >>> noise = lambda v: v + 0.5 * rng.normal(size=200)
    >>> items = {f"{n}{i}": noise(v) for n, v in (("x", x), ("z", z), ("y", y)) for i in (1, 2, 3)}
    >>> text = "X =~ x1 + x2 + x3; Z =~ z1 + z2 + z3; Y =~ y1 + y2 + y3; Y ~ X + Z + X:Z"
    >>> found = sk.compare_methods(text, pd.DataFrame(items))
    >>> list(found.frame["method"])
    ['product', 'lms', 'qml', 'sam', 'factor_score', '2sls']
    """
    import pandas as pd

    if "interaction" in options:
        raise OptionError(Problem("arguments.unknown", "interaction=", "is set by the methods", "methods=",
                                  "Use methods= instead."))
    sem_arguments(options)
    spec = parse(model)
    if not spec.products:
        raise OptionError(Problem("fitting.no-products", "model", "has no product such as a:b",
                                  "a model with an interaction", "Write y ~ a + b + a:b."))
    if isinstance(methods, str) or not len(methods):
        raise OptionError(Problem("fitting.no-methods", "methods=", f"{methods!r} given", "a sequence of methods",
                                  'For example methods=("product", "lms").'))
    places = _places(spec, data, options.get("group"))
    rows: list[dict[str, Any]] = []
    fits: dict[str, Fit] = {}
    for method in methods:
        name = label(method)
        while name in fits:
            name += "'"
        begin = time.perf_counter()
        try:
            fit = sem(model, data, interaction=method, **options)
            found = _rows(fit, places, name)
        except SemkitError as error:
            reason = " ".join(dict.fromkeys(str(problem) for problem in error.problems))
            rows += [_empty(name, *place, reason) for place in places]
            continue
        seconds = time.perf_counter() - begin
        rows += [row | {"seconds": seconds} for row in found]
        fits[name] = fit
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return MethodComparison(frame, fits, differences(frame))


def label(method: Any) -> str:
    """Short name of a method for tables."""
    if isinstance(method, (LMS, QML, SAM, FactorScores, TwoStageLeastSquares)):
        return method.name.lower()
    if isinstance(method, ProductIndicators):
        return f"product ({method.match})"
    return str(method).lower()


def _places(spec: ModelSpec, data: Any, group: str | None) -> list[Place]:
    """Group, outcome and product of every product in an equation."""
    found = dict.fromkeys((t.block, t.lhs, t.rhs) for t in spec.terms if t.op == "~" and t.rhs in spec.products)
    labels: tuple[str, ...] = ("",)
    if group is not None:
        labels = group_labels(data, group)
    return [(label, lhs, rhs) for k, label in enumerate(labels) for block, lhs, rhs in found
            if block in ("", label, str(k + 1))]


def _empty(name: str, group: str, outcome: str, product: str, reason: str) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS, np.nan) | {"method": name, "group": group, "outcome": outcome, "product": product,
                                           "notes": reason}


def _rows(fit: Fit, places: list[Place], name: str) -> list[dict[str, Any]]:
    if not fit.converged:
        return [_empty(name, *place, "did not converge") for place in places]
    products = {product for _, _, product in places}
    table = fit.estimates.assign(std_se=fit.standardized()["se"])
    codes = ", ".join(dict.fromkeys(note.code for note in fit.notes if note.severity != "info"))
    return [
        {"method": name, "group": row.group, "outcome": row.lhs, "product": row.rhs, "est": row.est, "se": row.se,
         "ci_lower": row.ci_lower, "ci_upper": row.ci_upper, "pvalue": row.pvalue, "std_est": row.std_all,
         "std_se": row.std_se, "n": fit.nobs, "notes": codes}
        for row in table[(table["op"] == "~") & table["rhs"].isin(products)].itertuples()
    ]


def differences(frame: pd.DataFrame) -> tuple[Note, ...]:
    """Products on which methods disagree by more than chance, or in their verdict at .05.

    A method with a larger error differs from the one with the smallest by chance as well: where the precise one is
    efficient, the variance of the difference is that of the one less that of the other (Hausman 1978).  Half of the
    larger error is the least that counts.
    """
    notes = []
    for (group, outcome, product), part in frame.dropna(subset=["est"]).groupby(["group", "outcome", "product"]):
        est, se = part["est"].to_numpy(dtype=np.float64), part["se"].to_numpy(dtype=np.float64)
        best = int(se.argmin())
        by_chance = _CHANCE * np.sqrt(se**2 - se[best] ** 2)
        differ = np.abs(est - est[best]) > np.maximum(by_chance, _ALIKE * se)
        split = part["pvalue"].lt(0.05).nunique() > 1
        if len(part) > 1 and (split or differ.any()):
            apart = f"estimates from {part['est'].min():.3g} to {part['est'].max():.3g}"
            notes.append(Note(
                "fitting.methods-disagree", "warning",
                apart + (", on both sides of p = .05." if split else "."),
                f"{outcome} ~ {product}" + (f" (group {group})" if group else ""),
                "Methods differ in what they assume: normal latent variables (lms, qml, factor_score), that the whole "
                "model holds (product, lms, qml), or little at the price of larger errors (sam, 2sls).",
                "Report all of them; look at fit.notes for skewed factors and too few nodes.",
            ))
    return tuple(notes)
