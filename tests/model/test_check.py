"""The model check: every problem, all at once, with place and remedy."""

from __future__ import annotations

import pytest

from semkit.errors import ModelError
from semkit.model import build_table, check, parse
from semkit.model.check import find_cycle

COLUMNS = ("x1", "x2", "x3", "z1", "z2", "y1", "y2", "age")


def codes(text: str, columns: tuple[str, ...] | None = COLUMNS) -> list[str]:
    try:
        check(parse(text), columns)
    except ModelError as error:
        return [problem.code.removeprefix("model.") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f =~ x1 + x2 + x3\ny1 ~ f + age", []),
        ("f =~ x1 + x2 + x4", ["unknown-variable"]),
        ("x1 =~ x2 + x3", ["latent-is-column"]),
        ("f =~ x1 + x2\ny1 ~ f\nf =~ x3", ["construct-defined-twice"]),
        ("f =~ x1 + x2\nf =~ start(1)*x2", []),
        ("f =~ x1 + x1", ["duplicate-entry"]),
        ("y1 ~ age\ny1 ~ age", ["duplicate-entry"]),
        ("y1 ~~ y2\ny2 ~~ y1", ["duplicate-entry"]),
        ("y1 ~ a*age + b*age", ["duplicate-entry"]),
        ("f =~ x1 + f", ["own-predictor"]),
        ("y1 ~ y1", ["own-predictor"]),
        ("f =~ g\ng =~ f", ["loading-cycle"]),
        ("y1 ~ f", ["unknown-variable"]),
        ("y1 ~ age:agee", ["unknown-variable"]),
        ("f =~ x1 + x2\ny1 ~ f:age", []),
        ("y1 ~ a*age\nb := a + d", ["unknown-label"]),
        ("y1 ~ a*age\nb := std(d) + sd(q)", ["unknown-label", "unknown-label"]),
        ("y1 ~ a*age\nb := c1\nc1 := d1 + a\nd1 := b", ["definition-cycle"]),
        ("y1 ~ a*age\nb := a\nb := 2*a", ["defined-twice"]),
        ("y1 ~ a*age\na := 2*a", ["defined-twice", "definition-cycle"]),
        ("y1 ~ a*age\nq == 2", ["unknown-label"]),
        ("x1 =~ x2 + q\nx2 ~ age*x3\nx2 ~ age*x3", [
            "duplicate-entry", "product-sign", "latent-is-column", "unknown-variable",
        ]),
    ],
)  # fmt: skip
def test_problems(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_did_you_mean() -> None:
    with pytest.raises(ModelError) as caught:
        check(parse("collab =~ x1 + x2\ny1 ~ colab\nage ~ x33"), COLUMNS)
    first, second = caught.value.problems
    assert 'Did you mean "collab"?' in first.remedy and first.where == "model, line 2, column 6"
    assert "Did you mean" in second.remedy and "x33" in second.what and "^" in second.what


def test_without_columns_names_are_not_checked() -> None:
    assert codes("f =~ q1 + q2", None) == []


def test_cycles() -> None:
    assert find_cycle({"a": ["b"], "b": ["c"], "c": []}) == []
    assert find_cycle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
    assert find_cycle({str(i): [str(i + 1)] for i in range(50_000)}) == []


def test_definitions_that_explode_are_refused() -> None:
    lines = ["y ~ d0*x"] + [f"d{i + 1} := d{i}*d{i}" for i in range(40)]
    with pytest.raises(ModelError) as caught:
        build_table(parse("\n".join(lines)))
    assert caught.value.code == "model.expression-too-large"
    chain = ["y ~ d0*x"] + [f"d{i + 1} := d{i} + 1" for i in range(2000)]
    with pytest.raises(ModelError) as caught:
        build_table(parse("\n".join(chain)))
    assert caught.value.code == "model.expression-too-large"


def test_more_constructs_than_memory() -> None:
    text = "\n".join(f"f{i} =~ x{i}" for i in range(1500))
    with pytest.raises(ModelError) as caught:
        build_table(parse(text))
    assert caught.value.code == "model.too-large"
