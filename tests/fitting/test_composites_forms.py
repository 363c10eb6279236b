"""Composites with the covariances of their indicators held or free: published numbers and exact identities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError, OptionError
from semkit.estimate.composition import make_composition
from semkit.estimate.expressions import make_constraints
from semkit.model import build_table, parse, print_model

DATA = Path(__file__).parents[1] / "reference" / "data"
ONE = "C <~ x1 + x2 + x3\nx4 ~ C\nx5 ~ C\nx4 ~~ x5"
PARTS = "c1 <~ x1 + x3 + x2\nc2 <~ x4 + x6 + x5\nspeed =~ x7 + x8 + x9\n"
SEVERAL, CHAIN = PARTS + "speed ~ c1 + c2", PARTS + "c2 ~ c1\nspeed ~ c2"
EQUAL = ["composite.weights", "loadings", "regressions", "lv.variances", "lv.covariances"]


@pytest.fixture(scope="module")
def schools() -> pd.DataFrame:
    return pd.read_csv(DATA / "HolzingerSwineford1939.csv")


@pytest.fixture(scope="module")
def gaps() -> pd.DataFrame:
    return pd.read_csv(DATA / "HS_missing10.csv")


def both(model: str, data: pd.DataFrame, **options: Any) -> tuple[sk.Fit, sk.Fit]:
    return sk.sem(model, data, **options), sk.sem(model, data, composites_cov="free", **options)


def row(fit: sk.Fit, lhs: str, op: str, rhs: str) -> pd.Series:
    table = fit.estimates
    return table[(table["lhs"] == lhs) & (table["op"] == op) & (table["rhs"] == rhs)].iloc[0]


def test_the_numbers_that_lavaan_07_is_published_with(schools: pd.DataFrame) -> None:
    """coef() of lavaan 0.7 for this model in two versions of the article "Composites" of the R package INLAvaan."""
    held, free = both(ONE, schools)
    shown = {"C <~ x2": 0.151, "C <~ x3": -0.086, "x4 ~ C": 0.367, "x5 ~ C": 0.328, "x4 ~~ x5": 0.928,
             "x4 ~~ x4": 1.160, "x5 ~~ x5": 1.508}
    moments = {"x1 ~~ x1": 1.358, "x2 ~~ x2": 1.382, "x3 ~~ x3": 1.275, "x1 ~~ x2": 0.407, "x1 ~~ x3": 0.580,
               "x2 ~~ x3": 0.451}
    assert held.names == tuple(shown) and held.fit_measures["npar"] == 7
    assert set(free.names) == {*shown, *moments} and free.fit_measures["npar"] == 13
    for fit in (held, free):
        assert fit.fit_measures["df"] == 2
        for name, value in shown.items():
            assert fit.est[fit.names.index(name)] == pytest.approx(value, abs=5.01e-4), name
        for name, value in moments.items():
            found = row(fit, *name.split())
            assert found["est"] == pytest.approx(value, abs=5.01e-4)
            assert (found["se"] > 0.0) == (fit is free)


def test_rows_are_lavaans_in_its_order(schools: pd.DataFrame) -> None:
    """User's rows, variances of observed and latent variables, covariances inside the composite, intercepts."""
    fit = sk.sem(ONE, schools, meanstructure=True)
    table = fit.estimates
    shown = [f"{a}{op}{b}" for a, op, b in zip(table["lhs"], table["op"], table["rhs"], strict=True)]
    assert shown == [
        "C<~x1", "C<~x2", "C<~x3", "x4~C", "x5~C", "x4~~x5", "x1~~x1", "x2~~x2", "x3~~x3", "x4~~x4", "x5~~x5", "C~~C",
        "x1~~x2", "x1~~x3", "x2~~x3", "x1~1", "x2~1", "x3~1", "x4~1", "x5~1", "C~1"]
    assert fit.fit_measures["npar"] == 12 == len(fit.names)
    x = schools[["x1", "x2", "x3"]]
    w = table["est"].to_numpy()[:3]
    assert row(fit, "C", "~1", "")["est"] == pytest.approx((x.to_numpy() @ w).mean(), rel=1e-9)
    assert row(fit, "C", "~~", "C")["est"] == pytest.approx((x.to_numpy() @ w).var(), rel=1e-9)
    np.testing.assert_allclose([row(fit, name, "~1", "")["est"] for name in x], x.mean(), rtol=1e-9)


