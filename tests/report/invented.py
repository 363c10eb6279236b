"""An invented report content: every section filled, no number of any real study."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd

from semkit.errors import Note
from semkit.report import (
    Agreement,
    Check,
    Claim,
    Evidence,
    Flow,
    FlowStep,
    Gate,
    ModelPart,
    QualityPart,
    Reading,
    ReportContent,
)

NAN = float("nan")
LABELS = {
    "collab": "Collaborative network", "govt": "Government role", "mperf": "Marketing performance",
    "cn_acc": "Market access", "cn_knw": "Knowledge transfer", "cn_vce": "Value-chain efficiency",
    "m_cn_str": "Structural", "m_cn_rel": "Relational", "m_cn_cog": "Cognitive", "m_mp_sal": "Sales",
    "m_mp_rch": "Reach", "m_mp_cus": "Customers", "m_mp_prf": "Profit", "size_small": "Small firm",
    "size_medium": "Medium firm", "yrs_business": "Years in business (log)", "female": "Female owner",
    "educ_years": "Years of education",
}  # fmt: skip
CONTROLS = ("size_small", "size_medium", "yrs_business", "female", "educ_years")

M1 = """
collab =~ m_cn_str .82 0
collab =~ m_cn_rel .84 .02
collab =~ m_cn_cog .77 .02
mperf =~ m_mp_sal .80 0
mperf =~ m_mp_rch .78 .02
mperf =~ m_mp_cus .70 .03
mperf =~ m_mp_prf .76 .02
cn_acc =~ cn_acc_1 .74 0
cn_acc =~ cn_acc_2 .77 .02
cn_acc =~ cn_acc_3 .72 .02
cn_acc =~ cn_acc_4 .79 .02
cn_knw =~ cn_knw_1 .75 0
cn_knw =~ cn_knw_2 .71 .02
cn_knw =~ cn_knw_3 .80 .02
cn_vce =~ cn_vce_1 .76 0
cn_vce =~ cn_vce_2 .73 .02
cn_vce =~ cn_vce_3 .78 .02
cn_acc ~ collab .42 .04 a1
cn_knw ~ collab .41 .05 a2
cn_vce ~ collab .35 .05 a3
mperf ~ cn_acc .22 .05 b1
mperf ~ cn_knw .18 .05 b2
mperf ~ cn_vce .06 .05 b3
mperf ~ collab .05 .06 c
cn_acc ~ size_small .03 .04
cn_acc ~ female -.02 .04
mperf ~ size_small .05 .04
mperf ~ size_medium .04 .04
mperf ~ yrs_business -.01 .04
mperf ~ female -.02 .04
mperf ~ educ_years .06 .04
cn_acc ~~ cn_knw .11 .04
cn_acc ~~ cn_vce .09 .04
cn_knw ~~ cn_vce .12 .04
cn_acc ~~ cn_acc .82 .04
cn_knw ~~ cn_knw .83 .04
cn_vce ~~ cn_vce .88 .04
mperf ~~ mperf .71 .05
m_cn_str ~~ m_cn_str .33 .04
ind_acc := a1*b1 .092 .022
ind_knw := a2*b2 .074 .021
ind_vce := a3*b3 .021 .018
total := c+a1*b1+a2*b2+a3*b3 .237 .05
"""
M2 = """
collab =~ m_cn_str .82 0
collab =~ m_cn_rel .84 .02
collab =~ m_cn_cog .77 .02
mperf =~ m_mp_sal .80 0
mperf =~ m_mp_rch .78 .02
mperf =~ m_mp_cus .70 .03
mperf =~ m_mp_prf .76 .02
govt =~ govt_score .88 0
collab:govt =~ m_cn_str:govt_score .71 0
collab:govt =~ m_cn_rel:govt_score .74 .03
collab:govt =~ m_cn_cog:govt_score .66 .03
mperf ~ collab .31 .05 b1
mperf ~ govt .14 .05 b2
mperf ~ collab:govt .25 .05 b3
mperf ~ size_small .05 .04
mperf ~ size_medium .04 .04
mperf ~ yrs_business -.01 .04
mperf ~ female -.02 .04
mperf ~ educ_years .06 .04
collab ~~ govt .28 .05
collab ~~ collab 1 .08
govt ~~ govt 1 .07
mperf ~~ mperf .74 .05
m_cn_str ~~ m_cn_str .33 .04
"""


def estimates(text: str) -> pd.DataFrame:
    """Rows ``lhs op rhs standardised error [label]`` as a table of estimates; error 0 is a fixed loading."""
    rows = []
    for line in text.strip().splitlines():
        lhs, op, rhs, std, se, *label = line.split()
        value, error = float(std), float(se)
        z = value / error if error else NAN
        pvalue = float(2 * np.exp(-0.717 * abs(z) - 0.416 * z * z)) if error else NAN
        rows.append(
            {
                "lhs": lhs, "op": op, "rhs": rhs, "group": "", "label": label[0] if label else "", "est": 1.1 * value,
                "se": 1.1 * error, "z": z, "pvalue": pvalue, "ci_lower": 1.1 * (value - 1.96 * error),
                "ci_upper": 1.1 * (value + 1.96 * error), "std_lv": value, "std_all": value,
                "std_se": error or 0.015,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def fit_measures(chisq: float, df: int) -> dict[str, float]:
    return {
        "chisq": chisq, "df": df, "pvalue": 0.0312, "chisq.scaled": 0.96 * chisq, "df.scaled": df,
        "pvalue.scaled": 0.0483, "cfi": 0.987, "tli": 0.983, "cfi.robust": 0.988, "tli.robust": 0.985, "rmsea": 0.021,
        "rmsea.ci.lower": 0.006, "rmsea.ci.upper": 0.031, "rmsea.robust": 0.020, "rmsea.ci.lower.robust": 0.003,
        "rmsea.ci.upper.robust": 0.030, "srmr": 0.034,
    }  # fmt: skip


def probe() -> SimpleNamespace:
    """A probe's frames for the interaction of M2, on a 1 to 5 moderator."""
    rng = np.random.default_rng(11)
    people = np.clip(rng.normal(3.3, 0.7, 575), 1.0, 5.0)
    mean, sd = 3.3, 0.7

    def slope(w: np.ndarray) -> np.ndarray:
        return 0.31 + 0.35 * (w - mean)

    def error(w: np.ndarray) -> np.ndarray:
        return np.sqrt(0.055**2 + (0.07 * (w - mean)) ** 2)

    at = np.array([mean - sd, mean, mean + sd])
    names = ["mean - 1 SD", "mean", "mean + 1 SD"]
    s, e = slope(at), error(at)
    slopes = pd.DataFrame(
        {
            "value": at, "label": names, "share_below": [(people <= v).mean() for v in at], "slope": s, "se": e,
            "stat": s / e, "pvalue": [0.33, 0.0001, 0.0001], "ci_lower": s - 1.96 * e, "ci_upper": s + 1.96 * e,
            "std_slope": 0.9 * s, "std_se": 0.9 * e, "std_ci_lower": 0.9 * (s - 1.96 * e),
            "std_ci_upper": 0.9 * (s + 1.96 * e),
        }
    )  # fmt: skip
    grid = np.linspace(1.0, 5.0, 201)
    low, high = slope(grid) - 1.96 * error(grid), slope(grid) + 1.96 * error(grid)
    roots = [float(grid[i]) for i in np.flatnonzero(np.diff(np.sign(low)) != 0)]
    roots += [float(grid[i]) for i in np.flatnonzero(np.diff(np.sign(high)) != 0)]
    roots.sort()
    edges = [-np.inf, *roots, np.inf]
    regions = []
    for left, right in pairwise(edges):
        middle = np.array([np.clip((max(left, 1.0) + min(right, 5.0)) / 2, 1, 5)])
        est, err = float(slope(middle)[0]), float(error(middle)[0])
        clear = abs(est) > 1.96 * err
        share = float(((people > left) & (people <= right)).mean())
        regions.append(
            {
                "lower": left, "upper": right, "significant": clear,
                "sign": ("positive" if est > 0 else "negative") if clear else "", "n": share * 575, "share": share,
                "inside_data": True,
            }
        )  # fmt: skip
    focal = np.linspace(-2.0, 2.0, 25)
    lines = pd.concat(
        [
            pd.DataFrame(
                {
                    "moderator": v, "label": name, "focal": focal, "predicted": b * focal + 0.1 * (v - mean),
                    "se": 0.05, "lower": b * focal + 0.1 * (v - mean) - 0.1 - 0.06 * abs(focal),
                    "upper": b * focal + 0.1 * (v - mean) + 0.1 + 0.06 * abs(focal),
                }
            )
            for v, name, b in zip(at, names, s, strict=True)
        ],
        ignore_index=True,
    )  # fmt: skip
    return SimpleNamespace(
        outcome="mperf", focal="collab", moderator="govt", group="", slopes=slopes,
        johnson_neyman=pd.DataFrame(regions), roots=pd.DataFrame({"value": roots}),
        bands=pd.DataFrame({"moderator": grid, "slope": slope(grid), "lower": low, "upper": high}), lines=lines,
        distribution=pd.DataFrame({"moderator": people}), level=0.95, nobs=575, result_method="MLR",
        method="percentile", statement="Invented.",
        notes=(Note("probe.factor-scores", "info", "shares of respondents count factor scores.", "govt"),),
    )  # fmt: skip


