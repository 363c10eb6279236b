"""Defaults against tables made with lavaan 0.6-14's ``lavaanify()`` under the options of ``sem()``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from semkit.errors import ModelError, OptionError
from semkit.model import ParameterTable, build_table, parse


def rows(table: ParameterTable) -> str:
    """``lhs op rhs free value label`` of each row; exogenous rows end in ``x``."""
    out = []
    for i in range(len(table)):
        value = "" if np.isnan(table.value[i]) else f"={table.value[i]:g}"
        exo = " x" if table.exo[i] else ""
        label = f" {table.label[i]}" if table.label[i] else ""
        out.append(f"{table.lhs[i]}{table.op[i]}{table.rhs[i]} {table.free[i]}{value}{label}{exo}")
    return "; ".join(out)


CASES: list[tuple[str, dict[str, Any], str]] = [
    (  # a single indicator's residual is fixed at zero; an outcome that predicts is no outcome
        "f=~x1+x2+x3\ng=~z\nf~g+w\ny~f+w+v\nq~y", {"meanstructure": True},
        "f=~x1 0=1; f=~x2 1; f=~x3 2; g=~z 0=1; f~g 3; f~w 4; y~f 5; y~w 6; y~v 7; q~y 8; x1~~x1 9; x2~~x2 10; "
        "x3~~x3 11; z~~z 0=0; y~~y 12; q~~q 13; f~~f 14; g~~g 15; w~~w 0 x; w~~v 0 x; v~~v 0 x; x1~1 16; x2~1 17; "
        "x3~1 18; z~1 19; y~1 20; q~1 21; w~1 0 x; v~1 0 x; f~1 0=0; g~1 0=0",
    ),
    (  # a written variance makes a covariate random; residual covariances of a last construct and a last outcome
        "f=~x1+x2+x3\ng=~y1+y2\nh=~u\nf~h+w\nu~~0.3*u\nq~w+y1\nw~~w", {},
        "f=~x1 0=1; f=~x2 1; f=~x3 2; g=~y1 0=1; g=~y2 3; h=~u 0=1; f~h 4; f~w 5; u~~u 0=0.3; q~w 6; q~y1 7; w~~w 8; "
        "x1~~x1 9; x2~~x2 10; x3~~x3 11; y1~~y1 12; y2~~y2 13; q~~q 14; f~~f 15; g~~g 16; h~~h 17; g~~h 18; f~~q 19",
    ),
    (
        "f=~x1+x2\ng=~y1+y2\nf~x\ng~x\nx~~z\nz~1", {},
        "f=~x1 0=1; f=~x2 1; g=~y1 0=1; g=~y2 2; f~x 3; g~x 4; x~~z 5; z~1 6; x1~~x1 7; x2~~x2 8; y1~~y1 9; y2~~y2 10; "
        "x~~x 11; z~~z 12; f~~f 13; g~~g 14; f~~g 15; x1~1 16; x2~1 17; y1~1 18; y2~1 19; x~1 20; f~1 0=0; g~1 0=0",
    ),
    (
        "f=~x1+x2\ng=~f+h\nh=~y1\ny2~~y3", {"std_lv": True},
        "f=~x1 1; f=~x2 2; g=~f 3; g=~h 4; h=~y1 5; y2~~y3 6; x1~~x1 7; x2~~x2 8; y1~~y1 0=0; y2~~y2 9; y3~~y3 10; "
        "f~~f 0=1; g~~g 0=1; h~~h 0=1",
    ),
    (
        "f=~x1+x2\ng=~z1+z2\nk=~y1+y2\nl=~y3+y4\nk~f+g\nl~f\nq~f", {"orthogonal": True},
        "f=~x1 0=1; f=~x2 1; g=~z1 0=1; g=~z2 2; k=~y1 0=1; k=~y2 3; l=~y3 0=1; l=~y4 4; k~f 5; k~g 6; l~f 7; q~f 8; "
        "x1~~x1 9; x2~~x2 10; z1~~z1 11; z2~~z2 12; y1~~y1 13; y2~~y2 14; y3~~y3 15; y4~~y4 16; q~~q 17; f~~f 18; "
        "g~~g 19; k~~k 20; l~~l 21; f~~g 0=0; k~~l 0=0; k~~q 22; l~~q 23",
    ),
    (
        "f=~NA*x1+x2\nf~~1*f\ny~0+f\ny~~f\nx1~~y", {"meanstructure": True},
        "f=~x1 1; f=~x2 2; f~~f 0=1; y~1 0=0; y~f 3; y~~f 4; x1~~y 5; x1~~x1 6; x2~~x2 7; y~~y 8; x1~1 9; x2~1 10; "
        "f~1 0=0",
    ),
    (  # a single construct as indicator
        "f=~x1+x2+x3\ng=~f\ny~g+z", {},
        "f=~x1 0=1; f=~x2 1; f=~x3 2; g=~f 0=1; y~g 3; y~z 4; x1~~x1 5; x2~~x2 6; x3~~x3 7; y~~y 8; f~~f 0=0; g~~g 9; "
        "z~~z 0 x",
    ),
    (
        "f =~ x1+x2\ny~x\ny2 ~~ y3\ny4 ~1\ny5~~y3\nf~x+c\nz~f", {"meanstructure": True},
        "f=~x1 0=1; f=~x2 1; y~x 2; y2~~y3 3; y4~1 4; y5~~y3 5; f~x 6; f~c 7; z~f 8; x1~~x1 9; x2~~x2 10; y~~y 11; "
        "z~~z 12; y2~~y2 13; y5~~y5 14; y3~~y3 15; y4~~y4 16; f~~f 17; y~~z 18; x~~x 0 x; x~~c 0 x; c~~c 0 x; "
        "x1~1 19; x2~1 20; y~1 21; z~1 22; x~1 0 x; c~1 0 x; y2~1 23; y5~1 24; y3~1 25; f~1 0=0",
    ),
    (
        "y~a+b\nz~b", {"fixed_x": False},
        "y~a 1; y~b 2; z~b 3; y~~y 4; z~~z 5; y~~z 6; a~~a 7; a~~b 8; b~~b 9",
    ),
    (
        "f=~x1+x2+x3\ng=~y1+y2+y3\nf~g\ng~f\nx1~f", {},
        "f=~x1 0=1; f=~x2 1; f=~x3 2; g=~y1 0=1; g=~y2 3; g=~y3 4; f~g 5; g~f 6; x1~f 7; x1~~x1 8; x2~~x2 9; "
        "x3~~x3 10; y1~~y1 11; y2~~y2 12; y3~~y3 13; f~~f 14; g~~g 15",
    ),
    (
        "f =~ x1 + c(a,b)*x2 + c(1,NA)*x3 + c(a,a)*x4", {"groups": ("A", "B"), "meanstructure": False},
        "f=~x1 0=1; f=~x2 1 a; f=~x3 0=1; f=~x4 2 a; x1~~x1 3; x2~~x2 4; x3~~x3 5; x4~~x4 6; f~~f 7; "
        "f=~x1 0=1; f=~x2 8 b; f=~x3 9; f=~x4 10 a; x1~~x1 11; x2~~x2 12; x3~~x3 13; x4~~x4 14; f~~f 15",
    ),
    (
        "group: 1\nf =~ x1 + x2+x3\n group: 2\n f=~x1+a*x2+x3\nf~~a*f", {"groups": ("A", "B"), "meanstructure": False},
        "f=~x1 0=1; f=~x2 1; f=~x3 2; x1~~x1 3; x2~~x2 4; x3~~x3 5; f~~f 6; f=~x1 0=1; f=~x2 7 a; f=~x3 8; f~~f 9 a; "
        "x1~~x1 10; x2~~x2 11; x3~~x3 12",
    ),
    (  # partial invariance; means of constructs are freed; an exogenous covariate is not held equal
        "f=~a*x1+start(.8)*x2+x3\nf~x", {
            "groups": ("A", "B"), "group_equal": ("loadings", "residuals", "intercepts"), "group_partial": "x2~1",
            "fixed_x": False,
        },
        "f=~x1 0=1 a; f=~x2 1 .p2.; f=~x3 2 .p3.; f~x 3; x1~~x1 4 .p5.; x2~~x2 5 .p6.; x3~~x3 6 .p7.; f~~f 7; x~~x 8; "
        "x1~1 9 .p10.; x2~1 10; x3~1 11 .p12.; x~1 12; f~1 0=0; "
        "f=~x1 0=1 a; f=~x2 13 .p2.; f=~x3 14 .p3.; f~x 15; x1~~x1 16 .p5.; x2~~x2 17 .p6.; x3~~x3 18 .p7.; f~~f 19; "
        "x~~x 20; x1~1 21 .p10.; x2~1 22; x3~1 23 .p12.; x~1 24; f~1 25",
    ),
    (
        "f =~ x1+x2+x3\n g=~y1+y2+y3\n f~~0*g\n x1 ~~ y1", {
            "groups": ("A", "B"), "meanstructure": False,
            "group_equal": ("residuals", "residual.covariances", "lv.variances", "lv.covariances"),
        },
        "f=~x1 0=1; f=~x2 1; f=~x3 2; g=~y1 0=1; g=~y2 3; g=~y3 4; f~~g 0=0; x1~~y1 5 .p8.; x1~~x1 6 .p9.; "
        "x2~~x2 7 .p10.; x3~~x3 8 .p11.; y1~~y1 9 .p12.; y2~~y2 10 .p13.; y3~~y3 11 .p14.; f~~f 12 .p15.; "
        "g~~g 13 .p16.; "
        "f=~x1 0=1; f=~x2 14; f=~x3 15; g=~y1 0=1; g=~y2 16; g=~y3 17; f~~g 0=0; x1~~y1 18 .p8.; x1~~x1 19 .p9.; "
        "x2~~x2 20 .p10.; x3~~x3 21 .p11.; y1~~y1 22 .p12.; y2~~y2 23 .p13.; y3~~y3 24 .p14.; f~~f 25 .p15.; "
        "g~~g 26 .p16.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "expected"), CASES)
def test_defaults_are_those_of_lavaan(text: str, options: dict[str, Any], expected: str) -> None:
    assert rows(build_table(parse(text), **options)).split("; ") == expected.split("; ")


def test_order_of_observed_variables() -> None:
    table = build_table(parse("f =~ x1+x2\ny~x\ny2 ~~ y3\ny4 ~1\ny5~~y3\nf~x+c\nz~f"))
    assert table.variables.ov == ("x1", "x2", "y", "z", "x", "c", "y2", "y5", "y3", "y4")
    assert table.variables.ov_x == ("x", "c")


def test_std_lv_with_equal_loadings_frees_later_variances() -> None:
    table = build_table(parse("f =~ x1+x2+x3"), groups=("A", "B"), std_lv=True, group_equal="loadings")
    assert table.value[table.find("f", "~~", "f", 1)] == 1.0
    assert table.free[table.find("f", "~~", "f", 2)] > 0
    held = build_table(
        parse("f =~ x1+x2+x3"), groups=("A", "B"), std_lv=True, group_equal=("loadings", "lv.variances")
    )
    assert held.value[held.find("f", "~~", "f", 2)] == 1.0


def test_same_label_is_one_parameter() -> None:
    table = build_table(parse("f =~ x1 + a*x2 + a*x3\ng =~ y1 + a*y2"))
    assert table.n_free - table.n_unique == 2
    assert list(table.unique[:4]) == [0, 0, 0, 1]


def test_a_label_shared_with_a_fixed_row_fixes() -> None:
    table = build_table(parse("f =~ a*x1 + a*x2 + x3"))
    row = table.find("f", "=~", "x2")
    assert row is not None and table.free[row] == 0 and table.value[row] == 1.0


def test_modifiers_reach_their_columns() -> None:
    table = build_table(parse("f =~ x1 + start(.5)*a*x2 + lower(0)*x3 + upper(2)*x3 + equal('f=~x2')*x4"))
    row = {name: table.find("f", "=~", name) for name in ("x2", "x3", "x4")}
    assert table.start[row["x2"]] == 0.5 and table.label[row["x2"]] == "a" and table.label[row["x4"]] == "a"
    assert table.lower[row["x3"]] == 0.0 and table.upper[row["x3"]] == 2.0


def test_definitions_may_refer_to_later_ones() -> None:
    table = build_table(parse("y ~ a*x + b*z\ntotal := direct + twice\ntwice := 2*a\ndirect := b"))
    names = [name for name, _ in table.definitions]
    assert names == ["total", "twice", "direct"]
    assert float(table.definitions[0][1].evaluate({"a": 3.0, "b": 4.0})) == 10.0


def test_constraints_are_zero_or_positive_at_a_solution() -> None:
    table = build_table(parse("y ~ a*x + b*z\na == b^2\na > 0.5\nb < 2"))
    values = {"a": 4.0, "b": 2.5}
    assert float(table.equalities[0].evaluate(values)) == 4.0 - 6.25
    assert [float(e.evaluate(values)) for e in table.inequalities] == [3.5, -0.5]


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("f =~ x1 + c(a,b)*x2", {}, "model.modifier-length"),
        ("group: A\nf=~x1+x2\ngroup: B\nf=~x1+x2", {}, "model.unknown-group"),
        ("group: A\nf=~x1+x2\ngroup: C\nf=~x1+x2", {"groups": ("A", "B")}, "model.unknown-group"),
        ("f =~ 1*a*x1 + 2*a*x2", {}, "model.label-conflict"),
        ("f =~ x1 + x2\nc := d*2", {}, "model.unknown-label"),
        ("f =~ x1 + equal('zz')*x2", {}, "model.unknown-label"),
    ],
)
def test_contradictions(text: str, options: dict[str, Any], code: str) -> None:
    with pytest.raises(ModelError) as caught:
        build_table(parse(text), **options)
    assert caught.value.code == code


def test_unknown_options() -> None:
    with pytest.raises(OptionError) as caught:
        build_table(parse("f =~ x1 + x2"), groups=("A", "B"), group_equal=("loading", "mean"))
    assert [p.code for p in caught.value.problems] == ["model.group-equal"] * 2
    assert "loadings" in str(caught.value)
    with pytest.raises(OptionError) as caught:
        build_table(parse("f =~ x1 + x2"), groups=("A", "B"), group_equal="loadings", group_partial="f=~x9")
    assert caught.value.code == "model.group-partial"
