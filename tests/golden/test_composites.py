"""Composites with free weights (``<~``): identities, and lavaan 0.6-14 in specifications that mean the same.

That version has no composites of this kind.  One composite that predicts is a phantom variable there; several are
written in Henseler and Ogasawara's specification (``composites.R``).  Two composites alone are canonical correlation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.model import build_table, parse, print_model

HERE = Path(__file__).parent
PEER: dict[str, Any] = json.loads((HERE / "composites.json").read_text(encoding="utf-8"))
DATA = HERE.parent / "reference" / "data"
PAIR = "c1 <~ x1 + x2 + x3\nc2 <~ x4 + x5 + x6"
PARTS = "c1 <~ x1 + w12*x3 + w13*x2\nc2 <~ x4 + w22*x6 + w23*x5\nspeed =~ x7 + x8 + x9\n"
SEVERAL = PARTS + "speed ~ s1*c1 + s2*c2"
CHAIN = PARTS + "c2 ~ s1*c1\nspeed ~ s2*c2"
ONE = "C <~ x1 + w2*x2 + w3*x3\nx4 ~ b1*C\nx5 ~ b2*C\nx4 ~~ x5"


@pytest.fixture(scope="module")
def schools() -> pd.DataFrame:
    return pd.read_csv(DATA / "HolzingerSwineford1939.csv")


def labelled(frame: pd.DataFrame, names: list[str], column: str) -> list[float]:
    return [float(frame.loc[frame["label"] == name, column].iloc[0]) for name in names]


def test_two_composites_are_the_first_canonical_correlation(schools: pd.DataFrame) -> None:
    fit = sk.sem(PAIR, schools)
    s = np.cov(schools[[f"x{k}" for k in range(1, 7)]].to_numpy().T, bias=True)
    left, right = np.linalg.inv(np.linalg.cholesky(s[:3, :3])), np.linalg.inv(np.linalg.cholesky(s[3:, 3:]))
    u, r, v = np.linalg.svd(left @ s[:3, 3:] @ right.T)
    weights = [(left.T @ u[:, 0]), (right.T @ v[0])]
    found = fit.estimates[fit.estimates["op"] == "<~"]["est"].to_numpy()
    np.testing.assert_allclose(found, np.concatenate([w / w[0] for w in weights]), rtol=1e-6, atol=1e-8)
    # Bartlett's likelihood ratio of the remaining canonical correlations
    assert fit.fit_measures["chisq"] == pytest.approx(-301 * np.log(1 - r[1:] ** 2).sum(), rel=1e-8)
    assert fit.fit_measures["df"] == 4
    std = fit.standardized()
    assert std[(std["lhs"] == "c1") & (std["rhs"] == "c2")]["est_std"].iloc[0] == pytest.approx(r[0], rel=1e-8)


def test_a_composite_that_predicts_is_lavaans_phantom_variable(schools: pd.DataFrame) -> None:
    fit, peer, names = sk.sem(ONE, schools), PEER["one"], ["w2", "w3", "b1", "b2"]
    np.testing.assert_allclose(labelled(fit.estimates, names, "est"), peer["est"], atol=1e-6)
    np.testing.assert_allclose(labelled(fit.estimates, names, "se"), peer["se"], rtol=1e-5)
    for name in ("chisq", "df", "pvalue", "rmsea"):
        assert fit.fit_measures[name] == pytest.approx(peer["fit"][name], rel=1e-5)


@pytest.mark.parametrize("name", ["several", "several_mlr", "several_fiml", "chain"])
def test_several_composites_are_henseler_and_ogasawaras(schools: pd.DataFrame, name: str) -> None:
    data = pd.read_csv(DATA / "HS_missing10.csv") if name.endswith("fiml") else schools
    options: dict[str, Any] = {"several_mlr": {"estimator": "mlr", "meanstructure": True},
                               "several_fiml": {"missing": "fiml"}}.get(name, {})
    # that specification has the indicators' covariances as parameters, which with gaps is another estimate
    form = "free" if name.endswith("fiml") else "fixed"
    fit, peer = sk.sem(CHAIN if name == "chain" else SEVERAL, data, composites_cov=form, **options), PEER[name]
    weights = ["w12", "w13", "w22", "w23"]
    # lavaan stopped on its own rule, above this minimum, and the weights of a composite that hardly predicts are flat
    assert fit.fit_measures["chisq"] <= peer["fit"]["chisq"] + 1e-9
    error = np.array(labelled(fit.estimates, weights, "se"))
    assert np.all(np.abs(labelled(fit.estimates, weights, "est") - np.array(peer["est"][:4])) < 1e-3 * error)
    np.testing.assert_allclose(error, peer["se"][:4], rtol=3e-4)
    std = fit.standardized()
    np.testing.assert_allclose(labelled(std, ["s1", "s2"], "est_std"), peer["std"][4:], atol=2e-5)
    np.testing.assert_allclose(labelled(std, ["s1", "s2"], "se"), peer["std_se"][4:], rtol=1e-4)
    for measure, value in peer["fit"].items():
        if value is not None:
            assert fit.fit_measures[measure] == pytest.approx(value, rel=1e-4), measure


def test_the_score_of_a_composite_is_the_sum_itself(schools: pd.DataFrame) -> None:
    fit = sk.sem(SEVERAL, schools, meanstructure=True)
    w = fit.estimates[fit.estimates["lhs"] == "c1"]["est"].to_numpy()[:3]
    total = schools[["x1", "x3", "x2"]].to_numpy() @ w
    np.testing.assert_allclose(fit.predict()["c1"], total, atol=1e-6)
    np.testing.assert_allclose(fit.predict(what="reliability")["c1"], 1.0, atol=1e-6)
    assert fit.variables["c1"].mean == pytest.approx(total.mean(), abs=1e-6)
    assert fit.variables["c1"].sd == pytest.approx(total.std(), rel=1e-4)


def test_planted_weights_and_slopes_are_recovered() -> None:
    rng = np.random.default_rng(6)
    n, p = 40_000, 4
    root = np.linalg.cholesky(0.3 + 0.7 * np.eye(p))
    w = np.array([0.5, 0.3, 0.4, 0.2])
    w = w / np.linalg.norm(root.T @ w)
    c = rng.normal(size=(n, 2))
    c[:, 1] = 0.5 * c[:, 0] + np.sqrt(0.75) * c[:, 1]
    f = 0.4 * c[:, 1] + np.sqrt(0.84) * rng.normal(size=n)
    blocks = []
    for k in range(2):
        x = rng.normal(size=(n, p)) @ root.T
        blocks.append(x + np.outer(c[:, k] - x @ w, root @ root.T @ w))  # so that the weighted sum is c
    names = [f"{b}{k}" for b in "xy" for k in range(p)] + ["u0", "u1", "u2"]
    values = np.column_stack([*blocks, 0.8 * f[:, None] + 0.6 * rng.normal(size=(n, 3))])
    sums = "\n".join(f"{c} <~ " + " + ".join(f"{b}{k}" for k in range(p)) for c, b in (("A", "x"), ("B", "y")))
    std = sk.sem(sums + "\nf =~ u0 + u1 + u2\nB ~ A\nf ~ B", pd.DataFrame(values, columns=names)).standardized()
    slopes = std[std["op"] == "~"]
    assert np.all(np.abs(slopes["est_std"] - [0.5, 0.4]) < 3.5 * slopes["se"])
    weights = std[std["op"] == "<~"]
    assert np.all(np.abs(weights["est_std"] - [*w, *w]) < 3.5 * weights["se"])


def test_rescaling_an_indicator_rescales_its_weight_only(schools: pd.DataFrame) -> None:
    plain, scaled = sk.sem(SEVERAL, schools), sk.sem(SEVERAL, schools.assign(x3=schools["x3"] * 10.0))
    assert scaled.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], rel=1e-7)
    one, two = (labelled(fit.estimates, ["w12", "w13"], "est") for fit in (plain, scaled))
    np.testing.assert_allclose(two, [one[0] / 10.0, one[1]], rtol=1e-4)


def test_another_scale_is_the_same_model(schools: pd.DataFrame) -> None:
    marker, unit = sk.sem(PAIR, schools), sk.sem(PAIR, schools, std_lv=True)
    assert unit.fit_measures["chisq"] == pytest.approx(marker.fit_measures["chisq"], rel=1e-8)
    one, two = (fit.standardized() for fit in (marker, unit))
    np.testing.assert_allclose(two["est_std"], one["est_std"], rtol=1e-5, atol=1e-8)


def test_weights_can_be_fixed_and_held_equal_between_groups(schools: pd.DataFrame) -> None:
    sums = sk.sem("c1 <~ 1*x1 + 1*x2 + 1*x3\nx4 ~ c1", schools)
    plain = sk.sem("x4 ~ s", schools.assign(s=schools[["x1", "x2", "x3"]].sum(axis=1)))
    assert sums.est[sums.names.index("x4 ~ c1")] == pytest.approx(plain.est[0], rel=1e-7)
    free = sk.sem(PAIR, schools, group="school")
    equal = sk.sem(PAIR, schools, group="school", group_equal="composite.weights")
    assert equal.fit_measures["df"] - free.fit_measures["df"] == 4
    rows = equal.estimates[equal.estimates["op"] == "<~"]
    np.testing.assert_allclose(rows["est"][rows["group"] == "Pasteur"], rows["est"][rows["group"] != "Pasteur"])


def test_its_own_rows_are_not_shown(schools: pd.DataFrame) -> None:
    fit = sk.sem(SEVERAL, schools)
    assert set(fit.estimates["op"]) == {"<~", "=~", "~", "~~"}
    assert not set(fit.modification_indices()["rhs"]) & {"x1", "x2", "x3", "x4", "x5", "x6"}
    text = print_model(build_table(parse(PAIR)))
    assert "<=~" not in text and "==" not in text and "c1 <~ 1*x1" in text
    assert fit.notes == ()


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("c <~ x1 + x2\nc =~ x3 + x4", "model.composite"),
        ("c <~ x1 + x2\nd <~ x2 + x3\nc ~~ d", "model.composite-indicator"),
        ("c <~ x1 + x2\nx3 ~ c + x1", "model.composite-indicator"),
        ("f =~ x4 + x5 + x6\nc <~ f + x2\nx3 ~ c", "model.composite-indicator"),
        ("c <~ c + x2\nx3 ~ c", "model.own-predictor"),
        ("c <~ x1 + x2\nx3 ~ c + x4 + c:x4", "model.composite-product"),
    ],
)
def test_what_cannot_be_a_composite_is_refused(schools: pd.DataFrame, model: str, code: str) -> None:
    with pytest.raises(sk.SemkitError) as caught:
        sk.sem(model, schools)
    assert code in {problem.code for problem in caught.value.problems}


def test_ordinal_indicators_of_a_composite_are_refused() -> None:
    data = pd.read_csv(DATA / "HS_ordinal5.csv")
    with pytest.raises(sk.SemkitError, match="composites"):
        sk.sem("c <~ x1 + x2 + x3\nf =~ x4 + x5 + x6\nf ~ c", data, ordered=["x1", "x2", "x3"])
    with pytest.raises(sk.SemkitError, match="effect_coding"):
        sk.cfa("f =~ x4 + x5 + x6", data, ordered=["x4", "x5", "x6"], effect_coding=True)


def test_a_composite_alone_is_not_identified(schools: pd.DataFrame) -> None:
    fit = sk.sem("c <~ x1 + x2 + x3", schools)
    assert "fitting.not-identified" in {note.code for note in fit.notes}
