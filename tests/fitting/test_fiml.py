"""Full information: identities, derivatives, samples and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from semkit.estimate.fiml import pattern_discrepancy, pattern_scores, saturated_information, saturated_scores
from semkit.numerics.em import deviance, make_patterns, saturated

MODEL = "f =~ a + b + c\ng =~ d + e + h\ng ~ q*f\nf ~ w"


def frame(n: int = 300, share: float = 0.15, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    w = rng.normal(size=n)
    f = 0.5 * w + rng.normal(size=n)
    g = 0.4 * f + rng.normal(size=n)
    noise = 0.8 * rng.normal(size=(n, 6))
    items = np.column_stack([f, 0.8 * f, 0.7 * f, g, 0.9 * g, 0.6 * g]) + noise + 2.0
    items[rng.random(items.shape) < share] = np.nan
    data = pd.DataFrame(items, columns=list("abcdeh"))
    data["w"], data["team"] = w, np.where(np.arange(n) % 2, "u", "v")
    return data


@pytest.mark.parametrize("estimator", ["ml", "mlr"])
@pytest.mark.parametrize("group", [None, "team"])
def test_without_gaps_it_is_maximum_likelihood(estimator: str, group: str | None) -> None:
    data = frame(share=0.0)
    options: dict[str, Any] = {"estimator": estimator, "group": group, "meanstructure": True}
    full = sk.sem(MODEL, data, missing="fiml", **options)
    plain = sk.sem(MODEL, data, information="observed", **options)
    np.testing.assert_allclose(full.est, plain.est, atol=1e-7)
    np.testing.assert_allclose(full.vcov, plain.vcov, atol=1e-8)
    for name in ("chisq", "logl", "unrestricted.logl", "baseline.chisq", "cfi", "rmsea", "srmr", "df"):
        assert full.fit_measures[name] == pytest.approx(plain.fit_measures[name], abs=1e-6), name
    if estimator == "mlr":
        for name in ("chisq.scaling.factor", "baseline.chisq.scaling.factor", "scaling.factor.h1"):
            assert full.fit_measures[name] == pytest.approx(plain.fit_measures[name], rel=1e-7), name
    np.testing.assert_allclose(full.predict(), plain.predict(), atol=1e-7)


def test_derivatives() -> None:
    fit = sk.sem(MODEL, frame(), missing="fiml", group="team")
    s = fit.solution
    assert s.patterns is not None
    theta = s.theta + 0.03 * np.random.default_rng(1).normal(size=s.theta.shape)
    at = pattern_discrepancy(s.layout, theta[None], s.patterns, s.given, 0.0)
    assert at.gradient is not None and at.hessian is not None
    steps = 1e-5 * np.eye(len(theta))
    up = pattern_discrepancy(s.layout, theta + steps, s.patterns, s.given, 0.0, "gradient")
    down = pattern_discrepancy(s.layout, theta - steps, s.patterns, s.given, 0.0, "gradient")
    assert up.gradient is not None and down.gradient is not None
    np.testing.assert_allclose((up.f - down.f) / 2e-5, at.gradient[0], atol=1e-7)
    np.testing.assert_allclose((up.gradient - down.gradient) / 2e-5, at.hessian[0], atol=1e-6)
    parts = [pattern_scores(block, theta, s.given[0], data, len(theta))
             for block, data in zip(s.layout.blocks, s.data, strict=True)]
    total = sum(part.sum(axis=0) for part in parts)
    np.testing.assert_allclose(total, -0.5 * s.total * at.gradient[0], atol=1e-9)


def test_saturated_model_is_stationary_and_its_information_right() -> None:
    data = frame()[list("abcdeh")].to_numpy()
    patterns = make_patterns(data)
    mean, cov, found = saturated(patterns)
    assert found
    kept = data[~np.isnan(data).all(axis=1)]
    assert np.abs(saturated_scores(kept, mean, cov).mean(axis=0)).max() < 1e-8
    rows, cols = np.tril_indices(6)

    def value(x: np.ndarray) -> float:
        square = np.zeros((6, 6))
        square[rows, cols] = x[6:]
        square[cols, rows] = x[6:]
        return deviance(patterns, x[:6], square) / (2.0 * patterns.nobs)

    x = np.concatenate([mean, cov[rows, cols]])
    exact = saturated_information(patterns, mean, cov, exact=True)
    for i, j in ((0, 0), (0, 8), (7, 7), (7, 12), (20, 26), (5, 26)):
        a, b = 1e-4 * np.eye(27)[i], 1e-4 * np.eye(27)[j]
        second = (value(x + a + b) - value(x + a - b) - value(x - a + b) + value(x - a - b)) / 4e-8
        assert exact[i, j] == pytest.approx(second, abs=2e-6)


def test_order_of_rows_does_not_matter_and_empty_rows_are_left_out() -> None:
    data = frame()
    one = sk.sem(MODEL, data, missing="fiml", fixed_x=False)
    other = sk.sem(MODEL, data.sample(frac=1.0, random_state=5), missing="ml", fixed_x=False)
    np.testing.assert_allclose(one.est, other.est, atol=1e-7)
    np.testing.assert_allclose(one.vcov, other.vcov, atol=1e-8)
    empty = pd.concat([data, data.iloc[:4].assign(**dict.fromkeys("abcdehw", np.nan))])
    third = sk.sem(MODEL, empty, missing="fiml", fixed_x=False)
    assert (third.nobs, third.nobs_received) == (300, 304)
    assert any(note.code == "sample.all-missing-rows" for note in third.notes)
    np.testing.assert_allclose(one.est, third.est, atol=1e-7)


def test_rows_without_a_fixed_covariate_are_left_out_and_said_so() -> None:
    data = frame()
    data.loc[:9, "w"] = np.nan
    fixed = sk.sem(MODEL, data, missing="fiml")
    assert fixed.nobs == 290 and any(note.code == "sample.covariate-gap" for note in fixed.notes)
    free = sk.sem(MODEL, data, missing="fiml", fixed_x=False)
    assert free.nobs == 300 and free.converged and np.isfinite(free.predict().to_numpy()).all()


@pytest.mark.parametrize("options", [
    {"estimator": "mlm"}, {"likelihood": "wishart"}, {"conditional_x": True},
    {"meanstructure": False},
])
def test_what_is_not_defined_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(NotSupportedError) as caught:
        sk.sem(MODEL, frame(), missing="fiml", **options)
    assert caught.value.problems[0].code == "fitting.not-with-fiml"
    assert caught.value.problems[0].remedy
