"""Ordinal estimator x groups x missing x weights x parameterisation: every cell is a fit or a documented refusal."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import SemkitError
from tests.fitting.test_matrix import refused

MODEL = "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9"
ITEMS = ("x1", "x2", "x3", "x7", "x8", "x9")
NAMES = ("wlsmv", "wlsm", "wlsmvs", "dwls", "ulsmv", "ulsm", "ulsmvs", "uls", "wls")


def data(missing: str) -> pd.DataFrame:
    frame = pd.read_csv(Path(__file__).parents[1] / "reference" / "data" / "HS_ordinal5.csv")
    rng = np.random.default_rng(1)
    for name in ITEMS:
        frame[name] = np.minimum(frame[name], 4)
        if missing != "listwise":
            frame[name] = frame[name].mask(rng.random(len(frame)) < 0.05)
    return frame.assign(w=rng.uniform(0.5, 2.0, len(frame)))


@pytest.mark.parametrize("missing", ["listwise", "pairwise", "fiml", "two.stage"])
@pytest.mark.parametrize("estimator", NAMES)
def test_every_ordinal_cell_is_a_fit_or_a_refusal(estimator: str, missing: str) -> None:
    frame, fits = data(missing), 0
    for grouped, weighted, kind in product((False, True), (False, True), ("delta", "theta")):
        options: dict[str, Any] = {"estimator": estimator, "missing": missing, "parameterization": kind}
        options |= {"group": "school", "group_equal": "loadings"} if grouped else {}
        options |= {"design": sk.Design(weights="w")} if weighted else {}
        try:
            fit = sk.cfa(MODEL, frame, ordered=ITEMS, **options)
        except SemkitError as error:
            assert refused(error), (options, error)
            continue
        fits += 1
        assert fit.converged and np.isfinite(fit.estimates["se"]).all(), options
        assert np.isfinite(fit.fit_measures["chisq"]) and np.isfinite(fit.fit_measures["cfi"]), options
    # nothing is refused without weights where answers are taken pair by pair or respondent by respondent
    assert fits == (4 if missing in ("listwise", "pairwise") else 0)
