"""Simulated cut-offs: rules of the papers by hand, the authors' published example, agreement with whole refits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from semkit.estimate.misspecification import cross_loadings, levels, population, reliability_h, residual_pairs
from semkit.fitting.cutoffs import _decide
from tests.reference.harness import DATA

CHILDREN = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
H = pd.read_csv(DATA / "HolzingerSwineford1939.csv")


def pieces() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    loadings = np.zeros((9, 3))
    loadings[:3, 0], loadings[3:6, 1] = (0.772, 0.424, 0.581), (0.852, 0.855, 0.838)
    loadings[6:, 2] = (0.57, 0.723, 0.665)
    cor = np.array([[1.0, 0.459, 0.471], [0.459, 1.0, 0.283], [0.471, 0.283, 1.0]])
    return loadings, cor, np.zeros((9, 9))


def test_what_is_left_out_follows_the_paper() -> None:
    """The weakest item of each factor, on the factor of highest H; a pair of factors is used once."""
    loadings, cor, residual = pieces()
    h = reliability_h(loadings)
    square = np.array([0.57, 0.723, 0.665]) ** 2
    assert h[2] == pytest.approx(1 / (1 + 1 / np.sum(square / (1 - square)))) and h.argmax() == 1
    found = cross_loadings(loadings, cor, residual)
    assert [(one.first, one.second) for one in found] == [(1, 1), (1, 6)]
    assert [one.size for one in found] == pytest.approx([0.424, 0.57])
    assert [len(level) for level in levels(found, 3)] == [1, 2]
    strong = cross_loadings(np.array([[0.9, 0], [0.9, 0], [0.9, 0], [0, 0.95], [0, 0.95], [0, 0.95]]),
                            np.array([[1, 0.3], [0.3, 1]]), np.zeros((6, 6)))
    assert strong[0].size == pytest.approx(0.95 * (np.sqrt(0.81 * 0.09 + 0.19) - 0.27))
    implied = population(loadings, cor, residual, found[:1])
    assert implied[1, 3] == pytest.approx((0.424 * 0.459 + 0.424) * 0.852)
    assert np.diagonal(implied) == pytest.approx(1.0)
    one = residual_pairs(np.array([[0.5], [0.9], [0.6], [0.8], [0.7], [0.4]]), np.zeros((6, 6)))
    assert [(a.first, a.second) for a in one] == [(5, 0), (2, 4), (3, 1)]
    assert [len(level) for level in levels(one, 1)] == [1, 2, 3]
    lonely = residual_pairs(np.array([[0.5], [0.9], [0.6], [0.8]]), np.zeros((4, 4)))
    assert [(a.first, a.second) for a in lonely] == [(0, 2)]


def test_the_rules_of_the_cut() -> None:
    right, wrong = np.arange(100.0), np.arange(100.0) + 95.0
    assert _decide(right, wrong, "srmr") == (pytest.approx(np.percentile(wrong, 5)), "95/5")
    assert _decide(right, right + 85.0, "srmr")[1] == "90/10"
    assert np.isnan(_decide(right, right + 40.0, "srmr")[0]) and _decide(right, right + 40.0, "srmr")[1] == "none"
    assert _decide(-right, -wrong, "cfi") == (pytest.approx(-np.percentile(wrong, 5)), "95/5")


def test_the_authors_example() -> None:
    """The vignette of their R package gives SRMR .040, RMSEA .044 and CFI .984 for these data (one cross-loading)."""
    fit = sk.cfa(CHILDREN, H)
    found = fit.cutoffs(1000, seed=1)
    first = found.frame[found.frame["level"] == 1].set_index("index")
    assert first.loc["srmr", "cutoff"] == pytest.approx(0.040, abs=0.002)
    assert first.loc["rmsea", "cutoff"] == pytest.approx(0.044, abs=0.003)
    assert first.loc["cfi", "cutoff"] == pytest.approx(0.984, abs=0.002)
    assert first.loc["cfi", "omitted"] == "textual =~ 0.424*x2" and not first["passed"].astype(bool).any()
    assert found.frame["level"].tolist() == [0] * 3 + [1] * 3 + [2] * 3 and found.seed == 1
    few = fit.cutoffs(40, seed=1)
    pd.testing.assert_frame_equal(few.frame, fit.cutoffs(40, seed=1).frame)
    assert repr(few) in fit.summary(cutoffs=40, seed=1)


def test_levels_above_zero_are_those_of_data_from_the_population() -> None:
    """Whole fits to raw samples of the misspecified population against the batched moments."""
    fit = sk.cfa(CHILDREN, H)
    loadings, cor, residual = pieces()
    sigma = population(loadings, cor, residual, cross_loadings(loadings, cor, residual))
    rng, root = np.random.default_rng(3), np.linalg.cholesky(sigma)
    names = [f"x{k}" for k in range(1, 10)]
    worst = [sk.cfa(CHILDREN, pd.DataFrame(rng.normal(size=(301, 9)) @ root.T, columns=names)).fit_measures["srmr"]
             for _ in range(100)]
    frame = fit.cutoffs(1000, seed=2).frame
    cut = frame[(frame["level"] == 2) & (frame["index"] == "srmr")]["cutoff"].iloc[0]
    assert 0.88 <= np.mean(np.array(worst) > cut) <= 0.99


def test_other_models_get_the_limits_of_exact_fit() -> None:
    paths = sk.sem("visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\nspeed ~ visual", H)
    groups = sk.cfa(CHILDREN, H, group="school")
    for fit in (paths, groups):
        found = fit.cutoffs(60, seed=1)
        assert found.frame["level"].tolist() == [0, 0, 0] and found.reason and found.reason in repr(found)


def test_refusals() -> None:
    saturated = sk.cfa("f =~ x1 + x2 + x3", H)
    with pytest.raises(NotSupportedError) as caught:
        saturated.cutoffs(10)
    assert caught.value.code == "fitting.no-cutoffs"
