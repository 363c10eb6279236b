"""Gradients, Hessians and Jacobians against finite differences at random points; buffers start as NaN."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from semkit.estimate import layout as lay
from semkit.estimate.deviations import deviations, variances
from semkit.estimate.discrepancy import Observed, discrepancy, observe
from semkit.estimate.expressions import make_constraints
from semkit.estimate.gradient import curvature, slope
from semkit.estimate.implied import imply, jacobian
from semkit.estimate.information import first_order, scores
from semkit.estimate.layout import ALPHA, BETA, LAMBDA, NU, PSI, THETA, Block, Cells, Layout, make_layout
from semkit.estimate.standardize import row_values, scales, standardise
from semkit.model import build_table, parse

FloatArray = NDArray[np.float64]

# every kind of cell, a loop among the slopes, covariances, fixed loadings
FREE = [
    (LAMBDA, 0, 0), (LAMBDA, 1, 0), (LAMBDA, 2, 1), (LAMBDA, 3, 1), (LAMBDA, 1, 1), (LAMBDA, 4, 2),
    (BETA, 1, 0), (BETA, 2, 1), (BETA, 2, 0), (BETA, 0, 2), (BETA, 3, 1),
    (PSI, 0, 0), (PSI, 1, 1), (PSI, 2, 2), (PSI, 0, 3), (PSI, 1, 3), (PSI, 3, 3),
    (THETA, 0, 0), (THETA, 1, 1), (THETA, 0, 1), (THETA, 2, 2), (THETA, 3, 3), (THETA, 2, 4), (THETA, 4, 4),
    (NU, 0, 0), (NU, 2, 0), (NU, 3, 0), (ALPHA, 0, 0), (ALPHA, 1, 0), (ALPHA, 3, 0),
]  # fmt: skip
P, M, DRAWS, STEP = 6, 4, 3, 1e-5


def cells(rows: list[tuple[int, int, int]], source: list[int]) -> Cells:
    kind, row, col = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Cells(kind, row, col, np.array(source, dtype=np.int64), np.arange(len(rows)))


def problem(means: bool, shared: bool, cyclic: bool) -> tuple[Layout, FloatArray, tuple[Observed, ...], FloatArray]:
    rows = [row for row in FREE if (means or row[0] < NU) and (cyclic or row != (BETA, 0, 2))]
    source = list(range(len(rows)))
    if shared:  # the second loading equals the first, a variance equals another, the group is given twice
        source[1] = source[0]
    fixed = np.zeros(P * M + 2 * M * M + P * P + P + M)
    fixed[5 * M + 3], fixed[1] = 1.0, 0.5
    block = Block(tuple("abcdef"), tuple("wxyz"), fixed, cells(rows, source), cells([], []), means)
    blocks = (block, block) if shared else (block,)
    layout = Layout(blocks, len(rows), np.arange(len(rows)), ())
    generator = np.random.default_rng(11)
    theta = generator.uniform(0.2, 0.5, (DRAWS, len(rows)))
    for k, (kind, row, col) in enumerate(rows):
        if kind in (PSI, THETA) and row == col:
            theta[:, k] += 1.0
    data = []
    for weight in (0.4, 0.6) if shared else (1.0,):
        root = generator.normal(size=(DRAWS, P, 12))
        cov = root @ root.swapaxes(1, 2) / 12 + np.eye(P)
        data.append(observe(cov, generator.normal(size=(DRAWS, P)), weight))
    return layout, theta, tuple(data), np.zeros((DRAWS, 0))


@pytest.mark.parametrize("means", [False, True])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("cyclic", [False, True])
def test_gradient_and_exact_hessian(means: bool, shared: bool, cyclic: bool) -> None:
    layout, theta, data, given = problem(means, shared, cyclic)
    value = discrepancy(layout, theta, data, given, "exact")
    assert value.gradient is not None and value.hessian is not None
    gradient, hessian = np.full_like(value.gradient, np.nan), np.full_like(value.hessian, np.nan)
    for k in range(theta.shape[1]):
        shift = np.zeros(theta.shape[1])
        shift[k] = STEP
        above = discrepancy(layout, theta + shift, data, given)
        below = discrepancy(layout, theta - shift, data, given)
        assert above.gradient is not None and below.gradient is not None
        gradient[:, k] = (above.f - below.f) / (2 * STEP)
        hessian[:, :, k] = (above.gradient - below.gradient) / (2 * STEP)
    np.testing.assert_allclose(value.gradient, gradient, atol=2e-8)
    np.testing.assert_allclose(value.hessian, hessian, atol=5e-8)
    np.testing.assert_allclose(slope(layout, theta, data, given), value.gradient, atol=1e-12)


@pytest.mark.parametrize("means", [False, True])
def test_expected_hessian_is_the_exact_one_where_the_model_fits(means: bool) -> None:
    layout, theta, _, given = problem(means, False, True)
    implied = imply(layout.blocks[0], theta, given)
    data = (observe(implied.sigma, implied.mu),)
    expected = discrepancy(layout, theta, data, given, "expected")
    exact = discrepancy(layout, theta, data, given, "exact")
    assert expected.hessian is not None and exact.hessian is not None
    np.testing.assert_allclose(expected.hessian, exact.hessian, atol=1e-12)
    np.testing.assert_allclose(expected.f, 0.0, atol=1e-12)


def test_expected_hessian_is_the_quadratic_form_of_the_jacobian() -> None:
    """tr(W Sigma_k W Sigma_l) + 2 mu_k' W mu_l from the full stack of derivatives."""
    layout, theta, data, given = problem(True, False, True)
    implied = imply(layout.blocks[0], theta, given)
    by_cov, by_mean = jacobian(layout.blocks[0], implied)
    w = np.linalg.inv(implied.sigma)
    full = np.einsum("bij,bkjl,blm,bnmi->bkn", w, by_cov, w, by_cov)
    full += 2 * np.einsum("bki,bij,bnj->bkn", by_mean, w, by_mean)
    value = discrepancy(layout, theta, data, given, "expected")
    np.testing.assert_allclose(value.hessian, full, atol=1e-12)


