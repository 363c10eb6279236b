"""Centering and constraints of product indicators, against modsem and lavaan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError, OptionError
from semkit.numerics.jobs import Job, resample_counts
from semkit.sample import group_moments
from tests.interaction.test_peers import REFERENCE, TWO, case_of, compare

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "product_indicators.json").read_text(encoding="utf-8"))


def frame() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / "lms_simple.csv")


def test_residual_centring_gives_modsems_numbers() -> None:
    fit = sk.sem(TWO, frame(), interaction=sk.ProductIndicators(match="all", centering="residual"))
    compare(fit, case_of("own/lms_simple__rca"), 1e-3)


CASES: dict[str, dict[str, Any]] = {
    "mean": {"centering": "mean"}, "constrained": {"constrained": True},
    "shared": {"constrained": True, "match": "pairs", "pairs": {"X:Z": (("x1", "z1"), ("x2", "z1"), ("x2", "z2"))}},
}
COLUMNS = {"p1": "x1:z1", "p2": "x2:z2", "p3": "x3:z3", "q1": "x1:z1", "q2": "x2:z2", "q3": "x3:z3",
           "c1": "x1:z1", "c2": "x2:z1", "c3": "x2:z2", "XZ": "X:Z"}


@pytest.mark.parametrize("name", list(CASES))
def test_mean_centred_and_constrained_products_give_lavaans_numbers(name: str) -> None:
    case = GOLDEN[name]
    fit = sk.sem(TWO, frame(), interaction=sk.ProductIndicators(**CASES[name]))
    assert fit.fit_measures["df"] == case["df"]
    assert -1e-6 < case["chisq"] - fit.fit_measures["chisq"] < 1e-4  # lavaan stops a little early
    ours = {(r.lhs, r.op, r.rhs): r for r in fit.estimates.itertuples()}
    ours |= {(rhs, op, lhs): r for (lhs, op, rhs), r in list(ours.items()) if op == "~~"}
    for lhs, op, rhs, est, se in case["rows"]:
        found = ours[COLUMNS.get(lhs, lhs), op, COLUMNS.get(rhs, rhs)]
        assert abs(found.est - est) <= 2e-4 * max(se, 0.05), (lhs, op, rhs)
        assert abs(found.se - se) <= 1e-3 * max(se, 0.01), (lhs, op, rhs)


def test_constrained_mean_of_the_product_factor_is_the_covariance() -> None:
    fit = sk.sem(TWO, frame(), interaction=sk.ProductIndicators(constrained=True, centering="mean"))
    rows = fit.estimates.set_index(["lhs", "op", "rhs"]).est
    assert abs(rows["X:Z", "~1", ""] - rows["X", "~~", "Z"]) < 1e-9
    expected = rows["X", "~~", "X"] * rows["Z", "~~", "Z"] + rows["X", "~~", "Z"] ** 2
    assert abs(rows["X:Z", "~~", "X:Z"] - expected) < 1e-9


@pytest.mark.parametrize("centering", ["double", "mean", "residual"])
def test_moments_of_a_draw_are_those_of_its_rows(centering: str) -> None:
    data = frame().head(150)
    fit = sk.sem(TWO, data, interaction=sk.ProductIndicators(match="all", centering=centering))
    counts = resample_counts(next(iter(Job(replicates=2, seed=1, chunk=2).chunks())), 150)
    found = group_moments(fit.solution.sample, 0, counts)
    for b, count in enumerate(counts.astype(int)):
        rows = data.iloc[np.repeat(np.arange(150), count)]
        again = group_moments(sk.sem(TWO, rows, interaction=fit.recipe.interaction).solution.sample, 0)
        np.testing.assert_allclose(found.cov[b], again.cov[0], atol=1e-10)
        np.testing.assert_allclose(found.mean[b], again.mean[0], atol=1e-10)


def test_residual_centred_products_are_uncorrelated_with_their_indicators() -> None:
    fit = sk.sem(TWO, frame(), interaction=sk.ProductIndicators(centering="residual"))
    rows = fit.estimates.set_index(["lhs", "op", "rhs"]).est
    assert abs(rows["X", "~~", "X:Z"]) < 1e-6 and abs(rows["Z", "~~", "X:Z"]) < 1e-6
    data = frame()
    data.iloc[3, 0] = np.nan
    with pytest.raises(NotSupportedError):
        sk.sem(TWO, data, missing="fiml", interaction=sk.ProductIndicators(centering="residual"))


def test_refusals() -> None:
    with pytest.raises(OptionError):
        sk.ProductIndicators(centering="none")
    with pytest.raises(OptionError):
        sk.ProductIndicators(centering="residual", constrained=True)
    for text in (TWO.replace("X:Z", "X:Z + X:X"), TWO.replace("X + Z + X:Z", "X + X:X")):
        with pytest.raises(NotSupportedError) as caught:
            sk.sem(text, frame(), interaction=sk.ProductIndicators(constrained=True))
        assert caught.value.code == "interaction.constrained"


def single(n: int, kind: str) -> pd.DataFrame:
    """A construct, one moderator column (a dummy, a number, or with error variance .4), and .25 of their product."""
    rng = np.random.default_rng(1)
    x, z = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], n).T
    w = (z > 0.3) * 1.0 if kind == "dummy" else z
    c = w - w.mean()
    y = 0.4 * x + 0.3 * c + 0.25 * x * c + 0.7 * rng.standard_normal(n)
    out = {f"x{i}": load * x + np.sqrt(error) * rng.standard_normal(n)
           for i, load, error in ((1, 1.0, 0.3), (2, 0.9, 0.4), (3, 0.8, 0.5))}
    out |= {f"y{i}": load * y + 0.5 * rng.standard_normal(n) for i, load in ((1, 1.0), (2, 0.9), (3, 0.8))}
    return pd.DataFrame({**out, "w": w + np.sqrt(0.4 * (kind == "error")) * rng.standard_normal(n)})


PARTS = "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\n"
SINGLE = {"dummy": PARTS + "X ~ w\nY ~ X + w + X:w", "number": PARTS + "X ~ w\nY ~ X + w + X:w",
          "exact": PARTS + "W =~ 1*w\nY ~ X + W + X:W", "error": PARTS + "W =~ 1*w\nw ~~ 0.4*w\nY ~ X + W + X:W"}


@pytest.mark.parametrize("match", ["order", "all"])
@pytest.mark.parametrize("kind", list(SINGLE))
def test_constraints_of_a_moderator_with_one_indicator(kind: str, match: str) -> None:
    """Error variances: ``theta_i Var(w)`` without error, else Kenny & Judd's; the constraints fit and lose nothing."""
    data = single(40_000, kind)
    free, bound = (sk.sem(SINGLE[kind], data, estimator="mlr",
                          interaction=sk.ProductIndicators(constrained=c, match=match)) for c in (False, True))
    assert bound.fit_measures["df"] > free.fit_measures["df"] and bound.fit_measures["pvalue.scaled"] > 0.01
    rows = bound.estimates.set_index(["lhs", "op", "rhs"])
    name = "X:w" if kind in ("dummy", "number") else "X:W"
    slope = rows.loc[("Y", "~", name)]
    assert abs(slope.est - 0.25) < 3 * slope.se < 0.04
    assert slope.se < 1.02 * free.estimates.set_index(["lhs", "op", "rhs"]).se["Y", "~", name]
    for i in (1, 2, 3):
        theta, load = rows.est[f"x{i}", "~~", f"x{i}"], rows.est["X", "=~", f"x{i}"]
        if kind == "error":
            x, w = rows.est["X", "~~", "X"], rows.est["W", "~~", "W"]
            expected = load**2 * x * 0.4 + w * theta + theta * 0.4
        else:
            expected = theta * (rows.est["W", "~~", "W"] if kind == "exact" else data["w"].var(ddof=0))
        assert abs(rows.est[f"x{i}:w", "~~", f"x{i}:w"] - expected) < 1e-8
        assert abs(rows.est[name, "=~", f"x{i}:w"] - load) < 1e-8


def test_errors_that_covary_do_so_in_the_products() -> None:
    data = single(500, "dummy")
    fit = sk.sem(SINGLE["dummy"] + "\nx1 ~~ x2", data, interaction=sk.ProductIndicators(constrained=True))
    rows = fit.estimates.set_index(["lhs", "op", "rhs"]).est
    assert abs(rows["x1:w", "~~", "x2:w"] - rows["x1", "~~", "x2"] * data["w"].var(ddof=0)) < 1e-8


def test_products_under_full_information_are_said_to_be_biased() -> None:
    data = frame()
    data.iloc[::9, 1] = np.nan
    said = [note for note in sk.sem(TWO, data, missing="fiml").notes if "biased" in note.cause]
    assert [note.code for note in said] == ["sample.products-with-gaps"]
    unsaid = (sk.sem(TWO, data), sk.sem(TWO, data, missing="fiml", interaction="lms"),
              sk.sem(TWO, frame(), missing="fiml"))
    for fit in unsaid:
        assert not any("biased" in note.cause for note in fit.notes)
