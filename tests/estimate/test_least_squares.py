"""Least-squares discrepancies against finite differences, and corrected tests against their definitions."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.estimate.leastsquares import CovarianceModel, LeastSquares, MomentGroup, differences, squares
from semkit.estimate.scaling import CORRECTIONS, Pieces, root_of, root_of_rows
from semkit.estimate.weights import MomentWeight, NormalRoot, NormalWeight, functional, influence, places, stack

DATA = Path(__file__).parents[1] / "reference" / "data"
MODEL = """
visual =~ x1 + x2 + x3
textual =~ x4 + x5 + x6
speed =~ x7 + x8 + x9
textual ~ visual
speed ~ textual
"""


@cache
def solution() -> Any:
    """Two groups with equal loadings and intercepts, so that cells share parameters."""
    data = pd.read_csv(DATA / "HolzingerSwineford1939.csv")
    return sk.cfa(MODEL, data, group="school", group_equal=["loadings", "intercepts"]).solution


def normal_nacov(cov: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """``Cov(s_ij, s_kl) = s_ik s_jl + s_il s_jk`` element by element, and the means' ``S`` before."""
    p = len(cov)
    rows, cols = places(p)
    out = np.zeros((p + len(rows),) * 2)
    out[:p, :p] = cov
    for a, (i, j) in enumerate(zip(rows, cols)):
        for b, (k, m) in enumerate(zip(rows, cols)):
            out[p + a, p + b] = cov[i, k] * cov[j, m] + cov[i, m] * cov[j, k]
    return out


def problem(kind: str) -> LeastSquares:
    sol, groups = solution(), []
    for seen, data in zip(sol.observed, sol.data, strict=True):
        rows = influence(data, True)
        nacov = rows.T @ rows / len(rows)
        weight = {
            "normal": NormalWeight(np.linalg.inv(seen.cov), True),
            "full": MomentWeight(np.linalg.inv(nacov)[None]),
            "diagonal": MomentWeight(1.0 / np.diagonal(nacov)[None]),
        }[kind]
        groups.append(MomentGroup(stack(seen.cov, seen.mean), weight, seen.weight, nacov))
    return LeastSquares(CovarianceModel(sol.layout, sol.given), tuple(groups))


def away() -> np.ndarray[Any, np.dtype[np.float64]]:
    theta = solution().theta
    return np.asarray(theta + 0.1 * np.random.default_rng(1).normal(size=theta.shape))


@pytest.mark.parametrize("kind", ["normal", "full", "diagonal"])
def test_gradient_and_hessian_are_those_of_finite_differences(kind: str) -> None:
    least, theta, step = problem(kind), away(), 1e-5
    f, gradient, hessian = least(theta[None], np.arange(1), True)
    points = np.concatenate([theta + step * np.eye(len(theta)), theta - step * np.eye(len(theta))])
    batch = LeastSquares(CovarianceModel(solution().layout, solution().given),
                         tuple(group.take(np.zeros(len(points), dtype=np.int64)) for group in least.groups))
    value = squares(batch.model, points, batch.groups, "gradient")
    up, down = np.split(value.f, 2)
    np.testing.assert_allclose(gradient[0], (up - down) / (2 * step), rtol=1e-6, atol=1e-7 * np.abs(gradient).max())
    assert value.gradient is not None
    up, down = np.split(value.gradient, 2)
    np.testing.assert_allclose(hessian[0], (up - down) / (2 * step), rtol=1e-6, atol=1e-7 * np.abs(hessian).max())
    plain = sum(g.share * e @ g.weight.times(e[None, :, None])[0, :, 0]
                for g, e in zip(least.groups, least.residuals(theta), strict=True))
    assert f[0] == pytest.approx(plain, rel=1e-12)


def test_curvature_by_differences_is_the_exact_one() -> None:
    least, theta = problem("full"), away()
    by = tuple(np.random.default_rng(2).normal(size=group.moments.shape) for group in least.groups)
    exact = least.model.curvature(theta[None], by)
    np.testing.assert_allclose(differences(least.model, theta[None], by), exact, atol=1e-8 * np.abs(exact).max())


