"""Satorra's (2000) difference test: its formula written out, lavaan with exact restrictions, changes of units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.fitting.ordinal import OrdinalSolution

DATA = Path(__file__).parents[1] / "reference/data"
WHOLE = pd.read_csv(DATA / "HolzingerSwineford1939.csv")
FIVE = pd.read_csv(DATA / "HS_ordinal5.csv")
MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\n"
ONE, BOTH = "visual ~~ 0*textual", "visual ~~ 0*textual\nvisual ~~ 0*speed"
NAMES = {ONE: ["visual ~~ textual"], BOTH: ["visual ~~ textual", "visual ~~ speed"],
         "visual ~~ 0.3*textual": ["visual ~~ textual"]}
# lavTestLRT(method = "satorra.2000", A.method = "exact") of lavaan 0.6-14; MEAN without scaled.shifted
PEER = {("mlm", ONE): 28.9272799921, ("mlm", BOTH): 51.1628095735, ("mlm", "visual ~~ 0.3*textual"): 1.62445657505,
        ("wlsmv", ONE): 66.9166233074, ("wlsmv", BOTH): 128.500367602,
        ("wlsmv", "visual ~~ 0.3*textual"): 0.176632920902}
MEAN = {ONE: 28.9272799921, BOTH: 52.104669729}


def pair(estimator: str, text: str) -> tuple[sk.Fit, sk.Fit]:
    if estimator == "mlm":
        return sk.cfa(MODEL, WHOLE, estimator="mlm"), sk.cfa(MODEL + text, WHOLE, estimator="mlm")
    return sk.cfa(MODEL, FIVE, ordered=True), sk.cfa(MODEL + text, FIVE, ordered=True)


@pytest.mark.parametrize(("estimator", "text"), PEER)
def test_parameters_fixed_at_numbers_are_lavaans_exact_restrictions(estimator: str, text: str) -> None:
    free, fixed = pair(estimator, text)
    found = sk.compare(free, fixed, method="satorra.2000" if estimator == "mlm" else "auto").frame["chisq_diff"].iloc[1]
    assert found == pytest.approx(PEER[estimator, text], rel=1e-5)
    if estimator == "mlm" and text in MEAN:
        mean = sk.compare(free, fixed, method="satorra.2000.mean").frame["chisq_diff"].iloc[1]
        assert mean == pytest.approx(MEAN[text], rel=1e-5)


def by_hand(weight: np.ndarray, slopes: np.ndarray, gamma: np.ndarray, at: list[int], stat: float) -> float:
    """``a T + m - a tr(U Gamma)``; ``U`` with ``A`` of ones at the parameters that are fixed (Satorra 2000)."""
    a = np.zeros((len(at), slopes.shape[1]))
    a[np.arange(len(at)), at] = 1.0
    inverse = np.linalg.inv(slopes.T @ weight @ slopes)
    pull = weight @ slopes @ inverse @ a.T
    u = pull @ np.linalg.solve(a @ inverse @ a.T, pull.T)
    product = u @ gamma
    scale = np.sqrt(len(at) / np.trace(product @ product))
    return float(scale * stat + len(at) - scale * np.trace(product))


@pytest.mark.parametrize("text", [ONE, BOTH])
def test_the_formula_with_the_restriction_written_out(text: str) -> None:
    """Derivatives by differences of the implied moments, weights and ``Gamma`` from their definitions."""
    free, fixed = pair("mlm", text)
    rows, cols = np.tril_indices(9)
    z = WHOLE[[f"x{k}" for k in range(1, 10)]].to_numpy()
    z = z - z.mean(axis=0)
    gamma = np.cov(z[:, rows] * z[:, cols], rowvar=False, bias=True)
    names = list(free.names)
    factors = ("visual", "textual", "speed")
    loads = {f"x{k}": factors[(k - 1) // 3] for k in range(1, 10)}

    def implied(theta: np.ndarray) -> np.ndarray:
        value = dict(zip(names, theta, strict=True))
        lam = np.array([[value.get(f"{f} =~ {x}", 1.0) if loads[x] == f else 0.0 for f in factors] for x in loads])
        psi = np.array([[value.get(f"{a} ~~ {b}", value.get(f"{b} ~~ {a}")) for a in factors] for b in factors])
        return np.asarray(lam @ psi @ lam.T + np.diag([value[f"{x} ~~ {x}"] for x in loads]))

    step = 1e-6
    moves = np.eye(len(names)) * step
    slopes = np.array([((implied(free.est + m) - implied(free.est - m)) / (2 * step))[rows, cols] for m in moves]).T
    w = np.linalg.inv(implied(free.est))
    double = np.where(rows == cols, 0.5, 1.0)
    weight = (w[np.ix_(rows, rows)] * w[np.ix_(cols, cols)] + w[np.ix_(rows, cols)] * w[np.ix_(cols, rows)])
    weight *= double[:, None] * double
    stat = fixed.fit_measures["chisq"] - free.fit_measures["chisq"]
    wanted = by_hand(weight, slopes, gamma, [names.index(name) for name in NAMES[text]], stat)
    found = sk.compare(free, fixed, method="satorra.2000").frame["chisq_diff"].iloc[1]
    assert found == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("text", [ONE, BOTH])
def test_the_formula_for_ordinal_indicators(text: str) -> None:
    free, fixed = pair("wlsmv", text)
    solution = free.solution
    assert isinstance(solution, OrdinalSolution)
    own = solution.statistics[0]
    weight, slopes = np.diag(1.0 / np.diagonal(own.gamma)), np.concatenate(solution.pieces.slopes)
    at = [free.names.index(name) for name in NAMES[text]]
    stat = fixed.fit_measures["chisq"] - free.fit_measures["chisq"]
    found = sk.compare(free, fixed).frame["chisq_diff"].iloc[1]
    assert found == pytest.approx(by_hand(weight, slopes, own.gamma, at, stat), rel=1e-6)


def test_units_of_the_variables_do_not_matter() -> None:
    """With the restriction solved for by least squares (lavaan's default) they do."""
    turned = WHOLE.assign(x2=10.0 * WHOLE["x2"], x5=WHOLE["x5"] / 7.0)
    found = []
    for frame in (WHOLE, turned):
        free, fixed = (sk.cfa(MODEL + text, frame, estimator="mlm") for text in ("", BOTH))
        found.append(sk.compare(free, fixed, method="satorra.2000").frame["chisq_diff"].iloc[1])
    assert found[0] == pytest.approx(found[1], rel=1e-6)
