"""Kinds of draws: what each promises, against really changed data and against theory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError, OptionError
from semkit.fitting.bootstrap import bootstrap
from semkit.fitting.indices import MEASURES
from semkit.fitting.resampling import make_scheme, misfit_share, turned
from semkit.numerics.intervals import INTERVAL_KINDS
from semkit.numerics.jobs import Chunk
from tests.fitting.test_identities import CFA, study
from tests.reference.harness import DATA

CHILDREN = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
H = pd.read_csv(DATA / "HolzingerSwineford1939.csv")
GAPS = pd.read_csv(DATA / "HS_missing10.csv")


@pytest.mark.parametrize("options", [{}, {"meanstructure": True}, {"group": "school"}, {"likelihood": "wishart"}])
def test_measures_of_draws_are_those_of_refits(options: dict[str, object]) -> None:
    fit = sk.cfa(CHILDREN, H, **options)
    draws = bootstrap(fit, 3, seed=9, statistics=MEASURES)
    sizes = [group.rows for group in fit.solution.sample.groups]
    for k, generator in enumerate(Chunk(0, 0, 3, 9).generators()):
        rows = np.concatenate([part[generator.integers(0, len(part), len(part))] for part in sizes])
        again = sk.cfa(CHILDREN, H.iloc[rows], **options)
        for name in MEASURES:
            assert draws.statistics[name][k] == pytest.approx(again.fit_measures[name], rel=1e-5, abs=1e-7), name


@pytest.mark.parametrize("model", [CHILDREN, "visual =~ x1 + x2 + x3\nvisual ~ ageyr\nx7 ~ visual + ageyr"])
def test_draws_with_gaps_are_refits_of_resampled_rows(model: str) -> None:
    data = GAPS.assign(ageyr=H["ageyr"])
    fit = sk.sem(model, data, missing="fiml")
    draws = bootstrap(fit, 3, seed=5, statistics=("chisq", "cfi", "srmr"))
    for k, generator in enumerate(Chunk(0, 0, 3, 5).generators()):
        again = sk.sem(model, data.iloc[generator.integers(0, len(data), len(data))], missing="fiml")
        se = np.sqrt(np.diag(fit.vcov)) + 1e-9
        assert np.abs((draws.est[k] - again.est) / se).max() < 1e-4
        assert np.abs(draws.std[k] - again.std_est).max() < 1e-4
        for name in ("chisq", "cfi", "srmr"):
            assert draws.statistics[name][k] == pytest.approx(again.fit_measures[name], rel=1e-5, abs=1e-7), name


@pytest.mark.parametrize("estimator", ["gls", "uls", "wls"])
@pytest.mark.parametrize("options", [{}, {"meanstructure": True}, {"group": "half"}])
def test_draws_of_least_squares_are_refits(estimator: str, options: dict[str, object]) -> None:
    data = pd.concat([study(), study(500, seed=4)], ignore_index=True).assign(half=lambda d: d.index % 2)
    fit = sk.cfa(CFA, data, estimator=estimator, **options)
    measures = ("srmr", "crmr") if estimator == "uls" else ("chisq", "rmsea", "srmr")
    draws = bootstrap(fit, 3, seed=12, statistics=measures)
    sizes = [group.rows for group in fit.solution.sample.groups]
    for k, generator in enumerate(Chunk(0, 0, 3, 12).generators()):
        rows = np.concatenate([part[generator.integers(0, len(part), len(part))] for part in sizes])
        again = sk.cfa(CFA, data.iloc[rows].sort_values("half", kind="stable"), estimator=estimator, **options)
        np.testing.assert_allclose(draws.est[k], again.est, rtol=1e-4, atol=1e-5)
        for name in measures:
            assert draws.statistics[name][k] == pytest.approx(again.fit_measures[name], rel=1e-5, abs=1e-7), name


def test_without_gaps_both_kinds_of_evidence_agree() -> None:
    whole = bootstrap(sk.cfa(CHILDREN, H, meanstructure=True), 5, seed=3, statistics=("chisq", "rmsea"))
    fiml = bootstrap(sk.cfa(CHILDREN, H, missing="fiml"), 5, seed=3, statistics=("chisq", "rmsea"))
    np.testing.assert_allclose(whole.est, fiml.est, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(whole.statistics["chisq"], fiml.statistics["chisq"], rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"meanstructure": True}, {"likelihood": "wishart"}, {"group": "school"}])
def test_turned_data_make_the_model_hold(options: dict[str, object]) -> None:
    fit = sk.cfa(CHILDREN, H, **options)
    parts = turned(fit.solution, 0.0)
    frames = [pd.DataFrame(part, columns=fit.table.variables.ov).assign(school=group.label)
              for part, group in zip(parts, fit.solution.sample.groups, strict=True)]
    again = sk.cfa(CHILDREN, pd.concat(frames), **options)
    assert again.fit_measures["chisq"] == pytest.approx(0.0, abs=1e-8)
    np.testing.assert_allclose(again.est, fit.est, rtol=1e-5, atol=1e-6)


def test_the_noncentral_kind_keeps_the_estimated_misfit() -> None:
    fit = sk.cfa(CHILDREN, H)
    parts = turned(fit.solution, misfit_share(fit.solution))
    again = sk.cfa(CHILDREN, pd.DataFrame(parts[0], columns=fit.table.variables.ov))
    stat, df = fit.fit_measures["chisq"], fit.fit_measures["df"]
    assert again.fit_measures["chisq"] == pytest.approx(stat - df, rel=1e-5)
    found = bootstrap(fit, 600, seed=1, kind="noncentral", statistics=("chisq", "rmsea"))
    assert found.statistics["chisq"].mean() == pytest.approx(stat, abs=4.0)
    # the ordinary kind counts the sample's chance misfit twice
    plain = bootstrap(fit, 600, seed=1, statistics=("chisq",))
    assert plain.statistics["chisq"].mean() > stat + 0.7 * df


def test_bollen_stine_p_where_the_model_holds_and_where_it_does_not() -> None:
    rng = np.random.default_rng(7)
    f = rng.standard_t(5, size=(300, 1))
    good = pd.DataFrame(f + rng.standard_t(5, size=(300, 6)), columns=[f"x{k}" for k in range(1, 7)])
    p = {}
    for name, data in (("good", good), ("bad", H)):
        fit = sk.cfa("f =~ x1 + x2 + x3 + x4 + x5 + x6", data)
        stats = bootstrap(fit, 300, seed=2, kind="bollen.stine", statistics=("chisq",)).statistics["chisq"]
        p[name] = (1 + np.sum(stats >= fit.solution.stat)) / (len(stats) + 1)
    assert p["good"] > 0.05 and p["bad"] == pytest.approx(1 / 301)


def test_parametric_draws_have_normal_theory_errors_and_tests() -> None:
    """Large sample from the model: the expected information and the chi-square distribution are exact in the limit."""
    fit = sk.cfa(CHILDREN, pd.concat([H] * 8))
    found = bootstrap(fit, 800, seed=1, kind="parametric", statistics=("chisq",))
    ratio = found.est.std(axis=0, ddof=1) / np.sqrt(np.diag(fit.vcov))
    assert np.abs(ratio - 1.0).max() < 0.12
    assert found.statistics["chisq"].mean() == pytest.approx(24.0, abs=1.0)
    assert found.statistics["chisq"].var() == pytest.approx(48.0, rel=0.25)


def test_parametric_draws_hold_fixed_covariates() -> None:
    data = study()
    fit = sk.sem("y1 ~ x1 + x2\ny2 ~ y1 + x1", data)
    evidence = make_scheme(fit.solution, "parametric")(Chunk(0, 0, 400, 1))
    x = [fit.table.variables.ov.index(name) for name in ("x1", "x2")]
    cov = evidence.observed[0].cov
    assert np.ptp(cov[:, x][:, :, x], axis=0).max() == pytest.approx(0.0, abs=1e-12)
    found = bootstrap(fit, 800, seed=1, kind="parametric")
    assert np.abs(found.est.std(axis=0, ddof=1) / np.sqrt(np.diag(fit.vcov)) - 1.0).max() < 0.12
    fiml = bootstrap(sk.sem("y1 ~ x1 + x2\ny2 ~ y1 + x1", data, missing="fiml"), 400, seed=1, kind="parametric")
    k = fit.names.index("y1 ~ x1")
    assert fiml.est[:, fiml.fit.names.index("y1 ~ x1")].std() == pytest.approx(found.est[:, k].std(), rel=0.15)


def test_moments_can_be_bootstrapped_parametrically_only() -> None:
    names = [f"x{k}" for k in range(1, 10)]
    fit = sk.cfa(CHILDREN, moments=sk.Moments(H[names].cov(), nobs=301))
    assert len(fit.bootstrap(20, seed=1, kind="parametric").draws) == 20
    with pytest.raises(OptionError) as caught:
        fit.bootstrap(20)
    assert caught.value.code == "fitting.no-raw-data"


def test_intervals_of_everything_that_was_drawn() -> None:
    fit = sk.sem("f =~ x1 + a*x2 + b*x3\ny1 ~ f\nratio := a/b", study())
    done = fit.bootstrap(199, seed=3, ci="bc", level=0.9, statistics=("rmsea", "srmr"))
    draws = done.bootstrap_draws
    assert draws.names == (*fit.names, "rmsea", "srmr")
    for kind in INTERVAL_KINDS:
        table = draws.table(kind).set_index("name")
        for name in ("a", "ratio", "rmsea"):
            one = draws.interval(name, kind)
            shown = table.loc[name, ["ci_lower", "ci_upper", "pvalue"]].tolist()
            assert shown == pytest.approx([one.ci_lower, one.ci_upper, one.pvalue]) and shown[0] <= shown[1]
            assert (one.pvalue <= 0.1) == (one.ci_lower > 0.0 or one.ci_upper < 0.0)
    row = done.estimates.set_index("label").loc["a"]
    assert (row["ci_lower"], row["pvalue"]) == (draws.interval("a").ci_lower, draws.interval("a").pvalue)
    assert draws.interval("a").kind == "bc" and draws.interval("a").level == 0.9
    for kind in ("std_lv", "std_all", "std_nox", True):
        values, estimate, _ = draws.metric(kind)
        assert np.nanmax(np.abs(values.mean(axis=0) - estimate)) < 0.1
    shown = done.standardized().set_index(["lhs", "op", "rhs"]).loc[("f", "=~", "x1")]  # the marker's varies, too
    marker = draws.metric("std_all")[0][:, 0]
    assert shown["se"] == pytest.approx(marker.std(ddof=1)) and shown["ci_lower"] < shown["est_std"] < shown["ci_upper"]
    standard = draws.interval("a", standardized=True)
    assert standard.est == pytest.approx(fit.std_est[fit.names.index("a")])


def test_the_acceleration_is_that_of_refits_without_one_respondent() -> None:
    data = study(60)
    fit = sk.sem("y1 ~ b*x1", data)
    draws = fit.bootstrap(50, seed=1).bootstrap_draws
    left_out = np.array([sk.sem("y1 ~ b*x1", data.drop(index=i)).est[0] for i in data.index])
    move = left_out.mean() - left_out
    expected = np.sum(move**3) / (6.0 * np.sum(move**2) ** 1.5)
    assert draws._acceleration["raw"][fit._positions[0]] == pytest.approx(expected, rel=1e-5)


def test_draws_that_are_left_out_are_noticed() -> None:
    r = np.random.default_rng(3)
    f = r.normal(size=60)
    data = pd.DataFrame({f"x{k}": 0.6 * f + r.normal(size=60) for k in range(1, 4)})
    fit = sk.cfa("f =~ x1 + x2 + x3", data, bootstrap=200, seed=1)
    assert "fitting.draws-left-out" in [note.code for note in fit.notes]
    assert not sk.cfa(CFA, study(), bootstrap=50, seed=1).notes


def test_refusals_name_the_alternative() -> None:
    data = study()
    fit = sk.cfa(CFA, data)
    for options, code in (
        ({"kind": "wild"}, "fitting.unknown-option-value"), ({"ci": "hpd"}, "fitting.unknown-option-value"),
        ({"level": 95}, "fitting.confidence-level"), ({"statistics": ("rmsae",)}, "fitting.unknown-statistic"),
        ({"kind": "cluster"}, "fitting.bootstrap-kind"),
    ):
        with pytest.raises((OptionError, NotSupportedError)) as caught:
            fit.bootstrap(10, **options)
        assert caught.value.code == code and caught.value.problems[0].remedy
    gaps = sk.cfa(CHILDREN, GAPS, missing="fiml")
    with pytest.raises(NotSupportedError, match="turns complete data"):
        gaps.bootstrap(10, kind="bollen.stine")
    with pytest.raises(OptionError, match="was not drawn"):
        fit.bootstrap(10, seed=1).bootstrap_draws.interval("rmsea")


def survey(n: int = 600) -> pd.DataFrame:
    """Clusters that share something, in two strata, with unequal weights."""
    rng = np.random.default_rng(8)
    cluster = np.repeat(np.arange(n // 10), 10)
    f = rng.normal(size=n) + 0.8 * rng.normal(size=n // 10)[cluster]
    data = pd.DataFrame({f"x{k}": 0.8 * f + 0.6 * rng.normal(size=n) for k in range(1, 5)})
    return data.assign(y=0.5 * f + rng.normal(size=n), cluster=cluster, stratum=cluster % 2, w=rng.uniform(0.5, 2.0, n))


def test_primary_units_are_drawn_whole_and_errors_are_those_of_the_design() -> None:
    """Rao-Wu weights: each draw keeps the strata's totals in expectation; errors near the linearised ones."""
    data = survey()
    design = sk.Design(weights="w", strata="stratum", cluster="cluster")
    fit = sk.sem("f =~ x1 + x2 + x3 + x4\ny ~ f", data, design=design)
    from semkit.fitting.resampling import unit_weights

    weights = unit_weights(fit.solution, Chunk(0, 0, 300, 1))[0]
    own = fit.solution.sample.groups[0].weights
    factor = weights / own
    assert np.ptp(factor.reshape(300, 60, 10), axis=2).max() == pytest.approx(0.0, abs=1e-12)
    assert set(np.round(np.unique(factor) * 29 / 30, 9)) <= set(range(30))
    assert factor[:, data["stratum"] == 0].mean(axis=1) == pytest.approx(1.0)
    done = fit.bootstrap(400, seed=2, kind="cluster")
    ratio = done.draws.std(axis=0, ddof=1) / np.sqrt(np.diag(fit.vcov))
    assert np.abs(ratio - 1.0).max() < 0.2
    model = "f =~ x1 + x2 + x3 + x4\ny ~ f"
    level = sk.sem(model, data, design=design, meanstructure=True).bootstrap(200, seed=2, kind="cluster")
    naive = sk.sem(model, data, meanstructure=True)
    at = naive.names.index("x1 ~1")
    assert level.draws[:, level.names.index("x1 ~1")].std() > 1.5 * np.sqrt(naive.vcov[at, at])
    assert done.bootstrap_draws.interval("y ~ f", "bca").ci_lower > 0.0
    with pytest.raises(NotSupportedError, match="cluster"):
        fit.bootstrap(10)


