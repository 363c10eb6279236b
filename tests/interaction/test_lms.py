"""LMS against modsem and Mplus, against its own identities, and against brute force."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

import semkit as sk
from semkit.errors import NotSupportedError, OptionError
from tests.interaction.peers import case_of, data_of, worst

SIMPLE = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ X + Z + X:Z\n"


def planted(n: int = 300, seed: int = 5, *, square: float = 0.0, skew: bool = False) -> pd.DataFrame:
    """Two correlated predictors and an outcome with .3 X Z (+ square X X), three items each."""
    rng = np.random.default_rng(seed)
    x, z = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], n).T
    if skew:
        x = (x**2 - 1) / np.sqrt(2)
    y = 0.4 * x + 0.3 * z + 0.3 * x * z + square * x * x + 0.7 * rng.standard_normal(n)
    items = {f"{v}{i}": 3.0 + load * f + 0.6 * rng.standard_normal(n)
             for v, f in (("x", x), ("z", z), ("y", y)) for i, load in ((1, 1.0), (2, 0.9), (3, 0.8))}
    return pd.DataFrame(items)


# --- peers ---------------------------------------------------------------------------------------------

OPTIONS: dict[str, dict[str, Any]] = {"missing__lms_fiml": {"missing": "fiml"}}


@pytest.mark.parametrize("name", ["simple__lms", "skewed__lms", "modmed__lms", "missing__lms_fiml"])
def test_lms_gives_modsems_numbers(name: str) -> None:
    """Estimates to 1e-5 of an error, log-likelihood to 1e-6; modsem's errors are numerical and 0.5 to 1.5 % too large.

    That semkit's errors are the right ones is shown by brute force below.
    """
    case = case_of(f"own/lms_{name}")
    frame = data_of(f"lms_{name.split('__')[0]}.csv")
    fit = sk.sem(case["model"], frame, interaction=sk.LMS(nodes=48), **OPTIONS.get(name, {}))
    assert fit.converged and fit.admissible
    estimate, error = worst(fit, case)
    assert estimate < 1e-5 and error < 0.016
    assert abs(fit.fit_measures["logl"] - case["logl"]) < 1e-6
    for row in case["estimates"]:
        if row["op"] == "~":
            wrong = copy.deepcopy(case)
            next(r for r in wrong["estimates"] if (r["lhs"], r["op"], r["rhs"]) == (row["lhs"], "~", row["rhs"]))[
                "est"] *= 1.01
            assert worst(fit, wrong)[0] > 1e-3


def test_groups_give_modsems_numbers_and_those_of_each_group_alone() -> None:
    """modsem's errors of latent (co)variances of its second group stand in the wrong order and are left out.

    Without equality constraints the errors of a group are those of the group alone, to the digit.
    """
    case, frame = case_of("own/lms_groups__lms_group"), data_of("lms_groups.csv")
    fit = sk.sem(case["model"], frame, interaction=sk.LMS(nodes=48), group="group")
    kept = copy.deepcopy(case)
    table = fit.estimates.set_index(["group", "lhs", "op", "rhs"]).se
    for row in kept["estimates"]:
        if row["group"] == 2 and row["op"] == "~~" and row["lhs"] in "XZ":
            row["std.error"] = float(table["b", min(row["lhs"], row["rhs"]), "~~", max(row["lhs"], row["rhs"])])
    estimate, error = worst(fit, kept)
    assert estimate < 1e-5 and error < 0.02 and abs(fit.fit_measures["logl"] - case["logl"]) < 1e-6
    for label in ("a", "b"):
        alone = sk.sem(case["model"], frame[frame.group == label], interaction=sk.LMS(nodes=48))
        own = fit.estimates[fit.estimates.group == label]
        np.testing.assert_allclose(own.est, alone.estimates.est, atol=1e-6)
        np.testing.assert_allclose(own.se, alone.estimates.se, rtol=1e-5)


def test_second_order_factors_interact() -> None:
    case = case_of("own/lms_second_order__lms")
    fit = sk.sem(case["model"], data_of("lms_second_order.csv"), interaction="lms")
    estimate, error = worst(fit, case)
    assert estimate < 1e-5 and error < 0.016 and fit.admissible
    assert abs(fit.fit_measures["logl"] - case["logl"]) < 1e-5


def test_lms_on_oneint_gives_modsems_numbers() -> None:
    """64 points; errors of the slopes (whose numerical second derivatives are accurate) to 1e-3, moments too."""
    case = case_of("modsem/lms_oneInt_nodes64_tight")
    fit = sk.sem(case["model"], data_of("oneInt.csv"), interaction=sk.LMS(nodes=64))
    estimate, error = worst(fit, case)
    assert estimate < 1e-5 and error < 0.016
    assert abs(fit.fit_measures["logl"] - case["logLik"]) < 1e-6
    assert abs(fit.fit_measures["aic"] - case["fit"]["AIC"]) < 1e-5
    assert abs(fit.fit_measures["bic"] - case["fit"]["BIC"]) < 1e-5
    errors = {r["rhs"]: r["std.error"] for r in case["estimates"] if r["op"] == "~"}
    ours = fit.estimates[fit.estimates.op == "~"].set_index("rhs").se
    assert all(abs(ours[name] / value - 1) < 1e-3 for name, value in errors.items())
    np.testing.assert_allclose(fit.implied["cov"], case["fit"]["sigma.expected"], rtol=2e-6)
    np.testing.assert_allclose(fit.implied["mean"], np.ravel(case["fit"]["mu.expected"]), rtol=1e-6)


def test_lms_on_six_items_gives_mplus_digits() -> None:
    """Printed digits: half a unit of the last one, and what 15 x 15 points and Mplus' own stopping rule leave."""
    case = case_of("mplus/oneInt_six_items")
    fit = sk.sem(case["model"], data_of("oneInt.csv"), interaction=sk.LMS(nodes=48))
    assert abs(fit.fit_measures["logl"] - case["logl"]) < 0.01
    assert fit.fit_measures["npar"] == case["npar"]
    rows = {f"{r.lhs}{r.op}{r.rhs}": r for r in fit.estimates.itertuples()}
    for name, (est, se) in case["estimates"].items():
        assert abs(rows[name].est - est) <= 0.00051, name
        assert se is None or abs(rows[name].se - se) <= 0.00051, name


