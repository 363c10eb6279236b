"""Newton's method for many problems, with constraints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from semkit.numerics.chord import solve_chord
from semkit.numerics.newton import minimise, positive_definite

FloatArray = NDArray[np.float64]


def rosenbrock(x: FloatArray, rows: NDArray[np.int64], exact: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A different minimum for each problem: (a, a^2) with a = 1 + row."""
    a = 1.0 + rows
    u, v = x[:, 0], x[:, 1]
    f = (a - u) ** 2 + 10.0 * (v - u**2) ** 2
    g = np.stack([-2 * (a - u) - 40 * u * (v - u**2), 20 * (v - u**2)], axis=1)
    h = np.empty((len(x), 2, 2))
    h[:, 0, 0] = 2 - 40 * (v - u**2) + 80 * u**2
    h[:, 0, 1] = h[:, 1, 0] = -40 * u
    h[:, 1, 1] = 20.0
    return f, g, h


@dataclass
class Line:
    """x + y = total (equality), x >= bound."""

    total: float
    bound: float

    @property
    def equality(self) -> NDArray[np.bool_]:
        return np.array([True, False])

    def evaluate(self, x: FloatArray, rows: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        value = np.stack([x[:, 0] + x[:, 1] - self.total, x[:, 0] - self.bound], axis=1)
        return value, np.broadcast_to(np.array([[1.0, 1.0], [1.0, 0.0]]), (len(x), 2, 2))

    def curvature(self, x: FloatArray, rows: NDArray[np.int64], weight: FloatArray) -> FloatArray:
        return np.zeros((len(x), 2, 2))

    def settle(self, x: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        return x


@dataclass
class Circle:
    """x^2 + y^2 = 2."""

    @property
    def equality(self) -> NDArray[np.bool_]:
        return np.array([True])

    def evaluate(self, x: FloatArray, rows: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        return (x**2).sum(axis=1, keepdims=True) - 2.0, 2.0 * x[:, None, :]

    def curvature(self, x: FloatArray, rows: NDArray[np.int64], weight: FloatArray) -> FloatArray:
        return weight[:, 0, None, None] * 2.0 * np.eye(2)

    def settle(self, x: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        return x


@dataclass
class SettledCircle(Circle):
    """The same, and every point is moved to the circle."""

    def settle(self, x: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        return np.asarray(x * np.sqrt(2.0 / (x**2).sum(axis=1, keepdims=True)))


def test_many_problems_find_their_own_minimum() -> None:
    found = minimise(rosenbrock, np.full((4, 2), -1.0), scoring_steps=0)
    a = 1.0 + np.arange(4)
    np.testing.assert_allclose(found.x, np.stack([a, a**2], axis=1), rtol=1e-8)
    assert found.converged.all()


def test_a_batch_is_the_same_as_one_at_a_time() -> None:
    together = minimise(rosenbrock, np.array([[3.0, -2.0]] * 3), scoring_steps=0)
    alone = minimise(rosenbrock, np.array([[3.0, -2.0]]), scoring_steps=0)
    np.testing.assert_allclose(together.x[0], alone.x[0], rtol=1e-9)  # their last steps are judged differently


def quadratic(x: FloatArray, rows: NDArray[np.int64], exact: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(x - 3)^2 + 2 (y - 1)^2."""
    d = x - np.array([3.0, 1.0])
    h = np.broadcast_to(np.diag([2.0, 4.0]), (len(x), 2, 2))
    return d[:, 0] ** 2 + 2 * d[:, 1] ** 2, d * np.array([2.0, 4.0]), h


def test_equality_and_an_inequality_that_does_not_bind() -> None:
    """Lagrange: x - 3 = 2 (y - 1), x + y = 2  =>  x = 5/3, y = 1/3."""
    found = minimise(quadratic, np.array([[0.0, 0.0]]), constraints=Line(2.0, 0.0))
    np.testing.assert_allclose(found.x[0], [5 / 3, 1 / 3], atol=1e-9)
    assert found.active[0].tolist() == [True, False]
    assert found.multiplier[0, 0] == pytest.approx(-2 * (5 / 3 - 3), abs=1e-8)


def test_an_inequality_that_binds_has_a_negative_multiplier() -> None:
    found = minimise(quadratic, np.array([[0.0, 0.0]]), constraints=Line(2.0, 2.5))
    np.testing.assert_allclose(found.x[0], [2.5, -0.5], atol=1e-9)
    assert found.active[0].all()
    assert found.multiplier[0, 1] < 0


def test_nonlinear_equality_reaches_the_nearest_point_of_a_circle() -> None:
    """Stationarity of the Lagrangian at the end, and the constraint to rounding error."""
    found = minimise(quadratic, np.array([[1.0, 0.2]]), constraints=Circle())
    assert found.converged[0]
    assert (found.x[0] ** 2).sum() == pytest.approx(2.0, abs=1e-10)
    stationary = found.gradient[0] + found.multiplier[0, 0] * 2.0 * found.x[0]
    np.testing.assert_allclose(stationary, 0.0, atol=1e-7)
    settled = minimise(quadratic, np.array([[1.0, 0.2]]), constraints=SettledCircle())
    np.testing.assert_allclose(settled.x, found.x, atol=1e-8)
    assert settled.iterations <= found.iterations


def test_undefined_values_shorten_the_step() -> None:
    def barrier(x: FloatArray, rows: NDArray[np.int64], exact: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        with np.errstate(invalid="ignore", divide="ignore"):
            f = x[:, 0] - np.log(x[:, 0])
        return f, 1.0 - 1.0 / x, (1.0 / x**2)[:, :, None]

    found = minimise(barrier, np.array([[2.5], [0.1]]), scoring_steps=0)  # a full step from 2.5 goes below zero
    np.testing.assert_allclose(found.x[:, 0], 1.0, atol=1e-8)


def test_indefinite_curvature_is_mended() -> None:
    matrices = np.array([[[1.0, 0.0], [0.0, -2.0]], [[2.0, 0.5], [0.5, 1.0]]])
    mended = positive_definite(matrices)
    assert np.linalg.eigvalsh(mended).min() > 0
    np.testing.assert_array_equal(mended[1], matrices[1])


def test_chord_with_extrapolation_beats_the_plain_chord() -> None:
    """Equations near a known one; the answer is checked directly and iterations are counted."""
    generator = np.random.default_rng(1)
    base = np.diag(np.linspace(1.0, 3.0, 8))
    matrices = base + 0.15 * generator.normal(size=(20, 8, 8))
    target = generator.normal(size=(20, 8))

    def residual(z: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        return np.asarray((matrices[rows] @ (z - target[rows])[:, :, None])[..., 0])

    start, inverse, metric = np.zeros((20, 8)), np.linalg.inv(base), np.eye(8)
    fast = solve_chord(residual, start, inverse, metric, tolerance=1e-20, max_iterations=60, depth=8)
    slow = solve_chord(residual, start, inverse, metric, tolerance=1e-20, max_iterations=60, depth=1)
    assert fast.converged.all()
    np.testing.assert_allclose(fast.z, target, atol=1e-9)
    assert fast.calls < slow.calls


def test_a_function_without_curvature_ends_instead_of_failing() -> None:
    """A constant has a zero Hessian: no step, no error."""
    from semkit.numerics.newton import _free_step

    step = _free_step(np.zeros((2, 3)), np.zeros((2, 3, 3)))
    assert np.array_equal(step, np.zeros((2, 3)))
