"""Ordinal items under a sampling design against R survey 4.1.1 and lavaan 0.6-14 (``survey_ordinal.R``).

survey gives thresholds (``qnorm`` of cumulated means, delta method; ``withReplicates``) and an ordered probit
regression; lavaan all two-step moments, their covariance matrix and fits under weights.  lavaan stops correlations at
1e-8 and fits at 1e-7.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import semkit as sk

HERE = Path(__file__).parent
PEER = json.loads((HERE / "survey_ordinal.json").read_text(encoding="utf-8"))
RAW = pd.concat([pd.read_csv(HERE / "survey_design.csv"), pd.read_csv(HERE / "survey_replicates.csv.gz")], axis=1)
CUTS = [-0.8, 0.1, 0.9]
CODES = {f"{new}{k}": np.where(RAW[f"{old}{k}"].isna(), np.nan, np.digitize(RAW[f"{old}{k}"], CUTS))
         for k in range(1, 7) for new, old in (("o", "y"), ("g", "m"))}
DATA = pd.concat([RAW, pd.DataFrame(CODES)], axis=1)
CFA = "trust =~ o1 + o2 + o3\ngrowth =~ o4 + o5 + o6"
WEIGHTS = sk.Design(weights="weight")
BOTH = sk.Design(weights="weight", strata="region", cluster="village")
DESIGNS = {
    "weights": WEIGHTS, "cluster": sk.Design(weights="weight", cluster="village"),
    "strata": sk.Design(weights="weight", strata="region"), "both": BOTH,
    "fpc": sk.Design(weights="weight", strata="region", cluster="village", fpc="villages"),
    "calibrated": BOTH.rake(DATA, {"sex": {0: 2800, 1: 3200}, "age": {0: 2000, 1: 1500, 2: 2500}}),
}


def thresholds(fit: sk.Fit) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds of the first three items and their covariance matrix."""
    at = [fit.names.index(f"o{k} | t{t}") for k in (1, 2, 3) for t in (1, 2, 3)]
    return fit.est[at], fit.vcov[np.ix_(at, at)]


@pytest.mark.parametrize("name", list(DESIGNS))
def test_thresholds_are_those_of_survey(name: str) -> None:
    """Thresholds are saturated in the model: their errors are those of proportions, moved to the normal scale."""
    peer = PEER["thresholds"][name]
    est, vcov = thresholds(sk.cfa("trust =~ o1 + o2 + o3", DATA, ordered=True, design=DESIGNS[name]))
    np.testing.assert_allclose(est, peer["est"], atol=1e-7)
    np.testing.assert_allclose(vcov, np.array(peer["vcov"]).reshape(9, 9), rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("name", list(DESIGNS))
def test_thresholds_beside_polychoric_correlations_are_those_of_survey(name: str) -> None:
    peer, n = PEER["thresholds"][name], len(DATA)
    found = sk.polychoric(DATA, [f"o{k}" for k in range(1, 7)], design=DESIGNS[name])
    np.testing.assert_allclose(found.thresholds["est"][:9], peer["est"], atol=1e-7)
    errors = np.sqrt(np.diagonal(np.array(peer["vcov"]).reshape(9, 9)))
    errors *= np.sqrt((n - 1) / n) if name == "weights" else 1.0  # weights alone bring no n / (n - 1), as in models
    np.testing.assert_allclose(found.thresholds["se"][:9], errors, rtol=1e-6)
    fit = sk.cfa(CFA, DATA, ordered=True, design=DESIGNS[name])
    np.testing.assert_allclose(found.correlations, fit.sample_moments["cov"], atol=1e-12)


@pytest.mark.parametrize("type", ["BRR", "Fay", "JK1", "bootstrap"])
def test_replicated_thresholds_are_those_of_survey(type: str) -> None:
    peer = PEER["replicates"][type]
    made = sk.Replicates(tuple(f"{type}{k + 1}" for k in range(peer["count"])), type, rho=0.3 if type == "Fay" else 0.0)
    design = sk.Design(weights="weight", replicates=made)
    est, vcov = thresholds(sk.cfa("trust =~ o1 + o2 + o3", DATA, ordered=True, design=design))
    np.testing.assert_allclose(est, peer["est"], atol=1e-7)
    np.testing.assert_allclose(vcov, np.array(peer["vcov"]).reshape(9, 9), rtol=1e-5, atol=1e-9)


def test_a_weighted_probit_regression_is_that_of_survey() -> None:
    """svyolr has second derivatives where two-step moments have products of scores; put in their place, all agrees."""
    peer = PEER["probit"]
    fit = sk.sem("o1 ~ x + w", DATA, ordered=["o1"], design=BOTH)
    names = ["o1 ~ x", "o1 ~ w", "o1 | t1", "o1 | t2", "o1 | t3"]
    at = [fit.names.index(name) for name in names]
    np.testing.assert_allclose(fit.est[at], [*peer["slopes"], *peer["thresholds"]], atol=2e-5)
    theta, part = np.concatenate([fit.est[at[2:]], fit.est[at[:2]]]), fit.solution.statistics[0]
    np.testing.assert_allclose(part.vector, theta)
    x, y = DATA[["x", "w"]].to_numpy(), DATA["o1"].to_numpy(dtype=int)
    w = DATA["weight"].to_numpy() * len(DATA) / DATA["weight"].sum()

    def log(values: np.ndarray) -> np.ndarray:
        limits, line = np.concatenate([[-np.inf], values[:3], [np.inf]]), x @ values[3:]
        return np.log(norm.cdf(limits[y + 1] - line) - norm.cdf(limits[y] - line))

    step = 1e-5 * np.eye(5)
    scores = np.column_stack([(log(theta + h) - log(theta - h)) / 2e-5 for h in step])
    step = 1e-3 * np.eye(5)
    second = np.array([[w @ (log(theta + h + k) - log(theta + h - k) - log(theta - h + k) + log(theta - h - k)) / 4e-6
                        for h in step] for k in step])
    products = scores.T @ (w[:, None] * scores)
    middle = products @ (part.gamma / (part.nobs - 1.0)) @ products
    errors = np.sqrt(np.diagonal(np.linalg.solve(second, np.linalg.solve(second, middle).T)))
    np.testing.assert_allclose(errors[[3, 4, 0, 1, 2]], peer["se"], rtol=2e-4)


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "ordinal": (CFA, {"ordered": True}),
    "theta": (CFA, {"ordered": True, "parameterization": "theta"}),
    "pairwise": (CFA.replace("growth", "rise").replace("o", "g"), {"ordered": True, "missing": "pairwise"}),
    "mixed": ("trust =~ o1 + o2 + y3\ngrowth =~ y4 + o5 + o6", {"ordered": ["o1", "o2", "o5", "o6"]}),
    "groups": (CFA, {"ordered": True, "group": "urban"}),
}


