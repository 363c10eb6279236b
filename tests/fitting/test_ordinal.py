"""Fits to ordinal and mixed indicators: identities between parameterisations, groups, gaps; what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semkit as sk
from semkit.errors import NotSupportedError, OptionError
from semkit.fitting.ordinalscores import posteriors

REFERENCE = Path(__file__).parents[1] / "reference"
MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
DATA = pd.read_csv(REFERENCE / "data/HS_ordinal5.csv")


def simulated(n: int, seed: int) -> pd.DataFrame:
    """Two correlated factors: binary, three- and four-category and continuous indicators, and two covariates."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.integers(0, 2, n)])
    f = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], n) + 0.4 * x[:, :1] - 0.3 * x[:, 1:]
    y = np.repeat(f, 4, axis=1) * 0.7 + 0.7 * rng.normal(size=(n, 8))
    cuts = [[0.2], [-0.5, 0.6], [-1.0, 0.0, 0.9], None, [-0.3], [-0.6, 0.5], [-0.9, 0.1, 1.0], None]
    columns = {f"y{j + 1}": y[:, j] if c is None else np.digitize(y[:, j], c) for j, c in enumerate(cuts)}
    return pd.DataFrame({**columns, "w": x[:, 0], "z": x[:, 1]})


ORDINAL = ["y1", "y2", "y3", "y5", "y6", "y7"]
TWO = "f =~ y2 + y1 + y3 + y4\nh =~ y6 + y5 + y7 + y8"


@pytest.mark.parametrize("text", [TWO, TWO + "\nf + h ~ w + z", TWO + "\nh ~ f + w\nf ~ w"])
def test_delta_and_theta_are_the_same_model(text: str) -> None:
    """Same statistic, tests, indices and standardised solution with its errors."""
    data = simulated(400, 3)
    one, two = (sk.sem(text, data, ordered=ORDINAL, parameterization=p) for p in ("delta", "theta"))
    assert one.converged and two.converged
    np.testing.assert_allclose(one.fit_measures, two.fit_measures, rtol=1e-6, atol=1e-9, equal_nan=True)
    left, right = one.standardized(), two.standardized()
    np.testing.assert_allclose(left["est_std"], right["est_std"], atol=1e-6)
    np.testing.assert_allclose(left["se"], right["se"], atol=1e-6)
    assert np.abs(one.estimates["est"] - two.estimates["est"]).max() > 0.1


def test_ordinal_mediators_have_the_variance_of_their_scale() -> None:
    """An ordinal outcome that predicts another: both parameterisations again, so what follows is solved rightly."""
    data = simulated(500, 8)
    text = "y3 ~ w + z\ny2 ~ y3 + w\ny1 ~ y2 + y3"
    one, two = (sk.sem(text, data, ordered=["y1", "y2", "y3"], parameterization=p) for p in ("delta", "theta"))
    np.testing.assert_allclose(one.fit_measures["chisq"], two.fit_measures["chisq"], rtol=1e-6)
    np.testing.assert_allclose(one.standardized()["est_std"], two.standardized()["est_std"], atol=1e-6)
    np.testing.assert_allclose(one.standardized()["se"], two.standardized()["se"], atol=1e-6)


def test_two_binary_items_give_back_the_tetrachoric_correlation() -> None:
    """The saturated model ``a ~~ b``: its estimate is the correlation, its error that of the correlation."""
    counts = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [40, 10, 10, 40], axis=0)
    frame = pd.DataFrame(counts, columns=["a", "b"])
    fit, found = sk.sem("a ~~ b", frame, ordered=True), sk.polychoric(frame)
    row = fit.estimates.set_index(["lhs", "op", "rhs"]).loc[("a", "~~", "b")]
    assert row["est"] == pytest.approx(np.sin(2 * np.pi * 0.15), abs=1e-9)
    assert row["se"] == pytest.approx(found.errors.loc["a", "b"] * np.sqrt(100 / 99), rel=1e-8)
    assert fit.fit_measures["df"] == 0


