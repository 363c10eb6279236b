"""Simple slopes and Johnson-Neyman regions against base R, PROCESS, semTools and exact identities."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import ModelError, NotSupportedError, OptionError, ResultError
from semkit.probe import neyman
from semkit.result import Reference, Term, Variable
from tests.reference.harness import VARIABLE, find_data

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
PATHS = pd.read_csv(REFERENCE / "data" / "path_sim.csv")
PEER = json.loads((REFERENCE / "numbers" / "other" / "ols_interaction.json").read_text())


def fit(data=PATHS, **options):
    return sk.moderated_regression(data, "Y", "X", "W", ["M1"], **options)


def crossing(n=500, seed=8, moderator="normal"):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    w = (rng.random(n) < 0.4).astype(float) if moderator == "binary" else rng.normal(2.0, 1.5, n)
    y = 0.5 * x + 0.2 * w + 0.35 * x * (w - 2.5) + rng.normal(size=n)
    return pd.DataFrame({"x": x + 1, "w": w, "y": y})


# ---------------------------------------------------------------- peers


def test_slopes_and_roots_are_those_of_r():
    found = sk.probe(fit(se="classical"), "X", "W")
    mean = PATHS["W"].mean()
    for row, expected in zip(found.slopes.to_dict("records"), PEER["simple_slopes_pm1sd"], strict=True):
        assert row["value"] == pytest.approx(expected["w"] + mean, rel=1e-9)
        for ours, theirs in (("slope", "slope"), ("se", "se"), ("stat", "t"), ("pvalue", "p")):
            assert row[ours] == pytest.approx(expected[theirs], rel=1e-8)
    # the peer's roots are in the metric of the centred moderator
    assert found.roots["value"].to_numpy() == pytest.approx(np.array(PEER["jn_bounds"]) + mean, rel=1e-9)


def test_process_conditional_effects_to_the_printed_digit():
    path = find_data("Data_Model1.csv")
    if path is None:
        pytest.skip(f"{VARIABLE} is not set: the PROCESS files are read in place only")
    data = pd.read_csv(path)
    text = path.with_name("Results_OLS_Model1.txt").read_text(encoding="utf-8-sig")
    block = text[text.index("Conditional effect of X") : text.index("Values for quantitative")]
    printed = [
        [float(v) for v in line.split()] for line in re.findall(r"^\s+-?[\d.]+(?:\s+-?[\d.]+){6}\s*$", block, re.M)
    ]
    assert len(printed) == 3
    for center in (True, False):
        slopes = sk.probe(sk.moderated_regression(data, "y", "x", "m", center=center), "x", "m").slopes
        got = slopes[["value", "slope", "se", "stat", "pvalue", "ci_lower", "ci_upper"]].to_numpy(dtype=float)
        assert np.abs(got - np.array(printed)).max() <= 0.5e-4 + 1e-9


# ---------------------------------------------------------------- identities


@pytest.mark.parametrize("se", ["classical", "HC3"])
def test_recentring_changes_no_slope_region_or_line(se):
    centred, raw = sk.probe(fit(se=se), "X", "W"), sk.probe(fit(se=se, center=False), "X", "W")
    shifted = sk.probe(fit(PATHS.assign(W=PATHS["W"] + 50), se=se), "X", "W")
    for name in ("slope", "se", "pvalue", "ci_lower", "ci_upper", "share_below"):
        assert centred.slopes[name].to_numpy() == pytest.approx(raw.slopes[name].to_numpy(), rel=1e-8)
        assert centred.slopes[name].to_numpy() == pytest.approx(shifted.slopes[name].to_numpy(), rel=1e-7)
    assert raw.roots["value"].to_numpy() == pytest.approx(centred.roots["value"].to_numpy(), rel=1e-8)
    assert shifted.roots["value"].to_numpy() == pytest.approx(centred.roots["value"].to_numpy() + 50, rel=1e-7)
    for name in ("predicted", "se"):
        assert raw.lines[name].to_numpy() == pytest.approx(centred.lines[name].to_numpy(), rel=1e-8)


@pytest.mark.parametrize("value", [-1.7, 0.0, 2.4])
def test_the_slope_at_a_value_is_the_coefficient_after_moving_zero_there(value):
    found = sk.probe(fit(), "X", "W", values=[value]).slopes.iloc[0]
    moved = fit(PATHS.assign(W=PATHS["W"] - value), center=False).estimates
    row = moved[moved["rhs"] == "X"].iloc[0]
    for ours, theirs in (
        ("slope", "est"),
        ("se", "se"),
        ("stat", "stat"),
        ("pvalue", "pvalue"),
        ("ci_lower", "ci_lower"),
    ):
        assert found[ours] == pytest.approx(row[theirs], rel=1e-8)


def test_focal_and_moderator_are_not_interchanged():
    one, other = sk.probe(fit(), "X", "W", values=[0.0]), sk.probe(fit(), "W", "X", values=[0.0])
    names, b = fit(center=False).names, fit(center=False).est
    assert one.slopes["slope"][0] == pytest.approx(b[names.index("Y ~ X")])
    assert other.slopes["slope"][0] == pytest.approx(b[names.index("Y ~ W")])
    assert one.distribution["moderator"].to_numpy() == pytest.approx(PATHS["W"].to_numpy())


def test_standardised_slopes_are_b1_plus_or_minus_b3():
    result = fit()
    std = dict(zip(result.names, result.std_est, strict=True))
    slopes = sk.probe(result, "X", "W").slopes["std_slope"].to_numpy()
    expected = std["Y ~ X"] + std["Y ~ X:W"] * np.array([-1.0, 0.0, 1.0])
    assert slopes == pytest.approx(expected)
    raw = sk.probe(result, "X", "W").slopes["slope"].to_numpy()
    assert slopes == pytest.approx(raw * PATHS["X"].std() / PATHS["Y"].std())


def test_lines_are_predictions_at_the_covariates_means():
    result = fit()
    lines = sk.probe(result, "X", "W").lines
    b = dict(zip(fit(center=False).names, fit(center=False).est, strict=True))
    expected = (
        b["Y ~1"] + b["Y ~ X"] * lines["focal"] + b["Y ~ W"] * lines["moderator"]
        + b["Y ~ X:W"] * lines["focal"] * lines["moderator"] + b["Y ~ M1"] * PATHS["M1"].mean()
    )  # fmt: skip
    assert lines["predicted"].to_numpy() == pytest.approx(expected.to_numpy())
    # the regression surface's error at its own centre is that of a mean
    from statsmodels.regression.linear_model import OLS

    design = np.column_stack([np.ones(250), PATHS["X"], PATHS["W"], PATHS["X"] * PATHS["W"], PATHS["M1"]])
    peer = OLS(PATHS["Y"].to_numpy(), design).fit()
    row = lines.iloc[30]
    point = np.array([1, row["focal"], row["moderator"], row["focal"] * row["moderator"], PATHS["M1"].mean()])
    interval = sk.probe(fit(se="classical"), "X", "W").lines.iloc[30]
    assert interval[["lower", "upper"]].to_numpy(dtype=float) == pytest.approx(
        peer.get_prediction(point).conf_int()[0], rel=1e-8
    )


def test_lines_without_an_intercept_pass_through_the_outcomes_mean():
    """A result without intercept (latent outcome) draws the same lines as the regression with one."""
    data = crossing()
    result = sk.moderated_regression(data, "y", "x", "w")
    bare = replace(
        result, names=result.names[1:], est=result.est[1:], std_est=result.std_est[1:],
        vcov=result.vcov[1:, 1:], std_vcov=result.std_vcov[1:, 1:],
    )  # fmt: skip
    whole, part = (sk.probe(each, "x", "w").lines["predicted"].to_numpy() for each in (result, bare))
    # least squares passes through the means up to the sampling covariance's n - 1
    assert part == pytest.approx(whole, abs=0.01)
    assert np.ptp(part) > 1


# ---------------------------------------------------------------- Johnson-Neyman


@pytest.mark.parametrize("seed", range(6))
def test_roots_are_where_the_interval_touches_zero(seed):
    result = sk.moderated_regression(crossing(seed=seed), "y", "x", "w")
    found = sk.probe(result, "x", "w")
    assert len(found.roots) == 2
    at = sk.probe(result, "x", "w", values=found.roots["value"].tolist()).slopes
    assert np.minimum(at["ci_lower"].abs(), at["ci_upper"].abs()).to_numpy() == pytest.approx([0, 0], abs=1e-9)
    assert at["pvalue"].to_numpy() == pytest.approx([0.05, 0.05], abs=1e-9)


def test_regions_have_sign_shares_and_bounds():
    data = crossing()
    found = sk.probe(sk.moderated_regression(data, "y", "x", "w"), "x", "w")
    assert found.case == found.case_in_data == "changes"
    regions, (low, high) = found.johnson_neyman, found.roots["value"]
    assert regions["sign"].tolist() == ["negative", "", "positive"]
    assert regions["significant"].tolist() == [True, False, True]
    assert regions["lower"].tolist() == [-np.inf, low, high]
    w = data["w"]
    assert regions["n"].tolist() == [(w <= low).sum(), ((w > low) & (w <= high)).sum(), (w > high).sum()]
    assert regions["share"].sum() == pytest.approx(1.0)
    assert found.roots["share_below"].tolist() == pytest.approx([(w <= low).mean(), (w <= high).mean()])
    assert (found.roots["share_below"] + found.roots["share_above"]).tolist() == pytest.approx([1, 1])
    # regions agree with the band on the grid
    for row in found.bands.itertuples():
        where = int(np.searchsorted(found.roots["value"], row.moderator))
        assert row.significant == regions["significant"][where]
    assert "negative below" in found.statement and "positive above" in found.statement


def line_result(b1, b3, v1, v3, v13=0.0, values=None, **changes):
    """A result with chosen numbers: slope b1 + b3 w."""
    values = np.linspace(-2, 2, 101) if values is None else values
    names = ("y ~ x", "y ~ w", "y ~ x:w")
    variables = {
        "x": Variable("x", "latent", 0.0, 1.0),
        "w": Variable("w", "latent", 0.0, 1.0, -2.0, 2.0, values),
        "y": Variable("y", "latent", 0.0, 1.0),
    }
    est, vcov = np.array([b1, 0.1, b3]), np.array([[v1, 0, v13], [0, 0.01, 0], [v13, 0, v3]])
    terms = (Term("y", ("x",), "y ~ x"), Term("y", ("w",), "y ~ w"), Term("y", ("w", "x"), "y ~ x:w"))
    base = replace(
        sk.moderated_regression(crossing(60), "y", "x", "w"), names=names, est=est, std_est=est, vcov=vcov,
        std_vcov=vcov, variables=variables, terms=terms, reference=Reference("z"),
    )  # fmt: skip
    return replace(base, **changes)


def test_always_and_never():
    # on the whole line only a slope that does not change at all: any other is zero somewhere
    always = sk.probe(line_result(3.0, 0.0, 0.01, 0.0), "x", "w")
    assert (always.case, always.case_in_data, len(always.roots)) == ("always", "always", 0)
    assert always.johnson_neyman["sign"].tolist() == ["positive"]
    never = sk.probe(line_result(0.01, 0.001, 1.0, 1.0), "x", "w")
    assert (never.case, never.case_in_data) == ("never", "never")
    assert never.johnson_neyman["share"].tolist() == [1.0]
    assert "does not differ from zero at any value" in never.statement


def test_a_region_that_nobody_reaches_is_said_to_be_outside():
    found = sk.probe(line_result(1.0, 0.1, 0.01, 1e-4), "x", "w")
    assert found.case == "changes"
    assert found.case_in_data == "always"
    assert "outside the observed data" in found.statement
    assert "probe.region-outside-data" in {note.code for note in found.notes}
    outside = found.johnson_neyman[~found.johnson_neyman["inside_data"]]
    assert outside["share"].tolist() == [0.0] * len(outside)


@pytest.mark.parametrize("seed", range(200))
def test_quadratic_roots_satisfy_the_polynomial(seed):
    rng = np.random.default_rng(seed)
    b1, b3 = rng.normal(size=2) * 10.0 ** rng.integers(-3, 4, 2)
    root = rng.normal(size=(2, 2)) * 10.0 ** rng.integers(-3, 2)
    v = root @ root.T
    c, b, a = neyman.significance_polynomial(np.array([b1, b3]), v, 1.96)
    for u in neyman.quadratic_roots(a, b, c):
        t = (b1 + b3 * u) / np.sqrt(v[0, 0] + 2 * u * v[0, 1] + u * u * v[1, 1])
        assert abs(t) == pytest.approx(1.96, rel=1e-5)


def test_linear_and_degenerate_polynomials():
    assert neyman.quadratic_roots(0.0, 2.0, -4.0).tolist() == [2.0]
    assert neyman.quadratic_roots(0.0, 0.0, 1.0).size == 0
    assert neyman.quadratic_roots(1.0, -2.0, 1.0).size == 0
    assert neyman.quadratic_roots(1e-12, -1.0, 1e-6).tolist() == pytest.approx([1e-6, 1e12])
    assert neyman.quadratic_roots(1.0, 0.0, -4.0).tolist() == [-2.0, 2.0]


# ---------------------------------------------------------------- draws


def test_draws_decide_intervals_p_and_roots():
    data = crossing(300)
    result = sk.moderated_regression(data, "y", "x", "w", bootstrap=999, seed=2)
    found = sk.probe(result, "x", "w")
    slope = result.draws[:, 1] + result.draws[:, 3] * (found.slopes["value"][0] - result.variables["w"].center)
    row = found.slopes.iloc[0]
    assert [row["ci_lower"], row["ci_upper"]] == pytest.approx(np.sort(slope)[[24, 974]].tolist())
    assert row["pvalue"] == pytest.approx(min(1.0, 2 * (1 + min((slope <= 0).sum(), (slope >= 0).sum())) / 1000))
    assert np.isnan(row["stat"])
    assert found.method == "percentile"
    at = sk.probe(result, "x", "w", values=found.roots["value"].tolist()).slopes
    assert np.minimum(at["ci_lower"].abs(), at["ci_upper"].abs()).max() < 1e-9
    exact = sk.probe(replace(result, draws=None, std_draws=None), "x", "w").roots["value"]
    assert found.roots["value"].to_numpy() == pytest.approx(exact.to_numpy(), abs=0.15)


# ---------------------------------------------------------------- values, notes, errors


def test_percentiles_and_binary_moderators():
    data = crossing()
    found = sk.probe(sk.moderated_regression(data, "y", "x", "w"), "x", "w", values="percentiles")
    assert found.slopes["value"].tolist() == pytest.approx(np.percentile(data["w"], [16, 50, 84]).tolist())
    assert found.slopes["share_below"].tolist() == pytest.approx([0.16, 0.5, 0.84])
    two = crossing(moderator="binary")
    binary = sk.probe(sk.moderated_regression(two, "y", "x", "w"), "x", "w")
    assert binary.slopes["value"].tolist() == [0.0, 1.0]
    for value, slope in zip((0.0, 1.0), binary.slopes["slope"], strict=True):
        part = two[two["w"] == value]
        assert slope == pytest.approx(np.polyfit(part["x"], part["y"], 1)[0])
    assert binary.slopes["std_slope"].to_numpy() == pytest.approx(
        binary.slopes["slope"].to_numpy() * two["x"].std() / two["y"].std()
    )
    assert "probe.binary-moderator" in {note.code for note in binary.notes}


def test_extrapolated_values_are_marked():
    found = sk.probe(fit(), "X", "W", values=[0, 99])
    assert "probe.value-outside-data" in {note.code for note in found.notes}
    assert not found.bands["inside_data"].all() and found.bands["inside_data"].any()
    nothing = line_result(1.0, 0.1, 0.01, 0.01)
    bare = replace(nothing, variables={**nothing.variables, "w": Variable("w", "latent", 0.0, 1.0)})
    found = sk.probe(bare, "x", "w")
    assert found.slopes["share_below"].isna().all() and found.case_in_data == "unknown"
    assert "probe.no-values" in {note.code for note in found.notes}
    assert "share of respondents not known" in found.statement
    with pytest.raises(OptionError) as caught:
        sk.probe(bare, "x", "w", values="percentiles")
    assert caught.value.code == "probe.no-values"


def test_further_products_are_held_at_the_mean():
    result = line_result(0.5, 0.2, 0.01, 0.01)
    names = (*result.names, "y ~ x:v")
    grown = replace(
        result, names=names, est=np.r_[result.est, 0.3], std_est=np.r_[result.std_est, 0.3],
        vcov=np.diag([0.01, 0.01, 0.01, 0.04]), std_vcov=np.diag([0.01, 0.01, 0.01, 0.04]),
        variables={**result.variables, "v": Variable("v", "observed", 2.0, 4.0, center=0.5)},
        terms=(*result.terms, Term("y", ("x", "v"), "y ~ x:v")),
    )  # fmt: skip
    found = sk.probe(grown, "x", "w", values=[1.0])
    assert found.slopes["slope"][0] == pytest.approx(0.5 + 0.2 + 0.3 * 1.5)
    assert found.slopes["se"][0] == pytest.approx(np.sqrt(0.01 + 0.01 + 0.04 * 1.5**2))
    assert found.slopes["std_slope"][0] == pytest.approx(0.5 + 0.2 + 0.3 * 1.5 / 4)
    assert "probe.other-products" in {note.code for note in found.notes}


def refusal(error, result, *args, **options):
    with pytest.raises(error) as caught:
        sk.probe(result, *args, **options)
    return caught.value


def test_what_cannot_be_probed():
    good = line_result(1.0, 0.1, 0.01, 0.01)
    assert refusal(ResultError, replace(good, converged=False), "x", "w").code == "probe.not-converged"
    assert refusal(OptionError, "text", "x", "w").code == "probe.result"
    unknown = refusal(OptionError, good, "x", "z").problems[0]
    assert unknown.code == "probe.unknown-product" and "y ~ w:x" in unknown.allowed
    assert refusal(OptionError, good, "x", "x").code == "probe.unknown-product"
    assert refusal(OptionError, good, "x", "w", outcome="q").code == "probe.unknown-product"
    assert refusal(OptionError, good, "x", "w", values="median", level=95).problems[1].code == "probe.level"
    for values in ([], [np.nan], "x", ["a"], [[1, 2]], list(range(51))):
        assert refusal(OptionError, good, "x", "w", values=values).code == "probe.values"
    alone = replace(good, terms=good.terms[1:])
    assert refusal(ModelError, alone, "x", "w").code == "probe.no-main-effect"
    twice = replace(good, terms=(*good.terms, Term("z", ("x", "w"), "y ~ x:w")))
    assert refusal(OptionError, twice, "x", "w").code == "probe.which-outcome"
    assert sk.probe(twice, "x", "w", outcome="y").outcome == "y"
    grouped = replace(good, terms=tuple(replace(term, group=g) for g in ("a", "b") for term in good.terms))
    assert refusal(OptionError, grouped, "x", "w").code == "probe.which-group"
    assert refusal(OptionError, grouped, "x", "w", group="c").code == "probe.which-group"
    variables = {name: replace(variable, group="a") for name, variable in grouped.variables.items()}
    described = replace(grouped, variables=variables)
    assert sk.probe(described, "x", "w", group="a").group == "a"
    assert refusal(NotSupportedError, described, "x", "w", group="b").code == "probe.no-group-moments"
    fixed = replace(good, terms=(replace(good.terms[0], name="y ~ fixed"), *good.terms[1:]))
    assert refusal(ModelError, fixed, "x", "w").code == "probe.no-main-effect"
    heywood = sk.probe(replace(good, admissible=False), "x", "w")
    assert "probe.inadmissible" in {note.code for note in heywood.notes}


def test_a_probe_reads_well_as_text():
    text = repr(sk.probe(fit(), "X", "W"))
    assert "Simple slopes of Y on X at values of W (OLS (HC3), N = 250, t intervals)" in text
    assert "Johnson-Neyman" in text and "Observed range of W" in text
