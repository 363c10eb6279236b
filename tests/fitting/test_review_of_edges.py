"""Saturated and under-identified fits, composites with equalities, and refusals whose remedy can be followed."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.estimate import fitmeasures as fm
from semkit.model import build_table, parse

TWO = "c <~ x1 + x2\nd <~ x3 + x4\nd ~ c"


def frame(n: int = 240, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4)) + 0.7 * rng.normal(size=(n, 1))
    return pd.DataFrame(x, columns=["x1", "x2", "x3", "x4"]).assign(g=np.where(np.arange(n) % 2, "a", "b"))


def test_score_test_with_composites_points_to_the_comparison() -> None:
    data = frame()
    equal = sk.sem(TWO, data, group="g", group_equal=["composite.weights"])
    for fit in (sk.sem(TWO, data), equal):
        with pytest.raises(sk.SemkitError, match=r"compare\(\)"):
            fit.score_test()
    assert sk.compare(sk.sem(TWO, data, group="g"), equal) is not None  # what it points to works


def test_effect_coding_leaves_composites_their_own_scale() -> None:
    table = build_table(parse(TWO), effect_coding=True)
    plain = build_table(parse(TWO))
    assert table.n_free == plain.n_free
    data = frame()
    coded, usual = sk.sem(TWO, data, effect_coding=True), sk.sem(TWO, data)
    assert coded.converged
    assert coded.fit_measures["chisq"] == pytest.approx(usual.fit_measures["chisq"], abs=1e-6)


def test_rounding_is_no_misfit_and_too_many_parameters_have_no_indices() -> None:
    assert fm.cfi(3e-12, 0, 1.2, 3) == 1.0  # both discrepancies are rounding
    assert fm.cfi(30.0, 10, 110.0, 20) == pytest.approx(1 - 20 / 90)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = sk.cfa("f =~ x1 + x2", frame())
        values = fit.fit_measures
    assert fit.solution.df == -1
    assert all(np.isnan(values[name]) for name in ("cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper"))


def test_refusals_name_what_can_be_done() -> None:
    data = frame()
    with pytest.raises(sk.SemkitError) as found:
        sk.Design(weights=data["x1"])  # type: ignore[arg-type]
    assert found.value.problems[0].code == "sample.design-column"
    items = data.assign(**{name: pd.qcut(data[name], 3, labels=False) for name in ("x1", "x2", "x3", "x4")})
    with pytest.raises(sk.SemkitError) as found:
        sk.cfa("f =~ x1 + x2 + x3 + x4", items, ordered=True).residual_summary()
    assert len(found.value.problems) == 1 and "bootstrap" not in str(found.value)


def test_respondents_without_group_are_not_called_gaps() -> None:
    data = frame()
    data.loc[:9, "g"] = None
    notes = sk.cfa("f =~ x1 + x2 + x3 + x4", data, group="g").notes
    text = next(str(note) for note in notes if note.code == "sample.listwise")
    assert "0 missing" not in text and "no group" in text