@pytest.mark.parametrize("model", [ONE, SEVERAL, CHAIN])
@pytest.mark.parametrize("options", [{}, {"meanstructure": True}, {"group": "school"}, {"likelihood": "wishart"}])
def test_both_forms_are_one_model(schools: pd.DataFrame, model: str, options: dict[str, Any]) -> None:
    held, free = both(model, schools, **options)
    counted = 6 * (1 if model == ONE else 2) * (2 if "group" in options else 1)
    assert free.fit_measures["npar"] - held.fit_measures["npar"] == counted == held.solution.n_held
    assert free.fit_measures["aic"] - held.fit_measures["aic"] == pytest.approx(2.0 * counted, abs=1e-6)
    for name in ("chisq", "df", "logl", "rmsea", "srmr", "cfi", "baseline.chisq", "baseline.df"):
        assert held.fit_measures[name] == pytest.approx(free.fit_measures[name], rel=1e-7, abs=1e-9), name
    one, two = held.estimates, free.estimates
    np.testing.assert_allclose(one["est"], two["est"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(one["std_all"], two["std_all"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(held.r2, free.r2, rtol=1e-6)
    errors = [fit.vcov[np.ix_(at, at)] for fit in (held, free) for at in [[fit.names.index(n) for n in held.names]]]
    np.testing.assert_allclose(*errors, rtol=1e-3, atol=1e-7)
    # called known, they still do not matter for weights and for what leads from a composite to something else
    known = sk.sem(model, schools, composites_cov="known", **options).estimates
    outside = ~one["op"].isin(["~~", "~1"]) & ~((one["lhs"] == "c2") & (one["op"] == "~"))
    np.testing.assert_allclose(known["se"][outside], two["se"][outside], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("estimator", ["mlr", "mlm", "mlmv", "mlmvs"])
def test_corrected_tests_do_not_depend_on_the_form(schools: pd.DataFrame, estimator: str) -> None:
    held, free = both(SEVERAL, schools, estimator=estimator)
    for name in ("chisq.scaled", "df.scaled", "chisq.scaling.factor", "cfi.robust", "rmsea.robust"):
        if name in free.fit_measures:
            assert held.fit_measures[name] == pytest.approx(free.fit_measures[name], rel=1e-5), name


def test_restrictions_elsewhere_make_held_covariances_a_restriction(schools: pd.DataFrame) -> None:
    held, free = both(CHAIN, schools, group="school", group_equal=EQUAL)
    assert held.fit_measures["df"] == free.fit_measures["df"]
    assert held.fit_measures["chisq"] > free.fit_measures["chisq"] + 1e-3
    for g, (_, part) in enumerate(schools.groupby("school", sort=False), start=1):
        s = part[["x1", "x3", "x2"]].cov(ddof=0).to_numpy()
        implied = held.solution.implied[g - 1].sigma[0]
        np.testing.assert_allclose(implied[:3, :3], s, rtol=1e-9)


def test_one_outcome_is_a_regression(schools: pd.DataFrame) -> None:
    fit, plain = sk.sem("c <~ x1 + x2 + x3\nx4 ~ c", schools), sk.sem("x4 ~ x1 + x2 + x3", schools)
    assert fit.fit_measures["df"] == 0 and fit.fit_measures["chisq"] == pytest.approx(0.0, abs=1e-8)
    slopes = plain.est[:3]
    assert fit.est[fit.names.index("x4 ~ c")] == pytest.approx(slopes[0], rel=1e-7)
    np.testing.assert_allclose(fit.est[:2], slopes[1:] / slopes[0], rtol=1e-6)
    error = np.sqrt(np.diagonal(plain.vcov))
    assert row(fit, "x4", "~", "c")["se"] == pytest.approx(error[0], rel=1e-6)
    assert fit.r2["x4"] == pytest.approx(plain.r2["x4"], rel=1e-8)


def test_fixed_weights_are_the_path_model_of_the_sum(schools: pd.DataFrame) -> None:
    """Two parameters and one degree of freedom, as in lavaan 0.7-2's printed output for such a model."""
    x = schools[["x1", "x2"]].to_numpy()
    y = schools["x4"].to_numpy()
    b = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(), rcond=None)[0]
    fit = sk.sem(f"c <~ {float(b[0])!r}*x1 + {float(b[1])!r}*x2\nx4 ~ c", schools)
    assert fit.fit_measures["npar"] == 2 and fit.fit_measures["df"] == 1
    assert fit.fit_measures["chisq"] == pytest.approx(0.0, abs=1e-7)
    assert fit.est[0] == pytest.approx(1.0, rel=1e-9)
    sums = sk.sem("c <~ 1*x1 + 1*x2\nx4 ~ c", schools)
    plain = sk.sem("x4 ~ s", schools.assign(s=x.sum(axis=1)))
    np.testing.assert_allclose(sums.est, plain.est, rtol=1e-7)
    np.testing.assert_allclose(sums.vcov, plain.vcov, rtol=1e-6, atol=1e-12)


def test_a_composite_of_one_indicator_is_that_variable(schools: pd.DataFrame) -> None:
    for options in ({}, {"meanstructure": True}, {"estimator": "mlr"}):
        fit = sk.sem("c <~ x1\nx4 ~ c\nx5 ~ c", schools, **options)
        plain = sk.sem("x4 ~ x1\nx5 ~ x1", schools, **options)
        shared = [name for name in plain.names if name != "x1 ~1"]
        own = [fit.names.index(name.replace("x1", "c")) for name in shared]
        np.testing.assert_allclose(fit.est[own], plain.est[[plain.names.index(n) for n in shared]], rtol=1e-7)
        at = np.ix_([plain.names.index(n) for n in shared], [plain.names.index(n) for n in shared])
        np.testing.assert_allclose(fit.vcov[np.ix_(own, own)], plain.vcov[at], rtol=1e-6, atol=1e-12)
        assert fit.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], abs=1e-8)


def test_a_factor_of_three_composites_is_saturated_between_them(schools: pd.DataFrame) -> None:
    parts = "c1 <~ x1 + x2 + x3\nc2 <~ x4 + x5 + x6\nc3 <~ x7 + x8 + x9\n"
    factor, loose = sk.sem(parts + "H =~ c1 + c2 + c3", schools), sk.sem(parts + "c1 ~~ c2 + c3\nc2 ~~ c3", schools)
    assert factor.fit_measures["df"] == loose.fit_measures["df"] == 36 + 9 - 18 - 9
    assert factor.fit_measures["chisq"] == pytest.approx(loose.fit_measures["chisq"], rel=1e-7)
    scores = factor.predict()
    assert set(scores.columns) == {"c1", "c2", "c3", "H"}


def test_errors_of_two_single_indicators_in_closed_form(schools: pd.DataFrame) -> None:
    """The covariance of two normal variables with estimated and with known variances."""
    (held, free), known = both("a <~ x1\nb <~ x2\na ~~ b", schools), sk.sem("a <~ x1\nb <~ x2\na ~~ b", schools,
                                                                         composites_cov="known")
    s, n = schools[["x1", "x2"]].cov(ddof=0).to_numpy(), len(schools)
    r = s[0, 1] / np.sqrt(s[0, 0] * s[1, 1])
    for fit in (held, free):
        se = np.sqrt((s[0, 0] * s[1, 1] + s[0, 1] ** 2) / n)
        assert row(fit, "a", "~~", "b")["se"] == pytest.approx(se, rel=1e-7)
    short = (1 - r**2) * np.sqrt(s[0, 0] * s[1, 1] / (n * (1 + r**2)))
    assert row(known, "a", "~~", "b")["se"] == pytest.approx(short, rel=1e-7)
    assert known.fit_measures["npar"] == held.fit_measures["npar"] == 1


def test_draws_say_that_held_covariances_vary() -> None:
    """Samples from a model with a strong slope between two sums: its error is that of a regression.

    With a known variance of both it would be that of their correlation: smaller by ``sqrt((1 - r^2) / (1 + r^2))``.
    """
    rng = np.random.default_rng(8)
    x = rng.normal(size=(300, 6)) + 0.7 * rng.normal(size=(300, 1))
    c = rng.normal(size=(300, 1))
    data = pd.DataFrame(x + 1.2 * c, columns=[f"x{k}" for k in range(1, 7)])
    model = "a <~ 1*x1 + 1*x2 + 1*x3\nb <~ 1*x4 + 1*x5 + 1*x6\nb ~ a"
    held, known = sk.sem(model, data), sk.sem(model, data, composites_cov="known")
    drawn = held.bootstrap(600, seed=2, kind="parametric").draws
    assert drawn is not None
    spread = drawn[:, held.names.index("b ~ a")].std()
    right, short = row(held, "b", "~", "a")["se"], row(known, "b", "~", "a")["se"]
    assert abs(spread / right - 1.0) < 3.0 / np.sqrt(2 * 600) + 0.02  # three errors of a standard deviation
    a, b = data[["x1", "x2", "x3"]].sum(axis=1), data[["x4", "x5", "x6"]].sum(axis=1)
    square = np.corrcoef(a, b)[0, 1] ** 2
    assert right == pytest.approx(np.sqrt(b.var() * (1.0 - square) / a.var() / 300), rel=1e-6)
    assert short == pytest.approx(right * np.sqrt((1.0 - square) / (1.0 + square)), rel=1e-6)


def test_full_information_holds_the_saturated_covariances(schools: pd.DataFrame, gaps: pd.DataFrame) -> None:
    held, free = both(SEVERAL, gaps, missing="fiml")
    assert held.fit_measures["df"] == free.fit_measures["df"]
    assert free.fit_measures["chisq"] <= held.fit_measures["chisq"] < free.fit_measures["chisq"] + 0.5
    s = held.solution.moments[0].cov[0]
    assert row(held, "x1", "~~", "x3")["est"] == pytest.approx(s[0, 1], rel=1e-12)
    np.testing.assert_allclose(held.solution.implied[0].sigma[0][:3, :3], s[:3, :3], rtol=1e-8)
    complete, plain = sk.sem(SEVERAL, schools, missing="fiml"), sk.sem(SEVERAL, schools, meanstructure=True)
    assert complete.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], rel=1e-7)


