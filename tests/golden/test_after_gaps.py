"""Indices, score tests and factor scores with gaps and covariates against R's lavaan 0.6-14 (``after_gaps.R``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from tests.golden.test_models import table

PEER: dict[str, Any] = json.loads(Path(__file__).with_suffix("").with_name("after_gaps.json").read_text("utf-8"))
NINE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
SHARED = "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + a*x5 + b*x6"
TWO = "f1 =~ q1+q2+q3\nf2 =~ q4+q5+q6\nf2 ~ f1 + z1"
MIMIC = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nvisual ~ ageyr + sex\ntextual ~ visual + sex\nx3 ~ sex"


def fitted(name: str) -> Any:
    if name == "groups":
        return sk.sem(TWO, table("groups"), group="g", missing="fiml", group_equal="loadings")
    model = SHARED if name == "one" else NINE
    return sk.cfa(model, table("HS_missing10"), missing="fiml", estimator="mlr" if name == "robust" else "ml")


@pytest.mark.parametrize("name", ["plain", "robust", "groups"])
def test_indices_are_those_of_what_was_answered(name: str) -> None:
    fit = fitted(name)
    found: dict[tuple[str, ...], Any] = {}
    for row in fit.modification_indices().to_dict("records"):
        group = str(fit.table.groups.index(row["group"]) + 1)
        found[row["lhs"], row["op"], row["rhs"], group] = row
    compared = 0
    for key, (mi, epc, standardised) in PEER["indices"][name].items():
        lhs, op, rhs, group = key.split(" ") if key.count(" ") == 3 else (*key.split()[:2], "", key.split()[-1])
        if (lhs, op, rhs, group) not in found or lhs == "z1":  # held covariates have none here
            continue
        ours = found[lhs, op, rhs, group]
        assert ours["mi"] == pytest.approx(mi, rel=2e-3, abs=2e-4), key
        assert ours["epc"] == pytest.approx(epc, rel=2e-3, abs=2e-5), key
        assert ours["sepc_all"] == pytest.approx(standardised, rel=2e-3, abs=2e-5), key
        compared += 1
    assert compared >= {"plain": 54, "robust": 54, "groups": 40}[name]


@pytest.mark.parametrize("name", ["one", "groups"])
def test_score_tests_are_those_of_what_was_answered(name: str) -> None:
    peer = PEER["equalities"][name]
    found = fitted(name).score_test()["stat"].to_numpy()
    np.testing.assert_allclose(found, peer, rtol=2e-3, atol=1e-3)


def test_an_index_is_near_the_drop_with_gaps() -> None:
    fit = fitted("plain")
    row = fit.modification_indices().set_index(["lhs", "op", "rhs"]).loc[("visual", "=~", "x9")]
    drop = fit.fit_measures["chisq"] - sk.cfa(
        NINE.replace("x3\n", "x3 + x9\n"), table("HS_missing10"), missing="fiml").fit_measures["chisq"]
    assert row["mi"] == pytest.approx(drop, rel=0.2)


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_scores_of_predicted_factors_with_a_direct_effect(method: str) -> None:
    data = table("HolzingerSwineford1939")
    fit = sk.sem(MIMIC, data)
    peer = np.array(list(PEER["scores"][method].values()))
    np.testing.assert_allclose(fit.predict(method).to_numpy()[:12], peer, atol=2e-4)
    means = sk.sem(MIMIC, data, meanstructure=True)  # the same: intercepts of factors are 0 either way
    np.testing.assert_allclose(fit.predict(method), means.predict(method), atol=1e-6)


def test_bartlett_scores_maximise_the_likelihood_of_what_was_observed() -> None:
    # an observed outcome of a factor measures it as well, less what other observed variables add
    data = table("HolzingerSwineford1939")
    fit = sk.sem("f =~ x1 + x2 + x3\nx4 ~ f + ageyr\nx5 ~ x4 + f", data, meanstructure=True)
    e = fit.estimates.set_index(["lhs", "op", "rhs"])["est"]
    known = [0.0, 0.0, 0.0, e["x4", "~", "ageyr"] * data["ageyr"], e["x5", "~", "x4"] * data["x4"]]
    names = ["x1", "x2", "x3", "x4", "x5"]
    left = pd.DataFrame({n: data[n] - e[n, "~1", ""] - k for n, k in zip(names, known, strict=True)})
    slope = np.array([1.0, e["f", "=~", "x2"], e["f", "=~", "x3"], e["x4", "~", "f"], e["x5", "~", "f"]])
    weight = slope / np.array([e[n, "~~", n] for n in names])
    np.testing.assert_allclose(fit.predict("bartlett")["f"], left @ weight / (slope @ weight), atol=1e-8)
