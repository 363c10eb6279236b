"""What must hold exactly, whatever the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.estimate.discrepancy import discrepancy
from semkit.estimate.optimise import LikelihoodObjective
from semkit.numerics.newton import minimise

CFA = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
MODERATED = """
f =~ x1 + x2 + x3
g =~ w1 + w2 + w3
h =~ y1 + y2 + y3
h ~ a*f + b*g + c*f:g
low := a - c*sd(g)
"""


def study(n: int = 400, seed: int = 7) -> pd.DataFrame:
    r = np.random.default_rng(seed)
    f = r.normal(size=n)
    g = 0.4 * f + r.normal(size=n)
    h = 0.4 * f + 0.3 * g + 0.25 * f * g + 0.8 * r.normal(size=n)
    out = {}
    for name, latent in (("x", f), ("w", g), ("y", h)):
        for k, loading in enumerate((1.0, 0.9, 0.8), start=1):
            out[f"{name}{k}"] = 3.0 + loading * latent + 0.6 * r.normal(size=n)
    return pd.DataFrame(out)


def table(fit: sk.Fit, column: str) -> pd.Series:
    return fit.estimates.set_index(["lhs", "op", "rhs"])[column]


def test_a_saturated_model_fits_exactly() -> None:
    fit = sk.sem("y1 ~ x1 + x2\nx3 ~~ y1\nx3 ~ x1 + x2", study())
    assert fit.solution.df == 0
    assert fit.fit_measures["chisq"] == pytest.approx(0.0, abs=1e-8)
    np.testing.assert_allclose(fit.residuals().to_numpy(), 0.0, atol=1e-8)
    assert np.isnan(fit.fit_measures["pvalue"])
    assert fit.fit_measures["cfi"] == pytest.approx(1.0) and fit.fit_measures["rmsea"] == 0.0


def test_a_regression_is_ordinary_least_squares() -> None:
    data = study()
    fit = sk.sem("y1 ~ x1 + x2 + x3", data)
    design = np.column_stack([np.ones(400), data[["x1", "x2", "x3"]]])
    beta, rss, *_ = np.linalg.lstsq(design, data["y1"], rcond=None)
    np.testing.assert_allclose(fit.est[:3], beta[1:], rtol=1e-8)
    assert fit.est[3] == pytest.approx(rss[0] / 400, rel=1e-8)
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design))[1:] * rss[0] / 400)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.vcov))[:3], errors, rtol=1e-8)
    assert fit.r2["y1"] == pytest.approx(1 - rss[0] / np.sum((data["y1"] - data["y1"].mean()) ** 2), rel=1e-8)


@pytest.mark.parametrize("estimator", ["ml", "mlr"])
def test_rescaling_an_item_changes_no_z(estimator: str) -> None:
    data = study()
    other = data.assign(x2=data["x2"] * 25.0, y3=data["y3"] * 0.01)
    a, b = sk.cfa(CFA, data, estimator=estimator), sk.cfa(CFA, other, estimator=estimator)
    keep = [row for row in table(a, "z").index if row[1] == "=~" or (row[0] == row[2] and row[0] in data)]
    np.testing.assert_allclose(table(a, "z")[keep], table(b, "z")[keep], rtol=1e-6)
    np.testing.assert_allclose(table(a, "std_all"), table(b, "std_all"), rtol=1e-6)
    assert a.fit_measures["chisq"] == pytest.approx(b.fit_measures["chisq"], rel=1e-8)


def test_the_order_of_rows_and_columns_changes_nothing() -> None:
    data = study()
    a = sk.cfa(CFA, data)
    b = sk.cfa(CFA, data.sample(frac=1.0, random_state=1)[list(data.columns[::-1])])
    np.testing.assert_allclose(a.est, b.est, rtol=1e-8)
    c = sk.cfa("g =~ y1 + y2 + y3\nf =~ x1 + x2 + x3", data)
    np.testing.assert_allclose(table(a, "est")["f", "=~", "x3"], table(c, "est")["f", "=~", "x3"], rtol=1e-8)


def test_shifting_the_data_changes_no_interaction_test() -> None:
    data = study()
    a, b = sk.sem(MODERATED, data), sk.sem(MODERATED, data + np.arange(9) * 10.0)
    for column in ("est", "se", "z", "std_all"):
        np.testing.assert_allclose(table(a, column), table(b, column), rtol=1e-6, atol=1e-8)
    shifted = a.bootstrap(20, seed=5).draws
    assert shifted is not None
    np.testing.assert_allclose(shifted, b.bootstrap(20, seed=5).draws, rtol=1e-5, atol=1e-7)


def test_an_interaction_is_standardised_by_its_components() -> None:
    fit = sk.sem(MODERATED, study())
    sd = {name: fit.variables[name].sd for name in ("f", "g", "h")}
    at = fit.names.index("c")
    assert fit.std_est[at] == pytest.approx(fit.est[at] * sd["f"] * sd["g"] / sd["h"], rel=1e-10)
    own = np.sqrt(fit.cov_lv.loc["f:g", "f:g"])
    assert abs(fit.std_est[at] - fit.est[at] * own / sd["h"]) > 1e-3
    low = fit.names.index("low")
    a = fit.names.index("a")
    assert fit.est[low] == pytest.approx(fit.est[a] - fit.est[at] * sd["g"], rel=1e-10)
    assert fit.std_est[low] == pytest.approx(fit.std_est[a] - fit.std_est[at], rel=1e-10)


def test_moments_give_the_same_numbers_as_data() -> None:
    data = study()
    a = sk.cfa(CFA, data, meanstructure=True)
    b = sk.cfa(CFA, moments=sk.Moments(data.cov(), data.mean(), len(data)), meanstructure=True)
    np.testing.assert_allclose(a.est, b.est, rtol=1e-8)
    np.testing.assert_allclose(a.vcov, b.vcov, rtol=1e-6, atol=1e-12)
    assert a.fit_measures["logl"] == pytest.approx(b.fit_measures["logl"], rel=1e-10)


def test_equal_labels_a_constraint_and_two_names_for_one_parameter_agree() -> None:
    data = study()
    a = sk.cfa("f =~ x1 + l*x2 + l*x3", data)
    b = sk.cfa("f =~ x1 + l*x2 + m*x3\nl == m", data)
    c = sk.cfa("f =~ x1 + l*x2 + m*x3\nlog(l) == log(m)", data)
    for other in (b, c):
        assert other.converged
        np.testing.assert_allclose(a.est, other.est, rtol=1e-7)
        np.testing.assert_allclose(a.vcov, other.vcov, rtol=1e-6, atol=1e-12)
        assert a.fit_measures["chisq"] == pytest.approx(other.fit_measures["chisq"], abs=1e-8)
        assert other.solution.df == a.solution.df == 1
        assert other.fit_measures["npar"] == a.fit_measures["npar"]


def test_a_nonlinear_constraint_is_the_substituted_model() -> None:
    """p == a*b as a constraint and as an estimate of the Lagrangian: a stationary point along the constraint."""
    data = study()
    model = "y1 ~ a*x1 + b*x2 + p*x3\np == a*b"
    fit = sk.sem(model, data)
    value = dict(zip(fit.names, fit.est, strict=True))
    assert value["p"] == pytest.approx(value["a"] * value["b"], abs=1e-12)
    rss = []
    y = data["y1"] - data["y1"].mean()
    x = data[["x1", "x2", "x3"]] - data[["x1", "x2", "x3"]].mean()
    for da, db in ((0, 0), (1e-4, 0), (-1e-4, 0), (0, 1e-4), (0, -1e-4)):
        a, b = value["a"] + da, value["b"] + db
        rss.append(float(np.sum((y - a * x["x1"] - b * x["x2"] - a * b * x["x3"]) ** 2)))
    assert rss[0] == min(rss)
    assert abs(rss[1] - rss[2]) < 1e-6 * rss[0] and abs(rss[3] - rss[4]) < 1e-6 * rss[0]


def test_an_inequality_binds_only_when_it_must() -> None:
    data = study()
    free = sk.sem("y1 ~ a*x1 + b*x2", data)
    at = free.names.index("a")
    loose = sk.sem(f"y1 ~ a*x1 + b*x2\na > {free.est[at] - 0.2}", data)
    tight = sk.sem(f"y1 ~ a*x1 + b*x2\na > {free.est[at] + 0.2}", data)
    np.testing.assert_allclose(loose.est, free.est, rtol=1e-8)
    assert tight.est[at] == pytest.approx(free.est[at] + 0.2, abs=1e-9)
    assert tight.vcov[at, at] == pytest.approx(0.0, abs=1e-12)
    bounded = sk.sem(f"y1 ~ a*x1 + lower({free.est[at] + 0.2})*x1 + b*x2", data)
    np.testing.assert_allclose(bounded.est, tight.est, rtol=1e-7)


def test_the_solution_is_a_minimum_from_any_start() -> None:
    fit = sk.cfa(CFA, study())
    solution = fit.solution
    value = discrepancy(solution.layout, solution.minimum.x, solution.observed, solution.given, "exact")
    assert value.gradient is not None
    assert np.abs(value.gradient).max() < 1e-9
    objective = LikelihoodObjective(solution.layout, solution.observed, solution.given)
    start = solution.minimum.x * np.random.default_rng(1).uniform(0.7, 1.3, solution.minimum.x.shape)
    again = minimise(objective, start)
    np.testing.assert_allclose(again.x, solution.minimum.x, rtol=1e-7)
    named = sk.cfa(CFA, study(), start={"f =~ x2": 3.0})
    np.testing.assert_allclose(named.est, fit.est, rtol=1e-7)


def test_factor_scores_are_the_regression_on_the_indicators() -> None:
    data = study()
    fit = sk.cfa(CFA, data)
    centred = data.iloc[:, [0, 1, 2, 6, 7, 8]] - data.iloc[:, [0, 1, 2, 6, 7, 8]].mean()
    implied = fit.implied["cov"]
    lam = fit.solution.implied[0].matrices.lambda_[0]
    weights = fit.cov_lv.to_numpy() @ lam.T @ np.linalg.inv(implied.to_numpy())
    np.testing.assert_allclose(fit.predict().to_numpy(), centred[implied.index].to_numpy() @ weights.T, atol=1e-10)


def test_groups_add_up() -> None:
    """Two groups without equalities are two fits; the statistic is their sum."""
    data = study().assign(place=lambda d: np.where(np.arange(len(d)) < 150, "p", "q"))
    both = sk.cfa(CFA, data, group="place")
    one, two = (sk.cfa(CFA, data[data["place"] == label], meanstructure=True) for label in ("p", "q"))
    assert both.fit_measures["chisq"] == pytest.approx(one.fit_measures["chisq"] + two.fit_measures["chisq"], rel=1e-8)
    assert both.fit_measures["logl"] == pytest.approx(one.fit_measures["logl"] + two.fit_measures["logl"], rel=1e-10)
    np.testing.assert_allclose(both.est, np.concatenate([one.est, two.est]), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(both.vcov))[: len(one.est)], np.sqrt(np.diag(one.vcov)), rtol=1e-6)
