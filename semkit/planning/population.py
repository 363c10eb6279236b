"""The population of the border study: who the firms are and what is true of them.

All groups and all latent variables of the whole study are drawn here, also those whose
questions are not written yet, so that later blocks add columns and change none.

The variant ``"border_nointeraction"`` uses the same draws and drops every term that multiplies the
network by facilitative policy, capacity, infrastructure or government as a whole; nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from semkit.errors import OptionError, Problem, suggest
from semkit.planning.draws import FloatArray, IntArray, choose, logistic
from semkit.planning.streams import stream

VARIANTS: tuple[str, ...] = ("border", "border_nointeraction")

REGENCIES: tuple[str, ...] = ("sambas", "sanggau", "kapuas_hulu")
REGENCY_SHARES = (0.40, 0.35, 0.25)
INFRASTRUCTURE_SHIFT = np.array([0.2, 0.3, -0.4])
PARTNER_SHARE = 0.70
NEW_EXPORTER_SHARE = 0.433
SECTOR_SHARES = (0.367, 0.267, 0.170, 0.070, 0.126)
SIZE_SHARES = (0.467, 0.433, 0.100)

EXOGENOUS: tuple[str, ...] = ("collab", "gr_fac", "gr_cap", "gr_inf", "bchal", "adapt", "cn_loc", "cn_crs")
CORRELATIONS: Mapping[tuple[str, str], float] = {
    ("collab", "gr_fac"): 0.20,
    ("collab", "gr_cap"): 0.25,
    ("collab", "gr_inf"): 0.15,
    ("gr_fac", "gr_cap"): 0.35,
    ("gr_fac", "gr_inf"): 0.35,
    ("gr_cap", "gr_inf"): 0.35,
    ("collab", "bchal"): -0.15,
    ("collab", "adapt"): 0.40,
    ("bchal", "adapt"): 0.15,
    ("collab", "cn_loc"): 0.45,
    ("collab", "cn_crs"): 0.40,
    ("cn_loc", "cn_crs"): 0.10,
    ("bchal", "gr_inf"): -0.25,
    ("bchal", "gr_fac"): -0.15,
    ("adapt", "cn_loc"): 0.15,
    ("adapt", "cn_crs"): 0.25,
    ("adapt", "gr_cap"): 0.15,
}
"""Correlations of the exogenous latent variables; pairs that are not named have 0."""

DIMENSIONS: Mapping[str, Mapping[str, float]] = {
    "collab": {"cn_str": 0.80, "cn_rel": 0.85, "cn_cog": 0.78},
    "mperf": {"mp_sal": 0.85, "mp_rch": 0.80, "mp_cus": 0.75, "mp_prf": 0.78},
    "bchal": {"bc_dig": 0.75, "bc_reg": 0.75, "bc_cap": 0.70, "bc_tru": 0.70, "bc_fin": 0.70},
    "adapt": {"as_grd": 0.70, "as_clu": 0.75, "as_cul": 0.70, "as_prd": 0.70, "as_plt": 0.65},
}
"""Loadings of the dimensions on their second-order latent variable."""

SYSTEMATIC_VARIANCE: Mapping[str, Mapping[str, float]] = {
    "border": {"cn_acc": 0.2447, "cn_knw": 0.2125, "cn_vce": 0.1626, "mperf": 0.5552},
    "border_nointeraction": {"cn_acc": 0.2174, "cn_knw": 0.2125, "cn_vce": 0.1626, "mperf": 0.3866},
}
"""Variance of the systematic part of each endogenous latent variable; the residual has the rest of 1."""


@dataclass(frozen=True, eq=False)
class Population:
    """Groups and latent variables of ``n`` firms.

    Parameters
    ----------
    variant : str
        One of :data:`VARIANTS`.
    n, seed : int
    groups : Mapping of str to ndarray (n,)
        ``regency``, ``sector``, ``size``, ``years`` and ``export`` as class numbers from 0;
        ``partner_my``, ``newexp``, ``no_partner`` as 0/1.
    latents : Mapping of str to ndarray (n,)
        Latent variables by code; ``govt`` is the standardised sum of the three kinds of support;
        ``method`` is shared by the reverse items, ``style`` by the marker items.
    """

    variant: str
    n: int
    seed: int
    groups: Mapping[str, IntArray]
    latents: Mapping[str, FloatArray]


def correlation_matrix() -> FloatArray:
    """Correlation matrix (8, 8) of the exogenous latent variables in the order of :data:`EXOGENOUS`."""
    matrix = np.eye(len(EXOGENOUS))
    for (a, b), value in CORRELATIONS.items():
        i, j = EXOGENOUS.index(a), EXOGENOUS.index(b)
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _correlate(z: FloatArray) -> FloatArray:
    """Give independent columns ``z`` (n, 8) the planted correlations.

    Sums in a fixed order instead of a matrix product, so that every machine makes the same bits.
    """
    root = np.linalg.cholesky(correlation_matrix())
    out = np.zeros_like(z)
    for i in range(z.shape[1]):
        for j in range(i + 1):
            if root[i, j] != 0.0:
                out[:, i] += root[i, j] * z[:, j]
    return out


def _groups(u: FloatArray) -> dict[str, IntArray]:
    """Class numbers from uniforms ``u`` (n, 8); years in business never fall below years of exporting.

    The joint table of the two has the planted margins: in business 3-5 .28, 6-10 .467, more .253;
    exporting 1-3 .433, 4-6 .40, more .167.
    """
    new = (u[:, 2] < NEW_EXPORTER_SHARE).astype(np.int64)
    export = np.where(new == 1, 0, 1 + choose(u[:, 3], (0.400 / 0.567, 0.167 / 0.567)))
    years = np.select(
        [export == 0, export == 1],
        [
            choose(u[:, 4], (0.280 / 0.433, 0.120 / 0.433, 0.033 / 0.433)),
            1 + choose(u[:, 4], (0.270 / 0.4, 0.130 / 0.4)),
        ],
        1 + choose(u[:, 4], (0.077 / 0.167, 0.090 / 0.167)),
    )
    return {
        "regency": choose(u[:, 0], REGENCY_SHARES),
        "partner_my": (u[:, 1] < PARTNER_SHARE).astype(np.int64),
        "newexp": new,
        "export": export.astype(np.int64),
        "years": years.astype(np.int64),
        "sector": choose(u[:, 5], SECTOR_SHARES),
        "size": choose(u[:, 6], SIZE_SHARES),
    }


def support_moments() -> tuple[float, float]:
    """Mean and standard deviation of the sum of the three kinds of support in the population.

    Three unit variances, three correlations of .35, and the variance of the regencies' shift.
    """
    shares = np.asarray(REGENCY_SHARES)
    mean = float(np.sum(shares * INFRASTRUCTURE_SHIFT))
    spread = float(np.sum(shares * (INFRASTRUCTURE_SHIFT - mean) ** 2))
    return mean, float(np.sqrt(3.0 + 6.0 * 0.35 + spread))


def _government(fac: FloatArray, cap: FloatArray, inf: FloatArray) -> FloatArray:
    """Sum of the three kinds of support, standardised by its mean and variance in the population."""
    mean, sd = support_moments()
    return np.asarray((fac + cap + inf - mean) / sd)


def _products(x: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Products of exogenous latent variables, centred at their mean in the population.

    ``E[ab] = r_ab`` for unit normals; infrastructure has a mean, but it is independent of the rest
    given the regency, so ``E[collab gr_inf] = .15`` all the same.
    """
    means = {
        ("collab", "govt"): (0.20 + 0.25 + 0.15) / support_moments()[1],
        ("collab", "gr_fac"): 0.20,
        ("collab", "gr_cap"): 0.25,
        ("collab", "gr_inf"): 0.15,
        ("collab", "bchal"): -0.15,
        ("bchal", "adapt"): 0.15,
        ("cn_loc", "cn_crs"): 0.10,
    }
    return {f"{a}:{b}": x[a] * x[b] - mean for (a, b), mean in means.items()}


