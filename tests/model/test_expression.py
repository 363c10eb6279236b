"""The safe grammar: values, precedence, exact derivatives, batches, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semkit.errors import ModelSyntaxError, SemkitError
from semkit.model import Expression, parse_expression

VALUES = {"a": 2.0, "b": 3.0, "c": -0.5}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-a^2", -4.0), ("(-a)^2", 4.0), ("a^b^2", 512.0), ("2^-a", 0.25), ("a - b - c", -0.5), ("a - (b - c)", -1.5),
        ("a/b/a", 1 / 3), ("a/(b*a)", 1 / 3), ("-a*b", -6.0), ("a*-b", -6.0), ("1e2 + .5", 100.5), ("+a", 2.0),
        ("abs(c)", 0.5), ("exp(c)", math.exp(-0.5)), ("log(a)", math.log(2)), ("sqrt(a + a)", 2.0),
        ("min(a, b, c)", -0.5), ("max(a, b, c)", 3.0), ("a**2", 4.0), ("sd(x)*a", 3.0), ("std(a) + sd(x:z)", 0.9),
    ],
)  # fmt: skip
def test_values(text: str, value: float) -> None:
    expression = parse_expression(text)
    found = expression.evaluate(VALUES, {"x": 1.5, "x:z": 0.5}, {"a": 0.4})
    assert float(found) == pytest.approx(value, rel=1e-14)
    assert parse_expression(str(expression)) == expression


def test_atoms() -> None:
    expression = parse_expression("b*a + sd(x)^2 + std(a)*b")
    assert (expression.names, expression.sd_names, expression.std_names) == (("b", "a"), ("x",), ("a",))
    assert parse_expression("2*a - b/4 + 1").linear and not parse_expression("a*b").linear
    assert not parse_expression("a/b").linear and not parse_expression("abs(a)").linear


@pytest.mark.parametrize(
    "text", ["a*b + c^2", "a/b - a^b", "exp(a*c)/sqrt(b)", "log(a + b)*abs(c)", "min(a*c, b) + max(a, b^2)",
             "-(a - b)^3", "sd(x)^2*std(a)*b", "a*(b + c)*(a - c)"],
)  # fmt: skip
def test_derivatives_are_exact_in_a_batch(text: str) -> None:
    expression = parse_expression(text)
    rng = np.random.default_rng(4)
    values = {name: rng.uniform(0.5, 2.0, 7) for name in "abc"}
    sd, std = {"x": rng.uniform(0.5, 2.0, 7)}, {"a": rng.uniform(0.2, 0.9, 7)}
    gradient = expression.gradient(values, sd, std)
    assert set(gradient) == set(expression.atoms)
    for atom, slope in gradient.items():
        source = {"label": values, "sd": sd, "std": std}[atom.kind]
        step = 1e-6
        shifted = []
        for sign in (1, -1):
            moved = {**source, atom.name: source[atom.name] + sign * step}
            parts = {"label": values, "sd": sd, "std": std, atom.kind: moved}
            shifted.append(expression.evaluate(parts["label"], parts["sd"], parts["std"]))
        assert slope.shape == (7,)
        np.testing.assert_allclose(slope, (shifted[0] - shifted[1]) / (2 * step), rtol=1e-6, atol=1e-7)


def test_undefined_values_are_not_numbers_and_do_not_warn() -> None:
    with np.errstate(all="raise"):
        assert np.isnan(parse_expression("log(c)").evaluate(VALUES))
        assert np.isinf(parse_expression("1/(a - a)").evaluate(VALUES))


def test_substitution_standardises_inside_std() -> None:
    total = parse_expression("std(t)*2").substitute({"t": parse_expression("a*b + sd(x)")})
    assert total == parse_expression("(std(a)*std(b) + 1)*2")


@pytest.mark.parametrize(
    ("text", "place"),
    [("a +", 4), ("a b", 3), ("(a", 3), ("a)", 2), ("", 1), ("sin(a)", 1), ("__import__('os')", 12), ("a.b(c)", 1),
     ("sd(a+b)", 5), ("min(a)", 1), ("log(a, b)", 1), ("a[0]", 2), ("lambda: 1", 7), ("1e999", 1), ("a;b", 2)],
)  # fmt: skip
def test_everything_else_is_refused_with_its_place(text: str, place: int) -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        parse_expression(text, "claim")
    assert caught.value.code == "model.expression"
    assert f"claim, character {place}:" in str(caught.value)
    lines = caught.value.problems[0].what.split("\n")
    assert lines[2].index("^") - 4 == place - 1


@pytest.mark.parametrize(
    "text", ["(" * 10_000, "-" * 10_000 + "a", "a" + "^a" * 5_000, "a" + "+a" * 4_000, "a" * 20_000]
)
def test_deep_or_long_text_is_an_error_not_a_crash(text: str) -> None:
    with pytest.raises(ModelSyntaxError):
        parse_expression(text)


def _trees() -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["a", "b", "c1", "x.y", "2", "0.25", "1e-3", "sd(v)", "sd(u:v)", "std(a)"])
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*/^"), inner).map(lambda t: f"({t[0]}){t[1]}({t[2]})"),
            inner.map(lambda t: f"-({t})"),
            st.tuples(st.sampled_from(["abs", "exp", "log", "sqrt"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
            st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
        ),
        max_leaves=12,
    )


@settings(max_examples=150, deadline=None)
@given(_trees())
def test_printing_reads_back(text: str) -> None:
    expression = parse_expression(text)
    assert parse_expression(str(expression)) == expression


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(alphabet="ab1.+-*/^(), sdlogmin:e", max_size=60)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_expression(text)
    except SemkitError:
        return
    assert isinstance(found, Expression)
    ones = [dict.fromkeys(names, 1.0) for names in (found.names, found.sd_names, found.std_names)]
    found.evaluate(*ones)
