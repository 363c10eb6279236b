"""Draws are refits: every kind of model, to the sixth digit, and the draws' own derivative is zero there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.fitting.refit import curvature_of, refit
from semkit.fitting.resampling import make_scheme
from semkit.numerics.jobs import Chunk
from tests.fitting.test_identities import CFA, MODERATED, study
from tests.reference.harness import DATA

CHILDREN = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
H = pd.read_csv(DATA / "HolzingerSwineford1939.csv")
GAPS = pd.read_csv(DATA / "HS_missing10.csv")
PATHS = "x1 ~ x2 + x3\nx5 ~ x1 + x2\nx9 ~ x1 + x5"
CASES: dict[str, tuple[str, pd.DataFrame, dict[str, Any]]] = {
    "factors": (CHILDREN, H, {}),
    "groups": (CHILDREN, H, {"group": "school", "group_equal": ["loadings", "intercepts"]}),
    "robust": (CHILDREN, H, {"estimator": "mlr"}),
    "gaps": (CHILDREN, GAPS, {"missing": "fiml"}),
    "paths": (PATHS, H, {}),
    "moderated": (MODERATED, study(), {}),
    "least squares": (CFA, study(), {"estimator": "gls"}),
    "constraint": (CHILDREN.replace("x2", "a*x2").replace("x3", "b*x3") + "\na == b^2", H, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_draws_are_refits_to_the_sixth_digit(case: str) -> None:
    model, data, options = CASES[case]
    fit = sk.sem(model, data, **options)
    chunk = Chunk(0, 0, 6, 3)
    theta, converged, _ = refit(fit.solution, make_scheme(fit.solution, "ordinary")(chunk))
    assert converged.all()
    rows = [group.rows for group in fit.solution.sample.groups]
    for k, generator in enumerate(chunk.generators()):
        drawn = np.concatenate([part[generator.integers(0, len(part), len(part))] for part in rows])
        again = sk.sem(model, data.iloc[drawn], **options)
        np.testing.assert_allclose(theta[k], again.solution.theta, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("case", ["factors", "groups", "gaps", "moderated", "paths"])
def test_nothing_pulls_where_a_draw_ends(case: str) -> None:
    """``g' H^-1 g``, twice what is left of the discrepancy, is below the criterion for every draw that arrived."""
    model, data, options = CASES[case]
    solution = sk.sem(model, data, **options).solution
    evidence = make_scheme(solution, "ordinary")(Chunk(0, 0, 60, 4))
    theta, converged, _ = refit(solution, evidence)
    assert converged.all()
    gradient = evidence.gradient(theta)
    step = np.linalg.solve(evidence.hessian(theta), gradient[:, :, None])[:, :, 0]
    assert np.sum(gradient * step, axis=1).max() < 1e-12


def test_units_of_the_full_sample_are_the_diagonal_of_its_information() -> None:
    for case in ("factors", "moderated", "robust"):
        model, data, options = CASES[case]
        solution = sk.sem(model, data, **options).solution
        np.testing.assert_allclose(curvature_of(solution)[0], 2.0 * np.diagonal(solution.expected), rtol=1e-10)


def test_few_calls_are_enough() -> None:
    """Ordinary draws of an ordinary model need a dozen evaluations of the gradient, not two or three dozen."""
    solution = sk.sem(MODERATED, study()).solution
    _, converged, calls = refit(solution, make_scheme(solution, "ordinary")(Chunk(0, 0, 200, 4)))
    assert converged.all() and calls <= 20
