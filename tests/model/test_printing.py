"""Tables as text: the same model comes back; neutral names hide what strangers wrote."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from semkit.errors import ModelError
from semkit.model import ParameterTable, build_table, neutral_names, parse, print_model

TEXT = """
f =~ x1 + a*x2 + lower(0)*x3
g =~ NA*y1 + start(.4)*y2 + a*y3
g ~~ 1*g
h =~ z1
z1 ~~ 0.3*z1
f ~ b*g + w + b*h
y1 ~~ x1
ind := a*b
a == 2*b^2
ind > 0.1
"""


def content(table: ParameterTable) -> set[tuple[Any, ...]]:
    """Rows without what printing may change (who wrote them and in which order)."""
    out = set()
    for i in range(len(table)):
        fixed = None if np.isnan(table.value[i]) else float(table.value[i])
        start = None if np.isnan(table.start[i]) else float(table.start[i])
        lhs, rhs = table.lhs[i], table.rhs[i]
        if table.op[i] == "~~" and lhs > rhs:
            lhs, rhs = rhs, lhs
        out.add((lhs, table.op[i], rhs, int(table.block[i]), bool(table.free[i]), table.label[i], fixed, start,
                 float(table.lower[i]), bool(table.exo[i])))  # fmt: skip
    return out


@pytest.mark.parametrize("options", [{}, {"meanstructure": True}, {"std_lv": True}, {"orthogonal": True},
                                     {"groups": ("A", "B"), "group_equal": ("loadings", "intercepts")}])  # fmt: skip
def test_a_printed_table_is_the_same_model(options: dict[str, Any]) -> None:
    table = build_table(parse(TEXT), **options)
    bare = {"auto_var": False, "auto_cov_lv_x": False, "auto_cov_y": False, "auto_fix_first": False,
            "auto_fix_single": False, "meanstructure": table.meanstructure}  # fmt: skip
    groups = options.get("groups", ("",))
    again = build_table(parse(print_model(table)), groups=groups, **bare)
    assert content(again) == content(table)
    assert again.n_unique == table.n_unique


def test_neutral_names() -> None:
    table = build_table(parse(TEXT + "y1 ~ f:w\n"))
    neutral = neutral_names(table)
    text = print_model(neutral.table)
    for name in ("x1", "y3", "f:w", "ind"):
        assert name not in text.replace("v1", "").replace("v3", "")
    assert set(neutral.variables) == {*table.variables.ov, *table.variables.lv}
    assert neutral.variables["x1"] == "v1" and len(set(neutral.variables.values())) == len(neutral.variables)
    assert np.array_equal(neutral.table.free, table.free)
    again = build_table(parse(text), auto_var=False, auto_cov_lv_x=False, auto_cov_y=False, auto_fix_first=False,
                        auto_fix_single=False)  # fmt: skip
    assert again.n_unique == table.n_unique
    values = {neutral.labels["a"]: 3.0, neutral.labels["b"]: 2.0}
    assert float(again.definitions[0][1].evaluate(values)) == 6.0
    assert float(again.equalities[0].evaluate(values)) == 3.0 - 8.0
    assert float(again.inequalities[0].evaluate(values)) == pytest.approx(5.9)


def test_a_value_from_the_data_is_not_invented() -> None:
    table = build_table(parse("f =~ x1 + x2"))
    row = table.find("x1", "~~", "x1")
    value, free = table.value.copy(), table.free.copy()
    free[row] = 0
    with pytest.raises(ModelError) as caught:
        print_model(table.replace(value=value, free=free))
    assert caught.value.code == "model.value-from-data"
