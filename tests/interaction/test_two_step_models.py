"""What models the two-step methods take: peers, jackknife over all steps, hand calculations, likelihood methods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError
from semkit.interaction.mapping import Scores, map_moments
from tests.interaction.peers import case_of, data_of
from tests.interaction.test_lms import SIMPLE, planted
from tests.interaction.test_two_steps import ask, gaps, places, same

PEER = json.loads((Path(__file__).parents[1] / "golden" / "sam_groups.json").read_text(encoding="utf-8"))
BLOCKS = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\n"


# --- peers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PEER["models"])
def test_groups_give_lavaans_numbers(name: str) -> None:
    """Groups apart, equal loadings, equal slopes, constructs measured together: to 1e-6.

    Errors of lavaan rest on normal theory, and under equal slopes count one step only; see the jackknife for ours.
    """
    options = {"group_equal": "loadings"} if name == "loadings" else {}
    frame = data_of("HolzingerSwineford1939.csv")
    fit = sk.sem(PEER["models"][name], frame, interaction="sam", group="school", **options)
    number = {label: k + 1 for k, label in enumerate(fit.table.groups)}
    ours = {}
    for row in fit.estimates.itertuples():
        ours[f"{row.lhs} {row.op} {row.rhs} {number[row.group]}"] = row
        ours[f"{row.rhs} {row.op} {row.lhs} {number[row.group]}"] = row
    for place, (est, se) in PEER[name].items():
        assert abs(ours[place].est - est) < 1e-6
        if " ~ " in place and name != "labels":
            assert 0.8 < ours[place].se / se < 1.3


def test_second_order_factors_are_near_the_likelihood() -> None:
    case, frame = case_of("own/lms_second_order__lms"), data_of("lms_second_order.csv")
    full = {(r["lhs"], r["rhs"]): r for r in case["estimates"] if r["op"] == "~"}
    for method in ("sam", "factor_score"):
        fit = ask(frame, method, case["model"])
        assert set(fit.measurement) <= {"C", "G", "Y", "C, G"}
        for row in fit.estimates.query("op == '~'").itertuples():
            peer = full[row.lhs, row.rhs]
            assert abs(row.est - peer["est"]) < 0.35 * peer["std.error"]
            assert 0.85 < row.se / peer["std.error"] < 1.15


def test_products_of_three_and_of_mediators() -> None:
    """20,000 respondents: planted values within three errors, near LMS; skewed disturbances of the mediator too."""
    rng = np.random.default_rng(3)
    n = 20_000
    x, z, w = rng.multivariate_normal([0, 0, 0], [[1, 0.3, 0.2], [0.3, 1, 0.3], [0.2, 0.3, 1]], n).T
    m = 0.5 * x + 0.3 * z + 0.2 * x * z + 0.7 * (rng.exponential(size=n) - 1.0)
    y = 0.4 * m + 0.2 * w + 0.15 * m * w + 0.7 * rng.standard_normal(n)
    v = 0.3 * x + 0.2 * z + 0.2 * w + 0.2 * x * z + 0.1 * x * w - 0.1 * z * w + 0.2 * x * z * w + rng.standard_normal(n)
    frame = pd.DataFrame({f"{name}{i}": load * f + 0.5 * rng.standard_normal(n)
                          for name, f in (("x", x), ("z", z), ("w", w), ("m", m), ("y", y), ("v", v))
                          for i, load in ((1, 1.0), (2, 0.9), (3, 0.8))})
    text = "\n".join(f"{k.upper()} =~ {k}1 + {k}2 + {k}3" for k in "xzw") + "\n"
    three = ask(frame, "sam", f"{text}V =~ v1 + v2 + v3\nV ~ X + Z + W + X:Z + X:W + Z:W + X:Z:W")
    est, se = three.est[:7], np.sqrt(np.diag(three.vcov))[:7]
    assert np.all(np.abs(est - [0.3, 0.2, 0.2, 0.2, 0.1, -0.1, 0.2]) < 3.0 * se)
    scores = ask(frame, "factor_score", f"{text}V =~ v1 + v2 + v3\nV ~ X + Z + W + X:Z + X:W + Z:W + X:Z:W")
    assert np.all(np.abs(scores.est - [0.3, 0.2, 0.2, 0.2, 0.1, -0.1, 0.2]) < 3.0 * np.sqrt(np.diag(scores.vcov)))
    inner = f"{text}M =~ m1 + m2 + m3\nY =~ y1 + y2 + y3\nM ~ X + Z + X:Z\nY ~ M + W + M:W + M:M"
    paths = ask(frame, "sam", inner)
    rows = paths.estimates.query("op == '~'")
    assert np.all(np.abs(rows["est"] - [0.5, 0.3, 0.2, 0.4, 0.2, 0.15, 0.0]) < 3.2 * rows["se"])
    assert "M ~~ M:M" in paths.names and "M ~~ M:W" in paths.names


def test_covariances_that_are_written_take_no_others_away() -> None:
    frame = planted(300)
    plain, written = ask(frame, "sam"), ask(frame, "sam", SIMPLE + "X ~~ c*Z\nc2 := 2*c")
    assert set(written.names) - {"c", "c2"} == set(plain.names) - {"X ~~ Z"}
    same(written.est[places(written)], plain.est[places(plain)], 1e-7)


# --- errors --------------------------------------------------------------------------------------------


def mixed(n: int, seed: int) -> pd.DataFrame:
    """With an observed moderator that is not centred, and a binary one."""
    frame, rng = planted(n, seed), np.random.default_rng(seed)
    frame["w"] = 2.0 + 0.4 * frame["x1"] + rng.standard_normal(n)
    frame["d"] = (rng.uniform(size=n) < 0.5).astype(float)
    frame["v"] = 0.5 * frame["x1"] + 0.3 * frame["w"] + rng.standard_normal(n)
    support = 0.5 * frame["x2"] + rng.standard_normal(n)
    for part in "ab":
        kind = support + 0.4 * rng.standard_normal(n)
        for i in (1, 2, 3):
            frame[f"{part}{i}"] = kind + 0.6 * rng.standard_normal(n)
        frame[f"m{part}"] = frame[[f"{part}{i}" for i in (1, 2, 3)]].mean(axis=1)
    return frame


TWO = "X =~ x1 + x2\nZ =~ z1 + z2\nY =~ y1 + y2 + y3\n"
OF_MEANS = {"G": sk.Composite(("ma", "mb"), {"ma": ("a1", "a2", "a3"), "mb": ("b1", "b2", "b3")})}
CASES = {
    "sam composite": ("sam", BLOCKS + "Y ~ X + G + X:G", {"composites": OF_MEANS}),
    "sam observed": ("sam", BLOCKS + "Y ~ X + Z + w + d + X:w + X:d", {}),
    "sam three": ("sam", BLOCKS + "Y ~ X + Z + w + X:Z + X:w + Z:w + X:Z:w", {}),
    "sam mediator": ("sam", BLOCKS + "Z ~ X + w\nY ~ a*Z + X + b*Z:w\nindex := a*b + sd(Z)", {}),
    "sam second": ("sam", "X =~ x1 + x2 + y2\nZ =~ z1 + z2 + z3\nF =~ X + Z + x3\nv ~ F + w + F:w", {}),
    "scores observed": ("factor_score", BLOCKS + "Y ~ X + w + d + X:w + X:d\nv ~ X + w", {}),
    "scores defined": ("factor_score", BLOCKS + "Y ~ a*X + b*Z + d*X:Z\nu := a*d + sd(X) * std(b)", {}),
    "scores equal": ("factor_score", BLOCKS + "Y ~ a*X + a*Z + 0.2*X:Z", {}),
    "2sls equal": ("2sls", TWO + "Y ~ a*X + b*Z + d*X:Z\na == b + 0.1", {}),
    "2sls defined": ("2sls", TWO + "Y ~ a*X + b*Z + d*X:Z\nu := a*d + b^2", {}),
}


@pytest.mark.parametrize("name", CASES)
def test_errors_are_those_of_the_jackknife(name: str) -> None:
    """Every respondent twenty times, then one copy left out, all steps anew: ``V = 20 sum (t_i - t)^2``."""
    method, text, options = CASES[name]
    few = mixed(30, 11)
    frame = pd.concat([few] * 20, ignore_index=True)
    fit = ask(frame, method, text, **options)
    fits = [ask(frame.drop(index=i), method, text, **options) for i in range(30)]
    for what, vcov in (("est", fit.vcov), ("std_est", fit.std_vcov)):
        left = np.array([getattr(one, what) - getattr(fit, what) for one in fits])
        found, errors = np.sqrt(20.0 * np.sum(left**2, axis=0)), np.sqrt(np.diag(vcov))
        moves = errors > 1e-7
        assert what == "std_est" or moves.sum() >= len(errors) - 2
        assert np.all(np.abs(found[moves] / errors[moves] - 1.0) < 0.03), (what, found / errors)


def test_gaps_in_scores_are_consistent() -> None:
    """20,000 respondents with gaps completely at random; an observed predictor with gaps as well."""
    frame = gaps(20_000, 4)
    for method in ("sam", "factor_score"):
        fit = ask(frame, method, missing="fiml")
        at = places(fit)
        assert np.all(np.abs(fit.est[at] - [0.4, 0.3, 0.3]) < 3.0 * np.sqrt(np.diag(fit.vcov))[at])
    rng = np.random.default_rng(2)
    whole = planted(20_000, 7)
    whole["w"] = rng.standard_normal(20_000)
    for k in (1, 2, 3):
        whole[f"y{k}"] += 0.2 * whole["w"] * {1: 1.0, 2: 0.9, 3: 0.8}[k]
    whole.loc[rng.uniform(size=20_000) < 0.2, "w"] = np.nan
    fit = ask(whole, "factor_score", SIMPLE.replace("Z + X:Z", "Z + w + X:Z + X:w"), missing="fiml")
    assert fit.nobs == 20_000
    assert np.all(np.abs(fit.est - [0.4, 0.3, 0.2, 0.3, 0.0]) < 3.0 * np.sqrt(np.diag(fit.vcov)))


def test_composites_are_near_the_likelihood() -> None:
    frame = mixed(500, 3)
    text = BLOCKS + "Y ~ X + Z + G + X:Z + X:G"
    found = sk.compare_methods(text, frame, methods=("lms", "sam"), composites=OF_MEANS, estimator="mlr").frame
    by = found.pivot(index="product", columns="method", values="est")
    assert np.all(np.abs(by["lms"] - by["sam"]) < 0.7 * found.groupby("product")["se"].max())
    with pytest.raises(NotSupportedError, match="composites= with missing"):
        ask(frame, "sam", text, composites=OF_MEANS, missing="fiml")


def test_observed_variables_alone() -> None:
    """Without gaps least squares; with gaps of a predictor the planted slopes of 20,000 respondents."""
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"w": 2.0 + rng.standard_normal(20_000), "d": rng.integers(0, 2, 20_000).astype(float)})
    product = (frame["w"] - 2.0) * frame["d"]
    frame["v"] = 0.3 * frame["w"] + 0.2 * frame["d"] + 0.2 * product + rng.standard_normal(20_000)
    few = frame.iloc[:200]
    w, d = few["w"] - few["w"].mean(), few["d"] - few["d"].mean()
    beta = np.linalg.lstsq(np.column_stack([np.ones(200), w, d, w * d]), few["v"], rcond=None)[0]
    for method in ("sam", "factor_score"):
        np.testing.assert_allclose(ask(few, method, "v ~ w + d + w:d").est[:3], beta[1:], atol=1e-6)
    frame.loc[rng.uniform(size=20_000) < 0.3, "w"] = np.nan
    fit = ask(frame, "factor_score", "v ~ w + d + w:d", missing="fiml")
    share = frame["d"].mean()
    planted_slopes = [0.3 + 0.2 * share, 0.2, 0.2]
    assert np.all(np.abs(fit.est - planted_slopes) < 3.0 * np.sqrt(np.diag(fit.vcov)))
    assert fit.nobs == 20_000 and fit.variables["d"].binary and fit.variables["w"].sd == pytest.approx(1.0, abs=0.02)


# --- 2SLS by hand --------------------------------------------------------------------------------------


def columns(frame: pd.DataFrame, products: list[tuple[str, ...]]) -> np.ndarray:
    centred = frame - frame.mean()
    return np.column_stack([np.ones(len(frame)), *(np.prod([centred[v] for v in p], axis=0) for p in products)])


def test_restricted_slopes_are_those_of_the_restricted_regression() -> None:
    """A fixed slope on the left side, equal slopes of a sum: statsmodels' two-stage least squares."""
    from statsmodels.sandbox.regression.gmm import IV2SLS

    frame = planted(300)
    x = columns(frame, [("x1",), ("z1",), ("x1", "z1")])
    linear = [("x2",), ("x3",), ("z2",), ("z3",)]
    w = columns(frame, [*linear, *((a, b) for a in ("x2", "x3") for b in ("z2", "z3"))])
    y = (frame["y1"] - frame["y1"].mean()).to_numpy()
    fixed = ask(frame, "2sls", SIMPLE.replace("Y ~ X", "Y ~ 0.5*X"), estimator="ml")
    peer = IV2SLS(y - 0.5 * x[:, 1], x[:, [0, 2, 3]], w).fit()
    np.testing.assert_allclose(fixed.est, peer.params[1:], rtol=1e-8)
    assert fixed.names == ("Y ~ Z", "Y ~ X:Z") and fixed.estimates["est"][0] == 0.5 and fixed.estimates["se"][0] == 0.0
    equal = ask(frame, "2sls", SIMPLE.replace("X + Z", "a*X + a*Z"), estimator="ml")
    peer = IV2SLS(y, np.column_stack([x[:, 0], x[:, 1] + x[:, 2], x[:, 3]]), w).fit()
    np.testing.assert_allclose(equal.est[[0, 2]], peer.params[1:], rtol=1e-8)
    errors = np.sqrt(np.diag(equal.vcov))[[0, 2]]
    np.testing.assert_allclose(errors, peer.bse[1:] * np.sqrt((300 - 3) / (300 - 4)), rtol=1e-8)
    labels = ask(frame, "2sls", SIMPLE.replace("X + Z", "a*X + b*Z") + "a == b", estimator="ml")
    np.testing.assert_allclose(labels.est, equal.est, rtol=1e-8)


