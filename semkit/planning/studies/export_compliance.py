"""Legal and customs barriers: literacy, customs, facilitation, readiness, independence."""

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

EXPORTING = 0.55
SECTORS, SECTOR_SHARES = ("food", "herbal", "craft", "other"), (0.60, 0.12, 0.18, 0.10)
QUIZ_KEY = {"el_qz_1": "true", "el_qz_2": "true", "el_qz_3": "true", "el_qz_4": "false", "el_qz_5": "false"}
READINESS_OF_EXPORTERS = 0.1716
"""Mean of ``el_ipf`` among exporters (.35 x .45 directly, the rest through learning and readiness)."""


def _groups(u: FloatArray) -> Groups:
    exporting = (u[:, 0] < EXPORTING).astype(np.int64)
    return {
        "exporting": exporting,
        "preparing": 1 - exporting,
        "sector": choose(u[:, 1], SECTOR_SHARES),
        "size": choose(u[:, 2], (0.70, 0.25, 0.05)),
        "years": whole(u[:, 3], 2, 20),
        "direct": (u[:, 4] < 0.5).astype(np.int64),
        "yrs_export": np.where(exporting == 1, whole(u[:, 5], 1, 8), 0),
    }


def _prepare(groups: Groups, latents: Latents) -> None:
    latents["exporting"] = groups["exporting"].astype(np.float64) - EXPORTING


EQUATIONS = (
    Equation("el_inc", (Term(0.45, ("exporting",)), Term(0.20, ("el_cco",))), 0.0901),
    Equation("el_lit", (Term(0.30, ("el_cco",)), Term(0.25, ("el_inc",)), Term(0.10, ("el_cto",))), 0.2065),
    Equation("el_dml", (Term(0.38, ("el_prm",)),), 0.1444),
    Equation("el_dcb", (Term(-0.45, ("el_dac",)), Term(-0.10, ("el_lit",))), 0.2179),
    Equation("el_cus", (Term(-0.30, ("el_lit",)), Term(0.25, ("el_dcb",)), Term(-0.02, ("dsu",)),
                        Term(-0.22, ("dsu", "el_dac"))), 0.2201),
    Equation(
        "el_rrd",
        (
            Term(0.28, ("el_lit",)),
            Term(-0.18, ("el_cus",)),
            Term(0.14, ("el_cco",)),
            Term(0.14, ("el_inc",)),
            Term(0.16, ("el_dml",)),
            Term(0.08, ("el_fac",)),
            Term(0.08, ("el_cto",)),
            Term(0.17, ("el_fac", "el_cto"), 0.25),
        ),
        0.3701,
    ),
    Equation("el_dep", (Term(0.40, ("el_fac",)), Term(-0.30, ("el_lit",))), 0.2189),
    Equation("el_ipf", (Term(0.26, ("el_rrd",)), Term(0.20, ("el_prm",)), Term(0.16, ("el_fac",)),
                        Term(-0.14, ("el_cus",)), Term(0.35, ("exporting",))), 0.2742),
    Equation("el_ind", (Term(0.28, ("el_rrd",)), Term(-0.28, ("el_dep",)), Term(0.04, ("el_prm",)),
                        Term(0.20, ("el_prm", "el_rrd"), 0.1492)), 0.2106),
)  # fmt: skip


def _screening(population: Population, rows: RowDamage) -> Answers:
    g = population.groups
    export = np.where(g["exporting"] == 1, np.where(g["direct"] == 1, "directly", "via_others"), "preparing")
    region = {"scr_region": np.full(population.n, "balikpapan")}
    years = g["years"].astype(np.float64)
    return shared.screening(population, rows, years=years, export=export, region=region, extra={})


def _profile(population: Population) -> Answers:
    g = population.groups
    told = shared.profile(population, sector=np.asarray(SECTORS)[g["sector"]], size=g["size"], women=0.50)
    return told | {"export_status": np.where(g["exporting"] == 1, "exporting", "preparing")}


def shipments(population: Population) -> IntArray:
    """Shipments so far: 1 + negative binomial, mean exp(ln 5 + .4 el_inc), size 2 (gamma-Poisson); 0 while preparing.

    A gamma variable of shape 2 is the sum of two exponentials, so that two uniforms make it.
    """
    u = stream(population.seed, population.variant, "export_compliance", "objective").random((population.n, 24))
    mean = np.exp(np.log(5.0) + 0.4 * population.latents["el_inc"])
    rate = mean / 2.0 * -(np.log1p(-u[:, 0]) + np.log1p(-u[:, 1]))
    sent = 1 + poisson(u[:, 2], np.minimum(rate, 400.0))
    return np.where(population.groups["exporting"] == 1, sent, 0).astype(np.int64)


def _objective(population: Population) -> Answers:
    g, x, n = population.groups, population.latents, population.n
    u = stream(population.seed, population.variant, "export_compliance", "objective").random((n, 24))
    out: Answers = {}
    for k, (name, key) in enumerate(QUIZ_KEY.items(), start=3):
        right = u[:, k] < logistic(0.2 + 0.8 * x["el_lit"])
        wrong = "false" if key == "true" else "true"
        out[name] = np.where(right, key, np.where(u[:, k + 5] < 0.6, "dont_know", wrong))
    exporting = g["exporting"] == 1
    countries = 1 + np.minimum(poisson(u[:, 13], np.exp(-0.2 + 0.3 * x["el_ipf"])), 4)
    return out | {
        "n_shipments_total": shipments(population),
        "n_countries": np.where(exporting, countries, 0),
        "share_docs_own": shared.tens(40.0 + 18.0 * x["el_ind"] - 12.0 * x["el_dep"], down=True),
        "digital_use": shared.tens(50.0 + 20.0 * x["dsu"]),
        "doc_rejections_12m": np.where(exporting, poisson(u[:, 14], np.exp(0.2 + 0.3 * x["el_cus"])), EMPTY),
        "clearance_days": np.where(exporting, 1 + poisson(u[:, 15], np.exp(1.2 + 0.2 * x["el_cus"])), EMPTY),
        "programmes": poisson(u[:, 16], np.exp(0.5 + 0.3 * x["el_fac"])),
        "indonesian_store": yes_no(u[:, 17] < logistic(-1.5 + 0.4 * x["el_prm"])),
        "staff_export": yes_no(u[:, 18] < logistic(-1.0 + 0.3 * x["el_ind"])),
    }


