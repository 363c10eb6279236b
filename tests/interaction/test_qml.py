"""QML against modsem, against full maximum likelihood, and against its own identities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from tests.interaction.peers import case_of, data_of, worst
from tests.interaction.test_lms import SIMPLE, planted


@pytest.mark.parametrize("name", ["simple__qml", "skewed__qml", "groups__qml_group"])
def test_qml_gives_modsems_numbers(name: str) -> None:
    """Estimates to 1e-5 of an error, log-likelihood to 1e-7; modsem's errors are numerical (0.3 % at most)."""
    case = case_of(f"own/lms_{name}")
    group = "group" if "group" in name else None
    fit = sk.sem(case["model"], data_of(f"lms_{name.split('__')[0]}.csv"), interaction="qml", group=group)
    estimate, error = worst(fit, case)
    assert fit.converged and fit.admissible
    assert estimate < 1e-5 and error < 4e-3
    assert abs(fit.fit_measures["logl"] - case["logl"]) < 1e-7


@pytest.mark.parametrize("name", ["qml_oneInt_tight", "qml_oneInt_robust"])
def test_qml_on_oneint(name: str) -> None:
    """The robust case stopped on modsem's own criterion, 0.01 of an error away."""
    case = case_of(f"modsem/{name}")
    robust = name.endswith("robust")
    fit = sk.sem(case["model"], data_of("oneInt.csv"), interaction="qml", estimator="mlr" if robust else "ml")
    estimate, error = worst(fit, case)
    assert estimate < (0.01 if robust else 1e-4) and error < (0.01 if robust else 4e-3)
    if not robust:
        assert abs(fit.fit_measures["logl"] - case["logLik"]) < 1e-6


def test_a_moderated_mediation_is_nearer_to_full_likelihood_than_modsem() -> None:
    """Two outcomes moved by one product: modsem's approximation is another one, 0.1 of an error away from both."""
    case, full = case_of("own/lms_modmed__qml"), case_of("own/lms_modmed__lms")
    fit = sk.sem(case["model"], data_of("lms_modmed.csv"), interaction="qml")
    assert worst(fit, full)[0] < 0.015 < 0.09 < worst(fit, case)[0] < 0.11


MODELS = {
    "square": "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ X + Z + X:Z + X:X",
    "mediator": "X =~ x1 + x2 + x3\nM =~ z1 + z2 + z3\nY =~ y1 + y2\nM ~ X + X:X\nY ~ M + X + y3 + X:y3",
    "second order": "A =~ x1 + x2 + x3\nB =~ z1 + z2 + z3\nF =~ A + B\nY =~ y1 + y2\nY ~ F + y3 + F:y3 + F:F",
}


@pytest.mark.parametrize("name", list(MODELS))
def test_gradient_scores_and_hessian(name: str) -> None:
    frame = planted(120, 3)
    frame.iloc[::7, 1] = np.nan
    frame.iloc[::5, 6] = np.nan
    fit = sk.sem(MODELS[name], frame, interaction="qml", missing="fiml")
    objective, theta = fit.solution.objective, fit.solution.theta * 1.002 + 0.001
    found, h = objective.at(theta), 1e-5
    slope = np.array([(objective.at(theta + h * e, "gradient").logl - objective.at(theta - h * e, "gradient").logl)
                      / (2 * h) for e in np.eye(len(theta))])
    assert np.abs(slope - found.gradient).max() < 1e-6 * np.abs(slope).max()
    e = np.full(len(theta), 1e-3)
    second = (objective.at(theta + e, "gradient").logl - 2 * found.logl + objective.at(theta - e, "gradient").logl)
    assert abs(second - e @ found.hessian @ e) < 2e-4 * abs(second) + 1e-9