def test_every_group_has_statsmodels_numbers_and_its_sargan_test() -> None:
    from statsmodels.sandbox.regression.gmm import IV2SLS

    parts = {"a": planted(250, 5), "b": planted(280, 6)}
    both = pd.concat([frame.assign(g=g) for g, frame in parts.items()], ignore_index=True)
    fit = ask(both, "2sls", group="g", estimator="ml")
    table = fit.estimates.set_index(["group", "rhs"])
    for label, frame in parts.items():
        x = columns(frame, [("x1",), ("z1",), ("x1", "z1")])
        w = columns(frame, [("x2",), ("x3",), ("z2",), ("z3",), *((a, b) for a in ("x2", "x3") for b in ("z2", "z3"))])
        y = (frame["y1"] - frame["y1"].mean()).to_numpy()
        peer = IV2SLS(y, x, w).fit()
        np.testing.assert_allclose(table.loc[label]["est"], peer.params[1:], rtol=1e-8)
        np.testing.assert_allclose(table.loc[label]["se"], peer.bse[1:], rtol=1e-8)
        u = y - x @ peer.params
        inside = w @ np.linalg.solve(w.T @ w, w.T @ u)
        row = fit.sargan.set_index("group").loc[label]
        assert row["stat"] == pytest.approx(len(u) * inside @ inside / (u @ u), rel=1e-8) and row["df"] == 5


