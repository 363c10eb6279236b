"""The rules for residuals of products against the moments of 500,000 simulated respondents."""

from __future__ import annotations

import numpy as np
import pytest

from semkit.interaction import expand
from semkit.model import build_table, parse

N = 500_000
LOADINGS = {"x1": 1.0, "x2": 0.8, "x3": 0.6}
THETA = {"x": 0.4, "w": 0.5, "v": 0.3}


@pytest.fixture(scope="module")
def population() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    latent = rng.multivariate_normal([0, 0, 0], [[1.2, 0.4, 0.3], [0.4, 0.9, 0.2], [0.3, 0.2, 1.1]], N)
    out = {"X": latent[:, 0], "W": latent[:, 1], "V": latent[:, 2]}
    for name, loading in LOADINGS.items():
        out[name] = loading * out["X"] + np.sqrt(THETA["x"]) * rng.standard_normal(N)
    out["w"] = out["W"] + np.sqrt(THETA["w"]) * rng.standard_normal(N)
    out["v"] = out["V"] + np.sqrt(THETA["v"]) * rng.standard_normal(N)
    return out


def residual(population: dict[str, np.ndarray], product: str) -> np.ndarray:
    """What is left of a product column after loading times the product of the constructs."""
    owner = {"w": "W", "v": "V", "x1": "X", "x2": "X", "x3": "X"}
    left, right = product.split(":")
    column = population[left] * population[right]
    loading = LOADINGS.get(left, 1.0) * LOADINGS.get(right, 1.0)
    return column - loading * population[owner[left]] * population[owner[right]]


def predicted(text: str, label: str) -> float:
    """The constrained value at the population's parameters."""
    table = build_table(expand(parse(text)).spec)
    row = next(i for i in range(len(table)) if table.op[i] == "==" and table.lhs[i] == label)
    expression = table.equalities[[i for i in range(len(table)) if table.op[i] == "=="].index(row)]
    values = {f".load.X.{name}": loading for name, loading in LOADINGS.items()}
    values |= {".load.W.w": 1.0, ".load.V.v": 1.0, ".error.w": THETA["w"], ".error.v": THETA["v"], ".cov.X.V": 0.3}
    values |= {".cov.W.V": 0.2, label: 0.0}
    sd = {"X": 1.2**0.5, "W": 0.9**0.5, "V": 1.1**0.5}
    return -float(expression.evaluate(values, sd))


MODEL = "X =~ x1 + x2 + x3\nW =~ 1*w\nw ~~ 0.5*w\nV =~ 1*v\nv ~~ 0.3*v\n"


@pytest.mark.parametrize(
    ("text", "label", "products"),
    [
        ("X ~~ W\ny ~ X + W + X:W", ".rescov.x1.w.x2.w", ("x1:w", "x2:w")),
        ("X ~~ W\ny ~ X + W + X:W", ".rescov.x2.w.x3.w", ("x2:w", "x3:w")),
        ("y ~ V + W + V:W", ".error.v.w", ("v:w", "v:w")),
        ("y ~ W + W:W", ".error.w.w", ("w:w", "w:w")),
        ("y ~ X:W + V:W", ".rescov.x2.w.v.w", ("x2:w", "v:w")),
    ],
)
def test_rule(population: dict[str, np.ndarray], text: str, label: str, products: tuple[str, str]) -> None:
    one, two = (residual(population, product) for product in products)
    found = np.mean((one - one.mean()) * (two - two.mean()))
    spread = np.std((one - one.mean()) * (two - two.mean())) / np.sqrt(N)
    expected = predicted(MODEL + text, label)
    assert abs(found - expected) < 4 * spread
    assert expected > 20 * spread  # the test could tell it from zero