def claims() -> tuple[Claim, ...]:
    caveat = "Association in cross-sectional self-reports, consistent with the claim; not proof of cause."
    parts = [
        ("H-B1.0", "total", "total effect of the network", 0.237, 0.141, 0.335, 0.001, 0.10, "supported", "effect"),
        ("H-B1.1", "ind_acc", "indirect effect through market access", 0.092, 0.049, 0.139, 0.001, 0.03, "supported",
         "effect"),
        ("H-B1.2", "ind_knw", "indirect effect through knowledge transfer", 0.074, 0.034, 0.117, 0.001, 0.03,
         "supported", "effect"),
        ("H-B1.3", "ind_vce", "indirect effect through value-chain efficiency", 0.021, -0.013, 0.058, 0.24, 0.03,
         "inconclusive", "imprecise"),
    ]  # fmt: skip
    first = tuple(
        Evidence(i, n, m, "M1", "R-PATH", "+", e, (u - lo) / 3.92, lo, u, p, NAN, 1.1 * e, d, 575, "percentile", v, r)
        for i, n, m, e, lo, u, p, d, v, r in parts
    )
    second = (
        Evidence("H-B2.0", "b3", "network × government", "M2", "R-PATH", "+", 0.25, 0.05, 0.152, 0.348, 0.001, 0.001,
                 0.36, 0.05, 575, "percentile", "supported", "effect"),
        Evidence("H-B2.1", "g1", "network × facilitative policy", "M2d", "R-PATH", "+", 0.17, 0.06, 0.05, 0.29, 0.006,
                 NAN, 0.2, 0.05, 575, "percentile", "supported", "effect", False),
    )  # fmt: skip
    gates = (
        Gate("G1", "respondents used, at least 300", True, "575"),
        Gate("G2", "converged, identified, no negative variance", True, "yes"),
        Gate("G4", "heterotrait–monotrait ratio below .90", True, ".71"),
        Gate("G7", "CFI at least .90, RMSEA and SRMR at most .08", True, "CFI .988"),
    )
    checks = (
        Check("RC3", "Moderated regression on composites, HC3", 0.19, 0.11, 0.27, 0.0001, 575, "supported", True),
        Check("RC7", "All respondents, without exclusions", 0.18, 0.09, 0.27, 0.0001, 640, "supported", True),
        Check("RC11", "Without controls", 0.24, 0.14, 0.34, 0.0001, 575, "inconclusive", False),
        Check("RC10", "Objective outcome", agrees=None, remark="not measured"),
    )
    return (
        Claim("H-B1", "Networks raise marketing performance through access, knowledge and efficiency", "inconclusive",
              "imprecise",
              "Jejaring kolaborasi meningkatkan kinerja pemasaran melalui akses pasar, transfer pengetahuan, dan "
              "efisiensi rantai nilai", family="explicit", rule="R-ALL", pvalue=0.24, p_holm=0.24, parts=first,
              detail="Not every part is supported; missing: H-B1.3.", gates=gates, robustness="mixed", checks=checks),
        Claim("H-B2", "Government role strengthens the link between network and performance", "supported", "effect",
              "Peran pemerintah memperkuat hubungan jejaring–kinerja", caveat=caveat, family="explicit",
              rule="R-PATH", pvalue=0.001, p_holm=0.002, parts=second, gates=gates, robustness="robust",
              checks=checks[:2], readings=(Reading("H-B2.all", "through all three kinds of support", "R-ALL",
                                                   "inconclusive", "imprecise", 0.21),),
              detail="The interval lies on the claimed side and the effect is large enough."),
    )  # fmt: skip