def test_every_draw_holds_its_own_covariances(schools: pd.DataFrame, gaps: pd.DataFrame) -> None:
    fit = sk.sem(CHAIN, schools, bootstrap=40, seed=3)
    assert fit.bootstrap_draws is not None
    given = fit.bootstrap_draws.given
    assert given.shape[1] == 12 and given.std(axis=0).min() > 0.01
    assert fit.provenance["draws_failed"] <= 2
    with pytest.raises(NotSupportedError) as caught:
        sk.sem(CHAIN, gaps, missing="fiml", bootstrap=5, seed=1)
    assert caught.value.code == "fitting.bootstrap-kind" and "composites_cov='free'" in str(caught.value)


@pytest.mark.parametrize("form", ["fixed", "free"])
def test_unit_variance_is_another_scale(schools: pd.DataFrame, form: str) -> None:
    """Total variance 1, for composites that something predicts too."""
    marker = sk.sem(CHAIN, schools, composites_cov=form)
    unit = sk.sem(CHAIN, schools, composites_cov=form, std_lv=True)
    for name in ("chisq", "df", "npar"):
        assert unit.fit_measures[name] == pytest.approx(marker.fit_measures[name], rel=1e-8)
    for k in range(2):
        at = unit.solution.layout.blocks[0].eta.index(f"c{k + 1}")
        assert unit.solution.implied[0].eta_cov[0, at, at] == pytest.approx(1.0, rel=1e-8)
    np.testing.assert_allclose(unit.estimates["std_all"], marker.estimates["std_all"], rtol=1e-4, atol=1e-6)
    groups = sk.sem(CHAIN, schools, composites_cov=form, std_lv=True, group="school", group_equal="composite.weights")
    other = sk.sem(CHAIN, schools, composites_cov=form, group="school", group_equal="composite.weights")
    assert groups.fit_measures["chisq"] == pytest.approx(other.fit_measures["chisq"], rel=1e-6)
    assert groups.fit_measures["df"] == other.fit_measures["df"]


