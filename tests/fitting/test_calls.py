"""What may be asked of a fit, what it says of itself, and the contract it keeps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import ModelError, NotSupportedError, OptionError, SampleError
from semkit.result import Result, quantity
from tests.fitting.test_identities import CFA, MODERATED, study, table


@pytest.mark.parametrize(
    ("options", "error", "code"),
    [
        ({"estimator": "mle"}, OptionError, "fitting.unknown-option-value"),
        ({"estimator": "wlsmv"}, OptionError, "fitting.no-ordered"),
        ({"missing": "pairwise"}, NotSupportedError, "fitting.not-supported"),
        ({"information": "fisher"}, OptionError, "fitting.unknown-option-value"),
        ({"likelihood": "poisson"}, OptionError, "fitting.unknown-option-value"),
        ({"likelihood": "wishart", "estimator": "mlr"}, OptionError, "fitting.contradictory-options"),
        ({"se": "jackknife"}, OptionError, "fitting.unknown-option-value"),
        ({"test": "scaled.shifted", "missing": "fiml"}, NotSupportedError, "fitting.not-with-fiml"),
        ({"interaction": "magic"}, OptionError, "fitting.unknown-option-value"),
        ({"ordered": ["x1"]}, SampleError, "sample.too-many-categories"),
        ({"design": sk.Design(cluster="village")}, SampleError, "sample.missing-column"),
        ({"start": {"f =~ x9": 1.0}}, OptionError, "fitting.unknown-parameter"),
        ({"moments": sk.Moments([[1.0]], nobs=5, names=("x1",))}, OptionError, "fitting.data-or-moments"),
        ({"group": "nowhere"}, SampleError, "sample.missing-column"),
    ],
)
def test_options_that_are_refused_say_what_is_allowed(
    options: dict[str, object], error: type[Exception], code: str
) -> None:
    with pytest.raises(error) as caught:
        sk.sem(CFA, study(), **options)  # type: ignore[arg-type]
    problem = caught.value.problems[0]  # type: ignore[attr-defined]
    assert problem.code == code
    assert problem.allowed and problem.where
    assert problem.remedy


def test_an_unknown_argument_of_cfa_is_named() -> None:
    with pytest.raises(OptionError) as caught:
        sk.cfa(CFA, study(), estimater="ml")
    assert caught.value.code == "arguments.unknown"
    assert 'Did you mean "estimator"?' in str(caught.value)


def test_data_that_are_no_frame() -> None:
    with pytest.raises((OptionError, ModelError)):
        sk.cfa(CFA, [[1, 2], [3, 4]])


def test_robust_errors_need_raw_data() -> None:
    data = study()
    with pytest.raises(OptionError) as caught:
        sk.cfa(CFA, moments=sk.Moments(data.cov(), nobs=400), estimator="mlr")
    assert caught.value.code == "fitting.no-raw-data"
    fit = sk.cfa(CFA, moments=sk.Moments(data.cov(), nobs=400))
    for use in (fit.predict, fit.bootstrap):
        with pytest.raises(OptionError) as caught:
            use()
        assert caught.value.code == "fitting.no-raw-data"


def test_estimator_names_are_read_in_any_case_and_set_the_rest() -> None:
    fit = sk.cfa(CFA, study(), estimator="MLR")
    options = fit.solution.options
    assert (options.estimator, options.se, options.information) == ("mlr", "robust.huber.white", "observed")
    assert list(fit.tests) == ["standard", "yuan.bentler.mplus"]
    assert fit.method == "MLR"
    se = {kind: np.sqrt(np.diag(sk.cfa(CFA, study(), se=kind).vcov)) for kind in ("standard", "robust")}
    assert np.abs(se["standard"] / se["robust"] - 1).max() > 0.01
    assert sk.cfa(CFA, study(), se="none").estimates["se"].isna().sum() >= 13


def test_a_model_that_is_not_identified_names_the_parameters() -> None:
    fit = sk.cfa("f =~ NA*x1 + x2 + x3", study())
    codes = {note.code: note for note in fit.notes}
    assert "fitting.not-identified" in codes
    assert "f =~ x1" in codes["fitting.not-identified"].where
    assert not fit.admissible


def test_a_negative_variance_is_said_aloud() -> None:
    r = np.random.default_rng(8)
    f = r.normal(size=300)
    data = pd.DataFrame({"x1": f, "x2": 0.3 * f + r.normal(size=300), "x3": 0.3 * f + r.normal(size=300)})
    data["x1"] += 0.05 * r.normal(size=300)
    cov = np.array([[1.0, 0.5, 0.5], [0.5, 1.0, 0.2], [0.5, 0.2, 1.0]])  # 0.5 * 0.5 / 0.2 > 1
    fit = sk.cfa("f =~ x1 + x2 + x3", moments=sk.Moments(cov, nobs=300, names=("x1", "x2", "x3")))
    assert fit.converged and not fit.admissible
    note = next(note for note in fit.notes if note.code == "fitting.negative-variance")
    assert note.where == "x1 ~~ x1" and note.severity == "error"


def test_latents_that_correlate_beyond_one_are_said_aloud() -> None:
    cov = np.full((4, 4), 0.6) + 0.4 * np.eye(4)
    cov[0, 1] = cov[1, 0] = cov[2, 3] = cov[3, 2] = 0.5
    names = ("x1", "x2", "y1", "y2")
    fit = sk.cfa("f =~ x1 + x2\ng =~ y1 + y2", moments=sk.Moments(cov, nobs=500, names=names))
    (note,) = (note for note in fit.notes if note.code == "fitting.latent-correlation")
    assert note.where == "f ~~ g" and note.severity == "error" and not fit.admissible


def test_a_fit_keeps_the_contract_of_results() -> None:
    data = study().assign(d=lambda x: (x["w1"] > 3).astype(float))
    data.loc[0, "x1"] = np.nan
    fit = sk.sem(MODERATED + "h ~ d\nf ~ d\ng ~ d\nf ~~ g", data)
    assert isinstance(fit, Result)
    k = len(fit.names)
    assert fit.est.shape == fit.std_est.shape == (k,) and fit.vcov.shape == fit.std_vcov.shape == (k, k)
    assert (fit.nobs_received, fit.nobs) == (400, 399)
    assert fit.draws is None and fit.reference.kind == "z"
    assert {(t.outcome, t.factors, t.name) for t in fit.terms} >= {("h", ("f",), "a"), ("h", ("f", "g"), "c")}
    assert quantity(fit, "c").est == fit.est[fit.names.index("c")]
    d = fit.variables["d"]
    assert d.binary and d.kind == "observed" and d.values is not None and len(d.values) == 399
    f = fit.variables["f"]
    assert f.kind == "latent" and f.values is not None and f.minimum < 0 < f.maximum
    at = fit.names.index("h ~ d")  # a 0/1 predictor standardises the outcome only
    assert fit.std_est[at] == pytest.approx(fit.est[at] / fit.variables["h"].sd)
    assert table(fit, "std_all")["h", "~", "d"] == pytest.approx(fit.std_est[at] * d.sd, rel=1e-8)


def test_an_observed_moderator_is_centred_at_its_mean() -> None:
    data = study()
    fit = sk.sem("y1 ~ a*x1 + b*w1 + c*x1:w1", data)
    assert fit.variables["w1"].center == pytest.approx(data["w1"].mean())
    x, w = data["x1"] - data["x1"].mean(), data["w1"] - data["w1"].mean()
    design = np.column_stack([np.ones(400), x, w, x * w])
    beta, *_ = np.linalg.lstsq(design, data["y1"], rcond=None)
    np.testing.assert_allclose(fit.est[:3], beta[1:], rtol=1e-8)


def test_text_shows_who_was_used_and_what_is_wrong() -> None:
    data = study()
    data.loc[:9, "x1"] = np.nan
    shown = repr(sk.sem(MODERATED, data, estimator="mlr"))
    assert "390 respondents used of 400" in shown
    assert "product indicators (3 double-mean-centred products)" in shown
    assert "390 of 400 respondents have all values" in shown


def test_tables_have_the_agreed_columns() -> None:
    fit = sk.cfa(CFA, study())
    assert list(fit.estimates.columns) == ["lhs", "op", "rhs", "group", "label", "est", "se", "z", "pvalue", "ci_lower",
                                           "ci_upper", "std_lv", "std_all", "std_nox"]
    assert list(fit.standardized("std_lv").columns[:8]) == ["lhs", "op", "rhs", "group", "label", "est_std", "se", "z"]
    assert set(fit.r2.index) == {"x1", "x2", "x3", "y1", "y2", "y3"}
    for kind in ("raw", "cor", "cor.bentler"):
        assert fit.residuals(kind).shape == (6, 6)
    for call in (fit.residuals, fit.standardized):
        with pytest.raises(OptionError):
            call("nonsense")


def test_a_reliability_that_is_known_fixes_the_error_variance() -> None:
    """One indicator of reliability rho: the slope is the attenuated one divided by rho."""
    data = study()
    fit = sk.sem("y1 ~ b*c", data, composites={"c": sk.Composite(("x1",), reliability=0.8)})
    plain = sk.sem("y1 ~ b*x1", data)
    assert fit.est[0] == pytest.approx(plain.est[0] / 0.8, rel=1e-8)
    error = table(fit, "est")["c.mean", "~~", "c.mean"]
    assert error == pytest.approx(0.2 * data["x1"].var(ddof=0), rel=1e-10)
    assert "# c.mean ~~ (1 - rho)*s^2 from the sample" in fit.recipe.expanded


def test_a_planted_interaction_comes_back_at_reliability_seventy() -> None:
    """N = 100,000: within 2 % with the constrained residual covariances, near .18 without them.

    Little noise elsewhere keeps the Monte Carlo error of the estimate near 1 %.
    """
    r = np.random.default_rng(5)
    n = 100_000
    f = r.normal(size=n)
    w = 0.4 * f + np.sqrt(1 - 0.16) * r.normal(size=n)
    y = 0.3 * f + 0.3 * w + 0.25 * f * w + 0.3 * r.normal(size=n)
    data = pd.DataFrame({f"{name}{k}": loading * latent + 0.3 * r.normal(size=n)
                         for name, latent in (("x", f), ("y", y)) for k, loading in ((1, 1.0), (2, 0.9), (3, 0.8))})
    items = tuple(f"i{k}" for k in range(6))
    for item in items:
        data[item] = w + np.sqrt(6 * 0.3 / 0.7) * r.normal(size=n)
    data["m"] = data[list(items)].mean(axis=1)
    model = "f =~ x1 + x2 + x3\nh =~ y1 + y2 + y3\nh ~ a*f + b*g + c*f:g"
    fit = sk.sem(model, data, composites={"g": sk.Composite(("m",), {"m": items})})
    assert fit.est[fit.names.index("c")] == pytest.approx(0.25, rel=0.02)
    for column in ("x1", "x2", "x3"):
        data[f"{column}m"] = (data[column] - data[column].mean()) * (data["m"] - data["m"].mean())
    error = float(table(fit, "est")["g.mean", "~~", "g.mean"])
    measured = f"f =~ x1 + x2 + x3\nh =~ y1 + y2 + y3\ng =~ 1*m\nm ~~ {error}*m\np =~ x1m + x2m + x3m\n"
    naive = sk.sem(measured + "h ~ a*f + b*g + c*p", data)
    assert naive.est[naive.names.index("c")] == pytest.approx(0.18, abs=0.015)


def test_a_code_for_missing_that_was_not_declared_is_noticed() -> None:
    data = study()
    assert not any(note.code == "fitting.missing-code" for note in sk.sem("y1 ~ x1", data).notes)
    coded = data.assign(x1=data["x1"].where(data["x1"] > data["x1"].quantile(0.1), -99.0))
    (note,) = (n for n in sk.sem("y1 ~ x1", coded).notes if n.code == "fitting.missing-code")
    assert note.where == "x1" and "-99" in note.what
