"""Digital collaboration of poor communities in WhatsApp groups; no figure of a paper constrains it."""

from __future__ import annotations

import numpy as np

from semkit.planning.damage import EMPTY, RowDamage
from semkit.planning.draws import FloatArray, IntArray, choose, logistic, poisson, whole
from semkit.planning.measurement import mean_offset
from semkit.planning.objective import NOT_APPLICABLE, Answers, yes_no
from semkit.planning.population import Population
from semkit.planning.streams import stream
from semkit.planning.studies import shared
from semkit.planning.studies.equations import Equation, Groups, Latents, Regression, Study, Term

POOR, NEW, WHATSAPP_ONLY, MEMBERS = 0.60, 0.40, 0.45, 500 / 590
LITERACY_SHIFT, INTERNET_SHIFT = -0.3, -0.4
SECTORS = ("food", "trade", "craft", "clothing", "services", "other")
SECTOR_SHARES = (0.55, 0.15, 0.10, 0.08, 0.07, 0.05)
SUBDISTRICTS = ("sidoarjo", "candi", "tanggulangin", "porong", "krian", "waru")
CLASSES = ("to_500k", "to_1m", "to_2m", "to_3m", "to_5m", "to_10m", "above_10m")
CLASS_EDGES = np.array([5e5, 1e6, 2e6, 3e6, 5e6, 1e7])
GROUP_BLOCKS = ("dg_wag", "dg_jpr", "dg_sds", "dg_kns", "dg_cap", "dg_wtk", "dg_tru", "dg_cst", "dg_cmp")


def _groups(u: FloatArray) -> Groups:
    """Exactly 500 of 590 are members: the sample is drawn by membership."""
    new = (u[:, 1] < NEW).astype(np.int64)
    return {
        "poor": (u[:, 0] < POOR).astype(np.int64),
        "new": new,
        "only": (u[:, 2] < WHATSAPP_ONLY).astype(np.int64),
        "member": (np.argsort(np.argsort(u[:, 3], kind="stable")) < round(MEMBERS * len(u))).astype(np.int64),
        "sector": choose(u[:, 4], SECTOR_SHARES),
        "size": choose(u[:, 5], (0.97, 0.03)),
        "years": np.where(new == 1, whole(u[:, 6], 1, 3), whole(u[:, 6], 4, 20)),
        "place": whole(u[:, 7], 0, len(SUBDISTRICTS) - 1),
    }


def _prepare(groups: Groups, latents: Latents) -> None:
    latents["dg_lit"] = latents["dg_lit"] + LITERACY_SHIFT * groups["poor"]
    latents["dg_net"] = latents["dg_net"] + INTERNET_SHIFT * groups["poor"]
    latents["lit"] = latents["dg_lit"] - LITERACY_SHIFT * POOR  # terms use variables centred at their mean
    latents["net"] = latents["dg_net"] - INTERNET_SHIFT * POOR
    latents["poor"] = groups["poor"].astype(np.float64) - POOR
    latents["new"] = groups["new"].astype(np.float64) - NEW


EQUATIONS = (
    Equation("dg_jpr", (Term(0.38, ("dg_wag",)), Term(0.22, ("dg_tru",)), Term(0.10, ("lit",)),
                        Term(0.14, ("dg_wag", "lit"), 0.35)), 0.2936),
    Equation("dg_sds", (Term(0.25, ("dg_wag",)), Term(0.25, ("dg_tru",))), 0.1563),
    Equation("dg_kns", (Term(0.40, ("dg_wag",)), Term(0.20, ("dg_tru",)), Term(0.15, ("dg_wtk",))), 0.3013),
    Equation("dg_cap", (Term(0.12, ("dg_wag",)), Term(0.35, ("dg_tru",))), 0.1579),
    Equation(
        "dg_acc",
        (
            Term(0.26, ("dg_jpr",), 0.0, "member"),
            Term(0.16, ("dg_sds",), 0.0, "member"),
            Term(0.14, ("dg_kns",), 0.0, "member"),
            Term(0.10, ("dg_wag",), 0.0, "member"),
            Term(0.16, ("dg_wtk",), 0.0, "member"),
            Term(0.12, ("lit",)),
            Term(0.08, ("net",)),
            Term(0.18, ("dg_wag", "lit"), 0.35, "member"),
            Term(0.14, ("dg_wag", "net"), 0.30, "member"),
        ),
        0.4533,
    ),
    Equation("dg_cst", (Term(0.40, ("dg_wag",)), Term(0.10, ("lit",))), 0.1982),
    Equation("dg_inc", (Term(0.36, ("dg_acc",)), Term(0.16, ("dg_cst",), 0.0, "member"),
                        Term(0.14, ("dg_cap",), 0.0, "member"), Term(-0.10, ("dg_cmp",), 0.0, "member"),
                        Term(-0.14, ("dg_acc", "dg_cmp"), 0.0594, "member")), 0.2335),
)  # fmt: skip


