"""What ``docs/non-goals.md`` says is refused is refused, with the code it names and a way out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "non-goals.md").read_text(encoding="utf-8")
rng = np.random.default_rng(1)
trait = rng.normal(size=(200, 1))
DATA = pd.DataFrame(0.8 * trait + 0.6 * rng.normal(size=(200, 7)), columns=["x1", "x2", "x3", "y1", "y2", "y3", "w"])
DATA = DATA.assign(weight=1.0 + rng.uniform(size=200), place=rng.choice(["a", "b"], 200))
CODES = DATA.assign(**{name: np.digitize(DATA[name], [-0.7, 0.7]) for name in ("x1", "x2", "x3", "y1", "y2", "y3")})
ONE = "f =~ x1 + x2 + x3"
MODERATED = ONE + "\ng =~ y1 + y2 + y3\nw ~ f + g + f:g"
WEIGHTED = sk.Design(weights="weight")
COMPOSITE = sk.Composite(parts=("x1", "x2"), items={"x1": ("x1",), "x2": ("x2",)}, reliability=0.8)


def ask(model: str, data: pd.DataFrame = DATA, **options: Any) -> Callable[[], Any]:
    return lambda: sk.sem(model, data, **options)


CASES: dict[str, tuple[str, Callable[[], Any]]] = {
    "level": ("model.not-supported", ask(f"level: 1\n{ONE}")),
    "rv": ("model.not-supported", ask('y1 ~ rv("s")*x1')),
    "class": ("model.not-supported", ask(f"class: 1\n{ONE}")),
    "efa": ("model.not-supported", ask('efa("a")*f =~ x1 + x2 + x3')),
    "prior": ("model.not-supported", ask('y1 ~ prior("normal(0,1)")*x1')),
    "bayes": ("fitting.not-supported", ask(ONE, estimator="bayes")),
    "pml": ("fitting.not-with-ordinal", ask(ONE, CODES, estimator="pml", ordered=True)),
    "pairwise numbers": ("fitting.not-supported", ask(ONE, missing="pairwise")),
    "different groups": ("model.groups-differ", ask(f"group: a\n{ONE}\ngroup: b\nf =~ x1 + x2 + y1", group="place")),
    "ordinal lms": ("fitting.not-with-ordinal", ask(MODERATED, CODES, ordered=["x1", "x2", "x3"], interaction="lms")),
    "ordinal products": ("fitting.not-with-ordinal", ask(MODERATED, CODES, ordered=["x1", "x2", "x3"])),
    "ordinal fiml": ("fitting.not-with-ordinal", ask(ONE, CODES, ordered=True, missing="fiml")),
    "ordinal auxiliary": ("fitting.not-with-ordinal", ask(ONE, CODES, ordered=True, auxiliary=["w"])),
    "ordinal bounds": ("fitting.not-with-ordinal", ask(ONE, CODES, ordered=True, bounds="pos.ov.var")),
    "ordinal bca": ("fitting.bootstrap-kind", lambda: sk.sem(ONE, CODES, ordered=True).bootstrap(5, ci="bca")),
    "turned gaps": ("fitting.bootstrap-kind", ask(ONE, missing="fiml", test="bollen.stine")),
    "normal products": ("fitting.bootstrap-kind", lambda: sk.sem(MODERATED, DATA).bootstrap(5, kind="parametric")),
    "srmr fiml": ("fitting.no-residual-summary", lambda: sk.sem(ONE, DATA, missing="fiml").residual_summary()),
    "swain groups": ("fitting.no-small-sample-correction", ask(ONE, group="place", test="swain")),
    "gls design": ("fitting.not-with-design", ask(ONE, design=WEIGHTED, estimator="gls")),
    "wls fiml": ("fitting.not-with-fiml", ask(ONE, estimator="wls", missing="fiml")),
    "composite fiml": ("fitting.not-with-fiml", ask("y1 ~ c", missing="fiml", composites={"c": COMPOSITE})),
    "two-stage bootstrap": ("fitting.not-with-two-stage", ask(ONE, missing="two.stage", bootstrap=10)),
    "2sls fiml": ("fitting.not-with-2sls", ask(MODERATED, missing="fiml", interaction="2sls")),
    "2sls alone": ("fitting.too-few-instruments",
                   ask(MODERATED.replace("x1 + x2 + x3", "x1\nx1 ~~ 0.2*x1"), interaction="2sls")),
    "three factors": ("interaction.three-way", ask(
        MODERATED.replace("x1 + x2 + x3", "x1\nx1 ~~ 0.2*x1").replace("w ~", "weight ~") + " + w + f:w + g:w + f:g:w")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refused_with_a_way_out(name: str) -> None:
    code, make = CASES[name]
    with pytest.raises(NotSupportedError) as caught:
        make()
    assert code in {problem.code for problem in caught.value.problems}
    assert all(problem.remedy for problem in caught.value.problems)


def test_the_page_names_the_codes_that_are_tried() -> None:
    assert set(re.findall(r"`([a-z]+\.[a-z0-9-]+)`", PAGE)) - {"two.stage"} == {code for code, _ in CASES.values()}


@pytest.mark.parametrize("name", ["efa", "impute", "pls", "fsqca", "nca"])
def test_what_is_not_there_yet_is_not_there(name: str) -> None:
    """When one of these arrives the page has to say so."""
    assert name not in {public.lower() for public in sk.__all__}
