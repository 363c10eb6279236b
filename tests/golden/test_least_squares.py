"""Estimators and tests against R's lavaan 0.6-14 (``least_squares.R`` makes the numbers).

That version differs from 0.7 in the index it calls gfi and under ULS; the rest is the same, up to the place where its
optimiser stopped (it was told to go on to the last digits).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = json.loads((HERE / "least_squares.json").read_text(encoding="utf-8"))["cases"]
# LISREL's index under another name, its derivatives, and p below that version's precision
OTHER_NAMES = {"gfi": "gfi_lisrel", "agfi": "agfi_lisrel"}
# undefined there where the corrected baseline has fewer degrees of freedom than the model
WITHOUT = {"rfi.scaled", "nfi.scaled"}


# what one name stands for there
ROBUST_ULS = {"ULSM": "satorra.bentler", "ULSMV": "scaled.shifted", "ULSMVS": "mean.var.adjusted"}


@cache
def fitted(name: str) -> Any:
    case = next(case for case in CASES if case["name"] == name)
    options = {key.replace(".", "_"): value.lower() if key == "estimator" else value
               for key, value in case["args"].items()}
    if test := ROBUST_ULS.get(case["args"].get("estimator", "ML")):
        options |= {"estimator": "uls", "se": "robust.sem", "test": test}
    return sk.cfa(case["model"], pd.read_csv(HERE.parent / "reference" / "data" / case["data"]), **options)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_estimates_and_errors_agree(case: dict[str, Any]) -> None:
    table = fitted(case["name"]).estimates
    table = table[(table["op"] != ":=") & (table["op"] != "==")]
    assert [f"{a} {op} {b}".strip() for a, op, b in zip(table["lhs"], table["op"], table["rhs"])] == [
        key.strip() for key in case["keys"]]
    se = np.array(case["se"], dtype=float)
    np.testing.assert_allclose(table["se"], se, rtol=2e-4, atol=1e-7)
    gap = np.abs(table["est"].to_numpy() - np.array(case["est"], dtype=float))
    assert np.all(gap <= 2e-4 * se + 1e-6)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_tests_and_measures_agree(case: dict[str, Any]) -> None:
    fit = fitted(case["name"])
    for name, row in case["tests"].items():
        for key, value in row.items():
            if value is not None:
                assert getattr(fit.tests[name], key) == pytest.approx(value, rel=2e-4), (name, key)
    for name, value in case["fit"].items():
        name = OTHER_NAMES.get(name, name)
        if name in WITHOUT or value is None:
            continue
        if fit.solution.options.conditional_x and name.split("_")[0] in ("rmr", "srmr", "crmr", "gfi", "agfi", "pgfi"):
            continue  # other definitions there than in 0.7
        ours = fit.fit_measures[name]
        if name.startswith("rfi") and ours < 0:
            assert value == 1.0  # its rule for negative values
        elif value != 0 or ours > 1e-12:
            assert ours == pytest.approx(value, rel=5e-4, abs=1e-6), name
