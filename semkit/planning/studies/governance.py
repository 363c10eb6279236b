"""Collaborative governance of the district office and silk weavers."""

from __future__ import annotations

import numpy as np

from semkit.planning.damage import RowDamage
from semkit.planning.draws import FloatArray, IntArray, choose, logistic, poisson, whole
from semkit.planning.measurement import mean_offset
from semkit.planning.objective import Answers, yes_no
from semkit.planning.population import Population
from semkit.planning.profile import SCHOOLING_SHARES
from semkit.planning.streams import stream
from semkit.planning.studies import shared
from semkit.planning.studies.equations import Equation, Groups, Latents, Regression, Study, Term

SUBDISTRICTS = ("tinambung", "limboro", "balanipa", "campalagian", "luyo")
SUBDISTRICT_SHARES = (0.35, 0.25, 0.20, 0.10, 0.10)
AID = {"raw_material": 0.45, "tools": 0.12, "training": 0.40, "permits": 0.25, "credit": 0.08, "cash": 0.02}
NO_AID = 0.25
WANTED = ("cash", "raw_material", "credit", "tools", "training", "permits")
WANTED_SHARES = (0.60, 0.15, 0.10, 0.07, 0.05, 0.03)


def _groups(u: FloatArray) -> Groups:
    return {
        "place": choose(u[:, 0], SUBDISTRICT_SHARES),
        "educ": choose(u[:, 1], SCHOOLING_SHARES),
        "size": choose(u[:, 2], (0.97, 0.03)),
        "years": whole(u[:, 3], 2, 35),
        "kind": choose(u[:, 4], (0.60, 0.20, 0.15, 0.05)),
    }


def schooling_moments() -> tuple[float, float]:
    """Mean and standard deviation of the years of schooling in the population."""
    shares = np.asarray(SCHOOLING_SHARES)
    mean = float(np.sum(shares * shared.EDUC_YEARS))
    return mean, float(np.sqrt(np.sum(shares * (shared.EDUC_YEARS - mean) ** 2)))


def _prepare(groups: Groups, latents: Latents) -> None:
    mean, sd = schooling_moments()
    latents["educ_years"] = (shared.EDUC_YEARS[groups["educ"]] - mean) / sd


EQUATIONS = (
    Equation("cg_tru", (Term(0.55, ("cg_f2f",)), Term(0.15, ("cg_con",))), 0.3993),
    Equation("cg_com", (Term(0.45, ("cg_tru",)), Term(0.30, ("cg_con",)), Term(0.10, ("cg_par",))), 0.4458),
    Equation("cg_und", (Term(0.35, ("cg_com",)), Term(0.30, ("cg_f2f",)), Term(0.10, ("cg_tru",)),
                        Term(0.10, ("educ_years",))), 0.4053),
    Equation("cg_out", (Term(0.30, ("cg_und",)), Term(0.14, ("cg_com",)), Term(0.20, ("cg_par",)),
                        Term(0.15, ("cg_con",)), Term(0.18, ("cg_par", "cg_con"), 0.25), Term(0.14, ("cg_fit",))),
             0.4115),
    Equation("cg_pcm", (Term(0.34, ("cg_out",)), Term(0.24, ("cg_mkt",)), Term(0.14, ("cg_val",)),
                        Term(-0.16, ("cg_res",)), Term(0.05, ("cg_par",))), 0.2620),
)  # fmt: skip


def _screening(population: Population, rows: RowDamage) -> Answers:
    g, n = population.groups, population.n
    region = {"scr_region": np.full(n, "polewali_mandar"), "subdistrict": np.asarray(SUBDISTRICTS)[g["place"]]}
    return shared.screening(population, rows, years=g["years"].astype(np.float64), export=np.full(n, "no"),
                            region=region, extra={"scr_office": np.full(n, "yes")})  # fmt: skip


def _profile(population: Population) -> Answers:
    g, n = population.groups, population.n
    told = shared.profile(population, sector=np.full(n, "weaving"), size=g["size"], women=0.92)
    return told | {"weave_kind": np.asarray(("silk", "cotton", "mixed", "other"))[g["kind"]]}


def no_aid_first() -> float:
    """Share that is drawn without aid first, so that with those who tick nothing the share is ``NO_AID``."""
    low, high = 0.0, NO_AID
    for _ in range(60):
        middle = (low + high) / 2.0
        nothing = float(np.prod([1.0 - share / (1.0 - middle) for share in AID.values()]))
        low, high = (middle, high) if middle + (1.0 - middle) * nothing < NO_AID else (low, middle)
    return low


def _aid(u: FloatArray) -> np.ndarray:
    none = no_aid_first()
    ticked = shared.boxes(u[:, 1:7], tuple(AID), np.array([share / (1.0 - none) for share in AID.values()]))
    return np.where((u[:, 0] < none) | (ticked == ""), "none", ticked)


