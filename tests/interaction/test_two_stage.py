"""Two-stage least squares: numbers by hand and of statsmodels, identities, planted values, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from semkit.fitting.instruments import equations
from semkit.model import parse
from tests.interaction.test_lms import SIMPLE, planted

TWO = SIMPLE.replace(" + x3", "").replace(" + z3", "")


def columns(frame: pd.DataFrame, products: list[tuple[str, ...]]) -> np.ndarray:
    centred = frame - frame.mean()
    return np.column_stack([np.ones(len(frame)), *(np.prod([centred[v] for v in p], axis=0) for p in products)])


def test_numbers_of_statsmodels_and_by_hand() -> None:
    from statsmodels.sandbox.regression.gmm import IV2SLS

    frame = planted(300)
    fit = sk.sem(SIMPLE, frame, interaction="2sls")
    x = columns(frame, [("x1",), ("z1",), ("x1", "z1")])
    linear = [("x2",), ("x3",), ("z2",), ("z3",)]
    w = columns(frame, [*linear, *((a, b) for a in ("x2", "x3") for b in ("z2", "z3"))])
    y = (frame["y1"] - frame["y1"].mean()).to_numpy()
    peer = IV2SLS(y, x, w).fit()
    np.testing.assert_allclose(fit.est, peer.params[1:], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.vcov)), peer.bse[1:], rtol=1e-9)
    u = y - x @ peer.params
    inside = w @ np.linalg.solve(w.T @ w, w.T @ u)
    assert fit.sargan["stat"][0] == pytest.approx(300 * inside @ inside / (u @ u), rel=1e-9)
    assert fit.sargan["df"][0] == 5
    hat = w @ np.linalg.solve(w.T @ w, w.T @ x)
    bread = np.linalg.inv(hat.T @ hat)
    white = bread @ (hat.T * u**2) @ hat @ bread
    robust = sk.sem(SIMPLE, frame, interaction="2sls", estimator="mlr")
    assert robust.vcov[2, 2] == pytest.approx(white[3, 3], rel=1e-9)  # the centre moves no product


def test_just_identified_is_instrumental_variables_by_hand() -> None:
    frame = planted(200)
    x = columns(frame, [("x1",), ("z1",), ("x1", "z1")])
    w = columns(frame, [("x2",), ("z2",), ("x2", "z2")])
    fit = sk.sem(TWO, frame, interaction="2sls")
    np.testing.assert_allclose(fit.est, np.linalg.solve(w.T @ x, w.T @ frame["y1"].to_numpy())[1:], rtol=1e-8)
    assert fit.sargan["df"][0] == 0 and np.isnan(fit.sargan["pvalue"][0])


def test_indicators_without_error_give_least_squares() -> None:
    frame = planted(150)
    text = "X =~ x1\nZ =~ z1\nY =~ y1\nY ~ X + Z + X:Z + X:X"
    fit = sk.sem(text, frame, interaction="2sls")
    x = columns(frame, [("x1",), ("z1",), ("x1", "z1"), ("x1", "x1")])
    b, rest, *_ = np.linalg.lstsq(x, frame["y1"].to_numpy(), rcond=None)
    np.testing.assert_allclose(fit.est, b[1:], rtol=1e-8)
    np.testing.assert_allclose(fit.vcov, (np.linalg.inv(x.T @ x) * rest[0] / (150 - 5))[1:, 1:], rtol=1e-8)
    sd = frame.std(ddof=0)  # moments of maximum likelihood, divisor N
    assert fit.std_est[2] == pytest.approx(b[3] * sd["x1"] * sd["z1"] / sd["y1"], rel=1e-5)


@pytest.mark.parametrize("what", ["raw", "std"])
def test_robust_errors_are_those_of_the_jackknife(what: str) -> None:
    """Of slopes (the centre counted) and of standardised effects (the factor model counted).

    Just identified: with more instruments White's errors leave out what vanishes with their covariances with the error.
    """
    frame = pd.concat([planted(40, 11)] * 20, ignore_index=True)

    def ask(data: pd.DataFrame) -> np.ndarray:
        fit = sk.sem(TWO, data, interaction="2sls", estimator="mlr")
        return fit.est if what == "raw" else fit.std_est

    fit = sk.sem(TWO, frame, interaction="2sls", estimator="mlr")
    left = np.array([ask(frame.drop(index=i)) for i in range(40)])
    jackknife = np.sqrt(20.0 * np.sum((left - ask(frame)) ** 2, axis=0))
    errors = np.sqrt(np.diag(fit.vcov if what == "raw" else fit.std_vcov))
    assert np.all(np.abs(jackknife / errors - 1.0) < 0.01)


def test_planted_slopes_are_recovered() -> None:
    """80 samples of 400, a skewed factor and a square: means within 3 Monte Carlo errors."""
    text = SIMPLE.replace("X:Z", "X:Z + X:X")
    fits = [sk.sem(text, planted(400, 100 + k, square=0.2, skew=True), interaction="2sls", estimator="mlr")
            for k in range(80)]
    est = np.array([fit.est for fit in fits])
    spread = est.std(axis=0, ddof=1)
    assert np.all(np.abs(est.mean(axis=0) - [0.4, 0.3, 0.3, 0.2]) < 3.0 * spread / np.sqrt(80))


def test_the_model_says_what_is_an_instrument() -> None:
    text = "X =~ x1 + x2\nM =~ m1 + m2\nY =~ y1 + y2\nM ~ X + w\nY ~ M + X + X:w\n"
    first, second = equations(parse(text))
    assert first.instruments == (("w",), ("x2",))
    assert set(second.instruments) == {("w",), ("x2",), ("m2",), ("w", "x2")}
    tied = equations(parse(text + "x2 ~~ y1\n"))[1]
    assert set(tied.instruments) == {("w",), ("m2",)}
    loop = equations(parse(text + "M ~~ Y\n"))[1]
    assert ("m2",) not in loop.instruments and ("x2",) in loop.instruments


def test_side_by_side_probed_and_invariant() -> None:
    frame = planted(600)
    found = sk.compare_methods(SIMPLE, frame, methods=("lms", "2sls"), estimator="mlr").frame
    assert abs(found["est"].diff().iloc[1]) < 2.0 * found["se"].max()
    assert abs(found["std_est"].diff().iloc[1]) < 2.0 * found["std_se"].max()
    fit = sk.sem(SIMPLE, frame, interaction="2sls", estimator="mlr")
    other = sk.sem(SIMPLE, frame * 3.0 + 7.0, interaction="2sls", estimator="mlr")
    np.testing.assert_allclose(other.std_est, fit.std_est, rtol=1e-4)
    slopes = sk.probe(fit, "X", "Z").slopes
    assert len(slopes) == 3 and "Sargan" in repr(fit)
    with pytest.raises(NotSupportedError) as caught:
        fit.residuals()
    assert caught.value.code == "fitting.no-model-by-equations"


def test_refusals() -> None:
    with pytest.raises(NotSupportedError) as caught:
        sk.sem(SIMPLE.replace("X:Z", "X:Z + X:X:Z"), planted(80), interaction="2sls", missing="fiml")
    assert caught.value.code == "fitting.not-with-2sls"
    assert "missing" in str(caught.value) and "products of three" in str(caught.value)
    for more in ("Y ~~ v*Y\nw := 2*v", "Y ~ a*X\na > 0", "Y ~ a*X + b*Z\na == b^2", "Y ~ lower(0)*X"):
        with pytest.raises(NotSupportedError) as caught:
            sk.sem(f"{SIMPLE}{more}", planted(80), interaction="2sls")
        assert caught.value.code == "fitting.only-slopes"
    frame = planted(80)
    given = sk.Moments(frame.cov().to_numpy(), None, 80, tuple(frame.columns))
    with pytest.raises(NotSupportedError, match="moments="):
        sk.sem(SIMPLE, moments=given, interaction="2sls")