def test_two_copies_of_one_group_have_the_indices_of_the_group() -> None:
    """What the excused keys of the two-group reference are about."""
    both = pd.concat([DATA.assign(g=1), DATA.assign(g=2)], ignore_index=True)
    one, two = sk.cfa(MODEL, DATA, ordered=True), sk.cfa(MODEL, both, ordered=True, group="g")
    for name in ("cfi", "cfi.robust", "tli.robust", "rni.robust", "srmr", "gfi_lisrel"):
        assert two.fit_measures[name] == pytest.approx(one.fit_measures[name], rel=1e-3), name
    assert two.fit_measures["chisq.scaling.factor"] == pytest.approx(one.fit_measures["chisq.scaling.factor"], rel=1e-3)


def test_the_peers_baseline_in_two_groups_is_reproduced() -> None:
    """Dividing by the groups' shares without weighting by them gives the excused numbers."""
    from semkit.fitting.ordinalmeasures import _population, _scaled_sigmas, baseline

    case = json.loads((REFERENCE / "numbers/lavaan/hs_ord_wlsmv_mg_configural.json").read_text(encoding="utf-8"))
    fit = sk.cfa(MODEL, DATA, ordered=True, group="school")
    s: Any = fit.solution
    own = _population(s, _scaled_sigmas(s), s.pieces, s.df)
    _, df, pieces = baseline(s)
    base = _population(s, [np.eye(9)] * 2, pieces, df)
    mean = sum(np.sum(np.diagonal(part.gamma)[36:]) / (part.nobs / 301) for part in s.statistics)
    index = 1.0 - (own.stat - own.factor * s.df) / (base.stat - mean)
    assert index == pytest.approx(case["fit_measures"]["cfi.robust"], rel=1e-6)


@pytest.mark.parametrize("name", ["wlsmv", "wlsm", "wlsmvs", "dwls", "ulsmv", "ulsm", "uls", "wls"])
def test_every_estimator_has_its_errors_and_test(name: str) -> None:
    fit = sk.cfa(TWO, simulated(600, 4), ordered=ORDINAL, estimator=name)
    assert fit.converged and fit.method == name.upper()
    tests = {"wlsmv": "scaled.shifted", "ulsmv": "scaled.shifted", "wlsm": "satorra.bentler", "ulsm": "satorra.bentler",
             "wlsmvs": "mean.var.adjusted"}
    assert set(fit.tests) == {"standard", *([tests[name]] if name in tests else [])}
    assert np.isnan(fit.tests["standard"].pvalue) == (name != "wls")
    assert ("chisq.scaled" in fit.fit_measures.index) == (name in tests)
    assert ("cfi.robust" in fit.fit_measures.index) == (name in tests and name != "wlsmvs")
    assert fit.estimates["se"].notna().all()


def test_equal_thresholds_loadings_and_intercepts_in_copies_change_nothing() -> None:
    both = pd.concat([DATA.assign(g=1), DATA.assign(g=2)], ignore_index=True)
    free = sk.cfa(MODEL, both, ordered=True, group="g")
    for equal in (["thresholds"], ["thresholds", "loadings"], ["thresholds", "loadings", "intercepts"]):
        held = sk.cfa(MODEL, both, ordered=True, group="g", group_equal=equal)
        assert held.converged and held.admissible
        assert held.fit_measures["chisq"] == pytest.approx(free.fit_measures["chisq"], rel=1e-7)
        assert held.fit_measures["df"] > free.fit_measures["df"] or equal == ["thresholds"]
    # five categories: three thresholds a variable are left after intercept and scale
    only = sk.cfa(MODEL, both, ordered=True, group="g", group_equal=["thresholds"])
    assert only.fit_measures["df"] - free.fit_measures["df"] == 9 * 2


