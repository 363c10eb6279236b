"""Regression on factor scores with products: consistent, with errors that count the measurement models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from tests.interaction.test_lms import SIMPLE, planted


def test_it_is_consistent_where_plain_scores_are_not() -> None:
    """20,000 respondents, planted .4, .3 and .3; means of the items give an interaction that is too small."""
    frame = planted(20_000, 4)
    fit = sk.sem(SIMPLE, frame, interaction="factor_score")
    rows = fit.estimates.query("op == '~'")
    assert np.all(np.abs(rows.est.to_numpy() - [0.4, 0.3, 0.3]) < 3.0 * rows.se.to_numpy())
    means = {v: frame[[f"{v}{i}" for i in (1, 2, 3)]].mean(axis=1) for v in "xzy"}
    x, z = means["x"] - means["x"].mean(), means["z"] - means["z"].mean()
    plain = np.linalg.lstsq(np.column_stack([np.ones(len(x)), x, z, x * z]), means["y"], rcond=None)[0]
    scale = 0.9  # mean loading of every construct
    assert plain[3] * scale < 0.3 * 0.85


def test_errors_are_those_of_the_jackknife() -> None:
    few = planted(40, 11)
    frame = pd.concat([few] * 20, ignore_index=True)
    fit = sk.sem(SIMPLE, frame, interaction="factor_score")
    left = np.array([sk.sem(SIMPLE, frame.drop(index=i), interaction="factor_score").est for i in range(40)])
    jackknife = np.sqrt(20.0 * np.sum((left - fit.est) ** 2, axis=0))
    assert np.all(np.abs(jackknife / np.sqrt(np.diag(fit.vcov)) - 1.0) < 0.01)


def test_it_is_near_the_likelihood_and_knows_covariates() -> None:
    frame = planted(500)
    found = sk.compare_methods(SIMPLE, frame, methods=("lms", "sam", "factor_score"))
    est = found.frame.set_index("method").est
    assert np.abs(est - est["lms"]).max() < 0.4 * found.frame.se.max()
    frame["w"] = frame["x1"] * 0.3 + np.random.default_rng(1).standard_normal(500)
    text = SIMPLE.replace("X + Z", "X + Z + w")
    fit = sk.sem(text, frame, interaction="factor_score")
    full = sk.sem(text + "X ~~ w\nZ ~~ w\nw ~~ w\n", frame, interaction="lms")
    one, two = (f.est[f.names.index("Y ~ w")] for f in (fit, full))
    assert abs(one - two) < 0.3 * np.sqrt(fit.vcov[fit.names.index("Y ~ w")][fit.names.index("Y ~ w")])
    assert "factor scores" in repr(fit)


def test_mediators_are_refused() -> None:
    text = "X =~ x1 + x2 + x3\nM =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nM ~ X\nY ~ M + X + X:M"
    with pytest.raises(NotSupportedError) as caught:
        sk.sem(text, planted(80), interaction="factor_score")
    assert caught.value.code == "fitting.scores-of-mediators"