def _screening(population: Population, rows: RowDamage) -> Answers:
    g = population.groups
    region = {"scr_region": np.full(population.n, "sidoarjo"), "subdistrict": np.asarray(SUBDISTRICTS)[g["place"]]}
    return shared.screening(population, rows, years=g["years"].astype(np.float64), export=np.full(population.n, "no"),
                            region=region, extra={"scr_wag": yes_no(g["member"] == 1)})  # fmt: skip


def _profile(population: Population) -> Answers:
    g, x = population.groups, population.latents
    u = stream(population.seed, population.variant, "profile", "objective").random((population.n, 5))
    told = shared.profile(population, sector=np.asarray(SECTORS)[g["sector"]], size=g["size"], women=0.65)
    others = shared.boxes(u[:, :3], ("social_media", "marketplace", "own_site"),
                          logistic(np.array([0.6, -0.9, -2.5]) + 0.4 * x["dg_lit"][:, None]))  # fmt: skip
    others = np.where(others == "", "social_media", others)
    inside = np.where(g["only"] == 1, "whatsapp", np.char.add("whatsapp ", others))
    channels = np.where(g["member"] == 1, inside, np.where(u[:, 3] < 0.7, "home_market", "social_media"))
    return told | {"poor": yes_no(g["poor"] == 1), "formal": yes_no(u[:, 4] < 0.30), "channels": channels}


def _objective(population: Population) -> Answers:
    g, x, n = population.groups, population.latents, population.n
    rng = stream(population.seed, population.variant, "digital_collaboration", "objective")
    u, z = rng.random((n, 16)), rng.standard_normal((n, 4))
    member = g["member"] == 1
    outside = u[:, 3] < logistic(-0.3 + 0.8 * x["dg_acc"])
    before = np.exp(np.log(1.8e6) - 0.25 * g["poor"] + 0.5 * z[:, 0])
    now = before * np.exp(0.06 + 0.10 * x["dg_inc"] + 0.25 * z[:, 1])
    alone = np.exp(np.log(12_000.0) + 0.4 * z[:, 2])
    together = alone * np.exp(-0.06 - 0.05 * x["dg_cap"] + 0.08 * z[:, 3])
    return {
        "n_groups": np.where(member, 1 + poisson(u[:, 0], np.exp(0.5 + 0.2 * x["dg_wag"])), EMPTY),
        "group_age_months": np.where(member, 1 + poisson(u[:, 1], 24.0), EMPTY),
        "posts_week": np.where(member, poisson(u[:, 2], np.exp(1.0 + 0.4 * x["dg_wag"])), EMPTY),
        "orders_outside_share": np.where(outside, 1 + np.floor(6.0 * u[:, 4] ** 2).astype(np.int64), 0),
        "new_partnerships_12m": poisson(u[:, 5], np.exp(-0.2 + 0.2 * x["dg_acc"])),
        "income_month": _rupiah(now, 5e4),
        "income_month_class": _band(now),
        "income_month_prev": _rupiah(before, 5e4),
        "income_month_prev_class": _band(before),
        "data_cost_month": _rupiah(np.exp(np.log(75_000.0) + 0.35 * (2.0 * u[:, 6] - 1.0)), 5e3),
        "promo_cost_month": _rupiah(np.exp(np.log(60_000.0) - 0.25 * x["dg_cst"] + 0.4 * (2.0 * u[:, 7] - 1.0)), 5e3),
        "input_price_joint": _rupiah(together, 100.0),
        "input_price_own": _rupiah(alone, 100.0),
        "local_inputs_share": np.clip(np.rint(6.0 + 3.0 * (2.0 * u[:, 8] - 1.0)), 0, 10).astype(np.int64),
    }


def _rupiah(value: FloatArray, step: float) -> IntArray:
    return np.asarray(step * np.maximum(np.rint(value / step), 1.0), dtype=np.int64)


def _band(value: FloatArray) -> np.ndarray:
    """The class that is asked when the amount is not given; emptied where it was given."""
    return np.asarray(CLASSES)[np.searchsorted(CLASS_EDGES, value)]


def _route(population: Population, items: dict[str, IntArray]) -> dict[str, IntArray]:
    outside = population.groups["member"] == 0
    return {
        name: np.where(outside, NOT_APPLICABLE, value) if name.rpartition("_")[0] in GROUP_BLOCKS else value
        for name, value in items.items()
    }


