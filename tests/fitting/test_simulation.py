"""Simulated data: exact identities, large samples, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kurtosis, skew

import semkit as sk
from semkit.errors import ModelError, NotSupportedError, OptionError
from semkit.fitting.population import make_population
from semkit.numerics.nonnormal import cubic, intermediate
from tests.reference.harness import DATA

CFA = """
f =~ 0.7*x1 + 0.8*x2 + 0.6*x3
g =~ 0.5*y1 + 0.9*y2 + 0.7*y3
f ~~ 0.4*g
"""
PATH = "f =~ 0.7*x1 + 0.8*x2 + 0.9*x3\nf ~ 0.5*w\ny ~ 0.3*f + b*w\nx1 ~~ 0.1*x2\ny ~1\nw ~~ 2*w"


def test_an_empirical_sample_gives_the_values_back() -> None:
    data = sk.simulate_model(CFA, 200, empirical=True, seed=1)
    fit = sk.cfa("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3", data, std_lv=True)
    assert fit.fit_measures["chisq"] == pytest.approx(0.0, abs=1e-8)
    est = fit.estimates.set_index(["lhs", "op", "rhs"])["est"]
    expected = {("f", "=~", "x1"): 0.7, ("g", "=~", "y2"): 0.9, ("f", "~~", "g"): 0.4, ("x1", "~~", "x1"): 1 - 0.49}
    for key, value in expected.items():
        assert est[key] == pytest.approx(value, abs=1e-6)


def test_values_by_name_and_what_is_completed() -> None:
    values = {"b": -0.2, "y ~1": 3.0, "y ~~ y": 0.8}
    data = sk.simulate_model(PATH, 300, values=values, empirical=True, seed=2)
    fit = sk.sem("f =~ 0.7*x1 + x2 + x3\nf ~ w\ny ~ f + b*w\nx1 ~~ x2\ny ~1", data, fixed_x=False)
    est = fit.estimates.set_index(["lhs", "op", "rhs"])["est"]
    assert fit.fit_measures["chisq"] == pytest.approx(0.0, abs=1e-7)
    for key, value in {("f", "~", "w"): 0.5, ("y", "~", "f"): 0.3, ("y", "~", "w"): -0.2, ("y", "~1", ""): 3.0,
                       ("y", "~~", "y"): 0.8, ("w", "~~", "w"): 2.0, ("x1", "~~", "x2"): 0.1,
                       ("f", "~~", "f"): 1 - 0.25 * 2, ("x3", "~~", "x3"): 1 - 0.81}.items():
        assert est[key] == pytest.approx(value, abs=1e-6), key
    assert data["x3"].var(ddof=0) == pytest.approx(1.0)


def test_a_fit_is_a_population() -> None:
    fit = sk.cfa("visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9",
                 pd.read_csv(DATA / "HolzingerSwineford1939.csv"), group="school", group_equal=["loadings"])
    data = sk.simulate_model(fit, {"Pasteur": 200, "Grant-White": 150}, empirical=True, seed=3)
    again = sk.cfa(fit.recipe.model, data, group="group", group_equal=["loadings"])
    assert again.fit_measures["chisq"] == pytest.approx(0.0, abs=1e-7)
    np.testing.assert_allclose(again.est, fit.est, rtol=1e-4, atol=1e-5)
    assert data["group"].value_counts().to_dict() == {"Pasteur": 200, "Grant-White": 150}


def test_an_ordinal_fit_is_a_population_with_its_thresholds() -> None:
    data = pd.read_csv(DATA / "HS_ordinal5.csv")
    names = [f"x{k}" for k in range(1, 4)]
    fit = sk.cfa("f =~ x1 + x2 + x3", data, ordered=names)
    drawn = sk.simulate_model(fit, 40_000, seed=3)
    for name in names:
        expected = data[name].dropna().value_counts(normalize=True).sort_index().to_numpy()
        assert drawn[name].value_counts(normalize=True).sort_index().to_numpy() == pytest.approx(expected, abs=0.015)


def test_groups_have_values_of_their_own() -> None:
    text = "f =~ 0.7*x1 + x2 + 0.6*x3\nx1 ~ c(0, 1)*1"
    found = make_population(text, {"f =~ x2": 0.8, "f =~ x2.g2": 0.5}, ("a", "b"))
    assert found.cov[0][0, 1] == pytest.approx(0.56) and found.cov[1][0, 1] == pytest.approx(0.35)
    assert [mean[0] for mean in found.mean] == [0.0, 1.0]


def test_large_samples_have_the_moments_that_were_asked_for() -> None:
    data = sk.simulate_model(CFA, 200_000, skew={"x1": 1.5, "y1": -1.0}, kurtosis={"x1": 4.0, "y1": 2.0, "y2": 3.0},
                             seed=4)
    population = make_population(CFA, None, ("",))
    assert np.abs(data.corr().to_numpy() - population.cov[0]).max() < 0.012
    assert skew(data["x1"]) == pytest.approx(1.5, abs=0.06) and skew(data["y1"]) == pytest.approx(-1.0, abs=0.06)
    assert kurtosis(data["x1"]) == pytest.approx(4.0, abs=0.5) and kurtosis(data["y2"]) == pytest.approx(3.0, abs=0.4)
    assert abs(skew(data["x2"])) < 0.03 and abs(kurtosis(data["x3"])) < 0.06


def test_fleishmans_and_vale_and_maurellis_numbers() -> None:
    """Fleishman's table: skew .75, kurtosis 0 gives b = 1.1125, c = .1736, d = -.0503; Vale & Maurelli's example."""
    b, c, d = cubic(np.array([0.75]), np.array([0.0]))[0]
    assert [b, c, d] == pytest.approx([1.1125, 0.1736, -0.0503], abs=5e-5)
    shapes = cubic(np.array([1.75, 1.75, 0.0]), np.array([3.75, 3.75, 0.0]))
    r = np.array([[1.0, 0.7, 0.2], [0.7, 1.0, 0.2], [0.2, 0.2, 1.0]])
    rho = intermediate(r, shapes)
    b, c, d = shapes.T
    for i, j in ((0, 1), (0, 2)):
        p = rho[i, j]
        again = p * (b[i] * b[j] + 3 * b[i] * d[j] + 3 * d[i] * b[j] + 9 * d[i] * d[j]) + 2 * p**2 * c[i] * c[j] \
            + 6 * p**3 * d[i] * d[j]
        assert again == pytest.approx(r[i, j], abs=1e-12)
    assert np.isnan(cubic(np.array([2.0]), np.array([1.0]))).all()


def test_categories_have_the_shares_of_their_cuts() -> None:
    data = sk.simulate_model(CFA + "x1 | -1*t1 + 0.5*t2", 50_000, thresholds={"y1": (0.0,)}, seed=5)
    from scipy.special import ndtr

    shares = data["x1"].value_counts(normalize=True)
    assert [shares[1.0], shares[2.0]] == pytest.approx([ndtr(-1), ndtr(0.5) - ndtr(-1)], abs=0.01)
    assert set(data["y1"]) == {1.0, 2.0} and data["x2"].nunique() == 50_000


def test_missing_values_completely_at_random_and_at_random() -> None:
    free = sk.simulate_model(CFA, 20_000, missing={"x2": 0.2, "y1": 0.1}, seed=6)
    assert free["x2"].isna().mean() == pytest.approx(0.2, abs=0.01) and free["x1"].notna().all()
    assert free.groupby(free["x2"].isna())["x1"].mean().diff().abs().iloc[1] < 0.06
    bound = sk.simulate_model(CFA, 20_000, missing=0.2, depends="x1", strength=1.5, seed=6)
    assert bound["x1"].notna().all() and bound["x2"].isna().mean() == pytest.approx(0.2, abs=0.01)
    assert bound.groupby(bound["x2"].isna())["x1"].mean().diff().iloc[1] > 0.5
    # full information gets the mean back, the mean of what is there does not
    fit = sk.cfa("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3", bound, missing="fiml")
    level = fit.estimates.set_index(["lhs", "op"]).loc[("x2", "~1"), "est"]
    assert abs(level) < 0.03 < 0.08 < abs(bound["x2"].mean())


def test_the_same_seed_gives_the_same_bits() -> None:
    a, b = (sk.simulate_model(CFA, 50, groups=("p", "q"), missing=0.1, seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(a, b)
    assert a.attrs["seed"] == 7 and not a.equals(sk.simulate_model(CFA, 50, groups=("p", "q"), missing=0.1, seed=8))
    assert sk.simulate_model(CFA, 50).attrs["seed"] >= 0


@pytest.mark.parametrize(("model", "options", "error", "code"), [
    ("f =~ 0.7*x1 + x2", {}, ModelError, "fitting.parameter-without-value"),
    ("f =~ 0.7*x1 + 1.2*x2", {}, ModelError, "fitting.impossible-population"),
    (CFA + "x1 ~~ 0.9*x2", {}, ModelError, "fitting.impossible-population"),
    (CFA, {"values": {"f =~ x9": 1.0}}, OptionError, "fitting.unknown-parameter"),
    (CFA, {"skew": 3.0}, OptionError, "fitting.impossible-moments"),
    (CFA, {"missing": 1.0}, OptionError, "fitting.missing-share"),
    (CFA, {"missing": 0.1, "empirical": True}, OptionError, "fitting.contradictory-options"),
    (CFA, {"depends": "z"}, OptionError, "fitting.unknown-variable"),
    (CFA, {"n": 3}, OptionError, "fitting.simulated-size"),
    ("y ~ 1*a + 1*b + 1*a:b", {}, NotSupportedError, "fitting.not-supported"),
])  # fmt: skip
def test_refusals(model: str, options: dict[str, object], error: type[Exception], code: str) -> None:
    with pytest.raises(error) as caught:
        sk.simulate_model(model, **{"n": 100, **options})  # type: ignore[arg-type]
    assert caught.value.code == code and caught.value.problems[0].remedy is not None
