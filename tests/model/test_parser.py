"""Reading model text: what is understood, what is refused and how the place is shown."""

from __future__ import annotations

import pytest

from semkit.errors import ModelError, ModelSyntaxError, NotSupportedError, OptionError, SemkitError
from semkit.model import ModelSpec, Modifier, Term, build_table, check, parse, print_model


def terms(text: str) -> list[tuple[str, str, str]]:
    return [(t.lhs, t.op, t.rhs) for t in parse(text).terms]


def modifiers(text: str) -> list[tuple[str, tuple[float | str | None, ...]]]:
    return [(m.kind, m.values) for t in parse(text).terms for m in t.modifiers]


def test_statements_comments_and_continuation() -> None:
    text = """
    # a comment with =~ inside
    f =~ x1 + x2 +      ! lavaan's other comment
         x3
    g
      =~ y1
       + y2 ; h =~ z1
    a + b ~ f:g + c:d:e
    """
    assert terms(text) == [
        ("f", "=~", "x1"), ("f", "=~", "x2"), ("f", "=~", "x3"), ("g", "=~", "y1"), ("g", "=~", "y2"),
        ("h", "=~", "z1"),
        ("a", "~", "f:g"), ("a", "~", "c:d:e"), ("b", "~", "f:g"), ("b", "~", "c:d:e"),
    ]  # fmt: skip


def test_windows_lines_byte_order_mark_and_letters_of_any_language() -> None:
    assert terms("\ufefff =~ x1 + x2\r\nusaha ~ f\r\nénergie ~ f") == [
        ("f", "=~", "x1"), ("f", "=~", "x2"), ("usaha", "~", "f"), ("énergie", "~", "f"),
    ]  # fmt: skip


def test_intercepts() -> None:
    spec = parse("y ~ 1\nz ~ 0*1 + x\nu + v ~ 0 + x\nw ~ a*1")
    assert [(t.lhs, t.op, t.rhs) for t in spec.terms] == [
        ("y", "~1", ""), ("z", "~1", ""), ("z", "~", "x"), ("u", "~1", ""), ("u", "~", "x"), ("v", "~1", ""),
        ("v", "~", "x"), ("w", "~1", ""),
    ]  # fmt: skip
    assert modifiers("z ~ 0*1\nu ~ 0\nw ~ a*1") == [("fixed", (0.0,)), ("fixed", (0.0,)), ("label", ("a",))]


def test_modifiers() -> None:
    assert modifiers("f =~ NA*x1 + -1.5e-1*x2 + a*x3 + 'my label'*x4") == [
        ("fixed", (None,)), ("fixed", (-0.15,)), ("label", ("a",)), ("label", ("my label",)),
    ]  # fmt: skip
    assert modifiers("f =~ c(1, NA)*x1 + c(a, 'b')*x2 + c(a, NA)*x3 + start(c(1, 2))*x4 + c(2)*x5") == [
        ("fixed", (1.0, None)), ("label", ("a", "b")), ("label", ("a", "")), ("start", (1.0, 2.0)), ("fixed", (2.0,)),
    ]  # fmt: skip
    assert modifiers("f =~ start(.5)*a*x1 + lower(-1)*upper(+2)*x2 + equal('f=~x1')*x3 + label(\"k\")*x4") == [
        ("start", (0.5,)), ("label", ("a",)), ("lower", (-1.0,)), ("upper", (2.0,)), ("equal", ("f=~x1",)),
        ("label", ("k",)),
    ]  # fmt: skip


def test_names_of_functions_may_be_labels_and_variables() -> None:
    assert modifiers("f =~ c*x1 + start*x2") == [("label", ("c",)), ("label", ("start",))]
    assert terms("c ~ start + group") == [("c", "~", "start"), ("c", "~", "group")]


def test_a_repeated_term_adds_a_modifier() -> None:
    spec = parse("y ~ a*x + start(1)*x")
    check(spec)
    table = build_table(spec)
    assert table.label[0] == "a" and table.start[0] == 1.0 and table.op.count("~") == 1


def test_groups() -> None:
    spec = parse("group: Pasteur\nf =~ x1\ngroup: 'Grant White'\nf =~ x2\na := 1*b\n")
    assert spec.blocks == ("Pasteur", "Grant White")
    assert [t.block for t in spec.terms] == ["Pasteur", "Grant White"]


def test_what_a_spec_knows() -> None:
    spec = parse("f =~ x1 + x2\ng =~ z1\ny ~ f + f:g + f:w + w\nv ~~ y")
    assert spec.latents == ("f", "g")
    assert spec.products == ("f:g", "f:w")
    assert spec.observed == ("x1", "x2", "z1", "y", "w", "v")


