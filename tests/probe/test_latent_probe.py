"""A latent interaction is probed through the same contract: semTools' numbers, and the engine's own definitions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import ResultError
from semkit.result import Result, quantity
from tests.reference.harness import VARIABLE, find_data

NUMBERS = Path(__file__).resolve().parents[1] / "reference" / "numbers"
GROUPED = Path(__file__).resolve().parents[1] / "reference" / "data" / "lms_simple.csv"
MODEL = """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
Y =~ y1 + y2 + y3
Y ~ b1*X + b2*Z + b3*X:Z
below := b1 - b3*sd(Z)
above := b1 + b3*sd(Z)
at_two := b1 + 2*b3
"""


@pytest.fixture(scope="module")
def fit():
    data = pd.read_csv(find_data("lms_simple.csv"))
    return sk.sem(MODEL, data)


def test_simple_slopes_are_those_of_semtools():
    path = find_data("oneInt_indProd_dmc_matched.csv")
    if path is None:
        pytest.skip(f"{VARIABLE} is not set: oneInt is read in place only")
    data = pd.read_csv(path)
    model = MODEL[: MODEL.index("below")]
    fitted = sk.sem(model, data[[name for name in data.columns if "." not in name]])
    peer = json.loads((NUMBERS / "lavaan" / "pi_oneInt_probe2WayMC.json").read_text())
    slopes = sk.probe(fitted, "X", "Z", values=[row["Z"] for row in peer["SimpleSlope"]]).slopes
    for ours, theirs in zip(slopes.to_dict("records"), peer["SimpleSlope"], strict=True):
        # the peer's optimiser stopped at 1e-7 of the estimates
        assert ours["slope"] == pytest.approx(theirs["est"], abs=1e-4 * theirs["se"])
        assert ours["se"] == pytest.approx(theirs["se"], rel=1e-5)
        assert ours["stat"] == pytest.approx(theirs["z"], rel=1e-4)
        assert ours["pvalue"] == pytest.approx(theirs["pvalue"], abs=1e-4)
    # the peer's lines leave the product's expectation out; the distances between them are its own intercepts
    lines = sk.probe(fitted, "X", "Z", values=[-1, 0, 1]).lines
    at_zero = [np.interp(0.0, part["focal"], part["predicted"]) for _, part in lines.groupby("moderator")]
    expected = [row["est"] for row in peer["SimpleIntcept"]]
    assert np.diff(at_zero) == pytest.approx(np.diff(expected), abs=1e-5)


def test_slopes_are_the_engines_defined_parameters(fit):
    assert isinstance(fit, Result)
    found = sk.probe(fit, "X", "Z")
    sd = fit.variables["Z"].sd
    assert found.slopes["value"].to_numpy() == pytest.approx([-sd, 0, sd])
    for row, name in ((0, "below"), (1, "b1"), (2, "above")):
        defined = quantity(fit, name)
        got = found.slopes.iloc[row]
        assert got["slope"] == pytest.approx(defined.est, rel=1e-9)
        standard = quantity(fit, name, standardized=True)
        assert got["std_slope"] == pytest.approx(standard.est, rel=1e-9)
        assert got["std_se"] == pytest.approx(standard.se, rel=1e-6)
    fixed = sk.probe(fit, "X", "Z", values=[2.0]).slopes.iloc[0]
    defined = quantity(fit, "at_two")
    for ours, theirs in (
        ("slope", "est"),
        ("se", "se"),
        ("pvalue", "pvalue"),
        ("ci_lower", "ci_lower"),
        ("ci_upper", "ci_upper"),
    ):
        assert fixed[ours] == pytest.approx(getattr(defined, theirs), rel=1e-8)


def test_the_metric_of_the_markers_changes_no_standardised_slope(fit):
    data = pd.read_csv(find_data("lms_simple.csv"))
    scaled = data.assign(z1=data["z1"] * 5, x1=data["x1"] * 0.1, y1=data["y1"] + 100)
    again = sk.probe(sk.sem(MODEL, scaled), "X", "Z")
    first = sk.probe(fit, "X", "Z")
    for name in ("std_slope", "std_se", "stat", "share_below"):
        assert again.slopes[name].to_numpy() == pytest.approx(first.slopes[name].to_numpy(), rel=1e-4), name
    assert again.roots["share_below"].to_numpy() == pytest.approx(first.roots["share_below"].to_numpy(), abs=1e-3)
    assert again.roots["value"].to_numpy() == pytest.approx(5 * first.roots["value"].to_numpy(), rel=1e-4)


def test_swapping_focal_and_moderator_swaps_the_main_effect(fit):
    one, other = sk.probe(fit, "X", "Z", values=[0.0]), sk.probe(fit, "Z", "X", values=[0.0])
    assert one.slopes["slope"][0] == pytest.approx(quantity(fit, "b1").est)
    assert other.slopes["slope"][0] == pytest.approx(quantity(fit, "b2").est)


def test_lines_have_the_models_mean(fit):
    """Averaged over the latent distribution the predicted outcome is the outcome's mean, zero."""
    found = sk.probe(fit, "X", "Z", values=[-1.0, 0.0, 1.0])
    b = {name: quantity(fit, name).est for name in ("b1", "b2", "b3")}
    cov = fit.est[fit.names.index("X ~~ Z")]
    lines = found.lines
    expected = (
        b["b1"] * lines["focal"] + b["b2"] * lines["moderator"] + b["b3"] * (lines["focal"] * lines["moderator"] - cov)
    )
    assert lines["predicted"].to_numpy() == pytest.approx(expected.to_numpy())