@pytest.mark.parametrize("bounds", ["standard", "wide", "pos.var", "pos.ov.var", "pos.lv.var"])
def test_bounds_leave_composites_alone(schools: pd.DataFrame, bounds: str) -> None:
    for plain, bound in zip(both(CHAIN, schools), both(CHAIN, schools, bounds=bounds), strict=True):
        np.testing.assert_allclose(bound.est, plain.est, rtol=1e-5, atol=1e-7)
        table = bound.table
        own = [i for i in range(len(table)) if table.lhs[i] in ("c1", "c2", "x1") and table.op[i] == "~~"]
        assert bounds.startswith("pos") or not np.isfinite(table.lower[own]).any()


def test_invariance_goes_up_the_ladder(schools: pd.DataFrame) -> None:
    model = "c <~ x1 + x2 + x3\nf =~ x4 + x5 + x6\ng =~ x7 + x8 + x9\nf ~ c\ng ~ c"
    ladder = sk.invariance(model, schools, group="school")
    assert list(ladder.frame["step"]) == ["configural", "metric", "scalar", "strict"]
    # means of the composite's indicators are intercepts of observed variables, its own mean follows
    assert ladder.frame["df_diff"].tolist()[1:] == [4.0, 7.0, 6.0]


def test_moments_alone_are_enough(schools: pd.DataFrame) -> None:
    items = [f"x{k}" for k in range(1, 10)]
    given = sk.sem(CHAIN, moments=sk.Moments(schools[items].cov(), nobs=301))
    np.testing.assert_allclose(given.est, sk.sem(CHAIN, schools).est, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("method", ["sam", "factor_score", "2sls"])
def test_methods_in_two_steps_refuse_composites(schools: pd.DataFrame, method: str) -> None:
    with pytest.raises(NotSupportedError) as caught:
        sk.sem(SEVERAL, schools, interaction=method)
    assert caught.value.code == "fitting.not-with-sam" and "composites" in str(caught.value)


def test_an_unknown_form_is_refused(schools: pd.DataFrame) -> None:
    with pytest.raises(OptionError) as caught:
        sk.sem(ONE, schools, composites_cov="fre")
    assert caught.value.code == "fitting.unknown-option-value" and 'Did you mean "free"' in str(caught.value)


def test_the_printed_table_reads_as_itself() -> None:
    for free in (False, True):
        table = build_table(parse(CHAIN), composites_cov_free=free)
        again = build_table(parse(print_model(table)), composites_cov_free=free)
        assert table.n_free == again.n_free and print_model(again) == print_model(table)


def test_settled_points_keep_every_constraint_of_composites(schools: pd.DataFrame) -> None:
    for options in ({}, {"composites_cov": "free"}, {"meanstructure": True}, {"group": "school"}, {"std_lv": True}):
        solution = sk.sem(CHAIN, schools, **options).solution
        constraints, found = solution.constraints, make_composition(solution.table, solution.layout)
        assert constraints is not None and found is not None
        away = solution.minimum.x + 0.1 * np.random.default_rng(1).normal(size=(3, solution.layout.n_parameters))
        x = constraints.settle(away, np.zeros(3, dtype=np.int64))
        values, _ = constraints.evaluate(x, np.zeros(3, dtype=np.int64))
        np.testing.assert_allclose(values, 0.0, atol=1e-8)
        np.testing.assert_array_equal(constraints.settle(x, np.zeros(3, dtype=np.int64)).round(9), x.round(9))


def test_derivatives_of_held_moments(schools: pd.DataFrame) -> None:
    solution = sk.sem(CHAIN, schools, meanstructure=True, composites_cov="free").solution
    constraints = make_constraints(solution.table, solution.layout, solution.given)
    assert constraints is not None and constraints.held is not None
    held, given, rng = constraints.held, solution.given, np.random.default_rng(2)
    x = solution.minimum.x + 0.1 * rng.normal(size=solution.minimum.x.shape)
    weight = rng.normal(size=(1, len(held.from_data)))
    _, slope = held.evaluate(x, given)
    curvature = held.curvature(x, given, weight)
    for k in range(x.shape[1]):
        step = np.zeros_like(x)
        step[0, k] = 1e-5
        (up, more), (down, less) = held.evaluate(x + step, given), held.evaluate(x - step, given)
        np.testing.assert_allclose((up - down)[0] / 2e-5, slope[0, :, k], atol=2e-8)
        np.testing.assert_allclose(((more - less)[0] / 2e-5).T @ weight[0], curvature[0, k], atol=2e-7)
