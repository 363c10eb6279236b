"""``sem`` and ``cfa``: from model text and data to a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semkit import __version__
from semkit.errors import Note, NotSupportedError, OptionError, Problem, spelling, unknown_arguments
from semkit.estimate.scaling import CORRECTIONS
from semkit.fitting.arguments import require_arguments
from semkit.fitting.auxiliary import apart, check_auxiliary, saturate
from semkit.fitting.bounds import bounded
from semkit.fitting.corrections import require_corrections, with_test_draws
from semkit.fitting.estimators import random_covariates
from semkit.fitting.evidence import gather
from semkit.fitting.expansion import chosen_method, composite_column, prepare
from semkit.fitting.fit import Fit
from semkit.fitting.given import Given, correlation_note, given_moments, labels_of
from semkit.fitting.nesting import with_nesting
from semkit.fitting.options import Options, make_options
from semkit.fitting.ordinalcalls import asked_ordered, fit_ordinal
from semkit.fitting.ordinaloptions import make_ordinal_options
from semkit.fitting.recipe import Recipe
from semkit.fitting.solution import fit_moments
from semkit.fitting.weighting import design_options, require_groups_apart
from semkit.interaction import LMS, QML, SAM, FactorScores, TwoStageLeastSquares
from semkit.model import ModelSpec, ParameterTable, build_table, check, check_columns, coded_classes
from semkit.sample import Composite, Design, Sample, group_labels
from semkit.sample.frame import require_table

FloatArray = NDArray[np.float64]


def sem(
    model: str,
    data: Any = None,
    *,
    estimator: str | None = None,
    missing: str = "listwise",
    information: str | None = None,
    likelihood: str = "normal",
    se: str | None = None,
    test: str | Sequence[str] | None = None,
    group: str | None = None,
    group_equal: str | Sequence[str] = (),
    group_partial: str | Sequence[str] = (),
    fixed_x: bool = True,
    conditional_x: bool = False,
    meanstructure: bool | None = None,
    std_lv: bool = False,
    orthogonal: bool = False,
    effect_coding: bool | str | Sequence[str] = False,
    bounds: str = "none",
    auxiliary: str | Sequence[str] = (),
    start: Mapping[str, float] | None = None,
    interaction: Any = "product",
    composites: Mapping[str, Composite] | None = None,
    composites_cov: str = "fixed",
    design: Design | None = None,
    nesting: str | Sequence[str] = (),
    bootstrap: int | None = None,
    seed: int | None = None,
    moments: Given | None = None,
    ordered: Sequence[str] | bool = (),
    parameterization: str = "delta",
) -> Fit:
    """Fit a structural equation model, with the defaults of lavaan's ``sem()``.

    Parameters
    ----------
    model : str
        lavaan syntax; ``a:b`` is the product of two variables.
    data : DataFrame or object with ``.frame``
        Not needed when ``moments`` is given.
    estimator : {"ml", "mlr", "mlm", "mlmv", "mlmvs", "mlf", "gls", "uls", "wls"}
        ``mlr`` adds sandwich errors and the Yuan-Bentler test; ``mlm``, ``mlmv`` and ``mlmvs`` robust errors and the
        Satorra-Bentler, scaled-shifted and mean- and variance-adjusted test; ``mlf`` first-order errors.  Generalised,
        unweighted and distribution-free weighted least squares treat covariates as random (docs/estimators.md).
    missing : {"listwise", "fiml", "fiml.x", "two.stage", "robust.two.stage"}
        Respondents with a gap in the model's own variables are left out, or used with what they answered: by full
        information (``"ml"`` is the same), or in two stages (:mod:`semkit.fitting.twostage`).  Respondents without a
        fixed covariate are left out, but kept under ``"fiml.x"``, which takes covariates as normal to fill the gap.
        ``fit.nobs`` counts those used.
    information : {"expected", "observed", "first.order"}, optional
        Default: expected; observed for ``mlr`` and with ``missing="fiml"``, first order for ``mlf``.
    likelihood : {"normal", "wishart"}
        Moments divided by N or by N - 1.
    se : {"standard", "robust.huber.white", "robust.sem", "bootstrap", "none"}, optional
    test : str or sequence of str, optional
        ``standard``, ``satorra.bentler``, ``yuan.bentler``, ``yuan.bentler.mplus``, ``mean.var.adjusted``,
        ``scaled.shifted``, ``browne.residual.nt``, ``browne.residual.adf`` and these two with ``.model``.  The first
        corrected one gives the ``.scaled`` and ``.robust`` fit measures.  ``bollen.stine`` (1,000 draws unless
        ``bootstrap`` says otherwise); ``bartlett``, ``swain``, ``yuan``, ``yuan.tian.yanagihara``, which are shown
        unasked with fewer than 200 respondents.
    group : str, optional
        Grouping column; ``group_equal`` names what is equal, ``group_partial`` exceptions.
    fixed_x : bool
        Moments of observed covariates are held at their sample values.
    conditional_x : bool
        Fit the moments of the outcomes given the covariates.
    meanstructure : bool, optional
        Default: only when the text has an intercept or there are groups.
    std_lv, orthogonal : bool
    effect_coding : bool, or among ``"loadings"`` and ``"intercepts"``
        Scale constructs by a mean loading of 1 (and a mean intercept of 0, with free means) instead of by a marker.
    bounds : {"none", "standard", "wide", "pos.var", "pos.ov.var", "pos.lv.var"}
        Bounds from the sample's variances (:mod:`semkit.fitting.bounds`): for small samples that do not converge.
    auxiliary : str or sequence of str
        Columns outside the model that say something of the gaps (with full information or two stages); under full
        information fixed covariates then become random (:mod:`semkit.fitting.auxiliary`).
    start : mapping of str to float, optional
        Starting values by label or ``"lhs op rhs"``.
    interaction : {"product", "lms", "qml", "sam", "factor_score", "2sls"}, ProductIndicators, LMS, QML, SAM
        How ``a:b`` of latent variables is estimated.
    composites : mapping of str to Composite, optional
        Names used in the model that stand for equal-weight means with known error variance.
    composites_cov : {"fixed", "free", "known"}
        Whether covariances of the indicators of a composite ``c <~ x1 + x2`` are held at their sample values or are
        parameters; ``"known"`` holds them and leaves out of the errors that they vary too (docs/models.md).
    design : Design, optional
        Sampling weights, strata, clusters, finite populations, replicate weights: pseudo maximum likelihood with
        errors and a scaled test from the design, as under ``mlr``, and design effects beside every estimate.
    nesting : str or sequence of str
        Columns that say who belongs together (village, interviewer) and that the errors ignore: a note is given when
        respondents of the same village answer so much alike that errors are too small.
    bootstrap : int, optional
        Number of ordinary bootstrap draws: errors, intervals (percentile) and p from them.
    seed : int, optional
        Seed of the bootstrap; without one a seed is drawn and kept in ``fit.provenance``.
    moments : Moments or mapping of str to Moments, optional
        Covariances, means and N instead of data; by group label when there are groups.
    ordered : sequence of str or bool
        Ordinal indicators and outcomes (``True``: all of them): thresholds and polychoric correlations are fitted by
        weighted least squares.  The estimator is then ``wlsmv`` (default), ``wlsm``, ``wlsmvs``, ``dwls``, ``wls``,
        ``uls``, ``ulsm``, ``ulsmv`` or ``ulsmvs``, ``missing`` may be ``"pairwise"``; see ``docs/ordinal.md``.
    parameterization : {"delta", "theta"}
        Scales or residual variances of ordinal responses as parameters.

    Returns
    -------
    Fit

    Raises
    ------
    ModelSyntaxError, ModelError, SampleError, OptionError, NotSupportedError

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> x = np.random.default_rng(1).normal(size=(50, 2))
    >>> fit = sem("y ~ b*x", pd.DataFrame(x, columns=["y", "x"]))
    >>> fit.converged
    True
    """
    return _fit("sem", model, data, start=start, interaction=interaction, composites=composites, design=design,
                moments=moments, ordered=ordered, parameterization=parameterization, estimator=estimator,
                missing=missing, information=information,
                likelihood=likelihood, se=se, test=test, group=group, group_equal=group_equal,
                group_partial=group_partial, fixed_x=fixed_x, conditional_x=conditional_x,
                meanstructure=meanstructure, std_lv=std_lv, orthogonal=orthogonal, effect_coding=effect_coding,
                bounds=bounds, composites_cov=composites_cov, auxiliary=auxiliary, bootstrap=bootstrap, seed=seed,
                nesting=nesting)


def cfa(model: str, data: Any = None, **options: Any) -> Fit:
    """Fit a confirmatory factor model, with the defaults of lavaan's ``cfa()``.

    Parameters
    ----------
    model : str
        Model text in lavaan's language.
    data : DataFrame or object with ``.frame``
    **options
        As in :func:`sem`.

    Returns
    -------
    Fit

    Raises
    ------
    ModelSyntaxError, ModelError
        The text cannot be read, or does not suit the data.
    OptionError, NotSupportedError
        An option is unknown, has a value that is not allowed, or is not offered.
    SampleError
        The data cannot identify the model.

    References
    ----------
    Joreskog (1969), Psychometrika 34, 183-202.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semkit as sk
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=(300, 1))
    >>> data = pd.DataFrame(0.8 * f + 0.6 * rng.normal(size=(300, 4)), columns=["a", "b", "c", "d"])
    >>> fit = sk.cfa("f =~ a + b + c + d", data)
    >>> int(fit.fit_measures["df"]), bool(fit.converged)
    (2, True)
    """
    return _fit("cfa", model, data, **sem_arguments(options))


def growth(model: str, data: Any = None, **options: Any) -> Fit:
    """Fit a growth curve model, with the defaults of lavaan's ``growth()``.

    As :func:`sem`, but intercepts of observed variables are 0 and means of latent variables are free: growth
    factors have the means.

    Parameters
    ----------
    model : str
        Growth factors with fixed loadings, ``i =~ 1*t1 + 1*t2 + 1*t3``, ``s =~ 0*t1 + 1*t2 + 2*t3``.
    data : DataFrame or object with ``.frame``
        One row a person, one column an occasion.
    **options
        As in :func:`sem`.

    Returns
    -------
    Fit

    Raises
    ------
    ModelSyntaxError, ModelError, OptionError, NotSupportedError, SampleError
        As in :func:`sem`.

    References
    ----------
    Meredith & Tisak (1990), Psychometrika 55, 107-122.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semkit as sk
    >>> rng = np.random.default_rng(1)
    >>> start, slope = rng.normal(5.0, 1.0, 300), rng.normal(0.5, 0.3, 300)
    >>> data = pd.DataFrame({f"t{k}": start + k * slope + rng.normal(0, 0.5, 300) for k in range(4)})
    >>> fit = sk.growth("i =~ 1*t0 + 1*t1 + 1*t2 + 1*t3; s =~ 0*t0 + 1*t1 + 2*t2 + 3*t3", data)
    >>> int(fit.fit_measures["df"]), bool(fit.converged)
    (5, True)
    """
    return _fit("growth", model, data, **sem_arguments(options))


_DEFAULTS: dict[str, Any] = {
    "estimator": None, "parameterization": "delta", "missing": "listwise", "information": None, "likelihood": "normal",
    "se": None, "test": None,
    "bootstrap": None, "seed": None, "start": None, "composites": None, "interaction": "product", "design": None,
    "moments": None, "ordered": (), "nesting": (),
}


def sem_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of :func:`sem` by name, with its defaults where :func:`_fit` has none; unknown ones are refused."""
    known = set(sem.__annotations__) - {"model", "data", "return"}
    unknown = [name for name in options if name not in known]
    if unknown:
        raise OptionError(*unknown_arguments(unknown, sorted(known)))
    return {**_DEFAULTS, **options}


