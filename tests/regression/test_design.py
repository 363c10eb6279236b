"""Moderated regression under sampling designs against R's survey (``tests/golden/survey_regression.R``)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError, OptionError, SampleError
from semkit.sample import make_sample

GOLDEN = Path(__file__).parents[1] / "golden"
PEER = json.loads((GOLDEN / "survey_regression.json").read_text(encoding="utf-8"))
DATA = pd.read_csv(GOLDEN / "survey_design.csv")
DATA = pd.concat([DATA, pd.read_csv(GOLDEN / "survey_replicates.csv.gz")], axis=1).copy()
DESIGNS = {
    "weights": sk.Design(weights="weight"),
    "cluster": sk.Design(weights="weight", cluster="village"),
    "strata": sk.Design(weights="weight", strata="region"),
    "both": sk.Design(weights="weight", strata="region", cluster="village"),
    "fpc": sk.Design(weights="weight", strata="region", cluster="village", fpc="villages"),
    "unweighted": sk.Design(cluster="village"),
}
SEX, AGE = {0: 2800, 1: 3200}, {0: 2000, 1: 1500, 2: 2500}
# R's formula puts the product last
ORDER = [0, 1, 2, 4, 3]


def regress(design: sk.Design, data: pd.DataFrame = DATA, moderator: str = "w"):
    return sk.moderated_regression(data, "z", "x", moderator, ["sex"], center=False, design=design)


def in_order(values: list[float]) -> np.ndarray:
    out = np.array(values)
    return out[ORDER] if out.size == 5 else out.reshape(5, 5)[np.ix_(ORDER, ORDER)]


@pytest.mark.parametrize("name", DESIGNS)
def test_linearised_errors(name: str) -> None:
    peer, found = PEER["designs"][name], regress(DESIGNS[name])
    np.testing.assert_allclose(found.est, in_order(peer["est"]), rtol=1e-9)
    np.testing.assert_allclose(found.vcov, in_order(peer["vcov"]), rtol=1e-8, atol=1e-14)
    assert found.df_residual == peer["df"] and found.reference.df == peer["df"]


def test_rows_with_gaps_are_a_domain_of_the_design() -> None:
    found = regress(DESIGNS["both"], moderator="w_gap")
    np.testing.assert_allclose(found.est, in_order(PEER["gaps"]["est"]), rtol=1e-9)
    np.testing.assert_allclose(found.vcov, in_order(PEER["gaps"]["vcov"]), rtol=1e-8, atol=1e-14)
    assert found.df_residual == PEER["gaps"]["df"]
    assert "regression.listwise" in [note.code for note in found.notes]


def test_a_part_of_the_population_has_weight_elsewhere_0() -> None:
    part = DATA.assign(weight=DATA["weight"].where((DATA["sex"] == 1) & (DATA["region"] != 3), 0.0))
    found = sk.moderated_regression(part, "z", "x", "w", ["age"], center=False, design=DESIGNS["fpc"])
    np.testing.assert_allclose(found.est, in_order(PEER["domain"]["est"]), rtol=1e-9)
    np.testing.assert_allclose(found.vcov, in_order(PEER["domain"]["vcov"]), rtol=1e-8, atol=1e-14)
    assert found.df_residual == PEER["domain"]["df"]
    assert "sample.zero-weight" in [note.code for note in found.notes]


@pytest.mark.parametrize("how", ["certainty", "adjust", "average"])
def test_policies_on_lone_units(how: str) -> None:
    found = regress(sk.Design(weights="weight", strata="zone", cluster="village", lone_psu=how))
    np.testing.assert_allclose(found.vcov, in_order(PEER["lone"][how]), rtol=1e-8, atol=1e-14)
    assert "sample.lone-psu" in [note.code for note in found.notes]


@pytest.mark.parametrize("mse", [False, True])
@pytest.mark.parametrize("type", ["BRR", "Fay", "JK1", "JKn", "bootstrap"])
def test_replicate_weights(type: str, mse: bool) -> None:
    peer = PEER["replicates"][type]
    columns = tuple(f"{type}{k + 1}" for k in range(peer["count"]))
    rscales = tuple(peer["rscales"]) if type == "JKn" else ()
    made = sk.Replicates(columns, type, rscales=rscales, rho=0.3 if type == "Fay" else 0.0, mse=mse)
    assert made.multiplier == pytest.approx(peer["scale"], rel=1e-12)
    found = regress(sk.Design(weights="weight", replicates=made))
    np.testing.assert_allclose(found.est, in_order(peer["est"]), rtol=1e-9)
    np.testing.assert_allclose(found.vcov, in_order(peer["mse"] if mse else peer["vcov"]), rtol=1e-7, atol=1e-13)
    assert found.df_residual == peer["df"]
    assert np.isfinite(found.std_vcov[1:, 1:]).all()
    loose = DATA.assign(**{name: DATA[name] / DATA["weight"] for name in columns})
    factors = sk.Replicates(columns, type, None, rscales, made.rho, combined=False, mse=mse)
    again = regress(sk.Design(weights="weight", replicates=factors), loose)
    np.testing.assert_allclose(again.vcov, found.vcov, rtol=1e-8)


def test_known_margins() -> None:
    raked = regress(DESIGNS["both"].rake(DATA, {"sex": SEX, "age": AGE}))
    np.testing.assert_allclose(raked.est, in_order(PEER["calibrated"]["est"]), rtol=1e-7)
    np.testing.assert_allclose(raked.vcov, in_order(PEER["calibrated"]["vcov"]), rtol=1e-7, atol=1e-13)
    cells = dict(zip([(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)], PEER["post"]["cells"], strict=True))
    design = DESIGNS["both"].post_stratify(DATA, ("sex", "age"), cells)
    post = regress(design)
    np.testing.assert_allclose(post.est, in_order(PEER["post"]["est"]), rtol=1e-9)
    np.testing.assert_allclose(post.vcov, in_order(PEER["post"]["vcov"]), rtol=1e-8, atol=1e-13)
    gaps = regress(design, moderator="w_gap")
    np.testing.assert_allclose(gaps.vcov, in_order(PEER["post"]["gaps"]["vcov"]), rtol=1e-8, atol=1e-13)
    names = tuple(f"JKn{k + 1}" for k in range(24))
    made = sk.Replicates(names, "JKn", rscales=tuple(PEER["replicates"]["JKn"]["rscales"]))
    jackknife = sk.Design(weights="weight", replicates=made).rake(DATA, {"sex": SEX, "age": AGE})
    np.testing.assert_allclose(regress(jackknife).vcov, in_order(PEER["raked_jkn"]), rtol=1e-6, atol=1e-12)


def test_weights_that_are_frequencies_repeat_respondents() -> None:
    counts = np.random.default_rng(4).integers(1, 4, len(DATA))
    weighted = regress(sk.Design(weights="k"), DATA.assign(k=counts))
    repeated = sk.moderated_regression(DATA.loc[DATA.index.repeat(counts)], "z", "x", "w", ["sex"], center=False)
    np.testing.assert_allclose(weighted.est, repeated.est, rtol=1e-9)
    assert weighted.r2 == pytest.approx(repeated.r2, rel=1e-9)
    grouped = regress(sk.Design(cluster="id"), DATA.assign(id=DATA.index).loc[DATA.index.repeat(counts)])
    n = len(DATA)
    np.testing.assert_allclose(weighted.vcov, grouped.vcov, rtol=1e-8)
    assert weighted.df_residual == grouped.df_residual == n - 5


def test_equal_weights_are_no_weights() -> None:
    """Everyone a unit of its own: White's matrix (HC0) times n / (n - 1), and design effects of 1."""
    found = regress(sk.Design(weights="k"), DATA.assign(k=3.5))
    plain = sk.moderated_regression(DATA, "z", "x", "w", ["sex"], center=False, se="HC0")
    n = len(DATA)
    np.testing.assert_allclose(found.est, plain.est, rtol=1e-9)
    np.testing.assert_allclose(found.vcov, plain.vcov * n / (n - 1), rtol=1e-9)
    np.testing.assert_allclose(found.std_est[1:], plain.std_est[1:], rtol=1e-9)
    np.testing.assert_allclose(found.std_vcov[1:, 1:], plain.std_vcov[1:, 1:] * n / (n - 1), rtol=1e-9)
    np.testing.assert_allclose(found.deff, 1.0, rtol=1e-9)
    assert (found.r2, found.adj_r2, found.sigma) == pytest.approx((plain.r2, plain.adj_r2, plain.sigma), rel=1e-9)
    np.testing.assert_allclose(found.vif[1:], plain.vif[1:], rtol=1e-9)


