"""Each screen against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from semkit.cleaning import careless, money, scoring

NA = np.nan


def brute_run(row: list[float]) -> int:
    best = run = 0
    before = None
    for answer in row:
        if np.isnan(answer):
            run, before = 0, None
            continue
        run = run + 1 if answer == before else 1
        before = answer
        best = max(best, run)
    return best


def test_longest_run_by_hand() -> None:
    codes = np.array([
        [1, 2, 2, 2, 5, 5],       # three twos
        [4, 4, 4, 4, 4, 4],       # all six
        [3, 3, NA, 3, 3, 3],      # the gap ends the first run
        [NA, NA, NA, NA, NA, NA],
        [1, 2, 1, 2, 1, 2],
    ])  # fmt: skip
    assert careless.longest_run(codes).tolist() == [3, 6, 3, 0, 1]


@settings(deadline=None)
@given(st.lists(st.integers(0, 3**7 - 1), min_size=1, max_size=9))
def test_longest_run_agrees_with_a_loop(numbers: list[int]) -> None:
    # the ternary digits of one number are a row of seven answers: one draw instead of seven
    answers = (1.0, 2.0, NA)
    rows = [[answers[number // 3**k % 3] for k in range(7)] for number in numbers]
    assert careless.longest_run(np.array(rows)).tolist() == [brute_run(row) for row in rows]


def test_run_threshold_is_eight_or_half() -> None:
    assert [careless.run_threshold(k) for k in (3, 12, 13, 16, 17, 31)] == [8, 8, 8, 8, 9, 16]


def test_answer_variance_by_hand() -> None:
    reverse = np.array([False, False, False, True])
    codes = np.array([
        [4, 4, 4, 4],      # 0
        [1, 2, 3, 4],      # mean 2.5, squares 2.25 .25 .25 2.25 -> 1.25
        [4, 4, NA, 4],     # 0 over three of four
        [4, 4, 4, NA],     # no reverse item answered: says nothing
        [4, NA, NA, NA],   # too few
        [NA, NA, NA, 4],   # no straight item
        [4, NA, NA, 4],    # half of them, both kinds
    ])  # fmt: skip
    expected = [0.0, 1.25, 0.0, NA, NA, NA, 0.0]
    np.testing.assert_allclose(careless.answer_variance(codes, reverse), expected)


def test_reverse_gap_by_hand() -> None:
    reverse = np.array([False, True, False, True])
    scores = np.array([
        [5, 1, 4, 2],      # |1-5| |1-4| |2-5| |2-4| = 4 3 3 2 -> 3
        [5, NA, 4, 2],     # 3 2 -> 2.5
        [NA, 1, NA, 2],
        [3, 3, 3, 3],
    ])  # fmt: skip
    np.testing.assert_allclose(careless.reverse_gap(scores, reverse), [3.0, 2.5, NA, 0.0])
    # full contradiction is 4 whatever the number of points: 7 against 1 on seven points
    np.testing.assert_allclose(careless.reverse_gap(np.array([[7.0, 1.0]]), np.array([False, True]), 6.0), [4.0])


def test_missing_share_counts_only_what_exists() -> None:
    missing = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]], dtype=bool)
    exists = np.array([[1, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0]], dtype=bool)
    np.testing.assert_allclose(careless.missing_share(missing, exists), [0.5, 1 / 3, NA])


def test_checks_failed_counts_wrong_answers_not_empty_ones() -> None:
    codes = np.array([[2, 2, 1], [3, 2, 1], [NA, 5, 4], [NA, NA, NA]], dtype=float)
    assert careless.checks_failed(codes, np.array([2.0, 2.0, 1.0])).tolist() == [0, 1, 2, 0]


def test_least_duration() -> None:
    assert careless.least_duration(np.array([56, 0])).tolist() == [112.0, 0.0]
    assert careless.least_duration(np.array([10]), 1.5).tolist() == [15.0]


def test_mahalanobis_by_hand() -> None:
    # S = [[2, 1], [1, 2]], inverse (1/3)[[2, -1], [-1, 2]]; z = (1, -1): (2 + 1 + 1 + 2) / 3 = 2
    cov = np.array([[2.0, 1.0], [1.0, 2.0]])
    d2, df = careless.mahalanobis(np.array([[1.0, -1.0], [3.0, NA], [NA, NA]]), np.zeros(2), cov)
    np.testing.assert_allclose(d2, [2.0, 4.5, NA])
    assert df.tolist() == [2, 1, 0]


def test_mahalanobis_with_gaps_is_the_distance_of_what_was_answered() -> None:
    rng = np.random.default_rng(4)
    p = 7
    root = rng.normal(size=(p, p))
    cov, mean = root @ root.T + np.eye(p), rng.normal(size=p)
    values = rng.normal(size=(60, p))
    values[rng.random((60, p)) < 0.4] = NA
    d2, df = careless.mahalanobis(values, mean, cov, chunk=5)
    for row, got, count in zip(values, d2, df, strict=True):
        o = ~np.isnan(row)
        z = row[o] - mean[o]
        want = z @ np.linalg.solve(cov[np.ix_(o, o)], z) if o.any() else NA
        np.testing.assert_allclose(got, want, rtol=1e-9)
        assert count == o.sum()


def test_mahalanobis_is_chi_square_under_normality() -> None:
    rng = np.random.default_rng(11)
    values = rng.normal(size=(20_000, 10))
    values[rng.random(values.shape) < 0.05] = NA
    mean, cov, repaired = careless.available_moments(values)
    d2, df = careless.mahalanobis(values, mean, cov)
    assert not repaired
    share = np.mean(chi2.sf(d2, df) < 0.01)
    assert abs(share - 0.01) < 4 * np.sqrt(0.01 * 0.99 / 20_000)


def test_available_moments_of_complete_data_are_the_sample_moments() -> None:
    values = np.random.default_rng(2).normal(size=(40, 4))
    mean, cov, _ = careless.available_moments(values)
    np.testing.assert_allclose(mean, values.mean(axis=0))
    np.testing.assert_allclose(cov, np.cov(values, rowvar=False), rtol=1e-12)


def test_available_moments_repairs_what_is_singular() -> None:
    values = np.random.default_rng(2).normal(size=(40, 3))
    values[:, 2] = values[:, 0]
    _, cov, repaired = careless.available_moments(values)
    assert repaired
    assert np.linalg.eigvalsh(cov)[0] > 0


def test_flip_and_mean_by_hand() -> None:
    codes = np.array([[1.0, 1.0, NA], [7.0, 2.0, 5.0]])
    scores = scoring.flip(codes, np.array([False, True, True]), np.array([8.0, 6.0, 6.0]))
    np.testing.assert_allclose(scores, [[1, 5, NA], [7, 4, 1]])
    four = np.array([[1, 2, NA, NA], [1, NA, NA, NA], [NA] * 4, [1, 2, 3, 4]])
    np.testing.assert_allclose(scoring.scale_mean(four), [1.5, NA, NA, 2.5])
    np.testing.assert_allclose(scoring.scale_mean(four, 1.0), [NA, NA, NA, 2.5])
    three = np.array([[1, NA, NA], [1, 3, NA]])  # half of three is one and a half: one is too few
    np.testing.assert_allclose(scoring.scale_mean(three), [NA, 2.0])


def test_indicators_keep_missing_missing() -> None:
    codes = np.array(["x", None, "y"], dtype=object)
    np.testing.assert_allclose(scoring.indicators(codes, ("x", "y")), [[1, 0], [NA, NA], [0, 1]])


def test_standardised_mean_by_hand() -> None:
    # column 1 over the first three rows: mean 2, sd 1; column 2: constant, says nothing
    columns = np.array([[1.0, 7.0], [2.0, 7.0], [3.0, 7.0], [6.0, 7.0]])
    reference = np.array([True, True, True, False])
    np.testing.assert_allclose(scoring.standardised_mean(columns, reference), [-1, 0, 1, 4])


def test_winsorise_by_hand() -> None:
    # quartiles of 0 1 2 3 4 (type 7) are 1 and 3
    pulled, low, high = money.winsorise([4.0, 0.0, NA, 2.0, 1.0, 3.0], 0.25, 0.75)
    np.testing.assert_allclose(pulled, [3, 1, NA, 2, 1, 3])
    assert (low, high) == (1.0, 3.0)
    assert np.isnan(money.winsorise([NA])[1])


def test_log_money_has_no_log_of_a_loss() -> None:
    np.testing.assert_allclose(money.log_money([-5.0, 0.0, np.e - 1], 0, 1), [NA, 0, 1])


@pytest.mark.parametrize("lower, upper", [(0.5, 0.5), (-0.1, 0.9), (0.9, 0.1), (0.0, 1.1)])
def test_winsorise_refuses_shares_out_of_order(lower: float, upper: float) -> None:
    with pytest.raises(Exception) as caught:
        money.winsorise([1.0, 2.0], lower, upper)
    assert caught.value.code == "cleaning.bad-share"  # type: ignore[attr-defined]
    assert "0 <= lower" in caught.value.problems[0].allowed  # type: ignore[attr-defined]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=40))
def test_winsorised_values_stay_inside_the_limits(values: list[float]) -> None:
    pulled, low, high = money.winsorise(values)
    assert np.all(pulled >= low) and np.all(pulled <= high)