def test_normal_weights_are_the_inverse_of_the_normal_covariances_of_moments() -> None:
    cov = solution().observed[0].cov[0]
    unit = np.eye(54)[None]
    dense = NormalWeight(np.linalg.inv(cov)[None], True).times(unit)[0]
    np.testing.assert_allclose(dense @ normal_nacov(cov), np.eye(54), atol=1e-10)
    root = NormalRoot(cov, True).matrix
    np.testing.assert_allclose(root.T @ root, normal_nacov(cov), atol=1e-12)
    x = np.random.default_rng(6).normal(size=(45, 3))
    np.testing.assert_allclose(NormalRoot(cov, False).times(x), NormalRoot(cov, False).matrix @ x, atol=1e-12)
    below = NormalWeight(np.linalg.inv(cov)[None], False).times(unit[:, :45, :45])[0]
    np.testing.assert_allclose(below, dense[9:, 9:], atol=1e-12)


def test_functional_multiplies_the_moments() -> None:
    rng = np.random.default_rng(3)
    by, square = rng.normal(size=45), rng.normal(size=(9, 9))
    square = square + square.T
    rows, cols = places(9)
    assert np.trace(functional(by, 9) @ square) == pytest.approx(by @ square[rows, cols], rel=1e-12)


def test_moments_given_covariates_do_not_vary_with_them() -> None:
    """What the covariates' values determine has no variance; what is left has that of the errors."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(100_000, 2))
    errors = rng.normal(size=(100_000, 2))
    data = np.column_stack([x @ np.array([[0.5, 0.2], [0.1, 0.7]]) + errors, x])
    rows = influence(data, True, (2, 3))
    at = [2, 3, *(4 + np.array([7, 8, 9]))]  # means and covariances of the covariates
    assert np.abs(rows[:, at]).max() < 1e-9
    np.testing.assert_allclose(np.mean(rows[:, :2] ** 2, axis=0), 1.0, atol=0.02)  # means of the outcomes
    # s_11: 2 sigma^4 + 4 sigma^2 Var(fitted), with fitted variance .5^2 + .1^2
    assert np.mean(rows[:, 4] ** 2) == pytest.approx(2.0 + 4.0 * 0.26, rel=0.05)


@pytest.mark.parametrize("kind", ["normal", "full", "diagonal"])
def test_traces_are_those_of_the_whole_matrices(kind: str) -> None:
    least, theta = problem(kind), solution().theta
    slopes = least.slopes(theta)
    q = len(theta)
    pieces = Pieces(slopes, tuple(g.weight for g in least.groups), least.shares, np.eye(q)[:, : q - 2],
                    lambda: tuple(root_of(np.asarray(g.nacov)) for g in least.groups))
    w, gamma = np.zeros((108, 108)), np.zeros((108, 108))
    for k, group in enumerate(least.groups):
        at = slice(54 * k, 54 * k + 54)
        w[at, at] = group.share * group.weight.times(np.eye(54)[None])[0]
        gamma[at, at] = np.asarray(group.nacov) / group.share
    d = np.concatenate(slopes) @ pieces.basis
    u = w - w @ d @ np.linalg.inv(d.T @ w @ d) @ d.T @ w
    assert pieces.trace == pytest.approx(np.trace(u @ gamma), rel=1e-9)
    assert pieces.trace_of_square == pytest.approx(np.trace(u @ gamma @ u @ gamma), rel=1e-9)
    e = np.concatenate(least.residuals(theta))
    assert pieces.residual_form(least.residuals(theta)) == pytest.approx(e @ u @ e, rel=1e-9)
    np.testing.assert_allclose(pieces.meat, np.concatenate(slopes).T @ w @ gamma @ w @ np.concatenate(slopes),
                               rtol=1e-9, atol=1e-9 * np.abs(pieces.meat).max())


def test_a_root_has_as_many_rows_as_it_needs() -> None:
    rows = np.random.default_rng(5).normal(size=(30, 54))
    for part in (rows, rows[:, :10]):
        root = root_of_rows(part).matrix
        assert len(root) == min(part.shape)
        np.testing.assert_allclose(root.T @ root, part.T @ part / 30, atol=1e-12)


def test_with_normal_moments_nothing_is_corrected() -> None:
    """``U Gamma`` is then a projection of rank df: both traces are df, every corrected statistic is the plain one."""
    sol = solution()
    least = problem("normal")
    pieces = Pieces(least.slopes(sol.theta), tuple(g.weight for g in least.groups), least.shares, sol.basis,
                    lambda: tuple(NormalRoot(group.cov[0], True) for group in sol.observed))
    for correct in CORRECTIONS.values():
        found = correct(100.0, sol.df, pieces)
        assert (found.stat, found.df) == (pytest.approx(100.0, rel=1e-9), pytest.approx(sol.df, rel=1e-9))