# --- brute force ---------------------------------------------------------------------------------------


def brute(theta: np.ndarray, names: list[str], data: np.ndarray, points: np.ndarray) -> float:
    return float(brute_cases(theta, names, data, points).sum())


def brute_cases(theta: np.ndarray, names: list[str], data: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Log-likelihoods of SIMPLE by the trapezoidal rule over X, written down from the model without semkit's code."""
    v = dict(zip(names, theta, strict=True))
    lam = np.zeros((9, 3))
    for j, f in enumerate("XZY"):
        for i in range(3):
            lam[3 * j + i, j] = v.get(f"{f} =~ {f.lower()}{i + 1}", 1.0)
    order = [f"{f}{i}" for f in "xzy" for i in (1, 2, 3)]
    noise = np.diag([v[f"{c} ~~ {c}"] for c in order])
    level = np.array([v[f"{c} ~1"] for c in order])
    slope, rest = v["X ~~ Z"] / v["X ~~ X"], v["Z ~~ Z"] - v["X ~~ Z"] ** 2 / v["X ~~ X"]
    total = np.zeros(len(data))
    for x in points:
        on_z = v["Y ~ Z"] + v["Y ~ X:Z"] * x
        mean = np.array([x, slope * x, v["Y ~ X"] * x + on_z * slope * x])
        cov = np.zeros((3, 3))
        cov[1, 1], cov[1, 2], cov[2, 1] = rest, on_z * rest, on_z * rest
        cov[2, 2] = on_z**2 * rest + v["Y ~~ Y"]
        density = multivariate_normal(level + lam @ mean, lam @ cov @ lam.T + noise).pdf(data)
        total += density * np.exp(-0.5 * x**2 / v["X ~~ X"]) / np.sqrt(2 * np.pi * v["X ~~ X"])
    return np.log(total * (points[1] - points[0]))


def test_likelihood_errors_and_scores_by_brute_force() -> None:
    """Observed information and its inverse by Richardson differences of a likelihood written down apart."""
    frame = planted(150)
    fit = sk.sem(SIMPLE, frame, interaction=sk.LMS(nodes=40))
    names, theta, data = list(fit.names), fit.est, frame[[f"{v}{i}" for v in "xzy" for i in (1, 2, 3)]].to_numpy()
    points = np.linspace(-6.5, 6.5, 90)
    assert abs(brute(theta, names, data, points) - fit.fit_measures["logl"]) < 1e-7
    at = [names.index(n) for n in ("Y ~ X:Z", "Y ~ X", "x1 ~~ x1", "X ~~ X", "X =~ x2")]
    information = fit.solution.observed_information * 150
    for a in at:
        for b in at[:2]:
            found = []
            for h in (4e-3, 2e-3):
                ea, eb = np.eye(len(theta))[a] * h, np.eye(len(theta))[b] * h
                four = [brute(theta + s * ea + t * eb, names, data, points) * s * t for s in (1, -1) for t in (1, -1)]
                found.append(-sum(four) / (4 * h * h))
            value = (4 * found[1] - found[0]) / 3
            assert abs(information[a, b] - value) < 2e-6 * np.sqrt(information[a, a] * information[b, b])


MODELS = {
    "two products and a square": "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ X + Z + X:Z + X:X",
    "second order": "A =~ x1 + x2 + x3\nB =~ z1 + z2 + z3\nF =~ A + B\nY =~ y1 + y2\nY ~ F + y3 + F:y3",
    "mediator": "X =~ x1 + x2\nM =~ z1 + z2 + z3\nY =~ y1 + y2\nM ~ X + y3\nY ~ M + y3 + M:y3 + X:y3 + X:X",
    "outcomes": "X =~ x1 + x2\nM =~ z1 + z2 + z3\nN =~ y2 + y3\nM + N ~ X\nM ~ X:X\ny1 ~ M + N + M:N + M:M",
    "two dimensions": "X =~ x1 + x2 + x3\nZ =~ z1 + z2\nW =~ y2 + y3\nY =~ 1*y1\nY ~ X + Z + W + X:Z + Z:W + X:W",
}


@pytest.mark.parametrize("name", list(MODELS))
def test_gradient_and_hessian_are_derivatives(name: str) -> None:
    frame = planted(80, 3)
    frame.iloc[::7, 1] = np.nan
    fit = sk.sem(MODELS[name], frame, interaction=sk.LMS(nodes=8, check=False), missing="fiml")
    objective = fit.solution.objective
    theta = fit.solution.theta + 0.05 * np.abs(fit.solution.theta) + 0.02
    found = objective.at(theta)
    q, h = len(theta), 1e-5
    up = [objective.at(theta + h * e, "gradient") for e in np.eye(q)]
    down = [objective.at(theta - h * e, "gradient") for e in np.eye(q)]
    slope = np.array([(a.logl - b.logl) / (2 * h) for a, b in zip(up, down, strict=True)])
    curve = np.array([(a.gradient - b.gradient) / (2 * h) for a, b in zip(up, down, strict=True)])
    assert np.abs(slope - found.gradient).max() < 1e-6 * np.abs(slope).max()
    assert np.abs(curve - found.hessian).max() < 1e-6 * np.abs(curve).max()


# --- identities ----------------------------------------------------------------------------------------


def test_interaction_fixed_at_zero_is_the_linear_model() -> None:
    frame = planted()
    fixed = sk.sem(SIMPLE.replace("X:Z", "0*X:Z"), frame, interaction="lms")
    linear = sk.sem(SIMPLE.replace(" + X:Z", ""), frame, meanstructure=True, information="observed")
    ours = fixed.estimates[fixed.estimates.rhs != "X:Z"]
    np.testing.assert_allclose(ours.est, linear.estimates.est, atol=1e-8)
    np.testing.assert_allclose(ours.se, linear.estimates.se, atol=1e-8)
    assert abs(fixed.fit_measures["logl"] - linear.fit_measures["logl"]) < 1e-8
    assert abs(fixed.fit_measures["logl.linear"] - linear.fit_measures["logl"]) < 1e-8


def test_a_tiny_interaction_has_the_linear_likelihood() -> None:
    """Integrated, not left out: the integral itself is on the scale of the linear model's likelihood."""
    frame = planted()
    tiny = sk.sem(SIMPLE.replace("X:Z", "1e-9*X:Z"), frame, interaction=sk.LMS(nodes=48))
    assert tiny.solution.objective.parts[0].model.d == 1
    assert abs(tiny.fit_measures["logl"] - tiny.fit_measures["logl.linear"]) < 1e-6


def test_variables_without_error_give_least_squares() -> None:
    """Observed columns and single indicators are conditioned on: slopes are those of OLS on centred products."""
    frame = planted()
    y, x, z = (frame[name] for name in ("y1", "x1", "z1"))
    xc, zc = x - x.mean(), z - z.mean()
    design = np.column_stack([np.ones(len(y)), x, z, xc * zc, xc * xc])
    ols = np.linalg.lstsq(design, y, rcond=None)[0][1:]
    observed = sk.sem("y1 ~ x1 + z1 + x1:z1 + x1:x1", frame, interaction="lms")
    np.testing.assert_allclose(observed.estimates.query("op == '~'").est, ols, atol=1e-8)
    text = "X =~ x1\nZ =~ z1\nY =~ y1\nY ~ X + Z + X:Z + X:X"
    latent = sk.sem(text, frame, interaction="lms")
    np.testing.assert_allclose(latent.estimates.query("op == '~'").est, ols, atol=1e-8)
    assert latent.solution.objective.parts[0].model.d == 0
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    assert abs(observed.r2["y1"] - (1 - np.mean(residual**2) / np.var(y))) < 1e-8


def test_shift_and_scale_change_no_interaction_test() -> None:
    frame = planted()
    other = frame * np.linspace(0.5, 4.0, 9) + np.arange(9.0)
    a, b = (sk.sem(SIMPLE, f, interaction=sk.LMS(nodes=32)) for f in (frame, other))
    za, zb = (f.estimates.query("op == '~'").z.to_numpy() for f in (a, b))
    np.testing.assert_allclose(za, zb, rtol=1e-5)
    sa, sb = (f.standardized().query("op == '~'") for f in (a, b))
    np.testing.assert_allclose(sa.est_std, sb.est_std, rtol=1e-5)
    np.testing.assert_allclose(sa.se, sb.se, rtol=1e-5)
    np.testing.assert_allclose(a.linear_test.stat, b.linear_test.stat, rtol=1e-5)


def test_standardised_interaction_has_the_closed_form() -> None:
    """b sd(X) sd(Z) / sd(Y) with the variance of Y under normal X and Z (Bohrnstedt & Goldberger 1969)."""
    fit = sk.sem(SIMPLE, planted(), interaction="lms")
    v = dict(zip(fit.names, fit.est, strict=True))
    x, z, c = v["X ~~ X"], v["Z ~~ Z"], v["X ~~ Z"]
    b1, b2, b3 = v["Y ~ X"], v["Y ~ Z"], v["Y ~ X:Z"]
    y = b1**2 * x + b2**2 * z + 2 * b1 * b2 * c + b3**2 * (x * z + c**2) + v["Y ~~ Y"]
    row = fit.standardized().set_index("rhs").loc["X:Z"]
    assert abs(row.est_std - b3 * np.sqrt(x * z / y)) < 1e-12
    assert abs(fit.r2["Y"] - (1 - v["Y ~~ Y"] / y)) < 1e-12
    assert abs(fit.variables["Y"].mean - b3 * c) < 1e-12
    step = 1e-6

    def shown(theta: np.ndarray) -> float:
        w = dict(zip(fit.names, theta, strict=True))
        p, q, r = w["X ~~ X"], w["Z ~~ Z"], w["X ~~ Z"]
        e1, e2, e3 = w["Y ~ X"], w["Y ~ Z"], w["Y ~ X:Z"]
        t = e1**2 * p + e2**2 * q + 2 * e1 * e2 * r + e3**2 * (p * q + r**2) + w["Y ~~ Y"]
        return float(e3 * np.sqrt(p * q / t))

    slope = np.array([(shown(fit.est + step * e) - shown(fit.est - step * e)) / (2 * step)
                      for e in np.eye(len(fit.est))])
    assert abs(row.se - np.sqrt(slope @ fit.vcov @ slope)) < 1e-8


def test_full_information_without_gaps_is_complete_data_and_equal_groups_are_pooled() -> None:
    frame = planted(240)
    whole = sk.sem(SIMPLE, frame, interaction="lms")
    gaps = sk.sem(SIMPLE, frame, interaction="lms", missing="fiml")
    np.testing.assert_allclose(gaps.est, whole.est, atol=1e-7)
    np.testing.assert_allclose(gaps.vcov, whole.vcov, atol=1e-9)
    both = pd.concat([frame.assign(g="a"), frame.assign(g="b")])
    equal = ("loadings", "intercepts", "residuals", "regressions", "lv.variances", "lv.covariances", "means")
    fit = sk.sem(SIMPLE, both, group="g", group_equal=equal, interaction=sk.LMS(nodes=32))
    pooled = sk.sem(SIMPLE, both, interaction=sk.LMS(nodes=32))
    a = fit.estimates.query("group == 'a' and op == '~'")
    np.testing.assert_allclose(a.est, pooled.estimates.query("op == '~'").est, atol=1e-6)
    np.testing.assert_allclose(a.se, pooled.estimates.query("op == '~'").se, rtol=1e-5)


# --- errors, nodes, notes -------------------------------------------------------------------------------


def test_robust_and_first_order_errors_come_from_the_scores() -> None:
    frame = planted()
    plain, robust = (sk.sem(SIMPLE, frame, interaction="lms", estimator=e) for e in ("ml", "mlr"))
    np.testing.assert_allclose(plain.est, robust.est)
    first = sk.sem(SIMPLE, frame, interaction="lms", information="first.order")
    bread, meat = plain.vcov, np.linalg.inv(first.vcov)
    np.testing.assert_allclose(robust.vcov, bread @ meat @ bread, rtol=1e-8, atol=1e-12)
    with pytest.raises(OptionError):
        sk.sem(SIMPLE, frame, interaction="lms", information="expected")


def test_robust_errors_near_modsems() -> None:
    case = case_of("modsem/lms_oneInt_robust")
    fit = sk.sem(case["model"], data_of("oneInt.csv"), interaction=sk.LMS(nodes=48), estimator="mlr")
    estimate, error = worst(fit, case)
    # 24 points there: its log-likelihood is 0.032 below that of its own 64 points; and numerical derivatives
    assert case["logLik"] < -17493.60 and estimate < 0.03 and error < 0.05


def codes(fit: Any) -> set[str]:
    return {note.code for note in fit.notes}


@pytest.mark.parametrize("adaptive", [True, False])
def test_too_few_nodes_are_said_with_their_effect(adaptive: bool) -> None:
    frame = planted()
    few = sk.sem(SIMPLE, frame, interaction=sk.LMS(nodes=8, adaptive=adaptive))
    many = sk.sem(SIMPLE, frame, interaction=sk.LMS(nodes=48, adaptive=adaptive))
    assert "fitting.too-few-nodes" in codes(few) and "fitting.too-few-nodes" not in codes(many)
    found = next(note for note in few.notes if note.code == "fitting.too-few-nodes")
    assert "log-likelihood changes by" in found.what
    if not adaptive:
        np.testing.assert_allclose(many.est, sk.sem(SIMPLE, frame, interaction=sk.LMS(nodes=48)).est, atol=1e-4)


def test_skewed_factors_are_said() -> None:
    assert "fitting.latent-not-normal" in codes(sk.sem(SIMPLE, planted(skew=True), interaction="lms"))
    assert "fitting.latent-not-normal" not in codes(sk.sem(SIMPLE, planted(), interaction="lms"))


@pytest.mark.parametrize(
    ("text", "code"),
    [("f =~ x1 + x2\ng =~ x3 + y1\nh =~ z1 + z2\nk =~ y2 + y3\nz3 ~ f + g + h + k + f:f + g:g + h:h + k:k",
      "interaction.too-many-dimensions"),
     ("X =~ x1 + x2 + x3\nM =~ NA*z1\nY =~ y1 + y2 + y3\nM ~ X\nM ~~ 1*M\nY ~ X + M + M:M",
      "interaction.scale-of-known"),
     ("X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nY ~ X + X:z1", "interaction.factor-not-in-model"),
     (SIMPLE + "X:Z ~~ X", "interaction.product-moments")],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(text: str, code: str) -> None:
    with pytest.raises(NotSupportedError) as caught:
        sk.sem(text, planted(60), interaction="lms")
    assert caught.value.code == code


def test_probe_and_defined_parameters_work() -> None:
    text = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nY ~ a*X + b*Z + c*X:Z\nhigh := a + c*sd(Z)\n"
    fit = sk.sem(text, planted(), interaction="lms")
    slopes = sk.probe(fit, focal="X", moderator="Z").slopes
    high = fit.estimates.set_index("lhs").loc["high"]
    assert abs(slopes.slope.iloc[2] - high.est) < 1e-9
    scores = fit.predict()
    assert abs(np.corrcoef(scores["X"], planted()["x1"])[0, 1]) > 0.8
    assert fit.fit_measures["df.diff"] == 1 and fit.r2_change.change.iloc[0] > 0.02
    assert "LMS" in repr(fit)


def test_three_way_products_and_squares_recover_what_was_planted() -> None:
    rng = np.random.default_rng(9)
    n = 300
    f = rng.multivariate_normal(np.zeros(3), np.full((3, 3), 0.3) + 0.7 * np.eye(3), n)
    x, z, w = f.T
    y = 0.3 * (x + z + w) + 0.2 * (x * z + x * w + z * w) + 0.25 * x * z * w + 0.7 * rng.standard_normal(n)
    data = {"w": w}
    for name, v in (("x", x), ("z", z), ("y", y)):
        data |= {f"{name}{i}": v * load + 0.5 * rng.standard_normal(n) for i, load in ((1, 1.0), (2, 0.9))}
    text = "X =~ x1 + x2\nZ =~ z1 + z2\nY =~ y1 + y2\nX ~~ w\nZ ~~ w\nY ~ X + Z + w + X:Z + X:w + Z:w + X:Z:w"
    fit = sk.sem(text, pd.DataFrame(data), interaction=sk.LMS(nodes=8, check=False))
    row = fit.estimates.set_index("rhs").loc["X:Z:w"]
    assert fit.converged and abs(row.est - 0.25) < 3 * row.se
    sd = {name: fit.variables[name].sd for name in "XZwY"}
    assert abs(row.std_all - row.est * sd["X"] * sd["Z"] * sd["w"] / sd["Y"]) < 1e-10


def test_constructs_without_variance_are_no_crash() -> None:
    """Items that share nothing: the linear model is inadmissible, the fit says that it did not converge or why not."""
    rng = np.random.default_rng(5)
    text = "X =~ x1 + x2\nZ =~ z1 + z2\nY =~ y1 + y2\nY ~ X + Z + X:Z"
    for _ in range(4):
        frame = pd.DataFrame(rng.standard_normal((50, 9)), columns=planted(50).columns)
        for method in ("lms", "qml"):
            fit = sk.sem(text, frame, interaction=method)
            assert fit.converged or "fitting.not-converged" in codes(fit)
            assert len(fit.estimates) and len(fit.fit_measures) and len(fit.r2)


def test_observed_products_alone_are_a_regression_and_identified() -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(300, 4)), columns=["x", "w", "z", "y"])
    data["y"] += 0.3 * data.x * data.w
    fit = sk.sem("y ~ x + w + z + x:w + x:z + w:z + x:w:z", data, interaction="lms")
    x, w, z = (data[name] - data[name].mean() for name in "xwz")
    by_hand = np.linalg.lstsq(np.column_stack([np.ones(300), x, w, z, x * w, x * z, w * z, x * w * z]), data.y)[0]
    rows = fit.estimates.query("op == '~' and rhs in ['x:w', 'x:z', 'w:z', 'x:w:z']").set_index("rhs")["est"]
    np.testing.assert_allclose(rows[["x:w", "x:z", "w:z", "x:w:z"]], by_hand[4:], rtol=1e-6)
    assert fit.admissible and not [note for note in fit.notes if note.code == "fitting.negative-df"]
