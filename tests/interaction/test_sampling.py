"""LMS and QML under sampling designs: R's survey where nothing is latent, identities, and sandwiches made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError, OptionError, SampleError
from semkit.fitting.resampling import unit_weights
from semkit.numerics.jobs import Job
from tests.interaction.test_lms import SIMPLE, brute_cases, planted

GOLDEN = Path(__file__).parents[1] / "golden"
PEER = json.loads((GOLDEN / "survey_regression.json").read_text(encoding="utf-8"))
DATA = pd.concat([pd.read_csv(GOLDEN / "survey_design.csv"), pd.read_csv(GOLDEN / "survey_replicates.csv.gz")], axis=1)
METHODS = ("lms", "qml")
DESIGNS = {
    "weights": sk.Design(weights="weight"),
    "cluster": sk.Design(weights="weight", cluster="village"),
    "strata": sk.Design(weights="weight", strata="region"),
    "both": sk.Design(weights="weight", strata="region", cluster="village"),
    "fpc": sk.Design(weights="weight", strata="region", cluster="village", fpc="villages"),
    "unweighted": sk.Design(cluster="village"),
}
# R's columns: intercept, x, w, sex, product
OBSERVED = "z ~ x + w + sex + x:w"
FACTORS = "F =~ 1*x\nx ~~ 0*x\nz ~ F + w + sex + F:w"  # x stands for a construct measured without error


def sampled(n: int = 240, clusters: int = 40) -> pd.DataFrame:
    """Respondents of villages that differ, with unequal weights."""
    rng = np.random.default_rng(11)
    village = np.repeat(np.arange(clusters), n // clusters)
    frame = planted(n) + 0.3 * rng.normal(size=(clusters, 1))[village]
    return frame.assign(village=village, region=village % 4, one=2.0, id=np.arange(n), times=rng.integers(1, 4, n),
                        weight=rng.uniform(0.5, 2.0, n), side=np.where(village % 2 == 0, "a", "b"))


FRAME = sampled()


def lms(design: sk.Design | None = None, frame: pd.DataFrame = FRAME, text: str = SIMPLE, **options: Any) -> Any:
    return sk.sem(text, frame, design=design, **{"interaction": "lms"} | options)


# --- R's survey ----------------------------------------------------------------------------------------


def as_in_r(fit: Any, weight: np.ndarray, focal: str = "x") -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and covariance matrix of R's formula, whose product is not centred.

    ``b (x - mx)(w - mw) = b x w - b mw x - b mx w + b mx mw``; means are those under the weights.
    """
    at = [fit.names.index(name) for name in ("z ~1", f"z ~ {focal}", "z ~ w", "z ~ sex", f"z ~ {focal}:w")]
    mx, mw = (float(np.average(DATA[name], weights=weight)) for name in ("x", "w"))
    turn = np.eye(5)
    turn[0, 4], turn[1, 4], turn[2, 4] = mx * mw, -mw, -mx
    if focal == "F":
        turn[0, 1] = -float(fit.est[fit.names.index("x ~1")])
        turn[0] = [1.0, -mx, 0.0, 0.0, mx * mw]
    return turn @ fit.est[at], turn @ fit.vcov[np.ix_(at, at)] @ turn.T


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", DESIGNS)
def test_a_product_of_observed_columns_is_svyglm(name: str, method: str) -> None:
    fit = lms(DESIGNS[name], DATA, OBSERVED, interaction=method)
    weight = np.ones(len(DATA)) if name == "unweighted" else DATA["weight"].to_numpy()
    est, vcov = as_in_r(fit, weight)
    peer = PEER["designs"][name]
    factor = (len(DATA) - 1) / len(DATA) if name == "weights" else 1.0  # documented: no n / (n - 1) with weights alone
    np.testing.assert_allclose(est, peer["est"], rtol=1e-6, atol=1e-7)
    expected = np.reshape(peer["vcov"], (5, 5)) * factor
    error = np.sqrt(np.diagonal(expected))
    assert np.abs((vcov - expected) / np.outer(error, error)).max() < 1e-6