def _objective(population: Population) -> Answers:
    g, x, n = population.groups, population.latents, population.n
    rng = stream(population.seed, population.variant, "collaborative_governance", "objective")
    u, z = rng.random((n, 24)), rng.standard_normal((n, 2))
    usual = 650_000.0 * np.exp(0.12 * x["cg_val"] + 0.10 * x["cg_pcm"] + 0.25 * z[:, 0])
    lowest = usual * (0.65 + 0.25 * u[:, 7])
    weavers = 5 + poisson(u[:, 8], np.array([40.0, 30.0, 25.0, 15.0, 15.0])[g["place"]])
    return {
        "visits_12m": poisson(u[:, 9], np.exp(0.7 + 0.4 * x["cg_f2f"])),
        "trainings_12m": poisson(u[:, 10], np.exp(0.4 + 0.4 * x["cg_par"])),
        "mentor_sessions_12m": poisson(u[:, 11], np.exp(0.1 + 0.4 * x["cg_con"])),
        "aid_kind": _aid(u),
        "aid_wanted": shared.pick(u[:, 12], WANTED, WANTED_SHARES),
        "price_min": _rupiah(lowest),
        "price_usual": _rupiah(usual),
        "n_weavers_now": weavers,
        "n_weavers_5y": weavers + poisson(u[:, 13], 6.0),
        "n_under30": np.floor(weavers * 0.3 * u[:, 14]).astype(np.int64),
        "sell_outside_share": np.clip(np.rint(3.0 + 1.2 * x["cg_mkt"] + 2.0 * (2.0 * u[:, 15] - 1.0)), 0, 10).astype(
            np.int64
        ),
        "brand": yes_no(u[:, 16] < logistic(-0.8 + 0.3 * x["cg_val"])),
        "permit": yes_no(u[:, 17] < logistic(-0.3 + 0.3 * x["cg_par"])),
    }


def _rupiah(value: FloatArray) -> IntArray:
    return np.asarray(10_000.0 * np.maximum(np.rint(value / 10_000.0), 1.0), dtype=np.int64)


def _route(population: Population, items: dict[str, IntArray]) -> dict[str, IntArray]:
    return items  # everybody knows the office


MEANS = {"cg_f2f": 3.75, "cg_tru": 3.70, "cg_und": 3.65, "cg_out": 3.60, "cg_com": 3.25, "cg_con": 2.85, "cg_fit": 2.9,
         "cg_mkt": 2.7, "cg_val": 3.0, "cg_res": 3.8, "cg_pcm": 3.3}  # fmt: skip

STUDY = Study(
    name="governance",
    instrument="collaborative_governance",
    n=355,
    seed=20260104,
    exogenous=("cg_f2f", "cg_con", "cg_fit", "cg_par", "cg_mkt", "cg_val", "cg_res"),
    correlations={("cg_f2f", "cg_con"): 0.45, ("cg_f2f", "cg_par"): 0.35, ("cg_con", "cg_fit"): 0.30,
                  ("cg_con", "cg_par"): 0.25, ("cg_f2f", "cg_fit"): 0.20, ("cg_mkt", "cg_val"): 0.15,
                  ("cg_mkt", "cg_res"): -0.20, ("cg_con", "cg_res"): -0.15},
    equations=EQUATIONS,
    groups=_groups,
    prepare=_prepare,
    screening=_screening,
    profile=_profile,
    objective=_objective,
    route=_route,
    money=("price_min", "price_usual"),
    offsets={code: mean_offset(mean) for code, mean in MEANS.items()},
    models={
        "M1": (
            Regression("cg_tru", {"a1": "cg_f2f", "n1": "cg_con"}),
            Regression("cg_com", {"a2": "cg_tru", "n2": "cg_con", "n3": "cg_par"}),
            Regression("cg_und", {"a3": "cg_com", "a3f": "cg_f2f", "e1": "educ_years"}),
            Regression("cg_out", {"a4": "cg_und", "n4": "cg_con", "o1": "cg_par", "o2": "cg_fit", "o3": "cg_com"}),
            Regression("cg_pcm", {"a5": "cg_out", "m1": "cg_mkt", "m2": "cg_val", "m3": "cg_res"}),
        ),
        "M2": (Regression("cg_out", {"x1": "cg_par:cg_con"}, ("cg_und", "cg_con", "cg_par", "cg_fit", "cg_com")),),
    },
    derived={"chain": ("M1", (("a1", "a2", "a3", "a4", "a5"),))},
    claims={"H-G2": ("M1", "a1"), "H-G3": ("M1", "a2"), "H-G4": ("M1", "a3"), "H-G5": ("M1", "a4"),
            "H-G6": ("M1", "chain"), "H-G7": ("M1", "a5"), "H-G8": ("M2", "x1"), "H-G9": ("M1", "o1"),
            "H-G10": ("M1", "o2"), "H-G11": ("M1", "m2"), "H-G12": ("M1", "m3"), "H-G13": ("M1", "m1"),
            "H-G15": ("M1", "e1")},
    seconds=480.0,
)  # fmt: skip
