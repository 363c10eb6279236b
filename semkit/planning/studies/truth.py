"""What is true in a study's population: its models fitted by least squares to the latent variables of a large draw."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semkit.planning.draws import FloatArray
from semkit.planning.planted import Planted
from semkit.planning.population import Population
from semkit.planning.studies.equations import Regression, Study

_BINARY = frozenset(("cluster", "partner", "exporting", "poor", "new"))
"""0/1 groups: a standardised coefficient divides by the outcome only."""


def planted_values(study: Study, population: Population) -> dict[str, dict[str, Planted]]:
    """True quantities by model and label; components of products are centred at their mean in the rows of the model.

    Standardised: ``b sd(x) / sd(y)``, products ``b sd(a) sd(b) / sd(y)``; a 0/1 variable counts 1.

    Parameters
    ----------
    study : Study
    population : Population
        A large draw of it.
    """
    latents = dict(population.latents)
    if study.name == "export_compliance":
        from semkit.planning.studies.export_compliance import shipments

        latents["log1p_shipments"] = np.log1p(shipments(population).astype(np.float64))
    found: dict[str, dict[str, Planted]] = {}
    for model, regressions in study.models.items():
        group = study.rows_of.get(model)
        rows = population.groups[group] == 1 if group else np.ones(population.n, dtype=np.bool_)
        found[model] = {}
        for regression in regressions:
            found[model] |= _fitted(regression, latents, rows)
        for label, (of, products) in study.derived.items():
            if of == model:
                found[model][label] = _sum_of_products(products, found[model])
    return found


def _fitted(regression: Regression, latents: Mapping[str, FloatArray], rows: NDArray[np.bool_]) -> dict[str, Planted]:
    terms = (*regression.labels.values(), *regression.controls)
    names = dict.fromkeys(part for term in terms for part in term.split(":"))
    value = {name: latents[name][rows] for name in names}
    centred = {name: one - one.mean() for name, one in value.items()}
    y = latents[regression.outcome][rows]
    columns = [np.prod([centred[part] for part in term.split(":")], axis=0) for term in terms]
    design = np.column_stack([*columns, np.ones(y.size)])
    gram = design.T @ design
    coef = np.linalg.solve(gram, design.T @ y)
    residual = y - design @ coef
    variance = float(residual @ residual) / (y.size - coef.size)
    error = np.sqrt(np.diag(np.linalg.inv(gram)) * variance)
    sd = {name: 1.0 if name in _BINARY else float(np.std(one, ddof=1)) for name, one in value.items()}
    spread = float(np.std(y, ddof=1))
    out = {}
    for k, (label, term) in enumerate(regression.labels.items()):
        scale = float(np.prod([sd[part] for part in term.split(":")])) / spread
        out[label] = Planted(float(coef[k]), float(coef[k]) * scale, float(error[k]))
    return out


def _sum_of_products(products: tuple[tuple[str, ...], ...], known: Mapping[str, Planted]) -> Planted:
    """Sum of products of coefficients; error by the delta method, equations taken as independent."""
    raw = float(sum(np.prod([known[label].raw for label in labels]) for labels in products))
    std = float(sum(np.prod([known[label].std for label in labels]) for labels in products))
    slope: dict[str, float] = {}
    for labels in products:
        for label in labels:
            others = [known[one].raw for one in labels if one != label]
            slope[label] = slope.get(label, 0.0) + float(np.prod(others))
    error = float(np.sqrt(sum((slope[label] * known[label].error) ** 2 for label in slope)))
    return Planted(raw, std, error)
