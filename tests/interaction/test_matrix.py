"""Method x estimator x gaps x groups x design, and errors x information x test: a fit that keeps an identity, or a
refusal that is documented."""

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
from semkit.fitting.estimators import ESTIMATORS
from tests.interaction.test_lms import SIMPLE, planted

ROOT = Path(__file__).parents[2]
# fewer items where the time is; measurement models by themselves need three
SMALL = "X =~ x1 + x2\nZ =~ z1 + z2\nY =~ y1 + y2\nY ~ X + Z + X:Z\n"
METHODS = ("lms", "qml", "product", "sam", "factor_score", "2sls")
MISSING = ("listwise", "fiml", "two.stage")
WEIGHTS = sk.Design(weights="weight")
DESIGNS = {"none": None, "weights": WEIGHTS, "cluster": sk.Design(weights="weight", cluster="village")}
ERRORS = (None, "standard", "robust.huber.white", "robust.sem", "none")
INFORMATION = (None, "expected", "observed", "first.order")
TESTS = (None, "standard", "yuan.bentler.mplus", "satorra.bentler", "browne.residual.adf", "bollen.stine")
PRODUCT = "op == '~' and rhs == 'X:Z'"


@cache
def documented() -> str:
    return (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")


def refused(error: SemkitError) -> bool:
    return all(f"`{problem.code}`" in documented() and problem.what and problem.remedy for problem in error.problems)


@cache
def data(gaps: bool, other_units: bool = False) -> pd.DataFrame:
    n = 160
    rng, frame = np.random.default_rng(2), planted(n, 5)
    if other_units:  # the moderator's items in other units and from another zero: nothing of the interaction changes
        frame[["z1", "z2", "z3"]] = 10.0 * frame[["z1", "z2", "z3"]] - 7.0
    village = np.arange(n) // 5
    frame = frame.assign(weight=rng.uniform(0.5, 2.0, n), village=village, side=np.where(village % 2, "a", "b"))
    if gaps:
        frame.loc[frame.index % 7 == 0, "z2"] = np.nan
    return frame


def model_of(method: str) -> str:
    return SMALL if method in ("lms", "qml") else SIMPLE


def interaction(fit: Any) -> np.ndarray:
    """z of the product and its standardised effect in every group."""
    return fit.estimates.query(PRODUCT)[["z", "std_all"]].to_numpy()


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("method", METHODS)
def test_every_cell_is_a_fit_or_a_refusal(method: str, design: str) -> None:
    """A fit's test and standardised effect of the product do not depend on the units and the zero of the moderator."""
    fits = set()
    for estimator, missing, grouped in product(ESTIMATORS, MISSING, (False, True)):
        options: dict[str, Any] = {"interaction": method, "estimator": estimator, "missing": missing,
                                   "design": DESIGNS[design], "group": "side" if grouped else None}
        try:
            fit = sk.sem(model_of(method), data(missing != "listwise"), **options)
        except SemkitError as error:
            assert refused(error), (options, error)
            continue
        fits.add((estimator, missing, grouped))
        other = sk.sem(model_of(method), data(missing != "listwise", other_units=True), **options)
        assert fit.converged and np.isfinite(interaction(fit)).all(), options
        # unweighted least squares are not free of units, and ADF weights from squares of 160 people are rough
        if estimator not in ("uls", "wls"):
            np.testing.assert_allclose(interaction(other), interaction(fit), rtol=2e-3, atol=1e-4, err_msg=str(options))
    if method in ("lms", "qml"):
        estimators = ("ml", "mlr", "mlf") if design == "none" else ("ml", "mlr")
        assert fits == set(product(estimators, ("listwise", "fiml"), (False, True)))
    assert fits or design != "none"


@pytest.mark.parametrize("method", ["lms", "qml"])
def test_errors_are_those_asked_for(method: str) -> None:
    """``A^-1``, ``B^-1`` or ``A^-1 B A^-1`` over N, made anew from Hessian and scores at the estimates."""
    frame, kinds = data(False), set()
    for estimator, errors, information in product(("ml", "mlr", "mlf"), ERRORS, INFORMATION):
        options = {"estimator": estimator, "se": errors, "information": information}
        try:
            fit = sk.sem(SMALL, frame, interaction=method, **options)
        except SemkitError as error:
            assert refused(error), (options, error)
            assert (information == "expected" or errors == "robust.sem"
                    or (estimator, information) == ("mlr", "first.order")), options
            continue
        if errors == "none":
            assert np.isnan(fit.estimates.query(PRODUCT)["se"]).all()
            continue
        found = fit.solution.objective.at(fit.solution.theta)
        a, b = np.linalg.inv(-found.hessian), found.scores.T @ found.scores
        usual = {"ml": "standard", "mlr": "robust.huber.white", "mlf": "standard"}[estimator]
        kind = errors or usual
        first = information == "first.order" or (estimator == "mlf" and information is None)
        expected = np.linalg.inv(b) if first else a @ b @ a if kind == "robust.huber.white" else a
        kinds.add((first, kind))
        own = np.sqrt(np.diagonal(expected))
        np.testing.assert_allclose(np.sqrt(np.diagonal(fit.vcov)), own, rtol=1e-4, err_msg=str(options))
    assert kinds == set(product((False, True), ("standard", "robust.huber.white")))


@pytest.mark.parametrize("method", METHODS)
def test_tests_are_given_or_refused_never_ignored(method: str) -> None:
    """What is asked for is among the fit's tests; likelihood methods scale the ratio of the products instead, and
    two steps and single equations have none of their own."""
    for errors in ("none", "robust.sem"):
        if method in ("sam", "factor_score", "2sls"):
            with pytest.raises(SemkitError) as caught:
                sk.sem(SIMPLE, data(False), interaction=method, se=errors)
            assert refused(caught.value) and errors in str(caught.value)
    for estimator, test in product(("ml", "mlr"), TESTS):
        options: dict[str, Any] = {"estimator": estimator, "test": test}
        options |= {"bootstrap": 5, "seed": 1} if test == "bollen.stine" and method == "product" else {}
        try:
            fit = sk.sem(model_of(method), data(False), interaction=method, **options)
        except SemkitError as error:
            assert refused(error) and (method != "product"), (test, error)
            assert test in TESTS[3:] and test in str(error)
            continue
        assert method == "product" or test in TESTS[:3]
        if method in ("lms", "qml"):
            assert test in (None, "standard", "yuan.bentler.mplus")
            scaled = test == "yuan.bentler.mplus" or (test is None and estimator == "mlr")
            assert ("likelihood.ratio.scaled" in fit.tests) == scaled == ("chisq.scaled" in fit.linear.fit_measures)
            assert (fit.linear_test.scaling_factor != 1.0) == scaled
        elif method == "product" and test:
            assert test in fit.tests and np.isfinite(fit.tests[test].stat)
