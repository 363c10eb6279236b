"""Estimator x groups x missing x weights x errors x test: every cell is a fit or a documented refusal."""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import SemkitError
from semkit.fitting.estimators import ESTIMATORS, RESIDUAL, SCALED

ROOT = Path(__file__).parents[2]
MODEL = "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9"
ERRORS = (None, "standard", "robust.sem", "robust.huber.white", "none")
TESTS = ("standard", *SCALED, *RESIDUAL)


@cache
def documented() -> str:
    return (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")


@cache
def data(missing: str) -> pd.DataFrame:
    name = "HS_missing10.csv" if missing != "listwise" else "HolzingerSwineford1939.csv"
    frame = pd.read_csv(ROOT / "tests" / "reference" / "data" / name)
    return frame.assign(w=np.random.default_rng(1).uniform(0.5, 2.0, len(frame)))


def refused(error: SemkitError) -> bool:
    return all(f"`{problem.code}`" in documented() and problem.what and problem.remedy for problem in error.problems)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("missing", ["listwise", "fiml", "two.stage"])
@pytest.mark.parametrize("estimator", list(ESTIMATORS))
def test_every_cell_is_a_fit_or_a_refusal(estimator: str, missing: str, weighted: bool) -> None:
    fits = 0
    for errors, test, grouped in product(ERRORS[: 2 if weighted else None], TESTS, (False, True)):
        options: dict[str, Any] = {"estimator": estimator, "missing": missing, "se": errors, "test": test}
        if weighted:
            options["design"] = sk.Design(weights="w")
        if grouped and "school" in data(missing):
            options |= {"group": "school", "group_equal": "loadings"}
        try:
            fit = sk.cfa(MODEL, data(missing), **options)
        except SemkitError as error:
            assert refused(error), (options, error)
            continue
        fits += 1
        assert fit.converged, options
        asked = fit.tests[test]
        assert np.isfinite(asked.stat) and (np.isfinite(asked.pvalue) or (test, estimator) == ("standard", "uls"))
        assert np.isfinite(fit.fit_measures["cfi"]) and fit.fit_measures["chisq"] > 0
        se = fit.estimates["se"].to_numpy()
        assert np.isnan(se).any() if errors == "none" else np.isfinite(se).all(), options
    complete = missing == "listwise"
    if weighted:
        offered = {"listwise": ("ml", "mlr", "mlm", "mlmv", "mlmvs"), "fiml": ("ml", "mlr"), "two.stage": ()}
        assert (fits > 0) == (estimator in offered[missing])
    elif complete:
        assert fits > 10
    if complete and estimator == "ml" and not weighted:
        assert fits == len(ERRORS) * len(TESTS) * 2  # nothing is refused there