# --- moments -------------------------------------------------------------------------------------------


def test_errors_are_taken_out_of_moments_up_to_the_sixth() -> None:
    """200,000 scores of planted latent variables plus normal errors: moments of the latent variables."""
    rng = np.random.default_rng(5)
    eta = rng.exponential(size=(200_000, 3)) @ np.array([[1.0, 0.3, 0.0], [0.0, 1.0, 0.2], [0.0, 0.0, 0.5]]) - 0.5
    root = np.array([[0.6, 0.0, 0.0], [0.2, 0.5, 0.0], [0.1, -0.2, 0.4]])
    f = eta + rng.standard_normal(eta.shape) @ root.T
    found = map_moments(Scores(f, (root @ root.T)[None]), ((0, 1), (0, 1, 2), (1, 1)))
    plain = np.column_stack([eta, eta[:, 0] * eta[:, 1], eta.prod(axis=1), eta[:, 1] ** 2])
    error = found.influence.std(axis=0) / np.sqrt(200_000)
    np.testing.assert_array_less(np.abs(found.cov - np.cov(plain.T, ddof=0)), 4.0 * error)
    np.testing.assert_allclose(found.influence.mean(axis=0), 0.0, atol=1e-8)


# --- refusals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "text"), [
    ("factor_score", SIMPLE + "x3 ~~ y3"), ("sam", SIMPLE + "Y ~ x1"),
    ("sam", SIMPLE.replace("Y ~ X", "Y ~ l*X").replace("x3", "l*x3")),
])
def test_steps_that_cannot_be_taken_apart(method: str, text: str) -> None:
    with pytest.raises(NotSupportedError) as caught:
        ask(planted(80), method, text)
    assert caught.value.code == "fitting.steps-not-apart"