def test_ordinal_draws_are_refits_of_resampled_rows() -> None:
    data = pd.read_csv(DATA / "HS_ordinal5.csv")
    names = [f"x{k}" for k in range(1, 10)]
    fit = sk.cfa(CHILDREN, data, ordered=names, bootstrap=40, seed=1)
    draws = fit.bootstrap_draws
    assert draws.requested == 40 and draws.failed + draws.inadmissible + len(draws.est) == 40
    for k, generator in enumerate(Chunk(0, 0, 2, 1).generators()):
        again = sk.cfa(CHILDREN, data.iloc[generator.integers(0, len(data), len(data))], ordered=names)
        np.testing.assert_allclose(draws.est[k], again.est, atol=1e-6)
        np.testing.assert_allclose(draws.std[k], again.std_est, atol=1e-6)
    ratio = draws.est.std(axis=0, ddof=1) / np.sqrt(np.diag(sk.cfa(CHILDREN, data, ordered=names).vcov))
    assert 0.85 < np.median(ratio) < 1.2
    one = draws.interval("visual =~ x2", "bc", standardized="std_all")
    assert one.ci_lower < one.est < one.ci_upper
    for options in ({"kind": "parametric"}, {"ci": "bca"}, {"statistics": ("rmsea",)}):
        with pytest.raises(NotSupportedError, match="with ordinal indicators"):
            fit.bootstrap(10, **options)
