"""Compiled sums of products against the trees they come from."""

from __future__ import annotations

import numpy as np
import pytest

from semkit.model import parse_expression
from semkit.model.monomials import compile_monomials

TEXTS = ["a*b - c", "l - a*b*sd(x)^2*c", "(a + b)*(a - 2*c)", "a/b + 3*a^2/(b*c)", "-(a - b)^2", "0.5 - a", "a - a",
         "4*a^2*sd(x)^2*b + 2*b^2", "(2*a)^-2"]  # fmt: skip


def test_values_and_slopes() -> None:
    expressions = [parse_expression(text) for text in TEXTS]
    compiled = compile_monomials(expressions)
    assert compiled is not None
    rng = np.random.default_rng(2)
    values = rng.uniform(-2.0, 2.0, (6, len(compiled.atoms)))
    values[0, 0] = 0.0
    found, slopes = compiled.evaluate(values)
    assert found.shape == (6, len(TEXTS)) and slopes.shape == (6, len(TEXTS), len(compiled.atoms))
    names = {str(atom): values[:, k] for k, atom in enumerate(compiled.atoms)}
    labels = {name: value for name, value in names.items() if "(" not in name}
    for k, expression in enumerate(expressions):
        value, partials = expression.linearise(labels, {"x": names["sd(x)"]})
        np.testing.assert_allclose(found[:, k], value, rtol=1e-13, atol=1e-13)
        for n, atom in enumerate(compiled.atoms):
            expected = partials.get(atom, np.zeros(6))
            np.testing.assert_allclose(slopes[1:, k, n], expected[1:], rtol=1e-12, atol=1e-12)


def test_a_slope_at_zero_is_not_lost() -> None:
    compiled = compile_monomials([parse_expression("a*b*c")])
    assert compiled is not None
    _, slopes = compiled.evaluate(np.array([[0.0, 2.0, 3.0]]))
    assert slopes.tolist() == [[[6.0, 0.0, 0.0]]]


@pytest.mark.parametrize("text", ["exp(a)", "a^b", "a/(b + c)", "a^0.5", "min(a, b)", "(a + b)^-1", "(a+b)^7", "1/0"])
def test_everything_else_stays_a_tree(text: str) -> None:
    assert compile_monomials([parse_expression(text)]) is None
