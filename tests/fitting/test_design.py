"""Fits under a sampling design: exact identities, and R's survey where a fit is a regression or a mean."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError, OptionError, SampleError
from semkit.fitting.estimators import ESTIMATORS, SCALED

GOLDEN = Path(__file__).parents[1] / "golden"
PEER = json.loads((GOLDEN / "survey_regression.json").read_text(encoding="utf-8"))
BASE = pd.read_csv(GOLDEN / "survey_design.csv")
BASE = BASE.assign(xw=BASE["x"] * BASE["w"], one=1.0, id=np.arange(len(BASE)))
DATA = pd.concat([BASE, pd.read_csv(GOLDEN / "survey_replicates.csv.gz")], axis=1).copy()
COUNTS = np.random.default_rng(4).integers(1, 4, len(DATA))
CFA = "trust =~ y1 + y2 + y3\ngrowth =~ y4 + y5 + y6"
GAPS = CFA.replace("y", "m")
REGRESSION = "z ~ x + w + sex + xw"  # R's order of the coefficients, after the intercept
SEX, AGE = {0: 2800, 1: 3200}, {0: 2000, 1: 1500, 2: 2500}
FULL = sk.Design(weights="weight", strata="region", cluster="village", fpc="villages")


def slopes(fit: sk.Fit) -> np.ndarray:
    """Covariance matrix of intercept and slopes."""
    names = ["z ~1", *(f"z ~ {name}" for name in ("x", "w", "sex", "xw"))]
    at = [fit.names.index(name) for name in names]
    return fit.vcov[np.ix_(at, at)]


@pytest.mark.parametrize(("name", "design"), [
    ("weights", sk.Design(weights="weight")),
    ("cluster", sk.Design(weights="weight", cluster="village")),
    ("strata", sk.Design(weights="weight", strata="region")),
    ("both", sk.Design(weights="weight", strata="region", cluster="village")),
    ("fpc", FULL),
    ("unweighted", sk.Design(cluster="village")),
])
def test_a_regression_is_that_of_survey(name: str, design: sk.Design) -> None:
    peer, fit = PEER["designs"][name], sk.sem(REGRESSION, DATA, design=design, meanstructure=True)
    n = len(DATA)
    factor = n / (n - 1) if name == "weights" else 1.0  # lavaan's sandwich of weights alone has no n / (n - 1)
    np.testing.assert_allclose(slopes(fit) * factor, np.array(peer["vcov"]).reshape(5, 5), rtol=1e-7, atol=1e-13)
    mean = sk.sem("z ~ 1\nz ~~ z", DATA, design=design)
    assert mean.est[mean.names.index("z ~1")] == pytest.approx(peer["mean"], rel=1e-9)
    assert mean.vcov[mean.names.index("z ~1")][mean.names.index("z ~1")] * factor == pytest.approx(
        peer["mean_var"], rel=1e-8)
    deff = mean.estimates.set_index("op").loc["~1"]["deff"]
    # one by one, both variances lack n / (n - 1)
    assert deff == pytest.approx(peer["deff"], rel=1e-8)


@pytest.mark.parametrize("type", ["BRR", "Fay", "JK1", "JKn", "bootstrap"])
def test_replicate_weights_are_those_of_survey(type: str) -> None:
    peer = PEER["replicates"][type]
    columns = tuple(f"{type}{k + 1}" for k in range(peer["count"]))
    made = sk.Replicates(columns, type, rscales=tuple(peer["rscales"]) if type == "JKn" else (),
                         rho=0.3 if type == "Fay" else 0.0)
    fit = sk.sem(REGRESSION, DATA, design=sk.Design(weights="weight", replicates=made))
    np.testing.assert_allclose(slopes(fit), np.array(peer["vcov"]).reshape(5, 5), rtol=1e-6, atol=1e-12)


def test_margins_are_those_of_survey() -> None:
    design = sk.Design(weights="weight", strata="region", cluster="village").rake(DATA, {"sex": SEX, "age": AGE})
    fit = sk.sem(REGRESSION, DATA, design=design)
    np.testing.assert_allclose(slopes(fit), np.array(PEER["calibrated"]["vcov"]).reshape(5, 5), rtol=1e-6, atol=1e-12)
    assert "sample.calibrated" in [note.code for note in fit.notes]


@pytest.mark.parametrize("options", [{}, {"missing": "fiml"}, {"estimator": "mlm"}])
def test_a_jackknife_of_clusters_tests_as_clusters_do(options: dict[str, str]) -> None:
    """Applied to scores, leaving out one cluster at a time is the linearised covariance matrix, exactly."""
    text = GAPS if "missing" in options else CFA
    units, w = DATA["village"].unique(), DATA["weight"].to_numpy()
    names = tuple(f"left{k}" for k in range(len(units)))
    columns = {name: np.where(DATA["village"] == unit, 0.0, w * len(units) / (len(units) - 1))
               for name, unit in zip(names, units, strict=True)}
    frame = pd.concat([DATA, pd.DataFrame(columns)], axis=1)
    one = sk.cfa(text, frame, design=sk.Design(weights="weight", replicates=sk.Replicates(names, "JK1")), **options)
    two = sk.cfa(text, frame, design=sk.Design(weights="weight", cluster="village"), **options)
    np.testing.assert_allclose(one.est, two.est, rtol=1e-9)
    np.testing.assert_allclose(one.fit_measures, two.fit_measures, rtol=1e-8, atol=1e-10)
    ratio = np.sqrt(np.diagonal(one.vcov) / np.diagonal(two.vcov))
    assert np.all((ratio > 0.9) & (ratio < 1.4)), ratio
    assert not np.allclose(ratio, 1.0)
    if not options:
        np.testing.assert_allclose(one.residuals("normalized"), two.residuals("normalized"), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("text", [CFA, REGRESSION, GAPS])
def test_frequency_weights_repeat_respondents(text: str) -> None:
    gaps = {"missing": "fiml"} if text == GAPS else {}
    weighted = sk.sem(text, DATA.assign(k=COUNTS), design=sk.Design(weights="k"), **gaps)
    again = DATA.loc[DATA.index.repeat(COUNTS)]
    repeated = sk.sem(text, again, estimator="mlr", **gaps)
    np.testing.assert_allclose(weighted.est, repeated.est, rtol=1e-6, atol=1e-7)
    scale = len(DATA) / len(again)
    assert weighted.fit_measures["chisq"] == pytest.approx(repeated.fit_measures["chisq"] * scale, rel=1e-6, abs=1e-8)
    # respondents who are repeated are clusters of copies
    grouped = sk.sem(text, again, design=sk.Design(cluster="id"), meanstructure=True, **gaps)
    single = sk.sem(text, DATA.assign(k=COUNTS), design=sk.Design(weights="k"), meanstructure=True, **gaps)
    n = len(DATA)
    np.testing.assert_allclose(single.vcov, grouped.vcov * (n - 1) / n, rtol=1e-5, atol=1e-10)
    assert single.fit_measures["chisq.scaled"] == pytest.approx(
        grouped.fit_measures["chisq.scaled"] * n / (n - 1), rel=1e-5, abs=1e-8)


def test_frequency_weights_repeat_respondents_of_a_product() -> None:
    text = "trust =~ y1 + y2 + y3\ngrowth =~ y4 + y5 + y6\nw1 =~ 1*w\nz ~ trust + w1 + trust:w1"
    weighted = sk.sem(text, DATA.assign(k=COUNTS), design=sk.Design(weights="k"))
    repeated = sk.sem(text, DATA.loc[DATA.index.repeat(COUNTS)], estimator="mlr")
    np.testing.assert_allclose(weighted.est, repeated.est, rtol=1e-6, atol=1e-7)


def test_covariates_with_gaps_under_frequency_weights() -> None:
    text = "trust =~ m1 + m2 + m3\nz ~ trust + w_gap + x"
    weighted = sk.sem(text, DATA.assign(k=COUNTS), missing="fiml.x", design=sk.Design(weights="k"))
    repeated = sk.sem(text, DATA.loc[DATA.index.repeat(COUNTS)], missing="fiml.x", estimator="mlr")
    np.testing.assert_allclose(weighted.est, repeated.est, rtol=1e-6, atol=1e-7)
    scale = weighted.nobs / repeated.nobs
    for name in ("chisq", "baseline.chisq"):
        assert weighted.fit_measures[name] == pytest.approx(repeated.fit_measures[name] * scale, rel=1e-6)


@pytest.mark.parametrize("options", [{}, {"group": "urban", "group_equal": ("loadings",)}, {"missing": "fiml"}])
def test_equal_weights_are_no_weights(options: dict[str, object]) -> None:
    text = GAPS if "missing" in options else CFA
    weighted = sk.cfa(text, DATA.assign(k=2.5), design=sk.Design(weights="k"), **options)
    plain = sk.cfa(text, DATA, estimator="mlr", **options)
    np.testing.assert_allclose(weighted.est, plain.est, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(weighted.vcov, plain.vcov, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(weighted.fit_measures, plain.fit_measures[weighted.fit_measures.index], rtol=1e-7,
                               atol=1e-9)
    np.testing.assert_allclose(weighted.estimates["deff"].dropna(), 1.0, rtol=1e-9)
    np.testing.assert_allclose(weighted.predict(), plain.predict(), rtol=1e-8, atol=1e-9)
    if "missing" not in options:
        for kind in ("normalized", "standardized"):
            np.testing.assert_allclose(weighted.residuals(kind), plain.residuals(kind), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("missing", ["listwise", "fiml"])
def test_everyone_a_cluster_of_their_own_is_mlr(missing: str) -> None:
    text = GAPS if missing == "fiml" else CFA
    own = sk.cfa(text, DATA, design=sk.Design(cluster="id"), missing=missing)
    plain = sk.cfa(text, DATA, estimator="mlr", meanstructure=True, missing=missing)
    n = own.nobs
    np.testing.assert_allclose(own.vcov, plain.vcov * n / (n - 1), rtol=1e-8, atol=1e-12)
    assert own.fit_measures["chisq.scaling.factor"] == pytest.approx(
        plain.fit_measures["chisq.scaling.factor"] * n / (n - 1), rel=1e-8)
    assert own.fit_measures["baseline.chisq.scaling.factor"] == pytest.approx(
        plain.fit_measures["baseline.chisq.scaling.factor"] * n / (n - 1), rel=1e-8)


@pytest.mark.parametrize("estimator", ["mlm", "mlmv", "mlmvs"])
def test_corrections_from_the_moments(estimator: str) -> None:
    """Equal weights are none; the sandwich of the moments is that of the scores, and a cluster of one is one."""
    plain = sk.sem(CFA + "\nz ~ trust + w", DATA, estimator=estimator)
    equal = sk.sem(CFA + "\nz ~ trust + w", DATA.assign(k=2.5), estimator=estimator, design=sk.Design(weights="k"))
    np.testing.assert_allclose(equal.vcov, plain.vcov, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(equal.fit_measures, plain.fit_measures[equal.fit_measures.index], rtol=1e-7, atol=1e-9)
    by_moments = sk.cfa(CFA, DATA, estimator=estimator, design=FULL)
    by_scores = sk.cfa(CFA, DATA, estimator="mlr", information="expected", design=FULL)
    np.testing.assert_allclose(by_moments.vcov, by_scores.vcov, rtol=1e-6, atol=1e-12)
    own = sk.cfa(CFA, DATA, estimator="mlm", design=sk.Design(cluster="id"))
    single, n = sk.cfa(CFA, DATA, estimator="mlm", meanstructure=True), len(DATA)
    assert own.fit_measures["chisq.scaling.factor"] == pytest.approx(
        single.fit_measures["chisq.scaling.factor"] * n / (n - 1), rel=1e-8)
    crossing = sk.cfa(CFA, DATA, estimator="mlr", design=FULL, group="sex")
    with pytest.raises(NotSupportedError):
        _ = crossing.solution.pieces.roots


def test_differences_of_nested_models() -> None:
    text = "trust =~ y1 + a*y2 + a*y3\ngrowth =~ y4 + y5 + y6"
    design = sk.Design(weights="weight", cluster="village")
    larger, smaller = sk.cfa(CFA, DATA, design=design), sk.cfa(text, DATA, design=design)
    both = sk.cfa("trust =~ y1 + a*y2 + b*y3\ngrowth =~ y4 + y5 + y6", DATA, design=design)
    # one restriction: each test is asymptotically the Wald test, which has the design in it, too
    wald = both.wald("a == b")
    for method in ("satorra.bentler.2001", "satorra.bentler.2010", "satorra.2000.mean"):
        row = sk.compare(larger, smaller, method=method).frame.iloc[1]
        assert row["df_diff"] == 1
        assert row["chisq_diff"] == pytest.approx(wald.stat, rel=0.35), method


def test_the_script_for_lavaan_names_weights_and_clusters(tmp_path: Path) -> None:
    fit = sk.cfa(GAPS, DATA, design=sk.Design(weights="weight", cluster="village"), missing="fiml")
    script, table = fit.to_lavaan(tmp_path / "check.R")
    text = script.read_text(encoding="utf-8")
    assert 'sampling.weights = "weight"' in text and 'cluster = "cluster"' in text and 'missing = "ml"' in text
    written = pd.read_csv(table)
    assert list(written.columns[-2:]) == ["weight", "cluster"] and written["cluster"].nunique() == 24
    assert written.isna().sum().sum() == DATA[[f"m{k}" for k in range(1, 7)]].isna().sum().sum()
    with pytest.raises(NotSupportedError):
        sk.cfa(CFA, DATA, design=FULL).to_lavaan(tmp_path / "other.R")
    with pytest.raises(NotSupportedError):
        sk.cfa(CFA, DATA, design=sk.Design(weights="weight")).crosscheck("semopy")


def test_the_input_for_mplus_names_the_design(tmp_path: Path) -> None:
    fit = sk.cfa(CFA, DATA, design=sk.Design(weights="weight", strata="region", cluster="village"))
    script, table = fit.to_mplus(tmp_path / "check")
    text = script.read_text(encoding="ascii")
    for part in ("WEIGHT = smkw;", "STRATIFICATION = smks;", "CLUSTER = smkc;", "TYPE = COMPLEX;", "ESTIMATOR = MLR;"):
        assert part in text
    rows = np.loadtxt(table)
    assert rows.shape == (423, 9) and len(np.unique(rows[:, 8])) == 24 and len(np.unique(rows[:, 7])) == 12
    np.testing.assert_allclose(rows[:, 6] / rows[:, 6].sum(), DATA["weight"] / DATA["weight"].sum())
    only = sk.cfa(CFA, DATA, design=sk.Design(weights="weight"))
    assert "TYPE = GENERAL;" in only.to_mplus(tmp_path / "only")[0].read_text(encoding="ascii")
    for refused in (sk.cfa(CFA, DATA, design=FULL), sk.cfa(CFA, DATA, design=FULL, estimator="mlm")):
        with pytest.raises(NotSupportedError):
            refused.to_mplus(tmp_path / "other")


def test_full_information_without_gaps_is_the_complete_fit() -> None:
    full = sk.cfa(CFA, DATA, design=FULL, missing="fiml")
    plain = sk.cfa(CFA, DATA, design=FULL)
    np.testing.assert_allclose(full.est, plain.est, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(full.vcov, plain.vcov, rtol=1e-5, atol=1e-10)
    for name in ("chisq.scaled", "baseline.chisq.scaled", "srmr", "logl"):
        assert full.fit_measures[name] == pytest.approx(plain.fit_measures[name], rel=1e-5), name


def test_groups_that_are_equal_in_everything_are_one_group() -> None:
    """Clusters reach over the groups: their sums do, too."""
    equal = ("loadings", "intercepts", "means", "residuals", "lv.variances", "lv.covariances")
    design = sk.Design(weights="weight", strata="region", cluster="village")
    two = sk.cfa(CFA, DATA, design=design, group="sex", group_equal=equal)
    # latent means are equal: those of the second group are held at the first one's zero
    restrictions = "\n".join(["trust ~ c(0, 0)*1", "growth ~ c(0, 0)*1"])
    two = sk.cfa(f"{CFA}\n{restrictions}", DATA, design=design, group="sex", group_equal=equal)
    one = sk.cfa(CFA, DATA, design=design)
    first = two.estimates[two.estimates["group"] == two.table.groups[0]]
    for row in one.estimates.itertuples():
        same = first[(first["lhs"] == row.lhs) & (first["op"] == row.op) & (first["rhs"] == row.rhs)].iloc[0]
        assert same["est"] == pytest.approx(row.est, rel=1e-6, abs=1e-8)
        assert same["se"] == pytest.approx(row.se, rel=1e-6, abs=1e-10)


def test_a_fit_says_what_it_rests_on() -> None:
    fit = sk.cfa(CFA, DATA, design=FULL)
    notes = {note.code: note for note in fit.notes}
    assert "24 clusters in 12 strata" in str(notes["fitting.design"]) and "12 degrees" in str(notes["fitting.design"])
    assert "fitting.few-units" in notes
    table = fit.estimates.dropna(subset="deff")
    np.testing.assert_allclose(table["n_eff"], fit.nobs / table["deff"])
    assert fit.recipe.design == FULL
    assert "deff" not in sk.cfa(CFA, DATA, estimator="mlr").estimates
    easy = sk.cfa(CFA, DATA, design=sk.Design(weights="weight"))
    assert "fitting.few-units" not in {note.code for note in easy.notes}


def test_weights_of_which_few_decide_are_noted() -> None:
    heavy = DATA.assign(weight=np.where(DATA.index % 60 == 0, 80.0, 1.0))
    fit = sk.cfa(CFA, heavy, design=sk.Design(weights="weight"))
    note = next(note for note in fit.notes if note.code == "fitting.uneven-weights")
    assert "423 respondents" in str(note)
    assert "fitting.uneven-weights" not in [note.code for note in sk.cfa(CFA, DATA, design=FULL).notes]


@pytest.mark.parametrize("missing", ["listwise", "fiml"])
def test_order_scale_and_names_say_nothing(missing: str) -> None:
    """Rows in another order, weights in another unit, clusters and strata under other names."""
    text = GAPS if missing == "fiml" else CFA
    fit = sk.cfa(text, DATA, design=FULL, missing=missing, group="sex")
    other = DATA.sample(frac=1.0, random_state=3).assign(
        weight=lambda t: t["weight"] * 1e4, village=lambda t: "v" + (t["village"] % 10).astype(str),
        region=lambda t: t["region"].map(lambda r: f"region {r}"))
    again = sk.cfa(text, other, design=FULL, missing=missing, group="sex")
    order = [again.table.groups.index(label) for label in fit.table.groups]
    own, theirs = fit.estimates, again.estimates
    pieces = [theirs[theirs["group"] == again.table.groups[g]] for g in order]
    theirs = pd.concat(pieces, ignore_index=True)
    for column in ("est", "se", "deff"):
        np.testing.assert_allclose(own[column], theirs[column], rtol=1e-5, atol=1e-7)
    for name in ("chisq.scaled", "cfi.robust", "srmr"):
        assert fit.fit_measures[name] == pytest.approx(again.fit_measures[name], rel=1e-5)
    assert "sample.cluster-in-strata" in [note.code for note in again.notes]


DESIGNS = {
    "weights": sk.Design(weights="weight"), "full": FULL, "cluster": sk.Design(cluster="village"),
    "replicates": sk.Design(weights="weight", replicates=sk.Replicates(tuple(f"JK1{k + 1}" for k in range(24)), "JK1")),
}


@pytest.mark.parametrize("name", [*DESIGNS, "raked"])
@pytest.mark.parametrize("estimator", list(ESTIMATORS))
def test_every_estimator_is_a_fit_or_a_refusal(estimator: str, name: str) -> None:
    design = DESIGNS[name] if name in DESIGNS else FULL.rake(DATA, {"sex": SEX, "age": AGE})
    fits = 0
    for missing, group, test in product(("listwise", "fiml", "two.stage"), (None, "urban", "sex"), (None, *SCALED)):
        options = {"estimator": estimator, "missing": missing, "group": group, "test": test, "design": design}
        try:
            fit = sk.cfa(GAPS, DATA, **options)
            measures = fit.fit_measures
        except NotSupportedError as error:
            assert all(problem.what and problem.remedy for problem in error.problems)
            continue
        fits += 1
        assert fit.converged and np.isfinite(fit.estimates["se"]).all(), options
        assert np.isfinite(measures["chisq.scaled"]) and measures["cfi.robust" if "cfi.robust" in measures else "cfi"]
    assert (fits > 0) == (estimator in ("ml", "mlr", "mlm", "mlmv", "mlmvs"))
    if estimator in ("ml", "mlr"):
        assert fits >= 2 * 3 * 2  # every group and both ways with gaps, at least with the usual test


@pytest.mark.parametrize("options", [
    {"estimator": "gls"}, {"test": "browne.residual.adf"}, {"likelihood": "wishart"}, {"se": "standard"},
    {"information": "first.order"}, {"conditional_x": True}, {"auxiliary": ["x"], "missing": "fiml"},
    {"missing": "two.stage"},
])
def test_what_has_no_form_under_a_design(options: dict[str, object]) -> None:
    with pytest.raises(NotSupportedError) as caught:
        sk.cfa(CFA, DATA, design=FULL, **options)
    assert caught.value.code == "fitting.not-with-design"


def test_moments_and_repeated_adjustment_are_refused() -> None:
    with pytest.raises(OptionError):
        sk.cfa(CFA, moments=sk.Moments(np.eye(6), nobs=50, names=tuple(f"y{k}" for k in range(1, 7))), design=FULL)
    jackknife = sk.Design(weights="weight", replicates=sk.Replicates(tuple(f"JK1{k + 1}" for k in range(24)), "JK1"))
    with pytest.raises(NotSupportedError):
        sk.cfa(CFA, DATA, design=jackknife, bootstrap=20)
    with pytest.raises(SampleError):
        sk.cfa(CFA, DATA.assign(village=1), design=sk.Design(cluster="village"))


def test_clusters_are_resampled_by_the_bootstrap() -> None:
    design = sk.Design(weights="weight", strata="region", cluster="village")
    fit = sk.cfa(CFA, DATA, design=design, bootstrap=300, seed=3)
    assert fit.provenance["draws_kind"] == "cluster"
    plain = sk.cfa(CFA, DATA, design=design)
    assert fit.draws is not None
    ratio = fit.draws.std(axis=0, ddof=1) / np.sqrt(np.diagonal(plain.vcov))
    assert np.all((ratio > 0.8) & (ratio < 1.6)), ratio
    with pytest.raises(NotSupportedError):
        plain.bootstrap(20, kind="ordinary")
