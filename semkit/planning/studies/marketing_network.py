"""Marketing networks and partnership: clusters, joint action, a large partner, market information.

``n_intermediaries`` is drawn first and ``z`` is its standard score.  Products are centred at their mean.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from semkit.planning.damage import EMPTY, RowDamage
from semkit.planning.draws import FloatArray, IntArray, choose, logistic, poisson, whole
from semkit.planning.objective import NOT_APPLICABLE, Answers, yes_no
from semkit.planning.population import Population
from semkit.planning.streams import stream
from semkit.planning.studies import shared
from semkit.planning.studies.equations import Equation, Groups, Latents, Regression, Study, Term

CLUSTER_SHARE, PARTNER_SHARE, CLUSTERS = 0.55, 0.32, 25
PARTNERED_IN_FRAME = 0.06
PATTERNS = ("nucleus_plasma", "subcontract", "trading", "agency", "franchise")
PATTERN_SHARES = (0.12, 0.30, 0.33, 0.17, 0.08)
ROLES = ("supplier", "agent", "licensee")
LINKS: Mapping[str, float] = {"lk_mkt": 0.55, "lk_cap": 0.44, "lk_prod": 0.32, "lk_raw": 0.28, "lk_mgt": 0.03}
SECTORS, SECTOR_SHARES = ("craft", "food", "clothing", "agriculture", "other"), (0.30, 0.30, 0.15, 0.15, 0.10)
PROVINCES = ("jawa_barat", "jawa_tengah", "jawa_timur", "di_yogyakarta", "sumatera_barat")


def _groups(u: FloatArray) -> Groups:
    return {
        "n_intermediaries": 1 + poisson(u[:, 0], 1.6),
        "cluster": (u[:, 1] < CLUSTER_SHARE).astype(np.int64),
        "partner": (u[:, 2] < PARTNER_SHARE).astype(np.int64),
        "cluster_number": whole(u[:, 3], 1, CLUSTERS),
        "sector": choose(u[:, 4], SECTOR_SHARES),
        "size": choose(u[:, 5], (0.80, 0.17, 0.03)),
        "pattern": choose(u[:, 6], PATTERN_SHARES),
        "years": whole(u[:, 7], 1, 25),
        "province": whole(u[:, 8], 0, len(PROVINCES) - 1),
    }


def _prepare(groups: Groups, latents: Latents) -> None:
    latents["z"] = (groups["n_intermediaries"] - 2.6) / np.sqrt(1.6)
    latents["cluster"] = groups["cluster"].astype(np.float64) - CLUSTER_SHARE
    latents["partner"] = groups["partner"].astype(np.float64) - PARTNER_SHARE


EQUATIONS = (
    Equation("mn_inf", (Term(-0.20, ("z",)), Term(float(np.sqrt(0.96)), ("inf0",))), 1.0),
    Equation("mn_soc", (Term(0.45, ("mn_inf",)),), 0.2025),
    Equation("mn_jnt", (Term(0.40, ("mn_soc",)), Term(0.10, ("mn_inf",)), Term(0.25, ("cluster",))), 0.2215),
    Equation("mn_cef", (Term(0.40, ("mn_jnt",)), Term(0.30, ("cluster",)), Term(0.30, ("cluster", "mn_jnt"), 0.0619)),
             0.2175),
    Equation("mn_brg", (Term(0.35, ("mn_jnt",)), Term(0.20, ("mi_int",)), Term(-0.15, ("z",))), 0.1986),
    Equation("pt_inf", (Term(0.40, ("pt_qlt",)), Term(0.25, ("lnk",))), 0.2725),
    Equation("mi_drv", (Term(0.30, ("mi_int",)), Term(0.35, ("pt_inf",), 0.0, "partner")), 0.1292),
    Equation("mi_acc", (Term(0.38, ("mi_int",)), Term(0.20, ("mn_jnt",)), Term(0.30, ("partner",))), 0.2123),
    Equation(
        "cp_cmp",
        (
            Term(0.22, ("mn_cef",)),
            Term(0.18, ("mn_brg",)),
            Term(0.28, ("mi_acc",)),
            Term(0.16, ("mi_drv",)),
            Term(0.12, ("pt_qlt",), 0.0, "partner"),
            Term(0.28, ("lnk", "pt_qlt"), 0.25, "partner"),
            Term(0.05, ("cluster",)),
        ),
        0.2755,
    ),
)  # fmt: skip


def _screening(population: Population, rows: RowDamage) -> Answers:
    g = population.groups
    place = {"scr_region": np.full(population.n, ""), "province": np.asarray(PROVINCES)[g["province"]]}
    export = np.where(_export_mode(population) == "none", "no", "directly")
    years = g["years"].astype(np.float64)
    return shared.screening(population, rows, years=years, export=export, region=place, extra={}, by_region=False)


def cluster_sizes(seed: int) -> IntArray:
    """Size of each cluster, 20 to 120 firms."""
    return whole(stream(seed, "marketing_network", "export", "objective").random(CLUSTERS), 20, 120)


def _profile(population: Population) -> Answers:
    g = population.groups
    told = shared.profile(population, sector=np.asarray(SECTORS)[g["sector"]], size=g["size"], women=0.45,
                          partners="mn_jnt")  # fmt: skip
    inside = g["cluster"] == 1
    names = np.char.add("Sentra ", g["cluster_number"].astype(np.str_))
    sizes = cluster_sizes(population.seed)[g["cluster_number"] - 1]
    return told | {
        "cluster": yes_no(inside),
        "cluster_size": np.where(inside, sizes, EMPTY),
        "cluster_id": np.where(inside, names, ""),
        "pattern": np.where(g["partner"] == 1, np.asarray(PATTERNS)[g["pattern"]], "none"),
    }


def linkage_level(share: float) -> float:
    """``logit(p) sqrt(1 + 1.4^2 / 3)``, at which the logistic-normal share of a box is about ``p``."""
    return float(np.log(share / (1.0 - share)) * np.sqrt(1.0 + 1.4**2 / 3.0))


def _pattern_years(population: Population) -> IntArray:
    u = stream(population.seed, population.variant, "marketing_network_partnership", "objective").random(
        (population.n, 20)
    )
    return np.where(population.groups["partner"] == 1, 1 + poisson(u[:, 5], 4.0), 0).astype(np.int64)


def _export_mode(population: Population) -> NDArray[np.str_]:
    """None .70 overall; through the partner rises with having one, alone with the years of partnership (logits)."""
    u = stream(population.seed, population.variant, "marketing_network_partnership", "objective").random(
        (population.n, 20)
    )
    partner, years = population.groups["partner"], _pattern_years(population)
    via, own = np.exp(-2.33 + 1.5 * partner), np.exp(-1.76 + 0.10 * years)
    both = np.exp(-3.4 + 0.8 * partner)
    total = 1.0 + via + own + both
    edges = np.cumsum(np.stack([np.ones_like(via), via, own, both]) / total, axis=0)
    place = np.sum(u[:, 6][None, :] >= edges[:3], axis=0)
    mode: NDArray[np.str_] = np.asarray(("none", "via_partner", "own", "both"))[place]
    return mode


def _objective(population: Population) -> Answers:
    g, x, n = population.groups, population.latents, population.n
    rng = stream(population.seed, population.variant, "marketing_network_partnership", "objective")
    u, z = rng.random((n, 20)), rng.standard_normal((n, 2))
    partner = g["partner"] == 1
    none = str(NOT_APPLICABLE)
    links = {
        name: np.where(partner, yes_no(u[:, k] < logistic(linkage_level(share) + 1.4 * x["lnk"])), none)
        for k, (name, share) in enumerate(LINKS.items())
    }
    cmp_ = x["cp_cmp"]
    reach = np.digitize(cmp_ + z[:, 1], (-0.9, 0.2, 1.3, 2.0))
    strategies = shared.boxes(u[:, 10:14], ("old_old", "old_new", "new_old", "new_new"),
                              logistic(np.array([0.4, -0.2, -0.5, -1.2]) + 0.3 * x["mi_int"][:, None]))  # fmt: skip
    return {
        "pattern_years": np.where(partner, _pattern_years(population), EMPTY),
        "partner_role": np.where(partner, shared.pick(u[:, 7], ROLES, (0.7, 0.2, 0.1)), none),
        **links,
        "n_intermediaries": g["n_intermediaries"],
        "prod_growth_pct": np.maximum(np.rint(6.0 + 3.0 * g["cluster"] + 5.0 * cmp_ + 12.0 * z[:, 0]), -100.0).astype(
            np.int64
        ),
        "share_dir": np.asarray(("down", "same", "up"))[np.digitize(cmp_ + 2.0 * u[:, 8] - 1.0, (-0.6, 0.5))],
        "reach": np.asarray(("local", "province", "national", "one_country", "several_countries"))[reach],
        "export_mode": _export_mode(population),
        "growth_strategy": strategies,
        "promo_count": poisson(u[:, 14], np.exp(1.0 + 0.2 * x["mi_int"])),
    }


def _route(population: Population, items: dict[str, IntArray]) -> dict[str, IntArray]:
    alone = population.groups["partner"] == 0
    return {
        name: np.where(alone, NOT_APPLICABLE, value) if name.startswith(("pt_qlt_", "pt_inf_")) else value
        for name, value in items.items()
    }


def _weight(population: Population) -> FloatArray:
    """Restores the share of firms with a large partner, .06, from the stratified .32."""
    inside = population.groups["partner"] == 1
    with_one, without = PARTNERED_IN_FRAME / PARTNER_SHARE, (1.0 - PARTNERED_IN_FRAME) / (1.0 - PARTNER_SHARE)
    weight: FloatArray = np.where(inside, with_one, without)
    return weight


STUDY = Study(
    name="marketing_network",
    instrument="marketing_network_partnership",
    n=530,
    seed=20260101,
    exogenous=("inf0", "mi_int", "lnk", "pt_qlt", "pt_red"),
    correlations={("inf0", "mi_int"): 0.20, ("lnk", "pt_qlt"): 0.25, ("pt_qlt", "pt_red"): 0.35,
                  ("mi_int", "pt_red"): 0.30, ("lnk", "pt_red"): 0.15},
    equations=EQUATIONS,
    groups=_groups,
    prepare=_prepare,
    screening=_screening,
    profile=_profile,
    objective=_objective,
    route=_route,
    models={
        "M1": (
            Regression("mn_soc", {"i1": "mn_inf"}),
            Regression("mn_jnt", {"s1": "mn_soc", "s2": "mn_inf", "k1": "cluster"}),
            Regression("mn_cef", {"j1": "mn_jnt", "k2": "cluster", "x1": "cluster:mn_jnt"}),
            Regression("mn_brg", {"j2": "mn_jnt", "j3": "mi_int", "n1": "z"}),
            Regression("mi_acc", {"q1": "mi_int", "q2": "mn_jnt", "q3": "partner"}),
            Regression("mi_drv", {"q4": "mi_int", "q5": "partner"}),
            Regression("cp_cmp", {"b1": "mn_cef", "b2": "mn_brg", "b3": "mi_acc", "b4": "mi_drv", "k3": "cluster",
                                  "p1": "partner"}),
        ),
        "M2": (
            Regression("pt_qlt", {"r1": "pt_red", "r4": "lnk"}),
            Regression("pt_inf", {"r2": "pt_qlt", "r3": "lnk"}),
            Regression("mi_drv", {"u1": "pt_inf", "u2": "mi_int"}),
            Regression("cp_cmp", {"v1": "lnk", "v2": "pt_qlt", "v3": "lnk:pt_qlt", "v4": "mi_drv", "v5": "mi_acc"}),
        ),
        "R": (Regression("mn_inf", {"mn_inf_on_intermediaries": "z"}, ("cluster",)),),
    },
    derived={
        "ind_cef": ("M1", (("j1", "b1"),)),
        "ind_brg": ("M1", (("j2", "b2"),)),
        "ind_net": ("M1", (("q2", "b3"),)),
        "ind_int": ("M1", (("q1", "b3"),)),
        "tot_partner": ("M1", (("p1",), ("q3", "b3"), ("q5", "b4"))),
        "ind_info": ("M2", (("u1", "v4"),)),
    },
    rows_of={"M2": "partner"},
    claims={"H-M1": ("M1", "ind_net"), "H-M2.1": ("M1", "x1"), "H-M3": ("M1", "ind_cef"), "H-M4": ("M1", "ind_brg"),
            "H-M5": ("M1", "s1"), "H-M6": ("M1", "i1"), "H-M8": ("M1", "tot_partner"), "H-M9.1": ("M2", "v3"),
            "H-M10": ("M2", "ind_info"), "H-M11": ("M2", "r1"), "H-M12": ("M1", "ind_int"),
            "H-M14.1": ("R", "mn_inf_on_intermediaries"), "H-M14.2": ("M1", "n1")},
    seconds=480.0,
    weight=_weight,
)  # fmt: skip