@pytest.mark.parametrize(
    ("text", "line", "column", "found"),
    [
        ("f =~ x1 ++ x2", 1, 10, '"+"'), ("f =~ x1 +", 1, 10, "ends too early"), ("y ~ x\nf = x1", 2, 3, '"="'),
        ("f =~ x1\n  y ~ x z", 2, 9, '"z"'), ("x1 + x2", 1, 1, "no operator"), ("f =~ x1 + strt(1)*x2", 1, 11, "strt"),
        ("y ~ x +\nz ~ w", 2, 3, "second operator"), ("f =~ 2", 1, 6, '"2"'), ("=~ x1", 1, 1, "nothing on the left"),
        ("a*f =~ x1", 1, 2, '"*"'), ("f =~ c(1,a)*x1", 1, 6, "mixes"), ("f =~ start(a)*x1", 1, 6, "takes numbers"),
        ("f =~ c(1, NA*x1", 1, 13, '"*"'), ("f =~ 1e999*x1", 1, 6, "too large"), ("y ~ 'ab*x", 1, 5, "\"'\""),
        ("a <= b", 1, 3, '"<="'), ("f =~ x1\na := b +* c", 2, 9, "unexpected"),
        ("a + b := c\nf=~x", 1, 1, "one new name"),
        ("f =~ a:", 1, 8, "ends too early"), ("f =~ NA", 1, 6, '"NA"'), ("y ~ 0.5?x", 1, 8, '"?"'),
        ("group: a b\nf=~x", 1, 10, "unexpected"), ("f=~x\ngroup: a\nf=~y", 2, 8, "before the first"),
        ("f =~ ''*x", 1, 6, "empty label"),
    ],
)  # fmt: skip
def test_a_typo_is_shown_under_its_line(text: str, line: int, column: int, found: str) -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        parse(text)
    problem = caught.value.problems[0]
    assert problem.where == f"model, line {line}, column {column}"
    assert found in problem.what
    shown, caret = problem.what.split("\n")[1:3]
    assert shown[4:] == text.split("\n")[line - 1]
    assert caret.index("^") - 4 == column - 1
    assert problem.code in ("model.syntax", "model.expression")


def test_all_problems_at_once() -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        parse("f = x1\ny ~ x z\ng =~ x1\nq ~ efa(2)*x")
    assert [p.where.split(",")[1] for p in caught.value.problems] == [" line 1", " line 2", " line 4"]


def test_a_long_line_is_cut_around_the_place() -> None:
    text = "f =~ " + " + ".join(f"item{i}" for i in range(200)) + " = x"
    with pytest.raises(ModelSyntaxError) as caught:
        parse(text)
    shown, caret = caught.value.problems[0].what.split("\n")[1:3]
    assert len(shown) < 120 and shown[caret.index("^")] == "="


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("level: 1\nf =~ x1", "level"),
        ("efa('a')*f =~ x1 + x2", "efa"), ("f =~ efa('a')*x1", "efa"), ("y ~ rv('s')*x", "rv"),
        ("block: 1\nf=~x", "block"),
        ("y ~ prior('normal(0,1)')*x", "prior"), ("class: 1\nf=~x", "mixtures"),
    ],
)  # fmt: skip
def test_features_not_estimated_are_named_with_an_alternative(text: str, feature: str) -> None:
    with pytest.raises(NotSupportedError) as caught:
        parse(text)
    problem = caught.value.problems[0]
    assert problem.code == "model.not-supported" and feature in problem.what and "Use instead" in problem.remedy


def test_a_product_written_with_a_star() -> None:
    text = "collab =~ x1 + x2\ngovt =~ z1 + z2\ny ~ collab + govt + collab*govt"
    with pytest.raises(ModelError) as caught:
        parse(text)
    problem = caught.value.problems[0]
    assert problem.code == "model.product-sign" and problem.where == "model, line 3, column 21"
    assert 'Did you mean "collab:govt"?' in problem.remedy
    # A label that is never a variable is a label; with the data's columns, a column is a variable.
    spec = parse("y ~ b1*x + age*x2")
    check(spec, ("y", "x", "x2"))
    with pytest.raises(ModelError) as caught:
        check(spec, ("y", "x", "x2", "age"))
    assert caught.value.code == "model.product-sign" and '"age:x2"' in caught.value.problems[0].remedy


@pytest.mark.parametrize("text", ["", "  \n# nothing\n", "a := 2*3"])
def test_nothing_to_estimate(text: str) -> None:
    with pytest.raises(SemkitError):
        parse(text)


def test_not_text_and_too_much_text() -> None:
    with pytest.raises(OptionError):
        parse(7)  # type: ignore[arg-type]
    with pytest.raises(ModelSyntaxError):
        parse("y ~ x\n" * 100_000)
    with pytest.raises(ModelSyntaxError):
        parse(" + ".join(f"a{i}" for i in range(2000)) + " ~ " + " + ".join(f"b{i}" for i in range(2000)))


def test_specs_may_be_extended() -> None:
    spec = parse("f =~ x1 + x2")
    longer = spec.extend([Term("y", "~", "f", (Modifier("label", ("b",)),))])
    assert print_model(longer) == "f =~ x1 + x2\ny ~ b*f" and print_model(spec) == "f =~ x1 + x2"
    assert isinstance(longer, ModelSpec) and parse(print_model(longer)) == longer
