"""MLR with missing values against R's lavaan 0.6-14 (``hs_fiml_mlr.R`` makes the numbers, run from the project folder).

lavaan stops on its own rule there: estimates are good to about 1e-4, which is what is compared.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk

HERE = Path(__file__).parent
MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


def test_robust_full_information_agrees() -> None:
    peer = json.loads((HERE / "hs_fiml_mlr.json").read_text(encoding="utf-8"))
    data = pd.read_csv(HERE.parent / "reference" / "data" / "HS_missing10.csv")
    fit = sk.cfa(MODEL, data, missing="fiml", estimator="mlr")
    np.testing.assert_allclose(fit.estimates["est"], peer["est"], atol=2e-4)
    np.testing.assert_allclose(fit.estimates["se"], peer["se"], atol=5e-4)
    np.testing.assert_allclose(fit.predict().to_numpy()[:12], peer["scores"], atol=2e-4)
    # that version gives LISREL's index under the name gfi, and p of 0 where they are below its precision
    for name in set(peer["fit"]) - {"gfi", "agfi", "pgfi", "baseline.pvalue", "baseline.pvalue.scaled"}:
        if name in fit.fit_measures.index and peer["fit"][name] is not None:
            assert fit.fit_measures[name] == pytest.approx(peer["fit"][name], rel=1e-3, abs=1e-6), name