def systematic(x: Mapping[str, FloatArray], groups: Mapping[str, IntArray], variant: str) -> dict[str, FloatArray]:
    """Systematic parts that do not need another endogenous variable, each (n,).

    ``mperf`` lacks the three paths from the mechanisms, which :func:`draw_population` adds.
    """
    p = _products(x)
    on = 0.0 if variant == "border_nointeraction" else 1.0
    partner, new = groups["partner_my"], groups["newexp"]
    return {
        "cn_acc": 0.42 * x["collab"] + 0.12 * x["govt"] + on * 0.16 * p["collab:govt"],
        "cn_knw": 0.40 * x["collab"] + 0.15 * x["gr_cap"],
        "cn_vce": 0.35 * x["collab"] + 0.15 * x["gr_inf"],
        "mperf": 0.08 * x["collab"]
        + 0.05 * x["govt"]
        - 0.12 * x["bchal"]
        + 0.14 * x["adapt"]
        + 0.10 * partner
        + 0.05 * new
        + 0.06 * x["cn_loc"]
        + 0.06 * x["cn_crs"]
        + on * (0.30 * partner * p["collab:gr_fac"] + 0.30 * new * p["collab:gr_cap"] + 0.05 * p["collab:gr_inf"])
        - 0.05 * p["collab:bchal"]
        + 0.18 * p["bchal:adapt"]
        + 0.15 * p["cn_loc:cn_crs"],
    }


