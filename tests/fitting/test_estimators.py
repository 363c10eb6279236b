"""Least squares and corrected tests: identities, refusals, and what stays the same under other options."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import OptionError, SampleError, SemkitError
from semkit.fitting.baseline import baseline

DATA = Path(__file__).parents[1] / "reference" / "data"
MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
LEAST = ("gls", "uls", "wls")
EVERY = (*LEAST, "ml", "mlr", "mlm", "mlmv", "mlmvs", "mlf")


@cache
def pupils() -> pd.DataFrame:
    return pd.read_csv(DATA / "HolzingerSwineford1939.csv")


@cache
def fitted(estimator: str) -> Any:
    return sk.cfa(MODEL, pupils(), estimator=estimator)


@pytest.mark.parametrize("estimator", EVERY)
def test_a_saturated_model_fits_perfectly(estimator: str) -> None:
    fit = sk.sem("x1 ~~ x2 + x3\nx2 ~~ x3", pupils(), estimator=estimator)
    assert fit.solution.df == 0
    assert fit.solution.stat == pytest.approx(0.0, abs=1e-9)
    divisor = 1 if estimator in LEAST else 0
    cov = np.cov(pupils()[["x1", "x2", "x3"]].T, ddof=divisor)
    np.testing.assert_allclose(fit.implied["cov"], cov, rtol=1e-8)


@pytest.mark.parametrize("estimator", EVERY)
def test_units_change_no_z_value_and_no_statistic(estimator: str) -> None:
    if estimator == "uls":
        pytest.skip("unweighted least squares depend on the units")
    other = sk.cfa(MODEL, pupils().assign(x2=pupils()["x2"] * 10.0, x9=pupils()["x9"] / 7.0), estimator=estimator)
    for name, test in fitted(estimator).tests.items():
        assert other.tests[name].stat == pytest.approx(test.stat, rel=1e-7)
    np.testing.assert_allclose(other.estimates["z"], fitted(estimator).estimates["z"], rtol=1e-6)


@pytest.mark.parametrize("estimator", EVERY)
def test_order_and_marker_change_no_statistic(estimator: str) -> None:
    """Respondents, columns, factors and indicators in another order, and so other markers: the same model."""
    shuffled = pupils().sample(frac=1.0, random_state=3)[list(reversed(pupils().columns))]
    text = "speed =~ x9 + x7 + x8\nvisual =~ x2 + x3 + x1\ntextual =~ x6 + x5 + x4"
    other, plain = sk.cfa(text, shuffled, estimator=estimator), fitted(estimator)
    for name, test in plain.tests.items():
        assert other.tests[name].stat == pytest.approx(test.stat, rel=1e-7)
        assert other.tests[name].df == pytest.approx(test.df, rel=1e-7)
    pd.testing.assert_series_equal(other.fit_measures, plain.fit_measures, rtol=1e-6, atol=1e-9)
    ours = other.standardized().set_index(["lhs", "op", "rhs"]).loc[[("visual", "=~", "x1"), ("speed", "=~", "x8")]]
    theirs = plain.standardized().set_index(["lhs", "op", "rhs"]).loc[[("visual", "=~", "x1"), ("speed", "=~", "x8")]]
    np.testing.assert_allclose(ours[["est_std", "se"]], theirs[["est_std", "se"]], rtol=1e-5)


@pytest.mark.parametrize("estimator", ("gls", "uls", "mlm", "mlmv", "mlmvs"))
def test_order_of_groups_changes_no_statistic(estimator: str) -> None:
    options: dict[str, Any] = {"estimator": estimator, "group": "school", "group_equal": ["loadings", "intercepts"]}
    one, other = sk.cfa(MODEL, pupils(), **options), sk.cfa(MODEL, pupils().iloc[::-1], **options)
    assert one.table.groups == tuple(reversed(other.table.groups))
    for name, test in one.tests.items():
        assert other.tests[name].stat == pytest.approx(test.stat, rel=1e-6)


@pytest.mark.parametrize("estimator", EVERY)
def test_saturated_means_change_nothing(estimator: str) -> None:
    fit = sk.cfa(MODEL, pupils(), estimator=estimator, meanstructure=True)
    plain = fitted(estimator)
    if estimator == "mlf":  # first-order errors mix means and covariances
        assert fit.solution.stat == pytest.approx(plain.solution.stat, rel=1e-9)
        return
    same = fit.estimates.set_index(["lhs", "op", "rhs"]).loc[
        list(plain.estimates.set_index(["lhs", "op", "rhs"]).index)]
    np.testing.assert_allclose(same["est"], plain.estimates["est"], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(same["se"], plain.estimates["se"], rtol=1e-6, atol=1e-9)
    for name, test in plain.tests.items():
        if name != "yuan.bentler.mplus":
            assert fit.tests[name].stat == pytest.approx(test.stat, rel=1e-6)


def test_model_based_residual_test_is_the_one_of_yuan_and_bentler() -> None:
    """``T / (1 + T / N)``, Yuan & Bentler (1998), with and without a saturated mean structure."""
    names = ["browne.residual.adf", "browne.residual.adf.model"]
    for means in (False, True):
        fit = sk.cfa(MODEL, pupils(), test=names, meanstructure=means)
        plain = fit.tests["browne.residual.adf"].stat
        assert fit.tests["browne.residual.adf.model"].stat == pytest.approx(plain / (1.0 + plain / 301), rel=1e-9)


def test_wls_is_its_own_distribution_free_residual_statistic() -> None:
    """At its own minimum the residuals are orthogonal to the tangent, so ``e'U e = e'W e``."""
    fit = sk.cfa(MODEL, pupils(), estimator="wls", test=["standard", "browne.residual.adf"])
    assert fit.tests["browne.residual.adf"].stat == pytest.approx(fit.solution.stat, rel=1e-9)
    gls = sk.cfa(MODEL, pupils(), estimator="gls", test=["standard", "browne.residual.nt"])
    assert gls.tests["browne.residual.nt"].stat == pytest.approx(gls.solution.stat, rel=1e-9)


def test_robust_errors_of_wls_are_the_plain_ones() -> None:
    """``Gamma = W^-1``: the sandwich collapses."""
    robust = sk.cfa(MODEL, pupils(), estimator="wls", se="robust.sem", test="satorra.bentler")
    np.testing.assert_allclose(robust.vcov, fitted("wls").vcov, rtol=1e-8)
    assert robust.tests["satorra.bentler"].scaling_factor == pytest.approx(1.0, rel=1e-9)


def test_baseline_trace_in_closed_form() -> None:
    """``1/2 [mean d_i^2 - tr(R R)] - sum_i (kurtosis_i - 1)/2`` with ``d_i = sum_j z_ij^2`` of standardised data."""
    z = pupils()[[f"x{k}" for k in range(1, 10)]].to_numpy()
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    r = z.T @ z / len(z)
    d = np.sum(z**2, axis=1)
    trace = 0.5 * (np.mean(d * d) - np.sum(r * r)) - np.sum(0.5 * (np.mean(z**4, axis=0) - 1.0))
    found = baseline(fitted("mlm").solution).corrected
    assert found is not None
    assert found.trace == pytest.approx(trace, rel=1e-10)


def test_the_first_corrected_test_gives_the_scaled_measures() -> None:
    both = ["scaled.shifted", "satorra.bentler"]
    for first, estimator in zip(both, ("mlmv", "mlm")):
        order = [first, *(name for name in both if name != first)]
        fit = sk.cfa(MODEL, pupils(), estimator="mlm", test=order)
        assert list(fit.tests) == ["standard", *order]
        wanted = fitted(estimator).fit_measures
        pd.testing.assert_series_equal(fit.fit_measures[wanted.index], wanted, rtol=1e-9)


def test_unweighted_least_squares_say_what_their_chi_square_is() -> None:
    fit = fitted("uls")
    assert np.isnan(fit.tests["standard"].pvalue)
    assert fit.fit_measures["chisq"] == fit.tests["browne.residual.nt"].stat


@pytest.mark.parametrize("estimator", ["gls", "wls"])
def test_gain_and_change_are_exact_where_the_moments_are_linear(estimator: str) -> None:
    """Covariances as parameters: ``F`` is quadratic, so the index is the drop and the expected change the change."""
    text = "x1 ~~ x2\nx2 ~~ x3\nx1 ~~ 0*x3"
    fit = sk.sem(text, pupils(), estimator=estimator)
    free = sk.sem(text.replace("0*", ""), pupils(), estimator=estimator)
    (row,) = (r for r in fit.modification_indices().to_dict("records") if {r["lhs"], r["rhs"]} == {"x1", "x3"})
    assert row["mi"] == pytest.approx(fit.solution.stat - free.solution.stat, rel=1e-9)
    assert row["epc"] == pytest.approx(free.est[free.names.index("x1 ~~ x3")], rel=1e-9)


def test_unweighted_gain_is_the_wald_test_of_the_change() -> None:
    """Linear moments again: the score statistic of Satorra (1989) is the squared estimate over its variance there."""
    text = "x1 ~~ x2\nx2 ~~ x3\nx1 ~~ 0*x3"
    fit, free = (sk.sem(t, pupils(), estimator="uls") for t in (text, text.replace("0*", "")))
    (row,) = (r for r in fit.modification_indices().to_dict("records") if {r["lhs"], r["rhs"]} == {"x1", "x3"})
    at = free.names.index("x1 ~~ x3")
    assert row["epc"] == pytest.approx(free.est[at], rel=1e-9)
    assert row["mi"] == pytest.approx(free.est[at] ** 2 / free.vcov[at, at], rel=1e-9)


def test_difference_of_linear_models_is_their_wald_test() -> None:
    text = "x1 ~~ x2\nx2 ~~ x3\nx1 ~~ 0*x3"
    for estimator in LEAST:
        fit, free = (sk.sem(t, pupils(), estimator=estimator) for t in (text, text.replace("0*", "")))
        at = free.names.index("x1 ~~ x3")
        frame = sk.compare(fit, free).frame
        assert frame["chisq_diff"].iloc[1] == pytest.approx(free.est[at] ** 2 / free.vcov[at, at], rel=1e-8)


def test_nesting_is_checked_under_least_squares() -> None:
    crossed = sk.cfa(MODEL.replace("x3", "x3 + x4"), pupils(), estimator="gls")
    assert sk.compare(fitted("gls"), crossed).frame["df_diff"].iloc[1] == 1
    other = sk.cfa("visual =~ x1 + x2 + x3 + x4 + x5 + x6\nspeed =~ x7 + x8 + x9\nx1 ~~ x9\nx2 ~~ x9", pupils(),
                   estimator="gls")
    with pytest.raises(OptionError) as caught:
        sk.compare(other, crossed)
    assert caught.value.code in ("fitting.compare-not-nested", "fitting.compare-same-df")


def test_which_model_is_a_restriction_of_which() -> None:
    """An exchanged covariance makes an equivalent model, a dropped path a nested one, another dimension neither."""
    chain = sk.sem("x2 ~ x1\nx3 ~ x2", pupils(), fixed_x=False)
    back = sk.sem("x2 ~ x3\nx1 ~ x2", pupils(), fixed_x=False)
    whole = sk.sem("x2 ~ x1\nx3 ~ x2 + x1", pupils(), fixed_x=False)
    apart = sk.sem("x2 ~ x1\nx3 ~ x1\nx2 ~~ 0*x3", pupils(), fixed_x=False)
    table = sk.nested(whole, chain, back, apart, names=["whole", "chain", "back", "apart"])
    assert (table.loc["chain", "whole"], table.loc["apart", "whole"]) == ("nested", "nested")
    assert (table.loc["chain", "back"], table.loc["back", "chain"]) == ("equivalent", "equivalent")
    assert (table.loc["chain", "apart"], table.loc["whole", "chain"]) == ("no", "")
    with pytest.raises(OptionError):
        sk.nested(whole)


@pytest.mark.parametrize("estimator", LEAST)
def test_the_script_for_lavaan_asks_for_nothing_it_refuses(estimator: str, tmp_path: Path) -> None:
    """lavaan stops at ``likelihood=`` with least squares; the script it ran gave the same numbers."""
    script, _ = fitted(estimator).to_lavaan(tmp_path / "fit.R")
    text = script.read_text(encoding="utf-8")
    assert f'estimator = "{estimator.upper()}"' in text
    assert "likelihood" not in text


@pytest.mark.parametrize("means", [True, False])
def test_given_covariates_difference_tests_do_not_depend_on_the_order_of_variables(means: bool) -> None:
    data = pd.read_csv(DATA / "path_sim.csv")
    options: dict[str, Any] = {"estimator": "mlm", "conditional_x": True, "meanstructure": means}
    large = sk.sem("M1 ~ X + W\nM2 ~ M1 + X\nY ~ M2 + W + X", data, **options)
    small = sk.sem("M1 ~ X + W\nM2 ~ M1 + X\nY ~ M2 + W", data, **options)
    turned = sk.sem("Y ~ M2 + W\nM2 ~ M1 + X\nM1 ~ W + X", data, **options)
    assert turned.table.variables.ov != small.table.variables.ov
    one, other = (sk.compare(large, fit, method="satorra.2000").frame["chisq_diff"].iloc[1] for fit in (small, turned))
    assert one == pytest.approx(other, rel=1e-7)
    # one restriction: the robust Wald test of it is asymptotically the same
    at = large.names.index("Y ~ X")
    assert one == pytest.approx(large.est[at] ** 2 / large.vcov[at, at], rel=0.15)


def test_saturated_means_change_nothing_given_covariates() -> None:
    data = pd.read_csv(DATA / "path_sim.csv")
    model = "M1 ~ X + W\nM2 ~ M1 + X\nY ~ M2 + W"
    tests = ["satorra.bentler", "scaled.shifted", "browne.residual.nt"]
    fits = [sk.sem(model, data, conditional_x=True, meanstructure=means, test=tests) for means in (True, False)]
    for name in tests:
        assert fits[0].tests[name].stat == pytest.approx(fits[1].tests[name].stat, rel=1e-6)


def test_scores_do_not_depend_on_the_name_of_the_estimator() -> None:
    """They are a function of estimates and data: the same estimates give the same scores."""
    for method in ("regression", "bartlett"):
        np.testing.assert_allclose(fitted("mlm").predict(method), fitted("ml").predict(method), rtol=1e-10)
        scores = fitted("gls").predict(method).to_numpy()
        assert np.all(np.isfinite(scores))
        implied = fitted("gls").solution.implied[0]
        z = fitted("gls").solution.data[0] - fitted("gls").solution.data[0].mean(axis=0)
        weights = np.linalg.solve(implied.sigma[0], implied.cross[0])
        if method == "regression":
            np.testing.assert_allclose(scores, z @ weights, rtol=1e-9)


def test_constraints_hold_under_least_squares() -> None:
    text = MODEL.replace("x2", "a*x2").replace("x3", "b*x3") + "\na == b^2\nx7 ~~ v*x7\nv > 0.9"
    for estimator in LEAST:
        fit = sk.cfa(text, pupils(), estimator=estimator)
        est = dict(zip(fit.names, fit.est))
        assert fit.converged
        assert est["a"] == pytest.approx(est["b"] ** 2, abs=1e-8)
        assert est["v"] > 0.9 - 1e-9
        # moving along the constraints does not lower the discrepancy
        assert fit.solution.stat >= sk.cfa(MODEL, pupils(), estimator=estimator).solution.stat - 1e-9


def test_observed_information_of_least_squares_is_the_curvature() -> None:
    """Where the model is right the residual curvature vanishes: both informations agree on the moments it implies."""
    fit = fitted("gls")
    own = sk.Moments(fit.implied["cov"], nobs=301)
    for information in ("expected", "observed"):
        again = sk.cfa(MODEL, moments=own, estimator="gls", information=information)
        assert again.solution.stat == pytest.approx(0.0, abs=1e-9)
        np.testing.assert_allclose(again.est, fit.est, rtol=1e-6)
    expected = sk.cfa(MODEL, moments=own, estimator="gls")
    np.testing.assert_allclose(again.vcov, expected.vcov, rtol=1e-5, atol=1e-9)


def test_covariates_are_random_under_least_squares_and_it_says_so() -> None:
    data = pd.read_csv(DATA / "path_sim.csv")
    fit = sk.sem("M1 ~ X + W\nY ~ M1", data, estimator="gls")
    assert [note.code for note in fit.notes if note.severity == "info"] == ["fitting.random-covariates"]
    assert "X ~~ X" in fit.names
    assert not [n for n in sk.sem("M1 ~ X + W\nY ~ M1", data).notes if n.code == "fitting.random-covariates"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"estimator": "gls", "se": "robust.huber.white"}, "fitting.not-with-least-squares"),
        ({"estimator": "uls", "information": "first.order"}, "fitting.not-with-least-squares"),
        ({"estimator": "wls", "test": "yuan.bentler.mplus"}, "fitting.not-with-least-squares"),
        ({"estimator": "gls", "conditional_x": True}, "fitting.not-with-least-squares"),
        ({"estimator": "gls", "missing": "fiml"}, "fitting.not-with-fiml"),
        ({"estimator": "mlmv", "missing": "fiml"}, "fitting.not-with-fiml"),
        ({"estimator": "ml", "missing": "fiml", "test": "browne.residual.adf"}, "fitting.not-with-fiml"),
        ({"estimator": "gls", "likelihood": "wishart"}, "fitting.contradictory-options"),
        ({"estimator": "mlf", "test": "satorra.bentler"}, "fitting.contradictory-options"),
        ({"conditional_x": True, "test": "browne.residual.adf.model"}, "fitting.not-with-conditional-x"),
        ({"conditional_x": True, "estimator": "mlm", "information": "observed"}, "fitting.not-with-conditional-x"),
    ],
)
def test_what_has_no_meaning_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(SemkitError) as caught:
        sk.cfa(MODEL, pupils(), **options)
    assert caught.value.code == code


def test_all_problems_of_a_call_are_told_at_once() -> None:
    with pytest.raises(SemkitError) as caught:
        sk.cfa(MODEL, pupils(), estimator="gls", se="robust.huber.white", information="first.order")
    assert len(caught.value.problems) == 2


def test_another_engine_is_not_asked_for_another_estimator() -> None:
    with pytest.raises(SemkitError, match="least squares"):
        fitted("wls").crosscheck("semopy")


@pytest.mark.parametrize("estimator", EVERY)
def test_every_fit_can_be_read(estimator: str) -> None:
    fit = fitted(estimator)
    assert f"cfa fit: {estimator.upper()}" in repr(fit)
    assert "nan" not in repr(fit).split("\n")[1]
    assert "CFI" in fit._repr_html_()


def test_further_tests_are_shown() -> None:
    fit = sk.cfa(MODEL, pupils(), test=["satorra.bentler", "scaled.shifted", "browne.residual.adf"])
    lines = repr(fit).split("\n")
    assert lines[1].endswith("(uncorrected)")
    assert "chisq(24) = 80.872" in lines[2] and lines[2].startswith("Satorra-Bentler")
    assert lines[3].startswith("simple second-order correction: chisq(24) = 75.853")
    assert lines[4].startswith("Browne's residual-based (ADF) test: chisq(24) = 82.408")


def test_too_few_respondents_for_distribution_free_weights() -> None:
    with pytest.raises(SampleError) as caught:
        sk.cfa(MODEL, pupils().head(40), estimator="wls")
    assert caught.value.code == "sample.too-few-for-adf"
    with pytest.raises(OptionError):
        sk.cfa(MODEL, pupils(), estimator="nls")
