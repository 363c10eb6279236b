"""Moderated regression against base R (lm, sandwich), PROCESS, statsmodels and exact identities."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import OptionError, SampleError
from semkit.numerics.codes import missing_code
from semkit.regression import leastsquares as ls
from semkit.result import Result, quantity
from tests.reference.harness import VARIABLE, find_data

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
PATHS = pd.read_csv(REFERENCE / "data" / "path_sim.csv")
PEER = json.loads((REFERENCE / "numbers" / "other" / "ols_interaction.json").read_text())
TERM = {"(Intercept)": "Y ~1", "X": "Y ~ X", "W": "Y ~ W", "M1": "Y ~ M1", "X:W": "Y ~ X:W"}


def fit(**options):
    return sk.moderated_regression(PATHS, "Y", "X", "W", ["M1"], **options)


def simulated(n=400, seed=5, **extra):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(2, n))
    y = 1 + 0.4 * x + 0.2 * w + 0.3 * x * w + rng.normal(size=n) * (1 + 0.5 * np.abs(x))
    return pd.DataFrame({"x": x + 3, "w": w + 2, "y": y, **extra})


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3", "HC4"])
def test_robust_errors_are_those_of_r(kind):
    result = fit(se=kind, center=False)
    for term, expected in PEER["hc_se"][kind].items():
        got = float(np.sqrt(np.diag(result.vcov))[result.names.index(TERM[term])])
        assert got == pytest.approx(expected, rel=1e-9), term


@pytest.mark.parametrize(("center", "block"), [(False, "raw"), (True, "centered")])
def test_estimates_tests_and_intervals_are_those_of_r(center, block):
    result = fit(se="classical", center=center)
    table = result.estimates.set_index(pd.Index(result.names))
    for row in PEER[block]:
        got = table.loc[TERM[row["term"]]]
        for ours, theirs in (
            ("est", "est"),
            ("se", "se"),
            ("stat", "t"),
            ("pvalue", "p"),
            ("ci_lower", "lo"),
            ("ci_upper", "hi"),
        ):
            assert got[ours] == pytest.approx(row[theirs], rel=1e-8), (row["term"], ours)


def test_fit_and_product_test_are_those_of_r():
    result = fit(se="classical")
    measures = result.fit_measures
    anova = PEER["anova"][1]
    assert measures["r2"] == pytest.approx(PEER["r2"], rel=1e-10)
    assert measures["adj_r2"] == pytest.approx(PEER["adjr2"], rel=1e-10)
    assert measures["sigma"] == pytest.approx(PEER["sigma"], rel=1e-10)
    assert measures["delta_r2"] == pytest.approx(PEER["dR2"], rel=1e-8)
    assert measures["f"] == pytest.approx(anova["F"], rel=1e-8)
    assert measures["pvalue"] == pytest.approx(anova["Pr(>F)"], rel=1e-8)
    assert measures["f_robust"] == pytest.approx(measures["f"], rel=1e-8)
    assert measures["f2"] == pytest.approx(measures["delta_r2"] / (1 - measures["r2"]), rel=1e-12)
    assert result.leverage == pytest.approx(np.array(PEER["hat"]), rel=1e-8)


def test_errors_are_those_of_statsmodels():
    from statsmodels.regression.linear_model import OLS

    x, w = PATHS["X"] - PATHS["X"].mean(), PATHS["W"] - PATHS["W"].mean()
    design = np.column_stack([np.ones(len(x)), x, w, x * w, PATHS["M1"]])
    peer = OLS(PATHS["Y"].to_numpy(), design).fit()
    for kind in ("HC0", "HC1", "HC2", "HC3"):
        assert fit(se=kind).vcov == pytest.approx(getattr(peer, f"cov_{kind}"), rel=1e-9, abs=1e-14)
    assert fit(se="classical").vcov == pytest.approx(peer.cov_params(), rel=1e-9, abs=1e-14)


def test_process_model_1_to_the_printed_digit():
    path = find_data("Data_Model1.csv")
    if path is None:
        pytest.skip(f"{VARIABLE} is not set: the PROCESS files are read in place only")
    data = pd.read_csv(path)
    text = path.with_name("Results_OLS_Model1.txt").read_text(encoding="utf-8-sig")
    result = sk.moderated_regression(data, "y", "x", "m", se="HC3", center=False)
    table = result.estimates.set_index(pd.Index(result.names))
    printed = {"constant": "y ~1", "m": "y ~ m", "x": "y ~ x", "int_1": "y ~ x:m"}
    model = text[text.index("\nModel\n") : text.index("Product terms key")]
    for label, name in printed.items():
        numbers = [float(v) for v in re.search(rf"^{label}\s+(.*)$", model, re.M).group(1).split()]
        got = table.loc[name, ["est", "se", "stat", "pvalue", "ci_lower", "ci_upper"]].to_numpy(dtype=float)
        assert np.abs(got - numbers).max() <= 0.5e-4 + 1e-9, (name, got, numbers)
    change = [float(v) for v in re.search(r"^int_1\s+(\.1505.*)$", text, re.M).group(1).split()]
    test = result.interaction
    assert abs(test.delta_r2 - change[0]) <= 0.5e-4
    # PROCESS prints the heteroscedasticity-robust F under HC3
    assert abs(test.f_robust - change[1]) <= 0.5e-4


def test_standardised_values_follow_the_product_rule():
    result = fit()
    sd = PATHS[["X", "W", "M1", "Y"]].std()
    b = dict(zip(result.names, result.est, strict=True))
    std = dict(zip(result.names, result.std_est, strict=True))
    assert std["Y ~ X"] == pytest.approx(b["Y ~ X"] * sd["X"] / sd["Y"])
    assert std["Y ~ X:W"] == pytest.approx(b["Y ~ X:W"] * sd["X"] * sd["W"] / sd["Y"])
    assert std["Y ~ M1"] == pytest.approx(b["Y ~ M1"] * sd["M1"] / sd["Y"])
    # with z-scored variables the raw coefficients are these standardised ones
    scored = ((PATHS - PATHS.mean()) / PATHS.std())[["X", "W", "M1", "Y"]]
    again = sk.moderated_regression(scored, "Y", "X", "W", ["M1"])
    assert again.est[1:] == pytest.approx(result.std_est[1:])


def test_binary_predictors_are_not_rescaled():
    data = simulated(group=(np.arange(400) % 3 == 0).astype(float))
    result = sk.moderated_regression(data, "y", "x", "group", ["w"])
    b = dict(zip(result.names, result.est, strict=True))
    std = dict(zip(result.names, result.std_est, strict=True))
    sd = data.std()
    assert result.variables["group"].binary
    assert std["y ~ group"] == pytest.approx(b["y ~ group"] / sd["y"])
    assert std["y ~ x:group"] == pytest.approx(b["y ~ x:group"] * sd["x"] / sd["y"])
    assert "regression.binary-moderator" in {note.code for note in result.notes}


@pytest.mark.parametrize("kind", ["HC0", "classical"])
def test_standardised_errors_are_the_numerical_delta_method_or_the_known_case(kind):
    """HC0: the infinitesimal jackknife, by weights, of the whole standardising map (an independent route)."""
    data = simulated(n=300, seed=9)
    result = sk.moderated_regression(data, "y", "x", "w", se=kind)
    if kind == "classical":
        # no effect at all: var(b*) of one standardised slope is that of b with fixed SDs
        quiet = data.assign(y=np.random.default_rng(1).normal(size=300))
        null = sk.moderated_regression(quiet, "y", "x", "w", se="classical")
        scale = null.std_est[1] / null.est[1]
        assert np.sqrt(null.std_vcov[1, 1]) == pytest.approx(scale * np.sqrt(null.vcov[1, 1]), rel=0.02)
        return
    x, w = (data[name].to_numpy() - data[name].mean() for name in ("x", "w"))
    design = np.column_stack([np.ones(300), x, w, x * w])
    scaling, y = data[["x", "w"]].to_numpy(), data["y"].to_numpy()
    powers = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=float)
    step = 1e-5
    counts = np.ones((300, 300)) + step * np.eye(300)
    coef, variance, out, ok = ls.resampled_fits(design, y, scaling, counts)
    base = ls.resampled_fits(design, y, scaling, np.ones((1, 300)))
    assert ok.all()
    std = ls.standardise(coef, variance, powers, out) - ls.standardise(base[0], base[1], powers, base[2])
    influence = std / step
    expected = influence.T @ influence
    assert result.std_vcov[1:, 1:] == pytest.approx(expected[1:, 1:], rel=2e-2, abs=2e-5)


def test_standardised_errors_cover():
    """A simulation: mean estimated variance of the standardised product against its true variance."""
    rng = np.random.default_rng(77)
    estimates, robust, classical = [], [], []
    for _ in range(300):
        x, w = rng.normal(size=(2, 200))
        y = 0.5 * x + 0.3 * w + 0.4 * x * w + rng.normal(size=200)
        frame = pd.DataFrame({"x": x, "w": w, "y": y})
        first = sk.moderated_regression(frame, "y", "x", "w", se="HC3")
        estimates.append(first.std_est[1:])
        robust.append(np.diag(first.std_vcov)[1:])
        classical.append(np.diag(sk.moderated_regression(frame, "y", "x", "w", se="classical").std_vcov)[1:])
    true = np.var(estimates, axis=0, ddof=1)
    assert np.mean(robust, axis=0) / true == pytest.approx(np.ones(3), abs=0.25)
    assert np.mean(classical, axis=0) / true == pytest.approx(np.ones(3), abs=0.25)


def test_recentring_changes_main_effects_only():
    centred, raw = fit(), fit(center=False)
    moved = sk.moderated_regression(PATHS.assign(W=PATHS["W"] + 100, X=PATHS["X"] - 7), "Y", "X", "W", ["M1"])
    assert quantity(centred, "Y ~ X:W").est == pytest.approx(quantity(raw, "Y ~ X:W").est, rel=1e-9)
    assert quantity(centred, "Y ~ X:W").se == pytest.approx(quantity(raw, "Y ~ X:W").se, rel=1e-9)
    assert moved.est == pytest.approx(centred.est, rel=1e-8)
    assert moved.vcov == pytest.approx(centred.vcov, rel=1e-7, abs=1e-12)
    assert centred.r2 == pytest.approx(raw.r2, rel=1e-12)
    # the main effect at the mean is the raw one moved along the product
    assert centred.est[1] == pytest.approx(raw.est[1] + raw.est[3] * PATHS["W"].mean())
    assert centred.variables["W"].center == pytest.approx(PATHS["W"].mean())
    assert raw.variables["W"].center == 0.0


def test_vif_is_the_regression_of_each_predictor_on_the_others():
    result = fit()
    x, w = PATHS["X"] - PATHS["X"].mean(), PATHS["W"] - PATHS["W"].mean()
    columns = np.column_stack([x, w, x * w, PATHS["M1"]])
    for j in range(4):
        others = np.column_stack([np.ones(250), np.delete(columns, j, axis=1)])
        rest = columns[:, j] - others @ np.linalg.lstsq(others, columns[:, j], rcond=None)[0]
        assert result.vif[j + 1] == pytest.approx(columns[:, j].var() / rest.var(), rel=1e-9)
    assert np.isnan(result.vif[0])


def test_bootstrap_is_refitting_drawn_rows():
    from semkit.numerics.jobs import Chunk, resample_counts

    result = fit(bootstrap=120, seed=4)
    counts = resample_counts(Chunk(0, 0, 120, 4), 250)
    x, w = PATHS["X"] - PATHS["X"].mean(), PATHS["W"] - PATHS["W"].mean()
    design = np.column_stack([np.ones(250), x, w, x * w, PATHS["M1"]])
    for draw in (0, 57, 119):
        rows = np.repeat(np.arange(250), counts[draw].astype(int))
        expected = np.linalg.lstsq(design[rows], PATHS["Y"].to_numpy()[rows], rcond=None)[0]
        assert result.draws[draw] == pytest.approx(expected, rel=1e-8)
        sd = PATHS.iloc[rows].std()
        assert result.std_draws[draw, 3] == pytest.approx(expected[3] * sd["X"] * sd["W"] / sd["Y"], rel=1e-8)
    assert fit(bootstrap=120, seed=4).draws.tobytes() == result.draws.tobytes()
    assert fit(bootstrap=120, seed=5).draws.tobytes() != result.draws.tobytes()
    assert result.provenance["draws_requested"] == 120
    row = result.estimates.iloc[1]
    assert row["ci_lower"] == np.sort(result.draws[:, 1])[2]


def test_singular_draws_are_counted_not_used():
    data = simulated(n=24, rare=np.r_[1.0, np.zeros(23)])
    result = sk.moderated_regression(data, "y", "x", "w", ["rare"], bootstrap=200)
    failed = result.provenance["draws_failed"]
    assert 30 < failed < 120  # P(the row is not drawn) = (23/24)^24 = .36
    assert len(result.draws) == 200 - failed
    assert np.isfinite(result.draws).all()


@pytest.mark.parametrize("kind", ["HC0", "HC2", "HC3"])  # HC4 compares leverages with k / n, which changes, too
def test_a_coefficient_that_one_row_decides_has_no_robust_error(kind):
    """A dummy of a single row drops that row: the other coefficients and errors are those without it."""
    data = simulated(n=80, rare=np.r_[1.0, np.zeros(79)])
    result = sk.moderated_regression(data, "y", "x", "w", ["rare"], se=kind, center=False)
    without = sk.moderated_regression(data.iloc[1:], "y", "x", "w", se=kind, center=False)
    assert result.est[:4] == pytest.approx(without.est, rel=1e-9)
    assert result.vcov[:4, :4] == pytest.approx(without.vcov, rel=1e-7)
    assert np.isnan(result.vcov[4, 4]) and np.isnan(result.std_vcov[4]).all()
    assert np.isfinite(result.std_vcov[1:4, 1:4]).all()
    row = result.estimates.iloc[4]
    assert np.isnan(row[["se", "pvalue", "ci_lower"]].astype(float)).all()
    assert "regression.high-leverage" in {note.code for note in result.notes}
    assert np.isfinite(sk.probe(result, "x", "w").lines["predicted"]).all()


def test_factors_are_dummies_with_a_named_reference():
    data = simulated(region=np.resize(["Sambas", "Sanggau", "Kapuas Hulu"], 400))
    result = sk.moderated_regression(data, "y", "x", "w", ["region"], factors={"region": "Sanggau"})
    assert result.names[4:] == ("y ~ region[Kapuas Hulu]", "y ~ region[Sambas]")
    other = sk.moderated_regression(data, "y", "x", "w", factors=["region"])
    assert other.names[4:] == ("y ~ region[Sambas]", "y ~ region[Sanggau]")
    assert other.est[3] == pytest.approx(result.est[3], rel=1e-10)
    assert other.r2 == pytest.approx(result.r2, rel=1e-12)


def test_listwise_shows_who_was_left_out():
    data = simulated()
    data.loc[:9, "x"] = np.nan
    data.loc[5:14, "y"] = np.nan
    result = sk.moderated_regression(data.assign(unused=np.nan), "y", "x", "w")
    assert (result.nobs_received, result.nobs) == (400, 385)
    note = next(note for note in result.notes if note.code == "regression.listwise")
    assert "15 of 400" in note.what
    full = sk.moderated_regression(data.dropna(), "y", "x", "w")
    assert full.est.tobytes() == result.est.tobytes()


def test_a_record_with_a_frame_is_data():
    assert sk.moderated_regression(SimpleNamespace(frame=PATHS), "Y", "X", "W", ["M1"]).est == pytest.approx(fit().est)


def test_the_contract_is_kept_and_the_input_is_not_changed():
    before = PATHS.copy()
    result = fit()
    pd.testing.assert_frame_equal(before, PATHS)
    assert isinstance(result, Result)
    assert result.vcov.shape == result.std_vcov.shape == (5, 5)
    assert [term.factors for term in result.terms] == [("X",), ("W",), ("X", "W"), ("M1",)]
    assert all(term.name in result.names for term in result.terms)
    assert result.reference.df == 245
    recipe = result.recipe
    again = sk.moderated_regression(
        PATHS, recipe.outcome, recipe.focal, recipe.moderator, recipe.covariates, recipe.se, recipe.center
    )
    assert again.est.tobytes() == result.est.tobytes()
    assert "N used 250 of 250" in repr(result)
    with pytest.raises(AttributeError):
        result.est = np.zeros(5)
    assert replace(result, method="x").method == "x"


def test_notes_on_collinearity_leverage_and_tails():
    data = simulated()
    codes = {note.code for note in sk.moderated_regression(data, "y", "x", "w").notes}
    assert codes == set()
    raw = sk.moderated_regression(data.assign(x=data["x"] + 50, w=data["w"] + 50), "y", "x", "w", center=False)
    assert "regression.high-vif" in {note.code for note in raw.notes}
    far = data.copy()
    far.loc[0, ["x", "w"]] = [60.0, 60.0]
    assert "regression.high-leverage" in {note.code for note in sk.moderated_regression(far, "y", "x", "w").notes}
    few = data.assign(w=np.r_[np.full(395, 1.0) + np.linspace(0, 0.1, 395), np.full(5, 9.0)])
    assert "regression.few-in-tail" in {note.code for note in sk.moderated_regression(few, "y", "x", "w").notes}
    small = sk.moderated_regression(data.head(30), "y", "x", "w")
    assert "regression.few-cases" in {note.code for note in small.notes}


def test_a_code_for_missing_is_not_taken_for_a_number():
    data = simulated()
    coded = sk.moderated_regression(data.assign(w=data["w"].mask(data.index < 7, -99.0)), "y", "x", "w")
    note = next(note for note in coded.notes if note.code == "regression.missing-code")
    assert note.where == "w" and note.what.startswith("7 respondents have -99")
    assert missing_code(np.array([1.0, 2.0, 5.0, 99.0, np.nan])) == 99.0
    assert missing_code(np.array([10.0, 60.0, 99.0])) is None
    assert missing_code(np.array([0.0, 99.0])) is None


def test_moderation_among_real_customers():
    """Switching costs moderate satisfaction -> loyalty: the sign of the textbook example, on raw means."""
    path = find_data("corporate_reputation.csv")
    if path is None:
        pytest.skip(f"{VARIABLE} is not set: the customer survey is read in place only")
    raw = pd.read_csv(path)
    switch = [f"switch_{i}" for i in range(1, 5)]
    loyal = [f"cusl_{i}" for i in range(1, 4)]
    answers = raw[["cusa", *switch, *loyal]].replace(-99, np.nan)
    data = pd.DataFrame(
        {"sat": answers["cusa"], "switch": answers[switch].mean(axis=1), "loyal": answers[loyal].mean(axis=1)}
    )
    result = sk.moderated_regression(data, "loyal", "sat", "switch")
    assert result.nobs_received == 344 and result.nobs == len(data.dropna())
    assert quantity(result, "loyal ~ sat").ci_lower > 0.3
    assert result.est[3] < 0
    slopes = sk.probe(result, "sat", "switch").slopes["slope"].to_numpy()
    assert slopes[0] > slopes[1] > slopes[2] > 0
    coded = raw[["cusa", *switch, *loyal]].rename(columns={"cusa": "sat", "switch_1": "switch", "cusl_2": "loyal"})
    uncleaned = sk.moderated_regression(coded, "loyal", "sat", "switch")
    assert "regression.missing-code" in {note.code for note in uncleaned.notes}


def problems_of(error, *args, **options):
    with pytest.raises(error) as caught:
        sk.moderated_regression(*args, **options)
    return {problem.code: problem for problem in caught.value.problems}


def test_wrong_names_are_reported_together():
    found = problems_of(OptionError, PATHS, "Yy", "X", "W", ["W", "__import__('os')"])
    assert found.keys() == {"regression.unknown-column", "regression.repeated-variable"}
    first = problems_of(OptionError, PATHS, "M", "X", "W")["regression.unknown-column"]
    assert 'Did you mean "M' in first.remedy
    assert "regression.repeated-variable" in problems_of(OptionError, PATHS, "Y", "X", "X")
    assert problems_of(OptionError, PATHS, "Y", "X", "W", "M1", se="HC5", bootstrap=-1, seed=1.5).keys() == {
        "regression.names", "regression.se", "regression.bootstrap", "regression.seed",
    }  # fmt: skip
    assert "regression.data" in problems_of(OptionError, {"Y": [1]}, "Y", "X", "W")
    double = pd.concat([PATHS, PATHS[["X"]]], axis=1)
    assert "regression.duplicate-column" in problems_of(OptionError, double, "Y", "X", "W")


def test_data_that_cannot_answer():
    data = simulated(text="a", same=4.0)
    data["copy"] = 2 * data["x"] - 1
    data["far"] = data["x"].mask(data.index == 3, np.inf)
    assert "regression.not-numeric" in problems_of(SampleError, data, "y", "x", "w", ["text"])
    assert "regression.infinite" in problems_of(SampleError, data, "y", "far", "w")
    assert 'variable "same"' in problems_of(SampleError, data, "y", "x", "same")["regression.constant"].where
    assert problems_of(SampleError, data, "y", "x", "w", ["copy"])["regression.collinear"].where == "x, copy"
    assert "regression.too-few" in problems_of(SampleError, data.head(4), "y", "x", "w")
    assert "regression.too-few" in problems_of(SampleError, data.head(0), "y", "x", "w")
    many = data.assign(g=[str(i) for i in range(400)]).head(12)
    assert "regression.too-few" in problems_of(SampleError, many, "y", "x", "w", factors=["g"])
    assert "regression.levels" in problems_of(SampleError, data, "y", "x", "w", factors=["text"])
    wrong = problems_of(SampleError, data.assign(g=np.resize(["a", "b"], 400)), "y", "x", "w", factors={"g": "c"})
    assert "regression.unknown-level" in wrong
