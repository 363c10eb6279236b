"""Fits under a sampling design against lavaan 0.6-14 (``survey_sem.R`` on ``survey_design.csv``).

lavaan's own stop leaves a gradient of 1e-7; estimates and errors are compared at 1e-5, fit measures at 1e-5 relative.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk

HERE = Path(__file__).parent
PEER = json.loads((HERE / "survey_sem.json").read_text(encoding="utf-8"))
DATA = pd.read_csv(HERE / "survey_design.csv")
CFA = "trust =~ y1 + y2 + y3\ngrowth =~ y4 + y5 + y6"
GAPS = re.sub(r"y([1-6])", r"m\1", CFA)
COVARIATES = "trust =~ y1 + y2 + y3\nz ~ trust + w + x"
CLUSTER, WEIGHTS = sk.Design(cluster="village"), sk.Design(weights="weight")
BOTH = sk.Design(weights="weight", cluster="village")
GROUPS = {"group": "urban", "group_equal": ("loadings", "intercepts")}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "clustered": (CFA, {"design": CLUSTER}),
    "weighted": (CFA, {"design": WEIGHTS}),
    "both": (CFA, {"design": BOTH}),
    "nested": (CFA, {"design": CLUSTER, **GROUPS}),
    "nested_weighted": (CFA, {"design": BOTH, **GROUPS}),
    "covariates": (COVARIATES, {"design": BOTH}),
    "fiml_clustered": (GAPS, {"design": CLUSTER, "missing": "fiml"}),
    "fiml_weighted": (GAPS, {"design": WEIGHTS, "missing": "fiml"}),
    "fiml_both": (GAPS, {"design": BOTH, "missing": "fiml"}),
}
# LISREL's index under the name gfi in that version, and rfi and the baseline's p within their range and precision
OTHER = {"gfi", "agfi", "pgfi", "rfi", "baseline.pvalue", "baseline.pvalue.scaled"}


@pytest.mark.parametrize("estimator", ["mlr", "ml"])
@pytest.mark.parametrize("name", CASES)
def test_lavaan_agrees(name: str, estimator: str) -> None:
    text, options = CASES[name]
    peer, fit = PEER[name], sk.sem(text, DATA, estimator=estimator, **options)
    blocks = list(fit.table.groups)
    own = {f"{row.lhs} {row.op} {row.rhs} {blocks.index(row.group) + 1}": (row.est, row.se)
           for row in fit.estimates.itertuples()}
    found = np.array([own[key] for key in peer["keys"].split("|")])
    np.testing.assert_allclose(found[:, 0], peer["est"], atol=1e-5)
    np.testing.assert_allclose(found[:, 1], np.array(peer["se"], dtype=float), atol=1e-5)
    compared = [key for key in peer["fit"] if key in fit.fit_measures.index and key not in OTHER]
    assert len(compared) > 50
    for key in compared:
        assert fit.fit_measures[key] == pytest.approx(peer["fit"][key], rel=1e-5, abs=2e-5), key


def test_clusters_that_cross_groups_stay_one_unit() -> None:
    """lavaan counts a cluster anew in each group there, so errors differ; estimates and discrepancy do not."""
    peer = PEER["crossing"]
    fit = sk.cfa(CFA, DATA, design=CLUSTER, group="sex", group_equal=("loadings",))
    np.testing.assert_allclose(sorted(fit.estimates["est"]), sorted(peer["est"]), atol=1e-5)
    assert fit.fit_measures["chisq"] == pytest.approx(peer["fit"]["chisq"], rel=1e-6)
    assert np.abs(np.array(sorted(fit.estimates["se"])) - np.array(sorted(peer["se"], key=lambda v: v or 0.0),
                                                                   dtype=float)).max() > 1e-3
