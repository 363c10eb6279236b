"""A frame becomes arrays; everything wrong with it is said at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semkit.errors import NotSupportedError, OptionError, SampleError
from semkit.sample import Composite, Design, Moments, Product, group_moments, make_sample
from semkit.sample.composite import alpha, stratified_error_variance


def frame(n: int = 60, seed: int = 1) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(n, 5)) + np.arange(1.0, 6.0)
    return pd.DataFrame(values, columns=list("abcde"))


def test_listwise_on_the_models_own_columns_only() -> None:
    data = frame()
    data.loc[3, "a"] = np.nan
    data.loc[4:20, "e"] = np.nan  # not in the model
    sample = make_sample(data, ["b", "a"])
    assert (sample.nobs_received, sample.nobs, sample.names) == (60, 59, ("b", "a"))
    assert sample.notes[0].code == "sample.listwise"
    assert "a (1 missing)" in str(sample.notes[0])
    np.testing.assert_array_equal(sample.groups[0].data, data[["b", "a"]].drop(index=3).to_numpy())
    assert 3 not in sample.groups[0].rows


def test_every_problem_of_the_columns_is_reported_at_once() -> None:
    data = frame()
    data["b"] = 2.0
    data["c"] = "text"
    data["d"] = np.nan
    data.loc[0, "e"] = np.inf
    with pytest.raises(SampleError) as caught:
        make_sample(data, ["aa", "b", "c", "d", "e"])
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["sample.missing-column", "sample.constant", "sample.not-numeric", "sample.all-missing",
                     "sample.infinite"]
    assert 'Did you mean "a"?' in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.assign(c=d["a"] + d["b"]), "sample.collinear"),
        (lambda d: d.head(3), "sample.too-few"),
        (lambda d: d.assign(a=d["a"].where(np.arange(60) < 30), b=d["b"].where(np.arange(60) >= 30)),
         "sample.no-complete-rows"),
        (lambda d: d.assign(a=np.where(np.arange(60) < 30, 1.0, 2.0), b=np.where(np.arange(60) < 30, 0.5, np.nan)),
         "sample.constant"),
    ],
)
def test_data_from_which_nothing_can_be_estimated(change, code) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SampleError) as caught:
        make_sample(change(frame()), ["a", "b", "c"])
    assert caught.value.code == code


def test_collinear_columns_are_named() -> None:
    data = frame()
    data["c"] = data["a"] - 2.0 * data["b"]
    with pytest.raises(SampleError) as caught:
        make_sample(data, ["a", "b", "c", "d"])
    assert "a, b, c" in str(caught.value)
    assert "d" not in str(caught.value.problems[0].what).split(": ")[1]


def test_numeric_columns_of_other_dtypes_are_read() -> None:
    data = frame()
    data["a"] = pd.array([1, 2, None] * 20, dtype="Int64")
    data["b"] = np.arange(60) % 2 == 0
    sample = make_sample(data, ["a", "b"])
    assert sample.nobs == 40
    assert set(sample.column("b")) == {0.0, 1.0}


def test_groups_come_in_order_of_appearance_and_leave_out_missing_labels() -> None:
    data = frame().assign(g=["y"] * 20 + ["x"] * 30 + [None] * 10)
    sample = make_sample(data, ["a", "b"], group="g")
    assert [(group.label, group.nobs) for group in sample.groups] == [("y", 20), ("x", 30)]
    with pytest.raises(SampleError) as caught:
        make_sample(data, ["a"], group="gg")
    assert caught.value.code == "sample.missing-column"


def test_missing_values_are_not_used_pairwise() -> None:
    assert Design().trivial
    with pytest.raises(NotSupportedError):
        make_sample(frame(), ["a"], missing="pairwise")


def test_products_are_double_mean_centred() -> None:
    data = frame()
    sample = make_sample(data, ["a", "p"], products=(Product("p", "b", "c"),))
    by_hand = (data["b"] - data["b"].mean()) * (data["c"] - data["c"].mean())
    np.testing.assert_allclose(sample.column("p"), by_hand - by_hand.mean(), atol=1e-14)


def test_moments_of_draws_equal_those_of_resampled_frames() -> None:
    """Products and composites are rebuilt in every draw: compare with really resampled rows."""
    data = frame(40).assign(i1=lambda d: d["a"] + d["b"], i2=lambda d: d["a"] - 0.3 * d["c"], i3=lambda d: d["d"] + 3.0)
    data["m"] = data[["i1", "i2", "i3"]].mean(axis=1)
    composite = Composite(("m", "e"), {"m": ("i1", "i2", "i3"), "e": ("c", "d")})
    products = (Product("p", "a", "b"), Product("q", "a", "g.mean"))
    names = ["p", "d", "g.mean", "q"]
    sample = make_sample(data, names, products=products, composites={"g.mean": composite})
    generator = np.random.default_rng(3)
    picks = generator.integers(0, 40, (5, 40))
    counts = np.array([np.bincount(pick, minlength=40) for pick in picks], dtype=float)
    drawn = group_moments(sample, 0, counts)
    for b, pick in enumerate(picks):
        again = make_sample(data.iloc[pick], names, products=products, composites={"g.mean": composite})
        alone = group_moments(again, 0)
        np.testing.assert_allclose(drawn.cov[b], alone.cov[0], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(drawn.mean[b], alone.mean[0], atol=1e-12)
        np.testing.assert_allclose(drawn.error[b], alone.error[0], rtol=1e-10)


def test_alpha_of_parallel_items_is_spearman_brown() -> None:
    """k items with common correlation r: k r / (1 + (k - 1) r)."""
    r, k = 0.4, 5
    cov = np.full((k, k), r) + (1 - r) * np.eye(k)
    assert alpha(cov) == pytest.approx(k * r / (1 + (k - 1) * r), abs=1e-14)


def test_stratified_error_variance_is_one_minus_rho_times_variance() -> None:
    """Population with independent errors: the error variance of the mean of parts is known exactly."""
    error = 0.5  # each item's error variance; 4 items a part, 3 parts
    part_true = np.array([[1.0, 0.5, 0.4], [0.5, 1.2, 0.3], [0.4, 0.3, 0.9]])
    items = [np.full((4, 4), part_true[j, j]) + error * np.eye(4) for j in range(3)]
    alphas = np.array([float(alpha(cov)) for cov in items])
    variances = np.array([part_true[j, j] + error / 4 for j in range(3)])
    assert stratified_error_variance(variances, alphas) == pytest.approx(3 * (error / 4) / 9, rel=1e-12)


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda: Composite(()), "sample.composite-empty"),
        (lambda: Composite(("m",), {"m": ("x",)}), "sample.composite-items"),
        (lambda: Composite(("m",), {"m": ("x", "y")}, weights="pca"), "sample.composite-weights"),
        (lambda: Composite(("m",), reliability=1.4), "sample.composite-reliability"),
        (lambda: Composite(("m",), {"m": ("x", "y")}, reliability="omega"), "sample.composite-reliability"),
    ],
)
def test_composites_that_cannot_be(build, code) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OptionError) as caught:
        build()
    assert caught.value.code == code


def test_moments_are_checked_and_rescaled() -> None:
    cov = pd.DataFrame([[2.0, 0.5], [0.5, 1.0]], index=["a", "b"], columns=["a", "b"])
    assert Moments(cov, nobs=11).names == ("a", "b")
    np.testing.assert_allclose(Moments(cov, nobs=11).matrix, cov.to_numpy() * 10 / 11)
    np.testing.assert_allclose(Moments(cov, nobs=11, divisor="n").matrix, cov.to_numpy())
    with pytest.raises(SampleError) as caught:
        Moments([[1.0, 2.0], [0.0, 1.0]], nobs=1, names=("a", "b"), divisor="x")
    assert [p.code for p in caught.value.problems] == ["sample.moments-not-symmetric", "sample.moments-nobs",
                                                       "sample.moments-divisor"]
