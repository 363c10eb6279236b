"""Inverses of many matrices: against LAPACK, exact cases, and what is not positive definite."""

from __future__ import annotations

import numpy as np
import pytest

from semkit.numerics.inverse import definite_inverses, inverses, positive_definite, whitening


def made(count: int, p: int, seed: int = 1) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(count, p, p + 3))
    return root @ root.swapaxes(1, 2)


@pytest.mark.parametrize("p", [1, 2, 3, 7, 15, 24])
@pytest.mark.parametrize("count", [2, 40])
def test_they_are_inverses(p: int, count: int) -> None:
    matrices = made(count, p)
    found, logdet = definite_inverses(matrices)
    np.testing.assert_allclose(found @ matrices, np.broadcast_to(np.eye(p), matrices.shape), atol=1e-8)
    np.testing.assert_allclose(found, np.linalg.inv(matrices), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(logdet, np.linalg.slogdet(matrices)[1], rtol=1e-10)


def test_ill_conditioned_matrices_are_inverted_as_well_as_by_lapack() -> None:
    """Hilbert matrices of order 8 have a condition number of 1e10 and an inverse of whole numbers."""
    k = np.arange(8)
    hilbert = 1.0 / (k[:, None] + k + 1.0)
    scale = np.random.default_rng(2).uniform(0.5, 2.0, size=(80, 8))
    matrices = hilbert * scale[:, :, None] * scale[:, None, :]
    exact = np.round(np.linalg.inv(hilbert)) / (scale[:, :, None] * scale[:, None, :])
    ours, theirs = (np.abs(found / exact - 1.0).max() for found in (inverses(matrices), np.linalg.inv(matrices)))
    assert ours < 1e-5 and ours < 10.0 * theirs


@pytest.mark.parametrize("correlation", [0.9, 0.99, 0.9999, 0.999999])
def test_equal_correlations_have_an_exact_inverse(correlation: float) -> None:
    """``(1 - r) I + r J`` has the inverse ``(I - r J / (1 + (p - 1) r)) / (1 - r)``, correlations near 1 included."""
    p = 16
    matrix = np.full((p, p), correlation) + (1.0 - correlation) * np.eye(p)
    exact = (np.eye(p) - correlation / (1.0 + (p - 1) * correlation)) / (1.0 - correlation)
    found = inverses(np.broadcast_to(matrix, (60, p, p)))
    condition = (1.0 + (p - 1) * correlation) / (1.0 - correlation)
    assert np.abs(found - exact).max() * (1.0 - correlation) < 1e-16 * condition * p


def test_a_root_of_whole_numbers_is_found() -> None:
    """All ones on and below the diagonal: ones on it and minus one beside it in the inverse."""
    root = np.tril(np.ones((9, 9)))
    found = whitening(np.broadcast_to(root @ root.T, (80, 9, 9)))
    np.testing.assert_allclose(found[7], np.eye(9) - np.eye(9, k=-1), atol=1e-12)


@pytest.mark.parametrize("count", [3, 200])
def test_what_is_not_definite_is_inverted_and_what_is_singular_is_nan(count: int) -> None:
    matrices = made(count, 4)
    matrices[1] -= 5.0 * np.eye(4)
    matrices[2] = 1.0
    found = inverses(matrices)
    others = np.delete(np.arange(count), 2)
    np.testing.assert_allclose(found[others] @ matrices[others], np.broadcast_to(np.eye(4), (count - 1, 4, 4)),
                               atol=1e-8)
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize("p", [1, 2, 3, 8])
def test_who_is_positive_definite(p: int) -> None:
    """Where a negative, a zero or no number stands in a diagonal matrix, whatever its place."""
    matrices = np.broadcast_to(np.eye(p), (3 * p + 1, p, p)).copy()
    for k in range(p):
        for j, value in enumerate((-1.0, 0.0, np.nan)):
            matrices[3 * k + j, k, k] = value
    np.testing.assert_array_equal(positive_definite(matrices), [False] * (3 * p) + [True])
    inverse, logdet = definite_inverses(matrices)
    assert np.isnan(logdet[:-1]).all() and logdet[-1] == 0.0
    assert np.isnan(inverse[:-1]).any(axis=(1, 2)).all()