@pytest.mark.parametrize("means", [False, True])
@pytest.mark.parametrize("groups", [False, True])
def test_curvature_is_the_diagonal_of_the_expected_hessian(means: bool, groups: bool) -> None:
    layout, theta, data, given = problem(means, False, True)
    if groups:  # the same parameters in both: their second derivatives add up
        layout = Layout(layout.blocks * 2, layout.n_parameters, layout.expand, ())
        data = (observe(data[0].cov, data[0].mean, 0.3), observe(data[0].cov, data[0].mean, 0.7))
    hessian = discrepancy(layout, theta, data, given, "expected").hessian
    assert hessian is not None
    found = curvature(layout, theta, tuple(part.weight for part in data), given)
    np.testing.assert_allclose(found, np.diagonal(hessian, axis1=1, axis2=2), rtol=1e-10)


def test_many_draws_are_assembled_in_slices_without_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    from semkit.estimate import discrepancy as module

    layout, theta, data, given = problem(True, False, True)
    whole = discrepancy(layout, theta, data, given, "exact").hessian
    monkeypatch.setattr(module, "_CACHE", 1)
    np.testing.assert_array_equal(discrepancy(layout, theta, data, given, "exact").hessian, whole)


def test_jacobian_of_moments_and_variances() -> None:
    layout, theta, _, given = problem(True, False, True)
    block = layout.blocks[0]
    implied = imply(block, theta, given)
    by_cov, by_mean = jacobian(block, implied)
    _, by_variance = variances(block, implied)
    for k in range(theta.shape[1]):
        shift = np.zeros(theta.shape[1])
        shift[k] = STEP
        above, below = imply(block, theta + shift, given), imply(block, theta - shift, given)
        np.testing.assert_allclose(by_cov[:, k], (above.sigma - below.sigma) / (2 * STEP), atol=1e-7)
        np.testing.assert_allclose(by_mean[:, k], (above.mu - below.mu) / (2 * STEP), atol=1e-7)
        change = (variances(block, above)[0] - variances(block, below)[0]) / (2 * STEP)
        np.testing.assert_allclose(by_variance[:, :, k], change, atol=1e-7)


def test_deviations_of_some_variables_are_those_of_all() -> None:
    layout, theta, _, given = problem(True, False, True)
    block = layout.blocks[0]
    implied = imply(block, theta, given)
    values, slopes = deviations(block, implied, layout.n_parameters)
    some, some_slopes = deviations(block, implied, layout.n_parameters, ("b", "y"))
    for name in ("b", "y"):
        np.testing.assert_allclose(some[name], values[name])
        np.testing.assert_allclose(some_slopes[name], slopes[name], atol=1e-14)


