"""Intervals from draws: published formulas, exact agreement with p, textbook limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from semkit.numerics.intervals import INTERVAL_KINDS, acceleration, interval, pvalue
from semkit.result import percentile_interval, percentile_pvalue


@pytest.mark.parametrize("kind", INTERVAL_KINDS)
@pytest.mark.parametrize("count", [200, 999, 1000, 1337])
def test_p_is_at_most_alpha_exactly_when_the_interval_leaves_the_value_out(kind: str, count: int) -> None:
    rng = np.random.default_rng(count)
    draws = rng.gamma(3.0, size=(count, 40)) * rng.uniform(0.2, 2.0, 40)
    estimate = draws.mean(axis=0) * rng.uniform(0.8, 1.2, 40)
    speed = rng.normal(0.0, 0.06, 40)
    decided = 0
    for null in np.linspace(0.1, 6.0, 23):
        p = pvalue(draws, estimate, kind, null, speed)
        for level in (0.8, 0.9, 0.95):
            low, high = interval(draws, estimate, kind, level, speed)
            outside = (low > null) | (high < null)
            assert np.array_equal(outside, p <= 1.0 - level + 1e-12)
            decided += int(outside.sum())
    assert 0 < decided < 23 * 3 * 40


def test_percentile_ends_are_order_statistics() -> None:
    draws = np.random.default_rng(1).permutation(np.arange(1.0, 1000.0))
    assert percentile_interval(draws, 0.95) == (25.0, 975.0)
    assert percentile_interval(draws[:, None], 0.9)[0].tolist() == [50.0]
    assert percentile_interval(np.array([3.0, 1.0, 2.0])) == (1.0, 3.0)
    assert percentile_pvalue(draws - 24.5) == pytest.approx(2 * 25 / 1000)


def test_the_accelerated_interval_is_efrons() -> None:
    """scipy's independent BCa with the same draws and jackknife; its ends are interpolated, ours the next draw."""
    x = np.random.default_rng(3).exponential(size=40)
    found = stats.bootstrap((x,), np.var, method="BCa", n_resamples=1999, rng=np.random.default_rng(5))
    draws = found.bootstrap_distribution[:, None]
    left_out = np.array([np.var(np.delete(x, i)) for i in range(40)])
    a = acceleration((((40 - 1) * (left_out.mean() - left_out))[:, None],))
    low, high = interval(draws, np.array([np.var(x)]), "bca", 0.95, a)
    ordered = np.sort(draws[:, 0])
    for mine, theirs in ((low[0], found.confidence_interval.low), (high[0], found.confidence_interval.high)):
        assert abs(np.searchsorted(ordered, mine) - np.searchsorted(ordered, theirs)) <= 2
    plain, _ = interval(draws, np.array([np.var(x)]), "percentile")
    assert low[0] > plain[0] + 0.05


def test_symmetric_draws_need_no_correction() -> None:
    half = np.abs(np.random.default_rng(2).normal(size=(999, 1)))
    draws = np.concatenate([-half, half, np.zeros((1, 1))])
    ends = {kind: interval(draws, np.zeros(1), kind, 0.9, np.zeros(1)) for kind in INTERVAL_KINDS}
    for kind in ("bc", "bca", "basic"):
        np.testing.assert_allclose(ends[kind], ends["percentile"])
    assert ends["normal"][1] == pytest.approx(1.6448536 * draws.std(ddof=1))


def test_acceleration_of_a_mean_is_a_sixth_of_its_skewness() -> None:
    x = np.random.default_rng(4).exponential(size=(500, 1))
    left_out = (x.sum() - x) / 499
    a = acceleration((499 * (left_out.mean() - left_out),))
    assert a[0] == pytest.approx(stats.skew(x[:, 0]) / 6 / np.sqrt(500), rel=1e-9)