def quality() -> QualityPart:
    names = ["collab", "govt", "mperf", "cn_acc", "cn_knw", "cn_vce"]
    constructs = pd.DataFrame(
        {
            "construct": names, "items": [31, 13, 12, 4, 3, 3], "n": [575] * 6,
            "mean": [3.31, 3.28, 3.35, 3.4, 3.3, 3.2],
            "sd": [0.62, 0.66, 0.7, 0.8, 0.82, 0.85], "missing": [0.012, 0.015, 0.0, 0.02, 0.01, 0.013],
            "alpha": [0.93, 0.88, 0.9, 0.82, 0.68, 0.79], "omega": [0.93, 0.885, 0.9, 0.82, 0.69, 0.79],
            "cr": [0.93, 0.88, 0.9, 0.82, 0.69, NAN], "ave": [0.62, 0.47, 0.58, 0.57, 0.44, 0.56],
        }
    )  # fmt: skip
    ratios = pd.DataFrame(np.full((6, 6), NAN), index=names, columns=names)
    rng = np.random.default_rng(2)
    for i in range(6):
        for j in range(i):
            ratios.iloc[i, j] = float(rng.uniform(0.2, 0.7))
    ratios.iloc[4, 3] = 0.87
    items = pd.DataFrame(
        {
            "item": [f"cn_acc_{i}" for i in range(1, 5)], "construct": "cn_acc",
            "label": ["Through partners we reach new buyers", "Partners open doors at the border",
                      "We hear of orders through the network", "Partners help us to find distributors"],
            "n": [575, 574, 575, 570], "missing": [0.01, 0.012, 0.01, 0.019], "mean": [3.2, 3.4, 3.3, 3.1],
            "sd": [1.0, 1.1, 1.05, 0.98], "floor": [0.05, 0.04, 0.06, 0.07], "ceiling": [0.11, 0.22, 0.12, 0.1],
            "loading": [0.74, 0.77, 0.72, 0.49],
        }
    )  # fmt: skip
    fit = pd.DataFrame([{"model": "Network, role and performance", "n": 575, "chisq": 1801.2, "df": 1417,
                         "pvalue": 1e-6,
                         "cfi": 0.961, "rmsea": 0.022, "srmr": 0.041}])  # fmt: skip
    return QualityPart(constructs, ratios, items, fit)