def test_standardised_errors_by_jackknife_and_by_linearisation_are_close() -> None:
    names = tuple(f"JK1{k + 1}" for k in range(24))
    by_jackknife = regress(sk.Design(weights="weight", replicates=sk.Replicates(names, "JK1")))
    by_taylor = regress(DESIGNS["cluster"])
    np.testing.assert_allclose(by_jackknife.std_est[1:], by_taylor.std_est[1:], rtol=1e-9)
    ratio = np.sqrt(np.diagonal(by_jackknife.std_vcov)[1:] / np.diagonal(by_taylor.std_vcov)[1:])
    assert np.all((ratio > 0.95) & (ratio < 1.25)), ratio


def test_design_effects_and_probing() -> None:
    found = sk.moderated_regression(DATA, "z", "x", "w", ["sex"], design=DESIGNS["both"])
    mean = PEER["designs"]["both"]
    sampled = make_sample(DATA, ["z"], design=DESIGNS["both"]).sampling
    assert sampled is not None
    gap = DATA["z"].to_numpy() - mean["mean"]
    n = len(gap)
    simple = float(sampled.weights @ gap**2) / n / (n - 1)
    assert mean["mean_var"] / simple == pytest.approx(mean["deff"], rel=1e-9)
    table = found.estimates
    np.testing.assert_allclose(table["n_eff"], found.nobs / table["deff"])
    assert "linearised" in repr(found) and "nan" not in repr(found)
    assert np.isnan(found.interaction.f) and found.interaction.pvalue_robust == pytest.approx(table["pvalue"][3])
    slopes = sk.probe(found, "x", "w").slopes
    assert np.isfinite(slopes.select_dtypes("number").to_numpy()).all()


def test_what_does_not_go_with_a_design() -> None:
    with pytest.raises(OptionError):
        sk.moderated_regression(DATA, "z", "x", "w", se="HC3", design=DESIGNS["both"])
    with pytest.raises(NotSupportedError):
        sk.moderated_regression(DATA, "z", "x", "w", bootstrap=50, design=DESIGNS["both"])
    few = DATA[DATA["region"] < 3]
    with pytest.raises(SampleError) as caught:
        regress(DESIGNS["both"], few)
    assert caught.value.code == "regression.few-units"
