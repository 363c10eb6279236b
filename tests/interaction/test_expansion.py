"""What a model with products becomes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import ModelError, NotSupportedError, OptionError, SemkitError
from semkit.interaction import ProductIndicators, expand
from semkit.model import Modifier, Term, build_table, check, parse, print_model

TWO = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\n"
COMPOSITE = "X =~ x1 + x2 + x3\nW =~ 1*w\nw ~~ 0.3*w\nY =~ y1 + y2\nY ~ X + W + X:W\n"


def lines(text: str, option: ProductIndicators | None = None, *, std_lv: bool = False) -> list[str]:
    """What the expansion adds, as printed statements."""
    spec = parse(text)
    before = set(print_model(spec).split("\n"))
    expansion = expand(spec, option, std_lv=std_lv)
    check(expansion.spec)
    build_table(expansion.spec, std_lv=std_lv)
    return [line for line in print_model(expansion.spec).split("\n") if line not in before]


def test_without_products_nothing_changes() -> None:
    spec = parse(TWO + "Y ~ X + Z")
    assert expand(spec).spec is spec and expand(spec).products == ()


def test_matched_pairs() -> None:
    expansion = expand(parse(TWO + "Y ~ X + Z + X:Z"))
    assert lines(TWO + "Y ~ X + Z + X:Z") == ["X:Z =~ 1*x1:z1 + x2:z2 + x3:z3"]
    assert [(p.name, p.left, p.right) for p in expansion.products] == [
        ("x1:z1", "x1", "z1"), ("x2:z2", "x2", "z2"), ("x3:z3", "x3", "z3"),
    ]  # fmt: skip
    table = build_table(expansion.spec)
    # the same rows as lavaan's for the written-out model, where XZ covaries with X and Z
    other = build_table(parse(TWO + "XZ =~ x1.z1 + x2.z2 + x3.z3\nY ~ X + Z + XZ"))
    assert table.n_free == other.n_free and table.find("X", "~~", "X:Z") and table.find("Z", "~~", "X:Z")
    assert expand(expansion.spec).spec == expansion.spec


def test_all_pairs_with_residual_covariances() -> None:
    expansion = expand(parse(TWO + "Y ~ X + Z + X:Z"), ProductIndicators(match="all"))
    free = [t for t in expansion.spec.terms if t.op == "~~"]
    assert len(expansion.products) == 9 and len(free) == 18
    for term in free:
        assert len(set(term.lhs.split(":")) & set(term.rhs.split(":"))) == 1


def test_ranks_and_pairs() -> None:
    ranks = ProductIndicators(match="loading", ranks={"X": ("x3", "x1", "x2"), "Z": ("z2", "z1", "z3")})
    assert lines(TWO + "Y ~ X:Z", ranks)[0] == "X:Z =~ 1*x1:z1 + x3:z2 + x2:z3"
    pairs = ProductIndicators(match="pairs", pairs={"X:Z": (("x1", "z3"), ("x2", "z1"), ("x3", "z1"))})
    added = lines(TWO + "Y ~ X:Z", pairs)
    # no pair of two markers: the first loading is the product of the two loadings, not 1
    assert "X:Z =~ NA*.load.X.Z.x1.z3*x1:z3 + x2:z1 + x3:z1" in added
    assert ".load.X.Z.x1.z3 == .load.X.x1*.load.Z.z3" in added
    assert "x2:z1 ~~ x3:z1" in added


def test_std_lv_keeps_the_metric_of_the_product() -> None:
    added = lines(TWO + "Y ~ X + Z + X:Z", std_lv=True)
    assert "X:Z ~~ NA*X:Z" in added and ".load.X.Z.x1.z1 == .load.X.x1*.load.Z.z1" in added
    table = build_table(expand(parse(TWO + "Y ~ X + Z + X:Z"), std_lv=True).spec, std_lv=True)
    row = table.find("X:Z", "~~", "X:Z")
    assert row is not None and table.free[row] > 0


def test_a_composite_moderator_constrains_the_residual_covariances() -> None:
    added = lines(COMPOSITE)
    assert "X:W =~ 1*x1:w + x2:w + x3:w" in added
    assert "w ~~ 0.3*.error.w*w" in added
    constraints = [line for line in added if "==" in line]
    assert constraints == [
        f".rescov.x{i}.w.x{j}.w == .load.X.x{i}*.load.X.x{j}*sd(X)^2*.error.w" for i, j in ((1, 2), (1, 3), (2, 3))
    ]
    table = build_table(expand(parse(COMPOSITE)).spec)
    assert len(table.equalities) == 3 and all(table.free[table.find(f"x{i}:w", "~~", f"x{i}:w")] for i in (1, 2, 3))
    values = {".load.X.x1": 1.0, ".load.X.x2": 0.8, ".error.w": 0.3, ".rescov.x1.w.x2.w": 0.5}
    gap = table.equalities[0].evaluate(values, {"X": 1.5})
    assert float(gap) == pytest.approx(0.5 - 0.8 * 2.25 * 0.3)


def test_an_error_variance_from_the_data() -> None:
    spec = parse("X =~ x1 + x2\nW =~ 1*w\nY =~ y1 + y2\nY ~ X + W + X:W")
    spec = spec.extend([Term("w", "~~", "w", (Modifier("fixed", (float("nan"),)),))])
    table = build_table(expand(spec).spec)
    row = table.find("w", "~~", "w")
    assert row is not None and table.free[row] == 0 and table.label[row] == ".error.w" and not table.exo[row]


def test_a_label_of_the_user_is_used() -> None:
    text = COMPOSITE.replace("0.3*w", "th*w").replace("x2 +", "lam*x2 +")
    assert ".rescov.x1.w.x2.w == .load.X.x1*lam*sd(X)^2*th" in lines(text)


def test_a_residual_covariance_of_the_indicators_enters_the_constraint() -> None:
    added = lines(COMPOSITE + "x1 ~~ x2\n")
    assert (
        ".rescov.x1.w.x2.w == .load.X.x1*.load.X.x2*sd(X)^2*.error.w + .error.w*.rescov.x1.x2 "
        "+ .load.W.w^2*sd(W)^2*.rescov.x1.x2"
    ) in added


def test_without_error_no_constraint() -> None:
    assert lines(COMPOSITE.replace("w ~~ 0.3*w\n", "")) == ["X:W =~ 1*x1:w + x2:w + x3:w"]
    assert lines(COMPOSITE.replace("0.3*w", "0*w")) == ["X:W =~ 1*x1:w + x2:w + x3:w"]


def test_an_observed_moderator_multiplies_directly() -> None:
    added = lines("X =~ x1 + x2 + x3\ny ~ X + female + X:female")
    assert added == ["X:female =~ 1*x1:female + x2:female + x3:female", "X:female ~ female", "X ~~ X:female"]


def test_two_observed_variables_give_one_column() -> None:
    expansion = expand(parse("y ~ a + b + a:b"))
    assert expansion.spec == parse("y ~ a + b + a:b")
    assert [(p.name, p.left, p.right) for p in expansion.products] == [("a:b", "a", "b")]
    assert build_table(expansion.spec).variables.ov_x == ("a", "b", "a:b")


def test_products_of_two_single_indicators() -> None:
    text = "X =~ 1*x\nx ~~ 0.2*x\nW =~ 1*w\nw ~~ 0.3*w\ny ~ X + W + X:W"
    constraint = (
        ".error.x.w == .load.X.x^2*sd(X)^2*.error.w + .load.W.w^2*sd(W)^2*.error.x + .error.x*.error.w"
    )
    assert constraint in lines(text)
    assert ".error.x.x == 4*.load.X.x^2*sd(X)^2*.error.x + 2*.error.x^2" in lines(text.replace("X:W", "X:X"))
    assert "x:z ~~ NA*.error.x.z*x:z" in lines(text.replace("X:W", "X:z"))
    assert "x:w ~~ 0*x:w" in lines(text.replace("0.2*x", "0*x").replace("0.3*w", "0*w"))


def test_products_that_share_an_indicator_of_several() -> None:
    added = lines(TWO + "U =~ u1 + u2 + u3\nY ~ X + Z + U + X:Z + X:U + X:X")
    free = [line for line in added if "~~" in line]
    assert free == [
        "x1:z1 ~~ x1:u1", "x2:z2 ~~ x2:u2", "x3:z3 ~~ x3:u3", "x1:z1 ~~ x1:x1", "x2:z2 ~~ x2:x2", "x3:z3 ~~ x3:x3",
        "x1:u1 ~~ x1:x1", "x2:u2 ~~ x2:x2", "x3:u3 ~~ x3:x3",
    ]  # fmt: skip


def test_products_that_share_a_single_indicator() -> None:
    text = COMPOSITE + "V =~ v1 + v2\nY ~ V + V:W\n"
    assert ".rescov.x1.w.v2.w == 1*.error.w*.load.X.x1*.load.V.v2*.cov.X.V" in lines(text)
    with pytest.raises(NotSupportedError) as caught:
        lines(text + "V ~ age\n")
    assert caught.value.code == "interaction.shared-single-indicator"


def test_controls_do_not_cut_the_product_factor_off() -> None:
    added = lines(TWO + "X + Z + X:Z ~ age\nX ~~ Z\nY ~ X + Z + X:Z + age")
    assert "X ~~ X:Z" in added and "Z ~~ X:Z" in added
    assert not any(line.startswith("Y ~~") for line in added)
    written = lines(TWO + "X + Z + X:Z ~ age\nX ~~ Z + X:Z\nZ ~~ X:Z\nY ~ X + Z + X:Z + age")
    assert [line for line in written if "~~" in line] == []


def test_unequal_numbers_of_indicators_are_said() -> None:
    expansion = expand(parse("X =~ x1 + x2 + x3\nZ =~ z1 + z2\nY =~ y1 + y2\nY ~ X:Z"))
    assert [p.name for p in expansion.products] == ["x1:z1", "x2:z2"]
    assert expansion.notes[0].code == "interaction.unmatched-indicators" and "x3" in expansion.notes[0].what


SECOND = "A =~ a1 + a2\nB =~ b1 + b2\nD =~ d1 + d2\nF =~ A + B + D\n" + TWO


def test_a_second_order_construct_is_multiplied_by_the_first_indicator_of_each_part() -> None:
    assert lines(SECOND + "Y ~ F + Z + F:Z") == ["F:Z =~ 1*a1:z1 + b1:z2 + d1:z3"]
    added = lines(SECOND + "Y ~ F + Z + F:Z", std_lv=True)
    assert ".load.F.Z.a1.z1 == .load.F.A*.load.A.a1*.load.Z.z1" in added
    single = lines(SECOND.replace("Z =~ z1 + z2 + z3", "Z =~ 1*z\nz ~~ 0.3*z") + "Y ~ F + Z + F:Z")
    assert ".rescov.a1.z.b1.z == .load.F.A*.load.A.a1*.load.F.B*.load.B.b1*sd(F)^2*.error.z" in single


def test_a_second_order_construct_is_recovered() -> None:
    rng = np.random.default_rng(4)
    n = 40_000
    f, z = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], n).T
    frame = {f"{name}{i}": load * part + 0.5 * rng.standard_normal(n)
             for name, part in ((v, g * f + 0.5 * rng.standard_normal(n)) for v, g in zip("abd", (1, 0.9, 0.8)))
             for i, load in ((1, 1.0), (2, 0.8))}
    y = 0.4 * f + 0.3 * z + 0.25 * f * z + 0.7 * rng.standard_normal(n)
    frame |= {f"{name}{i}": load * v + 0.6 * rng.standard_normal(n)
              for name, v in (("z", z), ("y", y)) for i, load in ((1, 1.0), (2, 0.9), (3, 0.8))}
    model = SECOND.replace("X =~ x1 + x2 + x3\n", "") + "Y ~ F + Z + F:Z"
    fit = sk.sem(model, pd.DataFrame(frame), estimator="mlr")
    row = fit.estimates.query("op == '~'").set_index("rhs").loc["F:Z"]
    assert abs(row.est - 0.25) < 3 * row.se and row.se < 0.007
    assert fit.fit_measures["pvalue.scaled"] > 0.01


def test_groups() -> None:
    spec = parse(TWO + "Y ~ X + Z + X:Z")
    table = build_table(expand(spec, n_groups=2).spec, groups=("A", "B"))
    assert table.find("X:Z", "=~", "x3:z3", 2) is not None
    blocks = parse("group: A\n" + TWO + "Y ~ X:Z\ngroup: B\n" + TWO + "Y ~ X:Z")
    expanded = expand(blocks, n_groups=2).spec
    assert [t.block for t in expanded.terms if t.lhs == "X:Z"] == ["A"] * 3 + ["B"] * 3
    with pytest.raises(NotSupportedError) as caught:
        expand(parse(COMPOSITE), n_groups=2)
    assert caught.value.code == "interaction.groups"


@pytest.mark.parametrize(
    ("text", "option", "code"),
    [
        (TWO + "Y ~ X:X:Z", {}, "three-way"),
        (TWO + "Y ~ X:Z + Z:X", {}, "product-twice"),
        (TWO + "G =~ X + Z\nY ~ G:X", {}, "second-order"),
        (SECOND + "G =~ F + X\nY ~ G:Z", {}, "second-order"),
        (SECOND + "Y ~ F + Z + X + F:Z + X:F + A:Z", {}, "column-twice"),
        (SECOND + "Y ~ X + Z + F + X:Z + X:F + Z:F + X:Z:F", {}, "three-way"),
        (TWO + "Z =~ start(1)*z1\nQ =~ x1 + q1\nY ~ X:Z", {}, "cross-loading"),
        (TWO + "Y ~ X:Z", {"match": "loading", "ranks": {"X": ("x1", "x2")}}, "unknown-rank"),
        (TWO + "Y ~ X:Z", {"match": "pairs", "pairs": {"X:Z": (("x1", "y1"), ("x2", "z2"))}}, "unknown-pair"),
        (TWO + "Y ~ X:Z", {"match": "pairs", "pairs": {"X:Y": (("x1", "y1"),)}}, "unknown-pair"),
    ],
)
def test_refusals(text: str, option: dict[str, object], code: str) -> None:
    with pytest.raises(SemkitError) as caught:
        expand(parse(text), ProductIndicators(**option))  # type: ignore[arg-type]
    assert caught.value.code == f"interaction.{code}"
    assert all(p.where and p.what and p.allowed and p.remedy for p in caught.value.problems)


def test_options() -> None:
    for wrong in ({"match": "al"}, {"match": "loading"}, {"match": "pairs"}):
        with pytest.raises(OptionError):
            ProductIndicators(**wrong)  # type: ignore[arg-type]
    with pytest.raises(OptionError):
        ProductIndicators(centering="triple")
    with pytest.raises(ModelError):
        expand(parse(TWO + "Y ~ X:Z + Z:X"))
