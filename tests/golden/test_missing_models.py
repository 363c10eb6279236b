"""Two stages, fixed covariates with gaps, auxiliary variables and scores against R's lavaan 0.6-14 (``models.R``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import semkit as sk
from tests.golden.test_models import PEER, TWO, agree, table

NINE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
APART = "\n".join(f"x{k} ~~ x{k}" for k in range(1, 10))
LONGER = "f1 =~ q1+q2+q3\nf2 =~ q4+q5+q6\nf1 ~ z1 + z2\nf2 ~ f1 + z1"
GAPPED = "f1 =~ q1+q2+q3\nf1 ~ z1m + z2\nq4 ~ f1"


def without(name: str, *measures: str) -> None:
    """Drop measures of a case that lavaan 0.6 has otherwise (the test says why)."""
    PEER[name]["fit"] = {k: v for k, v in PEER[name]["fit"].items() if not k.startswith(measures)}


SCALED_BASELINE = (
    # 0.6-14 scales the baseline model as if the data were complete: 1.0012 where its own fit of the same model
    # (two_stage_independence) says 1.2356
    "baseline.chisq.scal", "cfi.", "tli.", "nnfi.", "rfi.", "nfi.", "pnfi.", "ifi.", "rni.",
)  # fmt: skip


@pytest.mark.parametrize("name", ["two_stage", "robust_two_stage", "two_stage_groups", "two_stage_x_free"])
def test_two_stages_agree(name: str) -> None:
    without(name, *SCALED_BASELINE)
    fits: dict[str, Any] = {
        "two_stage": lambda: sk.cfa(NINE, table("HS_missing10"), missing="two.stage"),
        "robust_two_stage": lambda: sk.cfa(NINE, table("HS_missing10"), missing="robust.two.stage"),
        "two_stage_groups": lambda: sk.sem(
            TWO, table("groups"), group="g", missing="robust.two.stage", group_equal="loadings"),
        "two_stage_x_free": lambda: sk.sem(LONGER, table("groups"), missing="two.stage", fixed_x=False),
    }
    agree(name, fits[name]())


def test_the_baseline_model_of_two_stages_is_the_independence_model() -> None:
    fit = sk.cfa(NINE, table("HS_missing10"), missing="two.stage")
    apart, peer = sk.sem(APART, table("HS_missing10"), missing="two.stage"), PEER["two_stage_independence"]["fit"]
    for name in ("chisq", "chisq.scaled", "chisq.scaling.factor"):
        assert fit.fit_measures[f"baseline.{name}"] == pytest.approx(peer[name], rel=1e-5)
        assert fit.fit_measures[f"baseline.{name}"] == pytest.approx(apart.fit_measures[name], rel=1e-9)


@pytest.mark.parametrize("missing", ["two.stage", "robust.two.stage"])
def test_fixing_complete_covariates_changes_nothing_but_their_own_moments(missing: str) -> None:
    fixed = sk.sem(LONGER, table("groups"), missing=missing)
    free = sk.sem(LONGER, table("groups"), missing=missing, fixed_x=False)
    both = fixed.estimates.merge(free.estimates, on=["lhs", "op", "rhs"])
    both = both[both["se_x"] > 0]
    assert len(both) > 20
    np.testing.assert_allclose(both["est_x"], both["est_y"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(both["se_x"], both["se_y"], rtol=1e-8)
    for name in ("chisq", "chisq.scaled", "baseline.chisq.scaled", "df", "baseline.df"):
        assert fixed.fit_measures[name] == pytest.approx(free.fit_measures[name], rel=1e-8)


def test_two_stages_without_gaps_are_plain_maximum_likelihood() -> None:
    data = table("HolzingerSwineford1939")
    one, two = sk.cfa(NINE, data, meanstructure=True), sk.cfa(NINE, data, missing="two.stage")
    np.testing.assert_allclose(two.est, one.est, rtol=1e-6, atol=1e-8)
    assert two.fit_measures["chisq"] == pytest.approx(one.fit_measures["chisq"], rel=1e-8)
    # the saturated information is the expected one then, so that tr(U Gamma) is the df
    assert two.fit_measures["chisq.scaling.factor"] == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("name", ["fiml_x", "fiml_x_mlr"])
def test_covariates_with_gaps_agree(name: str) -> None:
    # 0.6-14 takes N log-likelihoods of complete covariates away; here those of what was observed, so that the
    # joint log-likelihood (its own fixed.x = FALSE) is the sum of the conditional one and the covariates' own, but for
    # what the outcomes say of the gaps in the covariates
    without(name, "logl", "unrestricted", "aic", "bic")
    estimator = "mlr" if name.endswith("mlr") else "ml"
    fit = sk.sem(GAPPED, table("groups"), missing="fiml.x", estimator=estimator)
    agree(name, fit)
    joint = sk.sem(GAPPED, table("groups"), missing="fiml", fixed_x=False, estimator=estimator)
    alone = sk.sem("z1m ~~ z1m + z2\nz2 ~~ z2", table("groups"), missing="fiml")
    logl = [f.fit_measures["logl"] for f in (fit, alone, joint)]
    assert logl[0] + logl[1] == pytest.approx(logl[2], abs=1e-3)


@pytest.mark.parametrize("estimator", ["ml", "mlr"])
def test_auxiliary_variables_agree(estimator: str) -> None:
    name = "auxiliary" if estimator == "ml" else "auxiliary_mlr"
    fit = sk.sem(TWO, table("groups"), missing="fiml", auxiliary=["aux1", "aux2"], estimator=estimator)
    peer = PEER[name.replace("auxiliary", "auxiliary_baseline")]["fit"]
    for measure in ("chisq", "df", *(("chisq.scaled", "chisq.scaling.factor") if estimator == "mlr" else ())):
        assert fit.fit_measures[f"baseline.{measure}"] == pytest.approx(peer[measure], rel=1e-5)
    # lavaan was given the written-out model: its baseline and residuals count the auxiliary variables
    without(name, *SCALED_BASELINE, "baseline", "cfi", "tli", "nnfi", "rfi", "nfi", "pnfi", "ifi", "rni", "rmr", "srmr",
            "crmr")
    agree(name, fit)


@pytest.mark.parametrize("missing", ["fiml", "robust.two.stage"])
def test_groups_are_compared_without_the_auxiliary_variables(missing: str) -> None:
    model = "f1 =~ q1+q2+q3\nf1 ~ z1 + z2"
    data = table("groups")
    plain = sk.invariance(model, data, group="g", missing=missing)
    more = sk.invariance(model, data, group="g", missing=missing, auxiliary=["aux1", "aux2"])
    assert more.frame["df"].tolist() == plain.frame["df"].tolist()
    for step, fit in more.fits.items():
        equal = fit.solution.options.group_equal
        alone = sk.sem(model, data, group="g", missing=missing, auxiliary=["aux1", "aux2"], group_equal=equal)
        np.testing.assert_allclose(fit.est, alone.est, rtol=1e-5, atol=1e-6)
        assert more.frame.set_index("step").loc[step, "chisq"] == pytest.approx(
            alone.fit_measures["chisq.scaled" if missing != "fiml" else "chisq"], rel=1e-6)


def test_auxiliary_variables_of_complete_data_change_nothing() -> None:
    data = table("groups")[["q1", "q4", "q5", "z1", "z2", "aux2"]].dropna()
    model = "q4 ~ q1 + z1\nq5 ~ q4 + z1"
    plain = sk.sem(model, data, missing="fiml", fixed_x=False)
    more = sk.sem(model, data, missing="fiml", auxiliary="aux2")
    for row in ("q4 ~ q1", "q5 ~ q4", "q4 ~~ q4"):
        assert more.est[more.names.index(row)] == pytest.approx(plain.est[plain.names.index(row)], rel=1e-6)
    for name in ("chisq", "df", "cfi", "tli", "rmsea", "srmr", "baseline.chisq", "baseline.df"):
        assert more.fit_measures[name] == pytest.approx(plain.fit_measures[name], rel=1e-5, abs=1e-6), name


def test_an_auxiliary_variable_that_knows_of_the_gaps_removes_their_bias() -> None:
    rng = np.random.default_rng(3)
    n = 4000
    f = rng.normal(size=n)
    y = f[:, None] * [0.8, 0.8, 0.8] + 0.6 * rng.normal(size=(n, 3))
    data = sk_frame(y, a=y[:, 0] + 0.5 * rng.normal(size=n))
    data.loc[data["a"] > 0.0, "y1"] = np.nan
    model, row = "f =~ y2 + y3 + y1", "y1 ~1"
    truth = 0.0
    blind = sk.cfa(model, data, missing="fiml")
    knowing = sk.cfa(model, data, missing="fiml", auxiliary="a")
    staged = sk.cfa(model, data, missing="two.stage", auxiliary="a")
    at = blind.names.index(row)
    assert blind.est[at] < -0.2
    for fit in (knowing, staged):
        k = fit.names.index(row)
        assert abs(fit.est[k] - truth) < 3.0 * np.sqrt(fit.vcov[k, k])


def sk_frame(y: Any, **more: Any) -> Any:
    import pandas as pd

    return pd.DataFrame({f"y{k + 1}": y[:, k] for k in range(y.shape[1])} | more)


def test_scores_and_predictions_agree() -> None:
    fit, peer = sk.cfa(NINE, table("HS_missing10"), missing="fiml"), PEER["scores"]
    for what in ("lv", "se", "ov"):
        np.testing.assert_allclose(fit.predict(what=what).to_numpy()[:12], peer[what], atol=5e-6)
    full = sk.cfa(NINE, table("HolzingerSwineford1939"))
    found = full.predict_y(["x7", "x8", "x9"], [f"x{k}" for k in range(1, 7)])
    np.testing.assert_allclose(found.to_numpy()[:12], peer["y"], atol=5e-6)


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_reliability_is_the_squared_correlation_of_score_and_factor(method: str) -> None:
    rng = np.random.default_rng(5)
    n = 100_000
    f = rng.normal(size=n)
    y = f[:, None] * [0.9, 0.7, 0.5, 0.6] + rng.normal(size=(n, 4)) * [0.5, 0.6, 0.7, 0.8]
    y[: n // 2, 0] = np.nan
    fit = sk.cfa("f =~ y1 + y2 + y3 + y4", sk_frame(y), missing="fiml", std_lv=True)
    score, error, share = (fit.predict(method, what)["f"].to_numpy() for what in ("lv", "se", "reliability"))
    for half in (slice(0, n // 2), slice(n // 2, n)):
        assert np.corrcoef(score[half], f[half])[0, 1] ** 2 == pytest.approx(share[half][0], abs=0.01)
        assert np.std(score[half] - f[half]) == pytest.approx(error[half][0], rel=0.02)


def test_bartlett_scores_are_missing_where_answers_do_not_determine_them() -> None:
    data = table("HS_missing10")
    data.loc[0, ["x1", "x2", "x3"]] = np.nan
    fit = sk.cfa(NINE, data, missing="fiml")
    scores = fit.predict("bartlett")
    assert np.isnan(scores.loc[0, "visual"]) and np.isfinite(scores.loc[0, ["textual", "speed"]]).all()
    assert np.isfinite(fit.predict().to_numpy()).all()


def test_residual_errors_that_would_forget_the_first_stage_are_refused() -> None:
    fit = sk.cfa(NINE, table("HS_missing10"), missing="two.stage")
    assert np.isfinite(fit.residuals("cor").to_numpy()).all()
    for call in (lambda: fit.residuals("standardized"), fit.residual_summary, lambda: fit.bootstrap(10, seed=1)):
        with pytest.raises(sk.SemkitError, match="two stages"):
            call()


def test_saturated_correlates_do_not_make_a_solution_inadmissible() -> None:
    # what they share with a factor stands in their covariances with residuals, which may be more than those have
    fit = sk.sem(TWO, table("groups"), missing="fiml", auxiliary=["aux1", "aux2"])
    assert fit.admissible and "fitting.residual-correlation" not in {note.code for note in fit.notes}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"missing": "two.stage", "estimator": "mlr"}, "fitting.not-with-two-stage"),
        ({"missing": "two.stage", "bootstrap": 10}, "fitting.not-with-two-stage"),
        ({"auxiliary": "x9"}, "fitting.auxiliary-without-gaps"),
        ({"missing": "fiml", "auxiliary": "x1"}, "fitting.auxiliary-in-model"),
        ({"missing": "pairwise"}, "fitting.not-supported"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(sk.SemkitError) as caught:
        sk.cfa("visual =~ x1 + x2 + x3", table("HS_missing10"), **options)
    assert caught.value.problems[0].code == code
