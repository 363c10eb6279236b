"""Inverses of many matrices: against LAPACK, exact cases, and what is not positive definite."""

from __future__ import annotations

import numpy as np
import pytest

from semkit.numerics.inverse import definite_inverses, inverses, triangular_inverse


def made(count: int, p: int, seed: int = 1) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(count, p, p + 3))
    return root @ root.swapaxes(1, 2)


@pytest.mark.parametrize("p", [1, 2, 3, 7, 15, 24])
@pytest.mark.parametrize("count", [2, 40])
def test_they_are_inverses(p: int, count: int) -> None:
    matrices = made(count, p)
    found, root = definite_inverses(matrices)
    np.testing.assert_allclose(found @ matrices, np.broadcast_to(np.eye(p), matrices.shape), atol=1e-8)
    np.testing.assert_allclose(found, np.linalg.inv(matrices), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(root @ root.swapaxes(1, 2), matrices, rtol=1e-10)


def test_ill_conditioned_matrices_are_inverted_as_well_as_by_lapack() -> None:
    """Hilbert matrices of order 8 have a condition number of 1e10 and an inverse of whole numbers."""
    k = np.arange(8)
    hilbert = 1.0 / (k[:, None] + k + 1.0)
    scale = np.random.default_rng(2).uniform(0.5, 2.0, size=(20, 8))
    matrices = hilbert * scale[:, :, None] * scale[:, None, :]
    exact = np.round(np.linalg.inv(hilbert)) / (scale[:, :, None] * scale[:, None, :])
    ours, theirs = (np.abs(found / exact - 1.0).max() for found in (inverses(matrices), np.linalg.inv(matrices)))
    assert ours < 1e-5 and ours < 10.0 * theirs


def test_a_triangular_inverse_is_exact_where_the_numbers_are_whole() -> None:
    """All ones below the diagonal: ones on it and minus one beside it in the inverse."""
    root = np.broadcast_to(np.tril(np.ones((9, 9))), (30, 9, 9))
    np.testing.assert_array_equal(triangular_inverse(root)[7], np.eye(9) - np.eye(9, k=-1))


@pytest.mark.parametrize("count", [3, 30])
def test_what_is_not_definite_is_inverted_and_what_is_singular_is_nan(count: int) -> None:
    matrices = made(count, 4)
    matrices[1] -= 5.0 * np.eye(4)
    matrices[2] = 1.0
    found = inverses(matrices)
    others = np.delete(np.arange(count), 2)
    np.testing.assert_allclose(found[others] @ matrices[others], np.broadcast_to(np.eye(4), (count - 1, 4, 4)),
                               atol=1e-8)
    assert np.isnan(found[2]).all()