def test_a_respondent_without_a_score_is_left_out_in_both_steps() -> None:
    """Two constructs that share an indicator need two answers; the rest is the fit without that respondent."""
    frame = planted(200)
    text = SIMPLE.replace("Z =~ z1 + z2", "Z =~ z1 + z2 + x3")
    few = frame.copy()
    few.loc[0, ["x1", "x2", "z1", "z2", "z3"]] = np.nan  # x3 is left, of both
    fit = ask(few, "sam", text, missing="fiml")
    whole = ask(frame.drop(index=0), "sam", text, missing="fiml")
    assert fit.nobs == 199 and "fitting.no-scores" in {note.code for note in fit.notes}
    same(fit.est, whole.est, 1e-6)
    same(fit.vcov, whole.vcov, 1e-5)


def test_scores_and_variables_are_in_their_own_units() -> None:
    frame = mixed(200, 3)
    fit: Any = ask(frame, "sam", CASES["sam observed"][1])
    w = fit.variables["w"]
    assert w.mean == pytest.approx(frame["w"].mean()) == w.center and w.kind == "observed"
    assert fit.variables["d"].binary and fit.predict().shape == (200, 3)
    b = dict(zip(fit.names, fit.est, strict=True))
    slopes = sk.probe(fit, "X", "w", values=[w.mean, 0.0]).slopes
    at_zero = slopes.set_index("value").loc[0.0, "slope"]
    assert at_zero == pytest.approx(b["Y ~ X"] - w.mean * b["Y ~ X:w"])
    std = dict(zip(fit.names, fit.std_est, strict=True))
    assert std["Y ~ d"] == pytest.approx(b["Y ~ d"] / fit.variables["Y"].sd)
