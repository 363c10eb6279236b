"""Robust RMSEA and CFI after full information do not depend on how a model is written (second order, covariate)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk

FIRST = "f1 =~ y1 + y2 + y3\nf2 =~ y4 + y5 + y6\nf3 =~ y7 + y8 + y9\ng =~ f1 + f2 + f3\n"


def simulated() -> pd.DataFrame:
    rng, n = np.random.default_rng(0), 200
    x = rng.normal(size=n)
    g = 0.4 * x + rng.normal(size=n)
    columns: list[np.ndarray] = []
    for f in range(3):
        e = 0.8 * g + 0.6 * rng.normal(size=n)
        for j in range(3):
            extra = 0.25 * columns[0] if f == 2 and j == 1 else 0.0
            columns.append(0.8 * e + 0.7 * rng.normal(size=n) + extra)
    data = np.column_stack([*columns, x])
    gone = rng.random(data.shape) < 0.1
    gone[:, [0, 9]] = False
    return pd.DataFrame(np.where(gone, np.nan, data), columns=[*(f"y{i}" for i in range(1, 10)), "x"])


@pytest.mark.parametrize("std_lv", [False, True])
@pytest.mark.parametrize("form", ["g ~ x", "xl =~ 1*x\nx ~~ 0*x\ng ~ xl"])
def test_with_a_random_covariate(form: str, std_lv: bool) -> None:
    if std_lv and "xl" in form:
        form += "\nxl ~~ NA*xl"
    fit = sk.sem(FIRST + form, simulated(), missing="fiml", estimator="mlr", fixed_x=False, std_lv=std_lv)
    # Zhang & Savalei (2023) evaluated by itself: EM, BFGS and numerical derivatives in plain numpy gave 0.0671319,
    # lavaan 0.6-14 (EM to 1e-14) that and the CFI with x as a single indicator, .0670772 and .9698479 with x observed
    assert fit.fit_measures["rmsea.robust"] == pytest.approx(0.0671319, abs=2e-6)
    assert fit.fit_measures["cfi.robust"] == pytest.approx(0.9698074, abs=2e-6)


def test_without_covariate() -> None:
    fit = sk.sem(FIRST, simulated(), missing="fiml", estimator="mlr")
    found = [fit.fit_measures[f"{name}.robust"] for name in ("rmsea", "cfi", "tli")]
    np.testing.assert_allclose(found, [0.0836348, 0.9642777, 0.9464166], atol=2e-6)  # lavaan 0.6-14, EM to 1e-14