def _route(population: Population, items: dict[str, IntArray]) -> dict[str, IntArray]:
    alone = population.groups["exporting"] == 0
    unasked = ("el_inc_", "el_ipf_2", "el_ipf_3", "el_ipf_4")
    return {
        name: np.where(alone, NOT_APPLICABLE, value) if name.startswith(unasked) else value
        for name, value in items.items()
    }


STUDY = Study(
    name="export_compliance",
    instrument="export_compliance",
    n=400,
    seed=20260102,
    exogenous=("el_fac", "el_cto", "el_prm", "el_cco", "el_dac", "dsu"),
    correlations={("el_fac", "el_cto"): 0.25, ("el_fac", "el_prm"): 0.40, ("el_fac", "el_cco"): 0.30,
                  ("el_cto", "el_cco"): 0.20, ("el_prm", "el_cco"): 0.20, ("el_cto", "el_dac"): 0.10,
                  ("el_cco", "el_dac"): 0.15},
    equations=EQUATIONS,
    groups=_groups,
    prepare=_prepare,
    screening=_screening,
    profile=_profile,
    objective=_objective,
    route=_route,
    offsets={"el_cus": mean_offset(3.7), "el_dcb": mean_offset(3.4), "el_lit": mean_offset(2.7),
             "el_dep": mean_offset(3.6), "el_rrd": mean_offset(2.8), "el_ind": mean_offset(2.7),
             "el_ipf": mean_offset(3.1, center=0.76 * READINESS_OF_EXPORTERS)},
    models={
        "M1": (
            Regression("el_lit", {"l1": "el_cco", "l3": "el_cto"}, ("exporting",)),
            Regression("el_dml", {"m1": "el_prm"}, ("exporting",)),
            Regression("el_dcb", {"z1": "el_dac", "z2": "el_lit"}, ("exporting",)),
            Regression("el_cus", {"y1": "el_lit", "y2": "el_dcb", "y3": "dsu", "y4": "el_dac", "y5": "dsu:el_dac"},
                       ("exporting",)),
            Regression("el_rrd", {"r1": "el_lit", "r2": "el_cus", "r3": "el_cco", "r5": "el_dml", "r6": "el_fac",
                                  "r7": "el_cto"}, ("exporting",)),
            Regression("el_dep", {"d1": "el_fac", "d2": "el_lit"}, ("exporting",)),
            Regression("el_ind", {"i1": "el_rrd", "i2": "el_dep", "i3": "el_prm"}, ("exporting",)),
        ),
        "M1_exporters": (
            Regression("el_lit", {"l1": "el_cco", "l2": "el_inc", "l3": "el_cto"}),
            Regression("el_dml", {"m1": "el_prm"}),
            Regression("el_rrd", {"r1": "el_lit", "r2": "el_cus", "r3": "el_cco", "r4": "el_inc", "r5": "el_dml",
                                  "r6": "el_fac", "r7": "el_cto"}),
            Regression("el_ipf", {"p1": "el_rrd", "p2": "el_prm", "p3": "el_fac", "p4": "el_cus"}),
        ),
        "M2": (Regression("el_rrd", {"r8": "el_fac:el_cto"},
                          ("el_lit", "el_cus", "el_cco", "el_dml", "el_fac", "el_cto", "exporting")),),
        "M3": (Regression("el_ind", {"i3": "el_prm", "i4": "el_prm:el_rrd"}, ("el_rrd", "el_dep", "exporting")),),
        "M4": (Regression("el_rrd", {"t1": "log1p_shipments"}, ("el_lit",)),),
    },
    derived={
        "ind_cco": ("M1", (("l1", "r1"),)),
        "ind_dml": ("M1", (("m1", "r5"),)),
        "ind_dep": ("M1", (("d1", "i2"),)),
        "tot_fac": ("M1_exporters", (("p3",), ("r6", "p1"))),
        "tot_prm": ("M1_exporters", (("p2",), ("m1", "r5", "p1"))),
    },
    rows_of={"M1_exporters": "exporting", "M4": "exporting"},
    claims={"H-X1": ("M1", "r1"), "H-X2.1": ("M1", "r2"), "H-X2.2": ("M1_exporters", "p4"), "H-X4": ("M1", "y5"),
            "H-X5": ("M1", "z1"), "H-X6.1": ("M1_exporters", "tot_prm"), "H-X6.2": ("M1_exporters", "tot_fac"),
            "H-X7": ("M1", "ind_dep"), "H-X8": ("M2", "r8"), "H-X9.1": ("M3", "i4"), "H-X10": ("M1", "ind_cco"),
            "H-X11.1": ("M1_exporters", "r4"), "H-X11.2": ("M4", "t1"), "H-X12": ("M1", "r5"), "H-X13": ("M1", "d2"),
            "H-X14": ("M1_exporters", "p1")},
    no_98=("el_lit", "el_dac"),
    seconds=600.0,
)  # fmt: skip
