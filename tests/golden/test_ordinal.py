"""Ordinal and mixed models on our own data against R's lavaan 0.6-14 (``ordinal.R`` makes data and numbers).

That version stops on its own rule: estimates are good to about 1e-4 of their errors or 1e-5, which is what is compared.
Its residual measures of mixed models count other moments than 0.7's (and ours) and are left out; so are its robust
indices.
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
MODEL = "f =~ u1 + u2 + u3\nh =~ u4 + u5 + u6"
ALL = ["thresholds", "loadings", "intercepts"]
RESIDUAL = ("srmr", "crmr")
ORDINAL = ["u1", "u2", "u4", "u5"]
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "groups_configural": ("groups", MODEL, {"ordered": True, "group": "g"}),
    "groups_scalar": ("groups", MODEL, {"ordered": True, "group": "g", "group_equal": ALL}),
    "groups_scalar_theta": ("groups", MODEL, {"ordered": True, "group": "g", "group_equal": ALL,
                                              "parameterization": "theta"}),
    "groups_strict_theta": ("groups", MODEL, {"ordered": True, "group": "g", "group_equal": [*ALL, "residuals"],
                                              "parameterization": "theta"}),
    "mixed": ("mixed", MODEL, {"ordered": ORDINAL}),
    "mixed_covariates": ("mixed", MODEL + "\nf + h ~ w + z", {"ordered": ORDINAL}),
    "mixed_covariates_theta": ("mixed", MODEL + "\nf ~ w + z\nh ~ f + w",
                               {"ordered": ORDINAL, "parameterization": "theta"}),
    "mixed_pairwise": ("gaps", MODEL, {"ordered": ORDINAL, "missing": "pairwise"}),
    "skewed": ("skewed", MODEL, {"ordered": True}),
    "skewed_mvs": ("skewed", MODEL, {"ordered": True, "estimator": "wlsmvs"}),
}


@cache
def peer() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "ordinal.json").read_text(encoding="utf-8"))
    return found


@cache
def fitted(name: str) -> Any:
    data, model, options = CASES[name]
    return sk.sem(model, pd.read_csv(HERE / f"data/ordinal_{data}.csv"), **options)


def keyed(frame: pd.DataFrame, column: str) -> dict[str, float]:
    groups = {name: str(k) for k, name in enumerate(dict.fromkeys(frame["group"]), 1)}
    return {f"{row['lhs']} {row['op']} {row['rhs']} {groups[row['group']]}": float(row[column])
            for row in frame.to_dict("records")}


@pytest.mark.parametrize("name", CASES)
def test_estimates_and_errors(name: str) -> None:
    case, fit = peer()[name], fitted(name)
    est, se = keyed(fit.estimates, "est"), keyed(fit.estimates, "se")
    assert set(case["keys"]) <= set(est)
    for key, theirs, error in zip(case["keys"], case["est"], case["se"], strict=True):
        assert est[key] == pytest.approx(theirs, abs=max(2e-3 * error, 2e-4)), key
        assert se[key] == pytest.approx(error, rel=2e-3, abs=2e-5), key


@pytest.mark.parametrize("name", CASES)
def test_standardised_solution_and_its_errors(name: str) -> None:
    case, table = peer()[name], fitted(name).standardized()
    est, se = keyed(table, "est_std"), keyed(table, "se")
    for key, theirs, error in zip(case["std_keys"], case["std"], case["std_se"], strict=True):
        if " ~*~ " in key:
            continue  # 1 by definition
        assert est[key] == pytest.approx(theirs, abs=3e-4), key
        assert se[key] == pytest.approx(0.0 if error is None else error, rel=3e-3, abs=5e-5), key


@pytest.mark.parametrize("name", CASES)
def test_tests_and_indices(name: str) -> None:
    case, values = peer()[name], fitted(name).fit_measures
    for key, (theirs,) in ((key, value) for key, value in case["fit"].items() if value != [None]):
        if key in RESIDUAL and name.startswith("mixed"):
            continue
        assert values[key] == pytest.approx(theirs, rel=1e-3, abs=2e-5), key


def test_difference_test() -> None:
    """Their restriction is a least-squares solution (A.method = "delta"): equal to about a percent."""
    frame = sk.compare(fitted("groups_configural"), fitted("groups_scalar")).frame.iloc[1]
    wanted = peer()["lrt"]
    assert frame["df_diff"] == wanted["df"][0]
    assert frame["chisq_diff"] == pytest.approx(wanted["stat"][0], rel=0.03)


def test_theta_and_delta_agree_with_equal_thresholds() -> None:
    one, two = fitted("groups_scalar"), fitted("groups_scalar_theta")
    np.testing.assert_allclose(one.fit_measures, two.fit_measures, rtol=1e-6, atol=1e-8, equal_nan=True)
    left, right = one.standardized(), two.standardized()
    np.testing.assert_allclose(left["est_std"], right["est_std"], atol=1e-6)
