"""Sampling designs: weighted means and their errors against R's survey, margins, policies, what is refused.

``tests/golden/survey_regression.R`` makes the numbers (survey 4.1.1) from ``survey_data.py``'s data.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semkit.errors import OptionError, SampleError
from semkit.numerics.linearisation import kish_effective
from semkit.sample import Design, Replicates, Sample, make_sample

GOLDEN = Path(__file__).parents[1] / "golden"
PEER = json.loads((GOLDEN / "survey_regression.json").read_text(encoding="utf-8"))
DATA = pd.read_csv(GOLDEN / "survey_design.csv")
DESIGNS = {
    "weights": Design(weights="weight"),
    "cluster": Design(weights="weight", cluster="village"),
    "strata": Design(weights="weight", strata="region"),
    "both": Design(weights="weight", strata="region", cluster="village"),
    "fpc": Design(weights="weight", strata="region", cluster="village", fpc="villages"),
    "unweighted": Design(cluster="village"),
}
SEX, AGE = {0: 2800, 1: 3200}, {0: 2000, 1: 1500, 2: 2500}
CELLS = {(0, 0): 900, (1, 0): 1100, (0, 1): 800, (1, 1): 700, (0, 2): 1200, (1, 2): 1300}


def mean_of(sample: Sample) -> tuple[float, float]:
    """Weighted mean of the only column and its variance under the design."""
    assert sample.sampling is not None
    z, w = sample.groups[0].data[:, 0], sample.sampling.weights
    mean = float(w @ z / w.sum())
    influence = (w * (z - mean) / w.sum())[:, None]
    return mean, float(sample.sampling.covariance(influence)[0, 0])


@pytest.mark.parametrize("name", DESIGNS)
def test_linearised_variance_of_a_mean(name: str) -> None:
    sample = make_sample(DATA, ["z"], design=DESIGNS[name])
    mean, variance = mean_of(sample)
    peer = PEER["designs"][name]
    assert mean == pytest.approx(peer["mean"], rel=1e-12)
    assert variance == pytest.approx(peer["mean_var"], rel=1e-10)
    assert sample.sampling is not None and sample.sampling.df == peer["degf"]


def test_raked_and_post_stratified_weights_and_errors() -> None:
    raked = DESIGNS["both"].rake(DATA, {"sex": SEX, "age": AGE})
    assert raked.calibration is not None and raked.calibration.converged
    np.testing.assert_allclose(raked.calibration.weights, PEER["rake"]["weights"], rtol=1e-8)
    mean, variance = mean_of(make_sample(DATA, ["z"], design=raked))
    assert mean == pytest.approx(PEER["calibrated"]["mean"], rel=1e-8)
    assert variance == pytest.approx(PEER["calibrated"]["mean_var"], rel=1e-8)
    ledger = raked.calibration.ledger
    np.testing.assert_allclose(ledger["after"], ledger["population"], rtol=1e-9)
    np.testing.assert_allclose(ledger["before"][:2], DATA.groupby("sex")["weight"].sum(), rtol=1e-12)
    post = DESIGNS["both"].post_stratify(DATA, ("sex", "age"), CELLS)
    assert post.calibration is not None
    np.testing.assert_allclose(post.calibration.weights, PEER["post"]["weights"], rtol=1e-12)
    mean, variance = mean_of(make_sample(DATA, ["z"], design=post))
    assert mean == pytest.approx(PEER["post"]["mean"], rel=1e-12)
    assert variance == pytest.approx(PEER["post"]["mean_var"], rel=1e-9)


def test_shares_keep_the_sum_and_counts_are_only_a_scale() -> None:
    shares = {"sex": {k: v / 6000 for k, v in SEX.items()}, "age": {k: v / 6000 for k, v in AGE.items()}}
    one = DESIGNS["both"].rake(DATA, shares).calibration
    two = DESIGNS["both"].rake(DATA, {"sex": SEX, "age": AGE}).calibration
    assert one is not None and two is not None
    assert one.weights.sum() == pytest.approx(DATA["weight"].sum(), rel=1e-9)
    np.testing.assert_allclose(one.weights / one.weights.sum(), two.weights / two.weights.sum(), rtol=1e-9)


def test_trimmed_weights_stay_within_bounds_and_say_what_it_cost() -> None:
    made = DESIGNS["both"].rake(DATA, {"sex": SEX, "age": AGE}, trim=(0.4, 2.0), max_iterations=200).calibration
    assert made is not None
    mean = 6000 / len(DATA)
    assert made.weights.min() >= 0.4 * mean * (1 - 1e-12) and made.weights.max() <= 2.0 * mean * (1 + 1e-12)
    assert kish_effective(made.weights) > kish_effective(DATA["weight"].to_numpy())
    assert made.converged or "sample.margins-not-met" in [note.code for note in made.notes]
    tight = DESIGNS["both"].rake(DATA, {"sex": {0: 0.1, 1: 0.9}}, trim=(0.9, 1.1), max_iterations=50).calibration
    assert tight is not None and not tight.converged
    assert [note.code for note in tight.notes] == ["sample.calibrated", "sample.margins-not-met"]


def test_a_jackknife_of_a_mean_is_nearly_its_linearisation() -> None:
    """With one cluster a replicate; for a total (weights not rescaled) they are the same number."""
    n, units = len(DATA), DATA["village"].unique()
    w = DATA["weight"].to_numpy()
    frame = DATA[["z", "weight", "village"]].copy()
    names = [f"r{k}" for k in range(len(units))]
    for name, unit in zip(names, units, strict=True):
        frame[name] = np.where(frame["village"] == unit, 0.0, w * len(units) / (len(units) - 1))
    made = make_sample(frame, ["z"], design=Design(weights="weight", replicates=Replicates(tuple(names), "JK1")))
    sampling = made.sampling
    assert sampling is not None and sampling.replicates is not None
    z = made.groups[0].data[:, 0]
    centred = z - sampling.weights @ z / n
    total = (sampling.replicates @ centred)[:, None]
    by_jackknife = sampling.replicate_covariance(total, np.zeros(1))[0, 0]
    by_taylor = make_sample(frame, ["z"], design=DESIGNS["cluster"]).sampling
    assert by_taylor is not None
    taylor = by_taylor.covariance((by_taylor.weights * centred)[:, None])[0, 0]
    assert by_jackknife == pytest.approx(taylor, rel=1e-12)
    assert sampling.df == len(units) - 1


def test_replicate_defaults_of_each_type() -> None:
    columns = ("a", "b", "c", "d")
    assert Replicates(columns, "BRR").multiplier == 0.25
    assert Replicates(columns, "Fay", rho=0.3).multiplier == pytest.approx(0.25 / 0.49)
    assert Replicates(columns, "JK1").multiplier == 0.75
    assert Replicates(columns, "JKn", rscales=(0.5,) * 4).multiplier == 1.0
    assert Replicates(columns).multiplier == pytest.approx(1 / 3)
    with pytest.raises(OptionError) as caught:
        Replicates(("a", "a"), "fay", rho=1.0)
    assert len(caught.value.problems) == 3
    for wrong in ({"type": "JKn"}, {"type": "other"}, {"type": "BRR", "rho": 0.5}, {"scale": -1.0}):
        with pytest.raises(OptionError):
            Replicates(columns, **wrong)  # type: ignore[arg-type]


def test_a_stratum_with_one_unit_needs_a_decision() -> None:
    with pytest.raises(SampleError) as caught:
        make_sample(DATA, ["z"], design=Design(strata="zone", cluster="village"))
    assert caught.value.code == "sample.lone-psu" and "100, 101" in str(caught.value)
    values = [mean_of(make_sample(DATA, ["z"], design=Design(strata="zone", cluster="village", lone_psu=how)))[1]
              for how in ("certainty", "average", "adjust")]
    assert values[0] < min(values[1:])
    assert values[1] == pytest.approx(values[0] * 13 / 11)
    with pytest.raises(OptionError):
        Design(lone_psu="ignore")


def _changed(**columns: Any) -> pd.DataFrame:
    return DATA.assign(**columns)


@pytest.mark.parametrize(
    ("frame", "design", "code"),
    [
        (DATA, Design(weights="wieght"), "sample.missing-column"),
        (_changed(weight=-DATA["weight"]), Design(weights="weight"), "sample.weights"),
        (_changed(weight=DATA["weight"].where(DATA.index > 0)), Design(weights="weight"), "sample.weights"),
        (_changed(weight=0.0), Design(weights="weight"), "sample.weights"),
        (_changed(weight="1"), Design(weights="weight"), "sample.weights"),
        (_changed(village=DATA["village"].where(DATA.index > 3)), Design(cluster="village"), "sample.design-gap"),
        (_changed(villages=1.5), Design(strata="region", cluster="village", fpc="villages"), "sample.fpc"),
        (_changed(villages=DATA.index + 50.0), Design(strata="region", fpc="villages"), "sample.fpc"),
        (_changed(village=1), Design(cluster="village"), "sample.lone-psu"),
    ],
)
def test_designs_that_contradict_the_data(frame: pd.DataFrame, design: Design, code: str) -> None:
    with pytest.raises(SampleError) as caught:
        make_sample(frame, ["z"], design=design)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("margins", "code"),
    [
        ({"sex": SEX, "age": {0: 1.0, 1: 1.0, 2: 1.0}}, "sample.margins-differ"),
        ({"sex": {0: 1.0}}, "sample.margin-level"),
        ({"sex": {0: 1.0, 1: 1.0, 2: 1.0}}, "sample.margin-level"),
        ({"sex": {0: 1.0, 1: -1.0}}, "sample.margin-count"),
        ({"gender": {0: 1.0}}, "sample.missing-column"),
        ({"m1": {0: 1.0}}, "sample.margin-missing"),
    ],
)
def test_margins_that_cannot_hold(margins: dict[Any, Any], code: str) -> None:
    with pytest.raises(SampleError) as caught:
        DESIGNS["both"].rake(DATA, margins)
    assert caught.value.code == code


def test_margins_that_contradict_each_other_are_not_raked() -> None:
    frame = pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 0, 1, 1], "z": [1.0, 2.0, 3.0, 5.0]})
    with pytest.raises(SampleError) as caught:
        Design().rake(frame, {"a": {0: 0.5, 1: 0.5}, "b": {0: 0.3, 1: 0.7}}, max_iterations=50)
    assert caught.value.code == "sample.not-raked"
    made = Design().rake(frame, {"a": {0: 0.5, 1: 0.5}})
    with pytest.raises(OptionError):
        made.rake(frame, {"b": {0: 0.5, 1: 0.5}})
    with pytest.raises(SampleError) as other:
        make_sample(frame.iloc[:3], ["z"], design=made)
    assert other.value.code == "sample.other-frame"


def test_units_of_groups_and_of_rows_left_out() -> None:
    both = make_sample(DATA, ["z", "w_gap"], design=DESIGNS["both"])
    assert both.sampling is not None
    assert both.sampling.n_psu == 24 and len(np.unique(both.groups[0].cluster)) == 23
    crossing = make_sample(DATA, ["z"], group="sex", design=DESIGNS["cluster"])
    assert crossing.sampling is not None and crossing.sampling.centred and len(crossing.sampling.sizes) == 1
    assert set(crossing.groups[0].cluster) & set(crossing.groups[1].cluster)
    nested = make_sample(DATA, ["z"], group="urban", design=DESIGNS["cluster"])
    assert nested.sampling is not None and not nested.sampling.centred
    assert nested.sampling.sizes.tolist() == [12.0, 12.0]
    assert sum(group.weights.sum() for group in nested.groups) == pytest.approx(nested.nobs)
    plain = make_sample(DATA, ["z"])
    assert plain.sampling is None and plain.groups[0].cluster.tolist() == list(range(len(DATA)))
    zero = make_sample(DATA.assign(weight=DATA["weight"].where(DATA.index > 9, 0.0)), ["z"],
                       design=Design(weights="weight"))
    assert zero.nobs == len(DATA) - 10 and "sample.zero-weight" in [note.code for note in zero.notes]
