"""Reliability and validity against psych, semTools, lavaan, exact identities and planted populations."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import Note, OptionError, SampleError
from semkit.validation import Thresholds, consistency, distinctness, distribution
from semkit.validation import measurement as measuring

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
HS = pd.read_csv(REFERENCE / "data" / "HolzingerSwineford1939.csv")
NINE = [f"x{i}" for i in range(1, 10)]
FACTORS = {"visual": NINE[:3], "textual": NINE[3:6], "speed": NINE[6:]}


def peer(name):
    return json.loads((REFERENCE / "numbers" / f"{name}.json").read_text(encoding="utf-8"))


def codes(found):
    return {(note.code, note.where) for note in found.notes}


@pytest.fixture(scope="module")
def found():
    return sk.validate(HS, FACTORS)


# ---------------------------------------------------------------- alpha and items: psych


@pytest.mark.parametrize(
    ("block", "items"), [("hs_visual", NINE[:3]), ("hs_textual", NINE[3:6]), ("hs_speed", NINE[6:]), ("hs_all", NINE)]
)
def test_alpha_and_items_are_those_of_psych(block, items):
    expected = peer("psych/psych_alpha")[block]
    cov = HS[items].cov().to_numpy()
    total, feldt = expected["total"][0], expected["feldt"]
    alpha = consistency.alpha(cov)
    lower, upper = consistency.alpha_interval(alpha, 301, len(items))
    assert float(alpha) == pytest.approx(total["raw_alpha"], rel=1e-10)
    assert float(consistency.standardised_alpha(cov)) == pytest.approx(total["std.alpha"], rel=1e-10)
    assert float(consistency.mean_correlation(cov)) == pytest.approx(total["average_r"], rel=1e-10)
    assert float(lower) == pytest.approx(feldt["lower.ci"][0]["raw_alpha"], rel=1e-9)
    assert float(upper) == pytest.approx(feldt["upper.ci"][0]["raw_alpha"], rel=1e-9)
    dropped, rest = consistency.alpha_if_dropped(cov), consistency.item_rest(cov)
    for i, (drop, stats) in enumerate(zip(expected["alpha.drop"], expected["item.stats"], strict=True)):
        assert dropped[i] == pytest.approx(drop["raw_alpha"], rel=1e-10)
        assert rest[i] == pytest.approx(stats["r.drop"], rel=1e-10)


def test_the_table_carries_the_same_numbers(found):
    expected = peer("psych/psych_alpha")
    for row in found.constructs.to_dict("records"):
        total = expected[f"hs_{row['construct']}"]["total"][0]
        assert row["alpha"] == pytest.approx(total["raw_alpha"], rel=1e-10)
        assert row["mean"] == pytest.approx(total["mean"], rel=1e-10)
        assert row["sd"] == pytest.approx(total["sd"], rel=1e-10)
        assert row["n"] == 301 and row["items"] == 3 and row["missing"] == 0
    table = sk.reliability(HS, FACTORS, level=0.90)
    assert table["omega"].to_numpy() == pytest.approx(found.constructs["omega"].to_numpy())
    assert (table["alpha_lower"] > found.constructs["alpha_lower"]).all()


def test_alpha_with_missing_answers_uses_complete_cases_and_says_how_many():
    data = pd.read_csv(REFERENCE / "data" / "HS_missing10.csv")
    table = sk.reliability(data, {"visual": NINE[:3]})
    complete = data[NINE[:3]].dropna()
    assert table["n"][0] == len(complete) < 301
    assert table["alpha"][0] == pytest.approx(float(consistency.alpha(complete.cov().to_numpy())))
    # psych uses pairwise covariances: the same formula on that matrix
    expected = peer("psych/psych_alpha")["hs_missing_visual"]["total"][0]["raw_alpha"]
    assert float(consistency.alpha(data[NINE[:3]].cov().to_numpy())) == pytest.approx(expected, rel=1e-9)


def test_item_statistics_are_those_of_psych(found):
    n = 301
    for row, expected in zip(found.items.to_dict("records"), peer("psych/psych_describe")["hs"], strict=True):
        assert (row["item"], row["n"]) == (expected["item"], n)
        assert row["mean"] == pytest.approx(expected["mean"], rel=1e-10)
        assert row["sd"] == pytest.approx(expected["sd"], rel=1e-10)
        # psych prints b1 and b2 - 3 (Joanes & Gill type 3); ours are G1 and G2 (type 2)
        shrink = ((n - 1) / n) ** 1.5
        assert row["skew"] * (n - 2) / np.sqrt(n * (n - 1)) * shrink == pytest.approx(expected["skew"], rel=1e-9)
        g2 = (row["kurtosis"] * (n - 2) * (n - 3) / (n - 1) - 6) / (n + 1)
        assert (g2 + 3) * ((n - 1) / n) ** 2 - 3 == pytest.approx(expected["kurtosis"], rel=1e-9)


def test_moments_are_those_of_pandas_with_missing_values():
    values = HS[NINE].mask(np.random.default_rng(1).random((301, 9)) < 0.2)
    assert distribution.skewness(values.to_numpy()) == pytest.approx(values.skew().to_numpy())
    assert distribution.kurtosis(values.to_numpy()) == pytest.approx(values.kurt().to_numpy())
    odd = np.array([[1.0, 4.0, np.nan], [2.0, 4.0, np.nan], [np.nan, 4.0, np.nan]])
    assert np.isnan(distribution.skewness(odd)).all() and np.isnan(distribution.kurtosis(odd)).all()


def test_factorability_is_that_of_psych(found):
    expected = peer("psych/psych_kmo_bartlett")["hs"]
    row = found.factorability.iloc[0]
    assert row["kmo"] == pytest.approx(expected["MSA"], rel=1e-10)
    assert row["bartlett_chisq"] == pytest.approx(expected["bartlett"]["chisq"], rel=1e-9)
    assert row["bartlett_df"] == expected["bartlett"]["df"]
    assert row["bartlett_pvalue"] == pytest.approx(expected["bartlett"]["p.value"], rel=1e-6)
    each = dict(zip(found.items["item"], found.items["msa"], strict=True))
    assert each == pytest.approx(expected["MSAi"], rel=1e-10)


# ---------------------------------------------------------------- factor models: lavaan, semTools


def test_loadings_and_fit_are_those_of_lavaan(found):
    case = peer("lavaan/hs_cfa_mlr")
    expected = {row["rhs"]: row for row in case["std"] if row["op"] == "=~"}
    for row in found.loadings.to_dict("records"):
        theirs = expected[row["item"]]
        assert row["std"] == pytest.approx(theirs["est.std"], abs=1e-4 * theirs["se"])
        assert row["std_se"] == pytest.approx(theirs["se"], rel=1e-3)
    measures = case["fit_measures"]
    row = found.fit.iloc[0]
    for ours, theirs in (
        ("chisq", "chisq"), ("cfi", "cfi"), ("rmsea", "rmsea"), ("srmr", "srmr"), ("chisq_scaled", "chisq.scaled"),
        ("cfi_robust", "cfi.robust"), ("rmsea_robust", "rmsea.robust"), ("rmsea_lower", "rmsea.ci.lower"),
    ):  # fmt: skip
        assert row[ours] == pytest.approx(measures[theirs], rel=1e-4), ours


def test_omega_and_variance_extracted_are_those_of_semtools(found):
    expected = peer("semtools/reliability")["hs"]
    table = found.constructs.set_index("construct")
    for code, value in expected["omega_model"].items():
        assert table.loc[code, "omega_model"] == pytest.approx(value["values"], rel=1e-5)
    for code, value in zip(expected["AVE"]["names"], expected["AVE"]["values"], strict=True):
        assert table.loc[code, "ave_raw"] == pytest.approx(value, rel=1e-5)


def test_omega_of_one_construct_is_that_of_lavaans_one_factor_model():
    case = peer("lavaan/hs_one_factor")
    rows = case["estimates"]
    loading = np.array([row["est"] for row in rows if row["op"] == "=~"])
    factor = next(row["lhs"] for row in rows if row["op"] == "=~")
    own = {row["lhs"]: row["est"] for row in rows if row["op"] == "~~" and row["lhs"] == row["rhs"]}
    items = [row["rhs"] for row in rows if row["op"] == "=~"]
    residual = np.array([own[item] for item in items])
    expected = float(consistency.omega(loading, residual, own[factor]))
    assert sk.reliability(HS, {"all": items})["omega"][0] == pytest.approx(expected, rel=1e-5)


def test_reliability_identities():
    loading = np.array([0.8, 0.8, 0.8])
    # parallel items: omega, CR and alpha agree, AVE is the squared loading
    cov = np.outer(loading, loading) + np.diag(1 - loading**2)
    assert float(consistency.alpha(cov)) == pytest.approx(float(consistency.composite_reliability(loading)))
    assert float(consistency.average_variance_extracted(loading)) == pytest.approx(0.64)
    # the metric of the factor does not matter
    rng = np.random.default_rng(2)
    raw, theta = rng.uniform(0.5, 2, 4), rng.uniform(0.5, 1, 4)
    assert float(consistency.omega(raw, theta)) == pytest.approx(float(consistency.omega(raw / 3, theta, 9.0)))
    # alpha is below omega for congeneric items (Novick & Lewis 1967)
    assert float(consistency.alpha(np.outer(raw, raw) + np.diag(theta))) < float(consistency.omega(raw, theta))
    # a batch is the same as one by one
    batch = np.stack([cov, cov * 4, np.outer(raw[:3], raw[:3]) + np.diag(theta[:3])])
    for one in (consistency.alpha, consistency.item_rest, consistency.alpha_if_dropped, consistency.mean_correlation):
        assert one(batch) == pytest.approx(np.stack([one(each) for each in batch]))


def test_the_error_of_alpha_is_the_jackknifes():
    values = HS[NINE[:3]].to_numpy()
    without = np.array([float(consistency.alpha(np.cov(np.delete(values, i, axis=0).T))) for i in range(301)])
    jackknife = np.sqrt(300 / 301 * ((without - without.mean()) ** 2).sum())
    assert float(consistency.alpha_error(values)) == pytest.approx(jackknife, rel=0.01)
    assert float(consistency.alpha_error(values * 7 + 3)) == pytest.approx(float(consistency.alpha_error(values)))
    table = sk.reliability(HS, FACTORS)
    assert table["alpha_se"][0] == pytest.approx(float(consistency.alpha_error(values)))


def test_stratified_alpha_is_the_reliability_of_the_mean_of_parts():
    """Parallel items within parts: population reliability of the composite is known."""
    within, k, parts = 0.5, 3, 3
    owner = np.repeat(np.arange(parts), k)
    cov = np.where(owner[:, None] == owner, within, 0.2) + np.diag(np.full(parts * k, 1 - within))
    true = np.where(owner[:, None] == owner, within, 0.2).sum() / cov.sum()
    mean = (owner == np.arange(parts)[:, None]) / k
    alphas = np.array([float(consistency.alpha(cov[np.ix_(owner == j, owner == j)])) for j in range(parts)])
    assert float(consistency.stratified_alpha(mean @ cov @ mean.T, alphas)) == pytest.approx(true)


def test_factors_point_where_most_of_their_items_point(found):
    """A first item that is not reversed must not turn the whole factor."""
    turned = HS.assign(x1=-HS["x1"], x4=-HS["x4"], x5=-HS["x5"])
    other = sk.validate(turned, FACTORS)
    sign = np.array([-1, 1, 1, 1, 1, -1, 1, 1, 1])  # of textual two of three point down: x6 is the odd one
    assert other.loadings["std"].to_numpy() == pytest.approx(found.loadings["std"].to_numpy() * sign, rel=1e-5)
    assert other.fornell_larcker.loc["textual", "visual"] == pytest.approx(
        -found.fornell_larcker.loc["textual", "visual"], rel=1e-5
    )
    assert ("validation.negative-item", "x1") in codes(other)


# ---------------------------------------------------------------- discriminant validity


def test_htmt_is_that_of_semtools(found):
    expected = peer("semtools/reliability")["htmt_hs"]
    for ours, theirs in ((found.htmt, "htmt1"), (found.htmt2, "htmt2")):
        names = expected[theirs]["rows"]
        assert ours.loc[names, names].to_numpy() == pytest.approx(np.array(expected[theirs]["values"]), rel=1e-9)
    assert found.ratio("visual", "speed") == pytest.approx(0.466549738479, rel=1e-9)
    assert np.isnan(found.ratio("visual", "nothing"))


def test_htmt_is_the_factor_correlation_when_loadings_are_equal():
    loading, phi = 0.7, 0.63
    owner = np.repeat([0, 1], 4)
    corr = np.where(owner[:, None] == owner, 1.0, phi) * loading**2
    np.fill_diagonal(corr, 1.0)
    for ratio in (distinctness.htmt, distinctness.htmt2):
        assert ratio(corr, range(4), range(4, 8)) == pytest.approx(phi)
    # unequal loadings: HTMT2 stays exact (Roemer et al. 2021)
    uneven = np.array([0.9, 0.8, 0.5, 0.4, 0.9, 0.7, 0.6, 0.3])
    corr = np.outer(uneven, uneven) * np.where(owner[:, None] == owner, 1.0, phi)
    np.fill_diagonal(corr, 1.0)
    assert distinctness.htmt2(corr, range(4), range(4, 8)) == pytest.approx(phi)
    assert distinctness.htmt(corr, range(4), range(4, 8)) > phi + 0.005
    assert np.isnan(distinctness.htmt(corr, [0], range(4, 8)))


def test_fornell_larcker_has_roots_of_ave_and_factor_correlations(found):
    table, constructs = found.fornell_larcker, found.constructs
    assert np.diag(table) == pytest.approx(np.sqrt(constructs["ave"].to_numpy()))
    theirs = next(r for r in peer("lavaan/hs_cfa_ml")["std"] if (r["lhs"], r["rhs"]) == ("visual", "textual"))
    assert table.loc["visual", "textual"] == table.loc["textual", "visual"]
    assert table.loc["visual", "textual"] == pytest.approx(theirs["est.std"], abs=1e-5)


# ---------------------------------------------------------------- notes and thresholds


def planted(n=600, seed=4):
    """Two good constructs, one weak, two that are one, and broken items."""
    rng = np.random.default_rng(seed)
    good, weak, twin = rng.normal(size=(3, n))
    columns = {f"g{i}": 0.8 * good + 0.6 * rng.normal(size=n) for i in range(1, 5)}
    columns |= {f"w{i}": 0.4 * weak + 0.92 * rng.normal(size=n) for i in range(1, 4)}
    columns |= {f"t{i}": 0.8 * twin + 0.6 * rng.normal(size=n) for i in range(1, 4)}
    columns |= {f"u{i}": 0.8 * twin + 0.6 * rng.normal(size=n) for i in range(1, 4)}
    frame = pd.DataFrame(columns)
    frame["g4"] = -frame["g4"]
    frame["same"] = 3.0
    return frame


PLANTED = {
    "good": ["g1", "g2", "g3", "g4", "same"], "weak": ["w1", "w2", "w3"], "twin": ["t1", "t2", "t3"],
    "other": ["u1", "u2", "u3"],
}  # fmt: skip


def test_each_planted_fault_gets_its_note():
    found = sk.validate(planted(), PLANTED)
    notes = codes(found)
    assert ("validation.constant-item", "same") in notes
    assert ("validation.negative-item", "g4") in notes
    assert ("validation.low-loading", "g4") in notes
    assert ("validation.low-alpha", "weak") in notes and ("validation.low-omega", "weak") in notes
    assert ("validation.low-ave", "weak") in notes
    assert ("validation.htmt-fail", "twin, other") in notes
    assert ("validation.low-alpha", "twin") not in notes
    assert found.ratio("good", "twin") < 0.2
    # the constant item is left out, and everything else is there
    row = found.constructs.set_index("construct").loc["good"]
    assert row["items"] == 5 and np.isfinite([row["alpha"], row["omega"], row["ave"]]).all()
    assert set(found.loadings["item"]) == set(planted().columns) - {"same"}


def test_a_code_for_missing_is_not_taken_for_an_answer():
    data = HS.assign(x2=HS["x2"].mask(HS.index < 5, -99.0))
    found = sk.validate(data, FACTORS)
    assert ("validation.missing-code", "x2") in codes(found)
    assert not {note.code for note in sk.validate(HS, FACTORS).notes} & {"validation.missing-code"}


def test_limits_are_the_researchers():
    strict = Thresholds(reliability_minimum=0.80, reliability_good=0.95, htmt_warn=0.1, htmt_fail=0.5, loading=0.8)
    notes = codes(sk.validate(HS, FACTORS, strict))
    assert ("validation.low-alpha", "visual") in notes and ("validation.fair-alpha", "textual") in notes
    assert ("validation.htmt-warn", "visual, textual") in notes
    assert ("validation.low-loading", "x1") in notes
    default = codes(sk.validate(HS, FACTORS))
    assert ("validation.fair-alpha", "visual") in default and ("validation.low-loading", "x2") in default
    assert ("validation.poor-rmsea", "all constructs") in default and (
        "validation.fair-cfi",
        "all constructs",
    ) in default


def test_a_model_that_fails_leaves_the_other_tables(monkeypatch):
    from semkit.errors import Problem

    def broken(*_, **__):
        raise SampleError(Problem("sample.x", "here", "cannot be fitted"))

    monkeypatch.setattr("semkit.fitting.cfa", broken)
    found = sk.validate(HS, FACTORS)
    assert ("validation.model-failed", "all constructs") in codes(found)
    assert found.constructs["alpha"].notna().all() and found.constructs["omega"].isna().all()
    assert found.htmt.notna().to_numpy().all() and found.loadings.empty
    assert found.items["loading"].isna().all()
    assert "Validation of 3 constructs" in repr(found)


def test_a_model_that_does_not_converge_is_not_read(monkeypatch):
    monkeypatch.setattr("semkit.fitting.cfa", lambda *_, **__: SimpleNamespace(converged=False))
    found = sk.validate(HS, FACTORS)
    assert ("validation.model-not-converged", "all constructs") in codes(found)
    assert found.constructs["cr"].isna().all() and found.fit["cfi"].isna().all()


def test_a_model_on_few_complete_cases_is_marked():
    data = pd.read_csv(REFERENCE / "data" / "HS_missing10.csv")
    found = sk.validate(data, FACTORS)
    complete = len(data[NINE].dropna())
    note = next(note for note in found.notes if note.code == "validation.many-incomplete")
    assert f"only {complete} of 301" in note.what and found.fit["n"][0] == complete
    assert "validation.many-incomplete" not in {note.code for note in sk.validate(HS, FACTORS).notes}


def test_few_respondents_leave_what_can_be_computed():
    found = sk.validate(HS.head(8), FACTORS)
    assert ("validation.few-cases", "all constructs") in codes(found)
    assert found.constructs["alpha"].notna().all()
    two = sk.validate(HS.head(2), FACTORS)
    assert two.constructs["alpha"].isna().all() and len(two.items) == 9
    none = sk.validate(HS.head(0), FACTORS)
    assert none.nobs == 0 and none.constructs["n"].tolist() == [0, 0, 0]


def test_two_items_and_one_item():
    found = sk.validate(HS, {"pair": ["x1", "x2"], "one": ["x4"], "textual": ["x5", "x6", "x7"]})
    table = found.constructs.set_index("construct")
    assert table.loc["pair", "omega"] == pytest.approx(table.loc["pair", "alpha"])
    assert np.isfinite(table.loc["pair", "cr"])
    assert np.isnan(table.loc["one", "alpha"]) and np.isnan(found.ratio("one", "pair"))
    alone = sk.validate(HS, {"pair": ["x1", "x2"]})
    assert alone.fit.empty and alone.constructs["alpha"].notna().all()


def test_names_that_are_no_identifiers_are_measured_too():
    strange = HS[NINE].rename(columns={"x1": "x 1 =~ ~", "x2": "__import__('os')", "x3": "1"})
    found = sk.validate(strange, {"a b:c": ["x 1 =~ ~", "__import__('os')", "1"], "f2": NINE[3:6]})
    assert found.loadings["item"].tolist()[:3] == ["x 1 =~ ~", "__import__('os')", "1"]
    assert found.loadings["construct"].tolist() == ["a b:c"] * 3 + ["f2"] * 3
    assert found.constructs["omega"].notna().all()


def test_notes_of_the_engine_carry_the_researchers_names():
    original, named = {"v1": "trust_1"}, {"f1": "trust"}
    note = measuring._translate(Note("x.y", "warning", "what", "v1 ~~ v1"), "m", original, named)
    assert note.where == "m: trust_1 ~~ trust_1"


# ---------------------------------------------------------------- instruments


def answered(n=500, seed=6):
    """Answers to two of the border instruments: dimensions correlate .4, loadings .75, five points."""
    forms = [sk.load_instrument(name) for name in ("government_role", "marketing_performance")]
    rng = np.random.default_rng(seed)
    columns = {}
    common = rng.normal(size=n)
    for form in forms:
        for construct in form.constructs:
            if construct.order == 1 and construct.type != "none" and construct.code not in columns:
                trait = np.sqrt(0.4) * common + np.sqrt(0.6) * rng.normal(size=n)
                for item in construct.items:
                    raw = 0.75 * trait + np.sqrt(1 - 0.75**2) * rng.normal(size=n)
                    columns[item] = np.clip(np.round(3 + 1.1 * raw), 1, 5)
    return SimpleNamespace(frame=pd.DataFrame(columns), forms=forms)


def test_constructs_come_from_the_instruments():
    data = answered()
    found = sk.validate(data)
    named = {c.code for form in data.forms for c in form.constructs if c.order == 1 and c.type != "none"}
    assert set(found.constructs["construct"]) == named
    assert {form.name for form in data.forms} <= set(found.fit["model"])
    assert found.constructs["alpha"].min() > 0.6 and found.constructs["ave"].between(0.3, 0.75).all()
    wholes = found.composites.set_index("construct")
    assert "govt" in wholes.index or len(wholes) > 0
    assert wholes["stratified_alpha"].between(0.6, 1).all()
    assert found.items["floor"].between(0, 0.25).all() and found.items["ceiling"].notna().all()
    across = [found.htmt.loc[a, b] for a in found.htmt for b in found.htmt if a < b]
    assert np.mean(across) == pytest.approx(0.4, abs=0.08)
    ends = data.frame.assign(**{found.items["item"][0]: np.resize([5.0, 5.0, 4.0], 500)})
    ceiling = sk.validate(SimpleNamespace(frame=ends, forms=data.forms))
    assert ("validation.ceiling", found.items["item"][0]) in codes(ceiling)
    assert "Validation of" in repr(found)


def test_items_that_were_not_fielded_are_said_to_be_absent():
    data = answered()
    first = sk.validate(data).items.iloc[0]
    found = sk.validate(SimpleNamespace(frame=data.frame.drop(columns=first["item"]), forms=data.forms))
    assert ("validation.items-absent", first["construct"]) in codes(found)


def test_people_who_were_not_asked_do_not_count():
    """A heap of ones from routing would raise alpha; it is left out."""
    form = sk.load_instrument("collaborative_network")
    routing = form.routing[0]
    rng = np.random.default_rng(3)
    items = [item.name for item in form.scored_items]
    frame = pd.DataFrame(np.clip(np.round(rng.normal(3.5, 1, (400, len(items)))), 1, 5), columns=items)
    frame[routing.name] = (np.arange(400) < 60).astype(float)
    code = routing.scored[0]
    own = [item.name for item in form.items_of(code)]
    frame.loc[:59, own] = float(routing.scored_as)
    found = sk.validate(SimpleNamespace(frame=frame, forms=[form])).constructs.set_index("construct")
    asked = frame.loc[60:, own]
    assert found.loc[code, "n"] == 340
    assert found.loc[code, "alpha"] == pytest.approx(float(consistency.alpha(asked.cov().to_numpy())))
    heaped = sk.validate(frame.drop(columns=routing.name), [form]).constructs.set_index("construct")
    assert heaped.loc[code, "alpha"] > found.loc[code, "alpha"] + 0.2


# ---------------------------------------------------------------- refusals


def problems_of(error, *args, **options):
    with pytest.raises(error) as caught:
        sk.validate(*args, **options)
    return {problem.code: problem for problem in caught.value.problems}


def test_wrong_input_is_refused_all_at_once():
    wrong = problems_of(OptionError, HS, {"a": ["x1", "x1", "xx2"], "b": "x3", "c": []})
    assert wrong.keys() == {"validation.repeated-item", "validation.unknown-column", "validation.no-items"}
    assert "Did you mean" in wrong["validation.unknown-column"].remedy
    assert "validation.data" in problems_of(OptionError, [1, 2], FACTORS)
    assert "validation.no-constructs" in problems_of(OptionError, HS)
    assert "validation.no-constructs" in problems_of(OptionError, HS, {})
    text = HS.assign(x1="agree", x2=HS["x2"].mask(HS.index == 1, np.inf))
    assert problems_of(SampleError, text, FACTORS).keys() == {"validation.not-numeric", "validation.infinite"}
    double = pd.concat([HS, HS[["x1"]]], axis=1)
    assert "validation.duplicate-column" in problems_of(SampleError, double, FACTORS)


def test_input_is_not_changed():
    before = HS.copy()
    sk.validity(HS, FACTORS)
    pd.testing.assert_frame_equal(before, HS)
