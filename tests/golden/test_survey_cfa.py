"""A factor model under strata, finite populations, margins and replicate weights, against errors put together in R.

``survey_cfa.R`` takes scores and information from lavaan 0.6-14 and variances of totals from survey 4.1.1, and fits
lavaan once under each replicate weight; lavaan's stop leaves about 1e-6 in the estimates.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk

HERE = Path(__file__).parent
PEER = json.loads((HERE / "survey_cfa.json").read_text(encoding="utf-8"))
DATA = pd.concat([pd.read_csv(HERE / "survey_design.csv"), pd.read_csv(HERE / "survey_replicates.csv.gz")], axis=1)
CFA = "trust =~ y1 + y2 + y3\ngrowth =~ y4 + y5 + y6"
NAMES = [name.replace("=~", " =~ ").replace("~~", " ~~ ").replace("~1", " ~1") for name in PEER["names"].split("|")]
BOTH = sk.Design(weights="weight", strata="region", cluster="village")
DESIGNS = {
    "strata": sk.Design(weights="weight", strata="region"),
    "both": BOTH,
    "fpc": sk.Design(weights="weight", strata="region", cluster="village", fpc="villages"),
}


def in_order(fit: sk.Fit) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and errors in the order of the peer's names."""
    at = [fit.names.index(name) for name in NAMES]
    return fit.est[at], np.sqrt(np.diagonal(fit.vcov))[at]


@pytest.mark.parametrize("name", DESIGNS)
def test_strata_clusters_and_finite_populations(name: str) -> None:
    est, se = in_order(sk.cfa(CFA, DATA, design=DESIGNS[name]))
    np.testing.assert_allclose(est, PEER["est"], atol=1e-5)
    np.testing.assert_allclose(se, PEER["se"][name], atol=5e-6)


def test_known_margins() -> None:
    design = BOTH.rake(DATA, {"sex": {0: 2800, 1: 3200}, "age": {0: 2000, 1: 1500, 2: 2500}})
    est, se = in_order(sk.cfa(CFA, DATA, design=design))
    np.testing.assert_allclose(est, PEER["raked"]["est"], atol=2e-5)
    np.testing.assert_allclose(se, PEER["raked"]["se"], atol=5e-6)


@pytest.mark.parametrize("type", ["JKn", "Fay"])
def test_replicate_weights(type: str) -> None:
    columns = tuple(name for name in DATA.columns if name.startswith(type))
    made = sk.Replicates(columns, type, rscales=(0.5,) * len(columns) if type == "JKn" else (),
                         rho=0.3 if type == "Fay" else 0.0)
    _, se = in_order(sk.cfa(CFA, DATA, design=sk.Design(weights="weight", replicates=made)))
    np.testing.assert_allclose(se, PEER["replicates"][type], atol=5e-6)