def test_the_ladder_of_invariance_finds_the_planted_difference() -> None:
    """``ordinal_groups``: u2 is easier by 0.4 in the second group, nothing else differs but means and spread."""
    data = pd.read_csv(Path(__file__).parents[1] / "golden/data/ordinal_groups.csv")
    model = "f =~ u1 + u2 + u3\nh =~ u4 + u5 + u6"
    ladder = sk.invariance(model, data, group="g", ordered=True, parameterization="delta")
    assert ladder.frame["step"].tolist() == ["configural", "thresholds", "metric", "scalar"]
    assert ladder.frame["df"].tolist() == [16, 22, 26, 30]
    assert ladder.frame["by_test"].tolist() == ["", "holds", "holds", "fails"]
    partial = sk.invariance(model, data, group="g", ordered=True, parameterization="delta",
                            partial=["u2|t1", "u2|t2", "u2|t3"])
    assert partial.frame["by_test"].tolist() == ["", "holds", "holds", "holds"]
    assert partial.frame["df"].tolist() == [16, 21, 24, 27]
    assert all(fit.admissible for fit in partial.fits.values())
    by_hand = sk.cfa(model, data, ordered=True, group="g", group_equal=["thresholds", "loadings", "intercepts"])
    assert ladder.fits["scalar"].fit_measures["chisq"] == pytest.approx(by_hand.fit_measures["chisq"], rel=1e-8)
    theta = sk.invariance(model, data, group="g", ordered=True)
    assert theta.frame["step"].iloc[-1] == "strict"
    np.testing.assert_allclose(theta.frame["chisq"].iloc[:4], ladder.frame["chisq"], rtol=1e-5)


def test_gaps_pair_by_pair_and_listwise() -> None:
    data = DATA.copy()
    data.loc[:29, "x3"] = np.nan
    pairwise = sk.cfa(MODEL, data, ordered=True, missing="pairwise")
    listwise = sk.cfa(MODEL, data, ordered=True)
    assert (pairwise.nobs, listwise.nobs) == (301, 271)
    assert "sample.pairwise" in [note.code for note in pairwise.notes]
    full = sk.cfa(MODEL, DATA, ordered=True, missing="pairwise")
    plain = sk.cfa(MODEL, DATA, ordered=True)
    np.testing.assert_allclose(full.estimates["se"], plain.estimates["se"], atol=1e-12)


@pytest.mark.reference
def test_scores_are_posterior_modes_as_lavaans() -> None:
    """lavaan stops at 1e-4; ours have a gradient of zero."""
    case = json.loads((REFERENCE / "numbers/lavaan/hs_ord_wlsmv.json").read_text(encoding="utf-8"))
    fit = sk.cfa(MODEL, DATA, ordered=True)
    scores = fit.predict("ebm").to_numpy()
    np.testing.assert_allclose(scores, np.array(case["scores"]["values"]), atol=1e-3)
    assert np.abs(posteriors(fit.solution)[0].value(scores)[1]).max() < 1e-8  # type: ignore[arg-type]
    assert (fit.predict(what="se").to_numpy() < np.sqrt(np.diagonal(fit.cov_lv.to_numpy()))).all()


def test_scores_with_gaps_and_covariates() -> None:
    data = simulated(300, 5)
    data.loc[:9, ["y1", "y2"]] = np.nan
    fit = sk.sem(TWO + "\nf + h ~ w + z", data, ordered=ORDINAL, missing="pairwise")
    scores = fit.predict()
    assert scores.notna().all().all() and len(scores) == 300
    prior = -0.3 * data["z"] + 0.4 * data["w"]
    assert np.corrcoef(scores["f"], prior)[0, 1] > 0.3


@pytest.mark.reference
def test_modification_indices_are_lavaans_but_for_its_mixed_divisors() -> None:
    """The peer's gradient has the factor (N - 1) / N, its information has not: all rows differ by that factor."""
    case = json.loads((REFERENCE / "numbers/lavaan/hs_ord_wlsmv.json").read_text(encoding="utf-8"))
    table = sk.cfa(MODEL, DATA, ordered=True).modification_indices().set_index(["lhs", "op", "rhs"])
    for row in case["modindices_top20"]:
        ours = table.loc[(row["lhs"], row["op"], row["rhs"])]
        for key in ("mi", "epc", "sepc.lv", "sepc.all", "sepc.nox"):
            assert ours[key.replace(".", "_")] * 300 / 301 == pytest.approx(row[key], rel=2e-6), (row, key)
    assert table["pvalue"].isna().all()