def draw_population(n: int, seed: int, variant: str = "border") -> Population:
    """Draw groups and all latent variables of the border study.

    Parameters
    ----------
    n : int
        Number of firms, from 1 up.
    seed : int
    variant : {"border", "border_nointeraction"}

    Returns
    -------
    Population

    Raises
    ------
    OptionError
        ``planning.unknown-study`` or ``planning.bad-size``.

    Notes
    -----
    Mechanisms and marketing performance are sums of the terms in :func:`systematic` plus a normal
    residual with variance 1 - Var(systematic part), so their variance is 1.  A dimension is
    ``g * second-order + sqrt(1 - g^2) * u``.  A firm has no partner at all with probability
    ``logistic(-2.2 - collab)``, only where it has none in Malaysia.

    Examples
    --------
    >>> draw_population(5, 20260100).latents["mperf"].shape
    (5,)
    """
    if variant not in VARIANTS:
        raise OptionError(
            Problem(
                "planning.unknown-study",
                "study",
                f'"{variant}" has no generator',
                ", ".join(VARIANTS),
                suggest(variant, VARIANTS).strip() or "Choose one of these.",
            )
        )
    if n < 1:
        raise OptionError(
            Problem("planning.bad-size", "n", f"{n} respondents", "a whole number from 1 up", "Give a larger n.")
        )
    u = stream(seed, "border", "groups").random((n, 8))
    z = stream(seed, "border", "latents").standard_normal((n, 8 + 4 + 17 + 2))
    groups = _groups(u)
    x = dict(zip(EXOGENOUS, np.ascontiguousarray(_correlate(z[:, :8]).T), strict=True))
    x["gr_inf"] = x["gr_inf"] + INFRASTRUCTURE_SHIFT[groups["regency"]]
    x["govt"] = _government(x["gr_fac"], x["gr_cap"], x["gr_inf"])
    absent = (groups["partner_my"] == 0) & (u[:, 7] < logistic(-2.2 - x["collab"]))
    groups["no_partner"] = absent.astype(np.int64)
    parts = systematic(x, groups, variant)
    share = SYSTEMATIC_VARIANCE[variant]
    for k, name in enumerate(("cn_acc", "cn_knw", "cn_vce")):
        x[name] = parts[name] + np.sqrt(1.0 - share[name]) * z[:, 8 + k]
    through = 0.22 * x["cn_acc"] + 0.16 * x["cn_knw"] + 0.18 * x["cn_vce"]
    x["mperf"] = parts["mperf"] + through + np.sqrt(1.0 - share["mperf"]) * z[:, 11]
    column = 12
    for whole, dimensions in DIMENSIONS.items():
        for name, gamma in dimensions.items():
            x[name] = gamma * x[whole] + np.sqrt(1.0 - gamma**2) * z[:, column]
            column += 1
    x["method"], x["style"] = z[:, column], z[:, column + 1]
    return Population(variant, n, seed, groups, x)
