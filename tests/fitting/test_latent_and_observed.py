"""Factors beside observed variables that covary with them or stand between them: indices and scores by hand.

lavaan 0.6-14 gives other numbers for these models (docs/after-the-fit.md); the formulas here are written out over all
variables at once, without blocks of latent and observed ones.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import semkit as sk

MODELS = {
    "covarying": "f =~ x1 + x2 + x3\nf ~~ u\ng =~ x4 + x5 + x6\nv ~ g",
    "between": "f =~ x1 + x2 + x3\nu ~ f\ng =~ x4 + x5 + x6\ng ~ u",
    "outcome": "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nu ~ f + g\nv ~ u",
}
RELEASED = {
    "covarying": ["x1 ~~ x3", "f =~ x4", "g =~ x1", "x4 ~~ x6", "u ~~ v", "g =~ u"],
    "between": ["x1 ~~ x4", "f =~ x5", "u ~~ x6", "g ~ f", "f ~~ g"],
    "outcome": ["x2 ~~ x6", "g =~ x1", "x3 ~~ u", "v ~ f", "v ~ g", "u ~~ v"],
}


@cache
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(31)
    n = 250
    f = rng.normal(size=n)
    u = 0.5 * f + rng.normal(size=n)
    g = 0.4 * u + 0.2 * f + rng.normal(size=n)
    v = 0.5 * g + 0.3 * u + rng.normal(size=n)
    x = np.column_stack([f, 0.8 * f, 0.9 * f + 0.2 * g, g, 0.7 * g, 0.9 * g]) + 0.7 * rng.normal(size=(n, 6))
    return pd.DataFrame(np.column_stack([x, u, v]), columns=["x1", "x2", "x3", "x4", "x5", "x6", "u", "v"])


def joint(names: list[str], rows: list[tuple[str, str, str]], values: np.ndarray) -> np.ndarray:
    """Covariances of all variables, ``(I - B)^-1 Psi (I - B)^-T``; loadings are slopes of the indicators."""
    at = {name: k for k, name in enumerate(names)}
    b, psi = np.zeros((len(names),) * 2), np.zeros((len(names),) * 2)
    for (lhs, op, rhs), value in zip(rows, values, strict=True):
        if op == "~~":
            psi[at[lhs], at[rhs]] = psi[at[rhs], at[lhs]] = value
        else:
            to, by = (rhs, lhs) if op == "=~" else (lhs, rhs)
            b[at[to], at[by]] = value
    turn = np.linalg.inv(np.eye(len(names)) - b)
    return np.asarray(turn @ psi @ turn.T)


def pieces(name: str) -> tuple[sk.Fit, list[str], list[tuple[str, str, str]], np.ndarray, list[bool]]:
    fit = sk.sem(MODELS[name], frame())
    table = fit.estimates
    rows = list(zip(table["lhs"], table["op"], table["rhs"], strict=True))
    free = [bool(se > 0) for se in table["se"].fillna(0.0)]
    names = ["f", "g", *fit.table.variables.ov]
    return fit, names, rows, table["est"].to_numpy(), free


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in MODELS for text in RELEASED[name]])
def test_an_index_is_the_score_test_of_the_parameter(name: str, text: str) -> None:
    """``N s^2 / (I_kk - I_kt I_tt^-1 I_tk)`` with derivatives of the covariances by differences."""
    fit, names, rows, values, free = pieces(name)
    lhs, op, rhs = text.split()
    rows, values, free = [*rows, (lhs, op, rhs)], np.append(values, 0.0), [*free, True]
    moving, step = np.flatnonzero(free), 1e-5
    slopes = []
    for k in moving:
        move = step * (np.arange(len(values)) == k)
        gap = (joint(names, rows, values + move) - joint(names, rows, values - move)) / (2 * step)
        slopes.append(gap[2:, 2:])
    w = np.linalg.inv(joint(names, rows, values)[2:, 2:])
    n = len(frame())
    s = np.cov(frame()[names[2:]].to_numpy(), rowvar=False, bias=True)
    turned = [w @ slope for slope in slopes]
    information = 0.5 * np.array([[np.trace(a @ b) for b in turned] for a in turned])
    score = 0.5 * np.array([np.trace(a @ w @ s) - np.trace(a) for a in turned])
    np.testing.assert_allclose(score[:-1], 0.0, atol=1e-6)
    left = information[-1, -1] - information[-1, :-1] @ np.linalg.solve(information[:-1, :-1], information[:-1, -1])
    indices = fit.modification_indices().set_index(["lhs", "op", "rhs"])
    row = indices.loc[(lhs, op, rhs)] if (lhs, op, rhs) in indices.index else indices.loc[(rhs, op, lhs)]
    assert row["mi"] == pytest.approx(n * score[-1] ** 2 / left, rel=1e-5, abs=1e-7)
    assert row["epc"] == pytest.approx(score[-1] / left, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_expectations_given_everything_observed(name: str) -> None:
    fit, names, rows, values, _ = pieces(name)
    whole = joint(names, rows, values)
    z = frame()[names[2:]].to_numpy()
    wanted = (z - z.mean(axis=0)) @ np.linalg.solve(whole[2:, 2:], whole[2:, :2])
    found = fit.predict("regression")[["f", "g"]].to_numpy()
    np.testing.assert_allclose(found - found.mean(axis=0), wanted, atol=1e-8)
    # without a mean structure the mean of g is that of what u predicts, as with one
    slope = fit.estimates.set_index(["lhs", "op", "rhs"])["est"].get(("g", "~", "u"), 0.0)
    np.testing.assert_allclose(found.mean(axis=0), [0.0, slope * frame()["u"].mean()], atol=1e-8)
