"""Errors under constraints: against the same model with the constraint built in, derived from its likelihood.

A constraint that can be solved for some parameters makes them functions of the others, ``theta(phi)``.  The model in
``phi`` has no constraint: scores by complex steps, the Hessian by differences of scores, and the delta method give
every kind of error without anything of semkit's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

import semkit as sk

Array = NDArray[np.generic]
P = 6
MODEL = "f =~ x1 + a*x2 + b*x3\ng =~ x4 + c*x5 + d*x6\ng ~ e*f\n"
# theta: a b c d e, variance of f and residual variance of g, residual variances of x1 to x6 (and means)
CONSTRAINTS: dict[str, tuple[str, int, Callable[[Array], Array]]] = {
    "a multiple": ("b == 1.2*a", 12, lambda f: np.concatenate([f[:1], 1.2 * f[:1], f[1:]])),
    "a sum": ("a + b == 1.7", 12, lambda f: np.concatenate([f[:1], 1.7 - f[:1], f[1:]])),
    "two of them": ("a + b == 1.7\nc == 2*e",
                    11, lambda f: np.concatenate([f[:1], 1.7 - f[:1], 2 * f[2:3], f[1:2], f[2:]])),
    "a square": ("e == a^2", 12, lambda f: np.concatenate([f[:4], f[:1] ** 2, f[4:]])),
    "a product": ("a*e == c", 12, lambda f: np.concatenate([f[:2], f[:1] * f[3:4], f[2:]])),
    "a ratio": ("exp(a) / d == b + c",
                12, lambda f: np.concatenate([f[:1], np.exp(f[:1]) / f[2:3] - f[1:2], f[1:]])),
    "a binding bound": ("a > 1.1", 12, lambda f: np.concatenate([np.full(1, 1.1), f])),
    "a bound that does not bind": ("a > 0.1", 13, lambda f: f),
}


@cache
def frame() -> pd.DataFrame:
    """Skewed answers of 300 respondents: no two kinds of error agree by chance."""
    rng = np.random.default_rng(20261121)
    f = rng.chisquare(4, 300) / np.sqrt(8)
    g = 0.6 * f + rng.normal(size=300) * 0.8
    loads = ((f, 1.0), (f, 0.8), (f, 0.9), (g, 1.0), (g, 1.1), (g, 0.7))
    return pd.DataFrame({f"x{k + 1}": w * v + 0.6 * rng.standard_t(6, 300) for k, (v, w) in enumerate(loads)})


def covariance(theta: Array) -> Array:
    load = np.zeros((P, 2), dtype=theta.dtype)
    load[0, 0] = load[3, 1] = 1.0
    load[1, 0], load[2, 0], load[4, 1], load[5, 1] = theta[:4]
    e, v, w = theta[4:7]
    latent = np.array([[v, e * v], [e * v, e * e * v + w]])
    return load @ latent @ load.T + np.diag(theta[7 : 7 + P])


def casewise(theta: Array, z: Array) -> Array:
    sigma = covariance(theta)
    return -0.5 * (np.log(np.linalg.det(sigma)) + np.sum(z @ np.linalg.inv(sigma) * z, axis=1))


def slopes(function: Callable[[Array], Array], at: Array) -> Array:
    """Derivatives by complex steps, parameters last."""
    step = 1e-30
    moves = np.eye(len(at)) * 1j * step
    return np.stack([function(at + move).imag / step for move in moves], axis=-1)


@cache
def independent(constraint: str) -> dict[str, Array]:
    """Estimates, and their covariance matrix of each kind."""
    _, count, build = CONSTRAINTS[constraint]
    z = frame().to_numpy()
    z = z - z.mean(axis=0)
    n = len(z)

    def score(phi: Array) -> Array:
        return slopes(lambda f: casewise(build(f), z), phi)

    start = np.concatenate([np.full(count - 8, 0.8), np.full(8, 0.7)])
    found = minimize(lambda f: -float(np.sum(casewise(build(f), z))) if covariance_ok(build(f)) else 1e10, start,
                     jac=lambda f: -score(f).sum(axis=0), method="BFGS", options={"gtol": 1e-5})
    phi = found.x
    step = 1e-5

    def curvature(at: Array) -> Array:
        parts = [(score(at + m).sum(axis=0) - score(at - m).sum(axis=0)) / (2 * step) for m in np.eye(count) * step]
        return -np.array(parts)

    for _ in range(4):
        phi = phi + np.linalg.solve(curvature(phi), score(phi).sum(axis=0))
    hessian, s = curvature(phi), score(phi)
    rows, cols = np.tril_indices(P)
    delta = slopes(lambda f: covariance(build(f))[rows, cols], phi)
    w = np.linalg.inv(covariance(build(phi)))
    double = np.where(rows == cols, 0.5, 1.0)
    weight = (w[np.ix_(rows, rows)] * w[np.ix_(cols, cols)] + w[np.ix_(rows, cols)] * w[np.ix_(cols, rows)])
    weight = weight * double[:, None] * double
    expected = np.linalg.inv(delta.T @ weight @ delta)
    products = z[:, rows] * z[:, cols]
    gamma = np.cov(products, rowvar=False, bias=True)
    pull = weight @ delta @ expected
    inside = {
        "expected": expected / n, "observed": np.linalg.inv(hessian), "mlf": np.linalg.inv(s.T @ s),
        "mlr": np.linalg.inv(hessian) @ (s.T @ s) @ np.linalg.inv(hessian), "mlm": pull.T @ gamma @ pull / n,
    }
    turn = slopes(build, phi)
    return {"estimates": build(phi), **{kind: turn @ part @ turn.T for kind, part in inside.items()}}


def covariance_ok(theta: Array) -> bool:
    return bool(np.all(np.linalg.eigvalsh(covariance(theta)) > 0))


ROWS = [("f", "=~", "x2"), ("f", "=~", "x3"), ("g", "=~", "x5"), ("g", "=~", "x6"), ("g", "~", "f"), ("f", "~~", "f"),
        ("g", "~~", "g"), *((f"x{k}", "~~", f"x{k}") for k in range(1, 7))]
KINDS = {"expected": {"estimator": "ml"}, "observed": {"estimator": "ml", "information": "observed"},
         "mlf": {"estimator": "mlf"}, "mlr": {"estimator": "mlr"}, "mlm": {"estimator": "mlm"}}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_errors_are_those_of_the_model_with_the_constraint_built_in(constraint: str, kind: str) -> None:
    text, _, _ = CONSTRAINTS[constraint]
    fit = sk.sem(MODEL + text, frame(), **KINDS[kind])
    wanted = independent(constraint)
    table = fit.estimates.set_index(["lhs", "op", "rhs"])
    np.testing.assert_allclose([table.loc[row, "est"] for row in ROWS], wanted["estimates"], rtol=0, atol=1e-7)
    names = list(fit.names)
    at = [names.index(name) for name in ("a", "b", "c", "d", "e", *(" ".join(row) for row in ROWS[5:]))]
    found = np.asarray(fit.vcov)[np.ix_(at, at)]
    np.testing.assert_allclose(found, wanted[kind], rtol=0, atol=1e-6 * float(np.max(np.abs(wanted[kind]))))