def _words(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _fit(
    call: str, model: str, data: Any, *, start: Mapping[str, float] | None, interaction: Any,
    composites: Mapping[str, Composite] | None, design: Design | None, moments: Given | None,
    ordered: Sequence[str] | bool, nesting: str | Sequence[str], **options: Any,
) -> Fit:
    require_arguments(model, options | {"start": start, "composites": composites, "design": design, "ordered": ordered,
                                        "nesting": nesting})
    names, parameterization = asked_ordered(model, ordered, options["estimator"]), options.pop("parameterization")
    if not names:
        options["estimator"] = options["estimator"] or "ml"
        options = design_options(design, options, moments is not None)
    options["group_equal"] = _words(options.get("group_equal", ()))
    options["group_partial"] = _words(options.get("group_partial", ()))
    options["auxiliary"] = _words(options.get("auxiliary", ()))
    options["effect_coding"] = coded_classes(options.get("effect_coding", False), std_lv=bool(options.get("std_lv")))
    if options.get("test") is not None and not isinstance(options["test"], str):
        options["test"] = tuple(options["test"])
    if names:
        chosen = make_ordinal_options(call, names, options | {"parameterization": parameterization})
    else:
        chosen = make_options(call, **options)
    if (data is None) == (moments is None):
        raise OptionError(Problem("fitting.data-or-moments", "data", "exactly one of data and moments is needed",
                                  "data=frame or moments=Moments(...)", "Pass one of them."))
    if data is not None:
        require_table(data)
    grouped = chosen.group is not None or isinstance(moments, Mapping)
    prepared = prepare(model, interaction, composites or {}, grouped=grouped, std_lv=chosen.std_lv)
    recipe = Recipe(model, prepared.text, chosen, prepared.products, prepared.composites, interaction, design)
    spec, method = prepared.spec, chosen_method(interaction)
    if chosen.auxiliary:
        check_auxiliary(spec, chosen.auxiliary)
        spec = saturate(spec, chosen.auxiliary) if chosen.fiml else spec
    if isinstance(method, SAM):
        from semkit.fitting.sam import fit_sam

        fit: Fit = fit_sam(spec, recipe, data)
    elif isinstance(method, FactorScores):
        from semkit.fitting.scoring import fit_scores

        fit = fit_scores(spec, recipe, data)
    elif isinstance(method, TwoStageLeastSquares):
        from semkit.fitting.instrumental import fit_two_stage

        fit = fit_two_stage(spec, recipe, data)
    elif isinstance(method, (LMS, QML)) and spec.products and not names:
        from semkit.fitting.products import fit_products

        fit = fit_products(spec, recipe, data, moments, method, options.get("information"), start)
    else:
        fit = fit_spec(spec, recipe, data, moments, start, prepared.notes)
    return with_nesting(fit, data, _words(nesting)) if nesting else fit


def fit_spec(
    spec: ModelSpec, recipe: Recipe, data: Any, moments: Given | None, start: Mapping[str, float] | None = None,
    notes: tuple[Note, ...] = (),
) -> Fit:
    """Fit an expanded model: table, sample, estimates, and draws if asked for."""
    options = recipe.options
    if options.ordered:
        found = fit_ordinal(spec, recipe, data, start, notes)
        kind = "ordinary" if found.solution.sampling is None else "cluster"
        return found.bootstrap(options.bootstrap, seed=options.seed, kind=kind) if options.bootstrap else found
    columns = {composite_column(name): composite for name, composite in recipe.composites.items()}
    known = [str(name) for name in getattr(getattr(data, "frame", data), "columns", ())]
    if moments is None:
        expanded = bool(columns or recipe.products or options.auxiliary)  # else it was checked when it was read
        (check if expanded else check_columns)(spec, [*known, *columns, *(product.name for product in recipe.products)])
    labels = ("",) if options.group is None else group_labels(data, options.group)
    if moments is not None:
        labels, notes = labels_of(moments), (*notes, *correlation_note(moments))
    table = make_table(spec, options, labels, tuple(columns))
    sample: Sample | None = None
    gamma: tuple[FloatArray, ...] | None = None
    nacov: tuple[FloatArray, ...] | None = None
    if (options.fiml or options.two_stage) and (moments is not None or columns):
        what = "composites=" if columns else "moments="
        gaps = f"with missing={options.missing!r}: needs complete data"
        raise NotSupportedError(Problem("fitting.not-with-fiml", what, gaps,
                                        "raw data of single items", "Use missing='listwise'."))
    if moments is not None:
        parts, nacov = given_moments(moments, table, options)
    else:
        sample, parts, gamma = gather(data, table, recipe, columns)
    table = bounded(table, options.bounds, tuple(part.cov[0] for part in parts))
    solution = fit_moments(table, options, parts, sample, tuple(columns), _start(table, start),
                           gamma, nacov)
    if options.least_squares and table.variables.ov_x:
        notes = (*notes, random_covariates(table.variables.ov_x))
    provenance: dict[str, Any] = {"semkit": __version__, "numpy": np.__version__, "call": options.call}
    fit = Fit(solution, recipe, None, provenance, notes)
    require_corrections(solution)
    if options.se == "robust.sem" or set(options.test) & set(CORRECTIONS):
        require_groups_apart(solution)
    if "bollen.stine" in options.test:
        fit = with_test_draws(fit)
    kind = "ordinary" if solution.sampling is None else "cluster"
    return fit.bootstrap(options.bootstrap, seed=options.seed, kind=kind) if options.bootstrap else fit


def make_table(
    spec: ModelSpec, options: Options, groups: tuple[str, ...], composites: tuple[str, ...]
) -> ParameterTable:
    """The parameter table of an expanded model under the options."""
    gaps = options.fiml or options.two_stage
    means = True if gaps or (options.conditional_x and options.meanstructure is None) else options.meanstructure
    growth = options.call == "growth"
    table = build_table(
        spec, groups=groups, meanstructure=True if growth else means,
        fixed_x=options.fixed_x or options.conditional_x, std_lv=options.std_lv, orthogonal=options.orthogonal,
        int_ov_free=not growth, int_lv_free=growth, group_equal=options.group_equal,
        group_partial=options.group_partial, effect_coding=options.effect_coding,
        apart=apart(spec, options.auxiliary) if options.auxiliary and options.fiml else (),
        composites_cov_free=options.composites_cov == "free",
    )
    if composites:
        value = table.value.copy()
        for i in range(len(table)):
            if table.op[i] == "~~" and table.lhs[i] == table.rhs[i] and table.lhs[i] in composites:
                value[i] = np.nan
        table = table.replace(value=value)
    return table


def _start(table: ParameterTable, start: Mapping[str, float] | None) -> FloatArray | None:
    if not start:
        return None
    out = np.full(table.n_unique, np.nan)
    known = {name: int(table.unique[k]) for k, name in enumerate(table.free_names)}
    unknown = [name for name in start if name not in known]
    if unknown:
        what = "the model has no such free parameter"
        raise OptionError(*(Problem("fitting.unknown-parameter", f'start["{name}"]', what, ", ".join(known),
                                    spelling(name, known)) for name in unknown))
    for name, value in start.items():
        out[known[name]] = float(value)
    return out


__all__ = ["cfa", "fit_spec", "growth", "make_table", "sem"]
