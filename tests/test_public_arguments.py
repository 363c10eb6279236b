"""Wrong arguments of every public function: an error with what is missing, what is allowed and the nearest name."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pandas as pd
import pytest

import semkit as sk
from semkit.errors import OptionError, argument_problems, checked

FUNCTIONS = [name for name in sk.__all__ if inspect.isfunction(getattr(sk, name))]
QUESTIONS = ["CleaningPlan", "Composite", "Design", "LMS", "Moments", "ProductIndicators", "QML", "Replicates", "SAM"]


def parameters(name: str) -> list[inspect.Parameter]:
    return list(inspect.signature(getattr(sk, name)).parameters.values())


def required(name: str) -> list[str]:
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [one.name for one in parameters(name) if one.default is inspect.Parameter.empty and one.kind not in kinds]


def test_every_function_is_looked_at() -> None:
    assert len(FUNCTIONS) >= 24 and {"sem", "cfa", "probe", "run", "clean"} <= set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS + QUESTIONS)
def test_a_misspelled_argument_is_named_with_the_nearest(name: str) -> None:
    named = [one for one in parameters(name) if one.kind.name in ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")]
    if any(one.kind.name == "VAR_KEYWORD" for one in parameters(name)):
        wrong, meant = "estimater", "estimator"
    else:
        meant = max((one.name for one in named), key=len)
        wrong = f"{meant[:-1]}qq"
    fill: dict[str, Any] = dict.fromkeys(required(name))
    if name in ("cfa", "growth", "invariance", "compare_methods"):
        fill |= {"model": "f =~ x1 + x2 + x3", "data": pd.DataFrame()}
    with pytest.raises(OptionError) as caught:
        getattr(sk, name)(**{key: value for key, value in fill.items() if key != meant}, **{wrong: 1})
    problem = next(one for one in caught.value.problems if one.code == "arguments.unknown")
    assert problem.where == f"{wrong}=" and meant in problem.allowed.split(", ")
    assert problem.remedy == f'Did you mean "{meant}"?'


@pytest.mark.parametrize("name", [name for name in FUNCTIONS + QUESTIONS if required(name)])
def test_what_is_missing_is_named_all_at_once(name: str) -> None:
    with pytest.raises(OptionError) as caught:
        getattr(sk, name)()
    assert [one.what for one in caught.value.problems] == [f"needs {missing}=" for missing in required(name)]
    assert {one.code for one in caught.value.problems} == {"arguments.missing"}
    assert all(one.where == f"{name}()" for one in caught.value.problems)


def test_calls_that_were_python_errors() -> None:
    with pytest.raises(OptionError, match="needs group="):
        sk.invariance("f =~ x1 + x2 + x3", pd.DataFrame())
    with pytest.raises(OptionError, match="needs n="):
        sk.simulate_model("y ~ 0.5*x")
    with pytest.raises(OptionError, match='Did you mean "weights"') as caught:
        sk.Design(weigths="w")
    assert caught.value.code == "arguments.unknown"
    with pytest.raises(OptionError) as caught:
        sk.sem("y ~ x", pd.DataFrame(), "mlr")
    assert caught.value.code == "arguments.too-many" and "2 have a place" in str(caught.value)
    with pytest.raises(OptionError) as caught:
        sk.sem("y ~ x", model="y ~ z")
    assert caught.value.code == "arguments.twice"
    with pytest.raises(OptionError, match="is set by the methods"):
        sk.compare_methods("y ~ a + b + a:b", pd.DataFrame(), interaction="lms")


def test_errors_from_within_stay_what_they_are() -> None:
    @checked
    def inner(value: Any) -> Any:
        return len(value)

    with pytest.raises(TypeError, match="has no len"):
        inner(3)
    assert inner("abc") == 3 and inner.__name__ == "inner" and argument_problems(inner, (1,), {}) == []


def test_the_door_changes_nothing_else() -> None:
    assert sk.sem.__doc__ and inspect.signature(sk.sem).parameters["estimator"].default is None
    design = sk.Design(weights="w")
    assert copy.deepcopy(design) == design and "weights" in inspect.signature(sk.Design).parameters
