"""Fit indices are scalar functions of scalars: worked values, limits and inverses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from semkit.estimate import fitmeasures as fm
from semkit.estimate.information import invert, tangent
from semkit.estimate.tests import independence_trace, saturated_trace


@pytest.mark.parametrize("probability", [0.05, 0.5, 0.95])
def test_noncentrality_inverts_the_distribution(probability: float) -> None:
    value = fm.noncentrality(85.3055, 24, probability)
    assert stats.ncx2.cdf(85.3055, 24, value) == pytest.approx(probability, abs=1e-9)
    assert fm.noncentrality(10.0, 24, 0.95) == 0.0


def test_rmsea_interval_contains_the_estimate_and_p_values_agree_with_it() -> None:
    low, high = fm.rmsea_interval(85.3055, 24, 301)
    assert low < fm.rmsea(85.3055, 24, 301) < high
    assert fm.rmsea_below(85.3055, 24, 301, low) == pytest.approx(0.95, abs=1e-6)
    assert fm.rmsea_below(85.3055, 24, 301, high) == pytest.approx(0.05, abs=1e-6)
    assert fm.rmsea(20.0, 24, 301) == 0.0
    assert fm.rmsea(5.0, 0, 301) == 0.0


def test_incremental_indices_at_their_landmarks() -> None:
    """A perfect fit (T = df) gives 1, the baseline itself gives 0; CFI is clipped, RNI is not."""
    for index in (fm.cfi, fm.rni, fm.tli):
        assert index(24.0, 24, 900.0, 36) == pytest.approx(1.0)
        assert index(900.0, 36, 900.0, 36) == pytest.approx(0.0)
    assert fm.cfi(10.0, 24, 900.0, 36) == 1.0
    assert fm.rni(10.0, 24, 900.0, 36) > 1.0
    assert fm.nfi(0.0, 900.0) == 1.0 and fm.nfi(900.0, 900.0) == 0.0
    assert fm.ifi(24.0, 24, 900.0) == pytest.approx(1.0)
    assert fm.rfi(900.0, 36, 900.0, 36) == pytest.approx(0.0)
    assert fm.mfi(24.0, 24, 301) == 1.0


def test_scaled_indices_are_unscaled_ones_of_scaled_statistics_when_both_factors_are_one() -> None:
    assert fm.cfi(80.0, 24, 900.0, 36, 1.0, 1.0) == fm.cfi(80.0, 24, 900.0, 36)
    assert fm.cfi(80.0, 24, 900.0, 36, 1.1, 1.2) == pytest.approx(1 - (80 - 26.4) / (900 - 43.2))


def test_residual_summaries_by_hand() -> None:
    cov, sigma = np.array([[4.0, 1.0], [1.0, 1.0]]), np.array([[4.0, 0.6], [0.6, 1.0]])
    found = fm.residual_summaries(cov, sigma, None, None)
    assert found["rmr"][0] == pytest.approx(0.16 / 3)
    assert found["bentler"][0] == pytest.approx(0.04 / 3)
    assert found["bollen"][0] == pytest.approx(0.04)
    with_mean = fm.residual_summaries(cov, sigma, np.array([1.0, 0.0]), np.array([0.0, 0.0]))
    assert with_mean["bentler"] == pytest.approx(((0.04 + 0.25) / 5, 0.04 / 3))


def test_information_criteria_and_hoelter() -> None:
    expected = (206.0, 200 + 3 * np.log(50), 200 + 3 * np.log(52 / 24))
    assert fm.information_criteria(-100.0, 3, 50.0) == pytest.approx(expected)
    assert fm.critical_n(60.0, 24, 301, 0.05) == pytest.approx(stats.chi2.ppf(0.95, 24) / (60 / 301) + 1)


def test_traces_under_normality_count_parameters() -> None:
    """tr(A^-1 B) tends to the number of parameters when the data are normal."""
    data = np.random.default_rng(4).normal(size=(200_000, 4)) @ np.random.default_rng(1).normal(size=(4, 4))
    assert saturated_trace(data, 0, False) == pytest.approx(10, rel=0.02)
    assert saturated_trace(data, 0, True) == pytest.approx(14, rel=0.02)
    assert saturated_trace(data, 2, False) == pytest.approx(7, rel=0.02)  # 3 residual moments, 4 slopes
    assert independence_trace(data, False) == pytest.approx(4, rel=0.02)


def test_saturated_trace_is_the_trace_of_the_two_information_matrices() -> None:
    """Without shortcuts: the moments' normal-theory information times their fourth-order covariance matrix."""
    data = np.random.default_rng(4).exponential(size=(500, 3))
    z = data - data.mean(axis=0)
    rows, cols = np.tril_indices(3)
    products = z[:, rows] * z[:, cols]
    gamma = np.cov(products.T, bias=True)
    w = np.linalg.inv(z.T @ z / len(z))
    duplication = np.zeros((9, 6))
    for k, (i, j) in enumerate(zip(rows, cols)):
        duplication[i * 3 + j, k] = duplication[j * 3 + i, k] = 1.0
    weight = 0.5 * duplication.T @ np.kron(w, w) @ duplication
    assert saturated_trace(data, 0, False) == pytest.approx(np.trace(weight @ gamma), rel=1e-10)


def test_information_is_inverted_along_the_tangent() -> None:
    """Restricting b = a is the same as a reparametrisation with one parameter less."""
    root = np.random.default_rng(3).normal(size=(3, 5))
    information = root @ root.T
    jacobian = np.array([[1.0, -1.0, 0.0]])
    found = invert(information, tangent(jacobian))
    join = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(found, join @ np.linalg.inv(join.T @ information @ join) @ join.T, rtol=1e-10)
    assert np.isnan(invert(np.diag([1.0, 0.0]), np.eye(2))).all()