def test_residuals_of_correlations() -> None:
    fit = sk.cfa(MODEL, DATA, ordered=True, parameterization="theta")
    raw = fit.residuals()
    observed, implied = fit.sample_moments["cov"], fit.implied["cov"]
    np.testing.assert_allclose(raw, observed - implied, atol=1e-12)
    assert np.sqrt(np.mean(raw.to_numpy()[np.tril_indices(9)] ** 2)) == pytest.approx(fit.fit_measures["srmr"])
    lower = np.tril_indices(9, -1)
    over = fit.residuals("standardized").to_numpy()[lower] / fit.residuals("normalized").to_numpy()[lower]
    assert (over > 1.0).mean() > 0.9  # residuals vary less than the correlations
    # residuals(type = "standardized") of lavaan 0.6-14: x4 with x1, of x7 with x2, of x9 with x3
    found = sk.cfa(MODEL, DATA, ordered=True).residuals("standardized")
    for (a, b), wanted in {("x4", "x1"): 2.39296585, ("x7", "x2"): -2.97367307, ("x9", "x3"): 3.34223063}.items():
        assert found.loc[a, b] == pytest.approx(wanted, rel=1e-4)


def test_residuals_that_are_zero_in_every_sample() -> None:
    """x5 and x6 alone load on the second factor besides x4: their correlation is reproduced whatever it is."""
    fit = sk.cfa("visual =~ x1 + x2 + x3 + x4\ntextual =~ x4 + x5 + x6", DATA, ordered=True)
    assert abs(fit.residuals().loc["x5", "x6"]) < 1e-8
    assert fit.residuals("standardized").loc["x5", "x6"] == 0.0
    apart = sk.cfa(MODEL, pd.concat([DATA.assign(g=1), DATA[:250].assign(g=2)]), ordered=True, group="g")
    for type in ("normalized", "standardized"):  # nothing is shared: each group has its own
        alone = sk.cfa(MODEL, DATA, ordered=True).residuals(type)
        pd.testing.assert_frame_equal(apart.residuals(type, group=0), alone, rtol=5e-3)


def test_difference_test_is_lavaans() -> None:
    """lavTestLRT of lavaan 0.6-14, equal loadings of x5 and x6: 0.1112843206, p = 0.7386866661.

    Its restriction is a least-squares solution; ``tests/fitting/test_difference.py`` has the exact ones.
    """
    free = sk.cfa(MODEL, DATA, ordered=True)
    equal = sk.cfa(MODEL.replace("x5 + x6", "a*x5 + a*x6"), DATA, ordered=True)
    frame = sk.compare(equal, free).frame
    assert frame["chisq_diff"].iloc[1] == pytest.approx(0.1112843206, rel=1e-3)
    assert frame["pvalue"].iloc[1] == pytest.approx(0.7386866661, rel=1e-3)
    turned = sk.cfa("speed =~ x7 + x9 + x8\ntextual =~ x4 + a*x6 + a*x5\nvisual =~ x1 + x2 + x3", DATA, ordered=True)
    assert sk.compare(free, turned).frame["chisq_diff"].iloc[1] == pytest.approx(frame["chisq_diff"].iloc[1], rel=1e-6)
    assert sk.nested(free, equal).loc["model 2", "model 1"] == "nested"
    with pytest.raises(sk.SemkitError, match="ordinal indicators"):
        sk.compare(free, sk.cfa(MODEL, DATA))
    with pytest.raises(sk.SemkitError, match="not shown to be a restriction"):
        sk.compare(sk.cfa("f =~ x1 + x2 + x3 + x4\ng =~ x5 + x6 + x7\nh =~ x8 + x9", DATA, ordered=True), equal)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"estimator": "ml"}, "fitting.not-with-ordinal"), ({"missing": "fiml"}, "fitting.not-with-ordinal"),
        ({"se": "bootstrap"}, "fitting.not-with-ordinal"),
        ({"test": "bollen.stine"}, "fitting.not-with-ordinal"), ({"fixed_x": False}, "fitting.not-with-ordinal"),
        ({"parameterization": "gamma"}, "fitting.unknown-option-value"),
        ({"ordered": ["q"]}, "fitting.unknown-ordered"),
        ({"design": sk.Design(weights="ageyr"), "se": "standard"}, "fitting.not-with-design"),
        ({"estimator": "wlsmv", "ordered": ()}, "fitting.no-ordered"),
    ],
)  # fmt: skip
def test_what_is_not_offered_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(sk.SemkitError) as caught:
        sk.cfa(MODEL, DATA, **{"ordered": True, **options})
    assert caught.value.code == code


