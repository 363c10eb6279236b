"""Many nearby equations: solved to rounding, in fewer steps when each is measured in its own units."""

from __future__ import annotations

import numpy as np
import pytest

from semkit.numerics.chord import solve_chord

N, B = 6, 50


def problem(spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A common matrix, units of ``B`` equations around it, and their solutions."""
    r = np.random.default_rng(3)
    root = r.normal(size=(N, 2 * N))
    return root @ root.T / N + np.eye(N), np.exp(spread * r.normal(size=(B, N))), 0.1 * r.normal(size=(B, N))


@pytest.mark.parametrize("own", [False, True])
def test_solutions_are_found(own: bool) -> None:
    common, units, solution = problem(0.1)

    def residual(z: np.ndarray, rows: np.ndarray) -> np.ndarray:
        gap = units[rows] * (z - solution[rows])
        return units[rows] * (gap @ common + 0.1 * gap**3)

    inverse = np.linalg.inv(common)
    inverse = np.broadcast_to(inverse, (B, N, N)) if own else inverse
    found = solve_chord(residual, np.zeros((B, N)), inverse, common, tolerance=1e-20)
    assert found.converged.all()
    np.testing.assert_allclose(found.z, solution, atol=1e-9)


def test_units_of_their_own_save_steps() -> None:
    common, units, solution = problem(0.3)

    def residual(z: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return units[rows] * ((units[rows] * (z - solution[rows])) @ common)

    def scaled(z: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return residual(z, rows), 1.0 / units[rows]

    start, inverse = np.zeros((B, N)), np.linalg.inv(common)
    plain = solve_chord(residual, start, inverse, common, max_iterations=60)
    own = solve_chord(residual, start, inverse, common, scaled=scaled, max_iterations=60)
    assert own.converged.all()
    assert own.calls <= 4 < plain.calls  # exact after the first scaled step
    np.testing.assert_allclose(own.z, solution, atol=1e-9)


def test_an_equation_without_a_value_leaves_and_the_others_stay() -> None:
    def residual(z: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.where(rows[:, None] == 2, np.nan, z - 1.0)

    found = solve_chord(residual, np.zeros((4, 3)), np.eye(3), np.eye(3))
    np.testing.assert_array_equal(found.converged, [True, True, False, True])
    np.testing.assert_array_equal(found.z[2], 0.0)
