"""Tests after the fit: score, Wald and difference tests, effects, scripts for lavaan."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.estimate.misfit import residual_variance, residual_variance_robust

CFA = "f =~ a + b + c\ng =~ d + e + h"
SCHOOLS = Path(__file__).parents[1] / "reference/data/HolzingerSwineford1939.csv"
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


@cache
def data(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    f = rng.normal(size=(n, 1))
    g = 0.5 * f + 0.8 * rng.normal(size=(n, 1))
    x = np.hstack([0.8 * f + 0.6 * rng.normal(size=(n, 3)), 0.8 * g + 0.6 * rng.normal(size=(n, 3))])
    frame = pd.DataFrame(x, columns=list("abcdeh"))
    frame["who"] = np.where(np.arange(n) % 2, "one", "two")
    return frame


def test_an_expected_change_is_about_the_change() -> None:
    """Score statistic and change are near those of the model in which the parameter is free."""
    frame = data().copy()
    frame["b"] += 0.15 * (frame["d"] - frame["d"].mean())
    fit = sk.cfa(CFA, frame)
    row = fit.modification_indices().set_index(["lhs", "op", "rhs"]).loc[("b", "~~", "d")]
    free = sk.cfa(CFA + "\nb ~~ d", frame)
    est = free.estimates.set_index(["lhs", "op", "rhs"])["est"]
    assert row["mi"] == pytest.approx(fit.solution.stat - free.solution.stat, rel=0.15)
    assert row["epc"] == pytest.approx(est.loc[("b", "~~", "d")], rel=0.2)


def test_releasing_an_equality_by_score_test_or_by_modification_index() -> None:
    """One fixed loading is one equality: ``a == 1`` as a label has the same score statistic."""
    fixed = sk.cfa("f =~ 1*a + 1*b + c\ng =~ d + e + h", data())
    tied = sk.cfa("f =~ NA*a + p*a + p*b + c\nf ~~ 1*f\ng =~ d + e + h", data())
    index = fixed.modification_indices().set_index(["lhs", "op", "rhs"]).loc[("f", "=~", "b"), "mi"]
    released = tied.score_test()
    assert released["stat"].iloc[0] == pytest.approx(index, rel=1e-6)
    assert released["stat"].iloc[-1] == pytest.approx(index, rel=1e-6)


def test_wald_of_one_parameter_is_its_z_squared() -> None:
    fit = sk.cfa("f =~ a + p*b + q*c\ng =~ d + e + h\nd1 := p - q", data())
    z = fit.estimates.set_index("label")["z"]
    assert fit.wald("p == 0").stat == pytest.approx(z["p"] ** 2, rel=1e-9)
    assert fit.wald("p == q").stat == pytest.approx(fit.wald("d1 == 0").stat, rel=1e-9)
    assert fit.wald("p == q; q == p").df == 1
    assert fit.wald("p == 0\nq == 0").df == 2


@pytest.mark.parametrize(("text", "code"), [("p > 0", "fitting.wald-no-equation"), ("", "fitting.wald-no-equation"),
                                            ("zz == 0", "fitting.unknown-label")])
def test_wald_refuses(text: str, code: str) -> None:
    fit = sk.cfa("f =~ a + p*b + c", data())
    with pytest.raises(sk.SemkitError) as caught:
        fit.wald(text)
    assert caught.value.code == code


def test_standardised_residuals_have_unit_variance_and_agree_under_normality() -> None:
    frame = data(20000)
    fit = sk.cfa(CFA, frame)
    s = fit.solution
    normal = residual_variance(s.layout, s.theta, s.given[0], (s.observed[0].cov[0],), s.weights, s.bread)[0]
    free = residual_variance_robust(s.layout, s.theta, s.given[0], s.data, s.bread)[0]
    off = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(free[off], normal[off], rtol=0.1)
    robust = sk.cfa(CFA, frame, estimator="mlr").residuals("standardized").to_numpy()
    np.testing.assert_allclose(robust[off], fit.residuals("standardized").to_numpy()[off], rtol=0.15, atol=0.05)


def refuses(code: str, *fits: Any, **options: Any) -> None:
    with pytest.raises(sk.SemkitError) as caught:
        sk.compare(*fits, **options)
    assert caught.value.code == code


def test_compare_refuses_what_is_not_a_comparison() -> None:
    one, two = sk.cfa(CFA, data()), sk.cfa(CFA + "\nf ~~ 0*g", data())
    refuses("fitting.compare-too-few", one)
    refuses("fitting.compare-names", one, two, names=["only"])
    refuses("fitting.unknown-option-value", one, two, method="wrong")
    refuses("fitting.compare-other-data", one, sk.cfa(CFA + "\nf ~~ 0*g", data().iloc[:300]))
    refuses("fitting.compare-other-data", one, sk.cfa("f =~ a + b + c", data()))
    refuses("fitting.compare-same-df", one, sk.cfa("f =~ a + b + d\ng =~ c + e + h", data()))
    refuses("fitting.compare-not-nested", sk.cfa("f =~ a + b + d\ng =~ c + e + h", data()), two)
    refuses("fitting.compare-mixed-tests", one, sk.cfa(CFA + "\nf ~~ 0*g", data(), estimator="mlr"))
    refuses("fitting.compare-mixed-tests", one, two, method="sb2001")


def test_compare_knows_nesting_that_names_do_not_show() -> None:
    """A one-factor model is a two-factor model with correlation 1, and the order of variables does not matter."""
    one, two = sk.cfa("f =~ h + a + b + c + d + e", data()), sk.cfa(CFA, data())
    found = sk.compare(one, two, names=["one", "two"])
    assert list(found.frame["model"]) == ["two", "one"]
    assert found.frame["chisq_diff"].iloc[1] == pytest.approx(one.solution.stat - two.solution.stat)
    assert "one" in repr(found) and "one" in found._repr_html_()


def test_effects_of_a_product_are_refused_and_draws_are_used() -> None:
    rng = np.random.default_rng(5)
    x = pd.DataFrame(rng.normal(size=(120, 4)), columns=["y", "m", "x", "w"])
    fit = sk.sem("m ~ x\ny ~ m + w + m:w", x)
    with pytest.raises(sk.SemkitError) as caught:
        fit.effects("x", "y")
    assert caught.value.code == "fitting.effect-moderated"
    plain = sk.sem("m ~ p*x\ny ~ q*m + x\nind := p*q", x, bootstrap=200, seed=1)
    row = plain.effects("x", "y").iloc[2]
    named = plain.estimates.set_index("lhs").loc["ind"]
    for column in ("est", "se", "pvalue", "ci_lower", "ci_upper"):
        assert row[column] == pytest.approx(named[column], rel=1e-9), column


def test_a_feedback_loop_has_total_effects() -> None:
    """In a loop ``T = (I - B)^-1 - I`` is more than any single path."""
    rng = np.random.default_rng(6)
    x = pd.DataFrame(rng.normal(size=(200, 4)), columns=["y", "m", "x", "z"])
    fit = sk.sem("m ~ p*x + r*y\ny ~ q*m + s*z", x)
    table = fit.estimates.set_index("label")["est"]
    loop = table["p"] * table["q"] / (1 - table["q"] * table["r"])
    assert fit.effects("x", "y")["est"].iloc[0] == pytest.approx(loop, rel=1e-9)


def test_the_script_for_lavaan_says_the_same_and_cannot_carry_commands(tmp_path: Path) -> None:
    frame = data().replace({"who": {"one": "o\nquit()"}})
    fit = sk.cfa(CFA, frame, group="who", group_equal=["loadings"], estimator="mlr")
    script, table = fit.to_lavaan(tmp_path / "analysis")
    text = script.read_text(encoding="utf-8")
    assert 'read.csv("analysis.csv")' in text and 'estimator = "MLR"' in text and 'group = "group"' in text
    assert not any(line.startswith("quit") for line in text.splitlines())
    with table.open(encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["v1", "v2", "v3", "v4", "v5", "v6", "group"] and len(rows) == 401
    again = pd.read_csv(table)
    lines = text.split("model <- '")[1].split("'")[0].split()
    assert "".join(lines).count("group:") == 2 and text.count("=~ p1*v2") == 2
    for name, column in zip("abcdeh", ("v1", "v2", "v3", "v4", "v5", "v6"), strict=True):
        first = again.loc[again["group"] == 1, column].to_numpy()
        np.testing.assert_array_equal(first, fit.solution.sample.column(name, 0))


def test_the_script_has_product_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    x = pd.DataFrame(rng.normal(size=(100, 3)), columns=["y", "m", "w"])
    fit = sk.sem("y ~ m + w + m:w", x)
    _, table = fit.to_lavaan(tmp_path / "p.R")
    assert pd.read_csv(table).shape == (100, len(fit.table.variables.ov))


def test_difference_tests_do_not_depend_on_how_the_larger_model_is_written() -> None:
    """Metric invariance with free intercepts, or with latent means instead of one intercept a construct.

    Away from a maximum the observed Hessian is no tensor: the 2010 method is invariant with expected information only.
    """
    schools = pd.read_csv(SCHOOLS)
    means = "".join(f"{item} ~ c({letter}, {letter})*1\n{name} ~ c(0, NA)*1\n"
                    for item, letter, name in (("x1", "a", "visual"), ("x4", "b", "textual"), ("x7", "d", "speed")))
    for information, methods in ((None, ("satorra.bentler.2001",)),
                                 ("expected", ("satorra.bentler.2001", "satorra.bentler.2010"))):
        options = {"group": "school", "estimator": "mlr", "information": information}
        scalar = sk.cfa(THREE, schools, group_equal=["loadings", "intercepts"], **options)
        metric = sk.cfa(THREE, schools, group_equal="loadings", **options)
        other = sk.cfa(f"{THREE}\n{means}", schools, group_equal="loadings", **options)
        for method in methods:
            rows = [sk.compare(one, scalar, method=method).frame["chisq_diff"].iloc[1] for one in (metric, other)]
            assert rows[0] == pytest.approx(rows[1], rel=1e-6), (information, method)


def test_effects_on_indicators_are_those_of_written_products() -> None:
    """Total effects through loadings are ``Lambda (I - B)^-1`` (Bollen 1987): the same as defined parameters."""
    text = ("i =~ x1 + x2 + x3\nd =~ y1 + L*y2 + y3\ne =~ y5 + M*y6 + y7\nd ~ a*i\ne ~ b*i + c*d\n"
            "one := a*L\nall := (b + a*c)*M\nway := a*c*M")
    fit = sk.sem(text, pd.read_csv(Path(__file__).parents[1] / "reference" / "data" / "PoliticalDemocracy.csv"))
    known = fit.estimates.query("op == ':='").set_index("lhs")
    on_y2, on_y6 = fit.effects("i", "y2"), fit.effects("i", "y6")
    for row, name in ((on_y2.iloc[0], "one"), (on_y6.iloc[0], "all"),
                      (on_y6.set_index("path").loc["i -> d -> e -> y6"], "way")):
        assert (row["est"], row["se"]) == pytest.approx((known.est[name], known.se[name]), rel=1e-8)
    assert on_y6.iloc[1]["est"] == 0.0  # no loading of y6 on i
    assert fit.effects("d", "y1").iloc[0][["est", "se"]].tolist() == [1.0, 0.0]  # the marker
