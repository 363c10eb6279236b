"""SRMR and CRMR with errors against R's lavaan 0.6-14 (``residual_summary.R``, run from the project folder)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from semkit.estimate.implied import imply
from semkit.estimate.information import invert
from semkit.estimate.misfit import residual_variance
from semkit.fitting.refit import refit
from semkit.fitting.resampling import make_scheme
from semkit.fitting.residuals import residual_covariances
from semkit.numerics.jobs import Chunk

HERE = Path(__file__).parent
H = pd.read_csv(HERE.parent / "reference" / "data" / "HolzingerSwineford1939.csv")
MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
COVARIATE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nvisual ~ ageyr\ntextual ~ visual + ageyr"
PEER = json.loads((HERE / "residual_summary.json").read_text(encoding="utf-8"))
OPTIONS = {"ml": {}, "means": {"meanstructure": True}, "mlm": {"estimator": "mlm"},
           "wishart": {"likelihood": "wishart"}, "covariate": {}, "pasteur": {}}  # fmt: skip


@pytest.mark.parametrize("case", [name for name in PEER if name != "package"])
def test_every_number_agrees(case: str) -> None:
    name, type = case.split()
    data = H[H["school"] == "Pasteur"] if name == "pasteur" else H
    fit = sk.sem(COVARIATE if name == "covariate" else MODEL, data, **OPTIONS[name])
    found = fit.residual_summary(type)
    compared = 0
    for g, parts in enumerate(PEER[case]):
        for part, values in parts.items():
            row = found[(found["group"] == fit.table.groups[g]) & (found["part"] == part)].iloc[0, 2:]
            for place, (mine, theirs) in enumerate(zip(row.tolist(), values, strict=True)):
                if theirs is None or (part == "mean" and theirs == 0):
                    continue
                assert mine == pytest.approx(theirs, rel=2e-5, abs=1e-9 if place != 3 else 1e-7)  # 3: p of a z of 6
                compared += 1
    assert compared >= 11 * len(PEER[case])


def test_the_diagonal_is_the_variance_behind_standardised_residuals() -> None:
    """Groups with shared parameters, where lavaan 0.6-14 leaves the other groups' part out."""
    fit = sk.cfa(MODEL, H, group="school", group_equal=("loadings", "intercepts"))
    s = fit.solution
    diagonal = residual_variance(s.layout, s.theta, s.given[0], tuple(g.cov[0] for g in s.observed), s.weights,
                                 invert(s.expected, s.basis))
    for whole, part in zip(residual_covariances(s), diagonal, strict=True):
        np.testing.assert_allclose(np.diag(whole)[9:], part[np.tril_indices(9)], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("estimator", ["ml", "mlr"])
def test_covariances_are_those_of_draws(estimator: str) -> None:
    """Normal draws for the normal formula, resampled respondents for the robust one."""
    fit = sk.cfa(MODEL, H, estimator=estimator)
    kind = "parametric" if estimator == "ml" else "ordinary"
    evidence = make_scheme(fit.solution, kind)(Chunk(0, 0, 1500, 1))
    theta, converged, _ = refit(fit.solution, evidence)
    sigma = imply(fit.solution.layout.blocks[0], theta, evidence.given).sigma
    residual = (evidence.observed[0].cov - sigma)[:, *np.tril_indices(9)][converged]
    expected = np.trace(residual_covariances(fit.solution)[0][-45:, -45:]) / 301
    assert np.trace(np.cov(residual.T)) == pytest.approx(expected, rel=0.1)


def test_coverage_of_the_unbiased_value() -> None:
    """Normal samples from a population that the model misses: nine in ten intervals hold the population value."""
    population = H[[f"x{k}" for k in range(1, 10)]].cov()
    true = sk.cfa(MODEL, moments=sk.Moments(population, nobs=400, divisor="n")).fit_measures["srmr"]
    root, inside = np.linalg.cholesky(population.to_numpy()), []
    rng = np.random.default_rng(2)
    for _ in range(150):
        data = pd.DataFrame(rng.normal(size=(400, 9)) @ root.T, columns=population.columns)
        row = sk.cfa(MODEL, data).residual_summary().iloc[0]
        inside.append(row["ci_lower"] <= true <= row["ci_upper"])
    assert 0.82 <= np.mean(inside) <= 0.97


def test_what_is_not_derived_is_refused() -> None:
    gaps = pd.read_csv(HERE.parent / "reference" / "data" / "HS_missing10.csv")
    with pytest.raises(NotSupportedError) as caught:
        sk.cfa(MODEL, gaps, missing="fiml").residual_summary()
    assert caught.value.code == "fitting.no-residual-summary"
