"""What follows a fit against lavaan: modification indices, residuals, scores, difference tests."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.fitting.comparison import _moved, reproduce
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
    scores = case["scores"] if method in case["scores"] else {"regression": case["scores"]}
    if method not in scores:
        with pytest.raises(sk.SemkitError, match="no indicators of its own"):
            fit.predict(method)
        return
    wanted = scores[method]
    ours = fit.predict(method)[wanted["cols"]].to_numpy()
    np.testing.assert_allclose(ours, np.array(wanted["values"], dtype=float), rtol=1e-5, atol=1e-8)


@cache
def ladder(robust: bool) -> tuple[Any, ...]:
    """Configural, metric, scalar and strict fits."""
    out = []
    for step in LADDER:
        case = load_case(f"lavaan/hs_mg_{step}")
        path = find_data(case["data"])
        assert path is not None
        out.append(run_case(case, pd.read_csv(path), **({"estimator": "mlr"} if robust else {})))
    return tuple(out)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("block", "robust", "method"),
    [("ml", False, "auto"), ("mlr_sb2001", True, "auto"), ("mlr_sb2010", True, "satorra.bentler.2010")],
)
def test_every_difference_test(block: str, robust: bool, method: str) -> None:
    wanted = json.loads((NUMBERS / "lavaan/hs_mg_lrt.json").read_text(encoding="utf-8"))[block]
    rel = 1e-3 if robust else 1e-4
    frame = sk.compare(*reversed(ladder(robust)), method=method, names=LADDER[::-1]).frame
    keys = {"Df": "df", "AIC": "aic", "BIC": "bic", "Chisq": "chisq", "Chisq diff": "chisq_diff",
            "Df diff": "df_diff", "Pr(>Chisq)": "pvalue", "RMSEA": "rmsea_diff"}
    for row, ours in zip(wanted, frame.to_dict("records"), strict=True):
        assert row["model"] == ours["model"]
        for key, column in keys.items():
            if (block, row["model"]) == ("mlr_sb2010", "scalar") and key in ("Chisq diff", "Pr(>Chisq)", "RMSEA"):
                continue  # see the test below
            value = float("nan") if row[key] is None else row[key]
            assert ours[column] == pytest.approx(value, rel=rel, abs=1e-8, nan_ok=True), (row["model"], key)


@pytest.mark.reference
def test_the_scalar_row_of_2010_is_the_peers_transfer_by_name() -> None:
    """The peer moves the restricted estimates into the larger model by name and warns.

    The scalar model has free latent means that the metric one has not, so the larger model is not at the moments the
    restricted one implies.  With that transfer its number comes out; semkit takes the parameters that reproduce them.
    """
    _, larger, restricted, _ = ladder(True)
    same = reproduce(larger, restricted)
    assert same is not None
    for ours, theirs in zip(same.implied, restricted.solution.implied, strict=True):
        np.testing.assert_allclose(ours.sigma, theirs.sigma, atol=1e-6)
        np.testing.assert_allclose(ours.mu, theirs.mu, atol=1e-6)
    table, other = larger.table, restricted.table
    value = {(other.lhs[i], other.op[i], other.rhs[i], int(other.block[i])): restricted._rows.value[0, i]
             for i in range(len(other))}
    theta = np.zeros((1, table.n_unique))
    for k, row in enumerate(table.free_rows):
        theta[0, table.unique[k]] = value[table.lhs[row], table.op[row], table.rhs[row], int(table.block[row])]
    named = _moved(larger, replace(same, minimum=replace(same.minimum, x=theta)), "yuan.bentler.mplus")
    scaling = (restricted.tests["yuan.bentler.mplus"].trace - named.trace) / 6
    wanted = json.loads((NUMBERS / "lavaan/hs_mg_lrt.json").read_text(encoding="utf-8"))["mlr_sb2010"][2]["Chisq diff"]
    assert (restricted.solution.stat - larger.solution.stat) / scaling == pytest.approx(wanted, rel=1e-3)


@pytest.mark.reference
def test_effects_are_the_definitions_of_the_model_text() -> None:
    """Direct, indirect and total effect of X on Y without naming them: the := rows of the mediation case."""
    case, fit = fitted("lavaan/mediation_defined")
    wanted = {row["lhs"]: row for row in case["estimates"] if row["op"] == ":="}
    table = fit.effects("X", "Y").set_index("path")
    pairs = {"ind1": "X -> M1 -> Y", "ind2": "X -> M1 -> M2 -> Y", "indtot": "X -> Y (indirect)",
             "total": "X -> Y (all)"}
    for name, path in pairs.items():
        for column in ("est", "se", "pvalue"):
            assert table.loc[path, column] == pytest.approx(wanted[name][column], rel=1e-4, abs=1e-10), (name, column)
