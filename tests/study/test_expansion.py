"""What the shorthands of model text become."""

from __future__ import annotations

import pytest

from semkit.errors import ModelError
from semkit.model import parse
from semkit.study.expansion import Vocabulary, expand

WORDS = Vocabulary(
    {"a": ("a_1", "a_2"), "b": ("b_1", "b_2", "b_3")}, ("g",), {"X": ("size", "age"), "Z": ("age", "sex")}
)


def lines(text: str, **options: str) -> list[str]:
    return expand(text, WORDS, **options).text.splitlines()


def test_measure_and_controls_are_written_out() -> None:
    found = expand("measure a b\nb ~ p*a + X  # main", WORDS)
    assert found.text.splitlines()[:3] == ["a =~ a_1 + a_2", "b =~ b_1 + b_2 + b_3", "b ~ p*a + size + age  # main"]
    assert found.controls == ("size", "age") and dict(found.measured) == {
        "a": ("a_1", "a_2"),
        "b": ("b_1", "b_2", "b_3"),
    }


def test_exogenous_factors_covary_with_controls_and_each_other() -> None:
    found = expand("measure a b\nb ~ p*a + q*g + r*a:g + X", WORDS)
    assert found.exogenous == ("a", "g", "a:g") and found.composites == ("g",)
    tail = found.text.splitlines()[-5:]
    assert tail == ["a ~ size + age", "g ~ size + age", "a:g ~ size + age", "a ~~ g + a:g", "g ~~ a:g"]


def test_without_observed_predictors_nothing_is_added() -> None:
    assert lines("measure a b\nb ~ p*a") == ["a =~ a_1 + a_2", "b =~ b_1 + b_2 + b_3", "b ~ p*a"]


def test_a_covariance_the_author_wrote_is_not_written_twice() -> None:
    assert lines("measure a b\ny ~ a + b + X\na ~~ 0*b")[-2:] == ["a ~ size + age", "b ~ size + age"]


def test_controls_named_already_or_defining_groups_are_dropped() -> None:
    found = expand("y ~ k*age + X\nz ~ X", WORDS, group="size")
    assert found.text.splitlines()[:2] == ["y ~ k*age", "z ~ age"]
    assert set(found.dropped) == {
        ("y", "age", "named in the equation"), ("y", "size", "defines the groups"), ("z", "size", "defines the groups"),
    }  # fmt: skip


def test_two_sets_in_one_equation_and_several_outcomes() -> None:
    assert lines("y + z ~ X")[0] == "y + z ~ size + age"
    assert expand("measure a\na ~ X", WORDS).exogenous == ()


def test_the_expanded_text_is_plain_lavaan_and_stays_as_it_is() -> None:
    text = expand("measure a b\nb ~ p*a + q*g + r*a:g + X", WORDS).text
    parse(text)
    assert expand(text, WORDS).text == text


@pytest.mark.parametrize("text", ["y ~ k*X", "y ~ a:X", "X ~ y", "f =~ X", "y ~~ X"])
def test_a_set_of_controls_is_only_a_term(text: str) -> None:
    with pytest.raises(ModelError) as caught:
        expand(text, WORDS)
    assert caught.value.code == "study.controls-misused"


def test_measure_is_a_line_and_not_a_reserved_name() -> None:
    assert lines("measure ~ y")[0] == "measure ~ y"
    with pytest.raises(ModelError) as caught:
        expand("measure", WORDS)
    assert caught.value.code == "study.measure-empty"


def test_an_equation_of_constant_controls_alone_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        expand("y ~ X", Vocabulary({}, (), {"X": ()}))
    assert caught.value.code == "study.controls-empty"
    assert expand("y ~ x + X", Vocabulary({}, (), {"X": ()})).text == "y ~ x"