def test_a_construct_without_error_is_its_indicator() -> None:
    """Slopes only: intercepts count from the indicator's mean, which is estimated."""
    fit = lms(DESIGNS["both"], DATA, FACTORS)
    est, vcov = as_in_r(fit, DATA["weight"].to_numpy(), "F")
    expected = np.reshape(PEER["designs"]["both"]["vcov"], (5, 5))
    np.testing.assert_allclose(est[1:], PEER["designs"]["both"]["est"][1:], rtol=1e-6)
    np.testing.assert_allclose(vcov[1:, 1:], expected[1:, 1:], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("how", ["certainty", "adjust", "average"])
def test_policies_on_lone_units(how: str) -> None:
    design = sk.Design(weights="weight", strata="zone", cluster="village", lone_psu=how)
    fit = lms(design, DATA, OBSERVED)
    _, vcov = as_in_r(fit, DATA["weight"].to_numpy())
    np.testing.assert_allclose(vcov, np.reshape(PEER["lone"][how], (5, 5)), rtol=1e-5, atol=1e-10)
    assert "sample.lone-psu" in [note.code for note in fit.notes]
    with pytest.raises(SampleError):
        lms(sk.Design(weights="weight", strata="zone", cluster="village"), DATA, OBSERVED)


@pytest.mark.parametrize("mse", [False, True])
@pytest.mark.parametrize("type", ["BRR", "Fay", "JK1", "JKn", "bootstrap"])
def test_replicate_weights(type: str, mse: bool) -> None:
    """The coefficients that do not depend on where a replicate's means are."""
    peer = PEER["replicates"][type]
    columns = tuple(f"{type}{k + 1}" for k in range(peer["count"]))
    made = sk.Replicates(columns, type, rscales=tuple(peer["rscales"]) if type == "JKn" else (),
                         rho=0.3 if type == "Fay" else 0.0, mse=mse)
    fit = lms(sk.Design(weights="weight", replicates=made), DATA, OBSERVED)
    at = [fit.names.index(name) for name in ("z ~ sex", "z ~ x:w")]
    expected = np.reshape(peer["mse" if mse else "vcov"], (5, 5))[3:, 3:]
    np.testing.assert_allclose(fit.vcov[np.ix_(at, at)], expected, rtol=1e-6, atol=1e-10)


def test_known_margins() -> None:
    design = DESIGNS["both"].rake(DATA, {"sex": {0: 2800, 1: 3200}, "age": {0: 2000, 1: 1500, 2: 2500}})
    fit = lms(design, DATA, OBSERVED)
    est, vcov = as_in_r(fit, design.calibration.weights)
    np.testing.assert_allclose(est, PEER["calibrated"]["est"], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(vcov, np.reshape(PEER["calibrated"]["vcov"], (5, 5)), rtol=1e-5, atol=1e-9)
    with pytest.raises(NotSupportedError):
        fit.bootstrap(5, kind="cluster")


# --- identities ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_equal_weights_and_clusters_of_one(method: str) -> None:
    """QML's Hessian is made of differences, whose last digits are noise of 1e-7."""
    plain = lms(estimator="mlr", interaction=method)
    equal = lms(sk.Design(weights="one"), interaction=method)
    np.testing.assert_allclose(equal.est, plain.est, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(equal.vcov, plain.vcov, rtol=1e-9 if method == "lms" else 2e-6, atol=1e-12)
    assert equal.fit_measures["logl"] == pytest.approx(plain.fit_measures["logl"], abs=1e-9)
    assert equal.linear_test.stat == pytest.approx(plain.linear_test.stat, rel=1e-6)
    alone = lms(sk.Design(cluster="id"), interaction=method)
    np.testing.assert_allclose(alone.vcov, plain.vcov * 240 / 239, rtol=1e-7 if method == "lms" else 2e-6, atol=1e-12)
    deff = alone.estimates["deff"].dropna()
    np.testing.assert_allclose(deff, 1.0, rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"missing": "fiml"}, {"group": "side", "group_equal": ("loadings",)},
                                     {"interaction": "qml"}, {"interaction": "qml", "missing": "fiml"}])
def test_weights_that_are_frequencies_repeat_respondents(options: dict[str, Any]) -> None:
    """Estimates, log-likelihood, and errors: repetitions are a cluster."""
    frame = FRAME.copy()
    if "missing" in options:
        frame.loc[frame.index % 5 == 0, "x2"] = np.nan
        frame.loc[frame.index % 7 == 0, "y1"] = np.nan
    weighted = lms(sk.Design(weights="times"), frame, **options)
    repeated = lms(sk.Design(cluster="id"), frame.loc[frame.index.repeat(frame["times"])], **options)
    n, total = len(frame), frame["times"].sum()
    error = np.sqrt(np.diagonal(weighted.vcov))
    assert np.abs((weighted.est - repeated.est) / error).max() < 1e-6
    assert np.abs(weighted.std_est - repeated.std_est).max() < 1e-6
    assert weighted.fit_measures["logl"] * total / n == pytest.approx(repeated.fit_measures["logl"], abs=1e-6)
    factor = (n - 1) / n if "group" not in options else 1.0
    own = np.sqrt(np.diagonal(repeated.vcov) * factor)
    np.testing.assert_allclose(error, own, rtol=1e-6 if factor < 1 else 0.01)


def test_a_product_fixed_at_0_is_the_weighted_linear_model() -> None:
    design = sk.Design(weights="weight", strata="region", cluster="village")
    fixed = lms(design, text=SIMPLE.replace("X:Z", "0*X:Z"))
    linear = sk.sem(SIMPLE.replace(" + X:Z", ""), FRAME, design=design)
    ours = fixed.estimates[fixed.estimates.rhs != "X:Z"]
    for column in ("est", "se", "deff", "std_all"):
        np.testing.assert_allclose(ours[column], linear.estimates[column], rtol=1e-7, atol=1e-8)
    assert abs(fixed.fit_measures["logl"] - linear.fit_measures["logl"]) < 1e-8
    np.testing.assert_allclose(fixed.fit_measures[["aic", "bic"]], linear.fit_measures[["aic", "bic"]], atol=1e-7)
    own = fixed.linear
    assert own.fit_measures["chisq.scaled"] == pytest.approx(linear.fit_measures["chisq.scaled"], rel=1e-9)
    assert fixed.fit_measures["df.diff"] == 0 and "fitting.design" in [note.code for note in own.notes]


def test_groups_whose_clusters_are_their_own_are_separate_fits() -> None:
    design = sk.Design(weights="weight", cluster="village")
    both = lms(design, group="side")
    parts = [lms(design, FRAME[FRAME["side"] == side]) for side in ("a", "b")]
    k = len(parts[0].est)
    for g, part in enumerate(parts):
        at = slice(g * k, (g + 1) * k)
        error = np.sqrt(np.diagonal(part.vcov))
        assert np.abs((both.est[at] - part.est) / error).max() < 1e-5
        np.testing.assert_allclose(np.sqrt(np.diagonal(both.vcov))[at], error, rtol=1e-5)


def test_full_information_without_gaps_is_complete_data() -> None:
    design = sk.Design(weights="weight", cluster="village")
    a, b = lms(design), lms(design, missing="fiml")
    error = np.sqrt(np.diagonal(a.vcov))
    assert np.abs((a.est - b.est) / error).max() < 1e-6
    np.testing.assert_allclose(np.sqrt(np.diagonal(b.vcov)), error, rtol=1e-6)


# --- errors by hand ------------------------------------------------------------------------------------


def test_clusters_without_weights_by_hand() -> None:
    """Scores by differences of a likelihood written down without semkit's code; errors of the whole sandwich."""
    frame = FRAME.iloc[:120]
    fit = lms(sk.Design(cluster="village"), frame, interaction=sk.LMS(nodes=40))
    names, theta, points = list(fit.names), fit.est, np.linspace(-6.5, 6.5, 70)
    columns = [f"{v}{i}" for v in "xzy" for i in (1, 2, 3)]
    data, total = frame[columns].to_numpy(), np.zeros((20, len(theta)))
    for k in range(len(theta)):
        step = np.eye(len(theta))[k] * 1e-4
        up, down = (brute_cases(theta + s * step, names, data, points) for s in (1, -1))
        total[:, k] = np.bincount(frame["village"], weights=(up - down) / 2e-4)
    bread = np.linalg.inv(fit.solution.observed_information) / len(frame)
    expected = bread @ (20 / 19 * total.T @ total) @ bread
    np.testing.assert_allclose(np.sqrt(np.diagonal(fit.vcov)), np.sqrt(np.diagonal(expected)), rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_leaving_clusters_out(method: str) -> None:
    """A jackknife over villages, refitted one by one from weights of 0, agrees with the linearised errors."""
    size = FRAME["village"].nunique()
    out = {f"r{k}": np.where(FRAME["village"] == k, 0.0, FRAME["weight"] * size / (size - 1)) for k in range(size)}
    frame = FRAME.assign(**out)
    made = sk.Replicates(tuple(out), "JK1")
    linearised = lms(sk.Design(weights="weight", cluster="village"), interaction=method)
    replicated = lms(sk.Design(weights="weight", replicates=made), frame, interaction=method)
    one = lms(sk.Design(weights="r3"), frame, interaction=method)
    draws = replicated.solution.replicate_estimates(replicated.solution.sampling)
    error = np.sqrt(np.diagonal(linearised.vcov))
    assert np.abs((draws[3] - one.est) / error).max() < 1e-5
    ratio = np.sqrt(np.diagonal(replicated.vcov)) / error
    assert abs(np.mean(ratio) - 1) < 0.05 and np.all(np.abs(ratio - 1) < 0.25), ratio
    assert replicated.linear_test.stat == pytest.approx(linearised.linear_test.stat, rel=1e-5)  # scores, in both


def test_draws_of_clusters() -> None:
    design = sk.Design(weights="weight", strata="region", cluster="village")
    fit = lms(design)
    drawn = fit.bootstrap(60, seed=3, kind="cluster")
    assert drawn.provenance["draws_kind"] == "cluster"
    chunk = next(iter(Job(replicates=60, seed=3, chunk=50).chunks()))
    weights = unit_weights(fit.solution, chunk)[0][0]
    again = lms(sk.Design(weights="drawn"), FRAME.assign(drawn=weights))
    error = np.sqrt(np.diagonal(fit.vcov))
    assert np.abs((drawn.bootstrap_draws.est[0] - again.est) / error).max() < 2e-3
    ratio = drawn.draws.std(axis=0, ddof=1) / error
    assert 0.8 < np.median(ratio) < 1.25
    asked = lms(design, bootstrap=20, seed=3)
    np.testing.assert_allclose(asked.draws, drawn.draws[:20], atol=1e-5)
    with pytest.raises(NotSupportedError) as caught:
        fit.bootstrap(5, kind="ordinary")
    assert caught.value.code == "fitting.bootstrap-kind"


def test_respondents_with_weights_are_drawn_one_by_one() -> None:
    fit = lms(sk.Design(weights="weight"))
    drawn = fit.bootstrap(1, seed=5, kind="ordinary")
    counts = next(iter(Job(replicates=1, seed=5, chunk=50).chunks())).generators()
    times = np.bincount(next(iter(counts)).integers(0, 240, 240), minlength=240)
    again = lms(sk.Design(weights="weight"), FRAME.loc[FRAME.index.repeat(times)])
    error = np.sqrt(np.diagonal(fit.vcov))
    assert np.abs((drawn.bootstrap_draws.est[0] - again.est) / error).max() < 2e-3


# --- tests of the product ------------------------------------------------------------------------------


def test_the_likelihood_ratio_knows_the_design() -> None:
    """Everybody three times, as a cluster of three, tells nothing new: the plain ratio triples, the scaled does not."""
    once = lms(estimator="mlr")
    thrice = lms(sk.Design(cluster="id"), FRAME.loc[FRAME.index.repeat(3)])
    assert thrice.fit_measures["chisq.diff"] == pytest.approx(3 * once.fit_measures["chisq.diff"], rel=1e-6)
    assert thrice.linear_test.stat == pytest.approx(once.linear_test.stat * 239 / 240, rel=1e-6)
    assert thrice.fit_measures["chisq.diff.scaled"] == thrice.linear_test.stat
    plain = lms()
    assert "chisq.diff.scaled" not in plain.fit_measures and plain.linear_test.scaling_factor == 1.0


def test_the_scaling_factor_of_one_product_is_a_ratio_of_variances() -> None:
    """With one restriction ``c`` is the coefficient's variance under the design over the one that inverts the
    information."""
    fit = lms(sk.Design(weights="weight", cluster="village"))
    at = fit.names.index("Y ~ X:Z")
    naive = fit.solution.bread_observed[at, at] / fit.solution.total
    assert fit.linear_test.scaling_factor == pytest.approx(fit.vcov[at, at] / naive, rel=1e-8)
    two = lms(sk.Design(weights="weight", cluster="village"), text=SIMPLE.replace("X:Z", "a*X:Z + b*X:X") + "a == b\n")
    assert two.linear_test.df == 1 and two.linear_test.scaling_factor > 0


def test_what_has_no_form_under_a_design() -> None:
    for options in ({"estimator": "mlm"}, {"estimator": "mlf"}, {"se": "standard"}, {"information": "first.order"}):
        with pytest.raises((NotSupportedError, OptionError)) as caught:
            lms(sk.Design(weights="weight"), **options)
        assert caught.value.code in ("fitting.not-with-design", "fitting.not-with-products")


def test_skewness_is_that_of_the_population() -> None:
    """Weights that are frequencies say the same of a skewed factor as repeated respondents."""
    frame = planted(300, 8, skew=True).assign(times=np.random.default_rng(4).integers(1, 4, 300))
    weighted = lms(sk.Design(weights="times"), frame)
    repeated = lms(None, frame.loc[frame.index.repeat(frame["times"])])
    said = [[note.what for note in fit.notes if note.code == "fitting.latent-not-normal"]
            for fit in (weighted, repeated)]
    assert said[0] == said[1] and said[0]