@pytest.mark.parametrize("call", ["crosscheck", "score_test"])
def test_what_does_not_follow_a_fit_is_refused(call: str) -> None:
    fit = sk.cfa(MODEL, DATA, ordered=True)
    with pytest.raises(sk.SemkitError) as caught:
        getattr(fit, call)()
    assert caught.value.code == "fitting.not-with-ordinal"


def test_an_empty_category_of_a_group_is_named() -> None:
    data = DATA.assign(g=np.where(DATA["x1"] == 5, 1, np.arange(len(DATA)) % 2))
    with pytest.raises(sk.SemkitError, match="nobody chose 5") as caught:
        sk.cfa(MODEL, data, ordered=True, group="g")
    assert caught.value.code == "sample.empty-category"
    assert 'column "x1", group "0"' in str(caught.value)


def test_a_category_that_loses_everyone_is_dropped_with_a_note() -> None:
    data = DATA.copy()
    data.loc[data["x1"] == 5, "x2"] = np.nan
    fit = sk.cfa(MODEL, data, ordered=True)
    assert [note.where for note in fit.notes if note.code == "sample.category-lost"] == ["x1"]
    assert "x1 | t4" not in fit.names and "x2 | t4" in fit.names


def test_empty_cells_are_noted_and_silent_without() -> None:
    few = sk.cfa("f =~ x1 + x2 + x3 + x4", DATA.iloc[:60], ordered=True)
    assert "fitting.empty-cells" in [note.code for note in few.notes]
    rng = np.random.default_rng(1)
    y = np.digitize(rng.normal(size=(2000, 1)) * 0.7 + 0.7 * rng.normal(size=(2000, 4)), [-0.5, 0.5])
    clean = sk.cfa("f =~ a + b + c + d", pd.DataFrame(y, columns=list("abcd")), ordered=True)
    assert clean.notes == ()


def test_thresholds_in_the_text_make_a_variable_ordinal_and_may_be_shared() -> None:
    fit = sk.cfa(MODEL + "\nx1 | a*t1\nx2 | a*t1", DATA, ordered=True)
    values = fit.estimates.set_index(["lhs", "op", "rhs"])["est"]
    assert values["x1", "|", "t1"] == values["x2", "|", "t1"]
    assert fit.fit_measures["df"] == 25
    alone = sk.cfa("f =~ x1 + x2 + x3\nx1 | t1", DATA)
    assert alone.solution.options.ordered == ("x1",) and "x2 ~1" in alone.names


def test_a_response_explained_by_more_than_all_of_it_is_named() -> None:
    rng = np.random.default_rng(1)
    y = np.repeat(rng.normal(size=(80, 2)), 3, axis=1) * 0.5 + rng.normal(size=(80, 6))
    frame = pd.DataFrame(np.digitize(y, [-1, 0.2, 1]), columns=[f"v{k}" for k in range(6)])
    fit = sk.cfa("f =~ v0 + v1 + v2\nh =~ v3 + v4 + v5", frame, ordered=True)
    assert [note.where for note in fit.notes if note.code == "fitting.negative-variance"] == ["v5 ~~ v5"]
    assert not fit.admissible
    with pytest.raises(sk.SemkitError, match="residual variance is not positive"):
        fit.predict()


