"""Ordinal estimator x groups x missing x design x test: every cell is a fit or a documented refusal."""

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
TESTS = (None, "satorra.bentler", "scaled.shifted", "mean.var.adjusted", "none")
CLUSTERED = sk.Design(weights="w", strata="stratum", cluster="unit")
DESIGNS = {"none": None, "weights": sk.Design(weights="w"), "clusters": CLUSTERED,
           "replicates": sk.Design(weights="w", replicates=sk.Replicates(tuple(f"r{k}" for k in range(20)), "BRR"))}
NAMES = ("wlsmv", "wlsm", "wlsmvs", "dwls", "ulsmv", "ulsm", "ulsmvs", "uls", "wls")


def data(missing: str) -> pd.DataFrame:
    frame = pd.read_csv(Path(__file__).parents[1] / "reference" / "data" / "HS_ordinal5.csv")
    rng = np.random.default_rng(1)
    for name in ITEMS:
        frame[name] = np.minimum(frame[name], 4)
        if missing != "listwise":
            frame[name] = frame[name].mask(rng.random(len(frame)) < 0.05)
    count = np.arange(len(frame))
    frame = frame.assign(w=rng.uniform(0.5, 2.0, len(frame)), stratum=count % 20, unit=count % 40)
    half = rng.integers(0, 2, (20, 20))  # one of the two units of each stratum counts twice
    reps = {f"r{k}": frame["w"] * 2.0 * ((frame["unit"] >= 20) == half[k][frame["stratum"]]) for k in range(20)}
    return pd.concat([frame, pd.DataFrame(reps)], axis=1)


@pytest.mark.parametrize("missing", ["listwise", "pairwise", "fiml", "two.stage"])
@pytest.mark.parametrize("estimator", NAMES)
def test_every_ordinal_cell_is_a_fit_or_a_refusal(estimator: str, missing: str) -> None:
    frame, fits = data(missing), 0
    cells = [(grouped, "none", kind, None) for grouped in (False, True) for kind in ("delta", "theta")]
    cells += [(grouped, design, "delta", None) for grouped in (False, True) for design in list(DESIGNS)[1:]]
    cells += [(False, design, "theta", test) for design, test in product(("none", "clusters"), TESTS[1:])]
    for grouped, design, kind, test in cells:
        options: dict[str, Any] = {"estimator": estimator, "missing": missing, "parameterization": kind, "test": test}
        options |= {"group": "school", "group_equal": "loadings"} if grouped else {}
        options |= {"design": DESIGNS[design]}
        try:
            fit = sk.cfa(MODEL, frame, ordered=ITEMS, **options)
        except SemkitError as error:
            assert refused(error), (options, error)
            assert missing not in ("listwise", "pairwise") or (estimator == "wls" and design != "none"), options
            continue
        fits += 1
        assert fit.converged and np.isfinite(fit.estimates["se"]).all(), options
        assert np.isfinite(fit.fit_measures["chisq"]) and np.isfinite(fit.fit_measures["cfi"]), options
        assert test in (None, "none") or np.isfinite(fit.fit_measures["chisq.scaled"]), options
    # nothing is refused where answers are taken pair by pair or respondent by respondent, but full weights of moments
    # that are more than the units of the design
    whole = len(cells) if estimator != "wls" else 4 + 4 + 2
    assert fits == (whole if missing in ("listwise", "pairwise") else 0)
