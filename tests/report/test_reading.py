"""Readers: from the records of other rooms to the parts of a report."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.report import read_fit, read_flow, read_validation, read_verdicts
from semkit.report.wording import answer
from semkit.verdict import Claim, Part, judge
from semkit.verdict.records import GateCheck


def cleaned(reasons: list[str]) -> SimpleNamespace:
    flow = pd.DataFrame(
        [("received", 0, 20), ("duplicates", 2, 18), ("no consent", 0, 18), ("screening", 1, 17), ("careless", 3, 14),
         ("analysed", 0, 14)], columns=["step", "removed", "remaining"],
    )  # fmt: skip
    ledger = pd.DataFrame({"rule": "careless", "action": "excluded", "value": reasons})
    return SimpleNamespace(flow=flow, ledger=ledger)


def test_flow_keeps_every_count_and_tells_why_the_careless_left() -> None:
    flow = read_flow(cleaned(["attention + speed", "missing", "speed + reverse"]), [("M1", 13)])
    assert [(s.label, s.count) for s in flow.steps] == [
        ("Records received", 20), ("Distinct submissions", 18), ("Eligible", 17), ("Analysed", 14)
    ]  # fmt: skip
    assert [sum(n for _, n in s.left) for s in flow.steps] == [0, 2, 1, 3]
    assert len(flow.steps[-1].left) == 3
    assert flow.branches == (("M1", 13),)


def test_flow_without_a_full_ledger_says_careless_only() -> None:
    assert read_flow(cleaned(["attention + speed"])).steps[-1].left == (("careless answers", 3),)


def test_validation_takes_robust_fit_and_adds_composites() -> None:
    found = SimpleNamespace(
        constructs=pd.DataFrame({"construct": ["a"], "label": ["A"], "items": [3], "n": [9], "alpha": [0.8]}),
        composites=pd.DataFrame({"construct": ["c"], "label": ["C"], "parts": [2], "n": [8],
                                 "stratified_alpha": [0.9]}),
        htmt=pd.DataFrame(), items=pd.DataFrame({"item": ["a1"], "n": [9]}), notes=(),
        fit=pd.DataFrame({"model": ["m"], "cfi": [0.9], "cfi_robust": [0.95], "rmsea": [0.1],
                          "rmsea_robust": [math.nan]}),
    )  # fmt: skip
    part = read_validation(found)
    assert part.constructs["alpha"].tolist() == [0.8, 0.9]
    assert part.constructs["label"].tolist()[1].startswith("C (composite of 2")
    assert (part.fit["cfi"].iloc[0], part.fit["rmsea"].iloc[0]) == (0.95, 0.1)


@pytest.fixture(scope="module")
def result() -> Any:
    rng = np.random.default_rng(8)
    x, w = rng.normal(size=(2, 250))
    frame = pd.DataFrame({"x": x, "w": w, "y": 0.4 * x + 0.3 * x * w + rng.normal(size=250)})
    return sk.moderated_regression(frame, "y", "x", "w")


def test_standardised_numbers_are_the_contracts(result: Any) -> None:
    part = read_fit(result, "M")
    row = part.estimates[part.estimates["rhs"] == "x:w"].iloc[0]
    at = result.names.index(result.product)
    assert row["std_all"] == pytest.approx(float(result.std_est[at]))
    assert row["std_ci_lower"] < row["std_all"] < row["std_ci_upper"]
    assert (part.nobs_received, part.nobs) == (250, 250)


def claim(delta: float, direction: str = "+") -> Claim:
    return Claim("H", {"en": "x by w", "id": "x oleh w"}, "f", "R-PATH",
                 (Part("H.0", "M", "y ~ x:w", direction, delta, about="product"),))  # type: ignore[arg-type]  # fmt: skip


def test_every_outcome_has_its_own_plain_answer(result: Any) -> None:
    gate = GateCheck("G1", False, 250.0, 300.0, "n", "respondents used by the model")
    cases = {
        "supported": (claim(0.05), {}), "contradicted": (claim(0.05, "-"), {}), "inconclusive": (claim(5.0), {}),
        "not_testable": (claim(0.05), {"M": (gate,)}),
    }  # fmt: skip
    starts = {"supported": "Yes.", "contradicted": "No.", "inconclusive": "Not decided.",
              "not_testable": "These data cannot"}  # fmt: skip
    for verdict, (one, gates) in cases.items():
        read = read_verdicts(judge([one], {"M": result}, gates))[0]
        assert read.verdict == verdict
        assert answer(read).startswith(starts[verdict])
        assert (read.statement, read.statement_local, read.local_language) == ("x by w", "x oleh w", "id")
    assert read.gates[0].what == "respondents used by the model, at least 300" and read.gates[0].value == "250"