@pytest.mark.parametrize("name", list(CASES))
def test_weighted_fits_are_lavaans(name: str) -> None:
    peer, (model, options) = PEER["lavaan"][name], CASES[name]
    fit = sk.cfa(model, DATA, design=WEIGHTS, **options)
    parts = fit.solution.statistics
    own = np.concatenate([part.vector for part in parts])
    theirs = np.array(peer["wls"])
    gamma = np.array(peer["gamma"]).reshape(parts[0].gamma.shape)
    if name == "mixed":  # levels of numbers stand with the opposite sign there
        np.testing.assert_allclose(np.abs(own), np.abs(theirs), atol=1e-6)
        np.testing.assert_allclose(np.abs(parts[0].gamma), np.abs(gamma), rtol=1e-5, atol=1e-5)
    else:
        np.testing.assert_allclose(own, theirs, atol=1e-6)
        np.testing.assert_allclose(parts[0].gamma, gamma, rtol=1e-6, atol=1e-6)
    keys = re.findall(r"([a-z0-9]+) (=~|~~|~\*~|~1|~|\|) ([a-z0-9]*) (\d)", peer["keys"])
    rows = {(row.lhs, row.op, row.rhs, str(fit.table.groups.index(row.group) + 1)): row
            for row in fit.estimates.itertuples()}
    found = [rows[key] for key in keys]
    np.testing.assert_allclose([row.est for row in found], peer["est"], atol=1e-5)
    ratio = np.ones(len(keys))
    if name == "groups":  # lavaan 0.6 divides by n_g (N - G) / N where 0.7 and semkit have n_g - 1
        size = np.array([part.nobs for part in parts])
        ratio = np.sqrt(size * (1.0 - 2.0 / size.sum()) / (size - 1.0))[[int(key[3]) - 1 for key in keys]]
    errors = np.array([row.se for row in found])
    np.testing.assert_allclose(errors, np.array(peer["se"]) * ratio, rtol=1e-5, atol=1e-7)
    keys = ["chisq", "chisq.scaled", "pvalue.scaled", "chisq.scaling.factor", "baseline.chisq.scaled"]
    for key in keys if name == "groups" else [*keys, "srmr"]:  # groups count by n_g there, by n_g - 1 here
        assert fit.fit_measures[key] == pytest.approx(peer["fit"][key], rel=2e-5), key
