"""Arguments of the wrong kind are refused with the place, what is allowed and what to do; nothing else is raised."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import SemkitError

TWO = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6"


@cache
def pupils() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parents[1] / "reference" / "data" / "HolzingerSwineford1939.csv")


@cache
def fitted() -> Any:
    return sk.cfa(TWO, pupils())


WRONG: dict[str, tuple[Any, ...]] = {
    "test": (1, [1], "sb"), "group": (1, True, ["school"]), "group_equal": (1, True, ["x"]), "group_partial": (1,),
    "effect_coding": (3,), "auxiliary": (1,), "start": (5, {"visual =~ x2": "a"}, {"visual =~ x2": True}),
    "composites": (5, {"a": 1}), "design": ("w", 5, {"weights": "w"}), "nesting": (5,), "ordered": (5, [1]),
    "seed": ("a",), "bootstrap": ("10", -1, 1.5), "estimator": (1, ["ml"]), "interaction": (5,), "moments": (5,),
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_arguments_of_sem(name: str, value: Any) -> None:
    more = {"bootstrap": 2} if name == "seed" else {}
    with pytest.raises(SemkitError) as caught:
        sk.cfa(TWO, pupils(), **{name: value}, **more)
    assert all(problem.where and problem.what and problem.allowed for problem in caught.value.problems)


def test_all_wrong_arguments_are_told_at_once() -> None:
    with pytest.raises(SemkitError) as caught:
        sk.cfa(TWO, pupils(), group=1, design="w", start=5)
    assert [problem.where for problem in caught.value.problems] == ["group", "design", "start"]
    assert {problem.code for problem in caught.value.problems} == {"fitting.argument-kind"}


@pytest.mark.parametrize("model", [5, None, b"f =~ x1 + x2 + x3", ["f =~ x1"], TWO + "\n1 == 2", TWO + "\n2 > 1"])
def test_models_that_are_none(model: Any) -> None:
    with pytest.raises(SemkitError):
        sk.cfa(model, pupils())


@pytest.mark.parametrize("call", [
    lambda fit: fit.residuals("raw", "a"), lambda fit: fit.residuals("raw", 1), lambda fit: fit.wald(5),
    lambda fit: fit.effects(1, 2), lambda fit: fit.effects("visual", "textual", "a"), lambda fit: fit.to_lavaan(5),
    lambda fit: fit.bootstrap(2, seed="a"), lambda fit: fit.bootstrap(2, seed=-1), lambda fit: sk.compare(fit, 5),
    lambda fit: fit.to_lavaan("no/such/folder/a.R"), lambda fit: fit.to_mplus("no/such/folder/a.inp"),
    lambda fit: sk.nested(fit, 5), lambda fit: sk.Moments("a"), lambda fit: sk.Design(replicates="r"),
])  # fmt: skip
def test_arguments_after_the_fit(call: Callable[[Any], Any]) -> None:
    with pytest.raises(SemkitError) as caught:
        call(fitted())
    assert all(problem.where and problem.what and problem.allowed and problem.remedy
               for problem in caught.value.problems)


def test_names_may_come_in_any_container() -> None:
    data = pupils()
    one = sk.cfa(TWO, data, group="school", group_equal=np.array(["loadings"]), start={"visual =~ x2": np.float64(0.5)})
    other = sk.cfa(TWO, data, group="school", group_equal=("loadings",))
    assert one.fit_measures["chisq"] == pytest.approx(other.fit_measures["chisq"], abs=1e-6)


def test_an_unknown_name_that_resembles_nothing_has_a_remedy_too() -> None:
    for call in (lambda: sk.cfa("f =~ qqqqq + x1 + x2", pupils()), lambda: sk.cfa(TWO, pupils(), start={"zzz": 1.0}),
                 lambda: fitted().predict_y(["zzz"], ["x1"])):  # fmt: skip
        with pytest.raises(SemkitError) as caught:
            call()
        assert all(problem.remedy for problem in caught.value.problems)
