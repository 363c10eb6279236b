"""Moments instead of data: every estimator that can work from them gives what it gives from the data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import SemkitError
from semkit.estimate.weights import influence

DATA = Path(__file__).parents[1] / "reference" / "data"
MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
ITEMS = [f"x{k}" for k in range(1, 10)]


@cache
def pupils() -> pd.DataFrame:
    return pd.read_csv(DATA / "HolzingerSwineford1939.csv")


def moments_of(data: pd.DataFrame, *, means: bool = False, gamma: bool = True, names: list[str] = ITEMS) -> sk.Moments:
    """Moments of more variables than the model has, in another order."""
    rows = influence(data[names].to_numpy(), means)
    return sk.Moments(data[names].cov(), mean=data[names].mean() if means else None, nobs=len(data),
                      gamma=rows.T @ rows / len(rows) if gamma else None)


@pytest.mark.parametrize("means", [False, True])
@pytest.mark.parametrize("estimator", ["ml", "gls", "uls", "wls", "mlm", "mlmv", "mlmvs"])
def test_moments_say_what_the_data_say(estimator: str, means: bool) -> None:
    names = ["ageyr", *reversed(ITEMS)]
    fit = sk.cfa(MODEL, moments=moments_of(pupils(), means=True, names=names), estimator=estimator,
                 meanstructure=means)
    data = sk.cfa(MODEL, pupils(), estimator=estimator, meanstructure=means)
    pd.testing.assert_frame_equal(fit.estimates, data.estimates, rtol=1e-6, atol=1e-9)
    pd.testing.assert_series_equal(fit.fit_measures, data.fit_measures, rtol=1e-6, atol=1e-9)
    for name, test in data.tests.items():
        assert fit.tests[name].stat == pytest.approx(test.stat, rel=1e-6)
    for kind in ("normalized", "standardized"):
        np.testing.assert_allclose(fit.residuals(kind), data.residuals(kind), rtol=1e-4, atol=1e-6)
    pd.testing.assert_frame_equal(fit.modification_indices(), data.modification_indices(), rtol=1e-5, atol=1e-8)


def test_residual_tests_from_moments() -> None:
    names = ["browne.residual.nt", "browne.residual.nt.model", "browne.residual.adf"]
    fit = sk.cfa(MODEL, moments=moments_of(pupils()), test=names)
    data = sk.cfa(MODEL, pupils(), test=names)
    for name in names:
        assert fit.tests[name].stat == pytest.approx(data.tests[name].stat, rel=1e-8)


@pytest.mark.parametrize("estimator", ["ml", "gls", "mlm"])
def test_groups_of_moments(estimator: str) -> None:
    groups = {str(name): moments_of(part, means=True) for name, part in pupils().groupby("school", sort=False)}
    options: dict[str, Any] = {"estimator": estimator, "group_equal": ["loadings", "intercepts"]}
    fit, data = sk.cfa(MODEL, moments=groups, **options), sk.cfa(MODEL, pupils(), group="school", **options)
    pd.testing.assert_frame_equal(fit.estimates, data.estimates, rtol=1e-5, atol=1e-8)
    pd.testing.assert_series_equal(fit.fit_measures, data.fit_measures, rtol=1e-6, atol=1e-9)
    loose = sk.cfa(MODEL, moments=groups, estimator=estimator)
    one = sk.compare(loose, fit).frame
    other = sk.compare(sk.cfa(MODEL, pupils(), group="school", estimator=estimator), data).frame
    pd.testing.assert_frame_equal(one, other, rtol=1e-5)
    if estimator == "mlm":
        free = sk.cfa(MODEL, pupils(), group="school", estimator=estimator)
        wanted = sk.compare(free, data, method="satorra.2000").frame
        found = sk.compare(loose, fit, method="satorra.2000").frame
        pd.testing.assert_frame_equal(found, wanted, rtol=1e-5)
    else:  # gamma was given, but not needed by the fit
        with pytest.raises(SemkitError) as caught:
            sk.compare(loose, fit, method="satorra.2000")
        assert caught.value.code == "fitting.no-raw-data"


def test_correlations_with_standard_deviations_are_covariances() -> None:
    data = pupils()[ITEMS]
    fit = sk.cfa(MODEL, moments=sk.Moments(data.corr(), sd=data.std(), nobs=301))
    np.testing.assert_allclose(fit.est, sk.cfa(MODEL, pupils()).est, rtol=1e-6)
    assert not [note for note in fit.notes if note.code == "fitting.correlation-matrix"]


def test_correlations_alone_are_noticed_and_standardised_results_are_right() -> None:
    fit = sk.cfa(MODEL, moments=sk.Moments(pupils()[ITEMS].corr(), nobs=301))
    assert [note.code for note in fit.notes] == ["fitting.correlation-matrix"]
    pd.testing.assert_frame_equal(fit.standardized(), sk.cfa(MODEL, pupils()).standardized(), rtol=1e-5, atol=1e-7)
    assert fit.solution.stat == pytest.approx(sk.cfa(MODEL, pupils()).solution.stat, rel=1e-7)


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"estimator": "mlr"}, ["fitting.no-raw-data"]),
        ({"estimator": "mlf"}, ["fitting.no-raw-data"]),
        ({"test": "browne.residual.adf.model"}, ["fitting.no-raw-data"]),
        ({"estimator": "wls"}, ["fitting.no-gamma"]),
        ({"estimator": "mlmv"}, ["fitting.no-gamma"]),
        ({"estimator": "mlm", "meanstructure": True}, ["fitting.no-gamma", "fitting.no-means"]),
    ],
)
def test_what_needs_more_than_moments_is_refused(options: dict[str, Any], codes: list[str]) -> None:
    with pytest.raises(SemkitError) as caught:
        sk.cfa(MODEL, moments=moments_of(pupils(), gamma=False), **options)
    assert [problem.code for problem in caught.value.problems] == codes


def test_fixed_covariates_and_given_gamma_contradict_each_other() -> None:
    model = "x1 ~ x2 + x3"
    with pytest.raises(SemkitError) as caught:
        sk.sem(model, moments=moments_of(pupils()), estimator="mlm")
    assert caught.value.code == "fitting.gamma-with-covariates"
    fit = sk.sem(model, moments=moments_of(pupils()), estimator="mlm", fixed_x=False)
    data = sk.sem(model, pupils(), estimator="mlm", fixed_x=False)
    np.testing.assert_allclose(fit.vcov, data.vcov, rtol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"sd": [1.0, 2.0]}, "sample.moments-sd"),
        ({"sd": [1.0, 2.0, -1.0]}, "sample.moments-sd"),
        ({"gamma": np.eye(5)}, "sample.moments-gamma"),
        ({"gamma": np.triu(np.ones((6, 6)))}, "sample.moments-gamma"),
    ],
)
def test_wrong_moments_are_told_what_is_wrong(arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(SemkitError) as caught:
        sk.Moments(np.eye(3), nobs=100, names=("a", "b", "c"), **arguments)
    assert caught.value.code == code


def test_standard_deviations_need_correlations() -> None:
    with pytest.raises(SemkitError) as caught:
        sk.Moments(2 * np.eye(3), nobs=100, names=("a", "b", "c"), sd=[1.0, 1.0, 1.0])
    assert caught.value.code == "sample.moments-sd"


def test_singular_gamma_is_refused_where_it_is_inverted() -> None:
    moments = sk.Moments(pupils()[ITEMS].cov(), nobs=301, gamma=np.ones((45, 45)))
    with pytest.raises(SemkitError) as caught:
        sk.cfa(MODEL, moments=moments, estimator="wls")
    assert caught.value.code == "sample.gamma-singular"
