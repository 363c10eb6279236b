"""Two-step moments of ordinal and mixed data: closed forms, brute force, lavaan, and a simulation of their errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal, norm

import semkit as sk
from semkit.estimate.categorical import estimate_moments

REFERENCE = Path(__file__).parents[1] / "reference"


def table(counts: list[list[int]]) -> pd.DataFrame:
    rows = [(a, b) for a, line in enumerate(counts) for b, n in enumerate(line) for _ in range(n)]
    return pd.DataFrame(rows, columns=["a", "b"])


@pytest.mark.parametrize("both", [45, 40, 30, 10])
def test_tetrachoric_with_medians_as_thresholds_has_a_closed_form(both: int) -> None:
    """Sheppard (1899): ``P(X > 0, Y > 0) = 1/4 + arcsin(rho) / (2 pi)``."""
    found = sk.polychoric(table([[both, 50 - both], [50 - both, both]]))
    assert found.correlations.loc["a", "b"] == pytest.approx(np.sin(2 * np.pi * (both / 100 - 0.25)), abs=1e-9)


def test_polychoric_is_the_maximum_of_the_likelihood_by_brute_force() -> None:
    counts = np.array([[20, 11, 3], [9, 25, 12], [2, 8, 10]])
    n = counts.sum()
    a, b = (norm.ppf(np.cumsum(counts.sum(axis=k))[:-1] / n) for k in (1, 0))

    def minus(rho: float) -> float:
        f = np.zeros((4, 4))
        f[-1, 1:-1], f[1:-1, -1], f[-1, -1] = norm.cdf(b), norm.cdf(a), 1.0
        cdf = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf
        f[1:-1, 1:-1] = [[cdf([u, v]) for v in b] for u in a]
        return -float(np.sum(counts * np.log(np.diff(np.diff(f, axis=0), axis=1))))

    best = minimize_scalar(minus, bounds=(-0.99, 0.99), method="bounded", options={"xatol": 1e-9}).x
    found = sk.polychoric(table(counts.tolist()))
    assert found.correlations.loc["a", "b"] == pytest.approx(best, abs=1e-6)
    np.testing.assert_allclose(found.thresholds["est"], [*a, *b], atol=1e-12)


@pytest.mark.reference
def test_correlations_weights_and_their_covariance_matrix_are_lavaans() -> None:
    peer = json.loads((REFERENCE / "numbers/lavaan/hs_ord_wlsmv.json").read_text(encoding="utf-8"))
    data = pd.read_csv(REFERENCE / "data/HS_ordinal5.csv")
    names = [f"x{i}" for i in range(1, 10)]
    found = estimate_moments(data[names].to_numpy(dtype=float) - 1.0, (5,) * 9)
    gamma = np.array(peer["gamma"]["values"])
    assert np.abs(gamma).max() > 3.0
    np.testing.assert_allclose(found.gamma, gamma, atol=1e-6)
    np.testing.assert_allclose(1.0 / np.diagonal(found.gamma), peer["wls_v_diag"], rtol=1e-6)
    np.testing.assert_allclose(found.cov, np.array(peer["polychor"]["values"]), atol=1e-7)


def test_errors_are_the_spread_over_simulated_samples() -> None:
    """300 samples of 400 with one continuous, one binary and one three-category variable: errors within 12 percent."""
    rng = np.random.default_rng(7)
    root = np.linalg.cholesky([[1.0, 0.5, 0.3], [0.5, 1.0, 0.4], [0.3, 0.4, 1.0]])
    vectors, gammas = [], []
    for _ in range(300):
        y = rng.normal(size=(400, 3)) @ root.T
        data = np.column_stack([2.0 * y[:, 0] + 1.0, np.digitize(y[:, 1], [0.3]), np.digitize(y[:, 2], [-0.5, 0.8])])
        moments = estimate_moments(data, (0, 2, 3))
        vectors.append(moments.vector)
        gammas.append(np.diagonal(moments.gamma))
    spread, said = np.std(vectors, axis=0), np.sqrt(np.mean(gammas, axis=0) / 400)
    np.testing.assert_allclose(said, spread, rtol=0.12)
    # 2 rho for the pairs with the continuous variable, whose standard deviation is 2
    np.testing.assert_allclose(np.mean(vectors, axis=0)[-3:], [1.0, 0.6, 0.4], atol=0.02)


def test_an_empty_cell_of_a_two_by_two_table_is_adjusted_and_named() -> None:
    """lavaan 0.6-14: 0.977 with error 0.025 (n - 1), and the mirror image."""
    found = sk.polychoric(table([[40, 10], [0, 50]]))
    assert found.correlations.loc["a", "b"] == pytest.approx(0.977, abs=5e-4)
    assert found.errors.loc["a", "b"] == pytest.approx(0.977 / 39.587, rel=0.01)
    mirrored = sk.polychoric(table([[10, 40], [50, 0]]))
    assert mirrored.correlations.loc["a", "b"] == pytest.approx(-found.correlations.loc["a", "b"], abs=1e-9)
    assert [note.code for note in found.notes] == ["fitting.empty-cell-adjusted"]
    assert estimate_moments(table([[40, 0], [0, 60]]).to_numpy(dtype=float), (2, 2)).boundary == ((0, 1),)


def test_pairs_use_those_who_answered_both() -> None:
    rng = np.random.default_rng(2)
    y = np.digitize(rng.normal(size=(300, 1)) + rng.normal(size=(300, 3)), [-0.7, 0.9]).astype(float)
    frame = pd.DataFrame(y, columns=["a", "b", "c"])
    frame.loc[:99, "c"] = np.nan
    pairwise = sk.polychoric(frame, missing="pairwise")
    both = sk.polychoric(frame[["a", "b"]])
    assert pairwise.correlations.loc["a", "b"] == pytest.approx(both.correlations.loc["a", "b"], abs=1e-12)
    assert pairwise.nobs == 300
    assert sk.polychoric(frame).nobs == 200
    assert pairwise.errors.loc["a", "c"] > pairwise.errors.loc["a", "b"]


def test_blocks_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=(150, 1)) + rng.normal(size=(150, 5))
    data = np.column_stack([y[:, :2], np.digitize(y[:, 2:], [-0.6, 0.9])])
    data[:20, 1], data[10:30, 4] = np.nan, np.nan
    whole = estimate_moments(data, (0, 0, 3, 3, 3))
    monkeypatch.setattr("semkit.estimate.categorical._BLOCK", 400)
    parts = estimate_moments(data, (0, 0, 3, 3, 3))
    np.testing.assert_allclose(parts.gamma, whole.gamma, atol=1e-10)
    np.testing.assert_allclose(parts.vector, whole.vector, atol=1e-12)


def test_columns_that_are_not_ordinal_are_refused_all_at_once() -> None:
    frame = pd.DataFrame({"a": ["x", "y"] * 30, "b": pd.Categorical(["lo", "hi"] * 30), "c": np.arange(60),
                          "d": np.ones(60)})
    with pytest.raises(sk.SemkitError) as caught:
        sk.polychoric(frame, ["a", "b", "c", "d", "e"])
    assert [problem.code for problem in caught.value.problems] == [
        "sample.not-ordered", "sample.not-ordered", "sample.too-many-categories", "sample.constant",
        "sample.missing-column",
    ]


def test_ordered_categories_keep_their_order() -> None:
    rng = np.random.default_rng(4)
    y = np.digitize(rng.normal(size=(200, 1)) + rng.normal(size=(200, 2)), [-0.5, 0.6])
    plain = pd.DataFrame(y, columns=["a", "b"])
    words = pd.DataFrame({"a": pd.Categorical.from_codes(y[:, 0], ["low", "mid", "high"], ordered=True),
                          "b": pd.Categorical.from_codes(y[:, 1], ["no", "so", "yes"], ordered=True)})
    one, two = sk.polychoric(plain), sk.polychoric(words)
    assert one.correlations.loc["a", "b"] == two.correlations.loc["a", "b"]
    assert two.thresholds["category"].tolist() == ["low", "mid", "no", "so"]
