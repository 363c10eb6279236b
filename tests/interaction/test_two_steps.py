"""The two-step methods with groups, sampling designs and gaps: identities that hold to rounding, and the jackknife."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from tests.interaction.test_lms import SIMPLE, planted

METHODS = ("sam", "factor_score", "2sls")
LABELLED = SIMPLE.replace("Y ~ X + Z + X:Z", "Y ~ c(a,a)*X + c(b,b)*Z + c(d,d)*X:Z")
PATHS = ("Y ~ X", "Y ~ Z", "Y ~ X:Z")


def ask(frame: pd.DataFrame, method: str, text: str = SIMPLE, **options: Any) -> Any:
    return sk.sem(text, frame, interaction=method, **({"estimator": "mlr"} | options))


def places(fit: Any, names: tuple[str, ...] | str = PATHS) -> list[int]:
    return [fit.names.index(name) for name in names]


def same(one: np.ndarray, two: np.ndarray, rtol: float) -> None:
    scale = np.sqrt(np.outer(np.diag(one), np.diag(one))) if one.ndim == 2 else np.ones_like(one)
    scale = np.where(scale > 1e-9, scale, 1.0)
    np.testing.assert_allclose(one / scale, two / scale, rtol=0, atol=rtol)


@pytest.mark.parametrize("method", METHODS)
def test_groups_apart_are_fits_of_their_own(method: str) -> None:
    one, two = planted(220, 5), planted(260, 6, square=0.1)
    both = pd.concat([one.assign(g="a"), two.assign(g="b")], ignore_index=True)
    fit, alone = ask(both, method, group="g"), [ask(frame, method) for frame in (one, two)]
    k = len(alone[0].est)
    same(fit.est, np.concatenate([one.est for one in alone]), 1e-7)
    same(fit.vcov[:k, :k], alone[0].vcov, 1e-6)
    same(fit.vcov[k:, k:], alone[1].vcov, 1e-6)
    same(fit.std_vcov[k:, k:], alone[1].std_vcov, 1e-6)
    assert np.all(fit.vcov[:k, k:] == 0.0) and fit.nobs == 480
    slopes = sk.probe(fit, "X", "Z", group="b").slopes
    np.testing.assert_allclose(slopes["slope"], sk.probe(alone[1], "X", "Z").slopes["slope"], atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_groups_with_everything_equal_are_one(method: str) -> None:
    frame = planted(250)
    twice = pd.concat([frame.assign(g="a"), frame.assign(g="b")], ignore_index=True)
    pooled, at = ask(twice, method), None
    at = places(pooled)
    equal = ask(twice, method, LABELLED, group="g")
    own = places(equal, ("a", "b", "d"))
    same(equal.est[own], pooled.est[at], 1e-8)
    same(equal.vcov[np.ix_(own, own)], pooled.vcov[np.ix_(at, at)], 1e-7)
    held = ask(twice, method, group="g", group_equal=("loadings", "residuals", "regressions"))
    same(held.est[places(held)], pooled.est[at], 1e-8)
    same(held.vcov[np.ix_(places(held), places(held))], pooled.vcov[np.ix_(at, at)], 1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_weights(method: str) -> None:
    """Equal weights change nothing; whole numbers are copies of respondents, each with its copies a cluster."""
    frame = planted(250).assign(id=np.arange(250), one=3.0)
    plain, equal = ask(frame, method), ask(frame, method, design=sk.Design(weights="one"))
    same(equal.est, plain.est, 1e-8)
    same(equal.vcov, plain.vcov, 1e-7)
    same(equal.std_vcov, plain.std_vcov, 1e-7)
    count = np.random.default_rng(3).integers(1, 4, 250)
    copies = frame.loc[np.repeat(np.arange(250), count)].reset_index(drop=True)
    weighted = ask(frame.assign(w=count.astype(float)), method, design=sk.Design(weights="w", cluster="id"))
    copied = ask(copies, method, design=sk.Design(cluster="id"))
    same(weighted.est, copied.est, 1e-8)
    same(weighted.vcov, copied.vcov, 1e-7)
    same(weighted.std_vcov, copied.std_vcov, 1e-7)
    same(weighted.est, ask(copies, method).est, 1e-8)
    assert "fitting.design" in {note.code for note in weighted.notes} or method == "2sls"


@pytest.mark.parametrize("method", ["sam", "factor_score"])
def test_full_information_without_gaps_is_the_complete_fit(method: str) -> None:
    frame = planted(250)
    plain, filled = ask(frame, method), ask(frame, method, missing="fiml")
    same(filled.est, plain.est, 1e-7)
    same(filled.vcov, plain.vcov, 1e-6)
    same(filled.std_vcov, plain.std_vcov, 1e-6)


def gaps(n: int, seed: int) -> pd.DataFrame:
    """A tenth of the cells is empty, no construct wholly."""
    frame = planted(n, seed)
    rng = np.random.default_rng(seed)
    for v in "xzy":
        left = rng.integers(1, 4, n)
        for k in (1, 2, 3):
            frame.loc[(left != k) & (rng.uniform(size=n) < 0.15), f"{v}{k}"] = np.nan
    return frame


def jackknife(frame: pd.DataFrame, method: str, units: int, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Deviations of estimates, raw and standardised, when one copy of one of the first ``units`` rows is left out."""
    fit = ask(frame, method, **options)
    out = []
    for i in range(units):
        one = ask(frame.drop(index=frame.index[frame["unit"] == i]), method, **options)
        out.append(np.concatenate([one.est - fit.est, one.std_est - fit.std_est]))
    left = np.array(out)
    return left, np.sqrt(np.concatenate([np.diag(fit.vcov), np.diag(fit.std_vcov)]))


CASES = [
    ("sam", "fiml"), ("factor_score", "fiml"),
    ("sam", "group"), ("factor_score", "group"), ("2sls", "group"),
    ("sam", "cluster"), ("factor_score", "cluster"), ("2sls", "cluster"),
]


@pytest.mark.parametrize(("method", "kind"), CASES)
def test_errors_are_those_of_the_jackknife(method: str, kind: str) -> None:
    """Every unit twenty times, then one copy left out, both steps anew: ``V = 20 sum (t_i - t)^2``.

    Units are respondents, or clusters of three.  Copies make the steps small.
    """
    n = 33
    frame = gaps(n, 11) if kind == "fiml" else planted(n, 11)
    frame["unit"] = np.arange(n) // 3 if kind == "cluster" else np.arange(n)
    units = int(frame["unit"].max()) + 1
    many = pd.concat([frame.assign(unit=frame["unit"] + units * k) for k in range(20)], ignore_index=True)
    options: dict[str, Any] = {}
    if kind == "fiml":
        options = {"missing": "fiml"}
    elif kind == "cluster":
        many["w"] = np.tile(np.random.default_rng(2).uniform(0.5, 2.0, n), 20)
        options = {"design": sk.Design(weights="w", cluster="unit")}
    else:
        many["g"] = np.where(np.arange(len(many)) % n < 15, "a", "b")
        options = {"group": "g", "group_equal": ("loadings", "intercepts", "regressions")}
    text = SIMPLE.replace(" + x3", "").replace(" + z3", "") if method == "2sls" else SIMPLE
    left, errors = jackknife(many, method, units, text=text, **options)
    factor = 20.0 * units / (20.0 * units - 1.0) if kind == "cluster" else 1.0
    found = np.sqrt(20.0 * factor * np.sum(left**2, axis=0))
    moves = errors > 1e-9
    assert np.all(np.abs(found[moves] / errors[moves] - 1.0) < 0.02)
