"""What is true in the population: the study's models fitted to the latent variables of a very large draw.

Measured variables never enter here.  Ordinary least squares on the latent variables themselves gives
what a perfect measurement of an endless sample would give, also where a model leaves out terms that
the population has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semkit.planning.draws import FloatArray
from semkit.planning.population import Population

CLAIMS: Mapping[str, tuple[str, ...]] = {
    "H-B1.0": ("M1", "total"),
    "H-B1.1": ("M1", "ind_acc"),
    "H-B1.2": ("M1", "ind_knw"),
    "H-B1.3": ("M1", "ind_vce"),
    "H-B2.0": ("M2", "b3"),
    "H-B2.1": ("M2d", "g1"),
    "H-B2.2": ("M2d", "g2"),
    "H-B2.3": ("M2d", "g3"),
    "H-B6": ("M5", "t3"),
    "H-B7.1": ("M2n", "n1"),
    "H-B7.2": ("M2n", "n2"),
    "H-B7.3": ("M2n", "n3"),
    "H-B8": ("M6", "e1"),
    "H-B9": ("M6", "e2"),
}
"""Quantity of each claim that the three core instruments can test."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One true quantity: raw, standardised as the verdicts need it, and the raw one's Monte Carlo error."""

    raw: float
    std: float
    error: float


@dataclass(frozen=True, eq=False)
class _Equation:
    """One least-squares fit: coefficients by term, their errors, and the standard deviations behind them."""

    terms: tuple[str, ...]
    coef: FloatArray
    error: FloatArray
    sd: Mapping[str, float]
    outcome: str

    def quantity(self, term: str) -> Planted:
        """Coefficient of one term; a product is standardised by the standard deviations of its components."""
        k = self.terms.index(term)
        scale = float(np.prod([self.sd[part] for part in term.split(":")])) / self.sd[self.outcome]
        return Planted(float(self.coef[k]), float(self.coef[k]) * scale, float(self.error[k]))


def _equation(population: Population, rows: NDArray[np.bool_], outcome: str, terms: Sequence[str]) -> _Equation:
    """Regress ``outcome`` on ``terms`` and the regency, components of products centred at their mean in ``rows``."""
    latent = {name: population.latents[name][rows] for part in terms for name in part.split(":")}
    centred = {name: value - value.mean() for name, value in latent.items()}
    y = population.latents[outcome][rows]
    regency = population.groups["regency"][rows]
    columns = [np.prod([centred[part] for part in term.split(":")], axis=0) for term in terms]
    design = np.column_stack([*columns, np.ones(y.size), regency == 1, regency == 2]).astype(np.float64)
    gram = design.T @ design
    coef = np.asarray(np.linalg.solve(gram, design.T @ y), dtype=np.float64)
    residual = y - design @ coef
    variance = float(residual @ residual) / (y.size - coef.size)
    error = np.sqrt(np.diag(np.asarray(np.linalg.inv(gram), dtype=np.float64)) * variance)
    sd = {name: float(np.std(value, ddof=1)) for name, value in {**latent, outcome: y}.items()}
    return _Equation(tuple(terms), coef, error, sd, outcome)


def _product(a: Planted, b: Planted) -> Planted:
    """Indirect effect ``a * b``; error by the delta method (the two come from different equations)."""
    error = float(np.hypot(a.error * b.raw, b.error * a.raw))
    return Planted(a.raw * b.raw, a.std * b.std, error)


def _mediation(population: Population, rows: NDArray[np.bool_]) -> dict[str, Planted]:
    outcome = _equation(population, rows, "mperf", ("cn_acc", "cn_knw", "cn_vce", "collab"))
    found = {f"b{k}": outcome.quantity(name) for k, name in enumerate(("cn_acc", "cn_knw", "cn_vce"), start=1)}
    found["c"] = outcome.quantity("collab")
    for k, short in enumerate(("acc", "knw", "vce"), start=1):
        found[f"a{k}"] = _equation(population, rows, f"cn_{short}", ("collab",)).quantity("collab")
        found[f"ind_{short}"] = _product(found[f"a{k}"], found[f"b{k}"])
    found["total"] = _equation(population, rows, "mperf", ("collab",)).quantity("collab")
    return found


def _moderation(population: Population, rows: NDArray[np.bool_]) -> dict[str, dict[str, Planted]]:
    """Models M2 (govt), M2d (its three kinds), M2n (three dimensions) and M4 (moderated first paths)."""
    whole = _equation(population, rows, "mperf", ("collab", "govt", "collab:govt"))
    kinds = ("gr_fac", "gr_cap", "gr_inf")
    by_kind = _equation(population, rows, "mperf", ("collab", *kinds, *(f"collab:{kind}" for kind in kinds)))
    sides = ("cn_str", "cn_rel", "cn_cog")
    by_side = _equation(population, rows, "mperf", (*sides, "govt", *(f"{side}:govt" for side in sides)))
    first = {
        f"q{k}": _equation(population, rows, name, ("collab", "govt", "collab:govt")).quantity("collab:govt")
        for k, name in enumerate(("cn_acc", "cn_knw", "cn_vce"), start=1)
    }
    return {
        "M2": {f"b{k}": whole.quantity(term) for k, term in enumerate(whole.terms, start=1)},
        "M2d": {f"g{k}": by_kind.quantity(f"collab:{kind}") for k, kind in enumerate(kinds, start=1)},
        "M2n": {f"n{k}": by_side.quantity(f"{side}:govt") for k, side in enumerate(sides, start=1)},
        "M4": first,
    }


def _ties_and_support(population: Population, rows: NDArray[np.bool_]) -> dict[str, dict[str, Planted]]:
    everyone = np.ones(population.n, dtype=np.bool_)
    ties = _equation(population, everyone, "mperf", ("cn_loc", "cn_crs", "cn_loc:cn_crs"))
    return {
        "M5": {f"t{k}": ties.quantity(term) for k, term in enumerate(ties.terms, start=1)},
        "M6": {
            "e1": _equation(population, rows, "collab", ("gr_cap",)).quantity("gr_cap"),
            "e2": _equation(population, rows, "cn_crs", ("gr_inf",)).quantity("gr_inf"),
        },
    }


def planted_values(population: Population, *, partners_only: bool = True) -> dict[str, dict[str, Planted]]:
    """True quantities by model and label.

    Parameters
    ----------
    population : Population
        A large draw; the side-car uses 1,000,000 firms.
    partners_only : bool, default True
        Models with the network are true of firms with partners only, because the others have no relational and
        cognitive dimension.  ``False`` gives them for all firms, as a check against the design's figures.

    Returns
    -------
    dict of str to dict of str to Planted

    Examples
    --------
    >>> from semkit.planning.population import draw_population
    >>> round(planted_values(draw_population(200_000, 7))["M2"]["b3"].raw, 1)
    0.3
    """
    rows = population.groups["no_partner"] == 0 if partners_only else np.ones(population.n, dtype=np.bool_)
    return {"M1": _mediation(population, rows), **_moderation(population, rows), **_ties_and_support(population, rows)}
