"""Bivariate normal probabilities against an independent integral and exact identities."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import integrate
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from semkit.numerics.binormal import density, distribution

LIMITS = (-np.inf, -6.0, -2.3, -0.4, 0.0, 1e-9, 0.7, 1.9, 5.5, np.inf)
CORRELATIONS = (-0.9999, -0.95, -0.6, -0.1, 0.0, 0.3, 0.75, 0.93, 0.999999)


def test_grid_against_an_integral_over_the_first_variable() -> None:
    """``P = integral_-inf^h phi(x) Phi((k - rho x) / s) dx`` by adaptive quadrature, to 1e-12."""
    worst = 0.0
    for rho in CORRELATIONS:
        s = np.sqrt(1.0 - rho * rho)
        for h in (-2.3, -0.4, 0.0, 0.7, 1.9):
            for k in (-1.1, 0.0, 0.7, 2.4):
                def inner(x: float, k: float = k, rho: float = rho, s: float = s) -> float:
                    return float(np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi) * ndtr((k - rho * x) / s))

                turn = k / rho if rho else 0.0
                points = sorted({p for p in (turn - 8 * s, turn, turn + 8 * s) if -9.0 < p < h})
                edges = [-9.0, *points, h]
                exact = sum(integrate.quad(inner, a, b, epsabs=1e-15, epsrel=1e-13, limit=200)[0]
                            for a, b in itertools.pairwise(edges))
                worst = max(worst, abs(float(distribution(h, k, rho)) - exact))
    assert worst < 1e-12


def test_against_scipy() -> None:
    rng = np.random.default_rng(1)
    for rho in (-0.8, 0.2, 0.9):
        points = rng.normal(size=(50, 2))
        peer = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf(points)
        np.testing.assert_allclose(distribution(points[:, 0], points[:, 1], rho), peer, atol=1e-12)


def test_identities_of_quadrants_reflection_and_margins() -> None:
    rho = np.array(CORRELATIONS)
    np.testing.assert_allclose(distribution(0.0, 0.0, rho), 0.25 + np.arcsin(rho) / (2 * np.pi), atol=1e-15)
    h, k = (grid[..., None] for grid in np.meshgrid(LIMITS, LIMITS))
    value = distribution(h, k, rho)
    np.testing.assert_allclose(value + distribution(h, -k, -rho), np.broadcast_to(ndtr(h), value.shape), atol=1e-14)
    np.testing.assert_allclose(value, distribution(k, h, rho), atol=1e-15)
    np.testing.assert_allclose(distribution(h, np.inf, rho), np.broadcast_to(ndtr(h), value.shape), atol=1e-15)
    assert np.all(distribution(h, -np.inf, rho) < 1e-15)
    np.testing.assert_array_equal(distribution(0.3, 1.0, 1.0), ndtr(0.3))
    np.testing.assert_array_equal(distribution(0.3, -1.0, -1.0), max(ndtr(0.3) + ndtr(-1.0) - 1.0, 0.0))


def test_density_is_the_derivative_by_the_correlation() -> None:
    h, k, rho, step = 0.4, -1.2, 0.55, 1e-5
    slope = (distribution(h, k, rho + step) - distribution(h, k, rho - step)) / (2 * step)
    np.testing.assert_allclose(density(h, k, rho), slope, rtol=1e-8)
    assert density(np.inf, 0.0, 0.3) == 0.0
