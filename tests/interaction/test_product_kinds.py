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