def test_markers_change_nothing() -> None:
    frame = planted(120)
    fit = sk.sem(SIMPLE, frame, interaction="qml")
    objective = fit.solution.objective
    (part,) = objective.parts
    (pattern,) = part.patterns
    columns = np.arange(9)
    for mark in (6, 7, 8):
        other = type(pattern)(pattern.rows, np.delete(columns, mark), np.array([mark]), pattern.data, pattern.weight)
        moved = type(objective)((type(part)(part.model, (other,), part.n),), objective.given)
        assert abs(moved.at(fit.est, "gradient").logl - fit.fit_measures["logl"]) < 1e-9


def test_identities() -> None:
    frame = planted()
    zero = sk.sem(SIMPLE.replace("X:Z", "1e-12*X:Z"), frame, interaction="qml")
    linear = sk.sem(SIMPLE.replace(" + X:Z", ""), frame, meanstructure=True, information="observed")
    assert abs(zero.fit_measures["logl"] - linear.fit_measures["logl"]) < 1e-8
    ours = zero.estimates[zero.estimates.rhs != "X:Z"]
    np.testing.assert_allclose(ours.est, linear.estimates.est, atol=1e-7)
    np.testing.assert_allclose(ours.se, linear.estimates.se, rtol=1e-5)
    gaps = sk.sem(SIMPLE, frame, interaction="qml", missing="fiml")
    whole = sk.sem(SIMPLE, frame, interaction="qml")
    np.testing.assert_allclose(gaps.est, whole.est, atol=1e-8)
    other = sk.sem(SIMPLE, frame * np.linspace(0.5, 4.0, 9) + np.arange(9.0), interaction="qml")
    np.testing.assert_allclose(*(f.standardized().query("op == '~'")[["est_std", "se"]] for f in (whole, other)),
                               rtol=1e-5)


def test_variables_without_error_give_least_squares() -> None:
    frame = planted()
    x, z = frame.x1 - frame.x1.mean(), frame.z1 - frame.z1.mean()
    design = np.column_stack([np.ones(len(x)), frame.x1, frame.z1, x * z])
    ols = np.linalg.lstsq(design, frame.y1, rcond=None)[0][1:]
    fit = sk.sem("y1 ~ x1 + z1 + x1:z1", frame, interaction="qml")
    np.testing.assert_allclose(fit.estimates.query("op == '~'").est, ols, atol=1e-7)


def test_missing_values_are_near_full_likelihood() -> None:
    """modsem has no QML with missing values; LMS by full information is the yardstick."""
    case = case_of("own/lms_missing__lms_fiml")
    fit = sk.sem(case["model"], data_of("lms_missing.csv"), interaction="qml", missing="fiml")
    assert worst(fit, case)[0] < 0.02


def test_second_order_factors_are_near_full_likelihood() -> None:
    case = case_of("own/lms_second_order__lms")
    fit = sk.sem(case["model"], data_of("lms_second_order.csv"), interaction="qml")
    assert fit.converged and worst(fit, case)[0] < 0.05


def test_scores_and_probe() -> None:
    frame = planted()
    both = [sk.sem(SIMPLE, frame, interaction=m) for m in ("qml", "lms")]
    a, b = (fit.predict() for fit in both)
    assert all(np.corrcoef(a[v], b[v])[0, 1] > 0.999 for v in "XZY")
    sa, sb = (fit.predict(what="se") for fit in both)
    assert np.abs(sa / sb - 1).to_numpy().mean() < 0.02
    slopes = [sk.probe(fit, "X", "Z").slopes.slope.to_numpy() for fit in both]
    np.testing.assert_allclose(*slopes, atol=0.02)
    assert "QML" in repr(both[0])


def test_what_cannot_be_done_is_refused() -> None:
    frame = planted(80)
    text = "X =~ x1 + x2 + x3\nM =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nM ~ X + X:X\nY ~ M + X + M:X"
    with pytest.raises(NotSupportedError) as caught:
        sk.sem(text, frame, interaction="qml")
    assert caught.value.code == "interaction.product-of-affected"
    with pytest.raises(NotSupportedError):
        sk.sem(SIMPLE, frame, interaction="qml", missing="two.stage")
    assert isinstance(frame, pd.DataFrame)