def content() -> ReportContent:
    agreement = Agreement(
        "semopy", "2.3.11", True, 14, 0.0004, 0.001,
        pd.DataFrame({"name": ["mperf ~ collab", "mperf ~ govt"], "est": [0.341, 0.154], "other": [0.341, 0.154],
                      "difference_se": [0.0002, -0.0004]}),
    )  # fmt: skip
    models = (
        ModelPart("M1", "mechanisms (H-B1)", estimates(M1), fit_measures(241.7, 201), {"cn_acc": 0.18, "mperf": 0.29},
                  660, 575, "maximum likelihood, robust errors (MLR)", text=M1.replace(" 0\n", "\n"), controls=CONTROLS,
                  draws_requested=2000, draws_failed=0, draws_inadmissible=3, agreement=agreement),
        ModelPart("M2", "moderation (H-B2)", estimates(M2), fit_measures(88.1, 71), {"mperf": 0.26}, 660, 575,
                  "maximum likelihood, robust errors (MLR)", text="mperf ~ b1*collab + b2*govt + b3*collab:govt",
                  probes=(probe(),), controls=CONTROLS, draws_requested=2000,
                  notes=(Note("estimate.small-variance", "warning", "residual variance .004 is close to zero",
                              "m_cn_str", "Few indicators.", "Look at the indicator's wording."),)),
    )  # fmt: skip
    flow = Flow(
        (
            FlowStep("Records received", 673),
            FlowStep("Distinct respondents", 667, (("same device and same answers", 6),)),
            FlowStep("Eligible", 654, (("no consent", 1), ("business younger than three years", 12))),
            FlowStep("Analysed", 612, (("attention check failed and another flag", 30), ("two flags or more", 10),
                                       ("more than 30 % of items missing", 2))),
        ),
        (("M1, M2 (firms with partners)", 575), ("M7", 609)),
    )  # fmt: skip
    return ReportContent(
        "Collaborative networks at the border", "Invented content for looking at the page", "A. Author, B. Author",
        "2026-11-20", "Invented data; no respondent exists.", "", claims(), flow, quality(), models, LABELS,
        provenance={
            "Versions": {"semkit": "0.1.0", "Python": "3.11.9", "numpy": "2.4.0", "scipy": "1.17.0"},
            "Inputs": {"study.toml": "sha256 " + "0f" * 32, "responses.csv": "sha256 " + "a7" * 32},
            "Randomness": {"seed": "20260100", "bootstrap draws": "2,000"},
        },
    )  # fmt: skip
