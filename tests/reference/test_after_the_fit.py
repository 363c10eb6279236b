"""What follows a fit against lavaan: modification indices, residuals, scores, difference tests."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from tests.reference.harness import NUMBERS, find_data, load_case, run_case

CASES = ("lavaan/hs_cfa_ml", "lavaan/pd_sem")
SCORED = (*CASES, "lavaan/hs_second_order")
LADDER = ("configural", "metric", "scalar", "strict")


@cache
def fitted(name: str) -> tuple[dict[str, Any], Any]:
    case = load_case(name)
    path = find_data(case["data"])
    assert path is not None
    return case, run_case(case, pd.read_csv(path))


@pytest.mark.reference
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("block", ["modindices_all", "modindices_top20"])
def test_every_modification_index(name: str, block: str) -> None:
    case, fit = fitted(name)
    found = {(r["lhs"], r["op"], r["rhs"]): r for r in fit.modification_indices().to_dict("records")}
    for row in case[block]:
        ours = found[row["lhs"], row["op"], row["rhs"]]
        for key in ("mi", "epc", "sepc.lv", "sepc.all", "sepc.nox"):
            assert ours[key.replace(".", "_")] == pytest.approx(row[key], rel=1e-4, abs=1e-8), (row, key)
    defined = {key for key, row in found.items() if not row["reason"]}
    assert defined == {(r["lhs"], r["op"], r["rhs"]) for r in case["modindices_all"]}
    assert all(np.isnan(row["mi"]) for row in found.values() if row["reason"])


@pytest.mark.reference
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("block", "type"),
    [("raw", "raw"), ("cor_bollen", "cor"), ("cor_bentler", "cor.bentler"), ("normalized", "normalized"),
     ("standardized", "standardized")],
)
def test_every_residual(name: str, block: str, type: str) -> None:
    case, fit = fitted(name)
    wanted = case["residuals"][block]["cov"]
    ours = fit.residuals(type).loc[wanted["rows"], wanted["cols"]].to_numpy()
    np.testing.assert_allclose(ours, np.array(wanted["values"], dtype=float), rtol=1e-5, atol=1e-8)


@pytest.mark.reference
@pytest.mark.parametrize("name", SCORED)
@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_every_score(name: str, method: str) -> None:
    case, fit = fitted(name)
    if not isinstance(case["scores"].get(method), dict):
        with pytest.raises(sk.SemkitError, match="no indicators of its own"):
            fit.predict(method)
        return
    wanted = case["scores"][method]
    ours = fit.predict(method)[wanted["cols"]].to_numpy()
    np.testing.assert_allclose(ours, np.array(wanted["values"], dtype=float), rtol=1e-5, atol=1e-8)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("block", "suffix", "method"),
    [("ml", "", "auto"), ("mlr_sb2001", "_mlr", "auto"), ("mlr_sb2010", "_mlr", "satorra.bentler.2010")],
)
def test_every_difference_test(block: str, suffix: str, method: str) -> None:
    import json

    wanted = json.loads((NUMBERS / "lavaan/hs_mg_lrt.json").read_text(encoding="utf-8"))[block]
    fits = []
    for step in LADDER:
        name = f"lavaan/hs_mg_{step}{suffix}"
        if not (NUMBERS / f"{name}.json").exists():
            case, plain = fitted("lavaan/hs_mg_strict")
            path = find_data(case["data"])
            assert path is not None
            fits.append(run_case(case, pd.read_csv(path), estimator="mlr"))
            continue
        fits.append(fitted(name)[1])
    rel = 1e-3 if suffix else 1e-4
    frame = sk.compare(*reversed(fits), method=method, names=LADDER[::-1]).frame
    keys = {"Df": "df", "AIC": "aic", "BIC": "bic", "Chisq": "chisq", "Chisq diff": "chisq_diff",
            "Df diff": "df_diff", "Pr(>Chisq)": "pvalue", "RMSEA": "rmsea_diff"}
    for row, ours in zip(wanted, frame.to_dict("records"), strict=True):
        assert row["model"] == ours["model"]
        for key, column in keys.items():
            value = float("nan") if row[key] is None else row[key]
            assert ours[column] == pytest.approx(value, rel=rel, abs=1e-8, nan_ok=True), (row["model"], key)
