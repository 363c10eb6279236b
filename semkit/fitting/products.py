"""From a model with latent products and data to its likelihood fit: options, table, sample, estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from semkit import __version__
from semkit.errors import NotSupportedError, OptionError, Problem
from semkit.fitting.bounds import bounded
from semkit.fitting.expansion import composite_column
from semkit.fitting.gaps import saturated_moments
from semkit.fitting.moderated import fit_moderated
from semkit.fitting.moderation import ModeratedFit
from semkit.fitting.options import Options
from semkit.fitting.recipe import Recipe
from semkit.interaction.crossing import without_columns
from semkit.interaction.method import LMS, QML
from semkit.model import ModelSpec, ParameterTable, check
from semkit.sample import group_labels, group_moments, make_sample


def fit_products(
    spec: ModelSpec, recipe: Recipe, data: Any, moments: object, method: LMS | QML,
    information: str | None = None, start: Mapping[str, float] | None = None,
) -> ModeratedFit:
    """Fit a model with products of latent variables by maximum likelihood.

    Parameters
    ----------
    information : str, optional
        As the caller gave it; the observed information is the default.

    Raises
    ------
    OptionError, NotSupportedError
        ``fitting.not-with-products``: what needs a saturated model or only moments.
    """
    from semkit.fitting.calls import _start, make_table

    options = moderated_options(recipe.options, information, method, moments)
    recipe = replace(recipe, options=options)
    columns = {composite_column(name): composite for name, composite in recipe.composites.items()}

    known = [str(name) for name in getattr(getattr(data, "frame", data), "columns", ())]
    check(spec, [*known, *columns, *spec.products])
    labels = ("",) if options.group is None else group_labels(data, options.group)
    table = without_columns(make_table(spec, options, labels, tuple(columns)), spec.products)
    _refuse_deviations(table, method)
    sample = make_sample(data, table.variables.ov, group=options.group, missing=options.missing, design=recipe.design,
                         composites=columns, complete=table.variables.ov_x if options.fixed_x else ())
    parts = (saturated_moments(sample) if options.fiml
             else tuple(group_moments(sample, g) for g in range(len(sample.groups))))
    table = bounded(table, options.bounds, tuple(part.cov[0] for part in parts))
    solution = fit_moderated(table, options, parts, sample, method, tuple(columns), _start(table, start))
    provenance: dict[str, Any] = {"semkit": __version__, "numpy": np.__version__, "call": options.call}
    fit = ModeratedFit(solution, recipe, None, provenance, ())
    kind = "ordinary" if solution.sampling is None else "cluster"
    return fit.bootstrap(options.bootstrap, seed=options.seed, kind=kind) if options.bootstrap else fit


def moderated_options(options: Options, information: str | None, method: LMS | QML, moments: object) -> Options:
    """Options with a mean structure and observed information; what does not go with products is refused at once."""
    refused = []
    if moments is not None:
        refused.append(("moments=", "needs raw data: moments do not say anything of products", "data"))
    if options.meanstructure is False:
        refused.append(("meanstructure=False", "products move the means", "Leave meanstructure out."))
    if options.conditional_x:
        refused.append(("conditional_x=True", "is not offered", "fixed_x=True"))
    if options.likelihood != "normal":
        refused.append((f"likelihood={options.likelihood!r}", "is defined for moments only", "likelihood='normal'"))
    if options.estimator not in ("ml", "mlr", "mlf"):
        refused.append((f"estimator={options.estimator!r}", "is defined for moments only", "estimator='ml' or 'mlr'"))
    elif options.se == "robust.sem":
        refused.append((f"se={options.se!r}", "is defined for moments only", "se='robust.huber.white'"))
    other = [name for name in options.test if name not in ("standard", "none", "yuan.bentler.mplus")]
    if options.estimator in ("ml", "mlr", "mlf"):
        refused += [(f"test={name!r}", "needs a saturated model, which products do not have",
                     "the likelihood ratio of fit.linear_test") for name in other]
    if options.two_stage or options.missing == "fiml.x":
        refused.append((f"missing={options.missing!r}", "is not offered", "missing='fiml' or 'listwise'"))
    if options.auxiliary:
        refused.append(("auxiliary=", "is not offered", "leave it out"))
    if refused:
        raise NotSupportedError(*(
            Problem("fitting.not-with-products", where, f"with interaction={method.name.lower()!r}: {what}", allowed,
                    "Change the option, or use interaction='product'.") for where, what, allowed in refused))
    if information == "expected":
        raise OptionError(Problem("fitting.not-with-products", "information='expected'",
                                  "has no closed form for latent products", "observed, first.order",
                                  "Leave information out."))
    usual = "first.order" if options.estimator == "mlf" else "observed"
    return replace(options, meanstructure=True, information=information or usual)


def _refuse_deviations(table: ParameterTable, method: LMS | QML) -> None:
    wrong = sorted({name for e in (*table.equalities, *table.inequalities) for name in (*e.sd_names, *e.std_names)})
    if wrong:
        raise NotSupportedError(Problem(
            "fitting.not-with-products", f"sd({wrong[0]}) in a constraint",
            f"with interaction={method.name.lower()!r}: standard deviations include the products",
            "constraints of labels; := may use sd()", "Write the constraint over labels."))
