"""What the first lines of a printed fit say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import OptionError


def answers() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(300, 1)) + rng.normal(size=(300, 4)), columns=list("abcd"))
    return data.assign(g=np.repeat(["north", "south"], [140, 160]))


def header(model: str, **options: Any) -> list[str]:
    return repr(sk.cfa(model, answers(), **options)).split("\n")


def test_the_plain_and_the_corrected_statistic_have_their_names() -> None:
    fit = sk.cfa("f =~ a + b + c + d", answers(), estimator="mlr")
    values, lines = fit.fit_measures, repr(fit).split("\n")
    assert lines[1] == f"chisq(2) = {values['chisq']:.3f}, p = {values['pvalue']:.4f} (uncorrected)"
    assert lines[2].startswith(f"Yuan-Bentler correction (Mplus variant): chisq(2) = {values['chisq.scaled']:.3f}")
    assert lines[3].startswith(f"robust CFI = {values['cfi.robust']:.3f}")


def test_indices_without_a_correction_have_no_other_name() -> None:
    assert header("f =~ a + b + c + d")[2].startswith("CFI = ")


def test_constrained_parameters_count_once() -> None:
    assert header("f =~ a + w*b + w*c + w*d")[0].endswith("6 parameters (2 equality constraints)")
    assert header("f =~ a + b + c + d")[0].endswith(" 8 parameters")


def test_respondents_and_groups_are_counted() -> None:
    assert "300 respondents used of 300 (groups of 140 and 160)" in header("f =~ a + b + c + d", group="g")[0]


@pytest.mark.parametrize("estimator", ["ml", "mlr"])
def test_a_saturated_model_has_no_p(estimator: str) -> None:
    top = "\n".join(header("f =~ a + b + c", estimator=estimator)[:4])
    assert "no p" in top and "nan" not in top and "-0.000" not in top


@pytest.mark.parametrize("word", ["cluster", "weights", "sampling_weights"])
def test_a_survey_design_is_asked_for_in_one_place(word: str) -> None:
    with pytest.raises(OptionError, match=r"design=sk\.Design\("):
        header("f =~ a + b + c", **{word: "g"})
