"""Structure after measurement with products: lavaan's estimates, and errors by the jackknife."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from tests.interaction.peers import case_of, data_of
from tests.interaction.test_lms import SIMPLE, planted

CASES = [("own/lms_simple__sam", "lms_simple.csv"), ("lavaan/sam_oneInt_interaction", "oneInt.csv"),
         ("lavaan/sam_pd_local", "PoliticalDemocracy.csv")]


@pytest.mark.parametrize(("name", "data"), CASES)
def test_estimates_are_lavaans(name: str, data: str) -> None:
    """The peer's files were not polished: 1e-5.  Its errors rest on normal theory; see the jackknife for ours."""
    case = case_of(name)
    fit = sk.sem(case["model"], data_of(data), interaction="sam")
    ours = {(r.lhs, r.op, r.rhs): r.est for r in fit.estimates.itertuples()}
    ours |= {(rhs, op, lhs): est for (lhs, op, rhs), est in ours.items() if op == "~~"}
    compared = [row for row in case["estimates"] if row["op"] != "~1"]
    assert fit.converged and len(compared) == len(fit.names)
    for row in compared:
        assert abs(ours[row["lhs"], row["op"], row["rhs"]] - row["est"]) < 1e-5
    errors = {(r.lhs, r.op, r.rhs): r.se for r in fit.estimates.itertuples()}
    for row in compared:
        if row["op"] == "~":
            ratio = errors[row["lhs"], "~", row["rhs"]] / row.get("se", row.get("std.error"))
            assert 0.8 < ratio < 1.25


def test_errors_are_those_of_the_jackknife() -> None:
    """Every respondent twenty times, then one copy of one left out, both steps anew: ``V = 20 sum (t_i - t)^2``.

    Copies make the steps small, so that what is left of their curvature is of the order of 1/1000.
    """
    few = planted(50, 11)
    frame = pd.concat([few] * 20, ignore_index=True)
    fit = sk.sem(SIMPLE, frame, interaction="sam")
    left = np.array([sk.sem(SIMPLE, frame.drop(index=i), interaction="sam").est for i in range(50)])
    jackknife = np.sqrt(20.0 * np.sum((left - fit.est) ** 2, axis=0))
    assert np.all(np.abs(jackknife / np.sqrt(np.diag(fit.vcov)) - 1.0) < 0.01)


def test_missing_cells_leave_errors() -> None:
    """Where lavaan has no errors at all after one missing cell."""
    frame = planted(300)
    whole = sk.sem(SIMPLE, frame, interaction="sam", missing="fiml")
    plain = sk.sem(SIMPLE, frame, interaction="sam")
    np.testing.assert_allclose(whole.est, plain.est, atol=1e-6)
    np.testing.assert_allclose(whole.vcov, plain.vcov, rtol=1e-4)
    gaps = data_of("lms_missing.csv")
    fit = sk.sem(SIMPLE, gaps, interaction="sam", missing="fiml")
    full = sk.sem(SIMPLE, gaps, interaction="lms", missing="fiml")
    pick = [fit.names.index(n) for n in ("Y ~ X", "Y ~ Z", "Y ~ X:Z")]
    other = [full.names.index(fit.names[k]) for k in pick]
    assert fit.nobs == full.nobs - 1 and np.isfinite(fit.vcov).all()
    assert "fitting.no-scores" in {note.code for note in fit.notes}
    assert np.all(np.abs(fit.est[pick] - full.est[other]) < np.sqrt(np.diag(full.vcov))[other])


def test_without_errors_it_is_least_squares_with_robust_errors() -> None:
    frame = planted(200)
    x, z = frame.x1 - frame.x1.mean(), frame.z1 - frame.z1.mean()
    design = np.column_stack([np.ones(200), x, z, x * z])
    beta = np.linalg.lstsq(design, frame.y1, rcond=None)[0]
    fit = sk.sem("X =~ x1\nZ =~ z1\nY =~ y1\nY ~ X + Z + X:Z", frame, interaction="sam")
    rows = fit.estimates.query("op == '~'")
    np.testing.assert_allclose(rows.est, beta[1:], atol=1e-6)
    residual = frame.y1.to_numpy() - design @ beta
    inverse = np.linalg.inv(design.T @ design)
    hc0 = inverse @ (design * residual[:, None] ** 2).T @ design @ inverse
    # centring at the sample means is counted too, which for the product moves nothing
    assert abs(rows.se.iloc[2] / np.sqrt(hc0[3, 3]) - 1) < 1e-3


def test_standardised_probe_and_table() -> None:
    frame = planted(300)
    fit = sk.sem(SIMPLE, frame, interaction=sk.SAM())
    other = sk.sem(SIMPLE, frame * np.linspace(0.5, 4.0, 9) + np.arange(9.0), interaction="sam")
    np.testing.assert_allclose(*(f.standardized().query("op == '~'")[["est_std", "se"]] for f in (fit, other)),
                               rtol=1e-4)
    b = dict(zip(fit.names, fit.est, strict=True))
    sd = {v: fit.variables[v].sd for v in "XZY"}
    std = fit.standardized().set_index(["op", "rhs"]).est_std["~", "X:Z"]
    assert abs(std - b["Y ~ X:Z"] * sd["X"] * sd["Z"] / sd["Y"]) < 1e-9
    slopes = sk.probe(fit, "X", "Z").slopes
    assert abs(slopes.slope.iloc[2] - (b["Y ~ X"] + sd["Z"] * b["Y ~ X:Z"])) < 1e-9
    assert list(sk.compare_methods(SIMPLE, frame, methods=("lms", "sam")).frame.method) == ["lms", "sam"]
    assert "SAM" in repr(fit) and set(fit.measurement) == {"X", "Z", "Y"}


def test_what_cannot_be_done_is_refused() -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        (SIMPLE + "F =~ X + Z\n", {}, "fitting.steps-not-apart"),
        (SIMPLE + "Y ~ 1\n", {}, "fitting.steps-not-apart"),
        (SIMPLE + "X ~~ x1\n", {}, "fitting.steps-not-apart"),
        (SIMPLE.replace("X:Z", "X:Z:X:Z"), {}, "fitting.not-with-sam"),
        (SIMPLE, {"std_lv": True}, "fitting.not-with-sam"),
        (SIMPLE, {"group": "g", "group_equal": "lv.variances"}, "fitting.not-with-sam")]
    frame = planted(80).assign(g=np.arange(80) % 2)
    for text, options, code in cases:
        with pytest.raises(NotSupportedError) as caught:
            sk.sem(text, frame, interaction="sam", **options)
        assert caught.value.code == code


def test_two_steps_are_not_exported_and_say_so(tmp_path: Path) -> None:
    fit = sk.sem(SIMPLE, planted(300), interaction="sam")
    for export in (fit.to_lavaan, fit.to_mplus):
        with pytest.raises(NotSupportedError) as caught:
            export(tmp_path / "model")
        assert caught.value.code == "fitting.not-with-sam"  # not "fitted to moments": there were data


def test_tests_that_would_take_scores_for_observed_moments_are_refused() -> None:
    fit = sk.sem(SIMPLE, planted(300), interaction="sam")
    for ask in (fit.modification_indices, fit.score_test, lambda: fit.residuals("standardized"),
                lambda: fit.residuals("normalized"), fit.bootstrap):
        with pytest.raises(NotSupportedError) as caught:
            ask()
        assert caught.value.code == "fitting.not-with-sam"
    assert len(fit.residuals("cor")) == len(fit.residuals("raw"))
