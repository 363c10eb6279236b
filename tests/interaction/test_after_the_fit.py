"""What LMS and QML fits offer afterwards: comparisons, tests, scores, other programs' input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import semkit as sk
from semkit.errors import NotSupportedError, OptionError
from semkit.fitting.moderatedcomparison import mapped
from tests.interaction.test_lms import SIMPLE
from tests.interaction.test_sampling import FRAME

WIDE = SIMPLE.replace("X:Z", "b*X:Z + c*X:X")
CLUSTERS = sk.Design(weights="weight", cluster="village")


def lms(text: str = SIMPLE, **options: Any) -> Any:
    return sk.sem(text, FRAME, **{"interaction": "lms"} | options)


# --- nested models -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["lms", "qml"])
def test_plain_difference_is_twice_the_difference_of_the_log_likelihoods(method: str) -> None:
    wide, middle = lms(WIDE, interaction=method), lms(interaction=method)
    found = sk.compare(middle.linear, wide, middle, names=("linear", "middle", "wide"))
    assert found.method == "standard" and list(found.frame["npar"]) == [32, 31, 30]
    logl = found.frame["logl"].to_numpy()
    np.testing.assert_allclose(found.frame["chisq_diff"][1:], -2 * np.diff(logl), rtol=1e-9)
    assert found.frame["chisq_diff"].iloc[2] == pytest.approx(middle.linear_test.stat, rel=1e-9)
    assert found.frame["pvalue"].iloc[2] == pytest.approx(middle.linear_test.pvalue, rel=1e-6)
    np.testing.assert_allclose(found.frame["aic"], -2 * logl + 2 * found.frame["npar"], rtol=1e-12)


@pytest.mark.parametrize("options", [{"estimator": "mlr"}, {"design": CLUSTERS}, {"interaction": "qml",
                                                                                  "estimator": "mlr"}])
def test_scaled_difference_is_the_test_of_the_products(options: dict[str, Any]) -> None:
    fit = lms(**options)
    row = sk.compare(fit, fit.linear).frame.iloc[1]
    assert row["chisq_diff"] == pytest.approx(fit.linear_test.stat, rel=1e-8)
    assert row["scaling"] == pytest.approx(fit.linear_test.scaling_factor, rel=1e-8) and row["scaling"] != 1.0
    other = sk.compare(fit, fit.linear, method="satorra.bentler.2001").frame.iloc[1]
    big, small = fit.solution, fit.linear.solution

    def trace(solution: Any) -> float:
        return float(np.trace(np.linalg.solve(solution.observed_information, solution.meat)))

    assert other["scaling"] == pytest.approx(trace(big) - trace(small), rel=1e-8)


def test_equal_slopes_are_a_restriction_with_its_own_scaling() -> None:
    """One restriction: ``c`` is the variance of what it sets to 0 over the one from the information alone."""
    free = lms(SIMPLE.replace("X + Z", "p*X + q*Z"), estimator="mlr")
    equal = lms(SIMPLE.replace("X + Z", "p*X + p*Z"), estimator="mlr")
    written = lms(SIMPLE.replace("X + Z", "p*X + q*Z") + "p == q\n", estimator="mlr")
    row, again = (sk.compare(free, one).frame.iloc[1] for one in (equal, written))
    at = [free.names.index(name) for name in ("p", "q")]
    r = np.array([1.0, -1.0])
    naive = r @ free.solution.bread_observed[np.ix_(at, at)] @ r / free.solution.total
    assert row["scaling"] == pytest.approx(r @ free.vcov[np.ix_(at, at)] @ r / naive, rel=1e-8)
    assert again["chisq_diff"] == pytest.approx(row["chisq_diff"], rel=1e-4)
    wald = free.wald("p == q")
    assert wald.df == 1 and abs(wald.stat / row["chisq_diff"] - 1) < 0.3
    theta = mapped(equal.solution, free.solution)
    assert free.solution.objective.at(theta, "gradient").logl == pytest.approx(equal.solution.logl, abs=1e-4)


def test_what_cannot_be_compared() -> None:
    fit = lms()
    cases = {
        "fitting.compare-not-nested": lms(SIMPLE.replace("Y ~ X + Z + X:Z", "X ~~ 0*Z\nY ~ X + Z + X:X")),
        "fitting.compare-same-df": lms(SIMPLE.replace("X:Z", "X:X")),
        "fitting.compare-mixed-tests": sk.sem(SIMPLE.replace(" + X:Z", ""), FRAME),
        "fitting.compare-other-data": sk.sem(SIMPLE, FRAME.iloc[:200], interaction="lms"),
    }
    for code, other in cases.items():
        with pytest.raises(OptionError) as caught:
            sk.compare(fit, other)
        assert caught.value.code == code
    mixed = [lms(interaction="qml"), lms(estimator="mlr"), lms(design=CLUSTERS)]
    for other in mixed:
        with pytest.raises(OptionError):
            sk.compare(fit, other)
    with pytest.raises(OptionError):
        sk.compare(fit, fit.linear, method="satorra.bentler.2010")
    with pytest.raises(NotSupportedError):
        sk.nested(fit, fit.linear)
    with pytest.raises(OptionError):  # marker and fixed variance: the same model, but not shown to be one
        sk.compare(lms(WIDE), lms(std_lv=True))


def test_wald_of_one_product_is_its_squared_z() -> None:
    fit = lms(WIDE, estimator="mlr")
    rows = fit.estimates.set_index("label")
    assert fit.wald("b == 0").stat == pytest.approx(rows.loc["b", "z"] ** 2, rel=1e-10)
    assert fit.wald("b == 0; c == 0").df == 2


# --- Mplus ---------------------------------------------------------------------------------------------


def written(fit: Any, folder: Path) -> tuple[list[str], np.ndarray]:
    """Statements of the input without its comments, and the data."""
    script, data = fit.to_mplus(folder / "analysis")
    lines = [line.strip() for line in script.read_text(encoding="ascii").splitlines() if not line.startswith("!")]
    assert all(len(line) <= 80 for line in lines)
    return lines, np.loadtxt(data)


def test_mplus_input_says_what_mplus_was_run_with(tmp_path: Path) -> None:
    """The statements of the run of Mplus 8.10 whose numbers are in ``test_lms.py``, and what its defaults add."""
    frame = FRAME[["x1", "x2", "z1", "z2", "y1", "y2"]]
    text = "X =~ x1 + x2\nZ =~ z1 + z2\nY =~ y1 + y2\nY ~ X + Z + X:Z"
    lines, data = written(sk.sem(text, frame, interaction="lms"), tmp_path)
    assert {"TYPE = RANDOM;", "ALGORITHM = INTEGRATION;", "ESTIMATOR = ML;", "INFORMATION = OBSERVED;",
            "X BY x1@1;", "X BY x2*;", "Y ON X*;", "Y ON Z*;", "Y ON X_Z*;", "X_Z | X XWITH Z;", "X WITH Z*;",
            "[X@0];", "[y1*];"} <= set(lines)
    assert lines.index("X_Z | X XWITH Z;") > lines.index("Y BY y1@1;")
    np.testing.assert_array_equal(data, frame.to_numpy())


def test_mplus_gets_columns_for_what_is_observed(tmp_path: Path) -> None:
    text = SIMPLE.replace("X:Z", "X:Z + b*X:X + region + times + X:region + Z:region + region:times + X:Z:region")
    fit = lms(text + "twice := 2*b\n", design=sk.Design(cluster="village"), interaction=sk.LMS(nodes=6, check=False))
    lines, data = written(fit, tmp_path)
    assert "TYPE = COMPLEX RANDOM;" in lines and "ESTIMATOR = MLR;" in lines and "CLUSTER = smkc;" in lines
    ways = [line for line in lines if "XWITH" in line]
    assert ways == ["X_Z | X XWITH Z;", "X_X | X XWITH X;", "X_region | X XWITH region;",
                    "Z_region | Z XWITH region;", "X_Z_regi | X_Z XWITH region;"]
    assert "Y ON X_Z_regi*;" in lines and "Y ON X_X* (p1);" in lines and "twice = (2*p1);" in lines
    used = next(line for line in lines if line.startswith("USEVARIABLES"))
    names = used.removeprefix("USEVARIABLES = ").rstrip(";").split()
    region, times, both = (data[:, names.index(name)] for name in ("region", "times", "region_t"))
    np.testing.assert_allclose(region, FRAME["region"] - FRAME["region"].mean(), atol=1e-12)
    np.testing.assert_allclose(both, region * times, atol=1e-12)


def test_what_mplus_has_not_is_refused(tmp_path: Path) -> None:
    exact = "F =~ 1*x1\nx1 ~~ 0*x1\nY =~ y1 + y2 + y3\nY ~ F + z1 + F:z1"
    cases = {"quasi": lms(interaction="qml"), "one group": lms(group="side"), "without error": lms(exact)}
    for words, fit in cases.items():
        with pytest.raises(NotSupportedError, match=words) as caught:
            fit.to_mplus(tmp_path / "a")
        assert caught.value.code == "fitting.not-exportable"


# --- what could be added -------------------------------------------------------------------------------


def with_term(row: str, value: str) -> str:
    """SIMPLE with one more term at a value (or free)."""
    lhs, op, rhs = row.split()
    if op == "=~":
        first = f"{lhs} =~ {lhs.lower()}1"
        return SIMPLE.replace(first, f"{first} + {value}{rhs}")
    return f"{SIMPLE}{lhs} {op} {value}{rhs}\n"


@pytest.mark.parametrize("method", ["lms", "qml"])
@pytest.mark.parametrize("row", ["x2 ~~ z3", "X =~ z3", "Y ~ X:X", "Y ~ Z:Z", "x3 ~~ y3"])
def test_indices_are_the_slope_and_curve_of_the_profile_likelihood(row: str, method: str) -> None:
    """Fits with the parameter held a little off 0 say what the first two derivatives of the maximum are."""
    fit, h = lms(interaction=method), 0.01
    found = fit.modification_indices().set_index(["lhs", "op", "rhs"]).loc[tuple(row.split())]
    up, down = (lms(with_term(row, f"{value}*"), interaction=method).solution.logl for value in (h, -h))
    slope, curve = (up - down) / (2 * h), -(up - 2 * fit.solution.logl + down) / h**2
    assert found["mi"] == pytest.approx(slope**2 / curve, rel=5e-3)
    assert found["epc"] == pytest.approx(slope / curve, rel=5e-3)
    free = lms(with_term(row, ""), interaction=method)
    gain = 2 * (free.solution.logl - fit.solution.logl)
    assert abs(found["mi"] - gain) < 0.15 * gain + 0.05
    last = free.estimates.set_index(["lhs", "op", "rhs"]).loc[tuple(row.split())]
    assert abs(found["epc"] - last["est"]) < 0.5 * last["se"] and abs(found["sepc_all"] - last["std_all"]) < 0.1


def test_a_held_parameter_is_freed_from_where_it_is() -> None:
    held = lms(SIMPLE.replace("X:Z", "0.1*X:Z"))
    found = held.modification_indices().set_index(["lhs", "op", "rhs"])
    own = lms()
    gain = 2 * (own.solution.logl - held.solution.logl)
    assert found.loc[("Y", "~", "X:Z"), "mi"] == pytest.approx(gain, rel=0.3)
    nothing = lms(SIMPLE.replace("X:Z", "0*X:Z")).modification_indices().set_index(["lhs", "op", "rhs"])
    assert nothing.loc[("Y", "~", "X:Z"), "mi"] > 3.84 and nothing.loc[("Y", "~", "X:Z"), "pvalue"] < 0.05


def test_without_products_the_indices_are_those_of_the_linear_model_with_observed_information() -> None:
    fixed = lms(SIMPLE.replace("X:Z", "0*X:Z")).modification_indices()
    linear = sk.sem(SIMPLE.replace(" + X:Z", ""), FRAME, meanstructure=True, estimator="ml").modification_indices()
    both = fixed.merge(linear, on=["lhs", "op", "rhs"], suffixes=("", "_linear")).dropna(subset=["mi", "mi_linear"])
    assert len(both) > 40 and np.abs(np.log(both["mi"] / both["mi_linear"])).median() < 0.05


def test_reasons_and_robust_indices() -> None:
    plain, robust = lms().modification_indices(), lms(design=CLUSTERS).modification_indices()
    why = plain.set_index(["lhs", "op", "rhs"])["reason"]
    assert "act on themselves" in why[("X", "~", "Y")] and "unidentified" in why[("X", "=~", "x1")]
    assert why[("Y", "~", "X:X")] == "" and (plain["mi"].isna() == (plain["reason"] != "")).all()
    good = robust["mi"].notna()
    assert (good == plain["mi"].notna()).all() and not np.allclose(robust["mi"][good], plain["mi"][good], rtol=0.05)
    # everybody three times as a cluster of three: the plain index triples, the robust one does not
    thrice = FRAME.loc[FRAME.index.repeat(3)]
    one = lms(design=sk.Design(cluster="id")).modification_indices()["mi"].dropna()
    three = sk.sem(SIMPLE, thrice, interaction="lms", design=sk.Design(cluster="id")).modification_indices()["mi"]
    np.testing.assert_allclose(three.dropna(), one, rtol=1e-4, atol=1e-6)
    groups = lms(group="side").modification_indices()
    assert set(groups["group"]) == {"a", "b"} and groups["mi"].notna().sum() > 80


@pytest.mark.parametrize("method", ["lms", "qml"])
def test_releasing_equalities(method: str) -> None:
    text = SIMPLE.replace("X + Z", "a*X + a*Z").replace("z1 + z2 + z3", "z1 + l*z2 + l*z3")
    both = lms(text, interaction=method)
    found = both.score_test()
    assert list(found["df"]) == [1, 1, 2] and list(found["lhs"][:2]) == ["Z =~ z2", "Y ~ X"]
    free = {"Y ~ X": SIMPLE.replace("z1 + z2 + z3", "z1 + l*z2 + l*z3"),
            "Z =~ z2": SIMPLE.replace("X + Z", "a*X + a*Z"), "total": SIMPLE}
    for row in found.itertuples():
        gain = 2 * (lms(free[row.lhs], interaction=method).solution.logl - both.solution.logl)
        assert abs(row.stat - gain) < 0.15 * gain + 0.05, row
    with pytest.raises(OptionError):
        lms().score_test()


# --- residuals and scores ------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"estimator": "mlr"}, {"design": CLUSTERS}, {"estimator": "mlr", "group": "side"}])
@pytest.mark.parametrize("type", ["raw", "cor", "cor.bentler", "normalized", "standardized"])
def test_residuals_without_a_product_are_those_of_the_linear_model(type: str, options: dict[str, Any]) -> None:
    fixed = lms(SIMPLE.replace("X:Z", "0*X:Z"), **options)
    linear = sk.sem(SIMPLE.replace(" + X:Z", ""), FRAME, meanstructure=True, **options)
    for g in range(2 if "group" in options else 1):
        ours, theirs = fixed.residuals(type, g), linear.residuals(type, g)
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("method", ["lms", "qml"])
def test_residuals_over_errors_follow_the_product(method: str) -> None:
    """Derivatives of the implied covariances by differences; a residual is no larger than three errors in good data."""
    fit = lms(WIDE, interaction=method)
    objective, theta = fit.solution.objective, fit.solution.theta
    slopes, h = objective.covariances(theta)[0], 1e-6
    for k in (fit.names.index("b"), fit.names.index("X ~~ X"), fit.names.index("Y =~ y2")):
        step = h * np.eye(len(theta))[k]
        by = (objective.implied(theta + step)[0].sigma[0] - objective.implied(theta - step)[0].sigma[0]) / (2 * h)
        np.testing.assert_allclose(slopes[k], by, atol=1e-7 * np.abs(by).max())
    found = fit.residuals("standardized").to_numpy()
    assert np.nanmax(np.abs(found)) < 4 and np.nanstd(found) > 0.3
    assert np.all(np.abs(fit.residuals("normalized")) <= np.abs(found) + 1e-6)
    with pytest.raises(NotSupportedError) as caught:
        lms(missing="fiml").residuals("standardized")
    assert caught.value.code == "fitting.not-with-fiml"
    with pytest.raises(OptionError):
        fit.residuals("other")


@pytest.mark.parametrize("method", ["lms", "qml"])
def test_scores_are_posterior_means_by_brute_force(method: str) -> None:
    """Means and standard deviations of X, Z and Y given a respondent's answers, on a fine grid of all three."""
    fit = lms(interaction=method)
    v, rows = dict(zip(fit.names, fit.est, strict=True)), FRAME.iloc[[0, 17, 101]]
    axis = np.linspace(-4.0, 4.0, 61)
    x, z, u = (part.ravel() for part in np.meshgrid(axis, axis, axis, indexing="ij"))
    cov = np.array([[v["X ~~ X"], v["X ~~ Z"]], [v["X ~~ Z"], v["Z ~~ Z"]]])
    inverse, y = np.linalg.inv(cov), v["Y ~ X"] * x + v["Y ~ Z"] * z + v["Y ~ X:Z"] * x * z + u
    prior = -0.5 * (inverse[0, 0] * x**2 + 2 * inverse[0, 1] * x * z + inverse[1, 1] * z**2 + u**2 / v["Y ~~ Y"])
    means, errors = fit.predict(), fit.predict(what="se")
    for other in ("ebm", "bartlett"):
        with pytest.raises((NotSupportedError, OptionError)):
            fit.predict(other)
    for at, (_, row) in zip((0, 17, 101), rows.iterrows(), strict=True):
        log = prior.copy()
        for name, factor in (("X", x), ("Z", z), ("Y", y)):
            for i in (1, 2, 3):
                item = f"{name.lower()}{i}"
                expected = v[f"{item} ~1"] + v.get(f"{name} =~ {item}", 1.0) * factor
                log = log - 0.5 * (row[item] - expected) ** 2 / v[f"{item} ~~ {item}"]
        weight = np.exp(log - log.max())
        weight /= weight.sum()
        for name, factor in (("X", x), ("Z", z), ("Y", y)):
            mean = float(weight @ factor)
            sd = float(np.sqrt(weight @ (factor - mean) ** 2))
            near = 1e-4 if method == "lms" else 0.06  # QML takes the outcome's indicators as normal
            assert abs(means.loc[at, name] - mean) < near and abs(errors.loc[at, name] - sd) < near, (name, at)
