"""The ladder of measurement invariance against the reference and against fits made one by one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk

ROOT = Path(__file__).parents[1]
MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
EQUAL = {"configural": [], "metric": ["loadings"], "scalar": ["loadings", "intercepts"],
         "strict": ["loadings", "intercepts", "residuals"]}  # fmt: skip


@pytest.fixture(scope="module")
def schools() -> pd.DataFrame:
    return pd.read_csv(ROOT / "reference" / "data" / "HolzingerSwineford1939.csv")


@pytest.mark.parametrize(("estimator", "block"), [("ml", "ml"), ("mlr", "mlr_sb2001")])
def test_the_ladder_agrees_with_the_reference(schools: pd.DataFrame, estimator: str, block: str) -> None:
    peer = json.loads((ROOT / "reference" / "numbers" / "lavaan" / "hs_mg_lrt.json").read_text(encoding="utf-8"))
    ladder = sk.invariance(MODEL, schools, group="school", estimator=estimator)
    assert ladder.frame["step"].tolist() == [row["model"] for row in peer[block]]
    for row, own in zip(peer[block], ladder.frame.itertuples(), strict=True):
        assert own.df == row["Df"]
        if row["Chisq diff"] is not None:
            assert own.chisq_diff == pytest.approx(row["Chisq diff"], rel=1e-4)
            assert own.df_diff == row["Df diff"] and own.pvalue_diff == pytest.approx(row["Pr(>Chisq)"], rel=1e-3)


@pytest.mark.parametrize("options", [{"estimator": "mlr"}, {"std_lv": True}, {"missing": "fiml"}])
def test_every_step_is_the_fit_made_alone(schools: pd.DataFrame, options: dict[str, Any]) -> None:
    data = schools.copy()
    if "missing" in options:
        data.loc[::7, "x2"] = np.nan
    ladder = sk.invariance(MODEL, data, group="school", **options)
    for step, equal in EQUAL.items():
        alone, own = sk.cfa(MODEL, data, group="school", group_equal=equal, **options), ladder.fits[step]
        assert own.names == alone.names
        np.testing.assert_allclose(own.est, alone.est, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(own.vcov, alone.vcov, rtol=1e-5, atol=1e-9)
        for name in alone.fit_measures.index:
            assert own.fit_measures[name] == pytest.approx(alone.fit_measures[name], rel=1e-6, abs=1e-8), name
    tests = sk.compare(*ladder.fits.values()).frame
    np.testing.assert_allclose(ladder.frame["pvalue_diff"][1:], tests["pvalue"][1:], rtol=1e-9)


def test_verdicts(schools: pd.DataFrame) -> None:
    frame = sk.invariance(MODEL, schools, group="school").frame.set_index("step")
    assert frame["by_test"].tolist() == ["", "holds", "fails", "fails"]
    assert frame["by_change"].tolist() == ["", "holds", "fails", "holds"]
    assert frame["verdict"].tolist() == ["", "holds", "fails", "unclear"]
    assert frame.loc["scalar", "cfi_diff"] == pytest.approx(frame.loc["scalar", "cfi"] - frame.loc["metric", "cfi"])
    assert sk.invariance(MODEL, schools, group="school").reached == "metric"


def test_partial_invariance(schools: pd.DataFrame) -> None:
    free = ["x3~1", "x7~1"]
    ladder = sk.invariance(MODEL, schools, group="school", partial=free)
    alone = sk.cfa(MODEL, schools, group="school", group_equal=EQUAL["scalar"], group_partial=free)
    assert ladder.frame.loc[2, "chisq"] == pytest.approx(alone.fit_measures["chisq"], rel=1e-8)
    assert ladder.frame.loc[2, "df_diff"] == 4 and ladder.frame.loc[2, "verdict"] == "holds"
    named = sk.invariance(MODEL, schools, group="school", partial={"scalar": free})
    pd.testing.assert_frame_equal(named.frame, ladder.frame)


def test_invariance_that_was_planted_is_found_and_a_shift_is_found_out() -> None:
    rng = np.random.default_rng(2)
    f = rng.normal(size=(1000, 1)) * np.repeat([1.0, 1.3], 500)[:, None] + np.repeat([0.0, 0.5], 500)[:, None]
    y = f * [1.0, 0.8, 0.9, 0.7] + 0.6 * rng.normal(size=(1000, 4))
    data = pd.DataFrame(y, columns=list("abcd")).assign(g=np.repeat(["u", "v"], 500))
    model = "f =~ a + b + c + d"
    steps = ("configural", "metric", "scalar", "strict", "variances", "means")
    equal = sk.invariance(model, data, group="g", steps=steps)
    assert equal.reached == "strict" and equal.frame["verdict"].tolist()[4] == "fails"
    data.loc[data["g"] == "v", "c"] += 0.5
    shifted = sk.invariance(model, data, group="g")
    assert shifted.reached == "metric"
    assert sk.invariance(model, data, group="g", partial="c~1").reached == "strict"


def test_no_step_goes_wrong_in_silence(schools: pd.DataFrame) -> None:
    for arguments, code in (
        ({"steps": ["metric", "configural"]}, "fitting.invariance-step"),
        ({"steps": ["weak"]}, "fitting.invariance-step"),
        ({"partial": {"strong": ["x1~1"]}}, "fitting.invariance-partial"),
        ({"partial": ["x1~1", "x99~1"]}, "model.group-partial"),
        ({"group_equal": "loadings"}, "arguments.unknown"),
        ({"bootstrap": 100}, "fitting.not-supported"),
        ({"steps": ["configural", "thresholds"]}, "fitting.invariance-step"),
    ):
        with pytest.raises(sk.SemkitError) as caught:
            sk.invariance(MODEL, schools, group="school", **arguments)  # type: ignore[arg-type]
        assert caught.value.problems[0].code == code
    with pytest.raises(sk.SemkitError, match="one group only"):
        sk.invariance(MODEL, schools.assign(one="a"), group="one")


def test_ordinal_items_have_a_step_for_thresholds() -> None:
    data = pd.read_csv(ROOT / "reference" / "data" / "HS_ordinal5.csv")
    items = [f"x{k}" for k in range(1, 10)]
    ladder = sk.invariance(MODEL, data, group="school", ordered=items)
    steps = ["configural", "thresholds", "metric", "scalar", "strict"]
    assert ladder.frame["step"].tolist() == steps
    equal: list[str] = []
    for step, name in zip(steps, ["", "thresholds", "loadings", "intercepts", "residuals"], strict=True):
        equal += [name] if name else []
        alone = sk.cfa(MODEL, data, group="school", group_equal=equal, ordered=items, parameterization="theta")
        np.testing.assert_allclose(ladder.fits[step].est, alone.est, rtol=1e-6, atol=1e-7)
        assert ladder.frame.set_index("step").loc[step, "chisq"] == pytest.approx(
            alone.fit_measures["chisq.scaled"], rel=1e-7)
    tests = sk.compare(*ladder.fits.values()).frame
    np.testing.assert_allclose(ladder.frame["pvalue_diff"][1:], tests["pvalue"][1:], rtol=1e-9)
    delta = sk.invariance(MODEL, data, group="school", ordered=items, parameterization="delta")
    np.testing.assert_allclose(delta.frame["chisq"], ladder.frame["chisq"][:4], rtol=1e-6)


def test_it_reads_well(schools: pd.DataFrame) -> None:
    assert "reached: metric" in repr(sk.invariance(MODEL, schools, group="school"))