def test_casewise_scores_add_up_to_the_gradient() -> None:
    """sum of scores = -N/2 dF/dtheta."""
    layout, theta, _, given = problem(True, False, True)
    data = np.random.default_rng(5).normal(size=(50, P)) + 0.3
    centred = data - data.mean(axis=0)
    moments = (observe((centred.T @ centred / 50)[None], data.mean(axis=0)[None]),)
    value = discrepancy(layout, theta[:1], moments, given[:1])
    assert value.gradient is not None
    found = scores(layout.blocks[0], theta[0], given[0], data, layout.n_parameters)
    np.testing.assert_allclose(found.sum(axis=0), -25.0 * value.gradient[0], rtol=1e-9, atol=1e-9)
    assert first_order(layout, theta[0], given[0], (data,)).shape == (layout.n_parameters,) * 2


def test_implied_moments_that_are_not_positive_definite_give_nan_for_that_draw_only() -> None:
    layout, theta, data, given = problem(False, False, False)
    bad = theta.copy()
    bad[1, FREE.index((THETA, 0, 0)) - 1] = -50.0  # without the slope that closes the loop
    found = discrepancy(layout, bad, data, given).f
    assert np.isnan(found[1]) and np.isfinite(found[[0, 2]]).all()
    np.testing.assert_allclose(found[[0, 2]], discrepancy(layout, theta, data, given).f[[0, 2]], rtol=1e-10)


MODEL = """
f =~ x1 + l2*x2 + l3*x3
g =~ y1 + y2 + l3*y3
g ~ b*f + c*z
x1 ~~ y1
f ~~ z
l2 == b*c + 0.1*sd(f)^2
c > 0.01
"""


def test_derivatives_of_standardised_values_and_constraints() -> None:
    table = build_table(parse(MODEL), fixed_x=False)
    layout = make_layout(table)
    generator = np.random.default_rng(2)
    theta = generator.uniform(0.3, 0.7, (2, layout.n_parameters))
    for k, row in enumerate(table.free_rows):
        if table.op[row] == "~~":
            theta[:, table.unique[k]] = 1.2 if table.lhs[row] == table.rhs[row] else 0.1
    given = np.zeros((2, len(layout.given_rows)))

    def values(x: FloatArray, kind: str) -> tuple[FloatArray, FloatArray]:
        rows = row_values(table, layout, x, given)
        if kind == "raw":
            return rows.value, rows.slope
        found = standardise(table, layout, rows, scales(layout, x, given), kind)  # type: ignore[arg-type]
        return found.value, found.slope

    constraints = make_constraints(table, layout, given)
    assert constraints is not None and constraints.equality.tolist() == [True, False]
    at = np.arange(2)
    for kind in ("raw", "std_lv", "std_all", "std_nox", "constraint"):
        def function(x: FloatArray, kind: str = kind) -> tuple[FloatArray, FloatArray]:
            return constraints.evaluate(x, at) if kind == "constraint" else values(x, kind)

        _, exact = function(theta)
        numeric = np.full_like(exact, np.nan)
        for k in range(theta.shape[1]):
            shift = np.zeros(theta.shape[1])
            shift[k] = STEP
            numeric[:, :, k] = (function(theta + shift)[0] - function(theta - shift)[0]) / (2 * STEP)
        shown = np.isfinite(exact).all(axis=(0, 2)) & np.isfinite(numeric).all(axis=(0, 2))
        assert shown.sum() >= (2 if kind == "constraint" else 16)
        np.testing.assert_allclose(exact[:, shown], numeric[:, shown], atol=1e-7, err_msg=kind)


def test_curvature_of_constraints() -> None:
    table = build_table(parse(MODEL), fixed_x=False)
    layout = make_layout(table)
    theta = np.random.default_rng(2).uniform(0.3, 0.7, (1, layout.n_parameters))
    constraints = make_constraints(table, layout, np.zeros((1, len(layout.given_rows))))
    assert constraints is not None
    curve = constraints.curvature(theta, np.arange(1), np.array([[1.0, 1.0]]))[0]
    names = {table.label[row]: int(table.unique[k]) for k, row in enumerate(table.free_rows) if table.label[row]}
    assert curve[names["b"], names["c"]] == pytest.approx(-1.0, abs=1e-6)
    np.testing.assert_allclose(curve, curve.T, atol=1e-12)


def test_depth_of_slopes_gives_the_exact_inverse() -> None:
    layout, theta, _, given = problem(False, False, False)
    block = layout.blocks[0]
    assert block.depth == 2
    assert problem(False, False, True)[0].blocks[0].depth == -1
    implied = imply(block, theta, given)
    inverse = np.linalg.inv(np.eye(M) - implied.matrices.beta)
    np.testing.assert_allclose(implied.a, inverse, atol=1e-14)
    assert lay.structural_observed(build_table(parse("y ~ x\nz ~~ y")), 1) == ("y", "x", "z")