def test_shares_count_factor_scores_and_say_so(fit):
    found = sk.probe(fit, "X", "Z")
    scores = fit.predict()["Z"].to_numpy()
    assert found.distribution["moderator"].to_numpy() == pytest.approx(scores)
    assert found.slopes["share_below"].to_numpy() == pytest.approx(
        [np.mean(scores <= value) for value in found.slopes["value"]]
    )
    assert "probe.factor-scores" in {note.code for note in found.notes}


def test_bootstrap_draws_of_a_latent_fit_decide(fit):
    data = pd.read_csv(find_data("lms_simple.csv"))
    drawn = sk.sem(MODEL, data, bootstrap=60, seed=3)
    found = sk.probe(drawn, "X", "Z", values=[2.0])
    defined = quantity(drawn, "at_two")
    row = found.slopes.iloc[0]
    assert found.method == "percentile"
    for ours, theirs in (("se", "se"), ("pvalue", "pvalue"), ("ci_lower", "ci_lower"), ("ci_upper", "ci_upper")):
        assert row[ours] == pytest.approx(getattr(defined, theirs), rel=1e-8)
    assert row["slope"] == pytest.approx(quantity(fit, "at_two").est, rel=1e-8)


def test_a_fit_that_did_not_converge_is_not_probed(fit):
    class Stopped:
        def __getattr__(self, name):
            return False if name == "converged" else getattr(fit, name)

    with pytest.raises(ResultError) as caught:
        sk.probe(Stopped(), "X", "Z")
    assert caught.value.code == "probe.not-converged"
    assert replace(sk.probe(fit, "X", "Z"), level=0.9).level == 0.9


def test_an_observed_moderator_is_centred_at_its_mean():
    """A 0/1 moderator of a latent path: the slopes at 0 and 1 are the two groups' paths, apart by the product."""
    rng = np.random.default_rng(12)
    n = 800
    x = rng.normal(size=n)
    w = (rng.random(n) < 0.3).astype(float)
    y = 0.2 * x + 0.3 * w + 0.4 * x * w + 0.7 * rng.normal(size=n)
    frame = pd.DataFrame({"w": w, "y": y, **{f"x{i}": x + 0.4 * rng.normal(size=n) for i in (1, 2, 3)}})
    fitted = sk.sem("X =~ x1 + x2 + x3\ny ~ X + w + X:w", frame)
    found = sk.probe(fitted, "X", "w")
    assert found.slopes["value"].tolist() == [0.0, 1.0]
    assert found.slopes["slope"].to_numpy() == pytest.approx([0.2, 0.6], abs=0.08)
    b = dict(zip(fitted.names, fitted.est, strict=True))
    assert np.diff(found.slopes["slope"]) == pytest.approx(b["y ~ X:w"])
    assert found.slopes["slope"][0] == pytest.approx(b["y ~ X"] - b["y ~ X:w"] * w.mean())


@pytest.mark.parametrize("method", ["product", "lms", "2sls"])
def test_a_group_is_probed_as_if_it_stood_alone(method: str) -> None:
    data = pd.read_csv(GROUPED).head(500)
    data["side"] = np.where(np.arange(len(data)) % 3 == 0, "coast", "hills")
    text = "X =~ x1 + x2 + x3; Z =~ z1 + z2 + z3; Y =~ y1 + y2 + y3; Y ~ X + Z + X:Z"
    both = sk.sem(text, data, group="side", interaction=method)
    for side, part in data.groupby("side"):
        here = sk.probe(both, "X", "Z", group=str(side))
        alone = sk.probe(sk.sem(text, part, interaction=method), "X", "Z")
        assert here.nobs == alone.nobs == len(part) and here.group == side
        for frame, columns in (("slopes", ["slope", "se", "std_slope"]), ("lines", ["predicted", "se"])):
            found, expected = (getattr(probe, frame)[columns].to_numpy() for probe in (here, alone))
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)
        assert here.statement == alone.statement
    with pytest.raises(sk.SemkitError) as caught:
        sk.probe(both, "X", "Z")
    assert caught.value.code == "probe.which-group"
