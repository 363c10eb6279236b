"""Ordinal and mixed indicators under a sampling design: exact identities and a jackknife of the whole procedure."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm

import semkit as sk
from semkit.errors import NotSupportedError, OptionError, SampleError
from tests.golden.test_survey_ordinal import BOTH, CFA, DATA, DESIGNS, WEIGHTS

COUNTS = np.random.default_rng(4).integers(1, 4, len(DATA))
ITEMS = [f"{letter}{k}" for letter in "ogym" for k in range(1, 7)]
FRAME = DATA[[*ITEMS, "region", "village", "weight", "urban", "sex", "age"]].assign(
    k=COUNTS, equal=2.5, id=np.arange(len(DATA)), third=np.arange(len(DATA)) % 3)
GAPS = CFA.replace("growth", "rise").replace("o", "g")
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "ordinal": (CFA, {"ordered": True}),
    "theta": (CFA, {"ordered": True, "parameterization": "theta"}),
    "pairwise": (GAPS, {"ordered": True, "missing": "pairwise"}),
    "mixed": ("trust =~ o1 + o2 + y3\ngrowth =~ y4 + o5 + o6", {"ordered": ["o1", "o2", "o5", "o6"]}),
    "covariates": ("trust =~ o1 + o2 + y3\ngrowth =~ y4 + o5 + o6\ngrowth + trust ~ age",
                   {"ordered": ["o1", "o2", "o5", "o6"]}),
    "groups": (CFA, {"ordered": True, "group": "urban", "group_equal": ["thresholds", "loadings"]}),
    "mixed gaps": ("trust =~ g1 + g2 + m3\nrise =~ m4 + g5 + g6", {"ordered": ["g1", "g2", "g5", "g6"],
                                                                      "missing": "pairwise"}),
}


def fit_of(kind: str, frame: pd.DataFrame, **options: Any) -> sk.Fit:
    model, own = KINDS[kind]
    return sk.sem(model, frame, **own, **options)


def agree(one: sk.Fit, two: sk.Fit, rtol: float = 1e-10) -> None:
    """Estimates, covariance matrix and all fit measures."""
    np.testing.assert_allclose(one.est, two.est, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(one.vcov, two.vcov, rtol=100 * rtol, atol=rtol)
    np.testing.assert_allclose(one.fit_measures, two.fit_measures[one.fit_measures.index], rtol=100 * rtol, atol=rtol)


@pytest.mark.parametrize(("kind", "estimator"), [*((kind, "wlsmv") for kind in KINDS), ("ordinal", "wls"),
                                                 ("mixed", "ulsmv"), ("groups", "wlsmvs"), ("ordinal", "dwls")])
def test_equal_weights_are_no_weights(kind: str, estimator: str) -> None:
    plain = fit_of(kind, FRAME, estimator=estimator)
    weighted = fit_of(kind, FRAME, estimator=estimator, design=sk.Design(weights="equal"))
    agree(weighted, plain)
    np.testing.assert_allclose(weighted.estimates["deff"].dropna(), 1.0, rtol=1e-9)
    for type in ("raw", "normalized", "standardized"):
        np.testing.assert_allclose(weighted.residuals(type), plain.residuals(type), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(weighted.modification_indices()["mi"], plain.modification_indices()["mi"], rtol=1e-6,
                               atol=1e-8)
    np.testing.assert_allclose(weighted.r2, plain.r2, rtol=1e-9)
    np.testing.assert_allclose(weighted.standardized()["se"], plain.standardized()["se"], rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(weighted.predict(), plain.predict(), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("kind", list(KINDS))
def test_everyone_a_cluster_of_their_own_is_no_cluster(kind: str) -> None:
    """Least squares divide by N - 1, so that the factor C / (C - 1) is in them already."""
    agree(fit_of(kind, FRAME, design=sk.Design(cluster="id")), fit_of(kind, FRAME), 1e-9)


@pytest.mark.parametrize("kind", list(KINDS))
def test_weights_repeat_respondents(kind: str) -> None:
    """First-stage estimates are those of copies; everything is, when copies are one cluster."""
    weighted = fit_of(kind, FRAME, design=sk.Design(weights="k"))
    again = FRAME.loc[FRAME.index.repeat(COUNTS)]
    for one, two in zip(weighted.solution.statistics, fit_of(kind, again).solution.statistics, strict=True):
        np.testing.assert_allclose(one.vector, two.vector, rtol=1e-8, atol=1e-9)
    if kind == "groups":  # weights alone bring the factor of the sum of weights (as in lavaan), clusters their number's
        return
    agree_but_size(weighted, fit_of(kind, again, design=sk.Design(cluster="id")))


def agree_but_size(one: sk.Fit, two: sk.Fit) -> None:
    """What does not depend on the number of respondents; fits with constraints stop at 1e-7."""
    np.testing.assert_allclose(one.est, two.est, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(one.vcov, two.vcov, rtol=1e-5, atol=1e-9)
    for name in ("chisq", "chisq.scaled", "pvalue.scaled", *(["srmr"] if one.table.n_groups == 1 else [])):
        assert one.fit_measures[name] == pytest.approx(two.fit_measures[name], rel=1e-6), name


@pytest.mark.parametrize(("kind", "cluster"), [("ordinal", "village"), ("mixed", "village"), ("groups", "village"),
                                               ("pairwise", "third")])
def test_copies_within_clusters_tell_nothing_new(kind: str, cluster: str) -> None:
    design = sk.Design(weights="weight", cluster=cluster)
    agree_but_size(fit_of(kind, pd.concat([FRAME, FRAME], ignore_index=True), design=design),
                   fit_of(kind, FRAME, design=design))


def test_weighted_correlations_maximise_the_weighted_likelihood() -> None:
    """A polyserial correlation given a covariate, by plain search (lavaan 0.6-14 stops short of it under weights)."""
    fit = fit_of("covariates", FRAME, design=WEIGHTS)
    part, x, w = fit.solution.statistics[0], FRAME["age"].to_numpy(), FRAME["weight"].to_numpy()
    z = (FRAME["y3"].to_numpy() - part.levels[2][0] - part.slopes[2, 0] * x) / np.sqrt(part.variance[2])
    limits = np.concatenate([[-np.inf], part.levels[0], [np.inf]])
    answer, shift = FRAME["o1"].to_numpy().astype(int), part.slopes[0, 0] * x

    def loss(rho: float) -> float:
        s = np.sqrt(1.0 - rho**2)
        p = norm.cdf((limits[answer + 1] - shift - rho * z) / s) - norm.cdf((limits[answer] - shift - rho * z) / s)
        return float(-w @ np.log(p))

    best = minimize_scalar(loss, bounds=(-0.9, 0.9), method="bounded", options={"xatol": 1e-9}).x
    assert part.cov[2, 0] / np.sqrt(part.variance[2]) == pytest.approx(best, abs=1e-6)


def clustered(clusters: int, kind: str) -> pd.DataFrame:
    """Two factors with differences between clusters, unequal sizes and weights, two strata."""
    rng = np.random.default_rng(11)
    size = rng.integers(8, 16, clusters)
    unit = np.repeat(np.arange(clusters), size)
    between = rng.normal(size=(clusters, 2)) * 0.5
    factor = between[unit] + rng.normal(size=(len(unit), 2)) @ np.array([[1.0, 0.4], [0.0, 0.9]])
    items = np.repeat(factor, 3, axis=1) * 0.8 + 0.6 * rng.normal(size=(len(unit), 6))
    codes = np.apply_along_axis(np.digitize, 0, items, [-0.7, 0.3, 1.1]).astype(float)
    names = [f"o{k}" for k in range(1, 7)]
    frame = pd.DataFrame(codes, columns=names).assign(
        y3=items[:, 2], y4=items[:, 3], age=factor[:, 0] + rng.normal(size=len(unit)), village=unit,
        region=unit % 2, urban=(unit // 2) % 2, sex=rng.integers(0, 2, len(unit)),
        weight=rng.uniform(0.5, 2.0, len(unit)))
    if "gaps" in kind:
        frame[names] = frame[names].mask(rng.random((len(frame), 6)) < 0.1)
    return frame.sort_values("sex", kind="stable", ignore_index=True)  # groups come in the order of the rows


@pytest.mark.parametrize("kind", ["ordinal", "gaps", "mixed", "covariates", "sex"])
def test_errors_are_those_of_leaving_out_clusters(kind: str) -> None:
    """The whole estimation without one cluster at a time, within strata (JKn; Wolter 2007, ch. 4)."""
    frame = clustered({"sex": 100, "covariates": 40}.get(kind, 60), kind)
    model, options = KINDS["ordinal" if kind in ("gaps", "sex") else kind]
    options = options | ({"missing": "pairwise"} if kind == "gaps" else {})
    options |= {"group": "sex", "group_equal": ["thresholds", "loadings"]} if kind == "sex" else {}
    fit = sk.sem(model, frame, design=BOTH, **options)
    counts = frame.groupby("region")["village"].nunique()
    total = np.zeros_like(fit.vcov)
    for region, count in counts.items():
        left = []
        for village in frame.loc[frame["region"] == region, "village"].unique():
            w = frame["weight"] * np.where(frame["region"] == region, count / (count - 1.0), 1.0)
            part = frame.assign(weight=w)[frame["village"] != village]
            left.append(sk.sem(model, part, design=WEIGHTS, **options).est)
        away = np.array(left) - np.mean(left, axis=0)
        total += (count - 1.0) / count * away.T @ away
    ratio = np.sqrt(np.diagonal(fit.vcov) / np.diagonal(total))
    assert np.all((ratio > 0.8) & (ratio < 1.15)) and abs(np.median(ratio) - 1.0) < 0.05, ratio


@pytest.mark.parametrize("kind", ["ordinal", "mixed", "covariates", "groups"])
def test_replicates_that_leave_out_clusters_are_near_the_clusters(kind: str) -> None:
    frame = clustered(25 if kind == "covariates" else 50, kind)
    units, w = frame["village"].unique(), frame["weight"].to_numpy()
    names = tuple(f"left{k}" for k in range(len(units)))
    columns = {name: np.where(frame["village"] == unit, 0.0, w * len(units) / (len(units) - 1))
               for name, unit in zip(names, units, strict=True)}
    wide = pd.concat([frame, pd.DataFrame(columns)], axis=1)
    group = {"group": "sex"} if kind == "groups" else {}
    model, options = KINDS["ordinal" if kind == "groups" else kind]
    one = sk.sem(model, wide, design=sk.Design(weights="weight", replicates=sk.Replicates(names, "JK1")),
                 **options, **group)
    two = sk.sem(model, wide, design=sk.Design(weights="weight", cluster="village"), **options, **group)
    for part, other in zip(one.solution.statistics, two.solution.statistics, strict=True):
        np.testing.assert_allclose(part.vector, other.vector, rtol=1e-10)
    ratio = np.sqrt(np.diagonal(one.vcov) / np.diagonal(two.vcov))
    assert np.all((ratio > 0.8) & (ratio < 1.25)) and abs(np.median(ratio) - 1.0) < 0.05, ratio
    assert one.fit_measures["chisq.scaled"] == pytest.approx(two.fit_measures["chisq.scaled"], rel=0.25, abs=1.0)
    # each replicate's moments are those of a fit under its weights
    from semkit.estimate.replication import replicate_moments

    part, data = one.solution.statistics[0], one.solution.sample
    assert data is not None and data.sampling is not None
    if kind == "ordinal":
        values = replicate_moments(data.groups[0].data, part.categories, None, data.sampling.replicates[:3], 0).vectors
        for k in range(3):
            again = sk.sem(model, wide.assign(weight=wide[names[k]]), design=WEIGHTS, **options)
            np.testing.assert_allclose(values[k], again.solution.statistics[0].vector, atol=1e-7)


def test_groups_that_share_clusters_vary_together() -> None:
    """Two copies of the sample as two groups of the same clusters: what is equal in both is as one group's.

    Moments of the groups are then the same in every sample, which errors would not know of groups taken as independent.
    """
    frame = clustered(60, "ordinal")
    both = pd.concat([frame.assign(copy=1), frame.assign(copy=2)], ignore_index=True)
    one = sk.cfa(CFA, frame, ordered=True, design=BOTH, parameterization="theta")
    equal = ["thresholds", "loadings", "intercepts", "residuals", "means", "lv.variances", "lv.covariances"]
    text = CFA + "\ntrust ~ c(0, 0)*1\ngrowth ~ c(0, 0)*1"
    two = sk.cfa(text, both, ordered=True, design=BOTH, parameterization="theta", group="copy", group_equal=equal)
    spread = two.solution.statistics[0].spread
    assert spread is not None and spread.joint
    at = [two.names.index(name) for name in one.names]
    np.testing.assert_allclose(two.est[at], one.est, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(two.vcov[np.ix_(at, at)], one.vcov, rtol=1e-4, atol=1e-8)
    apart = sk.cfa(text, both.assign(village=both["village"] + 1000 * both["copy"]), ordered=True, design=BOTH,
                   parameterization="theta", group="copy", group_equal=equal)
    np.testing.assert_allclose(np.diagonal(apart.vcov)[at] / np.diagonal(one.vcov), 0.5, rtol=0.05)
    # the likelihood ratio behind the robust indices is twice that of one group, and so is its mean
    np.testing.assert_allclose(two.residuals("standardized").to_numpy(), one.residuals("standardized").to_numpy(),
                               rtol=1e-3, atol=1e-4)


def test_the_test_of_a_difference_knows_the_design() -> None:
    """One restriction: the difference test is near the Wald test, in groups that share clusters, too."""
    frame = clustered(80, "ordinal")
    text = "trust =~ o1 + {}*o2 + {}*o3\ngrowth =~ o4 + o5 + o6"
    for options in ({}, {"group": "sex", "group_equal": "loadings"}):
        free = sk.cfa(text.format("a", "b"), frame, ordered=True, design=BOTH, **options)
        equal = sk.cfa(text.format("a", "a"), frame, ordered=True, design=BOTH, **options)
        row = sk.compare(free, equal).frame.iloc[1]
        assert row["df_diff"] == 1
        assert row["chisq_diff"] == pytest.approx(free.wald("a == b").stat, rel=0.2)
        other = sk.cfa(text.format("a", "a"), frame, ordered=True, design=WEIGHTS, **options)
        with pytest.raises(OptionError, match="sampling designs differ"):
            sk.compare(free, other)


def test_a_ladder_of_invariance_keeps_the_design() -> None:
    found = sk.invariance(CFA, clustered(60, "ordinal"), group="sex", ordered=True, design=BOTH)
    assert list(found.fits) == ["configural", "thresholds", "metric", "scalar", "strict"]
    for fit in found.fits.values():
        assert fit.converged and fit.solution.statistics[0].spread is not None and "deff" in fit.estimates
    own = sk.cfa(CFA, clustered(60, "ordinal"), group="sex", ordered=True, design=BOTH, parameterization="theta",
                 group_equal=["thresholds", "loadings"])
    np.testing.assert_allclose(own.vcov, found.fits["metric"].vcov, rtol=1e-4, atol=1e-8)


def test_order_scale_and_names_say_nothing() -> None:
    fit = sk.cfa(CFA, DATA, design=DESIGNS["fpc"], ordered=True)
    other = DATA.sample(frac=1.0, random_state=3).assign(
        weight=lambda t: t["weight"] * 1e4, village=lambda t: "v" + (t["village"] % 10).astype(str),
        region=lambda t: t["region"].map(lambda r: f"region {r}"))
    agree(sk.cfa(CFA, other, design=DESIGNS["fpc"], ordered=True), fit, 1e-8)


def test_a_part_of_the_population_has_weight_zero_elsewhere() -> None:
    part = DATA.assign(weight=DATA["weight"].where(DATA["sex"] == 1, 0.0))
    fit = sk.cfa(CFA, part, design=BOTH, ordered=True)
    alone = sk.cfa(CFA, DATA[DATA["sex"] == 1], design=WEIGHTS, ordered=True, estimator="ulsmv")
    assert fit.nobs == int((DATA["sex"] == 1).sum())
    np.testing.assert_allclose(fit.solution.statistics[0].vector, alone.solution.statistics[0].vector, rtol=1e-9)


def test_a_fit_says_what_it_rests_on() -> None:
    fit = sk.cfa(CFA, DATA, design=BOTH, ordered=True)
    notes = {note.code: str(note) for note in fit.notes}
    assert "24 clusters in 12 strata" in notes["fitting.design"] and "fitting.few-units" in notes
    assert fit.method == "WLSMV (sampling design)"
    table = fit.estimates.dropna(subset="deff")
    assert len(table) == len(fit.names)
    np.testing.assert_allclose(table["n_eff"], fit.nobs / table["deff"])


@pytest.mark.parametrize(("options", "code"), [
    ({"estimator": "wls"}, "sample.singular-gamma"),
    ({"se": "standard"}, "fitting.not-with-design"),
    ({"missing": "fiml"}, "fitting.not-with-ordinal"),
    ({"auxiliary": ["age"]}, "fitting.not-with-ordinal"),
    ({"design": sk.Design(strata="o1")}, "sample.no-design-variance"),
])
def test_what_has_no_form_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises((NotSupportedError, SampleError)) as caught:
        sk.cfa(CFA, DATA, **{"ordered": True, "design": BOTH, **options})
    assert caught.value.code == code
    assert all(problem.what and problem.remedy for problem in caught.value.problems)


def test_what_does_not_follow_a_fit_under_a_design(tmp_path: Any) -> None:
    fit = sk.cfa(CFA, DATA, ordered=True, design=BOTH)
    for call in (lambda: fit.bootstrap(10), lambda: fit.bootstrap(10, kind="cluster", statistics=("srmr",)),
                 lambda: fit.to_lavaan(tmp_path / "a.R"), lambda: fit.to_mplus(tmp_path / "a"), fit.score_test,
                 fit.crosscheck, fit.residual_summary):
        with pytest.raises(NotSupportedError):
            call()
    clusters = sk.cfa(CFA, DATA, ordered=True, design=sk.Design(weights="weight", cluster="village"))
    with pytest.raises(NotSupportedError, match="clusters of ordinal indicators"):
        clusters.to_lavaan(tmp_path / "b.R")
    script, _ = sk.cfa(CFA, DATA, ordered=True, design=WEIGHTS).to_lavaan(tmp_path / "c.R")
    assert 'sampling.weights = "weight"' in script.read_text(encoding="utf-8")


def test_a_replicate_without_a_category_is_named() -> None:
    rare = DATA.assign(o1=np.where(DATA["village"] == 10, 9.0, DATA["o1"]))
    names = tuple(f"JK1{k + 1}" for k in range(24))
    with pytest.raises(SampleError) as caught:
        sk.cfa(CFA, rare, ordered=True, design=sk.Design(weights="weight", replicates=sk.Replicates(names, "JK1")))
    assert caught.value.code == "fitting.replicates-failed"


@pytest.mark.parametrize("name", [*DESIGNS, "replicates"])
@pytest.mark.parametrize("estimator", ["wlsmv", "wlsm", "wlsmvs", "dwls", "ulsmv", "uls", "wls"])
def test_every_estimator_under_every_design(estimator: str, name: str) -> None:
    names = tuple(f"JK1{k + 1}" for k in range(24))
    design = DESIGNS.get(name, sk.Design(weights="weight", replicates=sk.Replicates(names, "JK1")))
    fits = 0
    for group, missing in product((None, "urban", "sex"), ("listwise", "pairwise")):
        try:
            fit = sk.cfa(GAPS, DATA, ordered=True, design=design, group=group, missing=missing, estimator=estimator)
        except (NotSupportedError, SampleError) as error:
            assert estimator == "wls" and error.code in ("sample.singular-gamma", "fitting.not-with-design")
            continue
        fits += 1
        assert fit.converged and np.isfinite(fit.estimates["se"]).all()
        assert np.isfinite(fit.fit_measures[["chisq", "cfi", "rmsea", "srmr"]]).all()
        assert estimator in ("dwls", "uls", "wls") or np.isfinite(fit.fit_measures["chisq.scaled"])
    assert fits == 6 or estimator == "wls"


def test_polychoric_correlations_with_equal_weights_are_those_without() -> None:
    for missing, columns in (("listwise", "o"), ("pairwise", "g")):
        names = [f"{columns}{k}" for k in range(1, 7)]
        plain = sk.polychoric(FRAME, names, missing=missing)
        equal = sk.polychoric(FRAME, names, missing=missing, design=sk.Design(weights="equal"))
        np.testing.assert_allclose(equal.correlations, plain.correlations, rtol=1e-12)
        np.testing.assert_allclose(equal.errors, plain.errors, rtol=1e-10)
    assert "fitting.design" in [note.code for note in equal.notes]


def test_a_whole_population_has_no_error() -> None:
    """All units of all strata are in the sample: nothing varies, and there is nothing to test by weights or p."""
    frame = DATA[[f"o{k}" for k in range(1, 7)] + ["region", "village", "weight"]].assign(
        whole=DATA.groupby("region")["village"].transform("nunique"))
    census = sk.Design(weights="weight", strata="region", cluster="village", fpc="whole")
    fit = sk.cfa(CFA, frame, ordered=True, design=census, estimator="ulsmv")
    assert fit.converged and np.all(fit.estimates["se"] == 0.0) and np.isnan(fit.fit_measures["pvalue.scaled"])
    with pytest.raises(SampleError, match="cannot vary under the design"):
        sk.cfa(CFA, frame, ordered=True, design=census)


@pytest.mark.parametrize("options", [{}, {"group": "sex", "group_equal": ["thresholds", "loadings"]}])
def test_draws_of_clusters_have_the_errors_of_the_design(options: dict[str, Any]) -> None:
    frame = clustered(80, "ordinal")
    plain = sk.cfa(CFA, frame, ordered=True, design=BOTH, **options)
    drawn = sk.cfa(CFA, frame, ordered=True, design=BOTH, bootstrap=120, seed=3, **options)
    assert drawn.provenance["draws_kind"] == "cluster" and drawn.draws is not None and len(drawn.draws) > 100
    ratio = drawn.draws.std(axis=0, ddof=1) / np.sqrt(np.diagonal(plain.vcov))
    assert np.all((ratio > 0.7) & (ratio < 1.5)) and abs(np.median(ratio) - 1.0) < 0.1, ratio
    names = tuple(f"JK1{k + 1}" for k in range(24))
    replicated = sk.cfa(CFA, DATA, ordered=True, design=sk.Design(weights="weight",
                                                                  replicates=sk.Replicates(names, "JK1")))
    with pytest.raises(NotSupportedError, match="adjusted anew"):
        replicated.bootstrap(10, kind="cluster")