def test_a_factor_without_scale_is_named() -> None:
    fit = sk.cfa("f =~ NA*x1 + x2 + x3 + x4", DATA, ordered=True)
    (note,) = (note for note in fit.notes if note.code == "fitting.not-identified")
    assert "f ~~ f" in note.where and "f =~ x1" in note.where
    assert "fitting.not-identified" not in [note.code for note in sk.cfa(MODEL, DATA, ordered=True).notes]


def test_order_of_rows_and_coding_do_not_matter() -> None:
    fit = sk.cfa(MODEL, DATA, ordered=True)
    moved = DATA.iloc[::-1].assign(x1=DATA["x1"] ** 2 * 10.0)
    again = sk.cfa(MODEL, moved, ordered=True)
    np.testing.assert_allclose(again.estimates["est"], fit.estimates["est"], atol=1e-8)


def test_unweighted_statistics_do_not_depend_on_the_unit_of_the_weights() -> None:
    """ULS: ``(N - 1)`` times the squared residuals; weights twice as large change errors and corrected tests not."""
    from dataclasses import replace

    from semkit.estimate.scaling import CORRECTIONS
    from semkit.estimate.weights import MomentWeight
    from semkit.fitting.ordinal import fit_categorical

    fit = sk.cfa(MODEL, DATA, ordered=True, estimator="ulsmv")
    s: Any = fit.solution
    (residual,) = s.problem.residuals(s.parameters)
    assert fit.tests["standard"].stat == pytest.approx(300 * float(residual @ residual), rel=1e-9)
    twice: Any = fit_categorical(s.table, s.options, s.sample, s.statistics, s.thresholds, s.levels,
                                 (MomentWeight(np.full((1, len(residual)), 2.0)),))
    assert twice.stat == pytest.approx(2.0 * s.stat, rel=1e-8)
    np.testing.assert_allclose(np.diagonal(twice.small_vcov), np.diagonal(s.small_vcov), rtol=1e-6)
    for name in ("satorra.bentler", "scaled.shifted", "mean.var.adjusted"):
        one, two = (CORRECTIONS[name](x.stat, x.df, x.pieces) for x in (s, twice))
        assert two.stat == pytest.approx(one.stat, rel=1e-7) and two.df == pytest.approx(one.df, rel=1e-7)
    assert replace(fit.tests["scaled.shifted"]).pvalue < 0.05


@pytest.mark.parametrize(
    ("text", "df", "notes"),
    [
        ("y1 ~ w + z", 0, set()), ("y1 ~~ y2", 0, set()), ("y1 ~~ y4", 0, set()),
        ("f =~ y1 + y2", -1, {"fitting.negative-df", "fitting.not-identified"}),
        ("y2 ~ w + z\ny3 ~ y2 + w", 1, set()),
        ("f =~ y1 + y2 + y3 + y4\ny3 ~~ y4", 1, set()),
    ],
)  # fmt: skip
def test_small_and_odd_models_have_all_their_tables(text: str, df: int, notes: set[str]) -> None:
    data = simulated(400, 6)
    ordered = [name for name in ORDINAL if name in text]
    fit = sk.sem(text, data, ordered=ordered)
    assert (fit.solution.df, {note.code for note in fit.notes}) == (df, notes)
    for table in (fit.estimates, fit.fit_measures, fit.standardized(), fit.r2, fit.residuals("standardized"),
                  fit.modification_indices(), repr(fit), fit.tests, fit.variables):
        assert table is not None


def test_a_probit_regression_is_that_of_maximum_likelihood() -> None:
    """One ordinal outcome on covariates: estimates and errors are those of the ordered probit model itself."""
    from semkit.estimate.margins import ordinal_margin

    data = simulated(400, 7)
    fit = sk.sem("y3 ~ w + z", data, ordered=["y3"])
    margin = ordinal_margin(data["y3"].to_numpy(dtype=float), 4, data[["w", "z"]].to_numpy(dtype=float))
    table = fit.estimates.set_index(["lhs", "op", "rhs"])
    np.testing.assert_allclose([table.loc[("y3", "~", x), "est"] for x in ("w", "z")], margin.slopes, atol=1e-8)
    inverse = np.linalg.inv(margin.scores.T @ margin.scores)
    se = np.sqrt(np.diagonal(inverse))[3:] * np.sqrt(400 / 399)
    np.testing.assert_allclose([table.loc[("y3", "~", x), "se"] for x in ("w", "z")], se, rtol=1e-6)


