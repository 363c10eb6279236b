"""Diagnoses of LMS and QML: given where they belong, and on none of 60 healthy fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import OptionError
from semkit.fitting.maxima import Reached, choose
from tests.diagnosis.cases import CURVE, PAIR, crossed

HARMLESS = {"sample.listwise", "sample.full-information"}


def observed(n: int, seed: int) -> tuple[str, pd.DataFrame]:
    """A dummy moderator, on which the construct's mean does not depend."""
    rng = np.random.default_rng(seed)
    data = crossed(n, seed).assign(w=rng.integers(0, 2, n))
    for name in ("y1", "y2", "y3"):
        data[name] += 0.2 * (data["w"] - 0.5) * data["x1"]
    return "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nY ~ X + w + X:w", data


def mediated(n: int, seed: int) -> tuple[str, pd.DataFrame]:
    return PAIR.replace("Y ~ X + Z + X:Z", "Z ~ X\nY ~ X + Z + X:Z"), crossed(n, seed)


def gaps(n: int, seed: int) -> tuple[str, pd.DataFrame]:
    data = crossed(n, seed)
    return PAIR, data.mask(np.random.default_rng(seed).uniform(size=data.shape) < 0.05)


HEALTHY: tuple[Callable[[int, int], tuple[str, pd.DataFrame]], ...] = (
    lambda n, seed: (PAIR, crossed(n, seed)), lambda n, seed: (CURVE, crossed(n, seed)), observed, mediated, gaps,
)


@pytest.mark.parametrize("method", ["lms", "qml"])
def test_no_note_on_healthy_fits(method: str) -> None:
    """30 fits of each method with 250 to 450 respondents; a few of them from three starts."""
    wrong = []
    for k in range(30):
        text, data = HEALTHY[k % 5](int(np.random.default_rng(k).integers(250, 450)), 1000 + k)
        starts = 3 if k % 11 == 0 else 1
        chosen = sk.LMS(starts=starts) if method == "lms" else sk.QML(starts=starts)
        fit = sk.sem(text, data, interaction=chosen, missing="fiml" if data.isna().any(axis=None) else "listwise")
        wrong += [f"{k}: {note}" for note in fit.notes if note.code not in HARMLESS]
        if not fit.admissible or len(fit.solution.reached) != starts:
            wrong.append(f"{k}: {fit.admissible}, {len(fit.solution.reached)} starts")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("method", ["lms", "qml"])
def test_a_factor_without_variance_and_fits_that_do_not_converge(method: str) -> None:
    data, noise = crossed(), np.random.default_rng(3)
    for name in ("z1", "z2", "z3"):
        data[name] = 0.25 * data[name] + noise.normal(size=300)
    found = next(note for note in sk.sem(PAIR, data, interaction=method).notes
                 if note.code == "fitting.factor-without-variance")
    assert found.where == "Z"
    nothing = pd.DataFrame(np.random.default_rng(2).standard_normal((50, 9)), columns=crossed(9).columns)
    fit = sk.sem(PAIR, nothing, interaction=method)  # items that share nothing
    words = next(note.what for note in fit.notes if note.code == "fitting.not-converged")
    assert not fit.converged and not fit.admissible
    assert "4 starts were tried (estimates of the model without products" in words


def test_the_highest_maximum_is_taken_and_the_others_are_said() -> None:
    data = crossed(80, 4, noise=1.6)
    one, many = (sk.sem(CURVE, data, interaction=sk.LMS(starts=k)) for k in (1, 6))
    assert "fitting.local-optima" not in {note.code for note in one.notes}
    note = next(note for note in many.notes if note.code == "fitting.local-optima")
    heights = [r.logl for r in many.solution.reached if r.converged]
    assert many.fit_measures["logl"] >= one.fit_measures["logl"] - 1e-6
    assert abs(many.fit_measures["logl"] - max(heights)) < 1e-6 and min(heights) < max(heights) - 0.1
    assert f"{max(heights):.2f}" in note.what
    again = sk.sem(CURVE, data, interaction=sk.LMS(starts=6))
    np.testing.assert_allclose(again.est, many.est, atol=1e-8)  # the starts are the same every time


def test_which_maximum_is_taken() -> None:
    high, low = Reached(-100.0, True, True), Reached(-103.0, True, True)
    improper, far = Reached(-98.0, True, False), Reached(-120.0, True, True)
    lost, none = Reached(-50.0, False, True), Reached(float("nan"), False, False)
    assert choose([low, high, improper]) == 1
    assert choose([improper, far]) == 0
    assert choose([none, lost, low]) == 2
    assert choose([none, lost]) == 1


@pytest.mark.parametrize("method", [sk.LMS, sk.QML])
def test_starts_are_a_number(method: type) -> None:
    for wrong in (0, 101, True, 2.5, "3"):
        with pytest.raises(OptionError) as caught:
            method(starts=wrong)
        assert caught.value.code == "interaction.starts"


def test_more_points_need_no_more_respondents() -> None:
    for nodes in (24, 48):
        fit = sk.sem(PAIR, crossed(130), interaction=sk.LMS(nodes=nodes))
        assert "fitting.few-cases-per-node" not in {note.code for note in fit.notes}
    few = sk.sem(PAIR, crossed(90), interaction="lms")
    assert "3.8 each" in next(n for n in few.notes if n.code == "fitting.few-cases-per-node").what
    assert "fitting.few-cases-per-node" not in {n.code for n in sk.sem(PAIR, crossed(90), interaction="qml").notes}
