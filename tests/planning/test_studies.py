"""The populations of the other studies: equations, margins, files that come back, planted truth."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

import semkit as sk
from semkit.cli import main
from semkit.planning.measurement import CUTS, ITEMS, border_offsets, mean_offset
from semkit.planning.population import Population
from semkit.planning.simulation import BLOCKS, Simulated, simulate_responses
from semkit.planning.studies import STUDIES, draw_study
from semkit.planning.studies.cases import CONDITIONS, simulate_cases
from semkit.planning.studies.equations import systematic
from semkit.planning.studies.governance import AID, NO_AID
from semkit.planning.studies.truth import planted_values

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "synthetic"
LARGE = 300_000
MC = 4.5  # standard errors


@pytest.fixture(scope="module")
def large() -> dict[str, Population]:
    return {name: draw_study(study, LARGE, 77) for name, study in STUDIES.items()}


def answers(name: str, n: int | None = None, seed: int | None = None) -> tuple[Simulated, sk.Responses]:
    invented = simulate_responses(name, n=n, seed=seed)
    form = sk.load_instrument(invented.blocks[0])
    return invented, sk.read_responses(invented.frame, form)


@pytest.fixture(scope="module")
def files() -> dict[str, tuple[Simulated, sk.Responses]]:
    return {name: answers(name, n=12_000, seed=5) for name in STUDIES}


# --- latent variables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STUDIES)
def test_variances_are_one_and_constants_are_right(name: str, large: dict[str, Population]) -> None:
    study, population = STUDIES[name], large[name]
    everyone = np.ones(LARGE, dtype=bool)
    rows = population.groups.get("member", everyone) == 1
    x, g = population.latents, population.groups
    for equation in study.equations:
        part = systematic(equation, x, g)[rows]
        error = MC * np.sqrt(6.0) * equation.variance / np.sqrt(LARGE)  # products have heavier tails than the normal
        assert abs(part.var() - equation.variance) < error + 0.0006, equation.name
        assert abs(x[equation.name][rows].var() - 1.0) < 0.02
        for term in equation.terms:
            if len(term.factors) > 1:
                product = np.prod([x[factor][rows] for factor in term.factors], axis=0)
                assert abs(product.mean() - term.center) < MC * product.std() / np.sqrt(LARGE)


@pytest.mark.parametrize("name", STUDIES)
def test_correlations_of_exogenous_variables(name: str, large: dict[str, Population]) -> None:
    study, x = STUDIES[name], large[name].latents
    for i, a in enumerate(study.exogenous):
        for b in study.exogenous[i + 1 :]:
            wanted = study.correlations.get((a, b), study.correlations.get((b, a), 0.0))
            one, two = x[a], x[b]
            if name == "digital":  # shifts by poverty move together
                poor = large[name].groups["poor"] == 1
                one, two = one[poor], two[poor]
            found = np.corrcoef(one, two)[0, 1]
            assert abs(found - wanted) < MC / np.sqrt(one.size), (a, b)


def test_the_last_systematic_variances_are_the_designs() -> None:
    last = {name: round(study.equations[-1].variance, 2) for name, study in STUDIES.items()}
    assert last["export_compliance"] == 0.21 and last["digital"] == 0.23 and last["governance"] == 0.26
    assert abs(STUDIES["marketing_network"].equations[-1].variance - 0.28) < 0.006


# --- planted truth ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "model", "label", "value"),
    [
        ("marketing_network", "M1", "i1", 0.45), ("marketing_network", "M1", "s1", 0.40),
        ("marketing_network", "M1", "x1", 0.30), ("marketing_network", "M1", "n1", -0.15),
        ("marketing_network", "M2", "v3", 0.28), ("marketing_network", "M2", "v1", 0.0),
        ("marketing_network", "R", "mn_inf_on_intermediaries", -0.20),
        ("export_compliance", "M1", "y5", -0.22), ("export_compliance", "M2", "r8", 0.17),
        ("export_compliance", "M3", "i4", 0.20), ("export_compliance", "M1", "d2", -0.30),
        ("export_compliance", "M1_exporters", "p1", 0.26), ("export_compliance", "M1", "z1", -0.45),
        ("digital", "M2", "w1", 0.18), ("digital", "M2", "w2", 0.14), ("digital", "M3", "f5", -0.14),
        ("digital", "M4", "g2", 0.0), ("digital", "M1", "t4", 0.35),
        ("governance", "M1", "a1", 0.55), ("governance", "M2", "x1", 0.18),
        ("governance", "M1", "e1", 0.10), ("governance", "M1", "m3", -0.16),
    ],
)  # fmt: skip
def test_planted_values_are_the_designs(
    name: str, model: str, label: str, value: float, large: dict[str, Population]
) -> None:
    found = planted_values(STUDIES[name], large[name])[model][label]
    assert abs(found.raw - value) < MC * found.error + 1e-3


def test_what_a_model_leaves_out_is_in_its_neighbours(large: dict[str, Population]) -> None:
    """Participation acts directly on competitiveness (.05), which M1 leaves out; literacy and trust share group use."""
    a5 = planted_values(STUDIES["governance"], large["governance"])["M1"]["a5"]
    x = large["governance"].latents
    design = np.column_stack([x[name] for name in ("cg_out", "cg_mkt", "cg_val", "cg_res")])
    through = np.linalg.lstsq(design, x["cg_par"], rcond=None)[0][0]
    assert abs(a5.raw - (0.34 + 0.05 * through)) < MC * a5.error
    u2 = planted_values(STUDIES["digital"], large["digital"])["M5"]["u2"]
    assert -0.06 < u2.std < 0.0  # no positive effect is planted


def test_the_total_effect_of_partnership_is_the_designs(large: dict[str, Population]) -> None:
    found = planted_values(STUDIES["marketing_network"], large["marketing_network"])["M1"]["tot_partner"]
    assert abs(found.std - 0.083) < 0.01  # the design's figure, below the smallest effect of .10


# --- answers ----------------------------------------------------------------------------------------------------------


def test_offsets_give_the_means_they_are_solved_for() -> None:
    normal = NormalDist()
    for mean in (1.5, 2.7, 3.3, 4.4):
        offset = mean_offset(mean)
        assert abs(1.0 + sum(1.0 - normal.cdf(cut - offset) for cut in CUTS.tolist()) - mean) < 1e-5
    assert abs(1.0 + sum(1.0 - normal.cdf(cut) for cut in CUTS.tolist()) - 3.3) < 0.05


@pytest.mark.parametrize("name", STUDIES)
def test_item_means_are_the_stated_ones(name: str, files: dict[str, tuple[Simulated, sk.Responses]]) -> None:
    study, (invented, read) = STUDIES[name], files[name]
    wanted = {"export_compliance": {"el_cus": 3.7, "el_dcb": 3.4, "el_lit": 2.7, "el_dep": 3.6, "el_rrd": 2.8,
                                    "el_ipf": 3.1, "el_ind": 2.7},
              "digital": {"dg_lit": 2.6, "dg_net": 2.9},
              "governance": {"cg_f2f": 3.75, "cg_tru": 3.70, "cg_und": 3.65, "cg_out": 3.60, "cg_com": 3.25,
                             "cg_con": 2.85, "cg_fit": 2.9, "cg_mkt": 2.7, "cg_val": 3.0, "cg_res": 3.8,
                             "cg_pcm": 3.3}}.get(name, {})  # fmt: skip
    source = invented.rows.source
    careful = (invented.rows.careless[source] == 0) & (invented.rows.screened[source] == 0)
    if name == "export_compliance":
        exporting = invented.population.groups["exporting"][source] == 1
    for code, mean in wanted.items():
        count, reverse = ITEMS[study.instrument][code]
        rows = careful & exporting if code == "el_ipf" else careful
        scored = []
        for k in range(1, count + 1):
            value = read.coded[f"{code}_{k}"].to_numpy()[rows]
            value = value[(value >= 1) & (value <= 5)]
            scored.append(float(np.mean(6 - value if k in reverse else value)))
        assert abs(np.mean(scored) - mean) < 0.05, code


def test_challenges_hinder_as_often_as_the_paper_says() -> None:
    invented = simulate_responses(n=20_000, seed=9, blocks=BLOCKS)
    careful = (invented.rows.careless == 0) & (invented.rows.screened == 0) & ~invented.rows.break_off
    careful &= ~invented.rows.duplicate
    headline = {"bc_dig": 0.73, "bc_reg": 0.68, "bc_cap": 0.62, "bc_tru": 0.57, "bc_fin": 0.54}
    for code, share in headline.items():
        for k, wanted in ((1, share), (2, share - 0.06), (3, share - 0.06)):
            text = invented.columns[f"border_challenges_adaptive/{code}_{k}"][careful]
            value = text[np.isin(text, list("12345"))].astype(int)
            assert abs(np.mean(value >= 4) - wanted) < MC * 0.5 / np.sqrt(value.size), (code, k)
    assert len(border_offsets()) == 15
    forms = [sk.load_instrument(block) for block in invented.blocks]
    assert sk.read_responses(invented.frame, forms).n == 20_000


@pytest.mark.parametrize("name", STUDIES)
def test_files_go_through_reader_and_cleaning(name: str) -> None:
    _invented, read = answers(name)
    expected = {"marketing_network": 480, "export_compliance": 360, "digital": 530, "governance": 320}[name]
    assert read.synthetic and read.platform == "kobo" and read.n == STUDIES[name].n
    told = [p for p in read.problems if p.code != "responses.missing-question" and '"weight"' not in p.where]
    assert not told
    cleaned = sk.clean(read)
    assert abs(len(cleaned.frame) - expected) < 0.06 * expected


@pytest.mark.parametrize("name", STUDIES)
def test_routing_special_codes_and_damage(name: str, files: dict[str, tuple[Simulated, sk.Responses]]) -> None:
    invented, read = files[name]
    population, source = invented.population, invented.rows.source
    whole = invented.rows.screened[source] == 0
    blocks = {"marketing_network": ("partner", "pt_qlt_1"), "export_compliance": ("exporting", "el_inc_1"),
              "digital": ("member", "dg_wag_1")}  # fmt: skip
    if name in blocks:
        group, item = blocks[name]
        outside = (population.groups[group][source] == 0) & whole
        assert (read.coded[item][outside] == 97).all() and not (read.coded[item][~outside & whole] == 97).any()
    for code in STUDIES[name].no_98:
        for k in range(1, ITEMS[STUDIES[name].instrument][code][0] + 1):
            assert not (read.coded[f"{code}_{k}"] == 98).any()
    asked = next(item for item in ITEMS[STUDIES[name].instrument] if item not in STUDIES[name].no_98
                 and not (name in blocks and item == blocks[name][1][:-2])
                 and not item.startswith(("pt_inf", "el_ipf", "dg_jpr", "dg_wag")))  # fmt: skip
    if name == "digital":
        asked = "dg_acc"
    value = read.coded[f"{asked}_1"][whole]
    assert abs(value.isna().mean() - 0.015) < 0.005 and abs((value == 98).mean() - 0.01) < 0.005
    assert abs((invented.rows.careless > 0).mean() - 0.06) < 0.01


def test_margins_of_the_marketing_study(files: dict[str, tuple[Simulated, sk.Responses]]) -> None:
    invented, read = files["marketing_network"]
    whole = invented.rows.screened[invented.rows.source] == 0
    coded = read.coded[whole]
    assert abs((coded["cluster"] == "yes").mean() - 0.55) < 0.02
    assert abs((coded["pattern"] != "none").mean() - 0.32) < 0.02
    assert abs((coded["export_mode"] == "none").mean() - 0.70) < 0.02
    partners = coded[coded["pattern"] != "none"]
    for name, share in {"lk_mkt": 0.545, "lk_cap": 0.442, "lk_prod": 0.327, "lk_raw": 0.290, "lk_mgt": 0.026}.items():
        assert abs((partners[name] == "yes").mean() - share) < 0.035, name
    index = sum((partners[name] == "yes").astype(float) for name in ("lk_mkt", "lk_cap", "lk_prod", "lk_raw", "lk_mgt"))
    latent = invented.population.latents["lnk"][invented.rows.source][whole][(coded["pattern"] != "none").to_numpy()]
    assert abs(index.mean() - 1.6) < 0.06 and abs(np.corrcoef(index, latent)[0, 1] - 0.75) < 0.03
    via = coded["export_mode"].eq("via_partner")
    assert via[coded["pattern"] != "none"].mean() > 2 * via[coded["pattern"] == "none"].mean()
    weight = read.raw["weight"].astype(float)[whole]
    assert abs(np.average(coded["pattern"] != "none", weights=weight) - 0.06) < 0.006
    assert coded["cluster_size"].dropna().between(20, 120).all() and coded["n_intermediaries"].min() >= 1
    growth = coded.groupby("cluster")["prod_growth_pct"].mean()
    assert growth["yes"] > growth["no"] and abs(coded["prod_growth_pct"].mean() - (6 + 3 * 0.55)) < 0.6


def test_margins_of_the_export_study(files: dict[str, tuple[Simulated, sk.Responses]]) -> None:
    invented, read = files["export_compliance"]
    whole = invented.rows.screened[invented.rows.source] == 0
    coded = read.coded[whole]
    exporting = coded["export_status"] == "exporting"
    assert abs(exporting.mean() - 0.55) < 0.02 and abs((coded["sector"] == "food").mean() - 0.60) < 0.02
    assert abs((coded.loc[exporting, "share_docs_own"] < 5).mean() - 0.65) < 0.03  # the design's checked figure
    shipped = coded.loc[exporting, "n_shipments_total"]
    assert shipped.min() >= 1 and (coded.loc[~exporting, "n_shipments_total"] == 0).all()
    assert abs(shipped.mean() - 1 - 5 * np.exp(0.4 * 0.2025 + 0.08)) < 0.4
    assert coded.loc[exporting, "n_countries"].between(1, 5).all()
    assert abs((coded["el_qz_1"] == "true").mean() - 0.545) < 0.03  # logistic(.2 + .8 literacy)


def test_margins_of_the_digital_study(files: dict[str, tuple[Simulated, sk.Responses]]) -> None:
    invented, read = files["digital"]
    assert invented.population.groups["member"].sum() == round(12_000 * 500 / 590)
    assert simulate_responses("digital").population.groups["member"].sum() == 500
    whole = invented.rows.screened[invented.rows.source] == 0
    coded = read.coded[whole]
    assert abs((coded["poor"] == "yes").mean() - 0.60) < 0.02 and abs((coded["scr_years"] <= 3).mean() - 0.40) < 0.02
    assert abs((coded["sector"] == "food").mean() - 0.55) < 0.02
    inside = coded[coded["scr_wag"] == "yes"]
    sites = inside[[f"channels/{one}" for one in ("social_media", "marketplace", "own_site")]].sum(axis=1)
    assert abs((sites == 0).mean() - 0.45) < 0.02
    given = coded["income_month"].notna()
    assert coded.loc[given, "income_month_class"].isna().all() and coded.loc[~given, "income_month_class"].notna().all()
    assert abs((coded["orders_outside_share"] > 0).mean() - 0.44) < 0.03


def test_margins_of_the_governance_study(files: dict[str, tuple[Simulated, sk.Responses]]) -> None:
    invented, read = files["governance"]
    coded = read.coded[invented.rows.screened[invented.rows.source] == 0]
    assert abs((coded["sex"] == "female").mean() - 0.92) < 0.015
    shares = coded["subdistrict"].value_counts(normalize=True)
    assert abs(shares["tinambung"] - 0.35) < 0.02 and abs(shares["luyo"] - 0.10) < 0.015
    for kind, share in {**AID, "none": NO_AID}.items():
        assert abs(coded[f"aid_kind/{kind}"].mean() - share) < 0.02, kind
    assert abs((coded["aid_wanted"] == "cash").mean() - 0.60) < 0.02
    assert abs(np.log(coded["price_usual"].dropna()).mean() - np.log(650_000)) < 0.02
    assert (coded["price_usual"] > 1_000_000).mean() < 0.10
    assert abs(coded["visits_12m"].mean() - np.exp(0.7 + 0.08)) < 0.1


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*STUDIES, "border_cases30"])
def test_committed_files_are_what_the_generator_makes(name: str) -> None:
    data = (EXAMPLES / f"{name}_synthetic.csv").read_bytes()
    assert data == simulate_responses(name).to_bytes()
    side = json.loads((EXAMPLES / f"{name}_synthetic.json").read_text(encoding="utf-8"))
    assert side["synthetic"] is True and side["statement"] == "invented data; no respondent exists"
    assert side["data_sha256"] == hashlib.sha256(data).hexdigest() and side["study"] == name
    if name in STUDIES:
        assert side["planted"]["draws"] == 1_000_000 and set(side["planted"]["claims"]) == set(STUDIES[name].claims)


@pytest.mark.parametrize("name", [*STUDIES, "border_cases30"])
def test_same_seed_same_bytes(name: str) -> None:
    assert simulate_responses(name, seed=3).to_bytes() == simulate_responses(name, seed=3).to_bytes()
    assert simulate_responses(name, seed=3).to_bytes() != simulate_responses(name, seed=4).to_bytes()


def test_the_thirty_cases() -> None:
    cases = simulate_cases()
    table = cases.frame
    first = table[table["coder"] == "A"]
    assert first["sector"].value_counts().to_dict() == {"agriculture": 11, "other": 11, "food": 8}
    assert first["size"].value_counts().to_dict() == {"micro": 14, "small": 13, "medium": 3}
    assert set(table[[*CONDITIONS, "outcome"]].to_numpy().ravel()) == {"0", "0.33", "0.67", "1"}
    agree, moved = [], []
    for seed in range(150):
        many = simulate_cases(seed)
        score = many.frame[[*CONDITIONS, "outcome"]].astype(float).to_numpy()
        a, b = score[0::2], score[1::2]
        agree.append((a == b).mean())
        assert np.abs(np.digitize(a, (0.2, 0.5, 0.8)) - np.digitize(b, (0.2, 0.5, 0.8))).max() <= 1
        one = many.frame.iloc[0::2]
        value = {name: one[name].astype(float).to_numpy() for name in (*CONDITIONS, "partner", "newexp", "outcome")}
        rule = np.max([np.minimum.reduce([value["network"], value["policy"], value["partner"]]),
                       np.minimum.reduce([value["network"], value["capacity"], value["newexp"]]),
                       np.minimum(value["network"], value["adaptive"])], axis=0)  # fmt: skip
        moved.append((rule != value["outcome"]).mean())
    assert abs(np.mean(agree) - 0.85) < 0.01 and abs(np.mean(moved) - 0.15) < 0.02


def test_wrong_wishes() -> None:
    for wish in ({"study": "silk"}, {"study": "border_cases30", "n": 31}, {"study": "digital", "blocks": ["x"]},
                 {"study": "digital", "n": 0}, {"study": "digital", "seed": -1}):  # fmt: skip
        with pytest.raises(sk.SemkitError):
            simulate_responses(**wish)  # type: ignore[arg-type]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "governance", "-o", str(tmp_path), "--n", "60", "--draws", "5000"]) == 0
    assert main(["simulate", "border_cases30", "-o", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}_synthetic.{kind}" for name in ("governance", "border_cases30") for kind in ("csv", "json")
    }
    assert main(["simulate", "governance", "--draws", "5"]) == 2
    assert "invented data" in capsys.readouterr().out