STUDY = Study(
    name="digital",
    instrument="digital_collaboration",
    n=590,
    seed=20260103,
    exogenous=("dg_wag", "dg_lit", "dg_net", "dg_wtk", "dg_tru", "dg_cmp", "dg_sup"),
    correlations={("dg_wag", "dg_lit"): 0.35, ("dg_wag", "dg_net"): 0.30, ("dg_lit", "dg_net"): 0.30,
                  ("dg_wag", "dg_wtk"): 0.30, ("dg_wag", "dg_tru"): 0.25, ("dg_wtk", "dg_tru"): 0.05,
                  ("dg_wag", "dg_cmp"): 0.20, ("dg_lit", "dg_sup"): 0.25},
    equations=EQUATIONS,
    groups=_groups,
    prepare=_prepare,
    screening=_screening,
    profile=_profile,
    objective=_objective,
    route=_route,
    money=("income_month", "income_month_prev", "data_cost_month", "promo_cost_month"),
    offsets={"dg_lit": mean_offset(2.6, center=0.76 * LITERACY_SHIFT * POOR),
             "dg_net": mean_offset(2.9, center=0.76 * INTERNET_SHIFT * POOR)},
    models={
        "M1": (
            *(Regression(name, {f"a{k}": "dg_wag", f"t{k}": "dg_tru"}, ("poor",))
              for k, name in enumerate(("dg_jpr", "dg_sds", "dg_kns", "dg_cap"), start=1)),
            Regression("dg_acc", {"b1": "dg_jpr", "b2": "dg_sds", "b3": "dg_kns", "c1": "dg_wag", "k1": "dg_wtk",
                                  "e1": "dg_lit", "e2": "dg_net"}, ("poor",)),
            Regression("dg_cst", {"s1": "dg_wag"}, ("poor",)),
            Regression("dg_inc", {"f1": "dg_acc", "f2": "dg_cst", "f3": "dg_cap", "f4": "dg_cmp", "c2": "dg_wag"},
                       ("poor",)),
            Regression("dg_lit", {"u1": "dg_sup"}, ("poor",)),
        ),
        "M2": (
            Regression("dg_acc", {"c1": "dg_wag", "w1": "dg_wag:dg_lit", "w2": "dg_wag:dg_net"},
                       ("dg_jpr", "dg_sds", "dg_kns", "dg_wtk", "dg_lit", "dg_net", "poor")),
            Regression("dg_inc", {"f1": "dg_acc"}, ("dg_cst", "dg_cap", "dg_cmp", "dg_wag", "poor")),
        ),
        "M3": (Regression("dg_inc", {"f5": "dg_acc:dg_cmp"},
                          ("dg_acc", "dg_cst", "dg_cap", "dg_cmp", "dg_wag", "poor")),),
        "M4": (Regression("dg_acc", {"g2": "dg_sds:new"},
                          ("new", "dg_jpr", "dg_sds", "dg_kns", "dg_wag", "dg_wtk", "dg_lit", "dg_net", "poor")),),
        "M5": (Regression("dg_lit", {"u1": "dg_sup", "u2": "dg_kns", "u3": "dg_wag"}, ("poor",)),),
    },
    derived={
        "ind_acc": ("M1", (("c1", "f1"), ("a1", "b1", "f1"), ("a2", "b2", "f1"), ("a3", "b3", "f1"))),
        "ind_cst": ("M1", (("s1", "f2"),)),
        "ind_cap": ("M1", (("a4", "f3"),)),
        "imm_lit": ("M2", (("w1", "f1"),)),
        "imm_net": ("M2", (("w2", "f1"),)),
    },
    rows_of=dict.fromkeys(("M1", "M2", "M3", "M4", "M5"), "member"),
    claims={"H-D1.1": ("M1", "a1"), "H-D1.2": ("M1", "a2"), "H-D1.3": ("M1", "a3"), "H-D1.4": ("M1", "a4"),
            "H-D2.1": ("M1", "b1"), "H-D2.2": ("M1", "b2"), "H-D2.3": ("M1", "b3"), "H-D3": ("M1", "ind_acc"),
            "H-D4.1": ("M2", "w1"), "H-D4.2": ("M2", "imm_lit"), "H-D5.1": ("M2", "w2"), "H-D5.2": ("M2", "imm_net"),
            "H-D6": ("M1", "ind_cst"), "H-D7": ("M1", "f3"), "H-D8": ("M4", "g2"), "H-D9": ("M1", "k1"),
            "H-D10.1": ("M1", "t1"), "H-D10.2": ("M1", "t2"), "H-D10.3": ("M1", "t3"), "H-D10.4": ("M1", "t4"),
            "H-D11": ("M3", "f5"), "H-D12": ("M1", "u1"), "H-D15": ("M5", "u2")},
    no_98=("dg_lit",),
    seconds=480.0,
)  # fmt: skip
