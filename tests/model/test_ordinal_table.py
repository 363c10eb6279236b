"""Ordinal variables in text and table: thresholds, scales, what is fixed, what follows, what groups share."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import semkit as sk
from semkit.model import build_table, parse, print_model

NUMBERS = Path(__file__).parents[1] / "reference" / "numbers" / "lavaan"
TEXT = "f =~ x1 + x2 + x3"


@pytest.mark.reference
@pytest.mark.parametrize("name", ["hs_ord_wlsmv", "hs_ord_wlsmv_theta", "hs_ord_wlsmv_mg_configural"])
def test_rows_and_free_parameters_are_lavaans(name: str) -> None:
    case = json.loads((NUMBERS / f"{name}.json").read_text(encoding="utf-8"))
    table = build_table(parse(case["model"]), thresholds={f"x{i}": 4 for i in range(1, 10)},
                        parameterization=case["args"].get("parameterization", "delta"),
                        groups=case["groups"] or ("",))
    rows = [(row["lhs"], row["op"], row["rhs"], row["se"] > 0) for row in case["estimates"]]
    assert rows == [(table.lhs[i], table.op[i], table.rhs[i], bool(table.free[i])) for i in range(len(table))]


def test_text_is_read_and_printed() -> None:
    text = "f =~ x1 + x2\nx1 | a*t1 + 0.5*t2\nx1 ~*~ x1"
    spec = parse(text)
    assert parse(print_model(spec)) == spec
    assert spec.names == ("f", "x1", "x2")
    table = build_table(spec, thresholds={"x1": 3})
    assert table.value[table.find("x1", "|", "t2") or 0] == 0.5
    assert table.label[table.find("x1", "|", "t1") or 0] == "a"
    assert table.find("x1", "|", "t3") is not None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("f =~ x1 + x2\nx1 | cut", "model.syntax"), ("f =~ x1 + x2\nx1 | t0", "model.syntax"),
        ("f =~ x1 + x2\nx1 ~*~ x2", "model.syntax"), ("f =~ x1 + x2\nx1 | t4", "model.unknown-threshold"),
        ("f =~ x1 + x2\nx2 | t1", "model.threshold-without-variable"), ("y ~ x1", "model.ordered-covariate"),
        ("f =~ x1 + x2\nx1 ~~ 0.4*x1", "model.parameterization"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(text: str, code: str) -> None:
    with pytest.raises(sk.SemkitError) as caught:
        build_table(parse(text), thresholds={"x1": 3})
    assert caught.value.code == code


def free(table: object, op: str) -> list[str]:
    return [table.lhs[i] for i in range(len(table)) if table.op[i] == op and table.block[i] == 2 and table.free[i]]  # type: ignore[attr-defined,arg-type]


@pytest.mark.parametrize(
    ("equal", "scales", "levels", "means"),
    [
        ((), [], [], []),
        (("loadings",), [], [], []),
        (("thresholds",), ["x1"], ["x1", "x2"], []),
        (("thresholds", "loadings"), ["x1"], ["x1", "x2"], []),
        (("thresholds", "loadings", "intercepts"), ["x1", "x2"], [], ["f"]),
        (("thresholds", "loadings", "intercepts", "means"), ["x1", "x2"], [], []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_equal_thresholds_free_what_they_identify(
    equal: tuple[str, ...], scales: list[str], levels: list[str], means: list[str], parameterization: str
) -> None:
    """Wu & Estabrook (2016): x1 has three categories, x2 two; x3 is continuous and has an intercept of its own."""
    table = build_table(parse(TEXT), thresholds={"x1": 2, "x2": 1}, groups=("a", "b"), group_equal=equal,
                        parameterization=parameterization)
    op = "~*~" if parameterization == "delta" else "~~"
    assert [name for name in free(table, op) if name in ("x1", "x2")] == scales
    own = free(table, "~1")
    assert [name for name in own if name in ("x1", "x2")] == levels
    assert [name for name in own if name == "f"] == means


def test_strict_invariance_needs_theta() -> None:
    equal = ("thresholds", "loadings", "intercepts", "residuals")
    with pytest.raises(sk.SemkitError, match="theta"):
        build_table(parse(TEXT), thresholds={"x1": 2}, groups=("a", "b"), group_equal=equal)
    table = build_table(parse(TEXT), thresholds={"x1": 2}, groups=("a", "b"), group_equal=equal,
                        parameterization="theta")
    row = table.find("x1", "~~", "x1", 2)
    assert row is not None and table.free[row] == 0 and table.value[row] == 1.0


def test_partial_thresholds() -> None:
    table = build_table(parse(TEXT), thresholds={"x1": 3}, groups=("a", "b"), group_equal="thresholds",
                        group_partial="x1|t2")
    assert free(table, "~*~") == ["x1"] and "x1" in free(table, "~1")
    table_of_none = build_table(parse(TEXT), thresholds={"x1": 3}, groups=("a", "b"), group_equal="thresholds",
                                group_partial=("x1|t1", "x1|t2", "x1|t3"))
    assert free(table_of_none, "~*~") == [] and "x1" not in free(table_of_none, "~1")
    labels = [table.label[table.find("x1", "|", f"t{k}", 2) or 0] for k in (1, 2, 3)]
    assert labels[0] and labels[2] and not labels[1]
    assert np.sum(table.free > 0) == table.n_free