def test_the_script_for_lavaan_has_everything_it_needs(tmp_path: Path) -> None:
    """lavaan 0.6-14 gave 27.939 for the groups, 7.068 and 6.955 for the covariates from such scripts."""
    golden = Path(__file__).parents[1] / "golden/data"
    model = "f =~ u1 + u2 + u3\nh =~ u4 + u5 + u6"
    groups = sk.cfa(model, pd.read_csv(golden / "ordinal_groups.csv"), ordered=True, group="g",
                    group_equal=["thresholds", "loadings"])
    assert groups.tests["scaled.shifted"].stat == pytest.approx(27.939, abs=6e-4)
    mixed = pd.read_csv(golden / "ordinal_mixed.csv")
    ordered = ["u1", "u2", "u4", "u5"]
    delta = sk.sem(model + "\nf + h ~ w + z", mixed, ordered=ordered)
    assert delta.tests["scaled.shifted"].stat == pytest.approx(7.068, abs=6e-4)
    theta = sk.sem(model + "\nf ~ w + z\nh ~ f + w", mixed, ordered=ordered, parameterization="theta")
    assert theta.tests["scaled.shifted"].stat == pytest.approx(6.955, abs=6e-4)
    script, data = theta.to_lavaan(tmp_path / "check")
    text = script.read_text(encoding="utf-8")
    for line in ('ordered = c("v1", "v2", "v4", "v5")', 'parameterization = "theta"', 'estimator = "WLSMV"',
                 "v2 | t2", "v1 ~~ 1*v1", "v1 ~*~ 1*v1", 'missing = "listwise"'):
        assert line in text, line
    assert "conditional.x" not in text and "information" not in text
    assert pd.read_csv(data).shape == (400, 8)


def test_bounds_hold_what_small_samples_do_not() -> None:
    """Where the estimates are inside nothing changes; elsewhere a factor has between a tenth and all of its marker."""
    plain = sk.cfa(MODEL, DATA, ordered=True)
    for kind in ("standard", "wide", "pos.lv.var"):
        same = sk.cfa(MODEL, DATA, ordered=True, bounds=kind)
        np.testing.assert_allclose(same.est, plain.est, rtol=1e-6, atol=1e-7)
        assert same.fit_measures["df"] == plain.fit_measures["df"]
    outside = 0
    for seed in range(13, 20):
        rng = np.random.default_rng(seed)
        answers = np.digitize(0.35 * rng.normal(size=(60, 1)) + 0.9 * rng.normal(size=(60, 3)), [-0.5, 0.6])
        frame = pd.DataFrame(answers, columns=["a", "b", "c"])
        free = sk.cfa("f =~ a + b + c", frame, ordered=True)
        held = sk.cfa("f =~ a + b + c", frame, ordered=True, bounds="standard")
        variance = [fit.est[fit.names.index("f ~~ f")] for fit in (free, held)]
        outside += not (free.converged and 0.1 <= variance[0] <= 1.0)
        assert held.converged and 0.1 - 1e-6 <= variance[1] <= 1.0 + 1e-6
        assert np.all(np.abs(held.est[:2]) <= np.sqrt(10.0) + 1e-6)
    assert outside >= 3
    for options in ({"bounds": "pos.var"}, {"bounds": "standard", "parameterization": "theta"},
                    {"bounds": "wide", "group": "school", "group_equal": ["thresholds"]}):
        with pytest.raises(NotSupportedError, match="ordinal indicators"):
            sk.cfa(MODEL, DATA, ordered=True, **options)
    with pytest.raises(OptionError, match="bounds"):
        sk.cfa(MODEL, DATA, ordered=True, bounds="some")
